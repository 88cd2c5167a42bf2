"""One public complaint: who complained of what, the answer within its time, and how it ended."""

from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import admin, complaint_letters, letters
from api.auth import Actor
from api.complaint_letters import ANSWER, EMAIL_FIELD, NAME_FIELD, WORDS
from api.deps import Context
from api.home import PAGE
from api.office.desk import (
    FieldMalformed,
    Form,
    Officer,
    Reader,
    interested,
    named,
    now,
    partner_people,
    refusal_of,
    shop_name_of,
    today_here,
)
from api.office.page import OfficePage
from ledger.partners.complaints import (
    AnswerComplaint,
    CloseComplaint,
    Closed,
    ComplaintAnswered,
    ComplaintEvent,
    ComplaintNotFound,
    ComplaintOpened,
    Outcome,
    Unopened,
    complaint,
)

router = APIRouter(prefix="/office/complaints/{complaint_id}", include_in_schema=False)

OUTCOMES: tuple[Outcome, ...] = ("upheld", "partly_upheld", "not_upheld", "withdrawn")
ANSWER_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Known:
    """A complaint as its events leave it."""

    opening: ComplaintOpened
    answered: bool
    closed: bool
    history: list[ComplaintEvent]


def known(context: Context, complaint_id: UUID) -> Known:
    """Read a complaint. Raises ComplaintNotFound."""
    history = [one.event for one in context.ledger.history(complaint, complaint_id)]
    state = complaint.fold(history)
    if isinstance(state, Unopened):
        raise ComplaintNotFound(complaint_id=complaint_id)
    answered = any(isinstance(event, ComplaintAnswered) for event in history)
    return Known(state.opening, answered, isinstance(state, Closed), history)


def gathered(context: Context, actor: Actor, complaint_id: UUID) -> dict[str, Any]:
    """Gather what the page of a complaint shows; only officers read who complained."""
    found = known(context, complaint_id)
    opening, today = found.opening, today_here()
    told = {WORDS: "", ANSWER: "", NAME_FIELD: "", EMAIL_FIELD: ""}
    told |= context.vault.fields(opening.subject_id)
    if not actor.has("officer"):
        told |= {NAME_FIELD: "", EMAIL_FIELD: ""}
    asked = AnswerComplaint(
        at=now(),
        actor=str(actor),
        complaint_id=complaint_id,
        partner_people=partner_people(context, opening.partner_id),
        interested=interested(context, opening.partner_id),
    )
    shop = admin.registered(context.ledger, opening.partner_id)
    return {
        "complaint": found,
        "shop_name": shop_name_of(shop),
        "told": told,
        "history": [(type(one).__name__, one) for one in found.history],
        "names": named(context, [one.actor for one in found.history]),
        "overdue": not found.answered and not found.closed and opening.answer_due_on < today,
        "mine": actor.has("officer") and not found.closed,
        "hindrance": refusal_of(lambda: complaint.decide(asked, complaint.fold(found.history))),
        "outcomes": OUTCOMES,
        "answer_max": ANSWER_MAX,
        "unsent": letters.unsent(context, about_id=complaint_id) if actor.has("officer") else [],
    }


def complaint_page(actor: Actor, complaint_id: UUID) -> OfficePage:
    gather = partial(gathered, actor=actor, complaint_id=complaint_id)
    return OfficePage("office/complaint.html", f"/office/complaints/{complaint_id}", gather)


@router.api_route("", **PAGE)
async def show(request: Request, actor: Reader, complaint_id: UUID) -> Response:
    return await complaint_page(actor, complaint_id).show(request)


@router.post("/answer")
async def answer(request: Request, actor: Officer, complaint_id: UUID) -> Response:
    """Keep the answer in the vault, record that there is one, and send it to who left an address.

    The words come first: stopped half way, the same form completes it.
    """

    def act(context: Context, form: Form) -> None:
        text = form.fields.get("answer", [""])[0].strip()
        if not 0 < len(text) <= ANSWER_MAX:
            raise FieldMalformed(field="answer")
        found = known(context, complaint_id)
        asked = AnswerComplaint(
            at=now(),
            actor=str(actor),
            complaint_id=complaint_id,
            partner_people=partner_people(context, found.opening.partner_id),
            interested=interested(context, found.opening.partner_id),
        )
        complaint.decide(asked, complaint.fold(found.history))  # Refused before anything is kept.
        if found.answered:
            return
        subject_id = found.opening.subject_id
        context.vault.put(subject_id, ANSWER, text)
        letters.note(context, "complaint_answered", complaint_id)
        context.ledger.handle(complaint, complaint_id, asked)
        complaint_letters.send(context, "complaint_answered", complaint_id)

    return await complaint_page(actor, complaint_id).carry_out(request, "answered", act)


@router.post("/close")
async def close(request: Request, actor: Officer, complaint_id: UUID) -> Response:
    """Record the outcome, and write to who left an address."""

    def act(context: Context, form: Form) -> None:
        found = known(context, complaint_id)
        asked = CloseComplaint(
            at=now(),
            actor=str(actor),
            complaint_id=complaint_id,
            outcome=form.word("outcome"),
            partner_people=partner_people(context, found.opening.partner_id),
            interested=interested(context, found.opening.partner_id),
        )
        events = complaint.decide(asked, complaint.fold(found.history))
        if not events:
            return
        letters.note(context, "complaint_closed", complaint_id)
        context.ledger.handle(complaint, complaint_id, asked)
        complaint_letters.send(context, "complaint_closed", complaint_id)

    return await complaint_page(actor, complaint_id).carry_out(request, "closed", act)
