from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError

from ledger.allocations import Allocation
from ledger.bank.events import (
    BankTransactionBooked,
    TransactionMatched,
    TransactionUnmatched,
)
from ledger.bank.transactions import (
    AllocationAgainstSide,
    AllocationExceeds,
    AllocationMissing,
    AllocationUnnamed,
    Booked,
    BookTransaction,
    MatchDiffers,
    MatchTransaction,
    MatchUnknown,
    Transaction,
    TransactionDiffers,
    TransactionEvent,
    TransactionNotBooked,
    UnmatchTransaction,
    transaction,
)
from ledger.decider import Refused
from tests.spec import given

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = date(2026, 11, 23)
WHO: dict[str, Any] = {"actor": "account:anne"}
ID: dict[str, Any] = {"transaction_id": UUID(int=1)}
SAID: dict[str, Any] = ID | {
    "account_id": UUID(int=2),
    "entry_id": UUID(int=3),
    "file_id": UUID(int=4),
    "booked_on": TODAY,
    "value_on": TODAY,
    "cents": 10_000,
    "kind": "transfer",
    "references": ("RF18539007547034",),
}
FIRST, SECOND = UUID(int=11), UUID(int=12)


def for_statement(cents: int, number: int = 21) -> Allocation:
    return Allocation(
        target="statement", target_id=UUID(int=number), partner_id=UUID(int=31), cents=cents
    )


def book(**changes: Any) -> BookTransaction:
    return BookTransaction(at=NOON, **WHO | SAID | changes)


def was_booked(**changes: Any) -> BankTransactionBooked:
    return BankTransactionBooked(recorded_at=NOON, **WHO | SAID | changes)


def match(*allocations: Allocation, **changes: Any) -> MatchTransaction:
    told: dict[str, Any] = {"match_id": FIRST, "allocations": allocations, "rule": "hand"}
    return MatchTransaction(at=NOON, **WHO | ID | told | changes)


def was_matched(*allocations: Allocation, **changes: Any) -> TransactionMatched:
    told: dict[str, Any] = {"match_id": FIRST, "allocations": allocations, "rule": "hand"}
    return TransactionMatched(recorded_at=NOON, booked_on=TODAY, **WHO | ID | told | changes)


def undo(**changes: Any) -> UnmatchTransaction:
    told: dict[str, Any] = {"match_id": FIRST, "reason": "mistake", "unmatched_on": TODAY}
    return UnmatchTransaction(at=NOON, **WHO | ID | told | changes)


def was_undone(*allocations: Allocation) -> TransactionUnmatched:
    told: dict[str, Any] = {"match_id": FIRST, "reason": "mistake", "unmatched_on": TODAY}
    return TransactionUnmatched(recorded_at=NOON, allocations=allocations, **WHO | ID | told)


class TestUnbooked:
    def test_it_is_booked(self) -> None:
        given(transaction).when(book()).then(was_booked())

    def test_nothing_else_can_happen_to_it(self) -> None:
        given(transaction).when(match(for_statement(1))).then_refused(TransactionNotBooked)
        given(transaction).when(undo()).then_refused(TransactionNotBooked)


class TestBooked:
    def test_another_file_that_tells_less_of_it_changes_nothing(self) -> None:
        again = book(file_id=UUID(int=5), references=(), value_on=None, kind="other")
        given(transaction, was_booked()).when(again).then()

    @pytest.mark.parametrize("changes", [{"cents": 9}, {"booked_on": date(2026, 11, 24)}])
    def test_it_cannot_be_another_movement(self, changes: dict[str, Any]) -> None:
        when = given(transaction, was_booked()).when(book(**changes))
        when.then_refused(TransactionDiffers)

    def test_it_is_matched_in_part_or_whole(self) -> None:
        for cents in (1, 9_999, 10_000):
            part = for_statement(cents)
            given(transaction, was_booked()).when(match(part)).then(was_matched(part))

    def test_it_may_be_for_several(self) -> None:
        parts = for_statement(4_000), for_statement(6_000, 22)
        given(transaction, was_booked()).when(match(*parts)).then(was_matched(*parts))

    def test_no_cent_more_than_there_is(self) -> None:
        when = given(transaction, was_booked()).when(match(for_statement(10_001)))
        when.then_refused(AllocationExceeds, left_cents=10_000, asked_cents=10_001)

    @pytest.mark.parametrize("cents", [0, -1])
    def test_money_that_came_is_for_something(self, cents: int) -> None:
        when = given(transaction, was_booked()).when(match(for_statement(cents)))
        when.then_refused(AllocationAgainstSide)

    def test_not_even_with_one_against_another(self) -> None:
        parts = for_statement(10_500), for_statement(-500, 22)
        given(transaction, was_booked()).when(match(*parts)).then_refused(AllocationAgainstSide)

    def test_a_match_is_for_something(self) -> None:
        given(transaction, was_booked()).when(match()).then_refused(AllocationMissing)

    @pytest.mark.parametrize(
        "allocation",
        [
            Allocation(target="statement", cents=1),
            Allocation(target="charge", target_id=UUID(int=9), cents=1),
        ],
    )
    def test_what_has_a_name_is_named_and_nothing_else(self, allocation: Allocation) -> None:
        given(transaction, was_booked()).when(match(allocation)).then_refused(AllocationUnnamed)

    def test_it_was_never_matched(self) -> None:
        given(transaction, was_booked()).when(undo()).then_refused(MatchUnknown)


class TestMoneyThatWentOut:
    OUT = was_booked(cents=-10_000)

    def test_it_is_for_less_than_nothing(self) -> None:
        part = for_statement(-10_000)
        given(transaction, self.OUT).when(match(part)).then(was_matched(part))

    def test_and_no_more_than_went(self) -> None:
        when = given(transaction, self.OUT).when(match(for_statement(-10_001)))
        when.then_refused(AllocationExceeds)
        when = given(transaction, self.OUT).when(match(for_statement(1)))
        when.then_refused(AllocationAgainstSide)


class TestMatched:
    PART = for_statement(6_000)
    HISTORY = (was_booked(), was_matched(PART))

    def test_what_is_left_is_matched_with_something_else(self) -> None:
        rest = for_statement(4_000, 22)
        when = given(transaction, *self.HISTORY).when(match(rest, match_id=SECOND))
        when.then(was_matched(rest, match_id=SECOND))

    def test_no_cent_of_it_twice(self) -> None:
        rest = for_statement(4_001, 22)
        when = given(transaction, *self.HISTORY).when(match(rest, match_id=SECOND))
        when.then_refused(AllocationExceeds, left_cents=4_000)

    def test_the_same_match_cannot_say_something_else(self) -> None:
        when = given(transaction, *self.HISTORY).when(match(for_statement(5_000)))
        when.then_refused(MatchDiffers)

    def test_it_is_undone_as_it_was_made(self) -> None:
        given(transaction, *self.HISTORY).when(undo()).then(was_undone(self.PART))


class TestUndone:
    HISTORY = (*TestMatched.HISTORY, was_undone(TestMatched.PART))

    def test_all_of_it_is_open_again(self) -> None:
        whole = for_statement(10_000, 22)
        when = given(transaction, *self.HISTORY).when(match(whole, match_id=SECOND))
        when.then(was_matched(whole, match_id=SECOND))

    def test_the_match_that_was_undone_does_not_come_back(self) -> None:
        when = given(transaction, *self.HISTORY).when(match(TestMatched.PART))
        when.then_refused(MatchDiffers)


def test_a_match_has_a_bounded_number_of_parts() -> None:
    with pytest.raises(ValidationError):
        match(*[for_statement(1)] * 201)


steps = st.lists(
    st.tuples(
        st.sampled_from(["match", "undo"]),
        st.integers(0, 5),
        st.lists(st.integers(-50, 120), max_size=3),
    ),
    max_size=30,
)


@for_all(st.sampled_from([100, -100]), steps)
def test_whatever_is_asked_no_cent_is_used_twice(
    cents: int, asked: list[tuple[str, int, list[int]]]
) -> None:
    state: Transaction = transaction.evolve(transaction.initial, was_booked(cents=cents))
    for kind, number, amounts in asked:
        match_id = UUID(int=100 + number)
        command = undo(match_id=match_id)
        events: list[TransactionEvent] = []
        try:
            if kind == "match":
                parts = [for_statement(amount) for amount in amounts]
                events = list(transaction.decide(match(*parts, match_id=match_id), state))
            else:
                events = list(transaction.decide(command, state))
        except Refused:
            pass
        for event in events:
            state = transaction.evolve(state, event)
        assert isinstance(state, Booked)
        held = [one.cents for kept in state.matches.values() for one in kept.allocations]
        assert sum(held) + state.left_cents == cents
        assert all(one * cents > 0 for one in held)
        assert 0 <= state.left_cents * (1 if cents > 0 else -1) <= abs(cents)
