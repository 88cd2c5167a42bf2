"""The partner's badge: signed, in words for any day, as a picture, as a sticker for the window."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from markupsafe import Markup
from psycopg import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.auth import public
from api.badge_documents import Desk, open_desk, shop_on
from api.badge_sticker import NotAPartner, sticker_of
from api.deps import context_of
from api.errors import page_not_found
from api.home import PAGE
from api.i18n import language_of
from api.pages import HERE, PRIVATE, Address, environment, public_page
from api.refusals import BadgeNotGranted, PartnerNotFound, answer_refused
from api.snapshots import snapshot
from ledger.badge.facts import PURPOSES, Purpose
from ledger.calendar import civil_day

router = APIRouter(include_in_schema=False)

CREDENTIAL: Final = "application/vc+json"
DID: Final = "application/did+json"
SVG: Final = "image/svg+xml"
PDF: Final = "application/pdf"
VARY: Final = "Accept-Language, Cookie"
# Verifiers, and the sites of shops, read these from their own pages.
ANYWHERE: Final = {
    "Access-Control-Allow-Origin": "*",
    "Content-Security-Policy": "default-src 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
}
# Its words for those who do not see it hold on any day.
EMBED: Final = Markup(
    '<a href="{0}"><img src="{0}.svg" width="360" height="132" alt="{1} – Don positif"></a>'
)


def desk_of(request: Request) -> Desk:
    """Give the worker's desk, opened when the first badge is asked for or its key was rotated."""
    state = request.app.state
    desk = open_desk(context_of(request), getattr(state, "badge_desk", None))
    state.badge_desk = desk
    return desk


def now() -> datetime:
    return datetime.now(UTC)


def today_here() -> date:
    return civil_day(now())


def day_asked(request: Request) -> date | None:
    """Give the day that the address asks about, today without one, None when it is no day."""
    text = request.query_params.get("on")
    if not text:
        return today_here()
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


async def document(
    request: Request, media_type: str, build: Callable[[Desk, Connection[Any]], bytes]
) -> Response:
    """Answer with bytes that any site may read; each reader asks again whether they changed."""
    desk = await run_in_threadpool(desk_of, request)
    variant = f"{language_of(request)} {' '.join(desk.multikeys)}"
    try:
        response = await snapshot(
            request, media_type, partial(build, desk), variant=variant, vary=VARY
        )
    except (PartnerNotFound, BadgeNotGranted) as refusal:
        response = answer_refused(request, refusal)
    response.headers.update(ANYWHERE)
    return response


@router.api_route("/.well-known/did.json", **PAGE)
@router.api_route("/did.json", **PAGE)
@public()
async def did(request: Request) -> Response:
    """Show the issuer's public key. The second address is for a service below a path."""
    return await document(request, DID, lambda desk, _: desk.did_json())


@router.api_route("/badges/status/{purpose}", **PAGE)
@public()
async def status_list(request: Request, purpose: str) -> Response:
    known: Purpose | None = next((one for one in PURPOSES if one == purpose), None)
    if known is None:
        return page_not_found(request)
    return await document(
        request, CREDENTIAL, lambda desk, connection: desk.status_list(connection, known, now())
    )


@router.api_route("/badges/{partner_id}.json", **PAGE)
@public()
async def badge_json(request: Request, partner_id: UUID) -> Response:
    return await document(
        request,
        CREDENTIAL,
        lambda desk, connection: desk.badge(connection, partner_id, today_here()),
    )


@router.api_route("/badges/{partner_id}.svg", **PAGE)
@public()
async def badge_picture(request: Request, partner_id: UUID) -> Response:
    """Draw what a partner is on a day. A day that is none is answered as today."""
    on = day_asked(request) or today_here()
    language = language_of(request)

    def draw(desk: Desk, connection: Connection[Any]) -> bytes:
        shop = shop_on(connection, partner_id, on)
        values = {"shop": shop, "on": on, "public_url": desk.public_url}
        return environment(language).get_template("badge/mark.svg").render(values).encode()

    return await document(request, SVG, draw)


@router.api_route("/badges/{partner_id}.pdf", **PAGE)
@public()
async def badge_sticker(request: Request, partner_id: UUID) -> Response:
    """Print a sticker for the window; who is no partner today reads why on the page instead."""
    try:
        return await document(
            request, PDF, lambda desk, connection: sticker_of(desk, connection, partner_id)
        )
    except NotAPartner:
        return RedirectResponse(f"/badges/{partner_id}", 303, PRIVATE)


@router.api_route("/badges/{text}", **PAGE)
@public()
async def badge_page(request: Request, text: str) -> Response:
    """Say in words whether this shop was a partner on that day."""
    on = day_asked(request)
    public_url = context_of(request).settings.public_url

    def gather(connection: Connection[Any]) -> dict[str, Any]:
        today = today_here()
        shop = shop_on(connection, UUID(text), on or today)
        shop_today = shop_on(connection, UUID(text), today)
        return {
            "shop": shop,
            "on": on or today,
            "problem": on is None,
            "today": today,
            "active_today": shop_today.is_partner,
            # A text that shows markup, not markup itself.
            "embed": str(EMBED.format(f"{public_url}/badges/{shop.partner_id}", shop.name)),
        }

    address = HERE if on is None else Address(query={"on": on.isoformat()})
    try:
        return await public_page(request, "badge/badge.html", gather, address)
    except (ValueError, PartnerNotFound):
        return page_not_found(request)
