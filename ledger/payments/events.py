"""What became of a card payment and of a payout. These names and fields are what is stored."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from ledger.decider import Event

Purpose = Literal["foundation", "project", "round", "statement"]
Interval = Literal["once", "monthly"]
Method = Literal["card", "sepa_debit", "other"]
FailReason = Literal["declined", "expired", "canceled", "other"]
DisputeOutcome = Literal["won", "lost", "closed"]
LineKind = Literal["charge", "refund", "dispute", "dispute_reversal", "fee", "adjustment"]


class CheckoutStarted(Event):
    """`cents` are what reaches the purpose; `fee_cover_cents` are added by whoever covers fees."""

    payment_id: UUID
    purpose: Purpose
    purpose_id: UUID | None = None
    partner_id: UUID | None = None
    cents: int
    fee_cover_cents: int = 0
    interval: Interval
    subscription_id: UUID | None = None
    livemode: bool


class PaymentProcessing(Event):
    """The money is on its way and may still fail: SEPA debits take days."""

    payment_id: UUID


class PaymentSucceeded(Event):
    """`cents` is all that was paid. `charge_id` is Stripe's, by which payouts name it.

    A payment of a subscription's later months was not started here: it carries its own terms.
    `partner_id` is given where a statement is paid.
    """

    payment_id: UUID
    purpose: Purpose
    purpose_id: UUID | None = None
    partner_id: UUID | None = None
    subscription_id: UUID | None = None
    charge_id: str
    cents: int
    method: Method
    succeeded_at: AwareDatetime
    livemode: bool


class PaymentFailed(Event):
    payment_id: UUID
    reason: FailReason


class PaymentRefunded(Event):
    """Given back, in part or whole; here, or in Stripe's own dashboard."""

    payment_id: UUID
    refund_id: str
    cents: int
    refunded_on: date


class RefundFailed(Event):
    """The money of a refund came back to us: it is the donor's gift again."""

    payment_id: UUID
    refund_id: str
    cents: int
    failed_on: date


class DisputeOpened(Event):
    payment_id: UUID
    dispute_id: str
    cents: int
    reason: str
    evidence_due_at: AwareDatetime | None = None


class DisputeFundsWithdrawn(Event):
    payment_id: UUID
    dispute_id: str
    cents: int
    withdrawn_on: date


class DisputeFundsReinstated(Event):
    payment_id: UUID
    dispute_id: str
    cents: int
    reinstated_on: date


class DisputeClosed(Event):
    payment_id: UUID
    dispute_id: str
    outcome: DisputeOutcome


class SubscriptionEnded(Event):
    subscription_id: UUID
    ended_on: date


class PayoutLine(BaseModel):
    """One movement of Stripe's balance in a payout: `net_cents` = `gross_cents` - `fee_cents`.

    `source_id` is the charge's, refund's or dispute's own id.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: LineKind
    source_id: str
    gross_cents: int
    fee_cents: int
    net_cents: int


class PayoutPaid(Event):
    """Stripe sends `cents` to the bank; its lines come in `PayoutListed` events of a thousand.

    `by_hand` is set where somebody chose the amount: of what it is made, nobody knows.
    """

    payout_id: UUID
    stripe_id: str
    cents: int
    arrival_on: date
    lines: int
    by_hand: bool | None = None
    livemode: bool


class PayoutListed(Event):
    """Lines `first_line` and following of a payout, in Stripe's order."""

    payout_id: UUID
    first_line: int
    lines: tuple[PayoutLine, ...]


class PayoutFailed(Event):
    """The bank did not take it: the money is at Stripe again."""

    payout_id: UUID
    failed_on: date


PaymentEvent = (
    CheckoutStarted
    | PaymentProcessing
    | PaymentSucceeded
    | PaymentFailed
    | PaymentRefunded
    | RefundFailed
    | DisputeOpened
    | DisputeFundsWithdrawn
    | DisputeFundsReinstated
    | DisputeClosed
)
PayoutEvent = PayoutPaid | PayoutListed | PayoutFailed
