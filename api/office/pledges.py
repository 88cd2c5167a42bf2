"""Pledges in the office: what sponsors promised, were asked for, and what rounds took of it."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import figures, pledges
from api.auth import Actor, person_page
from api.deps import Context, context_of
from api.forms import fields_of
from api.foundation import foundation_of
from api.home import PAGE
from api.office.desk import Form, Officer, Problem, Reader, attempted, named, today_here
from api.pages import Address, go
from api.project_sheet import cents_of
from ledger.calendar import days_after
from projections import pledges as rows

router = APIRouter(prefix="/office/pledges", include_in_schema=False)

# What a form offers: a sponsor that is asked for money has a month to pay.
DUE_DAYS: Final = 30
UNDECIDED: Final = ("drafted", "opened", "tallied")


async def list_page(request: Request, actor: Actor, problem: Problem | None = None) -> Response:
    context = context_of(request)

    def gathered() -> dict[str, Any]:
        figures.settle(context, rows.pledges.name)
        with context.pool.connection() as connection:
            rounds = rows.matched_rounds(connection)
            return {"pledges": rows.every(connection), "rounds": rounds}

    values = await run_in_threadpool(gathered)
    values |= {
        "titles": {one.round_id: one.title for one in values["rounds"]},
        "choices": [one for one in values["rounds"] if one.state in UNDECIDED],
        "short": [one for one in values["rounds"] if one.short_cents],
        "sponsors": sorted({one.sponsor for one in (*values["rounds"], *values["pledges"])}),
        "officer": actor.has("officer"),
        "pledge_id": uuid4(),
        "today": today_here(),
        "problem": problem,
    }
    status = 200 if problem is None else problem.status
    address = Address(router.prefix)
    return person_page(request, "office/pledges.html", values, address, status=status)


@router.api_route("", **PAGE)
async def show_all(request: Request, actor: Reader) -> Response:
    return await list_page(request, actor)


@router.post("")
async def make(request: Request, actor: Officer) -> Response:
    context, form = context_of(request), Form(await fields_of(request))
    made: list[UUID] = []

    def act() -> None:
        pledge_id = form.identifier("pledge_id")
        pledges.make(
            context,
            str(actor),
            pledge_id,
            sponsor=form.text("sponsor"),
            cents=cents_of(form, "amount"),
            pledged_on=form.day("pledged_on"),
            round_id=form.identifier("round") if form.text("round") else None,
        )
        made.append(pledge_id)

    problem = await attempted(form, act)
    if problem is not None:
        return await list_page(request, actor, problem)
    return go(f"{router.prefix}/{made[0]}?done=made")


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
        "today": today_here(),
        "here": f"{router.prefix}/{pledge_id}",
    }


async def pledge_page(
    request: Request, actor: Actor, pledge_id: UUID, problem: Problem | None = None
) -> Response:
    values = await run_in_threadpool(gathered, context_of(request), pledge_id)
    values |= {
        "problem": problem,
        "done": request.query_params.get("done"),
        "officer": actor.has("officer"),
    }
    status = 200 if problem is None else problem.status
    address = Address(f"{router.prefix}/{pledge_id}")
    return person_page(request, "office/pledge.html", values, address, status=status)


@router.api_route("/{pledge_id}", **PAGE)
async def show(request: Request, actor: Reader, pledge_id: UUID) -> Response:
    return await pledge_page(request, actor, pledge_id)


async def carry_out(
    request: Request,
    actor: Actor,
    pledge_id: UUID,
    done: str,
    act: Callable[[Context, Form], object],
) -> Response:
    """Do what a form asks of a pledge, and lead back to it or say why not."""
    context, form = context_of(request), Form(await fields_of(request))
    problem = await attempted(form, lambda: act(context, form))
    if problem is not None:
        return await pledge_page(request, actor, pledge_id, problem)
    return go(f"{router.prefix}/{pledge_id}?done={done}")


@router.post("/{pledge_id}/calls")
async def call(request: Request, actor: Officer, pledge_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        call_id, cents = form.identifier("call_id"), cents_of(form, "amount")
        pledges.call(context, str(actor), pledge_id, call_id, cents, form.day("due_on"))

    return await carry_out(request, actor, pledge_id, "called", act)


@router.post("/{pledge_id}/withdrawal")
async def withdraw(request: Request, actor: Officer, pledge_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        pledges.withdraw(context, str(actor), pledge_id, form.day("withdrawn_on"))

    return await carry_out(request, actor, pledge_id, "withdrawn", act)
