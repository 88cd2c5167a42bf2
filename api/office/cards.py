"""Cards in the office: payments, disputes, payouts, and what Stripe and the ledger say unlike."""

from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import card_reconciling, card_worker, letters, month_letters
from api import cards as payments_by_card
from api.bank_bounds import keep_within
from api.bank_matching import catch_up
from api.cards import gateway_of, payment_of
from api.deps import Context
from api.home import PAGE
from api.office.desk import Form, Officer, Reader, now
from api.office.page import OfficePage
from api.refusals import PageNotFound
from api.turns import MONEY, one_at_a_time
from ledger import inbox
from ledger.allocations import Allocation
from ledger.decider import Refused
from ledger.payments.state import Succeeded, remaining_cents
from projections import payments, payouts

router = APIRouter(prefix="/office/cards", include_in_schema=False)

EVIDENCE_MAX: Final = 5_000
DASHBOARD: Final = "https://dashboard.stripe.com"


class NothingToRefund(Refused):
    """Only money that came, and is still here, is given back."""


class DisputeNotOpen(Refused):
    """No dispute of this name waits for evidence."""


class NotConfirmed(Refused):
    """What cannot be taken back is confirmed first."""


def gathered(context: Context) -> dict[str, Any]:
    """Gather what is known of cards; without a key, only that they are off."""
    gateway = context.gateway
    with context.pool.connection() as connection:
        return {
            "on": gateway is not None,
            "live": gateway is not None and gateway.livemode,
            "hears": gateway is not None and gateway.hears,
            "described": payments_by_card.taken(context),
            "counts": inbox.counts(connection),
            "failing": inbox.failing(connection),
            "last": card_reconciling.newest(context),
            "differences": payouts.differences(connection, now()),
            "disputes": payments.disputes(connection),
            "sums": payments.sums(connection),
            "monthly": payments.monthly_going(connection),
            "mailed": month_letters.are_sent(context),
            "newest": payments.newest(connection, states=("processing", "succeeded", "failed")),
            "payouts": payouts.every(connection),
            "dashboard": dashboard_of(context),
        }


def dashboard_of(context: Context) -> str:
    """Give where Stripe's own pages are: real payments and tests are apart there too."""
    live = context.gateway is None or context.gateway.livemode
    return DASHBOARD if live else f"{DASHBOARD}/test"


LIST: Final = OfficePage("office/cards.html", router.prefix, gathered)


@router.api_route("", **PAGE)
async def show_all(request: Request, _: Reader) -> Response:
    return await LIST.show(request)


def told(context: Context, payment_id: UUID) -> dict[str, Any]:
    """Gather a payment with its refunds and disputes. Raises PageNotFound."""
    with context.pool.connection() as connection:
        found = payments.one(connection, payment_id)
        if found is None:
            raise PageNotFound
        charge_id = found.charge_id
        return {
            "payment": found,
            "refunds": payments.refunds(connection, payment_id),
            "disputes": payments.disputes(connection, payment_id),
            "payout": None if charge_id is None else payouts.of_charge(connection, charge_id),
            "dashboard": dashboard_of(context),
            "on": context.gateway is not None,
            "letter": letters.noted(context, "month", payment_id),
            "here": router.prefix,
            "form_id": uuid4(),
        }


def payment_page(payment_id: UUID) -> OfficePage:
    gather = partial(told, payment_id=payment_id)
    return OfficePage("office/card_payment.html", f"{router.prefix}/payments/{payment_id}", gather)


@router.api_route("/payments/{payment_id}", **PAGE)
async def show(request: Request, _: Reader, payment_id: UUID) -> Response:
    return await payment_page(payment_id).show(request)


@router.api_route("/payouts/{payout_id}", **PAGE)
async def show_payout(request: Request, _: Reader, payout_id: UUID) -> Response:
    def gather(context: Context) -> dict[str, Any]:
        with context.pool.connection() as connection:
            found = payouts.one(connection, payout_id)
            if found is None:
                raise PageNotFound
            lines = payouts.lines(connection, payout_id)
        return {"payout": found, "lines": lines, "here": router.prefix}

    path = f"{router.prefix}/payouts/{payout_id}"
    return await OfficePage("office/card_payout.html", path, gather).show(request)


@router.post("/reconciliation")
async def reconcile(request: Request, _: Officer) -> Response:
    """Hold Stripe's word against the ledger now, and act upon what never came."""

    def act(context: Context, _: Form) -> None:
        card_reconciling.reconcile(context)
        card_worker.work_off(context)

    return await LIST.carry_out(request, "reconciled", act)


@router.post("/retry")
async def retry(request: Request, _: Officer) -> Response:
    """Try again at once what failed so far."""

    def act(context: Context, _: Form) -> None:
        gateway_of(context)
        with context.pool.connection() as connection:
            inbox.retry_now(connection)

    return await LIST.carry_out(request, "retried", act)


@router.post("/disputes/{dispute_id}/evidence")
async def send_evidence(request: Request, _: Officer, dispute_id: str) -> Response:
    """Send what speaks for the gift to the donor's bank. It is kept at Stripe, not here."""

    def act(context: Context, form: Form) -> None:
        if form.text("confirmed") != "yes":
            raise NotConfirmed
        words = form.long_text("words", EVIDENCE_MAX)
        with context.pool.connection() as connection:
            waiting = payments.disputes(connection, open_only=True)
        if dispute_id not in {one.dispute_id for one in waiting}:
            raise DisputeNotOpen
        gateway_of(context).send_evidence(dispute_id, words)

    return await LIST.carry_out(request, "evidence_sent", act)


def still_there(context: Context, paid: Succeeded, cents: int) -> None:
    """Raise TargetLacks where the money of a statement went back already in another way.

    What is more than is left of the payment, Stripe refuses, or gave back to this very form.
    """
    if paid.paid.purpose != "statement" or cents > remaining_cents(paid):
        return
    statement_id, partner_id = paid.paid.purpose_id, paid.paid.partner_id
    taken = Allocation(
        target="statement", target_id=statement_id, partner_id=partner_id, cents=-cents
    )
    with one_at_a_time(context.pool, MONEY), context.pool.connection() as connection:
        catch_up(connection)
        keep_within(connection, [taken])


@router.post("/payments/{payment_id}/refund")
async def refund(request: Request, _: Officer, payment_id: UUID) -> Response:
    """Give a payment back to the card it came from, in part or whole."""

    def act(context: Context, form: Form) -> None:
        state = payment_of(context, payment_id)
        if not isinstance(state, Succeeded):
            raise NothingToRefund
        if form.text("confirmed") != "yes":
            raise NotConfirmed
        cents = form.cents("amount")
        still_there(context, state, cents)
        charge_id = state.paid.charge_id
        gateway_of(context).refund(charge_id, cents, f"{form.identifier('form_id')} {cents}")
        payments_by_card.apply(context, "charge", charge_id)

    return await payment_page(payment_id).carry_out(request, "refunded", act)
