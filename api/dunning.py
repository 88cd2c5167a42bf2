"""Debts that grow old: noted for the partner's standing, reminded of, written off by two people."""

import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from api import figures, statement_letters
from api.deps import Context
from api.foundation import foundation_of
from api.settling import CLOCK
from api.statement_lines import settlement_of
from api.turns import REMINDERS, one_at_a_time
from ledger.calendar import civil_day
from ledger.decider import Refused
from ledger.partners.overdue import ClearOverdue, NoteOverdue, OverdueCommand, overdue
from ledger.settlements.commands import (
    RemindedToday,
    Reminder,
    RemindOfStatements,
    StatementNotFound,
)
from ledger.settlements.decider import settlement
from projections import statements
from projections.statements import Statement

LOG = logging.getLogger("donpositif.dunning")


class NobodyToWriteTo(Refused):
    """Nobody who speaks for this partner has an e-mail address."""


def note_overdue(context: Context, at: datetime | None = None) -> int:
    """Tell the standing of partners which statements are overdue, and which are no more."""
    at = at or datetime.now(UTC)
    with context.pool.connection() as connection:
        found = statements.overdue_to_note(connection, civil_day(at))
    commands = [(one.statement_id, noted(one, at)) for one in found]
    return sum(
        1
        for handled in context.ledger.handle_all(overdue, commands)
        if not isinstance(handled, Refused) and handled.fresh
    )


def noted(one: Statement, at: datetime) -> OverdueCommand:
    """Tell the other of what the standing knows; a day to come settles nothing yet."""
    today, whose = civil_day(at), one.partner_id
    if not one.overdue_noted:
        # What stood for it until then was good: a credit too, which nobody owed in money.
        lacking_on = min(one.lacking_since or one.due_on, today)
        return NoteOverdue(
            at=at,
            actor=CLOCK,
            partner_id=whose,
            statement_id=one.statement_id,
            due_on=max(one.due_on, lacking_on),
            noted_on=today,
        )
    return ClearOverdue(
        at=at,
        actor=CLOCK,
        partner_id=whose,
        statement_id=one.statement_id,
        cleared_on=today if one.settled_on is None else min(one.settled_on, today),
    )


def remind_due(context: Context, at: datetime | None = None) -> int:
    """Send the letters that the foundation's terms say are due: at most one a day to a shop.

    Give how many that were.
    """
    own, at = foundation_of(context), at or datetime.now(UTC)
    today = civil_day(at)
    after = own.terms_on(today).reminder_after_days
    with context.pool.connection() as connection:
        found = statements.outstanding(connection)
    due: dict[UUID, list[Statement]] = {}
    for one in found:
        if is_due(one, today, after):
            due.setdefault(one.partner_id, []).append(one)
    sent = 0
    for some in due.values():
        if statement_letters.recipients(context, some[0]):
            try:
                sent += remind(context, CLOCK, some, at)
            except Refused as refusal:
                LOG.warning("partner %s is not reminded: %s", some[0].partner_id, refusal)
    return sent


def is_due(one: Statement, today: date, after: Sequence[int]) -> bool:
    """Tell whether the next reminder of a statement is due by the ages of the terms."""
    level = one.reminders
    late = one.is_overdue(today) and level < len(after)
    return late and today >= one.due_on + timedelta(days=after[level])


def remind_now(context: Context, actor: str, statement_id: UUID) -> None:
    """Send a letter by hand, which is the next reminder of a statement.

    Raises NobodyToWriteTo, StatementNotDue, NothingOwed, RemindedToday.
    """
    found = fresh(context, statement_id)
    if not statement_letters.recipients(context, found):
        raise NobodyToWriteTo(partner_id=found.partner_id)
    at = datetime.now(UTC)
    if not remind(context, actor, [found], at):
        raise RemindedToday(reminded_on=civil_day(at))


def remind(context: Context, actor: str, some: Sequence[Statement], at: datetime) -> int:
    """Record the next reminder of some statements of a shop, and send the one letter of it.

    The letter lists all that is overdue. Give 1, or 0 where another process sent today's.
    """
    # A letter that is refused is forgotten: nobody else may have noted and recorded it meanwhile.
    with one_at_a_time(context.pool, REMINDERS):
        partner_id, state = some[0].partner_id, settlement_of(context, some[0].partner_id)
        levels = {name: one.reminders for name, one in state.statements.items()}
        known = [one for one in some if levels.get(one.statement_id) == one.reminders]
        if not known or state.reminded_on == civil_day(at):
            return 0
        command = RemindOfStatements(
            at=at,
            actor=actor,
            partner_id=partner_id,
            reminded_on=civil_day(at),
            reminders=tuple(map(next_of, known)),
        )
        with statement_letters.sent(context, "reminder", oldest(context, known[0], at)):
            context.ledger.handle(settlement, partner_id, command)
    return 1


def next_of(one: Statement) -> Reminder:
    return Reminder(
        statement_id=one.statement_id,
        level=one.reminders + 1,
        outstanding_cents=one.outstanding_cents,
    )


def oldest(context: Context, one: Statement, at: datetime) -> UUID:
    """Give the statement that a shop's letter is noted under, so that one of them waits at most."""
    with context.pool.connection() as connection:
        late = statements.overdue_of(connection, one.partner_id, civil_day(at))
    return late[0].statement_id if late else one.statement_id


def fresh(context: Context, statement_id: UUID) -> Statement:
    """Give a statement with all that is recorded. Raises StatementNotFound, FiguresBehind."""
    figures.reach(context, statements.statements.name)
    with context.pool.connection() as connection:
        found = statements.one(connection, statement_id)
    if found is None:
        raise StatementNotFound(statement_id=statement_id)
    return found
