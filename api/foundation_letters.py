"""What the whole office is written when the account that the foundation collects on changes.

Two accounts may be one person, or be stolen: only people notice that. So everybody hears of it,
those who did it too.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final, Literal
from uuid import UUID

from api import letters, people
from api.committee_letters import named
from api.deps import Context
from api.mail import Letter, letter
from ledger.calendar import civil_day
from ledger.foundation import (
    FOUNDATION_ID,
    CollectionAccountApproved,
    CollectionAccountProposed,
    foundation,
)
from ledger.people import Role
from ledger.references import in_groups

AccountLetter = Literal["account_proposed", "account_approved"]
READERS: Final[tuple[Role, ...]] = ("officer", "committee", "auditor", "administrator")
ABOUT: Final[dict[AccountLetter, type[CollectionAccountProposed | CollectionAccountApproved]]] = {
    "account_proposed": CollectionAccountProposed,
    "account_approved": CollectionAccountApproved,
}


def tell(context: Context, kind: AccountLetter) -> None:
    """Write to everybody in the office; what cannot be sent now is kept and sent later."""
    for account_id in context.roster.holding(*READERS):
        letters.note(context, kind, account_id)
        write = partial(written, context, kind, account_id)
        letters.send_later(context, kind, account_id, write)


def send(context: Context, kind: AccountLetter, account_id: UUID) -> None:
    """Send a letter that was noted. Raises MailFailed."""
    letters.send(context, kind, account_id, lambda: written(context, kind, account_id))


def written(context: Context, kind: AccountLetter, account_id: UUID) -> Letter | None:
    """Write to one of them of the newest change; None for who has no part in it any more."""
    history = [one.event for one in context.ledger.history(foundation, FOUNDATION_ID)]
    change = next((one for one in reversed(history) if isinstance(one, ABOUT[kind])), None)
    to = people.person(context, account_id)
    if change is None or not to.email or account_id not in context.roster.holding(*READERS):
        return None
    assert isinstance(change, CollectionAccountProposed | CollectionAccountApproved)  # noqa: S101 - it was looked for.
    return letter(
        to.email,
        f"{kind}.txt",
        name=to.name,
        iban=in_groups(change.iban),
        holder=change.holder,
        by=named(context, change.actor),
        proposed_by=proposer(context, history, change.proposal_id),
        on=civil_day(change.recorded_at),
        address=f"{context.settings.public_url}/office/foundation",
    )


def proposer(context: Context, history: Sequence[object], proposal_id: UUID) -> str | None:
    """Give the name of whoever proposed an account."""
    for event in history:
        if isinstance(event, CollectionAccountProposed) and event.proposal_id == proposal_id:
            return named(context, event.actor)
    return None
