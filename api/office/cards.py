"""Cards in the office: payments, disputes, payouts, and what Stripe and the ledger say unlike."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import card_reconciling, card_worker
from api import cards as payments_by_card
from api.auth import Actor, person_page
from api.cards import gateway_of, payment_of
from api.deps import Context, context_of
from api.forms import fields_of
from api.home import PAGE
from api.office.desk import FieldMalformed, Form, Officer, Problem, Reader, attempted, now
from api.pages import Address, go
from api.project_sheet import long_text
from api.refusals import PageNotFound
from api.till import sale_cents_of
from ledger import inbox
from ledger.decider import Refused
from ledger.payments.state import Succeeded
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


@router.api_route("", **PAGE)
async def show_all(request: Request, actor: Reader) -> Response:
    return await list_page(request, actor)


async def list_page(request: Request, actor: Actor, problem: Problem | None = None) -> Response:
    values = await run_in_threadpool(gathered, context_of(request))
    return answered(request, actor, "cards", values, problem)


def answered(
    request: Request, actor: Actor, page: str, values: dict[str, Any], problem: Problem | None
) -> Response:
    shown = values | {
        "problem": problem,
        "done": request.query_params.get("done"),
        "officer": actor.has("officer"),
        "here": router.prefix,
        "form_id": uuid4(),
    }
    status = 200 if problem is None else problem.status
    address = Address(request.url.path if request.method == "GET" else router.prefix)
    return person_page(request, f"office/{page}.html", shown, address, status=status)


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
            "newest": payments.newest(connection, states=("processing", "succeeded", "failed")),
            "payouts": payouts.every(connection),
            "dashboard": dashboard_of(context),
        }


def dashboard_of(context: Context) -> str:
    """Give where Stripe's own pages are: real payments and tests are apart there too."""
    live = context.gateway is None or context.gateway.livemode
    return DASHBOARD if live else f"{DASHBOARD}/test"


@router.api_route("/payments/{payment_id}", **PAGE)
async def show(request: Request, actor: Reader, payment_id: UUID) -> Response:
    return await payment_page(request, actor, payment_id)


async def payment_page(
    request: Request, actor: Actor, payment_id: UUID, problem: Problem | None = None
) -> Response:
    context = context_of(request)

    def told() -> dict[str, Any]:
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
            }

    return answered(request, actor, "card_payment", await run_in_threadpool(told), problem)


@router.api_route("/payouts/{payout_id}", **PAGE)
async def show_payout(request: Request, actor: Reader, payout_id: UUID) -> Response:
    context = context_of(request)

    def told() -> dict[str, Any]:
        with context.pool.connection() as connection:
            found = payouts.one(connection, payout_id)
            if found is None:
                raise PageNotFound
            return {"payout": found, "lines": payouts.lines(connection, payout_id)}

    return answered(request, actor, "card_payout", await run_in_threadpool(told), None)


async def carry_out(
    request: Request, actor: Actor, done: str, act: Callable[[Form], object]
) -> Response:
    """Do what a form of the first page asks, and lead back to it or say why not."""
    form = Form(await fields_of(request))
    problem = await attempted(form, lambda: act(form))
    if problem is not None:
        return await list_page(request, actor, problem)
    return go(f"{router.prefix}?done={done}")


@router.post("/reconciliation")
async def reconcile(request: Request, actor: Officer) -> Response:
    """Hold Stripe's word against the ledger now, and act upon what never came."""
    context = context_of(request)

    def act(_: Form) -> None:
        card_reconciling.reconcile(context)
        card_worker.work_off(context)

    return await carry_out(request, actor, "reconciled", act)


@router.post("/retry")
async def retry(request: Request, actor: Officer) -> Response:
    """Try again at once what failed so far."""
    context = context_of(request)

    def act(_: Form) -> None:
        gateway_of(context)
        with context.pool.connection() as connection:
            inbox.retry_now(connection)

    return await carry_out(request, actor, "retried", act)


@router.post("/disputes/{dispute_id}/evidence")
async def send_evidence(request: Request, actor: Officer, dispute_id: str) -> Response:
    """Send what speaks for the gift to the donor's bank. It is kept at Stripe, not here."""
    context = context_of(request)

    def act(form: Form) -> None:
        if form.text("confirmed") != "yes":
            raise NotConfirmed
        words = long_text(form, "words", EVIDENCE_MAX)
        with context.pool.connection() as connection:
            waiting = payments.disputes(connection, open_only=True)
        if dispute_id not in {one.dispute_id for one in waiting}:
            raise DisputeNotOpen
        gateway_of(context).send_evidence(dispute_id, words)

    return await carry_out(request, actor, "evidence_sent", act)


@router.post("/payments/{payment_id}/refund")
async def refund(request: Request, actor: Officer, payment_id: UUID) -> Response:
    """Give a payment back to the card it came from, in part or whole."""
    context, form = context_of(request), Form(await fields_of(request))

    def act() -> None:
        state = payment_of(context, payment_id)
        if not isinstance(state, Succeeded):
            raise NothingToRefund
        if form.text("confirmed") != "yes":
            raise NotConfirmed
        cents = sale_cents_of(form.text("amount"))
        if not cents:
            raise FieldMalformed(field="amount")
        charge_id = state.paid.charge_id
        gateway_of(context).refund(charge_id, cents, str(form.identifier("form_id")))
        payments_by_card.apply(context, "charge", charge_id)

    problem = await attempted(form, act)
    if problem is not None:
        return await payment_page(request, actor, payment_id, problem)
    return go(f"{router.prefix}/payments/{payment_id}?done=refunded")
