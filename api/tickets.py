"""The customer's ticket: what became of her gift, for whoever holds its code."""

from typing import Final

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.auth import public
from api.deps import context_of
from api.forms import form_of
from api.home import PAGE
from api.intake import Gift, find_gift
from api.pages import PRIVATE, Address, private_page
from ledger.tickets import MalformedCode, parse

router = APIRouter(prefix="/g", include_in_schema=False)

TYPED_MAX: Final = 60


@router.api_route("", **PAGE)
@public()
async def ask_code(request: Request) -> Response:
    """Ask for a code, or lead on to the ticket of the one in the query."""
    typed = request.query_params.get("code")
    return form(request) if typed is None else lead_on(request, typed)


@router.post("")
@public()
async def take_code(request: Request) -> Response:
    return lead_on(request, (await form_of(request)).get("code", ""))


def secret(response: Response) -> Response:
    """The address may hold the code, which is a secret: no site may learn it from a link."""
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def lead_on(request: Request, typed: str) -> Response:
    try:
        code = parse(typed)
    except MalformedCode as refusal:
        problem = str(refusal.fields["problem"]) if typed.strip() else "missing"
        return form(request, status=422, typed=typed, problem=problem)
    return secret(RedirectResponse(f"/g/{code}", 303, PRIVATE))


def form(
    request: Request, *, status: int = 200, typed: str = "", problem: str | None = None
) -> Response:
    values = {"typed": typed[:TYPED_MAX], "problem": problem}
    return secret(private_page(request, "ticket_form.html", values, Address("/g"), status=status))


@router.api_route("/{text}", **PAGE)
@public()
async def show(request: Request, text: str) -> Response:
    """Show a gift. A code that cannot be, and one that is not known, are both not found."""
    try:
        code = parse(text)
    except MalformedCode as refusal:
        return form(request, status=404, typed=text, problem=str(refusal.fields["problem"]))
    gift = await run_in_threadpool(find_gift, context_of(request), code)
    if gift is None:
        return form(request, status=404, typed=code, problem="unknown")
    return ticket(request, gift, code)


def ticket(request: Request, gift: Gift, code: str) -> Response:
    shop = context_of(request).admission.partner_name(gift.partner_id)
    values = {"gift": gift, "code": code, "shop": shop}
    return secret(private_page(request, "ticket.html", values))
