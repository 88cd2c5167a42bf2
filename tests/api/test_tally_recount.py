"""What is published of a count, recounted by a program that trusts nobody."""

import json
import random
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from api.ballots import Ticket
from api.outcomes import chosen
from api.tally import FILES, kept_file, tally_round
from ledger.ballots import CastBallot, ballot, ballot_id_of
from ledger.canonical import canonical
from ledger.donations import donation
from ledger.rounds import round_
from ledger.rounds.claims import Gift
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
from tests.api.served import Served
from tests.api.shops import Shop
from tests.api.tallies import SEED, voted
from tests.projections.village import a_gift
from tests.rounds import BIKES, CHOIR, GREEDY, OVEN, SHADE, close_round, open_round


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
