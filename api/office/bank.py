"""The bank in the office: files taken in, what is open, what is proposed, how the days agree."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from io import BytesIO
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import bank_import, bank_matching
from api.auth import Actor, person_page
from api.bank_matching import Said
from api.csv_upload import FileMissing, content_of
from api.deps import Context, context_of
from api.forms import fields_of
from api.home import PAGE
from api.office import bank_pages
from api.office.desk import FieldMalformed, Form, Officer, Problem, Reader, attempted, today_here
from api.pages import Address, Values, go
from api.project_sheet import cents_of
from projections import bank

router = APIRouter(prefix="/office/bank", include_in_schema=False)

COUNT_DIGITS: Final = 6


def page(
    request: Request, name: str, values: Values, path: str, problem: Problem | None = None
) -> Response:
    """Answer with a page of the bank, in which a refused form is shown with its reason."""
    shown = {"problem": problem, "done": request.query_params.get("done"), **values}
    shown |= {"today": today_here(), "here": router.prefix}
    status = 200 if problem is None else problem.status
    return person_page(request, f"office/{name}.html", shown, Address(path), status=status)


async def overview_page(request: Request, actor: Actor, problem: Problem | None = None) -> Response:
    after = after_of(request.query_params.get("after", ""))
    values = await run_in_threadpool(bank_pages.overview, context_of(request), after)
    values |= {"new": count_in(request, "new"), "matched": count_in(request, "matched")}
    values |= {"officer": actor.has("officer")}
    return page(request, "bank", values, router.prefix, problem)


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
async def show(request: Request, actor: Reader) -> Response:
    return await overview_page(request, actor)


@router.post("/files")
async def take(request: Request, actor: Officer) -> Response:
    """Take a file in: refused whole, or booked and matched as far as that is certain."""
    context, form = context_of(request), Form(await fields_of(request))
    content = b""
    with suppress(FileMissing):
        content = await content_of(request)
    counted: dict[str, str] = {}

    def act() -> None:
        if not content:
            raise FieldMalformed(field="file")
        file = BytesIO(content)
        found = bank_import.survey(context, file)
        made = bank_import.import_file(context, str(actor), file, found)
        matched = bank_matching.match_certain(context)
        counted.update(new=str(made.new_entries), matched=str(matched))

    problem = await attempted(form, act)
    if problem is not None:
        return await overview_page(request, actor, problem)
    return go(router.prefix, {"done": "imported", **counted})


@router.post("/matching")
async def match_again(request: Request, actor: Officer) -> Response:
    """Match what has become certain since the last file."""
    context, form = context_of(request), Form(await fields_of(request))
    matched: list[int] = []

    def act() -> None:
        matched.append(bank_matching.match_certain(context))

    problem = await attempted(form, act)
    if problem is not None:
        return await overview_page(request, actor, problem)
    return go(router.prefix, {"done": "matched", "matched": str(sum(matched))})


@router.api_route("/files", **PAGE)
async def show_files(request: Request, _: Reader) -> Response:
    values = await run_in_threadpool(bank_pages.files, context_of(request))
    return page(request, "bank_files", values, f"{router.prefix}/files")


@router.api_route("/days", **PAGE)
async def show_days(request: Request, _: Reader) -> Response:
    month = bank_pages.month_of(request.query_params.get("month", ""))
    values = await run_in_threadpool(bank_pages.days, context_of(request), month)
    return page(request, "bank_days", values, f"{router.prefix}/days")


async def transaction_page(
    request: Request, actor: Actor, transaction_id: UUID, problem: Problem | None = None
) -> Response:
    values = await run_in_threadpool(bank_pages.transaction, context_of(request), transaction_id)
    # A form of its own for each time it is shown: sent twice, it counts once.
    values |= {"officer": actor.has("officer"), "key": uuid4().hex[:16]}
    path = f"{router.prefix}/transactions/{transaction_id}"
    return page(request, "bank_transaction", values, path, problem)


@router.api_route("/transactions/{transaction_id}", **PAGE)
async def show_transaction(request: Request, actor: Reader, transaction_id: UUID) -> Response:
    return await transaction_page(request, actor, transaction_id)


async def carry_out(
    request: Request,
    actor: Actor,
    transaction_id: UUID,
    done: str,
    act: Callable[[Context, Form], None],
) -> Response:
    """Do what a form asks of a transaction, and lead back to it or say why not."""
    context, form = context_of(request), Form(await fields_of(request))
    problem = await attempted(form, lambda: act(context, form))
    if problem is not None:
        return await transaction_page(request, actor, transaction_id, problem)
    return go(f"{router.prefix}/transactions/{transaction_id}?done={done}")


@router.post("/transactions/{transaction_id}/confirmation")
async def confirm(request: Request, actor: Officer, transaction_id: UUID) -> Response:
    """Confirm a proposal, exactly as it was shown."""

    def act(context: Context, form: Form) -> None:
        bank_matching.confirm(context, str(actor), transaction_id, form.text("key"))

    return await carry_out(request, actor, transaction_id, "matched", act)


@router.post("/transactions/{transaction_id}/match")
async def match_by_hand(request: Request, actor: Officer, transaction_id: UUID) -> Response:
    """Say by hand what a transaction, or a part of it, is for."""

    def act(context: Context, form: Form) -> None:
        cents = cents_of(form, "amount") if form.text("amount") else None
        said = Said(form.text("target"), form.text("reference"), cents)
        bank_matching.match_by_hand(context, str(actor), transaction_id, form.text("key"), said)

    return await carry_out(request, actor, transaction_id, "matched", act)


@router.post("/transactions/{transaction_id}/matches/{match_id}/undo")
async def undo(request: Request, actor: Officer, transaction_id: UUID, match_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        reason: Any = form.word("reason")
        bank_matching.unmatch(context, str(actor), transaction_id, match_id, reason)

    return await carry_out(request, actor, transaction_id, "undone", act)
