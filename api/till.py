"""The till page: a shopkeeper enters a sale, the customer taps, the ticket comes out."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.auth import public
from api.credentials import TooManyAttempts
from api.deps import context_of, till_of_key
from api.enrolment import accept_code
from api.errors import page_not_found, problem_page
from api.forms import foreign, form_of
from api.home import PAGE
from api.i18n import Language, language_of, offered
from api.intake import (
    OCCURRED_BEFORE,
    OCCURRED_FROM,
    DonationIn,
    Gift,
    gift_of,
    record_gift,
)
from api.login import address_of
from api.pages import HERE, Address, Values, go, private_page
from api.refusals import name_of
from ledger.asks import Ask as Wording
from ledger.asks import Choice, newest
from ledger.decider import Refused
from ledger.donations import DonationDiffers
from ledger.sales import ADD_ONS_CENTS, round_up
from ledger.tills import EnrolmentExpired, EnrolmentNotOffered, TillIsRevoked
from projections.admission import AdmittedTill

router = APIRouter(prefix="/till", include_in_schema=False)

COOKIE: Final = "till"
COOKIE_SECONDS: Final = 365 * 24 * 3600
KEY_PREFIX: Final = "dpt_"
# No price that can be typed reaches this: seven digits of euros.
TYPED_CENTS_END: Final = 10**9
TYPED_SALE: Final = re.compile(
    r"(?P<euros>[0-9]{1,7}|[0-9]{1,3}(?:[ \u00a0\u202f][0-9]{3}){1,2})"
    r"(?:[.,](?P<cents>[0-9]{1,2}))?"
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One gift that a customer is asked for."""

    choice: Choice
    cents: int
    total_cents: int
    ask: Wording

    @property
    def name(self) -> str:
        """What its button sends; how much rounds a sale up, the sale says."""
        return self.choice if self.choice == "round_up" else f"{self.choice}-{self.cents}"

    def question(self, money: Callable[[int], str]) -> str:
        """Write the ask's words with the amounts of this sale."""
        return self.ask.wording.format(amount=money(self.cents), total=money(self.total_cents))


@dataclass(frozen=True, slots=True)
class Ask:
    """A sale shown to a customer. Its id and time travel with it: sent twice, it is one gift.

    `wished_cents` is an amount that the customer named herself.
    """

    donation_id: UUID
    sale_cents: int
    asked_at: datetime
    wished_cents: int | None = None

    def query(self) -> dict[str, str]:
        """Give the ask as the query of its page's address, and as its form's hidden fields."""
        wished = {} if self.wished_cents is None else {"wished": str(self.wished_cents)}
        return {
            "sale": str(self.sale_cents),
            "gift": str(self.donation_id),
            "at": str(int(self.asked_at.timestamp())),
            **wished,
        }

    def choices(self) -> list[tuple[Choice, int]]:
        """Give each gift proposed with its cents: what was wished, the round total, the others."""
        wished = [] if self.wished_cents is None else [self.wished_cents]
        added: list[tuple[Choice, int]] = [("add_on", cents) for cents in (*wished, *ADD_ONS_CENTS)]
        up = round_up(self.sale_cents)
        if up:
            added.insert(len(wished), ("round_up", up))
        return list(dict.fromkeys(added))

    def proposals(self, language: Language) -> list[Proposal]:
        """Give what the customer reads of each choice: the words that the record will name."""
        return [
            Proposal(choice, cents, self.sale_cents + cents, newest(choice, language))
            for choice, cents in self.choices()
        ]


def ask_of(fields: Mapping[str, str]) -> Ask | None:
    """Read an ask from the query of its page or the fields of its form; None if it is none."""
    try:
        sale_cents = int(fields["sale"])
        asked_at = datetime.fromtimestamp(int(fields["at"]), UTC)
        wished_cents = int(fields["wished"]) if "wished" in fields else None
        ask = Ask(UUID(fields["gift"]), sale_cents, asked_at, wished_cents)
    except (KeyError, ValueError, OverflowError, OSError):
        return None
    possible = all(0 < cents < TYPED_CENTS_END for cents in (sale_cents, wished_cents or 1))
    in_time = OCCURRED_FROM <= asked_at < OCCURRED_BEFORE
    return ask if possible and in_time and wished_cents != 0 else None


def sale_cents_of(text: str) -> int | None:
    """Read a price as people write it: `12,34`, `12.34`, `12`, `1 234,50 €`; None if it is none.

    Spaces are taken between thousands only, so that `12 34` is not read as 1,234 euros.
    """
    typed = TYPED_SALE.fullmatch(text.strip().removesuffix("€").removeprefix("€").strip())
    if typed is None:
        return None
    euros = int(re.sub(r"\D", "", typed["euros"]))
    return euros * 100 + int((typed["cents"] or "").ljust(2, "0"))


async def till_here(request: Request) -> AdmittedTill | None:
    key = request.cookies.get(COOKIE)
    return await till_of_key(context_of(request), key) if key else None


def shop_page(
    request: Request, till: AdmittedTill, template: str, values: Values, address: Address = HERE
) -> Response:
    """Answer with a page of an open till, which says at which shop it stands."""
    shop = context_of(request).admission.partner_name(till.partner_id)
    known = {**values, "till": till, "shop": shop}
    return private_page(request, template, known, address)


@router.api_route("", **PAGE)
@public()
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
@public()
async def take_key(request: Request) -> Response:
    if foreign(request):
        return problem_page(request, "foreign_form")
    typed = (await form_of(request)).get("key", "").strip()
    context = context_of(request)
    key: str | None = typed
    problem = "unknown" if typed else "missing"
    if typed and not typed.startswith(KEY_PREFIX):
        key, problem = await key_of_code(request, typed)
    if not key or await till_of_key(context, key) is None:
        values = {"problem": problem}
        return private_page(request, "till/key.html", values, Address("/till"), status=422)
    response = go("/till")
    remember_key(request, response, key)
    return response


async def key_of_code(request: Request, code: str) -> tuple[str | None, str]:
    """Give the key of the till that waits for a code; else say what is wrong with the code."""
    context = context_of(request)
    try:
        enrolment = await run_in_threadpool(accept_code, context, code, address_of(request))
    except (EnrolmentNotOffered, EnrolmentExpired, TillIsRevoked, TooManyAttempts) as refusal:
        return None, name_of(refusal)
    return enrolment.key, ""


def remember_key(request: Request, response: Response, key: str) -> None:
    """Let the browser hold a till's key where no script can read it."""
    response.set_cookie(
        COOKIE,
        key,
        COOKIE_SECONDS,
        path=router.prefix,
        secure=context_of(request).settings.public_url.startswith("https:"),
        httponly=True,
        samesite="strict",
    )


@router.post("/leave")
@public()
async def leave(request: Request) -> Response:
    if foreign(request):
        return problem_page(request, "foreign_form")
    response = go("/till")
    response.delete_cookie(COOKIE, router.prefix)
    return response


@router.post("/ask")
@public()
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
        values = {"typed": typed, "problem": problem_of(typed, sale_cents)}
        response = shop_page(request, till, "till/sale.html", values, Address("/till"))
        response.status_code = 422
        return response
    return go("/till/ask", Ask(uuid4(), sale_cents, datetime.now(UTC)).query())


def problem_of(typed: str, cents: int | None) -> str:
    """Name what is wrong with an amount that is none."""
    return "missing" if not typed.strip() else "zero" if cents == 0 else "malformed"


@router.api_route("/ask", **PAGE)
@public()
async def show_ask(request: Request) -> Response:
    """Show the customer what may be given; once it is given, the ticket.

    An amount that she names is asked for in the same words as any other, before it is given.
    """
    till = await till_here(request)
    ask = ask_of(request.query_params)
    if till is None or ask is None:
        return go("/till")
    if await gift_at(request, till, ask.donation_id) is not None:
        return go(f"/till/tickets/{ask.donation_id}")
    typed, problem = request.query_params.get("amount"), None
    if typed is not None:
        cents = sale_cents_of(typed)
        if cents:
            return go("/till/ask", replace(ask, wished_cents=cents).query())
        problem = problem_of(typed, cents)
    proposals = ask.proposals(language_of(request))
    values = {
        "ask": ask,
        "proposals": proposals,
        "first": proposals[0],
        "typed": typed or "",
        "problem": problem,
    }
    query = ask.query() | ({} if typed is None else {"amount": typed})
    response = shop_page(request, till, "till/ask.html", values, Address(query=query))
    response.status_code = 422 if problem else 200
    return response


@router.post("/gifts")
@public()
async def give(request: Request) -> Response:
    """Record the gift that was chosen, once, and lead to its ticket."""
    if foreign(request):
        return problem_page(request, "foreign_form")
    till = await till_here(request)
    fields = await form_of(request)
    ask, language = ask_of(fields), fields.get("language")
    if till is None or ask is None or not offered(language):
        return go("/till")
    chosen = [one for one in ask.proposals(language) if one.name == fields.get("choice")]
    if not chosen:
        return go("/till")
    ticket = f"/till/tickets/{ask.donation_id}"
    try:
        await record_gift(context_of(request), till, donation_of(ask, chosen[0]))
    except DonationDiffers:
        return go(ticket, {"again": "1"})
    except Refused:
        return go("/till")
    return go(ticket)


def donation_of(ask: Ask, chosen: Proposal) -> DonationIn:
    return DonationIn(
        donation_id=ask.donation_id,
        occurred_at=ask.asked_at,
        amount_cents=chosen.cents,
        source="customer",
        purchase_cents=ask.sale_cents,
        ask_id=chosen.ask.ask_id,
    )


@router.api_route("/tickets/{text}", **PAGE)
@public()
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
