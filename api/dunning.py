"""Debts that grow old: noted for the partner's standing, reminded of, written off by two people."""

import logging
from datetime import UTC, datetime, timedelta
from uuid import UUID

from api import figures, statement_letters
from api.deps import Context
from api.foundation import foundation_of
from api.settling import CLOCK
from api.statement_lines import settlement_of
from ledger.calendar import civil_day
from ledger.decider import Refused
from ledger.partners.overdue import ClearOverdue, NoteOverdue, OverdueCommand, overdue
from ledger.settlements.commands import RemindStatement, StatementNotFound
from ledger.settlements.decider import settlement
from ledger.settlements.state import Frozen
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
        return NoteOverdue(
            at=at,
            actor=CLOCK,
            partner_id=whose,
            statement_id=one.statement_id,
            due_on=one.due_on,
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
    """Send the reminders that the foundation's terms say are due: at most one a day a statement."""
    own, at = foundation_of(context), at or datetime.now(UTC)
    today = civil_day(at)
    after = own.terms_on(today).reminder_after_days
    with context.pool.connection() as connection:
        found = [one for one in statements.outstanding(connection) if one.is_overdue(today)]
    sent = 0
    for one in found:
        level = one.reminders + 1
        due = level <= len(after) and today >= one.due_on + timedelta(days=after[level - 1])
        if due and one.reminded_on != today and statement_letters.recipients(context, one):
            try:
                sent += remind(context, CLOCK, one, at)
            except Refused as refusal:
                LOG.warning("statement %s is not reminded of: %s", one.statement_id, refusal)
    return sent


def remind_now(context: Context, actor: str, statement_id: UUID) -> None:
    """Send the next reminder by hand. Raises NobodyToWriteTo, StatementNotDue, NothingOwed."""
    found = fresh(context, statement_id)
    if not statement_letters.recipients(context, found):
        raise NobodyToWriteTo(partner_id=found.partner_id)
    remind(context, actor, found, datetime.now(UTC))


def remind(context: Context, actor: str, one: Statement, at: datetime) -> int:
    """Record the next reminder and send its letter; give 1, or 0 when another process did."""
    if frozen_of(context, one).reminders != one.reminders:
        return 0
    command = RemindStatement(
        at=at,
        actor=actor,
        partner_id=one.partner_id,
        statement_id=one.statement_id,
        level=one.reminders + 1,
        reminded_on=civil_day(at),
        outstanding_cents=one.outstanding_cents,
    )
    with statement_letters.sent(context, "reminder", one.statement_id):
        context.ledger.handle(settlement, one.partner_id, command)
    return 1


def fresh(context: Context, statement_id: UUID) -> Statement:
    """Give a statement with all that is recorded. Raises StatementNotFound, FiguresBehind."""
    figures.reach(context, statements.statements.name)
    with context.pool.connection() as connection:
        found = statements.one(connection, statement_id)
    if found is None:
        raise StatementNotFound(statement_id=statement_id)
    return found


def frozen_of(context: Context, one: Statement) -> Frozen:
    """Give a statement as its own stream has it. Raises StatementNotFound."""
    known = settlement_of(context, one.partner_id).statements.get(one.statement_id)
    if known is None:
        raise StatementNotFound(statement_id=one.statement_id)
    return known
