"""The bank in the office: files taken in, what is open, what is proposed, how the days agree."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from functools import partial
from io import BytesIO
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import bank_import, bank_matching
from api.bank_matching import Said
from api.csv_upload import FileMissing, content_of
from api.deps import Context
from api.home import PAGE
from api.office import bank_pages
from api.office.desk import FieldMalformed, Form, Officer, Reader
from api.office.page import OfficePage
from projections import bank

router = APIRouter(prefix="/office/bank", include_in_schema=False)

COUNT_DIGITS: Final = 6


def page(name: str, path: str, gather: Callable[[Context], dict[str, Any]]) -> OfficePage:
    """Give a page of the bank: each has the menu that leads to the others."""

    def with_menu(context: Context) -> dict[str, Any]:
        return gather(context) | {"here": router.prefix}

    return OfficePage(f"office/{name}.html", f"{router.prefix}{path}", with_menu)


def overview_page(request: Request) -> OfficePage:
    after = after_of(request.query_params.get("after", ""))
    counted = {name: count_in(request, name) for name in ("new", "matched")}
    return page("bank", "", lambda context: bank_pages.overview(context, after) | counted)


def after_of(text: str) -> tuple[date, UUID]:
    """Read which open transaction a page begins after; from the beginning where it says none."""
    day, _, key = text.partition("_")
    try:
        return date.fromisoformat(day), UUID(key)
    except ValueError:
        return bank.BEGINNING


def count_in(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= COUNT_DIGITS else 0


@router.api_route("", **PAGE)
async def show(request: Request, _: Reader) -> Response:
    return await overview_page(request).show(request)


@router.post("/files")
async def take(request: Request, actor: Officer) -> Response:
    """Take a file in: refused whole, or booked and matched as far as that is certain."""
    content = b""
    with suppress(FileMissing):
        content = await content_of(request)

    def act(context: Context, _: Form) -> str:
        if not content:
            raise FieldMalformed(field="file")
        file = BytesIO(content)
        found = bank_import.survey(context, file)
        made = bank_import.import_file(context, str(actor), file, found)
        matched = bank_matching.match_certain(context)
        return f"{router.prefix}?done=imported&new={made.new_entries}&matched={matched}"

    return await overview_page(request).submit(request, act)


@router.post("/matching")
async def match_again(request: Request, _: Officer) -> Response:
    """Match what has become certain since the last file."""

    def act(context: Context, _: Form) -> str:
        matched = bank_matching.match_certain(context)
        return f"{router.prefix}?done=matched&matched={matched}"

    return await overview_page(request).submit(request, act)


@router.api_route("/files", **PAGE)
async def show_files(request: Request, _: Reader) -> Response:
    return await page("bank_files", "/files", bank_pages.files).show(request)


@router.api_route("/days", **PAGE)
async def show_days(request: Request, _: Reader) -> Response:
    month = bank_pages.month_of(request.query_params.get("month", ""))
    gather = partial(bank_pages.days, month=month)
    return await page("bank_days", "/days", gather).show(request)


def transaction_page(transaction_id: UUID) -> OfficePage:
    gather = partial(bank_pages.transaction, transaction_id=transaction_id)
    return page("bank_transaction", f"/transactions/{transaction_id}", gather)


@router.api_route("/transactions/{transaction_id}", **PAGE)
async def show_transaction(request: Request, _: Reader, transaction_id: UUID) -> Response:
    return await transaction_page(transaction_id).show(request)


@router.post("/transactions/{transaction_id}/confirmation")
async def confirm(request: Request, actor: Officer, transaction_id: UUID) -> Response:
    """Confirm a proposal, exactly as it was shown."""

    def act(context: Context, form: Form) -> None:
        bank_matching.confirm(context, str(actor), transaction_id, form.text("key"))

    return await transaction_page(transaction_id).carry_out(request, "matched", act)


@router.post("/transactions/{transaction_id}/match")
async def match_by_hand(request: Request, actor: Officer, transaction_id: UUID) -> Response:
    """Say by hand what a transaction, or a part of it, is for."""

    def act(context: Context, form: Form) -> None:
        cents = form.cents("amount") if form.text("amount") else None
        said = Said(form.text("target"), form.text("reference"), cents)
        bank_matching.match_by_hand(context, str(actor), transaction_id, form.text("key"), said)

    return await transaction_page(transaction_id).carry_out(request, "matched", act)


@router.post("/transactions/{transaction_id}/matches/{match_id}/undo")
async def undo(request: Request, actor: Officer, transaction_id: UUID, match_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        reason: Any = form.word("reason")
        bank_matching.unmatch(context, str(actor), transaction_id, match_id, reason)

    return await transaction_page(transaction_id).carry_out(request, "undone", act)
