"""A partner's statements as its manager sees them: what it owes, how to pay, what was received."""

from datetime import date
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from psycopg import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import cards, statement_documents
from api.auth import Actor
from api.deps import Context, context_of
from api.foundation import foundation_of
from api.home import PAGE
from api.i18n import language_of
from api.my import Manager, check_own, shop_of, shop_page, today_here
from api.pages import PRIVATE
from api.statement_lines import csv_of_account, csv_of_statement
from ledger.calendar import days_after
from ledger.foundation import Foundation
from ledger.partners.standing import rule_on
from ledger.periods import period_end
from ledger.references import in_groups
from ledger.settlements.commands import NUMBER_MAX, StatementNotFound
from projections import dues, payments, statements
from projections.dues import Open
from projections.statements import Statement

router = APIRouter(prefix="/my/shops/{partner_id}/statements", include_in_schema=False)

PDF: Final = "application/pdf"
CSV: Final = "text/csv; charset=utf-8"


def numbered(connection: Connection[Any], partner_id: UUID, number: int) -> Statement:
    """Give a partner's statement. Raises StatementNotFound."""
    known = 1 <= number <= NUMBER_MAX
    found = statements.numbered(connection, partner_id, number) if known else None
    if found is None:
        raise StatementNotFound(number=number)
    return found


def closes_on(own: Foundation, waiting: Open, today: date) -> date:
    """Say when what is open now will be on a statement, as far as it is the rule today."""
    first_on = waiting.first_on if waiting.last_on is None else days_after(waiting.last_on)
    terms = own.terms_on(first_on)
    last_on = period_end(terms.period, max(first_on, today))
    return days_after(last_on, max(1, terms.close_after_days))


@router.api_route("", **PAGE)
async def show_all(request: Request, actor: Manager, partner_id: UUID) -> Response:
    check_own(actor, partner_id)
    values = await run_in_threadpool(owed, context_of(request), partner_id)
    return shop_page(request, "statements", values)


def owed(context: Context, partner_id: UUID) -> dict[str, Any]:
    """Gather what a partner owes: on statements, and on none yet."""
    own, today = foundation_of(context), today_here()
    with context.pool.connection() as connection:
        shop = shop_of(connection, partner_id)
        found = statements.of_partner(connection, partner_id)
        waiting = next(iter(dues.open_of(connection, partner_id)), None)
    outstanding = [one for one in found if one.outstanding_cents > 0]
    return shop | {
        "statements": found,
        "outstanding_cents": sum(one.outstanding_cents for one in outstanding),
        "credit_cents": -sum(min(one.outstanding_cents, 0) for one in found),
        "next_due": min((one.due_on for one in outstanding), default=None),
        "waiting": waiting,
        "closes_on": None if waiting is None else closes_on(own, waiting, today),
        "account": own.account,
        "overdue_days_max": rule_on(today).overdue_days_max,
    }


@router.api_route("/{number}", **PAGE)
async def show(request: Request, actor: Manager, partner_id: UUID, number: int) -> Response:
    check_own(actor, partner_id)
    context = context_of(request)

    def gathered() -> dict[str, Any]:
        with context.pool.connection() as connection:
            shop = shop_of(connection, partner_id)
            found = numbered(connection, partner_id, number)
        return shop | told(context, found)

    return shop_page(request, "statement", await run_in_threadpool(gathered))


def told(context: Context, found: Statement) -> dict[str, Any]:
    """Gather what every page about a statement tells."""
    with context.pool.connection() as connection:
        money = statements.money_of(connection, found.statement_id)
        days = statements.days_of(connection, found.statement_id)
        on_its_way = payments.on_its_way_cents(connection, found.statement_id)
    payment = statement_documents.payment_of(foundation_of(context), found)
    return {
        "statement": found,
        "money": money,
        "days": days,
        "payment": payment,
        "reference": in_groups(found.reference),
        "qr_of": statement_documents.qr_inline,
        "on_its_way_cents": on_its_way,
        "by_card": found.outstanding_cents > 0 and cards.taken(context),
        "files": statement_documents.path_of(found),
    }


@router.api_route("/{number}/statement.pdf", **PAGE)
async def show_pdf(request: Request, actor: Manager, partner_id: UUID, number: int) -> Response:
    found = await own_statement(request, actor, partner_id, number)
    return await pdf(request, found)


@router.api_route("/{number}/lines.csv", **PAGE)
async def show_lines(request: Request, actor: Manager, partner_id: UUID, number: int) -> Response:
    found = await own_statement(request, actor, partner_id, number)
    return await lines(request, found)


@router.api_route("/{number}/account.csv", **PAGE)
async def show_account(request: Request, actor: Manager, partner_id: UUID, number: int) -> Response:
    found = await own_statement(request, actor, partner_id, number)
    return await account(request, found)


@router.api_route("/{number}/receipt.pdf", **PAGE)
async def show_receipt(request: Request, actor: Manager, partner_id: UUID, number: int) -> Response:
    found = await own_statement(request, actor, partner_id, number)
    return await receipt(request, found)


async def own_statement(request: Request, actor: Actor, partner_id: UUID, number: int) -> Statement:
    """Give a statement of the manager's own shop. Raises PartnerNotFound, StatementNotFound."""
    check_own(actor, partner_id)
    pool = context_of(request).pool

    def read() -> Statement:
        with pool.connection() as connection:
            return numbered(connection, partner_id, number)

    return await run_in_threadpool(read)


async def pdf(request: Request, found: Statement) -> Response:
    context, language = context_of(request), language_of(request)
    content = await run_in_threadpool(statement_documents.pdf_of, context, found, language)
    return document(content, PDF, statement_documents.file_name(found, "pdf"))


async def receipt(request: Request, found: Statement) -> Response:
    """Print the receipt of what came in or was set off. There is none before something did."""
    if not found.has_receipt:
        raise StatementNotFound(number=found.number)
    context, language = context_of(request), language_of(request)
    content = await run_in_threadpool(statement_documents.receipt_of, context, found, language)
    return document(content, PDF, statement_documents.file_name(found, "pdf", "recu"))


async def lines(request: Request, found: Statement) -> Response:
    pool = context_of(request).pool

    def read() -> bytes:
        with pool.connection() as connection:
            return csv_of_statement(connection, found)

    content = await run_in_threadpool(read)
    return document(content, CSV, statement_documents.file_name(found, "csv"))


async def account(request: Request, found: Statement) -> Response:
    """Give what was asked, paid and is left of a statement, for whoever keeps a shop's books."""
    pool = context_of(request).pool

    def read() -> bytes:
        with pool.connection() as connection:
            return csv_of_account(found, statements.money_of(connection, found.statement_id))

    content = await run_in_threadpool(read)
    return document(content, CSV, statement_documents.file_name(found, "csv", "compte"))


def document(content: bytes, kind: str, name: str) -> Response:
    headers = {**PRIVATE, "Content-Disposition": f'inline; filename="{name}"'}
    return Response(content, headers=headers, media_type=kind)
