"""Where a donor comes back to: what became of her payment, as it is at this moment.

It asks Stripe when the ledger does not know yet. Whoever has the address is the donor: it holds a
secret, and leads to the ticket of her gift.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import cards, month_letters
from api.asking import asking
from api.auth import public
from api.cards import payment_of
from api.deps import Context, context_of
from api.forms import foreign, form_of
from api.give_address import is_token, return_path
from api.guesses import origin_of
from api.home import PAGE
from api.login import barred
from api.pages import Address, go, private_page
from api.refusals import FormForeign, PageNotFound
from api.tickets import secret
from ledger import stripe_reading
from ledger.calendar import civil_day
from ledger.decider import Refused
from ledger.payments.observed import ObservedPayment, Status
from ledger.payments.state import Failed, Payment, Succeeded, Unbegun, checkout_of, remaining_cents
from ledger.payments.stripe_words import ForeignCurrency
from ledger.payments.subscriptions import Ended, subscription
from ledger.stripe_gateway import ObjectUnknown, StripeUnavailable
from projections import payments

router = APIRouter(prefix="/give", include_in_schema=False)

SESSION_MAX: Final = 255
SESSION: Final = re.compile(r"cs_(test|live)_[A-Za-z0-9]+")
# What a payment that nobody began here is called: only Stripe knows it so far.
CALLED: Final[Mapping[Status, str]] = {
    "open": "Begun",
    "processing": "Processing",
    "failed": "Failed",
    "succeeded": "Succeeded",
}
MONTHS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Became:
    """A payment as it is now, `called` so on the page; `answered` unless Stripe was asked in vain.

    One that began with a link is in no stream before its money comes.
    """

    state: Payment
    called: str
    answered: bool = True


@dataclass(frozen=True, slots=True)
class Month:
    """A payment of a monthly gift, with the code of its ticket."""

    on: date
    cents: int
    code: str


@router.api_route("/paid", **PAGE)
@public()
async def paid_by_link(request: Request) -> Response:
    """Lead whoever paid by a link to the page of her payment: only she has the session's id."""
    context, session_id = context_of(request), session_in(request.query_params)
    gateway = cards.gateway_of(context).hasty

    def find() -> ObservedPayment | None:
        try:
            seen = stripe_reading.link_payment(gateway, session_id)
            if seen is not None:
                cards.note_payment(context, seen)
        except (ObjectUnknown, ForeignCurrency):
            return None
        return seen

    # Whoever tries other sessions than her own is held back, as with codes of tickets.
    with context.session_guesses.attempt(origin_of(request), PageNotFound):
        seen = await asking(find)
        if seen is None:
            raise PageNotFound
    path = return_path(context, seen.payment_id)
    return secret(go(Address(path, {"session": session_id}).written()))


def session_in(told: Mapping[str, str]) -> str:
    """Give the session's id of an address or a form. Raises PageNotFound where there is none."""
    text = told.get("session", "")
    if len(text) > SESSION_MAX or SESSION.fullmatch(text) is None:
        raise PageNotFound
    return text


@router.api_route("/{payment_id}/{token}", **PAGE)
@public()
async def show(request: Request, payment_id: UUID, token: str) -> Response:
    """Tell what became of a payment. What is on its way is told as such."""
    context, query = context_of(request), request.query_params
    if not is_token(context, payment_id, token):
        raise PageNotFound
    session_id = session_in(query) if "session" in query else None
    became = await now_of(context, payment_id, session_id)
    values = await run_in_threadpool(told, context, payment_id, became)
    values |= {
        "done": query.get("done"),
        "problem": query.get("problem"),
        "session": session_id,
        "here": return_path(context, payment_id),
        "again": Address(request.url.path, dict(query)).written(),
    }
    here = Address(request.url.path)
    return secret(private_page(request, "give/return.html", values, here))


async def now_of(context: Context, payment_id: UUID, session_id: str | None) -> Became:
    """Give a payment, asked of Stripe now rather than heard of later where it may still change.

    Raises PageNotFound for one that nobody began.
    """
    state = await run_in_threadpool(payment_of, context, payment_id)
    if session_id is None or isinstance(state, Succeeded | Failed):
        return known(state)
    try:
        return await asking(lambda: ask(context, payment_id, session_id))
    except (Refused, ObjectUnknown, ForeignCurrency):
        # The worker hears of it as well, and the office sees what it could not do.
        state = await run_in_threadpool(payment_of, context, payment_id)
        called = "Begun" if isinstance(state, Unbegun) else type(state).__name__
        return Became(state, called, answered=False)


def known(state: Payment) -> Became:
    if isinstance(state, Unbegun):
        raise PageNotFound
    return Became(state, type(state).__name__)


def ask(context: Context, payment_id: UUID, session_id: str) -> Became:
    gateway = cards.gateway_of(context).hasty
    seen = stripe_reading.session_payment(gateway, session_id, payment_id)
    if seen is None:
        return known(payment_of(context, payment_id))
    state = cards.note_payment(context, seen)
    return Became(state, CALLED[seen.status]) if isinstance(state, Unbegun) else known(state)


def told(context: Context, payment_id: UUID, became: Became) -> dict[str, Any]:
    """Gather what the page says; amounts are absent where only Stripe knows of the payment."""
    state = became.state
    begun = checkout_of(state)
    paid = state.paid if isinstance(state, Succeeded) else None
    terms = paid or begun
    monthly = None if terms is None else terms.subscription_id
    return {
        "state": became.called,
        "asked": became.answered,
        "cents": paid.cents if paid else begun.cents + begun.fee_cover_cents if begun else None,
        "left_cents": remaining_cents(state) if isinstance(state, Succeeded) else None,
        "purpose": terms and terms.purpose,
        "partner_id": terms and terms.partner_id,
        "code": context.tickets.code(payment_id),
        "monthly": monthly is not None,
        "ended": monthly is not None and is_ended(context, monthly),
        "months": [] if monthly is None else months_of(context, monthly),
        "mailed": month_letters.are_sent(context),
    }


def months_of(context: Context, subscription_id: UUID) -> list[Month]:
    """Give the payments of a monthly gift that came, the newest first."""
    with context.pool.connection() as connection:
        found = payments.newest(
            connection, states=("succeeded",), subscription_id=subscription_id, limit=MONTHS_MAX
        )
    return [
        Month(
            civil_day(one.succeeded_at or one.begun_at),
            one.cents,
            context.tickets.code(one.payment_id),
        )
        for one in found
    ]


def is_ended(context: Context, subscription_id: UUID) -> bool:
    history = context.ledger.history(subscription, subscription_id)
    return isinstance(subscription.fold(one.event for one in history), Ended)


@router.post("/{payment_id}/{token}/end")
@public()
async def end_monthly(request: Request, payment_id: UUID, token: str) -> Response:
    """End a monthly gift, for whoever has the address of one of its payments."""
    context, form = context_of(request), await form_of(request)
    if not is_token(context, payment_id, token):
        raise PageNotFound
    if foreign(request):
        return barred(request, FormForeign())
    session_id = session_in(form) if form.get("session") else None
    try:
        await asking(lambda: end(context, payment_id, session_id))
        outcome = {"done": "ended"}
    except (StripeUnavailable, ObjectUnknown):
        outcome = {"problem": "away"}
    if session_id is not None:
        outcome |= {"session": session_id}
    path = return_path(context, payment_id)
    return secret(go(Address(path, outcome).written()))


def end(context: Context, payment_id: UUID, session_id: str | None) -> None:
    """End the monthly gift of a payment, which need not have come. Raises PageNotFound."""
    gateway = cards.gateway_of(context).hasty
    state = payment_of(context, payment_id)
    begun = checkout_of(state)
    stripe_id = None
    if isinstance(state, Succeeded) and state.paid.subscription_id is not None:
        stripe_id = stripe_reading.charge_subscription(gateway, state.paid.charge_id)
    elif begun is not None and begun.subscription_id is not None and session_id is not None:
        stripe_id = stripe_reading.session_subscription(gateway, session_id, payment_id)
    if stripe_id is None:
        raise PageNotFound
    stripe_reading.end_subscription(gateway, stripe_id)
    cards.apply(context, "subscription", stripe_id)
