"""Where anybody puts an idea forward: a form, a letter with a one-time link, a confirmation.

Until the link is used nothing is in the ledger: the words and the address are in the vault, and
go from there when the link expires.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, get_args
from uuid import UUID, uuid4

from fastapi import APIRouter
from psycopg.rows import dict_row
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.auth import public
from api.credentials import TooManyAttempts
from api.deps import Context, context_of
from api.forms import foreign, form_of
from api.home import PAGE
from api.login import address_of, barred, secret
from api.mail import MailFailed, letter
from api.pages import Address, go, private_page
from api.people import NAME, EmailMalformed, NameMalformed, normal
from api.refusals import FormForeign, name_of
from api.sessions import TOKEN_BYTES, hash_of
from ledger.decider import Refused
from ledger.projects.idea_events import ProposeIdea
from ledger.projects.ideas import idea
from ledger.projects.words import THEMES, Theme
from ledger.territory import NEWEST, TIES, Tie

router = APIRouter(include_in_schema=False)

LIFETIME: Final = timedelta(days=3)
TITLE_MIN, TITLE_MAX, TEXT_MAX = 5, 120, 4_000
# Under which names the vault keeps what an author wrote, under the idea's subject.
TITLE, TEXT, NAME_FIELD, EMAIL_FIELD = "title", "idea", "name", "email"

DRAFT = """
INSERT INTO idea_draft
    (token_sha256, idea_id, subject_id, theme, place, territory_version, tie, expires_at)
VALUES (%(token)s, %(idea_id)s, %(subject_id)s, %(theme)s, %(place)s, %(version)s, %(tie)s,
        %(expires_at)s)
"""
OFFERED = """
SELECT idea_id, subject_id, theme, place, territory_version, tie FROM idea_draft
WHERE token_sha256 = %(token)s AND expires_at > %(now)s
"""
USED = "DELETE FROM idea_draft WHERE token_sha256 = %(token)s"
EXPIRED = "DELETE FROM idea_draft WHERE expires_at <= %(now)s RETURNING subject_id"


class ThemeMissing(Refused):
    """An idea has one of the themes."""


class PlaceMissing(Refused):
    """An idea is for one of the places of the territory, or for all of it."""


class TieMissing(Refused):
    """Whoever puts an idea forward says what ties her to the territory."""


class TitleMissing(Refused):
    """An idea has a title of 5 to 120 characters on one line."""


class TextMissing(Refused):
    """An idea is told in at most 4,000 characters."""


MISTAKES: Final = (
    ThemeMissing,
    PlaceMissing,
    TieMissing,
    TitleMissing,
    TextMissing,
    NameMalformed,
    EmailMalformed,
    TooManyAttempts,
)


@dataclass(frozen=True, slots=True)
class IdeaIn:
    """What somebody typed, checked."""

    theme: Theme
    place: str
    tie: Tie
    title: str
    text: str
    name: str
    email: str


def idea_of(form: Mapping[str, str]) -> IdeaIn:
    """Check a form. Raises one of MISTAKES."""
    theme = next((one for one in get_args(Theme) if one == form.get("theme")), None)
    place = NEWEST.place(form.get("place", ""))
    tie = next((one for one in get_args(Tie) if one == form.get("tie")), None)
    title = " ".join(form.get("title", "").split())
    text, name = form.get("text", "").strip(), form.get("name", "").strip()
    if not TITLE_MIN <= len(title) <= TITLE_MAX or not title.isprintable():
        raise TitleMissing
    if not 0 < len(text) <= TEXT_MAX or "\0" in text:
        raise TextMissing
    if theme is None:
        raise ThemeMissing
    if place is None:
        raise PlaceMissing
    if tie is None:
        raise TieMissing
    if name and not NAME.fullmatch(name):
        raise NameMalformed
    return IdeaIn(theme, place.key, tie, title, text, name, normal(form.get("email", "")))


def draft(context: Context, asked: IdeaIn, address: str) -> None:
    """Keep an idea until its author confirms her address, and send her the link.

    Raises TooManyAttempts, MailFailed.
    """
    now = datetime.now(UTC)
    origins = {"address": address, "account": asked.email}
    context.credentials.attempt("idea", origins, now)
    forget_expired(context, now)
    idea_id, subject_id = uuid4(), uuid4()
    kept = {
        TITLE: asked.title,
        TEXT: asked.text,
        NAME_FIELD: asked.name,
        EMAIL_FIELD: asked.email,
    }
    for field, text in kept.items():
        if text:
            context.vault.put(subject_id, field, text)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    row = {
        "token": hash_of(token),
        "idea_id": idea_id,
        "subject_id": subject_id,
        "theme": asked.theme,
        "place": asked.place,
        "version": NEWEST.version,
        "tie": asked.tie,
        "expires_at": now + LIFETIME,
    }
    with context.pool.connection() as connection:
        connection.execute(DRAFT, row)
    link = f"{context.settings.public_url}/ideas/confirm/{token}"
    context.mail.send(letter(asked.email, "idea.txt", title=asked.title, link=link))


def forget_expired(context: Context, now: datetime) -> None:
    """Erase what was written in ideas that nobody confirmed in time."""
    with context.pool.connection() as connection:
        rows = connection.execute(EXPIRED, {"now": now}).fetchall()
    for (subject_id,) in rows:
        context.vault.erase(subject_id)


def drafted(context: Context, token: str) -> dict[str, Any] | None:
    """Give the idea that a link still confirms, with its title."""
    about = {"token": hash_of(token), "now": datetime.now(UTC)}
    with context.pool.connection() as connection:
        row = connection.cursor(row_factory=dict_row).execute(OFFERED, about).fetchone()
    if row is None:
        return None
    return row | {"title": context.vault.get(row["subject_id"], TITLE) or ""}


def confirm(context: Context, token: str) -> UUID | None:
    """Put the idea of a link forward; give its id, None when the link opens nothing.

    The event comes first: stopped half way, the same link completes it.
    """
    found = drafted(context, token)
    if found is None:
        return None
    idea_id: UUID = found["idea_id"]
    names = ("idea_id", "subject_id", "theme", "place", "territory_version", "tie")
    told = {name: found[name] for name in names}
    context.ledger.handle(idea, idea_id, ProposeIdea(at=datetime.now(UTC), actor="public", **told))
    with context.pool.connection() as connection:
        connection.execute(USED, {"token": hash_of(token)})
    return idea_id


def form_page(
    request: Request, typed: Mapping[str, str], refusal: Refused | None = None
) -> Response:
    values: dict[str, Any] = {
        "typed": typed,
        "themes": THEMES,
        "places": NEWEST.places,
        "ties": TIES,
        "title_max": TITLE_MAX,
        "text_max": TEXT_MAX,
        "problem": None if refusal is None else name_of(refusal),
        "minutes": 0 if refusal is None else refusal.fields.get("retry_minutes", 0),
    }
    status = 200 if refusal is None else 429 if isinstance(refusal, TooManyAttempts) else 422
    here = Address("/ideas/new")
    return private_page(request, "project/idea_form.html", values, here, status=status)


@router.api_route("/ideas/new", **PAGE)
@public()
async def ask(request: Request) -> Response:
    return form_page(request, {})


@router.post("/ideas/new")
@public()
async def send(request: Request) -> Response:
    """Keep the idea, send the link, and say where to look for it."""
    if foreign(request):
        return barred(request, FormForeign())
    form, context = await form_of(request), context_of(request)
    try:
        asked = idea_of(form)
        await run_in_threadpool(draft, context, asked, address_of(request))
    except MISTAKES as refusal:
        return form_page(request, form, refusal)
    except MailFailed:
        return form_page(request, form, LetterNotSent())
    return go("/ideas/sent")


class LetterNotSent(Refused):
    """The letter with the link could not be sent: try again later."""


@router.api_route("/ideas/sent", **PAGE)
@public()
async def sent(request: Request) -> Response:
    values = {"days": LIFETIME.days}
    return private_page(request, "project/idea_sent.html", values, Address("/ideas/sent"))


@router.api_route("/ideas/confirm/{token}", **PAGE)
@public()
async def ask_confirmation(request: Request, token: str) -> Response:
    """Ask whether the idea is put forward. Looking at the link does not use it."""
    found = await run_in_threadpool(drafted, context_of(request), token)
    values = {"title": None if found is None else found["title"]}
    status = 404 if found is None else 200
    return secret(private_page(request, "project/idea_confirm.html", values, status=status))


@router.post("/ideas/confirm/{token}")
@public()
async def take_confirmation(request: Request, token: str) -> Response:
    """Put the idea forward. Only who was sent the link can send this form."""
    idea_id = await run_in_threadpool(confirm, context_of(request), token)
    if idea_id is None:
        page = private_page(request, "project/idea_confirm.html", {"title": None}, status=404)
        return secret(page)
    return secret(go(f"/ideas/{idea_id}"))
