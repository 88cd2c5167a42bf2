"""From one ticket of a monthly gift to all of them: by a letter to whoever gives, and no other way.

A ticket opens one gift, and may have been handed on. So its holder is shown nothing of the other
months: where they are, and where the gift is ended, is written to the address that Stripe knows.
"""

from uuid import UUID

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import month_letters
from api.auth import public
from api.ballots import ticket_of
from api.deps import Context, context_of
from api.forms import form_of
from api.guesses import origin_of
from api.refusals import PageNotFound
from api.tickets import NO_TICKET, go, no_ticket

router = APIRouter(prefix="/g", include_in_schema=False)


@router.post("/{text}/months")
@public()
async def ask_for_months(request: Request, text: str) -> Response:
    """Write to the giver; the answer is the same whether she could be written to or not."""
    context, form = context_of(request), await form_of(request)
    mark = form.get("opened", "")
    try:
        ticket = await ticket_of(context, text, origin_of(request), mark)
    except NO_TICKET as refusal:
        return no_ticket(request, text, refusal)
    await run_in_threadpool(ask, context, ticket.donation_id)
    code = context.tickets.code(ticket.donation_id)
    return go(f"/g/{code}", asked="months", opened=mark)


def ask(context: Context, donation_id: UUID) -> None:
    """Let a letter be sent about the monthly gift of a gift. Raises PageNotFound for others."""
    subscription_id = month_letters.monthly(context, donation_id)
    if subscription_id is None or not month_letters.can_ask(context):
        raise PageNotFound
    month_letters.ask_for_months(context, subscription_id)
