"""What whoever gives each month is written: that a later month came, and where its ticket is.

Only Stripe knows who she is. Her e-mail address is asked for when a letter is written, and kept
nowhere. The first month has its page, which she sees as she pays.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, Literal
from uuid import UUID

from api import letters
from api.deps import Context
from api.give_address import return_path
from api.i18n import LANGUAGES, Language, offered
from api.mail import Letter, MailFailed, letter
from api.people import EMAIL, EMAIL_MAX
from ledger import stripe_reading
from ledger.payments.commands import CardsOff
from ledger.payments.events import PaymentSucceeded
from ledger.payments.observed import ObservedPayment
from ledger.payments.payments import payment
from ledger.payments.state import Payment, Succeeded, Unbegun, remaining_cents
from ledger.payments.stripe_words import Giver
from projections import payments

Kind = Literal["month", "months"]
LOG = logging.getLogger("donpositif.letters")
# Whoever holds a ticket may ask for her page: she is written to so often at most.
MONTHS_EVERY: Final = timedelta(days=1)
FAILED_AGAIN_AFTER: Final = timedelta(minutes=10)


class NoAddress(MailFailed):
    """Stripe has no e-mail address of whoever gives."""


class NoMailServer(MailFailed):
    """No mail server is set: no address is asked for, to be left in a file."""


def are_sent(context: Context) -> bool:
    """Tell whether anybody is written to: without a mail server no address is even asked for."""
    return context.settings.smtp_url is not None


def can_ask(context: Context) -> bool:
    """Tell whether whoever gives can be found and written to now."""
    return are_sent(context) and context.gateway is not None


def note(context: Context, seen: ObservedPayment) -> None:
    """Note the letter about a month that came, before it is recorded: none is left untold.

    Noted before or sent, it is not due again; a month that was recorded long ago never is.
    """
    if seen.status != "succeeded" or seen.terms is None or seen.terms.subscription_id is None:
        return
    if not isinstance(state_of(context, seen.payment_id), Unbegun):
        return
    if are_sent(context):
        letters.note(context, "month", seen.payment_id)
    else:
        LOG.warning("no letter about the month %s: no mail server is set", seen.payment_id)


def send_noted(context: Context, paid: Succeeded) -> None:
    """Send the letter about a month that is recorded with its gift, if it is due."""
    if is_later_month(paid) and are_sent(context):
        payment_id = paid.paid.payment_id
        letters.send_later(context, "month", payment_id, partial(month, context, payment_id))


def send(context: Context, kind: Kind, about_id: UUID) -> None:
    """Send a letter that was noted. Raises MailFailed, and what Stripe refuses."""
    letters.send(context, kind, about_id, partial(WRITERS[kind], context, about_id))


def ask_for_months(context: Context, subscription_id: UUID) -> None:
    """Write to whoever gives each month where all her months are; she alone is told.

    Asked again too soon, nothing happens, whether the letter was sent or failed.
    """
    now = datetime.now(UTC)
    due = letters.note(context, "months", subscription_id, now - MONTHS_EVERY)
    known = letters.noted(context, "months", subscription_id)
    if known is not None and known.failure is not None and known.tried_at is not None:
        due = known.tried_at < now - FAILED_AGAIN_AFTER
    if due:
        write = partial(months, context, subscription_id)
        letters.send_later(context, "months", subscription_id, write)


def month(context: Context, payment_id: UUID) -> Letter | None:
    """Write that a month came; None where nothing of it is left. Raises NoAddress, CardsOff."""
    state = state_of(context, payment_id)
    if not isinstance(state, Succeeded) or not remaining_cents(state):
        return None
    giver = giver_of(context, state.paid.charge_id)
    public = context.settings.public_url
    return addressed(
        giver,
        "month.txt",
        cents=state.paid.cents,
        month=f"{giver.billed_on:%Y-%m}",
        ticket=f"{public}/g/{context.tickets.code(payment_id)}",
        page=f"{public}{return_path(context, payment_id)}",
        ended=giver.ended,
    )


def months(context: Context, subscription_id: UUID) -> Letter | None:
    """Write where all months are; None where none ever came. Raises NoAddress, CardsOff."""
    newest = newest_of(context, subscription_id)
    if newest is None or newest.charge_id is None:
        return None
    giver = giver_of(context, newest.charge_id)
    page = f"{context.settings.public_url}{return_path(context, newest.payment_id)}"
    return addressed(giver, "months.txt", page=page, ended=giver.ended)


WRITERS: Final = {"month": month, "months": months}


def newest_of(context: Context, subscription_id: UUID) -> payments.Payment | None:
    """Give the newest month of a monthly gift that came."""
    with context.pool.connection() as connection:
        found = payments.newest(
            connection, states=("succeeded",), subscription_id=subscription_id, limit=1
        )
    return next(iter(found), None)


def giver_of(context: Context, charge_id: str) -> Giver:
    """Ask Stripe who gives. Raises NoMailServer, CardsOff."""
    if not are_sent(context):
        raise NoMailServer("NoMailServer")
    if context.gateway is None:
        raise CardsOff
    return stripe_reading.giver(context.gateway, charge_id)


def addressed(giver: Giver, template: str, **values: Any) -> Letter:
    """Write to a giver in the language that she began in. Raises NoAddress."""
    to = (giver.email or "").strip()
    if len(to) > EMAIL_MAX or not EMAIL.fullmatch(to):
        raise NoAddress("NoAddress")
    return letter(to, template, languages=languages_of(giver), **values)


def languages_of(giver: Giver) -> Sequence[Language]:
    return (giver.language,) if offered(giver.language) else LANGUAGES


def state_of(context: Context, payment_id: UUID) -> Payment:
    return payment.fold(one.event for one in context.ledger.history(payment, payment_id))


def is_later_month(paid: Succeeded) -> bool:
    """Tell a later month of a monthly gift, which nobody began on a page of ours."""
    return paid.checkout is None and paid.paid.subscription_id is not None


def monthly(context: Context, donation_id: UUID) -> UUID | None:
    """Give the monthly gift that a gift is a month of, None where it is of none."""
    match state_of(context, donation_id):
        case Succeeded(paid=PaymentSucceeded(subscription_id=subscription_id)):
            return subscription_id
        case _:
            return None


def shown(context: Context, kind: letters.Kind, about_id: UUID) -> dict[str, str]:
    """Say what a letter that was not sent is about; whom it is for, only Stripe knows."""
    if kind == "months":
        newest = newest_of(context, about_id)
        about_id = about_id if newest is None else newest.payment_id
    state = state_of(context, about_id)
    if not isinstance(state, Succeeded):
        return {"to": "", "about": "", "path": ""}
    path = f"/office/cards/payments/{about_id}"
    return {"to": "", "about": state.paid.charge_id, "path": path}
