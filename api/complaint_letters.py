"""What a complainant is written, if she left an address: that we have it, the answer, the end."""

from typing import Final, Literal
from uuid import UUID

from api import letters
from api.deps import Context
from api.mail import Letter, letter
from ledger.partners.complaints import Closed, Unopened, complaint

Kind = Literal["complaint_received", "complaint_answered", "complaint_closed"]
# Under which names the vault keeps what was written, under the complaint's subject.
WORDS, NAME_FIELD, EMAIL_FIELD, ANSWER = "complaint", "name", "email", "answer"
TEMPLATES: Final[dict[Kind, str]] = {
    "complaint_received": "complaint_received.txt",
    "complaint_answered": "complaint_answered.txt",
    "complaint_closed": "complaint_closed.txt",
}


def written(context: Context, kind: Kind, complaint_id: UUID) -> Letter | None:
    """Write a letter about a complaint; None for who left no address, or was erased.

    It never repeats the words of the complaint: anybody can type anybody's address.
    """
    history = context.ledger.history(complaint, complaint_id)
    state = complaint.fold(recorded.event for recorded in history)
    if isinstance(state, Unopened):
        return None
    told = context.vault.fields(state.opening.subject_id)
    if not told.get(EMAIL_FIELD):
        return None
    return letter(
        told[EMAIL_FIELD],
        TEMPLATES[kind],
        reference=complaint_id,
        link=f"{context.settings.public_url}/complaints/{complaint_id}",
        due_on=state.opening.answer_due_on,
        answer=told.get(ANSWER, ""),
        outcome=state.outcome if isinstance(state, Closed) else None,
    )


def send(context: Context, kind: Kind, complaint_id: UUID) -> None:
    """Send a letter that was noted. Raises MailFailed."""
    letters.send(context, kind, complaint_id, lambda: written(context, kind, complaint_id))


def send_later(context: Context, kind: Kind, complaint_id: UUID) -> None:
    """Send a letter that was noted, and let nobody wait for it."""
    letters.send_later(context, kind, complaint_id, lambda: written(context, kind, complaint_id))
