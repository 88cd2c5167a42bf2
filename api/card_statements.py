"""A shop pays a statement by card, where it would rather than by transfer."""

from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import checkouts
from api.asking import asking
from api.cards import taken
from api.checkouts import TooManyTries, Wish
from api.deps import Context, context_of
from api.forms import form_of
from api.give import AWAY, Target, form_id_in, policy, words_of
from api.home import PAGE
from api.i18n import Language, language_of
from api.my import Manager, check_own, shop_of, shop_page
from api.my_statements import numbered
from api.pages import PRIVATE
from ledger.decider import Refused
from ledger.payments.commands import CardsOff
from projections import payments
from projections.statements import Statement

router = APIRouter(prefix="/my/shops/{partner_id}/statements", include_in_schema=False)


class NothingOutstanding(Refused):
    """This statement asks for nothing any more."""


class PaymentOnItsWay(Refused):
    """A payment by card for this statement is on its way: it would be paid twice."""


@router.api_route("/{number}/card", **PAGE)
async def ask(request: Request, actor: Manager, partner_id: UUID, number: int) -> Response:
    check_own(actor, partner_id)
    return await card_page(request, partner_id, number)


async def card_page(
    request: Request, partner_id: UUID, number: int, refusal: Refused | None = None
) -> Response:
    context = context_of(request)

    def gathered() -> dict[str, Any]:
        with context.pool.connection() as connection:
            shop = shop_of(connection, partner_id)
            found = numbered(connection, partner_id, number)
            on_its_way = payments.on_its_way_cents(connection, found.statement_id)
        told = {"statement": found, "on_its_way_cents": on_its_way, "on": taken(context)}
        return shop | told | {"form_id": uuid4()}

    page = shop_page(request, "statement_card", await run_in_threadpool(gathered), refusal)
    page.headers["Content-Security-Policy"] = policy(context)
    return page


@router.post("/{number}/card")
async def pay(request: Request, actor: Manager, partner_id: UUID, number: int) -> Response:
    """Begin the payment of what is left of a statement, and lead on to Stripe's page."""
    check_own(actor, partner_id)
    context, form = context_of(request), await form_of(request)
    language = language_of(request)

    def act() -> str:
        if not taken(context):
            raise CardsOff
        wish = wish_for(context, partner_id, number, language)
        return checkouts.begin(context, form_id_in(form), wish, str(actor))

    try:
        address = await asking(act)
    except (*AWAY, NothingOutstanding, PaymentOnItsWay, TooManyTries) as refusal:
        return await card_page(request, partner_id, number, refusal)
    return RedirectResponse(address, 303, PRIVATE)


def wish_for(context: Context, partner_id: UUID, number: int, language: Language) -> Wish:
    """Make what is left of a statement a payment. Raises NothingOutstanding, PaymentOnItsWay."""
    with context.pool.connection() as connection:
        found: Statement = numbered(connection, partner_id, number)
        on_its_way = payments.on_its_way_cents(connection, found.statement_id)
    if found.outstanding_cents <= 0:
        raise NothingOutstanding(number=number)
    if on_its_way:
        raise PaymentOnItsWay(number=number)
    return Wish(
        purpose="statement",
        purpose_id=found.statement_id,
        partner_id=partner_id,
        cents=found.outstanding_cents,
        fee_cover_cents=0,
        interval="once",
        words=words_of(Target("statement", found.statement_id, str(number)), language),
        language=language,
        cancel_path=f"/my/shops/{partner_id}/statements/{number}",
    )
