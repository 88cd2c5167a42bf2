"""Forgetting people: whoever speaks for a shop no more, or asks for an account to be erased.

What the events say stays, by random ids: a decision was taken by somebody, and by whom twice must
stay answerable. An erasure is complete on this machine after the next `donpositif vault rotate`.
"""

from uuid import UUID

from api import people
from api.deps import Context


def forget_contact(context: Context, subject_id: UUID) -> None:
    """Erase what is known of a former contact, unless she has an account; asked again, no more."""
    if context.credentials.account_of(subject_id) is None:
        context.vault.erase(subject_id)


def erase_account(context: Context, actor: str, account_id: UUID) -> None:
    """Disable an account and erase its holder's name, address, password, links and sessions.

    Stopped half way, it may be asked again. Raises AccountNotOpened, OwnAccount.
    """
    subject_id = people.opened(context, account_id).subject_id
    people.disable(context, actor, account_id)
    context.credentials.forget(account_id)
    context.vault.erase(subject_id)
