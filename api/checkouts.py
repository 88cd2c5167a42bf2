"""Beginning a payment: what somebody wishes to pay is noted, then Stripe opens a page for it.

The same form sent twice begins one payment, whose page at Stripe is the same; changed in between,
or sent again after it came to nothing, it begins another.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid5

from api.cards import gateway_of, payment_of
from api.deps import Context
from api.give_address import return_path
from ledger.decider import Refused
from ledger.payments.commands import StartCheckout
from ledger.payments.events import Interval, Purpose
from ledger.payments.payments import payment
from ledger.payments.state import Failed, Processing, Succeeded
from ledger.stripe_gateway import Checkout

# Whoever's payments fail so often from one form begins anew with another.
TRIES_MAX: Final = 20


class TooManyTries(Refused):
    """Too many payments of this form came to nothing: begin anew."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wishes to pay: `cents` reach the purpose, and a cover of the fee is added.

    `words` are what Stripe shows beside the amount, `cancel_path` where giving up leads.
    """

    purpose: Purpose
    purpose_id: UUID | None
    partner_id: UUID | None
    cents: int
    fee_cover_cents: int
    interval: Interval
    words: str
    language: str
    cancel_path: str


def begin(context: Context, form_id: UUID, wish: Wish, actor: str = "public") -> str:
    """Note a payment that begins and give the address where it goes on.

    That is our own page for one that was paid already. Raises CardsOff, StripeUnavailable.
    """
    gateway = gateway_of(context).hasty
    for number in range(TRIES_MAX):
        payment_id = payment_id_of_form(form_id, wish, number)
        match payment_of(context, payment_id):
            case Failed():
                continue
            case Processing() | Succeeded():
                return return_path(context, payment_id)
            case _:
                break
    else:
        raise TooManyTries
    subscription_id = uuid5(payment_id, "subscription") if wish.interval == "monthly" else None
    command = StartCheckout(
        at=datetime.now(UTC),
        actor=actor,
        payment_id=payment_id,
        purpose=wish.purpose,
        purpose_id=wish.purpose_id,
        partner_id=wish.partner_id,
        cents=wish.cents,
        fee_cover_cents=wish.fee_cover_cents,
        interval=wish.interval,
        subscription_id=subscription_id,
        livemode=gateway.livemode,
    )
    context.ledger.handle(payment, payment_id, command)
    back = return_path(context, payment_id)
    asked = Checkout(
        payment_id=payment_id,
        words=wish.words,
        cents=wish.cents + wish.fee_cover_cents,
        interval=wish.interval,
        metadata=metadata_of(command, wish.language),
        language=wish.language,
        # Stripe puts the session's id there, by which the page asks what became of it.
        return_url=f"{context.settings.public_url}{back}?session={{CHECKOUT_SESSION_ID}}",
        cancel_url=f"{context.settings.public_url}{wish.cancel_path}",
    )
    return gateway.open_checkout(asked) or back


def payment_id_of_form(form_id: UUID, wish: Wish, number: int) -> UUID:
    """Give the payment of a form: another one for other terms, and after one that failed."""
    terms = (wish.purpose, wish.purpose_id, wish.cents, wish.fee_cover_cents, wish.interval)
    return uuid5(form_id, " ".join(map(str, (*terms, wish.language, number))))


def metadata_of(command: StartCheckout, language: str) -> dict[str, str]:
    """Give what Stripe keeps of a payment's terms: a subscription's later months have no others.

    Whoever gives each month is written to in the language that she began in.
    """
    told = {
        "payment_id": command.payment_id,
        "purpose": command.purpose,
        "purpose_id": command.purpose_id,
        "partner_id": command.partner_id,
        "subscription_id": command.subscription_id,
        "language": language if command.interval == "monthly" else None,
    }
    return {name: str(value) for name, value in told.items() if value is not None}
