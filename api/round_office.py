"""Rounds in the office: drafted, approved by two, opened, counted, adopted by two or sent back."""

from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter
from psycopg import Connection
from starlette.requests import Request
from starlette.responses import Response

from api import counting, round_form, round_steps, wordings
from api.deps import Context
from api.home import PAGE
from api.office.desk import (
    Form,
    Member,
    Officer,
    Reader,
    named,
    now,
)
from api.office.page import OfficePage
from api.pages import go
from api.round_judges import approvers
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


def listed(context: Context) -> dict[str, Any]:
    with context.pool.connection() as connection:
        return {"rounds": rounds.every(connection)}


@router.api_route("", **PAGE)
async def show_all(request: Request, _: Reader) -> Response:
    return await OfficePage("round/office_rounds.html", router.prefix, listed).show(request)


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
        "approvers": approvers(context, state),
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
    }


def office_page(round_id: UUID) -> OfficePage:
    gather = partial(gathered, round_id=round_id)
    return OfficePage("round/office_round.html", f"{router.prefix}/{round_id}", gather)


def drafted_fields(context: Context, round_id: UUID) -> dict[str, list[str]]:
    """Give the form as the round was last drafted; its defaults for a new one."""
    state: AnyRound = round_.fold(one.event for one in context.ledger.history(round_, round_id))
    if isinstance(state, Undrafted):
        return dict(round_form.DEFAULTS)
    return round_form.fields_of_definition(state.definition)


def form_page(round_id: UUID) -> OfficePage:
    def asked(context: Context) -> dict[str, Any]:
        with context.pool.connection() as connection:
            found = round_form.asked_of(connection, round_id)
        return found | {"kept": drafted_fields(context, round_id), "round_id": round_id}

    return OfficePage("round/office_form.html", f"{router.prefix}/{round_id}/draft", asked)


@router.api_route("/new", **PAGE)
async def begin(_: Officer) -> Response:
    """Lead to a form of its own: sent twice it drafts one round, and two forms draft two."""
    return go(f"{router.prefix}/{uuid4()}/draft")


@router.api_route("/{round_id}/draft", **PAGE)
async def show_form(request: Request, _: Officer, round_id: UUID) -> Response:
    return await form_page(round_id).show(request)


@router.post("/{round_id}/draft")
async def draft(request: Request, actor: Officer, round_id: UUID) -> Response:
    def act(context: Context, form: Form) -> str:
        with context.pool.connection() as connection:
            asked = round_form.asked_of(connection, round_id)
        definition = round_form.typed_definition(form, round_id, asked)
        round_steps.draft(context, str(actor), definition)
        return f"{router.prefix}/{round_id}?done=drafted"

    return await form_page(round_id).submit(request, act)


@router.api_route("/{round_id}", **PAGE)
async def show(request: Request, _: Reader, round_id: UUID) -> Response:
    return await office_page(round_id).show(request)


@router.post("/{round_id}/approval")
async def approve(request: Request, actor: Member, round_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        round_steps.approve(context, str(actor), round_id, form.text("definition_sha256"))

    return await office_page(round_id).carry_out(request, "approved", act)


@router.post("/{round_id}/opening")
async def open_round(request: Request, actor: Officer, round_id: UUID) -> Response:
    def act(context: Context, _: Form) -> None:
        round_steps.open_round(context, str(actor), round_id)

    return await office_page(round_id).carry_out(request, "opened", act)


@router.post("/{round_id}/strike")
async def strike(request: Request, actor: Officer, round_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        reason: StruckReason = form.word("reason")
        round_steps.strike(context, str(actor), round_id, form.identifier("project"), reason)

    return await office_page(round_id).carry_out(request, "struck", act)


@router.post("/{round_id}/close")
async def close(request: Request, actor: Officer, round_id: UUID) -> Response:
    """Record a close that is due, should the clock stand still: never before the deadline."""

    def act(context: Context, _: Form) -> None:
        round_steps.close(context, str(actor), round_id)

    return await office_page(round_id).carry_out(request, "closed", act)


@router.post("/{round_id}/count")
async def count(request: Request, actor: Officer, round_id: UUID) -> Response:
    def act(context: Context, _: Form) -> None:
        round_steps.closed_round(context, round_id)
        counting.begin(context, str(actor), round_id)

    return await office_page(round_id).carry_out(request, "counting", act)


@router.post("/{round_id}/adoption")
async def adopt(request: Request, actor: Member, round_id: UUID) -> Response:
    """Approve a result; the second approval adopts it, and makes its grants."""

    def act(context: Context, form: Form) -> None:
        result = form.text("result_sha256")
        if round_steps.approve_result(context, str(actor), round_id, result):
            round_steps.award(context, str(actor), round_id)

    return await office_page(round_id).carry_out(request, "adopted", act)


@router.post("/{round_id}/return")
async def send_back(request: Request, actor: Member, round_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        reason: SentBackReason = form.word("reason")
        words, result = form.long_text("words", WORDS_MAX), form.text("result_sha256")
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

    return await office_page(round_id).carry_out(request, "sent_back", act)


@router.post("/{round_id}/cancellation")
async def cancel(request: Request, actor: Member, round_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        reason: CancelReason = form.word("reason")
        round_steps.cancel(context, str(actor), round_id, reason)

    return await office_page(round_id).carry_out(request, "cancelled", act)


@router.post("/{round_id}/awards")
async def award(request: Request, actor: Officer, round_id: UUID) -> Response:
    """Make the grants that a failure left out."""

    def act(context: Context, _: Form) -> None:
        round_steps.award(context, str(actor), round_id)

    return await office_page(round_id).carry_out(request, "awarded", act)
