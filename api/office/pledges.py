"""Pledges in the office: what sponsors promised, were asked for, and what rounds took of it."""

from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import figures, pledges
from api.deps import Context
from api.foundation import foundation_of
from api.home import PAGE
from api.office.desk import Form, Officer, Reader, named, today_here
from api.office.page import OfficePage
from ledger.calendar import days_after
from projections import pledges as rows

router = APIRouter(prefix="/office/pledges", include_in_schema=False)

# What a form offers: a sponsor that is asked for money has a month to pay.
DUE_DAYS: Final = 30
UNDECIDED: Final = ("drafted", "opened", "tallied")


def listed(context: Context) -> dict[str, Any]:
    figures.settle(context, rows.pledges.name)
    with context.pool.connection() as connection:
        rounds = rows.matched_rounds(connection)
        pledged = rows.every(connection)
    return {
        "pledges": pledged,
        "rounds": rounds,
        "titles": {one.round_id: one.title for one in rounds},
        "choices": [one for one in rounds if one.state in UNDECIDED],
        "short": [one for one in rounds if one.short_cents],
        "sponsors": sorted({one.sponsor for one in rounds} | {one.sponsor for one in pledged}),
        "pledge_id": uuid4(),
    }


LIST: Final = OfficePage("office/pledges.html", router.prefix, listed)


@router.api_route("", **PAGE)
async def show_all(request: Request, _: Reader) -> Response:
    return await LIST.show(request)


@router.post("")
async def make(request: Request, actor: Officer) -> Response:
    def act(context: Context, form: Form) -> str:
        pledge_id = form.identifier("pledge_id")
        pledges.make(
            context,
            str(actor),
            pledge_id,
            sponsor=form.text("sponsor"),
            cents=form.cents("amount"),
            pledged_on=form.day("pledged_on"),
            round_id=form.identifier("round") if form.text("round") else None,
        )
        return f"{router.prefix}/{pledge_id}?done=made"

    return await LIST.submit(request, act)


def gathered(context: Context, pledge_id: UUID) -> dict[str, Any]:
    """Gather a pledge as the ledger holds it, so that what was just done shows."""
    history = pledges.history_of(context, pledge_id)
    state = pledges.pledge_of(context, pledge_id)
    figures.settle(context, rows.pledges.name)
    with context.pool.connection() as connection:
        row = rows.one(connection, pledge_id)
        paid = {one.call_id: one for one in rows.calls_of(connection, pledge_id)}
        titles = {one.round_id: one.title for one in rows.matched_rounds(connection)}
    return {
        "pledge": state,
        "banked_cents": 0 if row is None else row.banked_cents,
        "calls": [(one, paid.get(one.call_id)) for one in state.calls],
        "account": foundation_of(context).account,
        "titles": titles,
        "history": [(type(one).__name__, one) for one in history],
        "names": named(context, [one.actor for one in history]),
        "call_id": uuid4(),
        "due_on": days_after(today_here(), DUE_DAYS),
    }


def pledge_page(pledge_id: UUID) -> OfficePage:
    gather = partial(gathered, pledge_id=pledge_id)
    return OfficePage("office/pledge.html", f"{router.prefix}/{pledge_id}", gather)


@router.api_route("/{pledge_id}", **PAGE)
async def show(request: Request, _: Reader, pledge_id: UUID) -> Response:
    return await pledge_page(pledge_id).show(request)


@router.post("/{pledge_id}/calls")
async def call(request: Request, actor: Officer, pledge_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        call_id, cents = form.identifier("call_id"), form.cents("amount")
        pledges.call(context, str(actor), pledge_id, call_id, cents, form.day("due_on"))

    return await pledge_page(pledge_id).carry_out(request, "called", act)


@router.post("/{pledge_id}/withdrawal")
async def withdraw(request: Request, actor: Officer, pledge_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        pledges.withdraw(context, str(actor), pledge_id, form.day("withdrawn_on"))

    return await pledge_page(pledge_id).carry_out(request, "withdrawn", act)
