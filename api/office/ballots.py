"""Paper ballots: an officer enters one from paper, another officer enters the same again.

Nothing counts before both entries are alike, and a difference is shown, never settled here.
"""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import candidates
from api.auth import Actor, person_page
from api.ballots import Ticket, ballot_of, cast_ballot, discard_entry, round_for, ticket_of
from api.deps import Context, context_of
from api.forms import Fields, fields_of
from api.guesses import origin_of
from api.home import PAGE
from api.office.desk import Form, Officer, Reader, named, now
from api.pages import Address, go
from api.refusals import name_of, status_of
from api.tickets import uuid_of
from ledger.ballots import NothingEntered, UnknownProject
from ledger.decider import Refused
from projections import paper_ballots
from projections.open_rounds import Known
from projections.paper_ballots import reference_of

PATH: Final = "/office/ballots"
HERE: Final = Address(PATH)
WAITING_MAX: Final = 200

router = APIRouter(prefix=PATH, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper ballot on the desk: its ticket, its round, and what was typed from it."""

    ticket: Ticket
    known: Known
    picks: tuple[UUID, ...] = ()


@router.api_route("", **PAGE)
async def show(request: Request, _: Reader) -> Response:
    """Show what waits for its second entry, and ask for the next ballot's code."""
    return await queue_page(request)


async def queue_page(request: Request, refusal: Refused | None = None, typed: str = "") -> Response:
    values = await run_in_threadpool(waiting, context_of(request))
    name = "" if refusal is None else name_of(refusal)
    values |= {
        "problem": refusal and {"name": name, "problem": name, **refusal.fields},
        "typed": typed,
        "done": request.query_params.get("done", ""),
        "reference": request.query_params.get("ref", ""),
    }
    status = 200 if refusal is None else status_of(refusal)
    return person_page(request, "office/ballots.html", values, HERE, status=status)


def waiting(context: Context) -> dict[str, Any]:
    """Gather the entries that wait in rounds that are open. Blocks."""
    context.rounds.refresh()
    rounds = {one.terms.round_id: one.definition for one in context.rounds.opened()}
    with context.pool.connection() as connection:
        found = paper_ballots.waiting(connection, rounds, WAITING_MAX)
    return {
        "waiting": found,
        "definitions": rounds,
        "names": named(context, [one.entered_by for one in found]),
    }


@router.post("")
async def find(request: Request, _: Officer) -> Response:
    """Find the ticket of a paper ballot, and show the ballot form of its round."""
    typed = Form(await fields_of(request)).text("code")
    try:
        paper = await paper_of(request, typed, None)
    except Refused as refusal:
        return await queue_page(request, refusal, typed)
    return await entry_page(request, paper)


async def paper_of(request: Request, code: str, round_id: UUID | None) -> Paper:
    """Find a ballot's ticket and round. Raises what bars the ticket, RoundNotOpen."""
    context = context_of(request)
    ticket = await ticket_of(context, code, origin_of(request))
    return Paper(ticket, await round_for(context, ticket, round_id, now()))


async def entry_page(request: Request, paper: Paper, refusal: Refused | None = None) -> Response:
    values = await run_in_threadpool(gathered, context_of(request), paper, refusal)
    status = 200 if refusal is None else status_of(refusal)
    return person_page(request, "office/ballot.html", values, HERE, status=status)


def gathered(context: Context, paper: Paper, refusal: Refused | None) -> dict[str, Any]:
    known, ticket = paper.known, paper.ticket
    fields = {} if refusal is None else refusal.fields
    with context.pool.connection() as connection:
        found = candidates.named(connection, known.definition, known.terms.project_ids)
    ballot_id = ballot_of(context, ticket, known.terms.round_id)
    return {
        "code": context.tickets.code(ticket.donation_id),
        "occurred_on": ticket.gift.occurred_on,
        "shop": context.admission.partner_name(ticket.gift.partner_id),
        "definition": known.definition,
        "projects": found,
        "picks": set(paper.picks),
        "problem": None if refusal is None else {"name": name_of(refusal), **fields},
        "differing": [
            one for one in found if str(one.project_id) in fields.get("picks_differ", ())
        ],
        "ballot_id": ballot_id,
        "reference": reference_of(ballot_id),
    }


def picks_in(fields: Fields) -> tuple[UUID, ...]:
    """Read what was ticked. Raises UnknownProject."""
    picks = [uuid_of(text) for text in fields.get("pick", [])]
    if None in picks:
        raise UnknownProject
    return tuple(pick for pick in picks if pick is not None)


@router.post("/entries")
async def enter(request: Request, actor: Officer) -> Response:
    """Enter a paper ballot: the first time it waits, the second time it counts if it is alike."""
    fields = await fields_of(request)
    form, context = Form(fields), context_of(request)
    code = form.text("code")
    try:
        paper = await paper_of(request, code, uuid_of(form.text("round")))
    except Refused as refusal:
        return await queue_page(request, refusal, code)
    return await entered(request, context, actor, paper, fields)


async def entered(
    request: Request, context: Context, actor: Actor, paper: Paper, fields: Fields
) -> Response:
    round_id = paper.known.terms.round_id
    try:
        paper = Paper(paper.ticket, paper.known, picks_in(fields))
        made = await cast_ballot(
            context, paper.ticket, paper.picks, round_id, channel="counter", actor=str(actor)
        )
    except Refused as refusal:
        return await entry_page(request, paper, refusal)
    reference = reference_of(ballot_of(context, paper.ticket, round_id))
    done = "entered" if made.waits else "counted"
    return go(f"{PATH}?done={done}&ref={reference}")


@router.post("/{ballot_id}/discard")
async def discard(request: Request, actor: Officer, ballot_id: UUID) -> Response:
    """Void an entry that waits, so that two people can begin again."""
    context = context_of(request)
    try:
        known = await run_in_threadpool(round_of_entry, context, ballot_id)
        await discard_entry(context, ballot_id, known, str(actor))
    except Refused as refusal:
        return await queue_page(request, refusal)
    return go(f"{PATH}?done=discarded&ref={reference_of(ballot_id)}")


def round_of_entry(context: Context, ballot_id: UUID) -> Known:
    """Give the round of an entry that waits. Raises NothingEntered."""
    with context.pool.connection() as connection:
        found = paper_ballots.one(connection, ballot_id)
    known = None if found is None else context.rounds.round(found.round_id)
    if known is None:
        raise NothingEntered(ballot_id=ballot_id)
    return known
