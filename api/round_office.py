"""Rounds in the office: drafted, approved by two, opened, counted, adopted by two or sent back."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter
from psycopg import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import counting, round_form, round_steps, wordings
from api.auth import Actor, person_page
from api.deps import Context, context_of
from api.forms import fields_of
from api.home import PAGE
from api.office.desk import (
    Form,
    Member,
    Officer,
    Problem,
    Reader,
    attempted,
    named,
    now,
)
from api.pages import Address, go
from api.project_sheet import long_text
from ledger.rounds import round_
from ledger.rounds.commands import RoundNotFound, SendBack
from ledger.rounds.definition import Definition
from ledger.rounds.events import CancelReason, SentBackReason, StruckReason
from ledger.rounds.life import CLOSE_AFTER
from ledger.rounds.state import AnyRound, Undrafted
from projections import paper_ballots, projects, rounds
from projections.pledge_cover import Cover, cover_of

router = APIRouter(prefix="/office/rounds", include_in_schema=False)

WORDS_MAX: Final = 2_000
UNWRITTEN: Final = "0" * 64


@router.api_route("", **PAGE)
async def show_all(request: Request, actor: Reader) -> Response:
    context = context_of(request)

    def gathered() -> dict[str, Any]:
        with context.pool.connection() as connection:
            return {"rounds": rounds.every(connection)}

    values = await run_in_threadpool(gathered) | {"officer": actor.has("officer")}
    return person_page(request, "round/office_rounds.html", values, Address(router.prefix))


def titles_of(connection: Connection[Any]) -> dict[UUID, str]:
    """Give the titles of all published projects."""
    found = projects.listed(connection, limit=None)
    return {one.project_id: one.document.get("title", "") for one in found}


def abandoned(connection: Connection[Any], definition: Definition) -> set[UUID]:
    """Give the projects of a round that were abandoned."""
    found = projects.listed(connection, limit=None)
    known = definition.project_ids
    return {one.project_id for one in found if one.state == "abandoned" and one.project_id in known}


def cover(connection: Connection[Any], definition: Definition) -> Cover | None:
    """Tell whether a sponsor promised what the round adds, None where it adds nothing."""
    matching = definition.pot.matching
    if matching is None:
        return None
    return cover_of(connection, definition.round_id, matching.sponsor, matching.cap_cents)


def gathered(context: Context, round_id: UUID) -> dict[str, Any]:
    """Gather a round as the ledger holds it, so that what was just done shows."""
    history = [one.event for one in context.ledger.history(round_, round_id)]
    state = round_.fold(history)
    if isinstance(state, Undrafted):
        raise RoundNotFound(round_id=round_id)
    with context.pool.connection() as connection:
        progress = counting.progress_of(connection, round_id)
        paper_waiting = paper_ballots.count(connection, round_id)
        titles = titles_of(connection)
        ended = abandoned(connection, state.definition)
        words = wordings.read(connection, *(getattr(one, "words_sha256", None) for one in history))
        covered = cover(connection, state.definition)
    return {
        "round_id": round_id,
        "state": state,
        "stage": type(state).__name__,
        "definition": state.definition,
        "history": [(type(one).__name__, one) for one in history],
        "names": named(context, [one.actor for one in history]),
        "titles": titles,
        "words": words,
        "cover": covered,
        "progress": progress,
        "paper_waiting": paper_waiting,
        "ended": {one for one in ended if one not in state.struck},
        "due": now() >= state.definition.closes_at + CLOSE_AFTER,
        "here": f"{router.prefix}/{round_id}",
    }


async def office_page(
    request: Request, actor: Actor, round_id: UUID, problem: Problem | None = None
) -> Response:
    values = await run_in_threadpool(gathered, context_of(request), round_id)
    values |= {
        "problem": problem,
        "done": request.query_params.get("done"),
        "officer": actor.has("officer"),
        "member": actor.has("committee"),
    }
    status = 200 if problem is None else problem.status
    address = Address(f"{router.prefix}/{round_id}")
    return person_page(request, "round/office_round.html", values, address, status=status)


def drafted_fields(context: Context, round_id: UUID) -> dict[str, list[str]]:
    """Give the form as the round was last drafted; its defaults for a new one."""
    state: AnyRound = round_.fold(one.event for one in context.ledger.history(round_, round_id))
    if isinstance(state, Undrafted):
        return dict(round_form.DEFAULTS)
    return round_form.fields_of_definition(state.definition)


async def form_page(request: Request, round_id: UUID, problem: Problem | None = None) -> Response:
    context = context_of(request)

    def asked() -> dict[str, Any]:
        with context.pool.connection() as connection:
            return round_form.asked_of(connection, round_id)

    values = await run_in_threadpool(asked)
    kept = await run_in_threadpool(drafted_fields, context, round_id)
    values |= {
        "problem": problem,
        "typed": kept if problem is None or not problem.typed else dict(problem.typed),
        "round_id": round_id,
        "here": f"{router.prefix}/{round_id}/draft",
    }
    status = 200 if problem is None else problem.status
    address = Address(f"{router.prefix}/{round_id}/draft")
    return person_page(request, "round/office_form.html", values, address, status=status)


@router.api_route("/new", **PAGE)
async def begin(_: Officer) -> Response:
    """Lead to a form of its own: sent twice it drafts one round, and two forms draft two."""
    return go(f"{router.prefix}/{uuid4()}/draft")


@router.api_route("/{round_id}/draft", **PAGE)
async def show_form(request: Request, _: Officer, round_id: UUID) -> Response:
    return await form_page(request, round_id)


@router.post("/{round_id}/draft")
async def draft(request: Request, actor: Officer, round_id: UUID) -> Response:
    context, form = context_of(request), Form(await fields_of(request))

    def act() -> None:
        with context.pool.connection() as connection:
            asked = round_form.asked_of(connection, round_id)
        definition = round_form.typed_definition(form, round_id, asked)
        round_steps.draft(context, str(actor), definition)

    problem = await attempted(form, act)
    if problem is not None:
        return await form_page(request, round_id, problem)
    return go(f"{router.prefix}/{round_id}?done=drafted")


@router.api_route("/{round_id}", **PAGE)
async def show(request: Request, actor: Reader, round_id: UUID) -> Response:
    return await office_page(request, actor, round_id)


async def carry_out(
    request: Request, actor: Actor, round_id: UUID, done: str, act: Callable[[Form], object]
) -> Response:
    """Do what a form asks of a round, and lead back to it or say why not."""
    context, form = context_of(request), Form(await fields_of(request))

    def checked() -> None:
        round_steps.round_of(context, round_id)
        act(form)

    problem = await attempted(form, checked)
    if problem is not None:
        return await office_page(request, actor, round_id, problem)
    return go(f"{router.prefix}/{round_id}?done={done}")


@router.post("/{round_id}/approval")
async def approve(request: Request, actor: Member, round_id: UUID) -> Response:
    context = context_of(request)

    def act(form: Form) -> None:
        round_steps.approve(context, str(actor), round_id, form.text("definition_sha256"))

    return await carry_out(request, actor, round_id, "approved", act)


@router.post("/{round_id}/opening")
async def open_round(request: Request, actor: Officer, round_id: UUID) -> Response:
    context = context_of(request)

    def act(_: Form) -> None:
        round_steps.open_round(context, str(actor), round_id)

    return await carry_out(request, actor, round_id, "opened", act)


@router.post("/{round_id}/strike")
async def strike(request: Request, actor: Officer, round_id: UUID) -> Response:
    context = context_of(request)

    def act(form: Form) -> None:
        reason: StruckReason = form.word("reason")
        round_steps.strike(context, str(actor), round_id, form.identifier("project"), reason)

    return await carry_out(request, actor, round_id, "struck", act)


@router.post("/{round_id}/close")
async def close(request: Request, actor: Officer, round_id: UUID) -> Response:
    """Record a close that is due, should the clock stand still: never before the deadline."""
    context = context_of(request)

    def act(_: Form) -> None:
        round_steps.close(context, str(actor), round_id)

    return await carry_out(request, actor, round_id, "closed", act)


@router.post("/{round_id}/count")
async def count(request: Request, actor: Officer, round_id: UUID) -> Response:
    context = context_of(request)

    def act(_: Form) -> None:
        round_steps.closed_round(context, round_id)
        counting.begin(context, str(actor), round_id)

    return await carry_out(request, actor, round_id, "counting", act)


@router.post("/{round_id}/adoption")
async def adopt(request: Request, actor: Member, round_id: UUID) -> Response:
    """Approve a result; the second approval adopts it, and makes its grants."""
    context = context_of(request)

    def act(form: Form) -> None:
        result = form.text("result_sha256")
        if round_steps.approve_result(context, str(actor), round_id, result):
            round_steps.award(context, str(actor), round_id)

    return await carry_out(request, actor, round_id, "adopted", act)


@router.post("/{round_id}/return")
async def send_back(request: Request, actor: Member, round_id: UUID) -> Response:
    context = context_of(request)

    def act(form: Form) -> None:
        reason: SentBackReason = form.word("reason")
        words, result = long_text(form, "words", WORDS_MAX), form.text("result_sha256")
        asked = SendBack(
            at=now(),
            actor=str(actor),
            round_id=round_id,
            result_sha256=result,
            reason=reason,
            words_sha256=UNWRITTEN,
        )
        # Refused before any words are kept for it, if it is.
        round_.decide(asked, round_steps.round_of(context, round_id))
        with context.pool.connection() as connection:
            digest = wordings.keep(connection, words)
        round_steps.send_back(context, str(actor), round_id, result, reason, digest)

    return await carry_out(request, actor, round_id, "sent_back", act)


@router.post("/{round_id}/cancellation")
async def cancel(request: Request, actor: Member, round_id: UUID) -> Response:
    context = context_of(request)

    def act(form: Form) -> None:
        reason: CancelReason = form.word("reason")
        round_steps.cancel(context, str(actor), round_id, reason)

    return await carry_out(request, actor, round_id, "cancelled", act)


@router.post("/{round_id}/awards")
async def award(request: Request, actor: Officer, round_id: UUID) -> Response:
    """Make the grants that a failure left out."""
    context = context_of(request)

    def act(_: Form) -> None:
        round_steps.award(context, str(actor), round_id)

    return await carry_out(request, actor, round_id, "awarded", act)
