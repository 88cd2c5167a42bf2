"""The partner shops: their pages and the JSON twins."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query
from psycopg import Connection
from starlette.requests import Request
from starlette.responses import Response

from api.auth import public
from api.errors import page_not_found
from api.home import FIGURES, JSON, PAGE, UNCHANGED
from api.journal import POSITION_MAX, whole_number
from api.openapi import refusals
from api.pages import Address, public_page
from api.partner_twins import PartnerFiguresOut, PartnersOut, partner_json, partners_json
from api.refusals import PartnerNotFound
from api.snapshots import snapshot
from ledger.calendar import civil_day
from ledger.partners.register import SECTORS, Sector
from projections import balances, partners, standings
from projections.partners import DIRECTORY_PAGE
from projections.read_model import as_of

router = APIRouter()

QUERY_MAX: Final = 120
PAGES_MAX: Final = 10_000

Text = Annotated[str, Query(max_length=QUERY_MAX, pattern=r"^[^\x00]*$")]
KnownAt = Annotated[int | None, Query(ge=0, le=POSITION_MAX)]


@dataclass(frozen=True, slots=True)
class Search:
    """What the directory's form asks: part of a name, a place, a sector, and which page."""

    query: str = ""
    place: str = ""
    sector: str = ""
    page: int = 1

    @property
    def asked(self) -> dict[str, str]:
        """The fields of the form that narrow the directory."""
        told = {"query": self.query, "place": self.place, "sector": self.sector}
        return {name: text for name, text in told.items() if text}

    def address(self, page: int) -> str:
        told = self.asked | ({} if page == 1 else {"page": str(page)})
        return f"/partners?{urlencode(told)}".rstrip("?")


def search_of(request: Request) -> Search:
    """Read the directory's form from an address; what makes no sense asks for nothing."""
    asked = request.query_params

    def text(name: str) -> str:
        typed = asked.get(name, "").strip()
        return typed if len(typed) <= QUERY_MAX and typed.isprintable() else ""

    sector = text("sector")
    return Search(
        query=text("query"),
        place=text("place"),
        sector=sector if sector in SECTORS else "",
        page=whole_number(asked.get("page"), PAGES_MAX) or 1,
    )


def partners_page(connection: Connection[Any], search: Search) -> dict[str, Any]:
    """Gather one page of the directory, with what was given at the shops that publish it."""
    found = partners.directory(
        connection,
        search.query,
        search.place or None,
        search.sector or None,
        offset=(search.page - 1) * DIRECTORY_PAGE,
    )
    count = found[0].found if found else 0
    more = search.page * DIRECTORY_PAGE < count
    return {
        "partners": found,
        "known": {one.partner_id: one for one in partners.every(connection)},
        "count": count,
        "search": search,
        "places": partners.places(connection),
        "sectors": SECTORS,
        "next": search.address(search.page + 1) if more else None,
        "previous": search.address(search.page - 1) if search.page > 1 else None,
        "json_twin": f"/api/v1/partners?{urlencode(search.asked)}".rstrip("?"),
        "as_of": as_of(connection, *FIGURES),
    }


def day_asked(request: Request) -> date | None:
    """Give the day of the question "was it a partner on …?", None when it is none."""
    try:
        return date.fromisoformat(request.query_params.get("on", ""))
    except ValueError:
        return None


def partner_page(connection: Connection[Any], partner_id: UUID, on: date | None) -> dict[str, Any]:
    """Gather what everybody may know of a partner, and what it was on the day asked about."""
    partner = partners.one(connection, partner_id)
    facts = standings.facts(connection, partner_id)
    if partner is None or facts is None:
        raise PartnerNotFound(partner_id=partner_id)
    today = civil_day(datetime.now(UTC))
    history = standings.history(connection, partner_id)
    figures = balances.figures_of_partner(connection, partner_id) if partner.publishes else None
    return {
        "partner": partner,
        "standing": standings.answer(connection, partner_id, today),
        "agreement": standings.agreement_on(facts, today),
        "granted": bool(facts.grants),
        "figures": figures,
        "history": list(reversed(history)),
        "today": today,
        "on": on,
        "then": None if on is None else standings.answer(connection, partner_id, on),
        "json_twin": f"/api/v1/partners/{partner_id}" + (f"?on={on.isoformat()}" if on else ""),
        "as_of": as_of(connection, *FIGURES),
    }


@router.api_route("/partners", **PAGE)
@public()
async def show_partners(request: Request) -> Response:
    search = search_of(request)
    query = search.asked | ({} if search.page == 1 else {"page": str(search.page)})
    gather = partial(partners_page, search=search)
    return await public_page(request, "partners.html", gather, Address(query=query))


@router.api_route("/partners/{text}", **PAGE)
@public()
async def show_partner(request: Request, text: str) -> Response:
    """Show one partner. What is no id at all is not found, like an id that nobody has."""
    on = day_asked(request)
    typed = request.query_params.get("on", "")
    try:
        gather = partial(partner_page, partner_id=UUID(text), on=on)
    except ValueError:
        return page_not_found(request)
    query = {"on": on.isoformat()} if on else {"on": "?"} if typed else {}

    def with_problem(connection: Connection[Any]) -> dict[str, Any]:
        return {**gather(connection), "problem": bool(typed) and on is None}

    try:
        return await public_page(request, "partner.html", with_problem, Address(query=query))
    except PartnerNotFound:
        return page_not_found(request)


@router.get("/api/v1/partners", response_model=PartnersOut, responses=UNCHANGED | refusals(422))
@public()
async def list_partners(
    request: Request, query: Text = "", place: Text = "", sector: Sector | None = None
) -> Response:
    """Give every partner, or those that match; figures only where the shop lets them be known."""
    build = partial(partners_json, query=query, place=place or None, sector=sector)
    return await snapshot(request, JSON, build, variant=repr((query, place, sector)))


@router.get(
    "/api/v1/partners/{partner_id}",
    response_model=PartnerFiguresOut,
    responses=UNCHANGED | refusals(404, 422),
)
@public()
async def one_partner(
    request: Request, partner_id: UUID, on: date | None = None, known_at: KnownAt = None
) -> Response:
    """Give one partner: its standing on a day as the ledger knew it at a position, and why.

    The day is today, and the position the newest, when they are left out.
    """
    build = partial(partner_json, partner_id=partner_id, on=on, known_at=known_at)
    return await snapshot(request, JSON, build, variant=repr((on, known_at)))
