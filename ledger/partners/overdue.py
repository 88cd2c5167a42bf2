"""A statement that a partner did not remit in time, as its standing has to know it.

Settlements are a slice of their own: what they find is noted here once a statement is overdue, and
once it is no more.
"""

from dataclasses import dataclass
from datetime import date
from typing import assert_never
from uuid import UUID

from ledger.calendar import Day
from ledger.decider import Command, Decider, Event

# Events. These names and fields are what is stored: add a new version, never edit.


class StatementFellOverdue(Event):
    partner_id: UUID
    statement_id: UUID
    due_on: date


class OverdueCleared(Event):
    """`cleared_on` is the day on which nothing was owed any more."""

    partner_id: UUID
    statement_id: UUID
    cleared_on: date


OverdueEvent = StatementFellOverdue | OverdueCleared

# Commands.


class NoteOverdue(Command):
    """`due_on` is the statement's own day, `noted_on` the day on which it was found unpaid."""

    partner_id: UUID
    statement_id: UUID
    due_on: Day
    noted_on: Day


class ClearOverdue(Command):
    partner_id: UUID
    statement_id: UUID
    cleared_on: Day


OverdueCommand = NoteOverdue | ClearOverdue

# State: only what the rules below need.


@dataclass(frozen=True, slots=True)
class Remitted:
    """Nothing is overdue; `before` says that it once was."""

    before: bool = False


@dataclass(frozen=True, slots=True)
class Unremitted:
    pass


Remittance = Remitted | Unremitted


def evolve(_: Remittance, event: OverdueEvent) -> Remittance:
    match event:
        case StatementFellOverdue():
            return Unremitted()
        case OverdueCleared():
            return Remitted(before=True)
        case _:
            assert_never(event)


def decide(command: OverdueCommand, remittance: Remittance) -> list[OverdueEvent]:
    match command:
        case NoteOverdue():
            return note(command, remittance)
        case ClearOverdue():
            return clear(command, remittance)
        case _:
            assert_never(command)


def note(command: NoteOverdue, remittance: Remittance) -> list[OverdueEvent]:
    if isinstance(remittance, Unremitted):
        return []
    # A transfer that the bank took back was honoured until then: its days stay good ones.
    due_on = command.noted_on if remittance.before else command.due_on
    return [
        StatementFellOverdue(
            recorded_at=command.at,
            actor=command.actor,
            partner_id=command.partner_id,
            statement_id=command.statement_id,
            due_on=due_on,
        )
    ]


def clear(command: ClearOverdue, remittance: Remittance) -> list[OverdueEvent]:
    if isinstance(remittance, Remitted):
        return []
    return [
        OverdueCleared(
            recorded_at=command.at,
            actor=command.actor,
            partner_id=command.partner_id,
            statement_id=command.statement_id,
            cleared_on=command.cleared_on,
        )
    ]


overdue: Decider[OverdueCommand, Remittance, OverdueEvent] = Decider(
    category="overdue", initial=Remitted(), decide=decide, evolve=evolve
)
