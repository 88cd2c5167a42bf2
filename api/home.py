"""The village's figures: the home page and its JSON twin; the page on accessibility."""

from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from fastapi import APIRouter
from psycopg import Connection
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from api import demo_tickets
from api.auth import public
from api.deps import Context, context_of
from api.openapi import MEANING
from api.pages import public_page
from api.snapshots import snapshot
from projections import balances, partners, rounds, turnout
from projections.balances import Figures, Total
from projections.read_model import as_of

router = APIRouter()

PAGE: dict[str, Any] = {"methods": ["GET", "HEAD"], "include_in_schema": False}
JSON = "application/json"
FIGURES_PATH = "/api/v1/figures"
# The read models behind figures and partners: a page is as old as the older of them.
FIGURES = ("balances", "partners", "standings")
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": MEANING[304]}}


class TotalOut(BaseModel):
    """Counts, and whole cents of euros."""

    gifts: int
    given_cents: int
    reversals: int
    reversed_cents: int


class SourcesOut(BaseModel):
    """Who gave: customers at the till, shops from their own money, sponsors topping up."""

    customer: TotalOut
    shop: TotalOut
    match: TotalOut


class MonthOut(TotalOut):
    month: str = Field(pattern=r"^\d{4}-\d{2}$")


class SumsOut(BaseModel):
    """`net_cents` is what was given and not given back. Months are newest first."""

    gifts: int
    given_cents: int
    reversals: int
    reversed_cents: int
    net_cents: int
    by_source: SourcesOut
    months: list[MonthOut]


class FiguresOut(SumsOut):
    partners: int
    as_of_position: int
    as_of: datetime | None


def sums(figures: Figures) -> dict[str, Any]:
    """Give figures in the shape of `SumsOut`."""
    return {
        **of_total(figures.total),
        "net_cents": figures.total.net_cents,
        "by_source": {source: of_total(total) for source, total in figures.by_source.items()},
        "months": [{"month": month, **of_total(total)} for month, total in figures.months],
    }


def of_total(total: Total) -> dict[str, Any]:
    return {
        "gifts": total.gifts,
        "given_cents": total.given_cents,
        "reversals": total.reversals,
        "reversed_cents": total.reversed_cents,
    }


def partners_today(connection: Connection[Any]) -> int:
    """Count the shops that are partners today: not those that apply, are suspended or left."""
    return sum(one.status == "active" for one in partners.every(connection))


def village_page(connection: Connection[Any], context: Context) -> dict[str, Any]:
    return {
        "open_rounds": rounds.opened(connection),
        "ballots": {key: one.ballots for key, one in turnout.every(connection).items()},
        "tickets": demo_tickets.tickets(context) if context.demonstration else [],
        "figures": balances.figures(connection),
        "partner_count": partners_today(connection),
        "as_of": as_of(connection, *FIGURES),
    }


def village_json(connection: Connection[Any]) -> bytes:
    now = as_of(connection, *FIGURES)
    return msgspec.json.encode(
        {
            **sums(balances.figures(connection)),
            "partners": partners_today(connection),
            "as_of_position": now.position,
            "as_of": now.recorded_at,
        }
    )


@router.api_route("/", **PAGE)
@public()
async def home(request: Request) -> Response:
    gather = partial(village_page, context=context_of(request))
    return await public_page(request, "home.html", gather)


@router.get(FIGURES_PATH, response_model=FiguresOut, responses=UNCHANGED)
@public()
async def figures(request: Request) -> Response:
    """Give the village's figures, as of a position of the journal."""
    return await snapshot(request, JSON, village_json)


@router.api_route("/accessibility", **PAGE)
@public()
async def accessibility(request: Request) -> Response:
    return await public_page(request, "accessibility.html", lambda _: {})
