"""Settlements in the office: what shops owe and since when, reminders, write-offs by two people."""

from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import dunning, figures, my_statements, settling, statement_letters, write_offs
from api.deps import Context, context_of
from api.foundation import foundation_of
from api.home import PAGE
from api.office.desk import (
    Form,
    Judge,
    Officer,
    Reader,
    named,
    today_here,
)
from api.office.page import OfficePage
from ledger.settlements.commands import StatementNotFound
from ledger.settlements.decider import settlement
from ledger.settlements.events import (
    CreditSetOff,
    SetOffTakenBack,
    SettlementEvent,
    WriteOffReason,
)
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


def gathered(context: Context) -> dict[str, Any]:
    """Gather all debts: by age, on no statement yet, and what waits for a second person."""
    context.admission.refresh()
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
    }


LIST: Final = OfficePage("office/settlements.html", router.prefix, gathered)


@router.api_route("", **PAGE)
async def show_all(request: Request, _: Reader) -> Response:
    return await LIST.show(request)


@router.post("/closing")
async def close(request: Request, actor: Officer) -> Response:
    """Close a shop's statement now, up to a day."""

    def act(context: Context, form: Form) -> str:
        partner_id, last_on = form.identifier("partner"), form.day("last_on")
        closed = settling.close_now(context, str(actor), partner_id, last_on)
        return f"{router.prefix}/{closed.statement_id}?done=closed_now"

    return await LIST.submit(request, act)


def one_gathered(context: Context, statement_id: UUID) -> dict[str, Any]:
    """Gather a statement with what was just done to it."""
    context.admission.refresh()
    figures.settle(context, statements.statements.name)
    found = statement_of(context, statement_id)
    history = [one.event for one in context.ledger.history(settlement, found.partner_id)]
    own_history = [one for one in history if concerns(one, statement_id)]
    state = settlement.fold(history)
    return my_statements.told(context, found) | {
        "shop_name": context.admission.partner_name(found.partner_id),
        "recipients": statement_letters.recipients(context, found),
        "history": [(type(one).__name__, one) for one in own_history],
        "names": named(context, [one.actor for one in own_history]),
        "numbers": {name: one.closed.number for name, one in state.statements.items()},
        "written_to_on": state.reminded_on,
        "reasons": REASONS,
        "new_id": uuid4(),
        "files": f"{router.prefix}/{statement_id}",
    }


def concerns(event: SettlementEvent, statement_id: UUID) -> bool:
    """Tell whether an event is about a statement: a set-off is about two."""
    if isinstance(event, CreditSetOff | SetOffTakenBack):
        return statement_id in {event.statement_id, event.from_statement_id}
    return event.statement_id == statement_id


def statement_page(statement_id: UUID) -> OfficePage:
    gather = partial(one_gathered, statement_id=statement_id)
    return OfficePage("office/settlement.html", f"{router.prefix}/{statement_id}", gather)


@router.api_route("/{statement_id}", **PAGE)
async def show(request: Request, _: Reader, statement_id: UUID) -> Response:
    return await statement_page(statement_id).show(request)


@router.post("/{statement_id}/reminder")
async def remind(request: Request, actor: Officer, statement_id: UUID) -> Response:
    def act(context: Context, _: Form) -> None:
        dunning.remind_now(context, str(actor), statement_id)

    return await statement_page(statement_id).carry_out(request, "reminded", act)


@router.post("/{statement_id}/write-off")
async def propose_write_off(request: Request, actor: Officer, statement_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        cents, reason = form.cents("amount"), form.word("reason")
        write_off_id = form.identifier("write_off_id")
        write_offs.propose(
            context, str(actor), statement_id, write_off_id, cents=cents, reason=reason
        )

    return await statement_page(statement_id).carry_out(request, "write_off_proposed", act)


@router.post("/{statement_id}/write-off/approval")
async def approve_write_off(request: Request, actor: Judge, statement_id: UUID) -> Response:
    """Approve what another person proposed: the amount that was read, and no other."""

    def act(context: Context, form: Form) -> None:
        write_off_id, cents = form.identifier("write_off_id"), form.number("cents")
        write_offs.approve(context, str(actor), statement_id, write_off_id, cents)

    return await statement_page(statement_id).carry_out(request, "write_off_approved", act)


@router.post("/{statement_id}/write-off/discard")
async def discard_write_off(request: Request, actor: Judge, statement_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        write_offs.discard(context, str(actor), statement_id, form.identifier("write_off_id"))

    return await statement_page(statement_id).carry_out(request, "write_off_discarded", act)


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


@router.api_route("/{statement_id}/account.csv", **PAGE)
async def show_account(request: Request, _: Reader, statement_id: UUID) -> Response:
    found = await run_in_threadpool(statement_of, context_of(request), statement_id)
    return await my_statements.account(request, found)


@router.api_route("/{statement_id}/receipt.pdf", **PAGE)
async def show_receipt(request: Request, _: Reader, statement_id: UUID) -> Response:
    found = await run_in_threadpool(statement_of, context_of(request), statement_id)
    return await my_statements.receipt(request, found)
