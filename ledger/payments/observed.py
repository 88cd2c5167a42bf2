"""What Stripe says of a payment or a payout at one moment, in our own words.

Whoever decides is always given the whole of the present state, so that the order in which news
come, their repeats and their gaps do not matter.
"""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ledger.money import Cents
from ledger.payments.events import DisputeOutcome, FailReason, Method, PayoutLine, Purpose

# `open`: nothing was paid yet, and still may be.
Status = Literal["open", "processing", "succeeded", "failed"]
PayoutStatus = Literal["on_its_way", "paid", "failed"]
StripeId = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9_]+$")]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Terms(Part):
    """What a payment is for, as it says itself: a page of ours wrote it there."""

    purpose: Purpose
    purpose_id: UUID | None = None
    partner_id: UUID | None = None
    subscription_id: UUID | None = None


class Charge(Part):
    """The money that came; `cents` is all that was paid."""

    charge_id: StripeId
    cents: Cents
    method: Method
    succeeded_at: AwareDatetime


class Refund(Part):
    """Money given back; `failed` when it came back to us, or never left.

    Stripe does not always say on which day it failed.
    """

    refund_id: StripeId
    cents: Cents
    refunded_on: date
    failed: bool = False
    failed_on: date | None = None


class Dispute(Part):
    """A payment that the donor's bank contests; money moves only where a day says so."""

    dispute_id: StripeId
    cents: Cents
    reason: str
    evidence_due_at: AwareDatetime | None = None
    withdrawn_cents: int = 0
    withdrawn_on: date | None = None
    reinstated_cents: int = 0
    reinstated_on: date | None = None
    outcome: DisputeOutcome | None = None


class ObservedPayment(Part):
    """A payment as it is now. `terms` are absent where nothing at Stripe says them."""

    payment_id: UUID
    status: Status
    terms: Terms | None = None
    failed_for: FailReason = "other"
    charge: Charge | None = None
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    livemode: bool


class ObservedPayout(Part):
    """A payout as it is now, with all its lines; of one made by hand Stripe knows none."""

    payout_id: UUID
    stripe_id: StripeId
    status: PayoutStatus
    cents: int
    arrival_on: date
    lines: tuple[PayoutLine, ...] = ()
    by_hand: bool = False
    livemode: bool


class ObservedSubscription(Part):
    subscription_id: UUID
    ended_on: date | None = None
