from datetime import date
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError
from stdnum import iso11649

from ledger.decider import Refused
from ledger.settlements.commands import (
    NothingOwed,
    PeriodNotOver,
    RemindedToday,
    Reminder,
    ReminderOutOfOrder,
    RemindOfStatements,
    SettlementCommand,
    StatementEmpty,
    StatementNotDue,
    StatementNotFound,
    StatementOutOfOrder,
    StatementReachesBack,
    statement_id_of,
    statement_reference,
)
from ledger.settlements.decider import settlement
from ledger.settlements.events import SettlementEvent, StatementClosed, StatementReminded
from tests.ledger.settlements.papers import (
    CLOSED,
    FIRST,
    NOON,
    PART,
    SHOP,
    SIRET,
    approve,
    close,
    closed,
    discard,
    propose,
    remind,
    set_off,
)
from tests.spec import given

GIVEN_BACK = PART.model_copy(update={"given_cents": 50, "reversed_cents": 90})


def reminded(level: int, on: date) -> StatementReminded:
    return StatementReminded(
        recorded_at=NOON,
        actor="clock",
        partner_id=SHOP,
        statement_id=FIRST,
        level=level,
        reminded_on=on,
    )


class TestNothingClosed:
    def test_the_first_statement_is_closed(self) -> None:
        expected = StatementClosed(
            recorded_at=NOON,
            actor="clock",
            partner_id=SHOP,
            statement_id=statement_id_of(SHOP, 1),
            number=1,
            first_on=date(2026, 10, 1),
            last_on=date(2026, 10, 31),
            through_position=100,
            lines=4,
            lines_sha256="d" * 64,
            parts=(PART,),
            days=CLOSED.days,
            owed_cents=1_200,
            reference=statement_reference(SIRET, 1),
            due_on=date(2026, 12, 3),
            closed_by="schedule",
        )
        given(settlement).when(close()).then(expected)

    def test_it_is_number_one(self) -> None:
        given(settlement).when(close(number=2)).then_refused(StatementOutOfOrder, next_number=1)

    def test_a_statement_has_a_line(self) -> None:
        given(settlement).when(close(lines=0, parts=(), days=())).then_refused(StatementEmpty)

    @pytest.mark.parametrize(
        "changes",
        [{"first_on": date(2026, 11, 1)}, {"last_on": date(2026, 11, 4)}],
        ids=["ends before it begins", "is not over"],
    )
    def test_its_days_are_over(self, changes: dict[str, Any]) -> None:
        given(settlement).when(close(**changes)).then_refused(PeriodNotOver)

    def test_the_clock_leaves_open_what_gifts_do_not_outweigh(self) -> None:
        given(settlement).when(close(parts=(GIVEN_BACK,))).then_refused(NothingOwed, owed_cents=-40)

    def test_an_officer_may_state_what_is_in_the_shops_favour(self) -> None:
        command = close(parts=(GIVEN_BACK,), closed_by="officer")
        (closed,) = settlement.decide(command, settlement.initial)
        assert isinstance(closed, StatementClosed)
        assert closed.owed_cents == -40

    @pytest.mark.parametrize(
        "command", [remind(), propose(), approve(), discard(), set_off({1: 5})]
    )
    def test_nothing_else_can_be_done(self, command: SettlementCommand) -> None:
        given(settlement).when(command).then_refused(StatementNotFound)


class TestClosed:
    def test_the_same_again_is_a_repeat(self) -> None:
        given(settlement, CLOSED).when(close()).then()

    def test_other_lines_under_its_number_are_refused(self) -> None:
        given(settlement, CLOSED).when(close(lines_sha256="e" * 64)).then_refused(
            StatementOutOfOrder, next_number=2
        )

    @pytest.mark.parametrize("changes", [{"last_on": date(2026, 10, 30)}, {"through_position": 99}])
    def test_the_next_never_reaches_back(self, changes: dict[str, Any]) -> None:
        given(settlement, CLOSED).when(close(number=2, **changes)).then_refused(
            StatementReachesBack, through_position=100
        )

    def test_the_next_has_the_next_number_and_reference(self) -> None:
        command = close(number=2, through_position=120)
        (closed,) = settlement.decide(command, settlement.fold([CLOSED]))
        assert isinstance(closed, StatementClosed)
        assert (closed.number, closed.reference) == (2, statement_reference(SIRET, 2))
        assert closed.statement_id != CLOSED.statement_id

    def test_it_is_reminded_of_the_day_after_it_was_due(self) -> None:
        late = date(2026, 12, 4)
        given(settlement, CLOSED).when(remind(reminded_on=late)).then(reminded(1, late))

    def test_it_is_not_reminded_of_on_the_day_it_is_due(self) -> None:
        command = remind(reminded_on=date(2026, 12, 3))
        given(settlement, CLOSED).when(command).then_refused(StatementNotDue)

    def test_what_is_paid_is_not_reminded_of(self) -> None:
        given(settlement, CLOSED).when(remind(outstanding_cents=0)).then_refused(NothingOwed)

    def test_reminders_go_out_one_after_another(self) -> None:
        given(settlement, CLOSED).when(remind(level=2)).then_refused(ReminderOutOfOrder)
        first = reminded(1, date(2026, 12, 10))
        later = date(2026, 12, 24)
        given(settlement, CLOSED, first).when(remind(level=2, reminded_on=later)).then(
            reminded(2, later)
        )

    def test_nobody_gets_two_letters_on_a_day(self) -> None:
        day = date(2026, 12, 10)
        given(settlement, CLOSED, reminded(1, day)).when(remind(level=2)).then_refused(
            RemindedToday, reminded_on=day
        )
        given(settlement, CLOSED, reminded(1, day)).when(remind()).then()

    def test_one_letter_reminds_of_several(self) -> None:
        second = closed(number=2, through_position=120)
        day = date(2026, 12, 10)
        both = tuple(
            Reminder(statement_id=one.statement_id, level=1, outstanding_cents=5)
            for one in (CLOSED, second)
        )
        expected = reminded(1, day)
        given(settlement, CLOSED, second).when(remind(reminders=both)).then(
            expected, expected.model_copy(update={"statement_id": second.statement_id})
        )
        # Another process that knows of one alone sends no letter of its own.
        given(settlement, CLOSED, second, expected).when(remind(reminders=both)).then_refused(
            RemindedToday
        )


@pytest.mark.parametrize("changes", [{"siret": "73282932000075"}, {"lines_sha256": "no"}])
def test_what_is_malformed_is_no_command(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        close(**changes)


@pytest.mark.parametrize("number", [1, 42, 9_999, 10_000, 9_999_998])
def test_references_are_valid_and_each_its_own(number: int) -> None:
    reference = statement_reference(SIRET, number)
    assert iso11649.is_valid(reference)
    assert reference != statement_reference(SIRET, number + 1)


REMINDERS: list[RemindOfStatements] = [
    remind(level=level, reminded_on=date(2026, 12, 10 * level)) for level in (1, 2, 3)
]


@for_all(
    st.lists(
        st.sampled_from(
            [
                close(),
                close(number=2, through_position=120),
                close(number=2, through_position=130, lines_sha256="e" * 64),
                *REMINDERS,
                propose(),
                approve(),
                discard(),
                approve(outstanding_cents=100),
            ]
        ),
        max_size=14,
    )
)
def test_a_command_carried_out_can_be_repeated(commands: list[SettlementCommand]) -> None:
    history: list[SettlementEvent] = []
    for command in commands:
        try:
            history += settlement.decide(command, settlement.fold(history))
        except Refused:
            continue
        assert not settlement.decide(command, settlement.fold(history))
    state = settlement.fold(history)
    assert [one.closed.number for one in state.statements.values()] == list(
        range(1, state.next_number)
    )
    for one in state.statements.values():
        assert sum(part.cents for part in one.approved) <= one.closed.owed_cents
