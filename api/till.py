"""The till page: a shopkeeper enters a sale, the customer taps, the ticket comes out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.bodies import body_of
from api.deps import context_of, till_of_key
from api.errors import page_not_found, problem_page
from api.home import PAGE
from api.i18n import Language, offered
from api.intake import DonationIn, Gift, gift_of, record_gift
from api.pages import HERE, PRIVATE, Address, Values, private_page
from ledger.decider import Refused
from ledger.donations import DonationDiffers
from ledger.sales import round_up
from projections.admission import AdmittedTill

router = APIRouter(prefix="/till", include_in_schema=False)

COOKIE: Final = "till"
COOKIE_SECONDS: Final = 365 * 24 * 3600
FORM_BYTES_MAX: Final = 4_096
ADD_ON_CENTS: Final = 100
# What the customer reads is part of the record: change the number with the words of ask.html.
ASK_VERSION: Final = 1
TYPED_SALE: Final = re.compile(
    r"(?P<euros>[0-9]{1,7}|[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3}){1,2})"
    r"(?:[.,](?P<cents>[0-9]{1,2}))?"
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One proposal to one customer. Its id and time travel with it: sent twice, it is one gift."""

    donation_id: UUID
    sale_cents: int
    asked_at: datetime

    def query(self) -> dict[str, str]:
        """Give the ask as the query of its page's address, and as its form's hidden fields."""
        return {
            "sale": str(self.sale_cents),
            "gift": str(self.donation_id),
            "at": str(int(self.asked_at.timestamp())),
        }

    def choices(self) -> dict[str, int]:
        """Give the cents of each gift proposed, the one that makes a round total first."""
        return {
            name: cents
            for name, cents in (("round_up", round_up(self.sale_cents)), ("add_on", ADD_ON_CENTS))
            if cents
        }


def ask_of(fields: Mapping[str, str]) -> Ask | None:
    """Read an ask from the query of its page or the fields of its form; None if it is none."""
    try:
        sale_cents = int(fields["sale"])
        asked_at = datetime.fromtimestamp(int(fields["at"]), UTC)
        ask = Ask(UUID(fields["gift"]), sale_cents, asked_at)
    except (KeyError, ValueError, OverflowError, OSError):
        return None
    return ask if 0 < sale_cents < 10**9 else None


def sale_cents_of(text: str) -> int | None:
    """Read a price as people write it: `12,34`, `12.34`, `12`, `1 234,50 €`; None if it is none.

    Spaces are taken between thousands only, so that `12 34` is not read as 1,234 euros.
    """
    typed = TYPED_SALE.fullmatch(text.strip().removesuffix("€").removeprefix("€").strip())
    if typed is None:
        return None
    euros = int(re.sub(r"\D", "", typed["euros"]))
    return euros * 100 + int((typed["cents"] or "").ljust(2, "0"))


def foreign(request: Request) -> bool:
    """Tell whether another site sent this form (beside the cookie, which is SameSite=Strict)."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


async def form_of(request: Request) -> dict[str, str]:
    """Read a form's fields, the first of each name."""
    body = await body_of(request, FORM_BYTES_MAX)
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


async def till_here(request: Request) -> AdmittedTill | None:
    key = request.cookies.get(COOKIE)
    return await till_of_key(context_of(request), key) if key else None


def go(path: str, query: Mapping[str, str] | None = None) -> Response:
    address = f"{path}?{urlencode(query)}" if query else path
    return RedirectResponse(address, 303, PRIVATE)


def shop_page(
    request: Request, till: AdmittedTill, template: str, values: Values, address: Address = HERE
) -> Response:
    """Answer with a page of an open till, which says at which shop it stands."""
    shop = context_of(request).admission.partner_name(till.partner_id)
    known = {**values, "till": till, "shop": shop}
    return private_page(request, template, known, address)


@router.api_route("", **PAGE)
async def open_till(request: Request) -> Response:
    """Ask for the sale; for the key where none is held, or the one held was revoked."""
    till = await till_here(request)
    if till is not None:
        return shop_page(request, till, "till/sale.html", {"typed": "", "problem": None})
    revoked = COOKIE in request.cookies
    response = private_page(request, "till/key.html", {"problem": "revoked" if revoked else None})
    if revoked:
        response.delete_cookie(COOKIE, router.prefix)
    return response


@router.post("/key")
async def take_key(request: Request) -> Response:
    if foreign(request):
        return problem_page(request, "foreign_form")
    key = (await form_of(request)).get("key", "").strip()
    context = context_of(request)
    if not key or await till_of_key(context, key) is None:
        problem = "unknown" if key else "missing"
        return private_page(
            request, "till/key.html", {"problem": problem}, Address("/till"), status=422
        )
    response = go("/till")
    response.set_cookie(
        COOKIE,
        key,
        COOKIE_SECONDS,
        path=router.prefix,
        secure=context.settings.public_url.startswith("https:"),
        httponly=True,
        samesite="strict",
    )
    return response


@router.post("/leave")
async def leave(request: Request) -> Response:
    if foreign(request):
        return problem_page(request, "foreign_form")
    response = go("/till")
    response.delete_cookie(COOKIE, router.prefix)
    return response


@router.post("/ask")
async def make_ask(request: Request) -> Response:
    """Take the sale and lead to its ask, whose address keeps its id through reloads."""
    if foreign(request):
        return problem_page(request, "foreign_form")
    till = await till_here(request)
    if till is None:
        return go("/till")
    typed = (await form_of(request)).get("sale", "")
    sale_cents = sale_cents_of(typed)
    if not sale_cents:
        problem = "missing" if not typed.strip() else "zero" if sale_cents == 0 else "malformed"
        values = {"typed": typed, "problem": problem}
        response = shop_page(request, till, "till/sale.html", values, Address("/till"))
        response.status_code = 422
        return response
    return go("/till/ask", Ask(uuid4(), sale_cents, datetime.now(UTC)).query())


@router.api_route("/ask", **PAGE)
async def show_ask(request: Request) -> Response:
    """Show the customer what may be given; once it is given, the ticket."""
    till = await till_here(request)
    ask = ask_of(request.query_params)
    if till is None or ask is None:
        return go("/till")
    if await gift_at(request, till, ask.donation_id) is not None:
        return go(f"/till/tickets/{ask.donation_id}")
    return shop_page(request, till, "till/ask.html", {"ask": ask}, Address(query=ask.query()))


@router.post("/gifts")
async def give(request: Request) -> Response:
    """Record the gift that was chosen, once, and lead to its ticket."""
    if foreign(request):
        return problem_page(request, "foreign_form")
    till = await till_here(request)
    fields = await form_of(request)
    ask, choice, language = ask_of(fields), fields.get("choice", ""), fields.get("language")
    if till is None or ask is None or choice not in ask.choices() or not offered(language):
        return go("/till")
    ticket = f"/till/tickets/{ask.donation_id}"
    try:
        await record_gift(context_of(request), till, donation_of(ask, choice, language))
    except DonationDiffers:
        return go(ticket, {"again": "1"})
    except Refused:
        return go("/till")
    return go(ticket)


def donation_of(ask: Ask, choice: str, language: Language) -> DonationIn:
    return DonationIn(
        donation_id=ask.donation_id,
        occurred_at=ask.asked_at,
        amount_cents=ask.choices()[choice],
        source="customer",
        purchase_cents=ask.sale_cents,
        ask_id=f"till-{choice.replace('_', '-')}-{language}-{ASK_VERSION}",
    )


@router.api_route("/tickets/{text}", **PAGE)
async def show_ticket(request: Request, text: str) -> Response:
    """Show the ticket of a gift made at this shop."""
    till = await till_here(request)
    if till is None:
        return go("/till")
    try:
        gift = await gift_at(request, till, UUID(text))
    except ValueError:
        gift = None
    if gift is None:
        return page_not_found(request)
    context = context_of(request)
    code = context.tickets.code(gift.donation_id)
    again = request.query_params.get("again") == "1"
    values = {
        "gift": gift,
        "code": code,
        "address": f"{context.settings.public_url}/g/{code}",
        "again": again,
    }
    here = Address(query={"again": "1"} if again else {})
    return shop_page(request, till, "till/ticket.html", values, here)


async def gift_at(request: Request, till: AdmittedTill, donation_id: UUID) -> Gift | None:
    """Give a gift if this till's shop collected it."""
    gift = await run_in_threadpool(gift_of, context_of(request), donation_id)
    return gift if gift is not None and gift.partner_id == till.partner_id else None
