"""The settlement with one partner: statements closed, reminded of, set off, written off by two."""

from uuid import UUID

from ledger.calendar import civil_day
from ledger.decider import Decider
from ledger.settlements.commands import (
    CloseStatement,
    NothingOwed,
    PeriodNotOver,
    RemindedToday,
    Reminder,
    ReminderOutOfOrder,
    RemindOfStatements,
    SetOffCredit,
    SettlementCommand,
    StatementEmpty,
    StatementNotDue,
    StatementNotFound,
    StatementOutOfOrder,
    StatementReachesBack,
    is_overdue,
    owed,
    statement_id_of,
    statement_reference,
)
from ledger.settlements.events import SettlementEvent, StatementClosed, StatementReminded
from ledger.settlements.set_offs import set_off
from ledger.settlements.state import Frozen, Settlement, evolve
from ledger.settlements.write_offs import write_off


def decide(command: SettlementCommand, settlement: Settlement) -> list[SettlementEvent]:
    if isinstance(command, CloseStatement):
        return close(command, settlement)
    if isinstance(command, RemindOfStatements):
        return list(remind(command, settlement))
    if isinstance(command, SetOffCredit):
        return list(set_off(command, settlement))
    return list(write_off(command, known(settlement, command.statement_id)))


def known(settlement: Settlement, statement_id: UUID) -> Frozen:
    """Give a statement of the partner. Raises StatementNotFound."""
    found = settlement.statements.get(statement_id)
    if found is None:
        raise StatementNotFound(statement_id=statement_id)
    return found


def close(command: CloseStatement, settlement: Settlement) -> list[SettlementEvent]:
    closed = closed_by(command)
    before = settlement.statements.get(closed.statement_id)
    if before is not None:
        if content(before.closed) != content(closed):
            raise StatementOutOfOrder(number=command.number, next_number=settlement.next_number)
        return []
    if command.number != settlement.next_number:
        raise StatementOutOfOrder(number=command.number, next_number=settlement.next_number)
    check_period(command, settlement.last)
    if not command.lines:
        raise StatementEmpty(partner_id=command.partner_id)
    # What gifts do not outweigh waits, unless an officer wants it said.
    if closed.owed_cents <= 0 and command.closed_by == "schedule":
        raise NothingOwed(owed_cents=closed.owed_cents)
    return [closed]


def closed_by(command: CloseStatement) -> StatementClosed:
    return StatementClosed(
        recorded_at=command.at,
        actor=command.actor,
        partner_id=command.partner_id,
        statement_id=statement_id_of(command.partner_id, command.number),
        number=command.number,
        first_on=command.first_on,
        last_on=command.last_on,
        through_position=command.through_position,
        lines=command.lines,
        lines_sha256=command.lines_sha256,
        parts=command.parts,
        days=command.days,
        owed_cents=owed(command.parts),
        reference=statement_reference(command.siret, command.number),
        due_on=command.due_on,
        closed_by=command.closed_by,
    )


def content(closed: StatementClosed) -> dict[str, object]:
    return closed.model_dump(exclude={"recorded_at", "actor"})


def check_period(command: CloseStatement, last: StatementClosed | None) -> None:
    """Refuse a statement that ends before it begins, is not over, or reaches back.

    Its lines are those that no earlier statement reached, so neither bound ever decreases.
    """
    if not command.first_on <= command.last_on <= civil_day(command.at):
        raise PeriodNotOver(first_on=command.first_on, last_on=command.last_on)
    if last is not None and (
        command.last_on < last.last_on or command.through_position < last.through_position
    ):
        raise StatementReachesBack(last_on=last.last_on, through_position=last.through_position)


def remind(command: RemindOfStatements, settlement: Settlement) -> list[StatementReminded]:
    """Remind of what was not reminded of before; nobody gets two letters on a day."""
    fresh = [
        one
        for one in command.reminders
        if one.level != known(settlement, one.statement_id).reminders
    ]
    if fresh and settlement.reminded_on == command.reminded_on:
        raise RemindedToday(reminded_on=command.reminded_on)
    return [reminded(command, one, known(settlement, one.statement_id)) for one in fresh]


def reminded(command: RemindOfStatements, one: Reminder, found: Frozen) -> StatementReminded:
    if one.level != found.reminders + 1:
        raise ReminderOutOfOrder(level=one.level, reminders=found.reminders)
    if not is_overdue(found.due_on, command.reminded_on):
        raise StatementNotDue(due_on=found.due_on)
    if one.outstanding_cents <= 0:
        raise NothingOwed(owed_cents=one.outstanding_cents)
    return StatementReminded(
        recorded_at=command.at,
        actor=command.actor,
        partner_id=command.partner_id,
        statement_id=one.statement_id,
        level=one.level,
        reminded_on=command.reminded_on,
    )


settlement: Decider[SettlementCommand, Settlement, SettlementEvent] = Decider(
    category="settlement", initial=Settlement(), decide=decide, evolve=evolve
)
