"""The offline till: one page, its manifest, and the worker that keeps them on the device."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Final, Literal

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.auth import public
from api.home import PAGE
from api.i18n import LANGUAGES, Language, language_of
from api.pages import (
    GUARD,
    HTML,
    LANGUAGE_NAMES,
    PRIVATE,
    STATIC,
    Address,
    asset,
    demonstrates,
    render,
)
from ledger.asks import newest
from ledger.sales import ADD_ONS_CENTS

router = APIRouter(prefix="/till", include_in_schema=False)

MODULES: Final = (
    "till_app.js",
    "till_back.js",
    "till_chain.js",
    "till_store.js",
    "till_sync.js",
    "till_words.js",
)
# The browser asks each time; what works without network is what the service worker kept.
CHECKED: Final = {**GUARD, "Cache-Control": "no-cache", "X-Robots-Tag": "noindex"}
NAMES: Final[dict[Language, tuple[str, str]]] = {
    "fr": ("Don positif, la caisse", "Caisse"),
    "en": ("Don positif, the till", "Till"),
}


@dataclass(frozen=True, slots=True)
class AppAddress(Address):
    """The page of the offline till has an address for each language, so that both can be kept."""

    def switches(self) -> list[dict[str, str]]:
        return [
            {"language": one, "name": LANGUAGE_NAMES[one], "href": f"/till/app/{one}"}
            for one in LANGUAGES
        ]


@lru_cache
def shell(language: Language, *, demonstration: bool) -> bytes:
    """Write the page. It holds nothing of any till: the device fills it in."""
    asks = [newest("round_up", language), newest("add_on", language)]
    values = {"asks": asks, "add_ons": ADD_ONS_CENTS, "demonstration": demonstration}
    return render("till/app.html", language, values, AppAddress())


@lru_cache
def manifest(language: Language) -> bytes:
    """Say how the till installs as an app."""
    name, short_name = NAMES[language]
    start = f"/till/app/{language}"
    icon = {"src": asset("icon.svg"), "type": "image/svg+xml", "sizes": "any", "purpose": "any"}
    return msgspec.json.encode(
        {
            "id": "/till/app",
            "name": name,
            "short_name": short_name,
            "lang": language,
            "start_url": start,
            "scope": "/till",
            "display": "standalone",
            "background_color": "#fbf6ec",
            "theme_color": "#a3401f",
            "icons": [icon],
        }
    )


@lru_cache
def worker(*, demonstration: bool) -> bytes:
    """Write the service worker: another one whenever anything that it keeps changes."""
    kept: dict[str, bytes] = {
        f"/till/app/{one}": shell(one, demonstration=demonstration) for one in LANGUAGES
    }
    kept |= {f"/till/app/{one}/manifest.webmanifest": manifest(one) for one in LANGUAGES}
    kept |= {f"/static/{name}": (STATIC / name).read_bytes() for name in MODULES}
    kept |= {asset(name): (STATIC / name).read_bytes() for name in ("style.css", "icon.svg")}
    head = {"VERSION": digest(kept), "KEPT": list(kept)}
    lines = [
        f"const {name} = {msgspec.json.encode(value).decode()};" for name, value in head.items()
    ]
    return "\n".join(lines).encode() + b"\n" + (STATIC / "till_worker.js").read_bytes()


def digest(kept: Mapping[str, bytes]) -> str:
    whole = sha256()
    for path, content in kept.items():
        whole.update(path.encode() + b"\n" + sha256(content).digest())
    return whole.hexdigest()[:16]


@router.api_route("/app", **PAGE)
@public()
async def open_app(request: Request) -> Response:
    """Lead to the page of the visitor's language; a code after the # goes along."""
    return RedirectResponse(f"/till/app/{language_of(request)}", 303, PRIVATE)


@router.api_route("/app/{language}", **PAGE)
@public()
async def show_app(request: Request, language: Literal["fr", "en"]) -> Response:
    page = shell(language, demonstration=demonstrates(request))
    return Response(page, 200, CHECKED, HTML)


@router.api_route("/app/{language}/manifest.webmanifest", **PAGE)
@public()
async def show_manifest(language: Literal["fr", "en"]) -> Response:
    return Response(manifest(language), 200, CHECKED, "application/manifest+json")


@router.api_route("/worker.js", **PAGE)
@public()
async def show_worker(request: Request) -> Response:
    """Give the service worker, for all pages of the till and no other."""
    headers = {**CHECKED, "Service-Worker-Allowed": "/till"}
    script = worker(demonstration=demonstrates(request))
    return Response(script, 200, headers, "text/javascript")
