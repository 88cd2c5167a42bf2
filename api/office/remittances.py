"""Cheques and cash in the office: one person declares them, another counts them too."""

from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter
from psycopg import Connection
from starlette.requests import Request
from starlette.responses import Response

from api import admin, figures, remittances
from api.deps import Context
from api.forms import fields_of
from api.home import PAGE
from api.office.desk import (
    FieldMalformed,
    Form,
    Judge,
    Officer,
    Reader,
    named,
    shop_name_of,
)
from api.office.page import OfficePage
from api.pages import go
from api.tickets import uuid_of
from ledger.remittances import MEANS
from ledger.remittances import remittance as decider
from projections import partners, statements
from projections import remittances as rows

router = APIRouter(prefix="/office/remittances", include_in_schema=False)

AMOUNT_OF: Final = "statement_"


def shop_names(connection: Connection[Any]) -> dict[UUID, str]:
    return {one.partner_id: one.name for one in partners.every(connection)}


def listed(context: Context) -> dict[str, Any]:
    figures.settle(context, rows.remittances.name, statements.statements.name)
    with context.pool.connection() as connection:
        found = rows.listed(connection)
        late = rows.undeposited(connection)
        names = shop_names(connection)
        owing = {one.partner_id for one in statements.outstanding(connection)}
    shops = sorted((name, one, one in owing) for one, name in names.items())
    return {"found": found, "undeposited": late, "shop_names": names, "shops": shops}


@router.api_route("", **PAGE)
async def show_all(request: Request, _: Reader) -> Response:
    return await OfficePage("office/remittances.html", router.prefix, listed).show(request)


def form_page(partner_id: UUID, remittance_id: UUID) -> OfficePage:
    def asked(context: Context) -> dict[str, Any]:
        shop = admin.registered(context.ledger, partner_id)
        figures.settle(context, statements.statements.name)
        with context.pool.connection() as connection:
            owed = remittances.payable(connection, partner_id)
        return {
            "shop_name": shop_name_of(shop),
            "statements": owed,
            "partner_id": partner_id,
            "remittance_id": remittance_id,
            "means": MEANS,
        }

    path, query = f"{router.prefix}/new", {"partner": str(partner_id)}
    return OfficePage("office/remittance_form.html", path, asked, query)


@router.api_route("/new", **PAGE)
async def show_form(request: Request, _: Officer, partner: UUID) -> Response:
    """Show a form of its own: sent twice it declares once."""
    return await form_page(partner, uuid4()).show(request)


@router.post("")
async def declare(request: Request, actor: Officer) -> Response:
    form = Form(await fields_of(request))
    try:
        partner_id, remittance_id = form.identifier("partner_id"), form.identifier("remittance_id")
    except FieldMalformed:
        return go(router.prefix)  # No page of ours sends such a form.

    def act(context: Context, form: Form) -> str:
        remittances.declare(
            context,
            str(actor),
            remittance_id=remittance_id,
            partner_id=partner_id,
            means=form.word("means"),
            cents=form.cents("amount"),
            received_on=form.day("received_on"),
            amounts=typed_amounts(form),
        )
        return f"{router.prefix}/{remittance_id}?done=declared"

    return await form_page(partner_id, remittance_id).submit(request, act)


def typed_amounts(form: Form) -> dict[UUID, int]:
    """Read how much is for each statement; an empty field is nothing. Raises FieldMalformed."""
    return {
        statement_of(name): cents
        for name in form.fields
        if name.startswith(AMOUNT_OF) and (cents := form.cents(name, zero=True))
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
    }


def remittance_page(remittance_id: UUID) -> OfficePage:
    gather = partial(gathered, remittance_id=remittance_id)
    return OfficePage("office/remittance.html", f"{router.prefix}/{remittance_id}", gather)


@router.api_route("/{remittance_id}", **PAGE)
async def show(request: Request, _: Reader, remittance_id: UUID) -> Response:
    return await remittance_page(remittance_id).show(request)


@router.post("/{remittance_id}/approval")
async def approve(request: Request, actor: Judge, remittance_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        remittances.approve(context, str(actor), remittance_id, form.cents("amount"))

    return await remittance_page(remittance_id).carry_out(request, "approved", act)


@router.post("/{remittance_id}/discard")
async def discard(request: Request, actor: Judge, remittance_id: UUID) -> Response:
    def act(context: Context, _: Form) -> None:
        remittances.discard(context, str(actor), remittance_id)

    return await remittance_page(remittance_id).carry_out(request, "discarded", act)


@router.post("/{remittance_id}/return")
async def give_back(request: Request, actor: Officer, remittance_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        remittances.give_back(context, str(actor), remittance_id, form.day("returned_on"))

    return await remittance_page(remittance_id).carry_out(request, "returned", act)
