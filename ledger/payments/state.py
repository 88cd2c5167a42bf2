"""A card payment as its stream tells it: only what the rules and the reactions need."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal, assert_never

from ledger.calendar import civil_day
from ledger.payments.events import (
    CheckoutStarted,
    DisputeClosed,
    DisputeFundsReinstated,
    DisputeFundsWithdrawn,
    DisputeOpened,
    DisputeOutcome,
    FailReason,
    PaymentEvent,
    PaymentFailed,
    PaymentProcessing,
    PaymentRefunded,
    PaymentSucceeded,
    RefundFailed,
)


@dataclass(frozen=True, slots=True)
class Unbegun:
    pass


@dataclass(frozen=True, slots=True)
class Begun:
    checkout: CheckoutStarted


@dataclass(frozen=True, slots=True)
class Processing:
    checkout: CheckoutStarted


@dataclass(frozen=True, slots=True)
class Failed:
    checkout: CheckoutStarted
    reason: FailReason


@dataclass(frozen=True, slots=True)
class Disputed:
    """`gone`: the dispute is lost, and its money with it."""

    cents: int
    withdrawn: bool = False
    reinstated: bool = False
    outcome: DisputeOutcome | None = None

    @property
    def gone(self) -> bool:
        return self.outcome == "lost" and self.withdrawn and not self.reinstated


@dataclass(frozen=True, slots=True)
class Change:
    """What is the donor's gift no more, or again, because of one refund or dispute."""

    kind: Literal["back", "again"]
    source_id: str
    cents: int
    reason: Literal["refunded", "disputed"]
    at: datetime
    on: date


@dataclass(frozen=True, slots=True)
class Succeeded:
    """`checkout` is absent where nobody began it here: a subscription's later months.

    `refunds` says of each whether it failed. `changes` are in the order they were recorded.
    """

    paid: PaymentSucceeded
    checkout: CheckoutStarted | None = None
    refunds: dict[str, bool] = field(default_factory=dict)
    disputes: dict[str, Disputed] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()


def remaining_cents(payment: Succeeded) -> int:
    """Give what is left of a payment after all that went back to the donor."""
    back = sum(one.cents if one.kind == "back" else -one.cents for one in payment.changes)
    return max(0, payment.paid.cents - back)


Payment = Unbegun | Begun | Processing | Failed | Succeeded
DisputeEvent = DisputeOpened | DisputeFundsWithdrawn | DisputeFundsReinstated | DisputeClosed


def checkout_of(payment: Payment) -> CheckoutStarted | None:
    """Give how a payment was begun here, None when it was not."""
    return None if isinstance(payment, Unbegun) else payment.checkout


def evolve(payment: Payment, event: PaymentEvent) -> Payment:
    match event:
        case CheckoutStarted():
            return Begun(event)
        case PaymentProcessing():
            assert isinstance(payment, Begun)  # noqa: S101 - what was stored says so.
            return Processing(payment.checkout)
        case PaymentFailed(reason=reason):
            assert isinstance(payment, Begun | Processing)  # noqa: S101 - the same.
            return Failed(payment.checkout, reason)
        case PaymentSucceeded():
            return Succeeded(event, checkout_of(payment))
        case _:
            assert isinstance(payment, Succeeded)  # noqa: S101 - the same.
            return changed(payment, event)


def changed(payment: Succeeded, event: PaymentRefunded | RefundFailed | DisputeEvent) -> Succeeded:
    match event:
        case PaymentRefunded(refund_id=refund_id, cents=cents, refunded_on=on):
            change = Change("back", refund_id, cents, "refunded", event.recorded_at, on)
            refunds = payment.refunds | {refund_id: False}
            return replace(payment, refunds=refunds, changes=(*payment.changes, change))
        case RefundFailed(refund_id=refund_id, cents=cents, failed_on=on):
            change = Change("again", refund_id, cents, "refunded", event.recorded_at, on)
            refunds = payment.refunds | {refund_id: True}
            return replace(payment, refunds=refunds, changes=(*payment.changes, change))
        case _:
            return disputed(payment, event)


def disputed(payment: Succeeded, event: DisputeEvent) -> Succeeded:
    """Note what became of a dispute. A gift goes only once it is lost, with its money gone."""
    dispute_id = event.dispute_id
    before = payment.disputes.get(dispute_id, Disputed(0))
    after = stepped(before, event)
    known = replace(payment, disputes=payment.disputes | {dispute_id: after})
    if before.gone == after.gone:
        return known
    change = Change(
        "back" if after.gone else "again",
        dispute_id,
        after.cents,
        "disputed",
        event.recorded_at,
        civil_day(event.recorded_at),
    )
    return replace(known, changes=(*known.changes, change))


def stepped(before: Disputed, event: DisputeEvent) -> Disputed:
    match event:
        case DisputeOpened(cents=cents):
            return replace(before, cents=cents)
        case DisputeFundsWithdrawn():
            return replace(before, withdrawn=True)
        case DisputeFundsReinstated():
            return replace(before, reinstated=True)
        case DisputeClosed(outcome=outcome):
            return replace(before, outcome=outcome)
        case _:
            assert_never(event)
