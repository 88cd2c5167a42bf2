"""The visitor's language, and how it writes words, amounts, counts, days and times."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from typing import Final, Literal, TypeGuard

from babel.dates import format_date, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal, format_percent
from starlette.requests import Request
from starlette.responses import Response

from ledger.calendar import VILLAGE

Language = Literal["fr", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("fr", "en")
LOCALE: Final = Path(__file__).parent / "locale"
# English is written for people in France: the day before the month, hours from 0 to 23.
REGION: Final[dict[Language, str]] = {"fr": "fr_FR", "en": "en_GB"}
PERCENT: Final[dict[Language, str]] = {
    "fr": "#,##0.##\N{NO-BREAK SPACE}%",
    "en": "#,##0.##%",
}
MINUS: Final = "\N{MINUS SIGN}"
COOKIE: Final = "lang"
COOKIE_SECONDS: Final = 365 * 24 * 3600


def offered(text: str | None) -> TypeGuard[Language]:
    return text in LANGUAGES


def language_of(request: Request) -> Language:
    """Give the language asked for by the address, else the cookie, else the browser."""
    for wish in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if offered(wish):
            return wish
    return preferred(request.headers.get("accept-language", ""))


def preferred(accept_language: str) -> Language:
    """Give the best language of an Accept-Language header (RFC 9110, 12.5.4), else French."""
    best: Language = "fr"
    best_quality = 0.0
    for tag, quality in wishes(accept_language):
        primary = tag.partition("-")[0].lower()
        if offered(primary) and quality > best_quality:
            best, best_quality = primary, quality
    return best


def wishes(accept_language: str) -> Iterator[tuple[str, float]]:
    for wish in accept_language.split(","):
        tag, _, parameters = wish.partition(";")
        name, _, value = parameters.partition("=")
        try:
            quality = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            quality = 0.0
        yield tag.strip(), quality


def remember(request: Request, response: Response) -> Response:
    """Keep the language that the address asks for, for the pages that follow."""
    wish = request.query_params.get("lang")
    if offered(wish) and request.cookies.get(COOKIE) != wish:
        secure = request.url.scheme == "https"
        response.set_cookie(COOKIE, wish, COOKIE_SECONDS, secure=secure, samesite="lax")
    return response


@lru_cache
def translations(language: Language) -> GNUTranslations:
    """Read a language's messages. One without a translation is its own, plain English, text."""
    path = LOCALE / language / "LC_MESSAGES" / "donpositif.po"
    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=language, abort_invalid=True))
    compiled.seek(0)
    return GNUTranslations(compiled)


@lru_cache(maxsize=10_000)
def money(cents: int, language: Language) -> str:
    """Write an amount in euros, exactly: `1 234,50 €` or `€1,234.50`."""
    euros = Decimal(cents).scaleb(-2)
    return format_currency(euros, "EUR", locale=REGION[language]).replace("-", MINUS)


def count(number: int, language: Language) -> str:
    return format_decimal(number, locale=REGION[language])


def percent(per_10_000: int, language: Language) -> str:
    """Write a rate, exactly: `1,5 %` or `1.5%`."""
    share = Decimal(per_10_000).scaleb(-4)
    return format_percent(share, PERCENT[language], REGION[language])


@lru_cache(maxsize=1_000)
def day(value: date, language: Language) -> str:
    """Write a day in full. French says *1er* for the first of a month, and for no other day."""
    if language == "fr" and value.day == 1:
        return format_date(value, "d'er' MMMM y", REGION[language])
    return format_date(value, "long", REGION[language])


def month(text: str, language: Language) -> str:
    """Write a month given as `2026-11`."""
    return format_date(date.fromisoformat(f"{text}-01"), "LLLL y", REGION[language])


def clock(moment: datetime, language: Language) -> str:
    """Write the time that the village's clock shows at a moment."""
    pattern = "H'\N{NO-BREAK SPACE}h\N{NO-BREAK SPACE}'mm" if language == "fr" else "HH:mm"
    return format_time(moment.astimezone(VILLAGE), pattern, VILLAGE, REGION[language])
