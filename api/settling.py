"""Closing statements: by the clock on the foundation's terms, or by an officer, here and now."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from api import admin, figures, set_offs, statement_letters
from api.deps import Context
from api.foundation import foundation_of
from api.statement_lines import settlement_of
from ledger.calendar import civil_day, days_after
from ledger.decider import Refused
from ledger.foundation import FOUNDATION_ID, Foundation
from ledger.periods import ends_due
from ledger.settlements.commands import CloseStatement, StatementEmpty, statement_id_of
from ledger.settlements.decider import settlement
from ledger.settlements.events import ClosedBy, StatementClosed
from ledger.settlements.lines import Line, Reach, csv_of, days_of, digest_of, owed_of, parts_of
from ledger.settlements.state import Settlement
from projections import dues
from projections.read_model import as_of

LOG = logging.getLogger("donpositif.settling")
CLOCK: Final = "clock"
# A line needs the agreement of its day: both models must have read as far as the statement says.
READ: Final = ("dues", "standings")


class AccountNotNamed(Refused):
    """No statement asks for money before the foundation named the account to pay it to."""


class FoundationNotNamed(Refused):
    """A statement says to whom its money is owed: the foundation is described before."""


class FoundationSettlesItself(Refused):
    """Gifts by card come to the foundation: they are settled by payouts, not by a statement."""


@dataclass(frozen=True, slots=True)
class Closer:
    """Who closes the statements of a partner, when, and on whose terms."""

    at: datetime
    actor: str
    closed_by: ClosedBy
    own: Foundation
    partner_id: UUID


@dataclass(frozen=True, slots=True)
class Period:
    """The lines that a statement would have, gathered up to a position of the feed."""

    first_on: date
    reach: Reach
    lines: Sequence[Line]


def reached(state: Settlement) -> Reach | None:
    return None if state.last is None else Reach(state.last.through_position, state.last.last_on)


def check_named(own: Foundation) -> None:
    """Raise unless the foundation said who it is, and two people where it is paid."""
    if own.account is None:
        raise AccountNotNamed
    if own.name is None:
        raise FoundationNotNamed


def close_due(
    context: Context, at: datetime | None = None, progress: Callable[[int], object] = lambda _: None
) -> list[StatementClosed]:
    """Close what the foundation's terms say is due. Nothing is, before it named all it must."""
    own, at = foundation_of(context), at or datetime.now(UTC)
    try:
        check_named(own)
    except (AccountNotNamed, FoundationNotNamed):
        return []
    with context.pool.connection() as connection:
        through = as_of(connection, *READ).position
        waiting = dues.open_of(connection)
    closed: list[StatementClosed] = []
    for one in waiting:
        progress(1)
        first_on = one.first_on if one.last_on is None else days_after(one.last_on)
        ends = list(ends_due(own.terms_on, first_on, civil_day(at)))
        if ends:
            try:
                closer = Closer(at, CLOCK, "schedule", own, one.partner_id)
                closed += close_periods(context, closer, through, first_on, ends)
            except Refused as refusal:
                LOG.warning("no statement for partner %s: %s", one.partner_id, refusal)
    return closed


def close_periods(
    context: Context, closer: Closer, through: int, first_on: date, ends: Sequence[date]
) -> list[StatementClosed]:
    """Close one statement a period that is over; one that owes too little waits for the next."""
    state = settlement_of(context, closer.partner_id)
    with context.pool.connection() as connection:
        upto = Reach(through, ends[-1])
        lines = dues.lines_of(connection, closer.partner_id, reached(state), upto)
    closed: list[StatementClosed] = []
    for end in ends:
        due = [line for line in lines if line.day <= end]
        if owed_of(due) < max(1, closer.own.terms_on(end).owed_min_cents):
            continue
        period = Period(first_on, Reach(through, end), due)
        number = state.next_number + len(closed)
        closed.append(close(context, closer, number, period))
        lines = [line for line in lines if line.day > end]
        first_on = days_after(end)
    return closed


def close_now(
    context: Context, actor: str, partner_id: UUID, last_on: date | None = None
) -> StatementClosed:
    """Close a statement by hand, up to a day: today by default.

    Raises PartnerNotRegistered, AccountNotNamed, FoundationNotNamed, FiguresBehind, and what the
    ledger refuses.
    """
    admin.registered(context.ledger, partner_id)
    own = foundation_of(context)
    check_named(own)
    if partner_id == FOUNDATION_ID:
        raise FoundationSettlesItself
    through = figures.reach(context, *READ)
    at, state = datetime.now(UTC), settlement_of(context, partner_id)
    last_on = last_on or civil_day(at)
    with context.pool.connection() as connection:
        upto = Reach(through, last_on)
        lines = dues.lines_of(connection, partner_id, reached(state), upto)
    if not lines:
        raise StatementEmpty(partner_id=partner_id)
    earliest = min(line.day for line in lines)
    first_on = earliest if state.last is None else days_after(state.last.last_on)
    period = Period(min(first_on, last_on), upto, lines)
    closer = Closer(at, actor, "officer", own, partner_id)
    return close(context, closer, state.next_number, period)


def close(context: Context, closer: Closer, number: int, period: Period) -> StatementClosed:
    """Close a statement, set credit off against it, and send it as it then is.

    Its letter is noted first, so that none gets lost.
    """
    statement_id = statement_id_of(closer.partner_id, number)
    with statement_letters.sent(context, "statement", statement_id):
        closed = record(context, closer, number, period)
        set_offs.set_off_due(context, closer.partner_id)
        return closed


def record(context: Context, closer: Closer, number: int, period: Period) -> StatementClosed:
    """Close a statement of lines that were gathered, and tell nobody."""
    at, partner_id = closer.at, closer.partner_id
    due_after = closer.own.terms_on(period.reach.last_on).due_after_days
    command = CloseStatement(
        at=at,
        actor=closer.actor,
        partner_id=partner_id,
        siret=admin.registered(context.ledger, partner_id).siret,
        number=number,
        first_on=period.first_on,
        last_on=period.reach.last_on,
        through_position=period.reach.through_position,
        lines=len(period.lines),
        lines_sha256=digest_of(csv_of(period.lines)),
        parts=parts_of(period.lines),
        days=days_of(period.lines),
        due_on=days_after(civil_day(at), due_after),
        closed_by=closer.closed_by,
    )
    handled = context.ledger.handle(settlement, partner_id, command)
    closed = handled.history[-1].event
    assert isinstance(closed, StatementClosed)  # noqa: S101 - it was just decided.
    return closed
