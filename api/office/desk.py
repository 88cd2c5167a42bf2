"""What every page of the office shares: who may, whose name stands behind an actor, what was typed.

Officers keep the register and review, members of the committee decide, auditors only read.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from api import admin, people
from api.auth import Actor, require
from api.deps import Context
from api.forms import Fields
from api.mail import MailFailed
from api.people import EmailMalformed
from api.refusals import PartnerNotFound, name_of, status_of
from api.till import sale_cents_of
from ledger.bank.transactions import TransactionNotBooked
from ledger.calendar import civil_day
from ledger.decider import Refused
from ledger.partners.certifications.commands import CaseNotFound
from ledger.partners.certifications.decider import certification
from ledger.partners.complaints import ComplaintNotFound
from ledger.partners.register import Contact, PartnerNotRegistered, Registered
from ledger.people import AccountNotOpened, Role, actor_of
from ledger.pledges import PledgeNotFound
from ledger.projects.ideas import IdeaNotFound
from ledger.projects.state import ProjectNotFound
from ledger.remittances import RemittanceNotFound
from ledger.rounds.commands import RoundNotFound
from ledger.settlements.commands import StatementNotFound

Reader = Annotated[Actor, require("officer", "committee", "auditor")]
Officer = Annotated[Actor, require("officer")]
Member = Annotated[Actor, require("committee")]
Judge = Annotated[Actor, require("officer", "committee")]

ACCOUNT: Final = "account:"
# What the address names does not exist: the page says so, not a form.
NOWHERE: Final = (
    PartnerNotRegistered,
    PartnerNotFound,
    CaseNotFound,
    ComplaintNotFound,
    IdeaNotFound,
    ProjectNotFound,
    RoundNotFound,
    StatementNotFound,
    RemittanceNotFound,
    PledgeNotFound,
    TransactionNotBooked,
)


class FieldMalformed(Refused):
    """A field of the form is missing, or not of its form."""


class DeclarationMissing(Refused):
    """Whoever judges a partner declares to have no interest in it."""


@dataclass(frozen=True, slots=True)
class Form:
    """What was typed, field by field. Text comes in one line, without spaces around.

    What is not of its form raises FieldMalformed.
    """

    fields: Fields

    def text(self, name: str) -> str:
        return " ".join(self.fields.get(name, [""])[0].split())

    def word(self, name: str) -> Any:
        """Give one of a list's machine names: the command that takes it refuses any other."""
        return self.text(name) or None

    def day_or_none(self, name: str) -> date | None:
        text = self.text(name)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            raise FieldMalformed(field=name) from None

    def day(self, name: str) -> date:
        found = self.day_or_none(name)
        if found is None:
            raise FieldMalformed(field=name)
        return found

    def number(self, name: str) -> int:
        text = self.text(name)
        if not (text.isascii() and text.isdigit()) or len(text) > len("999999999"):
            raise FieldMalformed(field=name)
        return int(text)

    def cents(self, name: str, *, zero: bool = False) -> int:
        """Give an amount that was typed in euros; where it may be zero, so may nothing be typed."""
        typed = self.text(name)
        found = 0 if zero and not typed else sale_cents_of(typed)
        if found is None or (not found and not zero):
            raise FieldMalformed(field=name)
        return found

    def hundredths(self, name: str) -> int:
        """Give a percentage in parts of 10,000, `1,5 %` is 150, or euros in cents; it may be 0."""
        found = sale_cents_of(self.text(name).removesuffix("%"))
        if found is None:
            raise FieldMalformed(field=name)
        return found

    def long_text(self, name: str, most: int) -> str:
        """Give a text of several lines."""
        text = self.fields.get(name, [""])[0].strip().replace("\r\n", "\n")
        if not 0 < len(text) <= most or "\0" in text:
            raise FieldMalformed(field=name)
        return text

    def identifier(self, name: str) -> UUID:
        try:
            return UUID(self.text(name))
        except ValueError:
            raise FieldMalformed(field=name) from None

    def declaration(self) -> Any:
        """Give the declaration of a judge. Raises DeclarationMissing."""
        if self.text("declaration") != "no_conflict":
            raise DeclarationMissing
        return "no_conflict"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a form was refused, which field is at fault, and what was typed in all of them."""

    name: str
    status: int
    typed: Mapping[str, list[str]] = field(default_factory=dict)
    field: str = ""


async def attempted(form: Form, act: Callable[[], object]) -> Problem | None:
    """Do what a form asks; give what speaks against it, None when it is done."""
    try:
        await run_in_threadpool(act)
    except NOWHERE:
        raise
    except ValidationError as error:
        places = error.errors(include_url=False, include_input=False, include_context=False)
        at_fault = str(next((place for one in places for place in one["loc"]), ""))
        return Problem("field_malformed", 422, form.fields, at_fault)
    except MailFailed:
        return Problem("mail_failed", 422)
    except (FieldMalformed, DeclarationMissing) as refusal:
        at_fault = str(refusal.fields.get("field", ""))
        return Problem(name_of(refusal), 422, form.fields, at_fault)
    except Refused as refusal:
        return Problem(name_of(refusal), status_of(refusal), form.fields)
    return None


def refusal_of(ask: Callable[[], object]) -> str | None:
    """Ask the ledger whether it would refuse, without recording anything; give the name of why."""
    try:
        ask()
    except Refused as refusal:
        return name_of(refusal)
    return None


def now() -> datetime:
    return datetime.now(UTC)


def today_here() -> date:
    return civil_day(now())


@dataclass(frozen=True, slots=True)
class Named:
    """Who an actor is, as far as the vault knows; no name for what has no account."""

    name: str = ""
    roles: tuple[Role, ...] = ()


def named(context: Context, actors: Iterable[str | None]) -> dict[str, Named]:
    """Give the names of actors."""
    return {actor: name_of_actor(context, actor) for actor in set(actors) if actor is not None}


def name_of_actor(context: Context, actor: str) -> Named:
    if not actor.startswith(ACCOUNT):
        return Named()
    try:
        one = people.person(context, UUID(actor.removeprefix(ACCOUNT)))
    except (AccountNotOpened, ValueError):
        return Named()
    return Named(one.name, one.roles)


def shop_name_of(shop: Registered) -> str:
    """Give the name on the sign of a partner, else the one it was registered under."""
    return shop.sign


def partner_people(context: Context, partner_id: UUID) -> tuple[str, ...]:
    """Give the actors who speak for a partner or did: its contacts, and whoever manages it here.

    Raises PartnerNotRegistered.
    """
    shop = admin.registered(context.ledger, partner_id)
    behind = (account_of_contact(context, one) for one in shop.contacts)
    accounts = {*behind, *context.roster.acted_for(partner_id)}
    return tuple(sorted({*shop.people, *(actor_of(one) for one in accounts if one)}))


def account_of_contact(context: Context, contact: Contact) -> UUID | None:
    """Give the account a contact was named with, else the one that has her address today."""
    if contact.account_id is not None:
        return contact.account_id
    return account_behind(context, context.vault.get(contact.subject_id, "email") or "")


def account_behind(context: Context, email: str) -> UUID | None:
    """Give the account of an address, None when nobody has it."""
    try:
        return people.account_of_email(context, email)
    except (AccountNotOpened, EmailMalformed):
        return None


def disabled_people(context: Context) -> tuple[str, ...]:
    """Give the actors whose account is disabled today."""
    return tuple(sorted(map(actor_of, context.roster.disabled())))


def committee_people(context: Context) -> tuple[str, ...]:
    """Give the actors who sit on the committee today."""
    return tuple(sorted(map(actor_of, context.roster.holding("committee"))))


def interested(context: Context, partner_id: UUID) -> tuple[str, ...]:
    """Give the actors who declared an interest in a partner."""
    history = context.ledger.history(certification, partner_id)
    file = certification.fold(recorded.event for recorded in history)
    return tuple(sorted(file.conflicts))
