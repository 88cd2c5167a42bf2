"""A write-off: proposed by one person with a reason, approved by another, or discarded."""

from typing import assert_never
from uuid import UUID

from ledger.actors import person
from ledger.settlements.commands import (
    ApproveWriteOff,
    DiscardWriteOff,
    ProposerApprovesWriteOff,
    ProposeWriteOff,
    WriteOffClosed,
    WriteOffDiffers,
    WriteOffExceedsDebt,
    WriteOffNotFound,
    WriteOffPending,
    WriteOffProposerDisabled,
    WriteOffWithInterest,
)
from ledger.settlements.events import WriteOffApproved, WriteOffDiscarded, WriteOffProposed
from ledger.settlements.state import Frozen

WriteOffCommand = ProposeWriteOff | ApproveWriteOff | DiscardWriteOff
WriteOffEvent = WriteOffProposed | WriteOffApproved | WriteOffDiscarded


def write_off(command: WriteOffCommand, known: Frozen) -> list[WriteOffEvent]:
    person(command.actor)
    match command:
        case ProposeWriteOff():
            return propose(command, known)
        case ApproveWriteOff():
            return approve(command, known)
        case DiscardWriteOff():
            return discard(command, known)
        case _:
            assert_never(command)


def propose(command: ProposeWriteOff, known: Frozen) -> list[WriteOffEvent]:
    disinterested(command)
    if is_decided(command.write_off_id, known):
        raise WriteOffClosed(write_off_id=command.write_off_id)
    pending = known.pending
    if pending is not None and pending.write_off_id == command.write_off_id:
        if (pending.cents, pending.reason) != (command.cents, command.reason):
            raise WriteOffDiffers(write_off_id=command.write_off_id)
        return []
    if pending is not None:
        raise WriteOffPending(write_off_id=pending.write_off_id)
    within_debt(command.cents, command.outstanding_cents, known)
    return [
        WriteOffProposed(
            recorded_at=command.at,
            actor=command.actor,
            partner_id=command.partner_id,
            statement_id=command.statement_id,
            write_off_id=command.write_off_id,
            cents=command.cents,
            reason=command.reason,
        )
    ]


def approve(command: ApproveWriteOff, known: Frozen) -> list[WriteOffEvent]:
    disinterested(command)
    if any(one.write_off_id == command.write_off_id for one in known.approved):
        return []
    pending = pending_of(command, known)
    if command.actor == pending.actor:
        raise ProposerApprovesWriteOff(actor=command.actor)
    if pending.actor in command.disabled:
        raise WriteOffProposerDisabled(write_off_id=command.write_off_id)
    if command.cents != pending.cents:
        raise WriteOffDiffers(write_off_id=command.write_off_id)
    # Money may have come in since it was proposed.
    within_debt(pending.cents, command.outstanding_cents, known)
    return [
        WriteOffApproved(
            recorded_at=command.at,
            actor=command.actor,
            partner_id=command.partner_id,
            statement_id=command.statement_id,
            write_off_id=pending.write_off_id,
            cents=pending.cents,
            reason=pending.reason,
            approved_on=command.approved_on,
        )
    ]


def discard(command: DiscardWriteOff, known: Frozen) -> list[WriteOffEvent]:
    if command.write_off_id in known.discarded:
        return []
    pending = pending_of(command, known)
    return [
        WriteOffDiscarded(
            recorded_at=command.at,
            actor=command.actor,
            partner_id=command.partner_id,
            statement_id=command.statement_id,
            write_off_id=pending.write_off_id,
        )
    ]


def disinterested(command: ProposeWriteOff | ApproveWriteOff) -> None:
    """Refuse whoever forgives a debt of her own."""
    if command.actor in command.interested:
        raise WriteOffWithInterest(partner_id=command.partner_id)


def within_debt(cents: int, outstanding_cents: int, known: Frozen) -> None:
    """Refuse more than is owed, and more than its gifts ever asked for, whatever money says."""
    left_cents = min(outstanding_cents, known.unforgiven_cents)
    if cents > left_cents:
        raise WriteOffExceedsDebt(cents=cents, outstanding_cents=left_cents)


def is_decided(write_off_id: UUID, known: Frozen) -> bool:
    return write_off_id in known.discarded or any(
        one.write_off_id == write_off_id for one in known.approved
    )


def pending_of(command: ApproveWriteOff | DiscardWriteOff, known: Frozen) -> WriteOffProposed:
    """Give the write-off that a command decides upon. Raises WriteOffClosed, WriteOffNotFound."""
    if is_decided(command.write_off_id, known):
        raise WriteOffClosed(write_off_id=command.write_off_id)
    if known.pending is None or known.pending.write_off_id != command.write_off_id:
        raise WriteOffNotFound(write_off_id=command.write_off_id)
    return known.pending
