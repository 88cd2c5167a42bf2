import json
import os
import random
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from api.ballots import Ticket
from api.outcomes import chosen
from api.round_steps import approve_result, send_back
from api.tally import FILES, counted_round, kept_file, tally_round
from ledger.ballots import CastBallot, ballot, ballot_id_of
from ledger.canonical import canonical
from ledger.donations import donation
from ledger.rounds import round_
from ledger.rounds.claims import Gift
from ledger.rounds.commands import ResultNotPending, RoundNotFound, RoundNotOpened
from ledger.rounds.definition import Definition
from ledger.rounds.events import Tally
from ledger.rules import recount
from ledger.rules.rule import EqualShares
from ledger.wallets import (
    AddGift,
    MakeStandingChoice,
    OpenWallet,
    WithdrawStandingChoice,
    place,
    wallet,
)
from projections.every import READ_MODELS
from projections.follow import catch_up
from projections.open_rounds import terms_of
from tests.api.served import PROGRAM, Served, environment
from tests.api.shops import Shop
from tests.api.stored import stored
from tests.ledger.processes import eventually
from tests.projections.village import a_gift
from tests.rounds import (
    ANNE,
    BIKES,
    BRUNO,
    CHLOE,
    CHOIR,
    DORA,
    GREEDY,
    OVEN,
    SHADE,
    close_round,
    open_round,
)

SEED = 41
THREADS = 3
PIPES: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}


def voted(served: Served, shop: Shop, made: Definition, gifts: int) -> int:
    """Record gifts of customers and ballots for two in three of them; give the cents of the pot."""
    dice = random.Random(SEED)
    ledger = served.context.ledger
    given = [a_gift(shop, dice).model_copy(update={"source": "customer"}) for _ in range(gifts)]
    ledger.handle_all(donation, [(one.donation_id, one) for one in given], presume_new=True)
    state = round_.fold(one.event for one in ledger.history(round_, made.round_id))
    terms = terms_of(made, state)
    ballots = []
    for one in given[: gifts * 2 // 3]:
        picks = tuple(dice.sample([BIKES, SHADE, CHOIR, OVEN], dice.randint(1, 3)))
        ballot_id = ballot_id_of(served.context.keyring.tickets, made.round_id, one.donation_id)
        command = CastBallot(
            at=one.at,
            actor="public",
            ballot_id=ballot_id,
            donation_id=one.donation_id,
            terms=terms,
            picks=picks,
            channel="api",
        )
        ballots.append((ballot_id, command))
    ledger.handle_all(ballot, ballots, presume_new=True)
    return sum(one.amount_cents for one in given)


def assert_conserved(told: Any, cents: int) -> None:
    given = sum(one.cents for one in told.awards)
    assert told.pot_cents == cents == given + told.foundation_cents + told.next_round_cents


def files_in(conninfo: str) -> dict[str, bytes]:
    """Give every file that was kept; a second one of a name would be missed by its round."""
    with psycopg.connect(conninfo) as connection:
        rows = connection.execute("SELECT name, content FROM round_file").fetchall()
    assert len({name for name, _ in rows}) == len(rows)
    return {str(name): bytes(content) for name, content in rows}


@pytest.fixture
def finished(served: Served, shop: Shop, tmp_path: Path) -> Path:
    """Give a folder with the files of a round that was counted."""
    small = [{"project_id": one, "goal_cents": 900} for one in (BIKES, SHADE, CHOIR, OVEN)]
    made = open_round(served.context.ledger, projects=small)
    voted(served, shop, made, 90)
    close_round(served.context.ledger, made)
    told = tally_round(served.context, made.round_id, "clock")
    assert told.next_round_cents
    folder = tmp_path / "files"
    folder.mkdir()
    with served.context.pool.connection() as connection:
        for name in FILES:
            content = kept_file(connection, made.round_id, told.result_sha256, name)
            (folder / name).write_bytes(content or b"")
    assert recount.main([str(folder)]) == 0
    return folder


@pytest.mark.parametrize("unused", ["follow_result", "foundation", "next_round"])
def test_no_cent_is_lost_whatever_is_declared(served: Served, shop: Shop, unused: str) -> None:
    made = open_round(served.context.ledger, unused=unused)
    cents = voted(served, shop, made, 60)
    close_round(served.context.ledger, made)
    told = tally_round(served.context, made.round_id, "clock")
    assert_conserved(told, cents)
    assert told.ballots == 40
    assert told.unused_gifts == 20
    assert (told.foundation_cents == told.unused_cents) == (unused == "foundation")


def test_what_is_published_is_served_and_counted_again_by_anybody(
    served: Served, shop: Shop, conninfo: str, tmp_path: Path
) -> None:
    made = open_round(served.context.ledger)
    voted(served, shop, made, 90)
    close_round(served.context.ledger, made)
    told = tally_round(served.context, made.round_id, "clock")
    catch_up(conninfo, READ_MODELS)
    for name in FILES:
        answer = served.client.get(f"/rounds/{made.round_id}/files/{name}")
        assert answer.status_code == httpx.codes.OK
        (tmp_path / name).write_bytes(answer.content)
    assert sha256((tmp_path / "result.json").read_bytes()).hexdigest() == told.result_sha256
    assert sha256((tmp_path / "rule.json").read_bytes()).hexdigest() == told.rule_sha256
    frozen = json.loads((tmp_path / "round.json").read_bytes())["definition"]
    assert Definition.model_validate(frozen).sha256 == made.sha256
    assert recount.main([str(tmp_path)]) == 0
    detail = served.client.get(f"/api/v1/rounds/{made.round_id}").json()
    assert detail["tally"]["result_sha256"] == told.result_sha256
    assert detail["state"] == "tallied"


def test_nothing_published_holds_a_gift_or_a_ballot(
    served: Served, shop: Shop, conninfo: str
) -> None:
    made = open_round(served.context.ledger)
    voted(served, shop, made, 30)
    close_round(served.context.ledger, made)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        counted = counted_round(connection, made.round_id)
        rows = connection.execute(
            "SELECT convert_from(state, 'UTF8')::json ->> 'donation_id',"
            " convert_from(state, 'UTF8')::json ->> 'ballot_id'"
            " FROM ledger_events WHERE topic = 'BallotCast'"
        ).fetchall()
    assert len(rows) == 20
    everything = b"".join(counted.files.values())
    assert not [one for row in rows for one in row if str(one).encode() in everything]


def test_a_count_killed_outright_gives_the_same_bytes(
    served: Served, shop: Shop, conninfo: str, tmp_path: Path
) -> None:
    made = open_round(served.context.ledger)
    voted(served, shop, made, 300)
    close_round(served.context.ledger, made)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        expected = counted_round(connection, made.round_id)
    home = served.context.settings.home
    command = [str(PROGRAM), "round", "tally", str(made.round_id), "--json"]
    variables = environment(home, {"DATABASE_URL": conninfo})
    with psycopg.connect(conninfo) as holding:
        # The files wait for this lock: the job is killed with its count made and nothing kept.
        holding.execute("LOCK TABLE round_file IN ACCESS EXCLUSIVE MODE")
        killed = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE)
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        with psycopg.connect(conninfo, autocommit=True) as watching:
            eventually(lambda: watching.execute(waiting).fetchone() == (1,))
        os.kill(killed.pid, signal.SIGKILL)
        assert killed.wait() == -signal.SIGKILL
        assert killed.stdout is not None
        killed.stdout.close()
    again = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    assert json.loads(again.stdout)["result_sha256"] == expected.tally.result_sha256
    assert files_in(conninfo) == expected.files
    assert "events" in again.stderr
    # Once it is recorded, counting again changes nothing.
    assert tally_round(served.context, made.round_id, "clock") == expected.tally


def test_several_who_count_at_once_record_one_result_with_the_same_bytes(
    served: Served, shop: Shop, conninfo: str
) -> None:
    made = open_round(served.context.ledger)
    voted(served, shop, made, 120)
    close_round(served.context.ledger, made)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        expected = counted_round(connection, made.round_id)
    command = [str(PROGRAM), "round", "tally", str(made.round_id), "--json"]
    variables = environment(served.context.settings.home, {"DATABASE_URL": conninfo})
    together = threading.Barrier(THREADS)

    def count(number: int) -> Tally:
        together.wait()
        return tally_round(served.context, made.round_id, f"account:{UUID(int=number)}")

    with ExitStack() as stack:
        # Whoever counts waits here with its files, so that all of them keep and record at once.
        holding = stack.enter_context(psycopg.connect(conninfo))
        holding.execute("LOCK TABLE round_file IN ACCESS EXCLUSIVE MODE")
        others = [
            stack.enter_context(subprocess.Popen(command, env=variables, **PIPES)) for _ in range(2)
        ]
        threads = stack.enter_context(ThreadPoolExecutor(THREADS))
        told = [threads.submit(count, number) for number in range(THREADS)]
        waiting = (
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'round_file'::regclass"
        )
        with psycopg.connect(conninfo, autocommit=True) as watching:
            eventually(lambda: watching.execute(waiting).fetchone() == (THREADS + len(others),))
        holding.rollback()
        assert [one.result() for one in told] == [expected.tally] * THREADS
        said = [json.loads(one.communicate()[0]) for one in others]
    assert {one["result_sha256"] for one in said} == {expected.tally.result_sha256}
    (event,) = stored(conninfo, "RoundTallied")
    assert Tally.model_validate(event.state["tally"]) == expected.tally
    assert files_in(conninfo) == expected.files


def test_a_result_is_adopted_by_two_or_counted_again(served: Served, shop: Shop) -> None:
    made = open_round(served.context.ledger)
    voted(served, shop, made, 30)
    close_round(served.context.ledger, made)
    told = tally_round(served.context, made.round_id, "clock")
    send_back(served.context, ANNE, made.round_id, told.result_sha256, "ballots_wrong")
    with pytest.raises(ResultNotPending):
        approve_result(served.context, BRUNO, made.round_id, told.result_sha256)
    assert tally_round(served.context, made.round_id, "clock") == told
    assert not approve_result(served.context, BRUNO, made.round_id, told.result_sha256)
    assert not approve_result(served.context, BRUNO, made.round_id, told.result_sha256)
    assert approve_result(served.context, CHLOE, made.round_id, told.result_sha256)
    with pytest.raises(ResultNotPending):
        approve_result(served.context, DORA, made.round_id, told.result_sha256)


def test_only_a_closed_round_is_counted(served: Served) -> None:
    made = open_round(served.context.ledger)
    with pytest.raises(RoundNotOpened):
        tally_round(served.context, made.round_id, "clock")
    with pytest.raises(RoundNotFound):
        tally_round(served.context, UUID(int=1), "clock")


def changed(told: Any, place: str, value: Any) -> None:
    """Set a value in a document, named by the way to it."""
    *way, last = [int(one) if one.isdigit() else one for one in place.split()]
    for one in way:
        told = told[one]
    told[last] = value


@pytest.mark.parametrize(
    ("place", "value", "named"),
    [
        ("tally awards 0 cents", 1, "tally awards"),
        ("tally awards", [], "tally awards"),
        ("tally next_round_cents", 0, "tally next_round_cents"),
        ("tally foundation_cents", 1, "tally foundation_cents"),
        ("tally unused_cents", 1, "tally pot_cents"),
        ("tally matched_cents", 5, "tally matched_cents"),
        ("tally election_sha256", "0" * 64, "tally election_sha256"),
        ("tally trace_sha256", "0" * 64, "tally trace_sha256"),
        ("tally ballots", 61, "tally ballots"),
        ("tally suppressed_ballots", 999, "tally suppressed_ballots"),
        ("tally standing_ballots", -1, "tally standing_ballots"),
        ("tally bonus_cents", 5, "tally members"),
        ("note", "x", "members"),
        ("tally awards 0 note", "x", "tally awards members"),
        ("purchases", {}, "members"),
        ("definition title", "Autre", "tally definition_sha256"),
        ("definition rule rule", "greedy", "definition rule"),
        ("definition projects 0 goal_cents", 7, "definition projects"),
        ("struck", [str(BIKES)], "tally struck"),
    ],
)
def test_what_was_paid_or_approved_is_recounted_too(
    finished: Path, place: str, value: Any, named: str
) -> None:
    told = json.loads((finished / "round.json").read_bytes())
    assert recount.recount(str(finished)).definition_sha256 == told["tally"]["definition_sha256"]
    changed(told, place, value)
    (finished / "round.json").write_bytes(canonical(told))
    found = recount.recount(str(finished)).differences
    assert any(line.startswith(f"round.json {named}") for line in found)
    assert recount.main([str(finished)]) == 1


@pytest.mark.parametrize("late", ["choice", "withdrawal", "gift"])
def test_wallets_follow_the_deadline_of_ballots(served: Served, shop: Shop, late: str) -> None:
    ledger, dice = served.context.ledger, random.Random(SEED)
    made = open_round(ledger, unused="foundation")
    gift = a_gift(shop, dice).model_copy(update={"source": "customer"})
    ledger.handle(donation, gift.donation_id, gift)
    in_time, too_late = gift.at, made.closes_at
    who: dict[str, Any] = {"actor": "public", "wallet_id": UUID(int=77)}

    def choose(at: datetime, pick: UUID) -> None:
        command = MakeStandingChoice(at=at, picks=(pick,), **who)
        ledger.handle(wallet, who["wallet_id"], command)

    ledger.handle(wallet, who["wallet_id"], OpenWallet(at=in_time, **who))
    choose(in_time, BIKES)
    added_at = too_late if late == "gift" else in_time
    add = AddGift(at=added_at, donation_id=gift.donation_id, **who)
    ledger.handle(place, gift.donation_id, add)
    if late == "choice":
        choose(too_late, OVEN)
    if late == "withdrawal":
        withdrawal = WithdrawStandingChoice(at=too_late, **who)
        ledger.handle(wallet, who["wallet_id"], withdrawal)
    close_round(ledger, made)
    told = tally_round(served.context, made.round_id, "clock")
    held = late != "gift"
    assert told.standing_ballots == held
    assert [one.project_id for one in told.awards] == [BIKES] * held
    served.context.rounds.refresh()
    known = served.context.rounds.round(made.round_id)
    assert known is not None
    of_pot = Gift("customer", gift.partner_id, gift.occurred_at.date(), 1)
    ticket = Ticket(gift.donation_id, of_pot, gift.amount_cents, attested=True, reversals=())
    expected = ("standing", (BIKES,)) if held else ("nothing", ())
    assert chosen(served.context, ticket, known) == expected


def test_awards_out_of_order_are_found(finished: Path) -> None:
    told = json.loads((finished / "round.json").read_bytes())
    told["tally"]["awards"].reverse()
    (finished / "round.json").write_bytes(canonical(told))
    (found,) = recount.recount(str(finished)).differences
    assert found.startswith("round.json tally awards order")


def test_what_voted_is_compared_where_no_ballot_is_protected(
    served: Served, shop: Shop, tmp_path: Path
) -> None:
    made = open_round(served.context.ledger, rule=GREEDY, picks_max=3)
    voted(served, shop, made, 400)
    close_round(served.context.ledger, made)
    told = tally_round(served.context, made.round_id, "clock")
    assert not told.suppressed_ballots
    with served.context.pool.connection() as connection:
        for name in FILES:
            content = kept_file(connection, made.round_id, told.result_sha256, name)
            (tmp_path / name).write_bytes(content or b"")
    assert recount.main([str(tmp_path)]) == 0
    doctored = json.loads((tmp_path / "round.json").read_bytes())
    doctored["tally"]["voted_cents"] -= 100
    doctored["tally"]["unused_cents"] += 100
    (tmp_path / "round.json").write_bytes(canonical(doctored))
    found = recount.recount(str(tmp_path)).differences
    assert [line.partition(":")[0] for line in found] == ["round.json tally voted_cents"]


def test_a_ticket_above_the_cap_of_its_shop_is_told_so(
    served: Served, shop: Shop, conninfo: str
) -> None:
    ledger, dice = served.context.ledger, random.Random(SEED)
    rule = json.loads(EqualShares().canonical())
    made = open_round(ledger, rule=rule, weight="purchase", purchases_per_partner_max=1)
    state = round_.fold(one.event for one in ledger.history(round_, made.round_id))
    codes = []
    for _ in range(2):
        changes = {"source": "customer", "purchase_cents": 90_000}
        gift = a_gift(shop, dice).model_copy(update=changes)
        ledger.handle(donation, gift.donation_id, gift)
        ballot_id = ballot_id_of(served.context.keyring.tickets, made.round_id, gift.donation_id)
        cast = CastBallot(
            at=gift.at,
            actor="public",
            ballot_id=ballot_id,
            donation_id=gift.donation_id,
            terms=terms_of(made, state),
            picks=(BIKES,),
            channel="api",
        )
        ledger.handle(ballot, ballot_id, cast)
        codes.append(served.context.tickets.code(gift.donation_id))
    close_round(ledger, made)
    assert tally_round(served.context, made.round_id, "clock").ballots == 1
    catch_up(conninfo, READ_MODELS)
    served.context.rounds.refresh()
    words = "Above the cap of its shop: this purchase was not counted."
    pages = [served.client.get(f"/g/{code}?lang=en").text for code in codes]
    assert [words in page for page in pages] == [False, True]
    assert "Your purchase counted as one vote." in pages[0]
    file = served.client.get(f"/rounds/{made.round_id}/files/caps.json")
    assert file.status_code == httpx.codes.NOT_FOUND
