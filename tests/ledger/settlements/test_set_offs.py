"""Credit set off: the oldest debt first, once, and taken back with the money that it came from."""

from datetime import date
from typing import Any
from uuid import UUID

from hypothesis import given as for_all
from hypothesis import strategies as st

from ledger.settlements.commands import SetOffCredit, statement_id_of
from ledger.settlements.decider import settlement
from ledger.settlements.events import (
    CreditSetOff,
    SetOffTakenBack,
    SettlementEvent,
    StatementClosed,
)
from tests.ledger.settlements.papers import (
    APPROVED,
    NOON,
    PART,
    PROPOSED,
    SHOP,
    carried_out,
    closed,
    set_off,
)
from tests.spec import given

ON = date(2026, 12, 1)


def owing(number: int, cents: int, due_on: date | None = None) -> StatementClosed:
    """Give a statement that asks for so many cents; below zero it is in the shop's favour."""
    told = {"given_cents": max(cents, 0), "reversed_cents": max(-cents, 0)}
    return closed(
        number=number,
        through_position=100 + number,
        parts=(PART.model_copy(update=told),),
        due_on=due_on or date(2026, 12, number),
        closed_by="officer",
    )


def named(giver: int, taker: int, cents: int) -> dict[str, Any]:
    return {
        "recorded_at": NOON,
        "actor": "settlement",
        "partner_id": SHOP,
        "from_statement_id": statement_id_of(SHOP, giver),
        "statement_id": statement_id_of(SHOP, taker),
        "cents": cents,
    }


def moved(giver: int, taker: int, cents: int, on: date = ON) -> CreditSetOff:
    return CreditSetOff(set_off_on=on, **named(giver, taker, cents))


def back(giver: int, taker: int, cents: int, on: date = ON) -> SetOffTakenBack:
    return SetOffTakenBack(taken_back_on=on, **named(giver, taker, cents))


FIRST, SECOND, THIRD = owing(1, 1_000), owing(2, 800), owing(3, 700)


class TestCredit:
    """A first statement of 10 euros, overpaid by 5."""

    def test_it_pays_what_was_closed_since(self) -> None:
        given(settlement, FIRST, SECOND).when(set_off({1: 1_500, 2: 0})).then(moved(1, 2, 500))

    def test_it_pays_no_more_than_is_owed(self) -> None:
        given(settlement, FIRST, SECOND).when(set_off({1: 1_500, 2: 600})).then(moved(1, 2, 200))

    def test_it_pays_what_is_due_first(self) -> None:
        early = owing(3, 300, date(2026, 11, 30))
        given(settlement, FIRST, SECOND, early).when(set_off({1: 1_500, 2: 0, 3: 0})).then(
            moved(1, 3, 300), moved(1, 2, 200)
        )

    def test_what_gifts_given_back_make_pays_too(self) -> None:
        given(settlement, owing(1, -40), SECOND).when(set_off({1: 0, 2: 0})).then(moved(1, 2, 40))

    def test_what_was_written_off_is_not_paid(self) -> None:
        given(settlement, FIRST, PROPOSED, APPROVED, owing(2, 800)).when(
            set_off({1: 0, 2: 1_800})
        ).then(moved(2, 1, 800))

    def test_it_is_of_the_day_since_which_there_were_both(self) -> None:
        command = set_off({1: 1_500, 2: 0})
        later = command.got[1].model_copy(update={"as_of": date(2026, 12, 9)})
        given(settlement, FIRST, SECOND).when(
            command.model_copy(update={"got": (command.got[0], later)})
        ).then(moved(1, 2, 500, date(2026, 12, 9)))

    def test_without_a_debt_it_waits(self) -> None:
        given(settlement, FIRST).when(set_off({1: 1_500})).then()

    def test_what_was_closed_after_the_money_was_looked_at_waits(self) -> None:
        given(settlement, FIRST, SECOND).when(set_off({1: 1_500})).then()


class TestSetOff:
    """Five euros of the first statement's credit pay a part of the second."""

    GIVEN = (FIRST, SECOND, moved(1, 2, 500))

    def test_once_is_enough(self) -> None:
        given(settlement, *self.GIVEN).when(set_off({1: 1_500, 2: 0})).then()

    def test_it_goes_back_with_the_money_that_made_it(self) -> None:
        given(settlement, *self.GIVEN).when(set_off({1: 1_000, 2: 0})).then(back(1, 2, 500))

    def test_so_many_cents_go_back_as_were_taken(self) -> None:
        given(settlement, *self.GIVEN).when(set_off({1: 1_300, 2: 0})).then(back(1, 2, 200))

    def test_a_statement_that_is_owed_again_gives_nothing(self) -> None:
        given(settlement, *self.GIVEN).when(set_off({1: 500, 2: 0})).then(back(1, 2, 500))

    def test_what_is_paid_otherwise_gives_it_back(self) -> None:
        given(settlement, *self.GIVEN).when(set_off({1: 1_500, 2: 800})).then(back(1, 2, 500))

    def test_and_then_it_pays_the_next(self) -> None:
        given(settlement, *self.GIVEN, THIRD).when(set_off({1: 1_500, 2: 800, 3: 0})).then(
            back(1, 2, 500), moved(1, 3, 500)
        )

    def test_a_payment_once_made_is_not_moved_to_an_older_debt(self) -> None:
        early = owing(3, 300, date(2026, 11, 30))
        given(settlement, *self.GIVEN, early).when(set_off({1: 1_500, 2: 0, 3: 0})).then()

    def test_of_several_the_one_due_last_gives_it_back(self) -> None:
        both = (FIRST, SECOND, THIRD, moved(1, 2, 800), moved(1, 3, 100))
        given(settlement, *both).when(set_off({1: 1_700, 2: 0, 3: 0})).then(
            back(1, 3, 100), back(1, 2, 100)
        )


cents = st.integers(-2_000, 2_000)


@for_all(
    st.lists(cents, min_size=1, max_size=5),
    st.lists(st.dictionaries(st.integers(1, 5), st.integers(-500, 3_000)), max_size=6),
)
def test_whatever_comes_and_goes_nothing_gives_what_it_has_not(
    asked: list[int], changes: list[dict[int, int]]
) -> None:
    history: list[SettlementEvent] = [owing(number, one) for number, one in enumerate(asked, 1)]
    banked = dict.fromkeys(range(1, len(asked) + 1), 0)
    for change in changes:
        banked |= {number: cents for number, cents in change.items() if number in banked}
        command = set_off(banked)
        history = carried_out(history, command)
        assert settlement.decide(command, settlement.fold(history)) == []
        exact(asked, banked, history)


def exact(asked: list[int], banked: dict[int, int], history: list[SettlementEvent]) -> None:
    """Look at it a second way: what each got and gave, and that no credit waits beside a debt."""
    net: dict[UUID, int] = {}
    for event in history:
        if isinstance(event, CreditSetOff | SetOffTakenBack):
            cents = event.cents if isinstance(event, CreditSetOff) else -event.cents
            net[event.statement_id] = net.get(event.statement_id, 0) + cents
            net[event.from_statement_id] = net.get(event.from_statement_id, 0) - cents
    assert sum(net.values()) == 0
    lefts = []
    for number, one in enumerate(asked, 1):
        needs, moved_cents = one - banked[number], net.get(statement_id_of(SHOP, number), 0)
        assert min(0, needs) <= moved_cents <= max(0, needs)
        lefts.append(needs - moved_cents)
    assert not (min(lefts) < 0 < max(lefts))


def test_two_workers_with_the_same_figures_set_off_once() -> None:
    command: SetOffCredit = set_off({1: 1_500, 2: 0})
    once = carried_out([FIRST, SECOND], command)
    assert carried_out(once, command) == once
