"""How a page is made: templates in the visitor's language, static files, caching rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from psycopg import Connection
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from api import i18n
from api.i18n import LANGUAGES, Language, language_of, remember
from api.snapshots import snapshot
from ledger.calendar import civil_day
from ledger.partners import deadlines
from ledger.references import in_groups

ROOM: Final = Path(__file__).parent
STATIC: Final = ROOM / "static"
HTML: Final = "text/html; charset=utf-8"
FOREVER: Final = "public, max-age=31536000, immutable"
# Nothing on a page comes from elsewhere, runs inline or is shown inside another site's frame.
GUARD: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}
# A form's Origin header is "null" under no-referrer, and the check of where it came from needs it.
PRIVATE: Final = {
    **GUARD,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}
Values = Mapping[str, Any]
LANGUAGE_NAMES: Final[dict[Language, str]] = {"fr": "Français", "en": "English"}


@lru_cache
def version(name: str) -> str:
    """Give the first letters of a static file's content hash; the service restarts to change it."""
    return sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """Give the address of a static file, another one whenever its content changes."""
    return f"/static/{name}?v={version(name)}"


class HashedFiles(StaticFiles):
    """Static files: kept for ever when asked for by their content hash, else checked each time."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("v", [])
        known = response.status_code in {200, 304} and asked == [version(path)]
        response.headers["Cache-Control"] = FOREVER if known else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def static_files() -> HashedFiles:
    """Give the application to mount at `/static`."""
    return HashedFiles(directory=STATIC)


def siret(digits: str) -> str:
    """Write a SIRET in its usual groups: `123 456 789 00012`."""
    groups = (digits[:3], digits[3:6], digits[6:9], digits[9:])
    return "\N{NO-BREAK SPACE}".join(groups)


def qr(address: str, title: str) -> Markup:
    """Draw an address as a QR code: dark on light in any scheme, since readers want it so."""
    drawn = segno.make(address, error="m", micro=False).svg_inline(
        border=4, dark="#000", light="#fff", svgclass="qr", omitsize=True, title=title
    )
    return Markup(drawn)  # noqa: S704 - segno escapes the title and draws the rest.


@lru_cache
def environment(language: Language) -> Environment:
    """Give the templates of one language, with the ways it writes amounts and days."""
    made = Environment(
        loader=FileSystemLoader(ROOM / "templates"),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.install_gettext_translations(  # type: ignore[attr-defined]
        i18n.translations(language), newstyle=True
    )
    for write in (i18n.money, i18n.count, i18n.percent, i18n.day, i18n.month, i18n.clock):
        made.filters[write.__name__] = partial(write, language=language)
    made.filters |= {
        "civil_day": civil_day,
        "iso_day": date.fromisoformat,
        "siret": siret,
        "in_groups": in_groups,
        "qr": qr,
    }
    made.globals |= {"language": language, "asset": asset, "money": made.filters["money"]}
    made.globals["deadlines"] = deadlines
    return made


@dataclass(frozen=True, slots=True)
class Address:
    """What the links to a page's other language lead to; by default the address it was read at."""

    path: str = ""
    query: Mapping[str, str] = field(default_factory=dict)

    def written(self) -> str:
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    def switches(self) -> list[dict[str, str]]:
        return [
            {
                "language": language,
                "name": LANGUAGE_NAMES[language],
                "href": f"{self.path}?{urlencode({**self.query, 'lang': language})}",
            }
            for language in LANGUAGES
        ]


HERE: Final = Address()


def render(template: str, language: Language, values: Values, address: Address = HERE) -> bytes:
    """Write a page."""
    page = environment(language).get_template(template)
    return page.render(values, switches=address.switches()).encode()


def demonstrates(request: Request) -> bool:
    """Tell whether the ledger is a demonstration, which every page of it says."""
    return bool(request.app.state.context.demonstration)


async def public_page(
    request: Request,
    template: str,
    gather: Callable[[Connection[Any]], Values],
    address: Address = HERE,
    *,
    told: str = "",
) -> Response:
    """Answer with a page that is the same for everybody who reads its language.

    `told` stands for whatever `gather` was given that it does not read from its connection.
    """
    language = language_of(request)
    demonstration = demonstrates(request)

    def build(connection: Connection[Any]) -> bytes:
        values = {**gather(connection), "demonstration": demonstration}
        return render(template, language, values, address)

    vary = "Accept-Language, Cookie"
    variant = f"{language} {urlencode(address.query)} {told}"
    response = await snapshot(request, HTML, build, variant=variant, vary=vary)
    response.headers.update(GUARD)
    return remember(request, response)


def go(path: str, query: Mapping[str, str] | None = None) -> Response:
    """Lead the browser on to a page of ours."""
    address = f"{path}?{urlencode(query)}" if query else path
    return RedirectResponse(address, 303, PRIVATE)


def private_page(
    request: Request,
    template: str,
    values: Values,
    address: Address = HERE,
    *,
    status: int = 200,
) -> Response:
    """Answer with a page for this visitor only, which nobody keeps."""
    shown = {**values, "demonstration": demonstrates(request)}
    content = render(template, language_of(request), shown, address)
    return remember(request, HTMLResponse(content, status, PRIVATE))
