"""Where anybody complains about a partner: the words go to the vault, the ledger keeps the days."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, get_args
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import letters
from api.auth import public
from api.complaint_letters import EMAIL_FIELD, NAME_FIELD, WORDS, send_later
from api.credentials import TooManyAttempts
from api.deps import Context, context_of
from api.forms import foreign, form_of
from api.home import PAGE
from api.login import address_of, barred
from api.pages import Address, go, private_page
from api.people import NAME, EmailMalformed, NameMalformed, normal
from api.refusals import FormForeign, PartnerNotFound, name_of
from ledger.calendar import civil_day
from ledger.decider import Refused
from ledger.partners.complaints import (
    ComplaintDiffers,
    ComplaintNotFound,
    OpenComplaint,
    Topic,
    Unopened,
    complaint,
)
from ledger.partners.deadlines import ANSWER_WITHIN
from projections import partners
from projections.partners import Partner

router = APIRouter(include_in_schema=False)

TOPICS: Final[tuple[Topic, ...]] = get_args(Topic)
WORDS_MAX: Final = 5_000


class TopicMissing(Refused):
    """A complaint is about one of the things it may be about."""


class WordsMissing(Refused):
    """A complaint says in at most 5,000 characters what happened."""


@dataclass(frozen=True, slots=True)
class ComplaintIn:
    """What somebody typed, checked; without an address there is no answer."""

    complaint_id: UUID
    partner_id: UUID
    topic: Topic
    words: str
    name: str
    email: str


def complaint_of(form: dict[str, str], partner_id: UUID) -> ComplaintIn:
    """Check a form. Raises TopicMissing, WordsMissing, NameMalformed, EmailMalformed."""
    topic = next((one for one in TOPICS if one == form.get("topic")), None)
    if topic is None:
        raise TopicMissing
    words = form.get("words", "").strip()
    if not 0 < len(words) <= WORDS_MAX:
        raise WordsMissing
    name, email = form.get("name", "").strip(), form.get("email", "").strip()
    if name and not NAME.fullmatch(name):
        raise NameMalformed
    return ComplaintIn(
        complaint_id=id_of(form.get("complaint_id", "")) or uuid4(),
        partner_id=partner_id,
        topic=topic,
        words=words,
        name=name,
        email=normal(email) if email else "",
    )


def id_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def open_complaint(context: Context, asked: ComplaintIn, address: str) -> UUID:
    """Keep the words and open the complaint; the same form again opens nothing more.

    Raises TooManyAttempts.
    """
    if context.ledger.history(complaint, asked.complaint_id):
        return asked.complaint_id
    at = datetime.now(UTC)
    context.credentials.attempt("complaint", {"address": address}, at)
    subject_id = uuid4()
    kept = {WORDS: asked.words, NAME_FIELD: asked.name, EMAIL_FIELD: asked.email}
    for field, text in kept.items():
        if text:
            context.vault.put(subject_id, field, text)
    command = OpenComplaint(
        at=at,
        actor="public",
        complaint_id=asked.complaint_id,
        partner_id=asked.partner_id,
        subject_id=subject_id,
        topic=asked.topic,
    )
    if asked.email and may_be_written_to(context, asked.email, at):
        letters.note(context, "complaint_received", asked.complaint_id)
    try:
        context.ledger.handle(complaint, asked.complaint_id, command)
    except ComplaintDiffers:
        context.vault.erase(subject_id)  # A second tap came in between: its words are kept.
    return asked.complaint_id


def may_be_written_to(context: Context, email: str, at: datetime) -> bool:
    """Tell whether an address is still to get a receipt: who typed it may not be its owner."""
    try:
        context.credentials.attempt("complaint", {"account": email}, at)
    except TooManyAttempts:
        return False
    return True


def partner_of(context: Context, partner_id: UUID) -> Partner:
    """Give the partner a complaint is about. Raises PartnerNotFound."""
    with context.pool.connection() as connection:
        found = partners.one(connection, partner_id)
    if found is None:
        raise PartnerNotFound(partner_id=partner_id)
    return found


async def form_page(
    request: Request, partner_id: UUID, typed: dict[str, str], refusal: Refused | None = None
) -> Response:
    partner = await run_in_threadpool(partner_of, context_of(request), partner_id)
    values: dict[str, Any] = {
        "partner": partner,
        "topics": TOPICS,
        "typed": typed,
        "complaint_id": id_of(typed.get("complaint_id", "")) or uuid4(),
        "words_max": WORDS_MAX,
        "answered_by": civil_day(datetime.now(UTC)) + ANSWER_WITHIN,
        "problem": None if refusal is None else name_of(refusal),
        "minutes": 0 if refusal is None else refusal.fields.get("retry_minutes", 0),
    }
    status = 200 if refusal is None else 429 if isinstance(refusal, TooManyAttempts) else 422
    here = Address(f"/partners/{partner_id}/complaint")
    return private_page(request, "complaint/form.html", values, here, status=status)


@router.api_route("/partners/{partner_id}/complaint", **PAGE)
@public()
async def ask(request: Request, partner_id: UUID) -> Response:
    return await form_page(request, partner_id, {})


@router.post("/partners/{partner_id}/complaint")
@public()
async def send(request: Request, partner_id: UUID) -> Response:
    """Open a complaint and lead to its receipt."""
    if foreign(request):
        return barred(request, FormForeign())
    form, context = await form_of(request), context_of(request)
    await run_in_threadpool(partner_of, context, partner_id)
    try:
        asked = complaint_of(form, partner_id)
        complaint_id = await run_in_threadpool(open_complaint, context, asked, address_of(request))
    except (
        TopicMissing,
        WordsMissing,
        NameMalformed,
        EmailMalformed,
        TooManyAttempts,
    ) as refusal:
        return await form_page(request, partner_id, form, refusal)
    send_later(context, "complaint_received", complaint_id)
    return go(f"/complaints/{complaint_id}")


@router.api_route("/complaints/{complaint_id}", **PAGE)
@public()
async def receipt(request: Request, complaint_id: UUID) -> Response:
    """Say what became of a complaint: nothing that the journal does not tell of it."""

    def read() -> dict[str, Any]:
        history = context_of(request).ledger.history(complaint, complaint_id)
        state = complaint.fold(recorded.event for recorded in history)
        if isinstance(state, Unopened):
            raise ComplaintNotFound(complaint_id=complaint_id)
        opening = state.opening
        return {
            "complaint_id": complaint_id,
            "state": type(state).__name__.lower(),
            "opened_on": opening.opened_on,
            "due_on": opening.answer_due_on,
        }

    values = await run_in_threadpool(read)
    return private_page(
        request, "complaint/receipt.html", values, Address(f"/complaints/{complaint_id}")
    )
