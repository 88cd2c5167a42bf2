from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from ledger.partners.facts import Overdue, StandingEvent, facts_of
from ledger.partners.overdue import (
    ClearOverdue,
    NoteOverdue,
    OverdueCleared,
    OverdueEvent,
    StatementFellOverdue,
    overdue,
)
from tests.spec import given

NOON = datetime(2026, 12, 4, 12, tzinfo=UTC)
WHOSE: dict[str, Any] = {"actor": "clock", "partner_id": UUID(int=3), "statement_id": UUID(int=4)}
DUE, NOTED, PAID, AGAIN = (date(2026, 12, day) for day in (3, 4, 20, 28))
NOTE = NoteOverdue(at=NOON, due_on=DUE, noted_on=NOTED, **WHOSE)
NOTE_AGAIN = NoteOverdue(at=NOON, due_on=DUE, noted_on=AGAIN, **WHOSE)
CLEAR = ClearOverdue(at=NOON, cleared_on=PAID, **WHOSE)
FELL = StatementFellOverdue(recorded_at=NOON, due_on=DUE, **WHOSE)
FELL_AGAIN = StatementFellOverdue(recorded_at=NOON, due_on=AGAIN, **WHOSE)
CLEARED = OverdueCleared(recorded_at=NOON, cleared_on=PAID, **WHOSE)


def test_a_statement_falls_overdue_once() -> None:
    given(overdue).when(NOTE).then(FELL)
    given(overdue, FELL).when(NOTE_AGAIN).then()


def test_it_is_cleared_once() -> None:
    given(overdue, FELL).when(CLEAR).then(CLEARED)
    given(overdue).when(CLEAR).then()


def test_what_the_bank_took_back_is_overdue_from_that_day() -> None:
    given(overdue, FELL, CLEARED).when(NOTE_AGAIN).then(FELL_AGAIN)


def test_a_standing_knows_both_times() -> None:
    events: list[OverdueEvent] = [FELL, CLEARED, FELL_AGAIN]
    told: list[tuple[int, StandingEvent]] = list(enumerate(events, 1))
    assert facts_of(told).overdue == (
        Overdue(UUID(int=4), DUE, PAID),
        Overdue(UUID(int=4), AGAIN, None),
    )
