"""What the ledger is asked about card payments, and why it refuses."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from ledger.decider import Command, Refused
from ledger.money import Cents
from ledger.payments.events import Interval, Purpose
from ledger.payments.observed import ObservedPayment, ObservedPayout, ObservedSubscription


class StartCheckout(Command):
    """Note that somebody is about to pay. Nothing is a gift before it is paid."""

    payment_id: UUID
    purpose: Purpose
    purpose_id: UUID | None = None
    partner_id: UUID | None = None
    cents: Cents
    fee_cover_cents: Annotated[int, Field(ge=0, strict=True)] = 0
    interval: Interval
    subscription_id: UUID | None = None
    livemode: bool


class ObservePayment(Command):
    seen: ObservedPayment


class ObservePayout(Command):
    seen: ObservedPayout


class ObserveSubscription(Command):
    seen: ObservedSubscription


PaymentCommand = StartCheckout | ObservePayment


class CheckoutDiffers(Refused):
    """The same payment was begun before for something else."""


class PurposeUnclear(Refused):
    """A payment for a project, a round or a statement names it; no other payment names anything."""


class PaymentUnknown(Refused):
    """Nobody began this payment here, and it does not say what it is for."""


class ChargeMissing(Refused):
    """A payment is said to have succeeded, without the money that came."""


class PayoutDiffers(Refused):
    """The same payout was recorded before with another amount."""


class CardsOff(Refused):
    """Payments by card are not set up here."""


class FoundationNotDescribed(Refused):
    """Before it takes gifts by card, the foundation is described: its name and its SIRET."""
