"""The public page of what is owed, since when and how long money takes, and its JSON twin."""

from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter
from psycopg import Connection
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from api.auth import public
from api.deps import Context, context_of
from api.foundation import foundation_of
from api.home import JSON, PAGE, UNCHANGED
from api.pages import public_page
from api.snapshots import snapshot
from ledger.calendar import civil_day
from projections import owed, partners
from projections.owed import MODELS, Delay, Owed
from projections.read_model import as_of

router = APIRouter()

OWED_PATH: Final = "/api/v1/owed"


class DelayOut(BaseModel):
    """Days, weighted by cents: half of them took at most `median_days`."""

    cents: int
    median_days: int
    worst_days: int


class PledgesOut(BaseModel):
    """What sponsors promised; `uncovered_cents` rounds added without a promise behind it."""

    promised_cents: int
    banked_cents: int
    used_cents: int
    uncovered_cents: int


class DebtOut(BaseModel):
    """A shop that owes for longer than the grace, and agreed to have that published."""

    partner_id: UUID
    name: str
    cents: int
    due_on: date


class OwedOut(BaseModel):
    """Whole cents of euros. `open_cents` is given and on no statement yet.

    `closed_cents` is all that statements ever asked for: `not_due_cents` + `overdue_cents` +
    `banked_cents` + `written_off_cents` - `credit_cents`. Delays are those of a year's statements.
    """

    open_cents: int
    open_since: date | None
    closed_cents: int
    not_due_cents: int
    overdue_cents: int
    overdue_statements: int
    overdue_partners: int
    banked_cents: int
    written_off_cents: int
    credit_cents: int
    waited_since: date | None
    undeposited_cents: int
    pledges: PledgesOut
    promised_to_owed: DelayOut | None
    owed_to_banked: DelayOut | None
    debts: list[DebtOut]
    public_after_days: int
    as_of_position: int
    as_of: datetime | None


def gathered(connection: Connection[Any], context: Context) -> dict[str, Any]:
    """Gather what the page and its twin tell."""
    own, today = foundation_of(context), civil_day(datetime.now(UTC))
    found = owed.owed(connection, today, lambda day: own.terms_on(day).public_after_days)
    return {
        "owed": found,
        "names": {one.partner_id: name_of(connection, one.partner_id) for one in found.debts},
        "terms": own.terms_on(today),
        "today": today,
        "as_of": as_of(connection, *MODELS),
        "json_twin": OWED_PATH,
    }


def name_of(connection: Connection[Any], partner_id: UUID) -> str:
    known = partners.one(connection, partner_id)
    return "" if known is None else known.name


def owed_json(connection: Connection[Any], context: Context) -> bytes:
    values = gathered(connection, context)
    found, now = values["owed"], values["as_of"]
    told = {
        **totals_out(found),
        "promised_to_owed": delay_out(found.to_owed),
        "owed_to_banked": delay_out(found.to_banked),
        "debts": [
            {**msgspec.to_builtins(one), "name": values["names"][one.partner_id]}
            for one in found.debts
        ],
        "public_after_days": values["terms"].public_after_days,
        "as_of_position": now.position,
        "as_of": now.recorded_at,
    }
    return msgspec.json.encode(told)


def totals_out(found: Owed) -> dict[str, Any]:
    return {
        "open_cents": found.open_cents,
        "open_since": found.open_since,
        **msgspec.to_builtins(found.totals),
        "undeposited_cents": found.undeposited_cents,
        "pledges": msgspec.to_builtins(found.promises),
    }


def delay_out(delay: Delay | None) -> dict[str, int] | None:
    return None if delay is None else msgspec.to_builtins(delay)


@router.api_route("/owed", **PAGE)
@public()
async def show(request: Request) -> Response:
    gather = partial(gathered, context=context_of(request))
    return await public_page(request, "owed.html", gather)


@router.get(OWED_PATH, response_model=OwedOut, responses=UNCHANGED)
@public()
async def figures(request: Request) -> Response:
    """Give what is owed and how long money takes, as of a position of the journal."""
    return await snapshot(request, JSON, partial(owed_json, context=context_of(request)))
