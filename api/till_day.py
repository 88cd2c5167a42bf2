"""The day at a till, without a script: what it gave, what its shop counted, the day's close."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.auth import public
from api.day import Claim, close_day, counted, counted_up_to_now
from api.deps import Context, context_of
from api.errors import problem_page
from api.forms import foreign, form_of
from api.home import PAGE
from api.pages import Address, go
from api.till import sale_cents_of, shop_page, till_here
from ledger.calendar import FIRST_DAY, LAST_DAY, civil_day
from ledger.closes import DayNotBegun
from ledger.money import AMOUNT_CENTS_MAX
from ledger.store import LedgerUnavailable
from projections import tills
from projections.admission import AdmittedTill

router = APIRouter(prefix="/till/day", include_in_schema=False)

GIFTS_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Typed:
    """What the shop typed of its day, as it typed it, and what is wrong with it."""

    gifts: str = ""
    amount: str = ""
    problem: str | None = None

    def claim(self, day: date) -> Claim | None:
        """Read the figures; None when one of them is none."""
        cents = sale_cents_of(self.amount)
        if not self.gifts.isascii() or not self.gifts.isdigit() or cents is None:
            return None
        gifts = int(self.gifts[:9])
        return (
            Claim(day, gifts, cents) if gifts <= GIFTS_MAX and cents <= AMOUNT_CENTS_MAX else None
        )


NOTHING_TYPED = Typed()


def today() -> date:
    return civil_day(datetime.now(UTC))


def day_asked(text: str | None) -> date:
    """Read a day of the address; today when it is none."""
    try:
        asked = date.fromisoformat(text or "")
    except ValueError:
        return today()
    return asked if FIRST_DAY <= asked <= LAST_DAY else today()


def gathered(context: Context, till: AdmittedTill, day: date) -> dict[str, Any]:
    so_far = counted(context, till.till_id, day)
    with context.pool.connection() as connection:
        closes = tills.closes_of(connection, till.till_id)
    return {"day": so_far.day, "chain": so_far.chain, "closes": closes, "today": today()}


async def day_page(
    request: Request, till: AdmittedTill, day: date, typed: Typed = NOTHING_TYPED
) -> Response:
    known = await run_in_threadpool(gathered, context_of(request), till, day)
    here = Address("/till/day", {"day": day.isoformat()})
    response = shop_page(request, till, "till/day.html", known | {"typed": typed}, here)
    response.status_code = 422 if typed.problem else 200
    return response


@router.api_route("", **PAGE)
@public()
async def show(request: Request) -> Response:
    """Show what the till gave on a day, today when none is asked for."""
    till = await till_here(request)
    if till is None:
        return go("/till")
    return await day_page(request, till, day_asked(request.query_params.get("day")))


@router.post("")
@public()
async def close(request: Request) -> Response:
    """Close the day with the figures that the shop counted."""
    if foreign(request):
        return problem_page(request, "foreign_form")
    till = await till_here(request)
    if till is None:
        return go("/till")
    form = await form_of(request)
    day = day_asked(form.get("day"))
    typed = Typed(form.get("gifts", "").strip(), form.get("amount", "").strip(), "malformed")
    claim = typed.claim(day)
    if claim is None:
        return await day_page(request, till, day, typed)
    try:
        await close_day(context_of(request), till, claim)
    except DayNotBegun:
        return await day_page(request, till, day, Typed(typed.gifts, typed.amount, "not_begun"))
    # The page is read from the read models: wait until they know of the close, but not for ever.
    with suppress(LedgerUnavailable):
        await counted_up_to_now(context_of(request), till.till_id, day)
    return go("/till/day", {"day": day.isoformat()})
