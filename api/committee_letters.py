"""What the auditors and the committee are written when somebody joins it: who sits on it now.

An administrator opens accounts alone. Two of them may be one person, which only people notice;
who was disabled meanwhile hears of it when she is let in again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from uuid import UUID

from api import letters, people
from api.deps import Context
from api.mail import Letter, letter
from ledger.calendar import civil_day
from ledger.people import AccountOpened, Role, RolesChanged, account

READERS: tuple[Role, ...] = ("committee", "auditor")
ACCOUNT = "account:"


@dataclass(frozen=True, slots=True)
class Member:
    """Who sits on the committee, since when, and who named her; no name for who was erased."""

    name: str
    email: str
    since: date
    named_by: str | None


@contextmanager
def told(context: Context) -> Iterator[None]:
    """Write to all of them if anybody joins the committee meanwhile, else to who joins them."""
    members, readers = context.roster.holding("committee"), context.roster.holding(*READERS)
    try:
        yield
    finally:  # What was done before something failed is told as well.
        joined = set(context.roster.holding("committee")).difference(members)
        reading = context.roster.holding(*READERS)
        for account_id in reading if joined else set(reading).difference(readers):
            letters.note(context, "committee", account_id)
            write = partial(written, context, account_id)
            letters.send_later(context, "committee", account_id, write)


def send(context: Context, account_id: UUID) -> None:
    """Send a letter that was noted. Raises MailFailed."""
    letters.send(context, "committee", account_id, lambda: written(context, account_id))


def written(context: Context, account_id: UUID) -> Letter | None:
    """Write to one of them; None for who has no address, or no part in it, any more."""
    members = [member(context, one) for one in context.roster.holding("committee")]
    if not members or account_id not in context.roster.holding(*READERS):
        return None
    to = people.person(context, account_id)
    if not to.email:
        return None
    in_order = sorted(members, key=lambda one: (one.since, one.name), reverse=True)
    return letter(to.email, "committee.txt", name=to.name, members=in_order)


def member(context: Context, account_id: UUID) -> Member:
    """Tell of a member what lets the others know her, or not."""
    one, given = people.person(context, account_id), None
    for recorded in context.ledger.history(account, account_id):
        event = recorded.event
        if isinstance(event, AccountOpened | RolesChanged):
            given = (given or event) if "committee" in event.roles else None
    assert given is not None  # noqa: S101 - the roster says so.
    return Member(one.name, one.email, civil_day(given.recorded_at), named(context, given.actor))


def named(context: Context, actor: str) -> str | None:
    """Give the name of an actor, None for the operator of the service."""
    if not actor.startswith(ACCOUNT):
        return None
    return people.person(context, UUID(actor.removeprefix(ACCOUNT))).name
