"""Cheques and cash: declared by one person, counted by another, perhaps sent back by the bank."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection

from api.bank_bounds import keep_within, taking_back
from api.bank_matching import catch_up
from api.deps import Context
from api.office.desk import partner_people
from api.set_offs import moving_money
from ledger.allocations import Allocation
from ledger.remittances import (
    AllocationForeign,
    Approved,
    ApproveRemittance,
    DeclareRemittance,
    DiscardRemittance,
    Known,
    Means,
    RemittanceCommand,
    RemittanceNotFound,
    ReturnRemittance,
    Undeclared,
    remittance,
)
from projections import statements
from projections.statements import Statement


def known(actor: str, remittance_id: UUID) -> dict[str, Any]:
    return {"at": datetime.now(UTC), "actor": actor, "remittance_id": remittance_id}


def remittance_of(context: Context, remittance_id: UUID) -> Known:
    """Read a remittance from its stream. Raises RemittanceNotFound."""
    history = context.ledger.history(remittance, remittance_id)
    state = remittance.fold(recorded.event for recorded in history)
    if isinstance(state, Undeclared):
        raise RemittanceNotFound(remittance_id=remittance_id)
    return state


def handle(context: Context, command: RemittanceCommand) -> None:
    context.ledger.handle(remittance, command.remittance_id, command)


def payable(connection: Connection[Any], partner_id: UUID) -> list[Statement]:
    """Give the statements that a shop may hand money over for, the one due first at the top.

    Money is never refused: whoever owes nothing may still pay the newest, and has a credit.
    """
    found = statements.of_partner(connection, partner_id)
    owed = [one for one in found if one.outstanding_cents > 0]
    return sorted(owed, key=lambda one: (one.due_on, one.number)) or found[:1]


def declare(  # noqa: PLR0913, PLR0917 - each is a field of the command.
    context: Context,
    actor: str,
    remittance_id: UUID,
    partner_id: UUID,
    means: Means,
    cents: int,
    received_on: date,
    amounts: Mapping[UUID, int],
) -> None:
    """Declare what a shop handed over, with so many cents for each of its statements."""
    with context.pool.connection() as connection:
        ours(amounts, statements.of_partner(connection, partner_id))
    allocations = tuple(
        Allocation(target="statement", target_id=one, partner_id=partner_id, cents=cents)
        for one, cents in sorted(amounts.items())
    )
    command = DeclareRemittance(
        partner_id=partner_id,
        means=means,
        cents=cents,
        received_on=received_on,
        allocations=allocations,
        **known(actor, remittance_id),
    )
    handle(context, command)


def ours(amounts: Iterable[UUID], found: Iterable[Statement]) -> None:
    """Raise AllocationForeign for what is no statement of the shop's."""
    foreign = set(amounts) - {one.statement_id for one in found}
    if foreign:
        raise AllocationForeign(statement_id=min(foreign))


def approve(context: Context, actor: str, remittance_id: UUID, counted_cents: int) -> None:
    """Approve what another person declared, by what this one counted herself."""
    declared = remittance_of(context, remittance_id).declared
    command = ApproveRemittance(
        cents=counted_cents,
        partner_people=partner_people(context, declared.partner_id),
        **known(actor, remittance_id),
    )
    with moving_money(context):
        handle(context, command)


def discard(context: Context, actor: str, remittance_id: UUID) -> None:
    handle(context, DiscardRemittance(**known(actor, remittance_id)))


def give_back(context: Context, actor: str, remittance_id: UUID, returned_on: date) -> None:
    """Record that the bank did not honour it: the shop owes that money again.

    Raises TargetLacks where it was taken back already: what took it back is undone first.
    """
    command = ReturnRemittance(returned_on=returned_on, **known(actor, remittance_id))
    with moving_money(context):
        state = remittance_of(context, remittance_id)
        if isinstance(state, Approved):
            with context.pool.connection() as connection:
                catch_up(connection)
                keep_within(connection, taking_back(state.declared.allocations))
        handle(context, command)
