"""What an event's money is for: the one place that says which events allocate, and which undo."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from ledger.allocations import Allocation, Target
from ledger.bank.events import TransactionMatched, TransactionUnmatched
from ledger.calendar import civil_day
from ledger.events import AnyEvent
from ledger.payments.events import (
    DisputeFundsReinstated,
    DisputeFundsWithdrawn,
    PaymentRefunded,
    PaymentSucceeded,
    RefundFailed,
)
from ledger.remittances import RemittanceApproved, RemittanceReturned


@dataclass(frozen=True, slots=True)
class Applied:
    """So many cents for a target on a day; negative where they were taken back."""

    target: Target
    target_id: UUID | None
    partner_id: UUID | None
    cents: int
    on: date


@dataclass(frozen=True, slots=True)
class CardChange:
    """What became of a card payment later. What it was for, its success has said."""

    payment_id: UUID
    cents: int
    on: date


def applied(event: AnyEvent) -> tuple[Applied, ...]:
    """Give what an event allocates or takes back: nothing for most of them.

    A card payment's refunds and disputes do not name what it was for: `card_change` gives them.
    """
    match event:
        case TransactionMatched(allocations=allocations, booked_on=on):
            return tuple(of_allocations(allocations, on, 1))
        case TransactionUnmatched(allocations=allocations, unmatched_on=on):
            return tuple(of_allocations(allocations, on, -1))
        case RemittanceApproved(allocations=allocations, received_on=on):
            return tuple(of_allocations(allocations, on, 1))
        case RemittanceReturned(allocations=allocations, returned_on=on):
            return tuple(of_allocations(allocations, on, -1))
        case PaymentSucceeded(purpose="statement", purpose_id=statement_id):
            on = civil_day(event.succeeded_at)
            return (Applied("statement", statement_id, event.partner_id, event.cents, on),)
        case _:
            return ()


def of_allocations(allocations: Iterable[Allocation], on: date, sign: int) -> Iterable[Applied]:
    return (
        Applied(one.target, one.target_id, one.partner_id, sign * one.cents, on)
        for one in allocations
    )


def card_change(event: AnyEvent) -> CardChange | None:
    """Give what a card payment lost or got back after it succeeded; None for other events."""
    match event:
        case PaymentRefunded(payment_id=payment_id, cents=cents, refunded_on=on):
            return CardChange(payment_id, -cents, on)
        case RefundFailed(payment_id=payment_id, cents=cents, failed_on=on):
            return CardChange(payment_id, cents, on)
        case DisputeFundsWithdrawn(payment_id=payment_id, cents=cents, withdrawn_on=on):
            return CardChange(payment_id, -cents, on)
        case DisputeFundsReinstated(payment_id=payment_id, cents=cents, reinstated_on=on):
            return CardChange(payment_id, cents, on)
        case _:
            return None
