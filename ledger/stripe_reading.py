"""What became of a payment, a payout or a monthly gift, asked of Stripe by any object of it.

A charge, a refund, a dispute, a session and an invoice all lead to one intent, and the whole of it
is read each time.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

from ledger.payments import stripe_words
from ledger.payments.names import payment_id_of
from ledger.payments.observed import (
    ObservedPayment,
    ObservedPayout,
    ObservedSubscription,
    Terms,
)
from ledger.payments.stripe_words import Giver, Told, identifier
from ledger.stripe_gateway import Gateway, ObjectUnknown

# The kinds of objects that are about a payment.
OF_A_PAYMENT: Final = frozenset(
    {
        "checkout.session",
        "payment_intent",
        "charge",
        "refund",
        "dispute",
        "invoice",
        "invoice_payment",
    }
)
ENDED: Final = frozenset({"canceled", "incomplete_expired"})


class NotYet(Exception):
    """Stripe itself is not done with an object: it is asked again later."""


def payment(gateway: Gateway, object_kind: str, object_id: str) -> ObservedPayment | None:
    """Give the payment that an object is about, as it is now; None when it is none of ours.

    Raises ObjectUnknown, StripeUnavailable, ForeignCurrency.
    """
    match object_kind:
        case "checkout.session":
            return of_session(gateway, gateway.get("sessions", object_id))
        case "payment_intent":
            return of_intent(gateway, object_id)
        case "charge":
            return of_part(gateway, gateway.get("charges", object_id))
        case "refund":
            return of_part(gateway, gateway.get("refunds", object_id))
        case "dispute":
            return of_part(gateway, gateway.get("disputes", object_id))
        case "invoice":
            return of_invoice(gateway, object_id)
        case "invoice_payment":
            return of_invoice(gateway, gateway.get("invoice_payments", object_id)["invoice"])
        case _:
            return None


def session_payment(gateway: Gateway, session_id: str, payment_id: UUID) -> ObservedPayment | None:
    """Give the payment of a session, if the session is of this payment and of no other."""
    session = gateway.get("sessions", session_id)
    if session.get("payment_link"):
        seen = of_link(gateway, session)
    else:
        seen = of_session(gateway, session) if begun_in(session) == payment_id else None
    return seen if seen is not None and seen.payment_id == payment_id else None


def link_payment(gateway: Gateway, session_id: str) -> ObservedPayment | None:
    """Give the payment of a session that began with a link; None for every other session."""
    return of_link(gateway, gateway.get("sessions", session_id))


def of_link(gateway: Gateway, session: Told) -> ObservedPayment | None:
    """Give a link's payment, which is named by its intent: nothing else in a session names it."""
    if not session.get("payment_link") or not session.get("payment_intent"):
        return None
    seen = of_session(gateway, session)
    derived = payment_id_of(session["payment_intent"])
    return seen if seen is not None and seen.payment_id == derived else None


def session_subscription(gateway: Gateway, session_id: str, payment_id: UUID) -> str | None:
    """Give Stripe's id of the monthly gift that a session of this payment began."""
    session = gateway.get("sessions", session_id)
    found = session.get("subscription") if begun_in(session) == payment_id else None
    return None if found is None else str(found)


def begun_in(session: Told) -> UUID | None:
    """Give the payment that a page of ours began with a session; None when none of ours did.

    Whoever opens a link may add any reference to its address: it is believed only where what we
    wrote beside it, which nobody else can, says the same.
    """
    named = identifier((session.get("metadata") or {}).get("payment_id"))
    referred = identifier(session.get("client_reference_id"))
    return named if named == referred and not session.get("payment_link") else None


def of_session(gateway: Gateway, session: Told) -> ObservedPayment | None:
    if session.get("invoice"):
        return of_invoice(gateway, session["invoice"], session)
    if session.get("payment_intent"):
        return of_intent(gateway, session["payment_intent"], session)
    return unpaid(session)


def unpaid(session: Told) -> ObservedPayment | None:
    """Say of a session that nobody tried to pay yet what can be said."""
    payment_id = begun_in(session)
    if payment_id is None:
        return None
    seen = ObservedPayment(payment_id=payment_id, status="open", livemode=session["livemode"])
    return stripe_words.as_told_by(session, seen, None)


def of_part(gateway: Gateway, part: Told) -> ObservedPayment | None:
    """Follow a charge, a refund or a dispute to the intent that it belongs to."""
    intent_id = part.get("payment_intent")
    return of_intent(gateway, intent_id) if intent_id else None


def of_intent(
    gateway: Gateway, intent_id: str, session: Told | None = None
) -> ObservedPayment | None:
    intent = intent_of(gateway, intent_id)
    payment_id = stripe_words.payment_id_in(intent)
    if payment_id is None:
        invoice_id = invoice_of_intent(gateway, intent_id)
        return None if invoice_id is None else of_invoice(gateway, invoice_id)
    seen = whole(gateway, payment_id, intent, stripe_words.terms_in(intent["metadata"]))
    if seen.status != "open":
        return seen
    # Whether a donor may try again, only the session knows.
    session = session or next(gateway.every("sessions", payment_intent=intent_id), None)
    return stripe_words.as_told_by(session, seen, intent)


def invoice_of_intent(gateway: Gateway, intent_id: str) -> str | None:
    """Give the invoice that an intent pays: an invoice payment stands between them."""
    asked = {"type": "payment_intent", "payment_intent": intent_id}
    paying = next(gateway.every("invoice_payments", payment=asked), None)
    return None if paying is None else str(paying["invoice"])


def of_invoice(
    gateway: Gateway, invoice_id: str, session: Told | None = None
) -> ObservedPayment | None:
    invoice = gateway.get("invoices", invoice_id, expand=["payments"])
    terms = stripe_words.terms_in(stripe_words.subscription_metadata(invoice))
    payments = (invoice.get("payments") or {}).get("data", ())
    # The one that paid it comes before those that were tried.
    in_turn = sorted(payments, key=lambda one: one["status"] != "paid")
    intents = [one["payment"].get("payment_intent") for one in in_turn]
    intent_id = next((one for one in intents if one), None)
    if terms is None or intent_id is None:
        return None
    payment_id = stripe_words.payment_id_of_invoice(invoice)
    intent = intent_of(gateway, intent_id)
    return stripe_words.as_told_by(session, whole(gateway, payment_id, intent, terms), intent)


def intent_of(gateway: Gateway, intent_id: str) -> Told:
    return gateway.get("payment_intents", intent_id, expand=["latest_charge"])


def whole(gateway: Gateway, payment_id: UUID, intent: Told, terms: Terms | None) -> ObservedPayment:
    """Give a payment with its refunds and disputes; what was never paid has none."""
    refunds: Iterable[Told] = ()
    disputes: Iterable[Told] = ()
    if intent["status"] == "succeeded":
        refunds = gateway.every("refunds", payment_intent=intent["id"])
        if (intent.get("latest_charge") or {}).get("disputed"):
            disputes = gateway.every("disputes", payment_intent=intent["id"])
    return stripe_words.payment_seen(payment_id, intent, terms, refunds, disputes)


def payout(gateway: Gateway, payout_id: str) -> ObservedPayout:
    """Give a payout with its lines. Raises NotYet while Stripe still gathers them."""
    told = gateway.get("payouts", payout_id)
    if told["automatic"] and told["reconciliation_status"] == "in_progress":
        raise NotYet(f"the lines of {payout_id} are not all known")
    # Of one made by hand, nobody knows what it is made of.
    movements = gateway.every("balance_transactions", payout=payout_id)
    return stripe_words.payout_seen(told, movements if told["automatic"] else ())


def payouts_since(gateway: Gateway, since: datetime) -> Iterator[str]:
    """Give the ids of the payouts made since a moment."""
    for told in gateway.every("payouts", created={"gte": int(since.timestamp())}):
        yield told["id"]


def subscription(gateway: Gateway, subscription_id: str) -> ObservedSubscription | None:
    return stripe_words.subscription_seen(gateway.get("subscriptions", subscription_id))


def invoice_of_charge(gateway: Gateway, charge_id: str) -> Told:
    """Give the invoice of the month that a charge paid. Raises ObjectUnknown."""
    charge = gateway.get("charges", charge_id)
    invoice_id = invoice_of_intent(gateway, charge["payment_intent"])
    if invoice_id is None:
        raise ObjectUnknown(f"{charge_id} is of no monthly gift")
    return gateway.get("invoices", invoice_id)


def charge_subscription(gateway: Gateway, charge_id: str) -> str:
    """Give Stripe's id of the monthly gift that a charge paid a month of."""
    return stripe_words.subscription_in(invoice_of_charge(gateway, charge_id))


def giver(gateway: Gateway, charge_id: str) -> Giver:
    """Give whoever a charge paid a month of a monthly gift for, as Stripe knows her now."""
    invoice = invoice_of_charge(gateway, charge_id)
    stripe_id = stripe_words.subscription_in(invoice)
    told = gateway.get("subscriptions", stripe_id, expand=["customer"])
    return stripe_words.giver_seen(invoice, told)


def end_subscription(gateway: Gateway, stripe_id: str) -> None:
    """End a monthly gift, unless it has ended."""
    if gateway.get("subscriptions", stripe_id)["status"] not in ENDED:
        gateway.cancel(stripe_id)
