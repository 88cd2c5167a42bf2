"""Pledges and remittances as their read models tell them, and what covers a round."""

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from ledger.allocations import Allocation, Target
from ledger.bank.events import TransactionMatched, TransactionUnmatched
from ledger.decider import Event
from ledger.events import encode
from ledger.pledges import PledgeCalled, PledgeMade, PledgeUsed, PledgeWithdrawn
from ledger.remittances import (
    RemittanceApproved,
    RemittanceDeclared,
    RemittanceDiscarded,
    RemittanceReturned,
)
from ledger.rounds.events import (
    RoundAdopted,
    RoundCancelled,
    RoundDrafted,
    RoundOpened,
    RoundTallied,
    Tally,
)
from projections import pledges, remittances
from projections.every import READ_MODELS
from projections.follow import catch_up
from projections.pledge_cover import Cover, cover, cover_of
from projections.pledges import MatchedRound, PledgeRow
from projections.rebuild import rebuild
from tests.projections.village import insert_raw, rows

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = date(2026, 11, 23)
PLEDGE, SPRING, AUTUMN, SHOP = (UUID(int=number) for number in range(1, 5))
MODELS = {name: READ_MODELS[name] for name in ("pledges", "remittances")}
WHO: dict[str, Any] = {"recorded_at": NOON, "actor": f"account:{UUID(int=9)}"}
HANDED_OVER: dict[str, Any] = {
    "remittance_id": UUID(int=11),
    "partner_id": SHOP,
    "means": "cash",
    "cents": 500,
    "received_on": DAY,
    "allocations": (
        Allocation(target="statement", target_id=UUID(int=12), partner_id=SHOP, cents=500),
    ),
}


def made(pledge_id: UUID = PLEDGE, cents: int = 1000, **changes: Any) -> PledgeMade:
    told = {"sponsor": "mairie", "pledged_on": DAY} | changes
    return PledgeMade(**WHO | {"pledge_id": pledge_id, "cents": cents} | told)


def called(cents: int, reference: str, due_on: date = DAY) -> PledgeCalled:
    return PledgeCalled(
        **WHO, pledge_id=PLEDGE, call_id=uuid4(), cents=cents, reference=reference, due_on=due_on
    )


def matched(target: Target, target_id: UUID, cents: int) -> TransactionMatched:
    return TransactionMatched(
        **WHO,
        transaction_id=uuid4(),
        match_id=uuid4(),
        allocations=(Allocation(target=target, target_id=target_id, cents=cents),),
        rule="reference",
        booked_on=DAY,
    )


def unmatched(one: TransactionMatched) -> TransactionUnmatched:
    told = one.model_dump(exclude={"rule", "booked_on"})
    return TransactionUnmatched(**told, reason="mistake", unmatched_on=DAY)


def drafted(round_id: UUID, cap_cents: int | None) -> RoundDrafted:
    matching = {"sponsor": "mairie", "cents_per_euro": 50, "cap_cents": cap_cents}
    pot = {"sources": ["customer"]} | ({} if cap_cents is None else {"matching": matching})
    definition = json.dumps({"title": "Le printemps", "pot": pot})
    return RoundDrafted(**WHO, round_id=round_id, definition=definition, definition_sha256="0" * 64)


def opened(round_id: UUID) -> RoundOpened:
    return RoundOpened(
        **WHO, round_id=round_id, definition_sha256="0" * 64, closes_at=NOON, sealed=True
    )


def tallied(round_id: UUID, matched_cents: int) -> RoundTallied:
    zeros = {name: 0 for name, one in Tally.model_fields.items() if one.annotation is int}
    hashes = {name: "0" * 64 for name in Tally.model_fields if name.endswith("sha256")}
    told: dict[str, Any] = {**zeros, **hashes, "matched_cents": matched_cents, "awards": ()}
    return RoundTallied(**WHO, round_id=round_id, tally=Tally(**told))


def adopted(round_id: UUID) -> RoundAdopted:
    return RoundAdopted(**WHO, round_id=round_id, result_sha256="0" * 64)


def used(round_id: UUID, cents: int) -> PledgeUsed:
    return PledgeUsed(**WHO, pledge_id=PLEDGE, round_id=round_id, cents=cents)


@pytest.fixture
def connection(conninfo: str) -> Any:
    with psycopg.connect(conninfo, autocommit=True) as opened:
        yield opened


def happen(conninfo: str, *events: Event) -> None:
    """Let events come in one by one, so that each is a batch of its own."""
    for event in events:
        insert_raw(conninfo, *encode(event), stream=uuid4())
        catch_up(conninfo, MODELS)


def test_a_pledge_is_called_paid_and_used(conninfo: str, connection: Any) -> None:
    payment = matched("pledge", PLEDGE, 300)
    happen(conninfo, made(), called(700, "RF1"), payment, used(SPRING, 400))
    row = pledges.one(connection, PLEDGE)
    assert row is not None
    assert (row.called_cents, row.banked_cents, row.used_cents) == (700, 300, 400)
    assert (row.free_cents, row.outstanding_cents, row.unpaid_cents) == (600, 400, 700)
    assert [one.cents for one in pledges.uses_of(connection, PLEDGE)] == [400]
    happen(conninfo, unmatched(payment))
    row = pledges.one(connection, PLEDGE)
    assert row is not None
    assert row.banked_cents == 0


def test_money_pays_the_oldest_call_first(conninfo: str, connection: Any) -> None:
    happen(conninfo, made(), called(300, "RF1"), called(500, "RF2"))
    happen(conninfo, matched("pledge", PLEDGE, 400))
    calls = pledges.calls_of(connection, PLEDGE)
    assert [(one.reference, one.outstanding_cents) for one in calls] == [("RF1", 0), ("RF2", 400)]
    assert pledges.calls_by_references(connection, ["RF2", "RF3"]) == calls[1:]


def test_nobody_is_asked_for_what_was_withdrawn(conninfo: str, connection: Any) -> None:
    gone = PledgeWithdrawn(**WHO, pledge_id=PLEDGE, cents=900, withdrawn_on=DAY)
    happen(conninfo, made(), called(700, "RF1"), gone)
    assert [one.outstanding_cents for one in pledges.calls_of(connection, PLEDGE)] == [100]
    row = pledges.one(connection, PLEDGE)
    assert row is not None
    assert row.outstanding_cents == row.free_cents == 100


def test_a_round_needs_its_cap_then_what_it_came_to(conninfo: str, connection: Any) -> None:
    needed = []
    steps = [drafted(SPRING, 800), opened(SPRING), tallied(SPRING, 600), adopted(SPRING)]
    happen(conninfo, made())
    for step in [*steps, used(SPRING, 450)]:
        happen(conninfo, step)
        (one,) = pledges.matched_rounds(connection, "mairie")
        needed.append((one.state, one.needed_cents, one.short_cents))
    assert needed == [
        ("drafted", 0, 0),
        ("opened", 800, 0),
        ("tallied", 600, 0),
        ("adopted", 600, 600),
        ("adopted", 150, 150),
    ]


def test_a_cancelled_round_needs_nothing(conninfo: str, connection: Any) -> None:
    cancelled = RoundCancelled(**WHO, round_id=SPRING, reason="irregular")
    happen(conninfo, drafted(SPRING, 800), opened(SPRING), cancelled)
    assert [one.needed_cents for one in pledges.matched_rounds(connection)] == [0]


def test_a_round_drafted_anew_without_a_sponsor_is_none_of_ours(
    conninfo: str, connection: Any
) -> None:
    happen(conninfo, drafted(SPRING, 800), drafted(SPRING, None))
    assert pledges.matched_rounds(connection) == []


def test_a_draft_is_told_what_is_left_to_it(conninfo: str, connection: Any) -> None:
    happen(conninfo, made(), drafted(SPRING, 800), opened(SPRING), drafted(AUTUMN, 500))
    assert cover_of(connection, AUTUMN, "mairie", 500) == Cover("mairie", 500, 200)
    assert cover_of(connection, SPRING, "mairie", 800).missing_cents == 0
    assert cover_of(connection, AUTUMN, "boulanger", 500).missing_cents == 500


AMOUNTS = st.integers(0, 500)
ROUNDS = st.lists(
    st.builds(
        MatchedRound,
        round_id=st.sampled_from([UUID(int=number) for number in range(3)]),
        title=st.just(""),
        sponsor=st.just("mairie"),
        cap_cents=AMOUNTS,
        state=st.just("opened"),
        matched_cents=st.none(),
        used_cents=st.just(0),
    ),
    unique_by=lambda one: one.round_id,
)
PLEDGES = st.lists(
    st.builds(
        PledgeRow,
        pledge_id=st.uuids(),
        sponsor=st.just("mairie"),
        cents=AMOUNTS,
        pledged_on=st.just(DAY),
        round_id=st.one_of(st.none(), st.sampled_from([UUID(int=0), UUID(int=1)])),
        called_cents=st.just(0),
        used_cents=st.just(0),
        withdrawn_cents=st.just(0),
        banked_cents=st.just(0),
    ),
    max_size=4,
)


@for_all(PLEDGES, ROUNDS)
def test_rounds_that_are_all_covered_can_all_be_paid(
    promised: list[PledgeRow], rounds: list[MatchedRound]
) -> None:
    covers = [cover(one.round_id, "mairie", one.cap_cents, promised, rounds) for one in rounds]
    if any(one.missing_cents for one in covers):
        return
    common = sum(one.cents for one in promised if one.round_id is None)
    for one in rounds:
        own = sum(pledge.cents for pledge in promised if pledge.round_id == one.round_id)
        common -= max(0, one.cap_cents - own)
    assert common >= 0


class TestRemittances:
    DECLARED = RemittanceDeclared(**WHO, **HANDED_OVER)
    APPROVED = RemittanceApproved(**WHO, **HANDED_OVER)

    def test_it_waits_for_a_second_person_then_for_the_bank(
        self, conninfo: str, connection: Any
    ) -> None:
        happen(conninfo, self.DECLARED)
        assert remittances.waiting(connection) == 1
        assert remittances.undeposited(connection) == []
        happen(conninfo, self.APPROVED)
        assert remittances.waiting(connection) == 0
        (row,) = remittances.undeposited(connection)
        assert (row.state, row.undeposited_cents) == ("approved", 500)
        happen(conninfo, matched("remittance", row.remittance_id, 200))
        (row,) = remittances.undeposited(connection)
        assert row.undeposited_cents == 300
        happen(conninfo, matched("remittance", row.remittance_id, 300))
        assert remittances.undeposited(connection) == []

    def test_one_that_was_discarded_waits_for_nothing(self, conninfo: str, connection: Any) -> None:
        ids: dict[str, Any] = {name: HANDED_OVER[name] for name in ("remittance_id", "partner_id")}
        happen(conninfo, self.DECLARED, RemittanceDiscarded(**WHO, **ids))
        assert remittances.waiting(connection) == 0
        assert [one.state for one in remittances.listed(connection, SHOP)] == ["discarded"]
        assert remittances.listed(connection, AUTUMN) == []

    def test_one_that_came_back_is_not_waited_for(self, conninfo: str, connection: Any) -> None:
        told = {**HANDED_OVER, "returned_on": DAY}
        for name in ("means", "received_on"):
            del told[name]
        happen(conninfo, self.DECLARED, self.APPROVED, RemittanceReturned(**WHO, **told))
        assert remittances.undeposited(connection) == []
        row = remittances.one(connection, HANDED_OVER["remittance_id"])
        assert row is not None
        assert (row.state, row.returned_on) == ("returned", DAY)


def test_a_rebuild_gives_the_same_rows(conninfo: str) -> None:
    events: list[Event] = [made(), called(700, "RF1"), matched("pledge", PLEDGE, 300)]
    events += [drafted(SPRING, 800), opened(SPRING), tallied(SPRING, 600), adopted(SPRING)]
    events += [used(SPRING, 600), TestRemittances.DECLARED, TestRemittances.APPROVED]
    events += [matched("remittance", HANDED_OVER["remittance_id"], 500)]
    happen(conninfo, *events)
    live = rows(conninfo, MODELS)
    assert all(live.values())
    rebuild(conninfo, MODELS)
    assert rows(conninfo, MODELS) == live
