"""Rounds on the command line: listed, closed when they are due, counted and recounted."""

import random
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from api.tally import counted_round
from ledger.ballots import CastBallot, ballot, ballot_id_of
from ledger.donations import donation
from ledger.rounds import round_
from ledger.rounds.definition import Definition
from ledger.rounds.state import Opened
from ledger.store import Ledger, open_ledger
from projections import ballots
from projections.open_rounds import terms_of
from tests.api.cli.outcomes import Run, assert_refused
from tests.api.shops import open_shop
from tests.api.stored import stored
from tests.projections.village import a_gift
from tests.rounds import BIKES, OVEN, SHADE, open_round

VERBS = ("close", "tally")
LONG_AGO = datetime.now(UTC) - timedelta(days=30)
DUE = LONG_AGO + timedelta(days=7)
CAST, LEFT_UNUSED = 9, 3
# Of the shops' own gifts, so that it may be open beside another round.
OF_SHOPS = {"sources": ["shop"], "last_on": date(2100, 1, 1)}


def cast_all(ledger: Ledger, made: Definition) -> int:
    """Record gifts and ballots for most of them, before the deadline; give the pot's cents."""
    dice, shop = random.Random(11), open_shop(ledger)
    state = round_.fold(one.event for one in ledger.history(round_, made.round_id))
    assert isinstance(state, Opened)
    cents = 0
    for number in range(CAST + LEFT_UNUSED):
        given = a_gift(shop, dice).model_copy(update={"source": "customer"})
        ledger.handle(donation, given.donation_id, given)
        cents += given.amount_cents
        if number >= CAST:
            continue
        ballot_id = ballot_id_of(bytes(32), made.round_id, given.donation_id)
        cast = CastBallot(
            at=LONG_AGO + timedelta(days=1),
            actor="public",
            ballot_id=ballot_id,
            donation_id=given.donation_id,
            terms=terms_of(made, state),
            picks=(dice.choice([BIKES, SHADE, OVEN]),),
            channel="web",
        )
        ledger.handle(ballot, ballot_id, cast)
    return cents


@pytest.fixture
def running(conninfo: str) -> Definition:
    """A round that is open for days to come."""
    with open_ledger(conninfo) as ledger:
        return open_round(ledger, title="Automne", pot=OF_SHOPS)


@pytest.fixture
def due(conninfo: str) -> tuple[str, int]:
    """A round past its deadline that nobody closed yet, and the cents of its pot."""
    with open_ledger(conninfo) as ledger:
        made = open_round(ledger, at=LONG_AGO, closes_at=DUE)
        return str(made.round_id), cast_all(ledger, made)


@pytest.mark.parametrize("verb", VERBS)
def test_an_unknown_round_is_named(run: Run, verb: str) -> None:
    assert_refused(run("round", verb, str(uuid4()), "--json"), "round_not_found")
    assert_refused(run("round", verb, "autumn"), "invalid UUID", code=2)
    assert_refused(run("round", verb), "usage", code=2)


class TestNone:
    def test_there_is_nothing_to_list(self, run: Run) -> None:
        assert run("round", "list", "--json").facts == {"rounds": []}
        assert run("round", "list").out == "no round yet\n"


class TestOpen:
    def test_it_is_neither_closed_nor_counted_before_its_time(
        self, run: Run, running: Definition, conninfo: str
    ) -> None:
        before = stored(conninfo)
        round_id = str(running.round_id)
        assert_refused(run("round", "close", round_id), "round_not_due")
        assert_refused(run("round", "tally", round_id, "--json"), "round_not_opened")
        assert stored(conninfo) == before

    def test_it_is_listed_without_any_tally(self, run: Run, running: Definition) -> None:
        (one,) = run("round", "list", "--json").facts["rounds"]
        assert one["round_id"] == str(running.round_id)
        assert (one["state"], one["ballots"]) == ("open", 0)
        assert "tally" not in one
        words = run("round", "list").out
        assert words == f"{running.round_id}  open             0 ballots  Automne\n"


class TestDue:
    def test_it_is_closed_once_by_whoever_uses_the_machine(
        self, run: Run, due: tuple[str, int], conninfo: str
    ) -> None:
        round_id, _ = due
        for _ in range(2):
            closed = run("round", "close", round_id, "--json")
            assert (closed.code, closed.facts) == (0, {"round_id": round_id})
        (event,) = stored(conninfo, "RoundClosed")
        assert event.state["actor"].startswith("console:")
        assert run("round", "list", "--json").facts["rounds"][0]["state"] == "closed"


class TestClosed:
    @pytest.fixture
    def closed(self, run: Run, due: tuple[str, int]) -> tuple[str, int]:
        assert run("round", "close", due[0]).out == "closed\n"
        return due

    def test_it_is_counted_to_the_cent_and_told_as_one_object(
        self, run: Run, closed: tuple[str, int], conninfo: str
    ) -> None:
        round_id, cents = closed
        counted = run("round", "tally", round_id, "--json")
        facts = counted.facts
        assert (counted.code, facts["round_id"], facts["ballots"]) == (0, round_id, CAST)
        assert (facts["pot_cents"], facts["unused_gifts"]) == (cents, LEFT_UNUSED)
        given = sum(award["cents"] for award in facts["awards"])
        assert given + facts["foundation_cents"] + facts["next_round_cents"] == cents
        assert "events" in counted.err
        (event,) = stored(conninfo, "RoundTallied")
        assert event.state["tally"]["result_sha256"] == facts["result_sha256"]
        assert run("round", "list", "--json").facts["rounds"][0]["state"] == "tallied"

    def test_counted_again_it_says_the_same_and_records_nothing(
        self, run: Run, closed: tuple[str, int], conninfo: str
    ) -> None:
        first = run("round", "tally", closed[0], "--json").facts
        before = stored(conninfo)
        assert run("round", "tally", closed[0], "--json").facts == first
        assert stored(conninfo) == before

    def test_its_words_name_each_award_and_the_hash(
        self, run: Run, closed: tuple[str, int]
    ) -> None:
        words = run("round", "tally", closed[0]).out.splitlines()
        facts = run("round", "tally", closed[0], "--json").facts
        rare = facts["suppressed_ballots"]
        assert words[0] == f"9 ballots, {rare} of them in small cells"
        for line, award in zip(words[1:-1], facts["awards"], strict=True):
            cents = award["cents"]
            assert line == f"{award['project_id']}  {cents // 100}.{cents % 100:02d} €"
        assert words[-1] == f"result {facts['result_sha256']}"

    def test_its_bar_reaches_its_end_and_stays_within(
        self, run: Run, closed: tuple[str, int]
    ) -> None:
        counted = run("round", "tally", closed[0])
        last = counted.err.replace("\n", "\r").rstrip("\r").rpartition("\r")[2]
        done, _, total = last.partition("|")[2].rpartition("|")[2].split()[0].partition("/")
        assert done == total, last


class ChoicesBegin(Exception):
    """The count has come to the choices."""


def test_progress_is_told_while_the_rounds_are_folded_too(
    run: Run, due: tuple[str, int], conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("round", "close", due[0])
    told: list[int] = []

    def stop(*_: object) -> None:
        raise ChoicesBegin

    monkeypatch.setattr(ballots, "PAGE_EVENTS", 10)
    monkeypatch.setattr(ballots, "choices", stop)
    with psycopg.connect(conninfo, autocommit=True) as connection, pytest.raises(ChoicesBegin):
        counted_round(connection, UUID(due[0]), told.append)
    assert len(told) > 3
    assert sum(told) == len(stored(conninfo))
