"""Cheques and cash in the office: one person declares them, another counts them too."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter
from psycopg import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import admin, figures, remittances
from api.auth import Actor, person_page
from api.deps import Context, context_of
from api.forms import fields_of
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
    shop_name_of,
    today_here,
)
from api.pages import Address, go
from api.project_sheet import cents_of
from api.tickets import uuid_of
from ledger.remittances import MEANS
from ledger.remittances import remittance as decider
from projections import partners, statements
from projections import remittances as rows

router = APIRouter(prefix="/office/remittances", include_in_schema=False)

AMOUNT_OF: Final = "statement_"


def shop_names(connection: Connection[Any]) -> dict[UUID, str]:
    return {one.partner_id: one.name for one in partners.every(connection)}


@router.api_route("", **PAGE)
async def show_all(request: Request, actor: Reader) -> Response:
    context = context_of(request)

    def gathered() -> dict[str, Any]:
        figures.settle(context, rows.remittances.name, statements.statements.name)
        with context.pool.connection() as connection:
            found = rows.listed(connection)
            late = rows.undeposited(connection)
            names = shop_names(connection)
            owing = {one.partner_id for one in statements.outstanding(connection)}
        shops = sorted((name, one, one in owing) for one, name in names.items())
        return {"found": found, "undeposited": late, "shop_names": names, "shops": shops}

    values = await run_in_threadpool(gathered)
    values |= {"officer": actor.has("officer"), "today": today_here()}
    return person_page(request, "office/remittances.html", values, Address(router.prefix))


async def form_page(
    request: Request, partner_id: UUID, remittance_id: UUID, problem: Problem | None = None
) -> Response:
    context = context_of(request)

    def gathered() -> dict[str, Any]:
        shop = admin.registered(context.ledger, partner_id)
        figures.settle(context, statements.statements.name)
        with context.pool.connection() as connection:
            owed = remittances.payable(connection, partner_id)
        return {"shop_name": shop_name_of(shop), "statements": owed}

    values = await run_in_threadpool(gathered)
    values |= {
        "partner_id": partner_id,
        "remittance_id": remittance_id,
        "means": MEANS,
        "today": today_here(),
        "problem": problem,
    }
    status = 200 if problem is None else problem.status
    address = Address(f"{router.prefix}/new", {"partner": str(partner_id)})
    return person_page(request, "office/remittance_form.html", values, address, status=status)


@router.api_route("/new", **PAGE)
async def show_form(request: Request, _: Officer, partner: UUID) -> Response:
    """Show a form of its own: sent twice it declares once."""
    return await form_page(request, partner, uuid4())


@router.post("")
async def declare(request: Request, actor: Officer) -> Response:
    context, form = context_of(request), Form(await fields_of(request))
    made: list[UUID] = []

    def identified() -> None:
        made.extend((form.identifier("partner_id"), form.identifier("remittance_id")))

    def act() -> None:
        remittances.declare(
            context,
            str(actor),
            remittance_id=remittance_id,
            partner_id=partner_id,
            means=form.word("means"),
            cents=cents_of(form, "amount"),
            received_on=form.day("received_on"),
            amounts=typed_amounts(form),
        )

    if await attempted(form, identified) is not None:
        return go(router.prefix)  # No page of ours sends such a form.
    partner_id, remittance_id = made
    problem = await attempted(form, act)
    if problem is not None:
        return await form_page(request, partner_id, remittance_id, problem)
    return go(f"{router.prefix}/{remittance_id}?done=declared")


def typed_amounts(form: Form) -> dict[UUID, int]:
    """Read how much is for each statement; an empty field is nothing. Raises FieldMalformed."""
    return {
        statement_of(name): cents
        for name in form.fields
        if name.startswith(AMOUNT_OF) and (cents := cents_of(form, name, zero=True))
    }


def statement_of(name: str) -> UUID:
    """Give the statement that a field is for. Raises FieldMalformed."""
    found = uuid_of(name.removeprefix(AMOUNT_OF))
    if found is None:
        raise FieldMalformed(field=name)
    return found


def gathered(context: Context, remittance_id: UUID) -> dict[str, Any]:
    """Gather a remittance as the ledger holds it, so that what was just done shows."""
    history = [one.event for one in context.ledger.history(decider, remittance_id)]
    state = remittances.remittance_of(context, remittance_id)
    declared = state.declared
    with context.pool.connection() as connection:
        row = rows.one(connection, remittance_id)
        owed = {
            one.statement_id: one for one in statements.of_partner(connection, declared.partner_id)
        }
    return {
        "state": type(state).__name__,
        "declared": declared,
        "shop_name": shop_name_of(admin.registered(context.ledger, declared.partner_id)),
        "lines": [
            (one.target_id and owed.get(one.target_id), one.cents) for one in declared.allocations
        ],
        "deposited_cents": 0 if row is None else row.deposited_cents,
        "history": [(type(one).__name__, one) for one in history],
        "names": named(context, [one.actor for one in history]),
        "today": today_here(),
        "here": f"{router.prefix}/{remittance_id}",
    }


async def remittance_page(
    request: Request, actor: Actor, remittance_id: UUID, problem: Problem | None = None
) -> Response:
    values = await run_in_threadpool(gathered, context_of(request), remittance_id)
    values |= {
        "problem": problem,
        "done": request.query_params.get("done"),
        "officer": actor.has("officer"),
        "judge": actor.has("officer", "committee"),
        "me": str(actor),
    }
    status = 200 if problem is None else problem.status
    address = Address(f"{router.prefix}/{remittance_id}")
    return person_page(request, "office/remittance.html", values, address, status=status)


@router.api_route("/{remittance_id}", **PAGE)
async def show(request: Request, actor: Reader, remittance_id: UUID) -> Response:
    return await remittance_page(request, actor, remittance_id)


async def carry_out(
    request: Request,
    actor: Actor,
    remittance_id: UUID,
    done: str,
    act: Callable[[Context, Form], object],
) -> Response:
    """Do what a form asks of a remittance, and lead back to it or say why not."""
    context, form = context_of(request), Form(await fields_of(request))
    problem = await attempted(form, lambda: act(context, form))
    if problem is not None:
        return await remittance_page(request, actor, remittance_id, problem)
    return go(f"{router.prefix}/{remittance_id}?done={done}")


@router.post("/{remittance_id}/approval")
async def approve(request: Request, actor: Judge, remittance_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        remittances.approve(context, str(actor), remittance_id, cents_of(form, "amount"))

    return await carry_out(request, actor, remittance_id, "approved", act)


@router.post("/{remittance_id}/discard")
async def discard(request: Request, actor: Judge, remittance_id: UUID) -> Response:
    def act(context: Context, _: Form) -> None:
        remittances.discard(context, str(actor), remittance_id)

    return await carry_out(request, actor, remittance_id, "discarded", act)


@router.post("/{remittance_id}/return")
async def give_back(request: Request, actor: Officer, remittance_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        remittances.give_back(context, str(actor), remittance_id, form.day("returned_on"))

    return await carry_out(request, actor, remittance_id, "returned", act)
