"""What became of a card payment: asked of Stripe, noted in the ledger, and the gifts that it is.

Whoever gives each month is written to about the months that come later.

Every step can be repeated: what was done before changes nothing, what a failure left out is done.
"""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from api import month_letters
from api.deps import Context
from api.foundation import foundation_of
from api.set_offs import set_off_due
from ledger import stripe_reading
from ledger.committer import Closed, QueueFull
from ledger.donations import donation
from ledger.foundation import FOUNDATION_ID, Foundation
from ledger.inbox import Outcome
from ledger.partners.register import RegisterPartner, Unregistered
from ledger.partners.register import partner as register
from ledger.payments.commands import (
    CardsOff,
    FoundationNotDescribed,
    ObservePayment,
    ObservePayout,
    ObserveSubscription,
)
from ledger.payments.observed import ObservedPayment, ObservedPayout
from ledger.payments.payments import payment
from ledger.payments.payouts import payout
from ledger.payments.state import Payment, Succeeded
from ledger.payments.stripe_words import ForeignCurrency
from ledger.payments.subscriptions import subscription
from ledger.reactions import ACTOR, ONLINE_TILL_ID, gift_commands
from ledger.store import LedgerUnavailable
from ledger.stripe_gateway import Gateway, ObjectUnknown
from ledger.stripe_reading import OF_A_PAYMENT
from ledger.tills import EnrolTill, Unknown, till

# What says that the database is away: nothing is known of what was at work, and all comes again.
LOST: Final = (OperationalError, PoolTimeout, LedgerUnavailable, QueueFull, Closed)
# No key has this hash: nobody can record a gift at this till but the ledger itself.
NO_KEY_SHA256: Final = "0" * 64
TILL_NAME: Final = "Dons en ligne"


def now() -> datetime:
    return datetime.now(UTC)


def gateway_of(context: Context) -> Gateway:
    """Give the way to Stripe. Raises CardsOff."""
    if context.gateway is None:
        raise CardsOff
    return context.gateway


def described(context: Context) -> tuple[str, str]:
    """Give the foundation's name and SIRET. Raises FoundationNotDescribed."""
    match foundation_of(context):
        case Foundation(name=str(name), siret=str(siret)):
            return name, siret
        case _:
            raise FoundationNotDescribed


def taken(context: Context) -> bool:
    """Tell whether gifts by card are taken now."""
    if context.gateway is None:
        return False
    try:
        described(context)
    except FoundationNotDescribed:
        return False
    return True


def apply(context: Context, object_kind: str, object_id: str) -> Outcome:
    """Ask Stripe what became of an object, and note what is new. Raises what went wrong."""
    gateway = gateway_of(context)
    try:
        if object_kind in OF_A_PAYMENT:
            seen = stripe_reading.payment(gateway, object_kind, object_id)
            if seen is None:
                return "not_ours"
            note_payment(context, seen)
        elif object_kind == "payout":
            note_payout(context, gateway, object_id)
        elif object_kind == "subscription":
            told = stripe_reading.subscription(gateway, object_id)
            if told is None:
                return "not_ours"
            command = ObserveSubscription(at=now(), actor=ACTOR, seen=told)
            context.ledger.handle(subscription, told.subscription_id, command)
        else:
            return "no_concern"
    except ObjectUnknown:
        return "unknown_object"
    except ForeignCurrency:
        return "foreign_currency"
    return "applied"


def note_payout(context: Context, gateway: Gateway, payout_id: str) -> ObservedPayout:
    seen = stripe_reading.payout(gateway, payout_id)
    command = ObservePayout(at=now(), actor=ACTOR, seen=seen)
    context.ledger.handle(payout, seen.payout_id, command)
    return seen


def note_payment(context: Context, seen: ObservedPayment) -> Payment:
    """Note what is new of a payment, then make its gifts agree with it, and tell who gives."""
    month_letters.note(context, seen)
    command = ObservePayment(at=now(), actor=ACTOR, seen=seen)
    handled = context.ledger.handle(payment, seen.payment_id, command)
    state = payment.fold(recorded.event for recorded in handled.history)
    if isinstance(state, Succeeded):
        agree(context, state)
        month_letters.send_noted(context, state)
        if handled.fresh and state.paid.purpose == "statement":
            set_off_due(context, state.paid.partner_id)
    return state


def agree(context: Context, paid: Succeeded) -> None:
    """Record the gifts of a payment, and what was given back of them, as far as it is missing."""
    commands = list(gift_commands(paid, now()))
    if commands:
        open_online_till(context)
    for command in commands:
        context.ledger.handle(donation, command.donation_id, command)


def open_online_till(context: Context) -> None:
    """Let the foundation be a partner with a till, once: every gift was made at one."""
    ledger = context.ledger
    enrolled = till.fold(one.event for one in ledger.history(till, ONLINE_TILL_ID))
    if not isinstance(enrolled, Unknown):
        return
    known = register.fold(one.event for one in ledger.history(register, FOUNDATION_ID))
    if isinstance(known, Unregistered):
        name, siret = described(context)
        registering = RegisterPartner(
            at=now(), actor=ACTOR, partner_id=FOUNDATION_ID, name=name, siret=siret
        )
        ledger.handle(register, FOUNDATION_ID, registering)
    enrolling = EnrolTill(
        at=now(),
        actor=ACTOR,
        till_id=ONLINE_TILL_ID,
        partner_id=FOUNDATION_ID,
        name=TILL_NAME,
        key_sha256=NO_KEY_SHA256,
    )
    ledger.handle(till, ONLINE_TILL_ID, enrolling)


def payment_of(context: Context, payment_id: UUID) -> Payment:
    """Read a payment from its stream: true right after it is noted."""
    return payment.fold(one.event for one in context.ledger.history(payment, payment_id))
