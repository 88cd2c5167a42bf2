"""Where Stripe announces what happened: believed if signed, stored once, answered at once.

Nothing is acted upon here: what is stored is taken up by the worker (api/card_worker.py).
"""

from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.auth import public
from api.bodies import body_of, header_of
from api.cards import gateway_of
from api.deps import context_of
from api.openapi import refusals
from api.refusals import UNCACHED
from ledger.payments.commands import CardsOff

PATH: Final = "/api/v1/stripe/webhook"
# Stripe's own are below 100 kB; an invoice with many lines may be longer.
BODY_BYTES_MAX: Final = 524_288
STORED: Final = b'{"stored":true}'
STORED_RESPONSE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Stored for good; sending it again changes nothing"}
}

router = APIRouter(prefix=PATH, tags=["cards"])


@router.post(
    "",
    responses=refusals(400, 404, 413, 503) | STORED_RESPONSE,
)
@public()
async def take(request: Request) -> Response:
    """Take what Stripe announces; its signature says that it is Stripe."""
    context = context_of(request)
    gateway = gateway_of(context)
    if not gateway.hears:
        raise CardsOff
    body = await body_of(request, BODY_BYTES_MAX)
    announced = gateway.announced(body, header_of(request, b"stripe-signature"))
    await context.inbox.put(announced)
    return Response(STORED, 200, UNCACHED, "application/json")
