"""Writing off what will not come in: one person proposes it with a reason, another approves it."""

from datetime import UTC, datetime
from uuid import UUID

from api.deps import Context
from api.dunning import fresh
from api.office.desk import disabled_people, interested, partner_people
from api.set_offs import moving_money
from ledger.calendar import civil_day
from ledger.settlements.commands import ApproveWriteOff, DiscardWriteOff, ProposeWriteOff
from ledger.settlements.decider import settlement
from ledger.settlements.events import WriteOffReason


def barred(context: Context, partner_id: UUID) -> tuple[str, ...]:
    """Give who forgives no debt of this partner: who speaks for it, who has an interest in it."""
    return tuple(sorted({*partner_people(context, partner_id), *interested(context, partner_id)}))


def propose(  # noqa: PLR0913 - what is asked of a write-off.
    context: Context,
    actor: str,
    statement_id: UUID,
    write_off_id: UUID,
    *,
    cents: int,
    reason: WriteOffReason,
) -> None:
    found = fresh(context, statement_id)
    command = ProposeWriteOff(
        at=datetime.now(UTC),
        actor=actor,
        partner_id=found.partner_id,
        statement_id=statement_id,
        write_off_id=write_off_id,
        cents=cents,
        reason=reason,
        outstanding_cents=found.outstanding_cents,
        interested=barred(context, found.partner_id),
    )
    context.ledger.handle(settlement, found.partner_id, command)


def approve(
    context: Context, actor: str, statement_id: UUID, write_off_id: UUID, cents: int
) -> None:
    """Approve what another person proposed, while nobody matches money with it."""
    with moving_money(context):
        at, found = datetime.now(UTC), fresh(context, statement_id)
        command = ApproveWriteOff(
            at=at,
            actor=actor,
            partner_id=found.partner_id,
            statement_id=statement_id,
            write_off_id=write_off_id,
            cents=cents,
            approved_on=civil_day(at),
            outstanding_cents=found.outstanding_cents,
            interested=barred(context, found.partner_id),
            disabled=disabled_people(context),
        )
        context.ledger.handle(settlement, found.partner_id, command)


def discard(context: Context, actor: str, statement_id: UUID, write_off_id: UUID) -> None:
    found = fresh(context, statement_id)
    command = DiscardWriteOff(
        at=datetime.now(UTC),
        actor=actor,
        partner_id=found.partner_id,
        statement_id=statement_id,
        write_off_id=write_off_id,
    )
    context.ledger.handle(settlement, found.partner_id, command)
