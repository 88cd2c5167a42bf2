"""Settlements in the office: what shops owe and since when, reminders, write-offs by two people."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import dunning, figures, my_statements, settling, statement_letters, write_offs
from api.auth import Actor, person_page
from api.deps import Context, context_of
from api.forms import fields_of
from api.foundation import foundation_of
from api.home import PAGE
from api.office.desk import (
    FieldMalformed,
    Form,
    Judge,
    Officer,
    Problem,
    Reader,
    attempted,
    named,
    today_here,
)
from api.pages import Address, go
from api.till import sale_cents_of
from ledger.settlements.commands import StatementNotFound
from ledger.settlements.decider import settlement
from ledger.settlements.events import StatementClosed, WriteOffReason
from projections import dues, statements
from projections.statements import Statement

router = APIRouter(prefix="/office/settlements", include_in_schema=False)

REASONS: tuple[WriteOffReason, ...] = (
    "shop_closed",
    "insolvency",
    "too_small",
    "disputed",
    "mistake",
)
BUCKETS = ("not_due_cents", *statements.AGES, "over_90_cents")


@router.api_route("", **PAGE)
async def show_all(request: Request, actor: Reader) -> Response:
    return await list_page(request, actor)


async def list_page(request: Request, actor: Actor, problem: Problem | None = None) -> Response:
    await context_of(request).refresh_admission()
    values = await run_in_threadpool(gathered, context_of(request))
    values |= {
        "problem": problem,
        "done": request.query_params.get("done"),
        "officer": actor.has("officer"),
    }
    status = 200 if problem is None else problem.status
    address = Address(router.prefix)
    return person_page(request, "office/settlements.html", values, address, status=status)


def gathered(context: Context) -> dict[str, Any]:
    """Gather all debts: by age, on no statement yet, and what waits for a second person."""
    own, today = foundation_of(context), today_here()
    figures.settle(context, statements.statements.name, dues.dues.name)
    with context.pool.connection() as connection:
        ageing = statements.ageing(connection, today)
        outstanding = statements.outstanding(connection)
        credit = statements.credits_of(connection)
        newest = statements.newest(connection)
        waiting = dues.open_of(connection)
    whose = {one.partner_id for one in waiting} | {one.partner_id for one in ageing}
    whose |= {one.partner_id for one in newest} | credit.keys()
    whose |= {one.partner_id for one in outstanding}
    return {
        "ageing": ageing,
        "ages": statements.AGES,
        "totals": {name: sum(getattr(one, name) for one in ageing) for name in BUCKETS},
        "outstanding": outstanding,
        "written_off_next": [one for one in outstanding if one.write_off is not None],
        "credit": credit,
        "newest": newest,
        "waiting": waiting,
        "waiting_cents": sum(one.cents for one in waiting),
        "account": own.account,
        "terms": own.terms_on(today),
        "shops": {one: context.admission.partner_name(one) for one in whose},
        "today": today,
        "here": router.prefix,
    }


@router.post("/closing")
async def close(request: Request, actor: Officer) -> Response:
    """Close a shop's statement now, up to a day."""
    context, form = context_of(request), Form(await fields_of(request))
    closed: list[StatementClosed] = []

    def act() -> None:
        partner_id, last_on = form.identifier("partner"), form.day("last_on")
        closed.append(settling.close_now(context, str(actor), partner_id, last_on))

    problem = await attempted(form, act)
    if problem is not None:
        return await list_page(request, actor, problem)
    return go(f"{router.prefix}/{closed[0].statement_id}?done=closed_now")


@router.api_route("/{statement_id}", **PAGE)
async def show(request: Request, actor: Reader, statement_id: UUID) -> Response:
    return await statement_page(request, actor, statement_id)


async def statement_page(
    request: Request, actor: Actor, statement_id: UUID, problem: Problem | None = None
) -> Response:
    await context_of(request).refresh_admission()
    values = await run_in_threadpool(one_gathered, context_of(request), statement_id)
    values |= {
        "problem": problem,
        "done": request.query_params.get("done"),
        "officer": actor.has("officer"),
        "judge": actor.has("officer", "committee"),
    }
    status = 200 if problem is None else problem.status
    address = Address(f"{router.prefix}/{statement_id}")
    return person_page(request, "office/settlement.html", values, address, status=status)


def one_gathered(context: Context, statement_id: UUID) -> dict[str, Any]:
    """Gather a statement with what was just done to it."""
    figures.settle(context, statements.statements.name)
    found = statement_of(context, statement_id)
    history = [one.event for one in context.ledger.history(settlement, found.partner_id)]
    own_history = [one for one in history if one.statement_id == statement_id]
    return my_statements.told(context, found) | {
        "shop_name": context.admission.partner_name(found.partner_id),
        "recipients": statement_letters.recipients(context, found),
        "history": [(type(one).__name__, one) for one in own_history],
        "names": named(context, [one.actor for one in own_history]),
        "reasons": REASONS,
        "new_id": uuid4(),
        "today": today_here(),
        "files": f"{router.prefix}/{statement_id}",
        "here": f"{router.prefix}/{statement_id}",
    }


async def carry_out(
    request: Request, actor: Actor, statement_id: UUID, done: str, act: Callable[[Form], object]
) -> Response:
    """Do what a form asks of a statement, and lead back to it or say there why not."""
    form = Form(await fields_of(request))
    problem = await attempted(form, lambda: act(form))
    if problem is not None:
        return await statement_page(request, actor, statement_id, problem)
    return go(f"{router.prefix}/{statement_id}?done={done}")


@router.post("/{statement_id}/reminder")
async def remind(request: Request, actor: Officer, statement_id: UUID) -> Response:
    context = context_of(request)

    def act(_: Form) -> None:
        dunning.remind_now(context, str(actor), statement_id)

    return await carry_out(request, actor, statement_id, "reminded", act)


@router.post("/{statement_id}/write-off")
async def propose_write_off(request: Request, actor: Officer, statement_id: UUID) -> Response:
    context = context_of(request)

    def act(form: Form) -> None:
        cents, reason = cents_of(form), form.word("reason")
        write_off_id = form.identifier("write_off_id")
        write_offs.propose(
            context, str(actor), statement_id, write_off_id, cents=cents, reason=reason
        )

    return await carry_out(request, actor, statement_id, "write_off_proposed", act)


def cents_of(form: Form) -> int:
    """Read an amount in euros. Raises FieldMalformed."""
    found = sale_cents_of(form.text("amount"))
    if not found:
        raise FieldMalformed(field="amount")
    return found


@router.post("/{statement_id}/write-off/approval")
async def approve_write_off(request: Request, actor: Judge, statement_id: UUID) -> Response:
    """Approve what another person proposed: the amount that was read, and no other."""
    context = context_of(request)

    def act(form: Form) -> None:
        write_off_id, cents = form.identifier("write_off_id"), form.number("cents")
        write_offs.approve(context, str(actor), statement_id, write_off_id, cents)

    return await carry_out(request, actor, statement_id, "write_off_approved", act)


@router.post("/{statement_id}/write-off/discard")
async def discard_write_off(request: Request, actor: Judge, statement_id: UUID) -> Response:
    context = context_of(request)

    def act(form: Form) -> None:
        write_offs.discard(context, str(actor), statement_id, form.identifier("write_off_id"))

    return await carry_out(request, actor, statement_id, "write_off_discarded", act)


def statement_of(context: Context, statement_id: UUID) -> Statement:
    with context.pool.connection() as connection:
        found = statements.one(connection, statement_id)
    if found is None:
        raise StatementNotFound(statement_id=statement_id)
    return found


@router.api_route("/{statement_id}/statement.pdf", **PAGE)
async def show_pdf(request: Request, _: Reader, statement_id: UUID) -> Response:
    found = await run_in_threadpool(statement_of, context_of(request), statement_id)
    return await my_statements.pdf(request, found)


@router.api_route("/{statement_id}/lines.csv", **PAGE)
async def show_lines(request: Request, _: Reader, statement_id: UUID) -> Response:
    found = await run_in_threadpool(statement_of, context_of(request), statement_id)
    return await my_statements.lines(request, found)


@router.api_route("/{statement_id}/receipt.pdf", **PAGE)
async def show_receipt(request: Request, _: Reader, statement_id: UUID) -> Response:
    found = await run_in_threadpool(statement_of, context_of(request), statement_id)
    return await my_statements.receipt(request, found)
