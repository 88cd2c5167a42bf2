"""Accounts of people: opened with a one-time link, given roles, disabled, signed in to."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID, uuid4

from api import letters
from api.credentials import ENROLMENT, RESET
from api.deps import Context
from api.mail import Letter, letter
from ledger.decider import Refused
from ledger.people import (
    AccountNotOpened,
    ChangeRoles,
    DisableAccount,
    EnableAccount,
    OpenAccount,
    Opened,
    PeopleCommand,
    Role,
    account,
)
from ledger.vault import FieldTaken

EMAIL: Final = re.compile(r"[^@\s<>\",;]{1,64}@[^@\s<>\",;]+\.[^@\s.<>\",;]{2,}")
EMAIL_MAX: Final = 254
LinkLetter = Literal["enrolment", "reset"]
NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,120}")


class EmailMalformed(Refused):
    """This is not an e-mail address."""


class NameMalformed(Refused):
    """A name is one line of at most 120 characters."""


class EmailTaken(Refused):
    """Another account has this e-mail address."""


class AccountErased(Refused):
    """Whoever held this account was erased: nobody can act by it again."""


class AccountIsDisabled(Refused):
    """A disabled account is given no link: whoever may, enables it first."""


@dataclass(frozen=True, slots=True)
class Person:
    """An account with what the vault knows of its holder."""

    account_id: UUID
    name: str
    email: str
    roles: tuple[Role, ...]
    partner_ids: tuple[UUID, ...]
    enabled: bool


@dataclass(frozen=True, slots=True)
class AccountIn:
    """What is asked of a new account."""

    email: str
    name: str
    roles: tuple[Role, ...]
    partner_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class NewAccount:
    account_id: UUID
    link: str


def now() -> datetime:
    return datetime.now(UTC)


def normal(email: str) -> str:
    """Give the one form of an address by which its account is found. Raises EmailMalformed."""
    text = email.strip().lower()
    if len(text) > EMAIL_MAX or not EMAIL.fullmatch(text):
        raise EmailMalformed
    return text


def open_account(context: Context, actor: str, asked: AccountIn) -> NewAccount:
    """Open an account and give the link that sets its first password.

    Stopped half way, it may be asked again: the person is found by her address.
    Raises EmailMalformed, NameMalformed, EmailTaken, RolesContradict.
    """
    address, called = normal(asked.email), asked.name.strip()
    if not NAME.fullmatch(called):
        raise NameMalformed
    known = context.vault.find("email", address)
    subject_id = known or uuid4()
    account_id = (context.credentials.account_of(subject_id) if known else None) or uuid4()
    if context.ledger.history(account, account_id):
        raise EmailTaken
    command = OpenAccount(
        at=now(),
        actor=actor,
        account_id=account_id,
        subject_id=subject_id,
        roles=asked.roles,
        partner_ids=asked.partner_ids,
    )
    account.decide(command, account.initial)  # Refused before anything is kept of her.
    try:
        context.vault.put(subject_id, "email", address, sought=True)
    except FieldTaken:
        raise EmailTaken from None
    context.vault.put(subject_id, "name", called)
    context.credentials.enrol(account_id, subject_id)
    context.ledger.handle(account, account_id, command)
    return NewAccount(account_id, new_link(context, account_id))


def new_link(context: Context, account_id: UUID, lifetime: timedelta = ENROLMENT) -> str:
    """Give a new link that sets an account's password, once.

    Raises AccountNotOpened, AccountErased, AccountIsDisabled.
    """
    enterable(context, account_id)
    token = context.credentials.offer_link(account_id, now(), lifetime)
    return f"{context.settings.public_url}/account/link/{token}"


def state_of(context: Context, account_id: UUID) -> Opened | None:
    """Give the state of an account, None when its opening was interrupted or never asked for."""
    return context.roster.state(account_id)


def opened(context: Context, account_id: UUID) -> Opened:
    """Give the state of an account. Raises AccountNotOpened."""
    state = state_of(context, account_id)
    if state is None:
        raise AccountNotOpened(account_id=account_id)
    return state


def held(context: Context, account_id: UUID) -> Opened:
    """Give the state of an account whose holder was not erased.

    Raises AccountNotOpened, AccountErased.
    """
    state = opened(context, account_id)
    if context.vault.is_erased(state.subject_id):
        raise AccountErased(account_id=account_id)
    return state


def enterable(context: Context, account_id: UUID) -> None:
    """Raises AccountNotOpened, AccountErased, AccountIsDisabled."""
    if not held(context, account_id).enabled:
        raise AccountIsDisabled(account_id=account_id)


def person(context: Context, account_id: UUID) -> Person:
    """Give an account with its holder's name and address. Raises AccountNotOpened."""
    return described(context, account_id, opened(context, account_id))


def described(context: Context, account_id: UUID, state: Opened) -> Person:
    known = context.vault.fields(state.subject_id)
    return Person(
        account_id=account_id,
        name=known.get("name", ""),
        email=known.get("email", ""),
        roles=state.roles,
        partner_ids=state.partner_ids,
        enabled=state.enabled,
    )


def people(context: Context) -> list[Person]:
    """Give every account whose holder is known, by name."""
    return by_name([described(context, *one) for one in context.roster.accounts().items()])


def team(context: Context, partner_id: UUID) -> list[Person]:
    """Give the accounts that act for a partner today, by name; disabled ones too."""
    return by_name([person(context, one) for one in context.roster.acting_for(partner_id)])


def by_name(found: list[Person]) -> list[Person]:
    # An address is kept before an account is opened: who has none was erased.
    known = [one for one in found if one.email]
    return sorted(known, key=lambda one: (one.name.casefold(), one.account_id))


def account_of_email(context: Context, email: str) -> UUID:
    """Give the account of an address. Raises AccountNotOpened, EmailMalformed."""
    subject_id = context.vault.find("email", normal(email))
    account_id = None if subject_id is None else context.credentials.account_of(subject_id)
    if account_id is None:
        raise AccountNotOpened
    return account_id


def change_roles(
    context: Context,
    actor: str,
    account_id: UUID,
    roles: tuple[Role, ...],
    partner_ids: tuple[UUID, ...],
) -> None:
    """Raises AccountNotOpened, AccountErased, OwnAccount, RolesContradict."""
    held(context, account_id)
    command = ChangeRoles(
        at=now(), actor=actor, account_id=account_id, roles=roles, partner_ids=partner_ids
    )
    handle(context, account_id, command)


def disable(context: Context, actor: str, account_id: UUID) -> None:
    """Disable an account; whoever is signed in to it is out at her next request."""
    command = DisableAccount(at=now(), actor=actor, account_id=account_id)
    handle(context, account_id, command)
    context.sessions.end_all(account_id)
    context.credentials.withdraw_links(account_id, now())


def enable(context: Context, actor: str, account_id: UUID) -> None:
    """Raises AccountNotOpened, AccountErased, OwnAccount."""
    held(context, account_id)
    # No link of before opens it: one may have been given out while it was being disabled.
    context.credentials.withdraw_links(account_id, now())
    handle(context, account_id, EnableAccount(at=now(), actor=actor, account_id=account_id))


def handle(context: Context, account_id: UUID, command: PeopleCommand) -> None:
    context.ledger.handle(account, account_id, command)


def send_link(context: Context, account_id: UUID, *, enrolment: bool) -> None:
    """Send a one-time link to an account's address.

    Raises AccountNotOpened, AccountErased, AccountIsDisabled, MailFailed.
    """
    kind: LinkLetter = "enrolment" if enrolment else "reset"
    enterable(context, account_id)
    letters.note(context, kind, account_id)
    send_noted_link(context, kind, account_id)


def send_noted_link(context: Context, kind: LinkLetter, account_id: UUID) -> None:
    """Send a letter with a new link, once it is noted. Raises AccountIsDisabled, MailFailed."""
    enterable(context, account_id)
    letters.send(context, kind, account_id, lambda: link_letter(context, kind, account_id))


def send_reset(context: Context, account_id: UUID) -> None:
    """Let a link to a new password be sent, and wait for nothing.

    Raises AccountNotOpened, AccountErased, AccountIsDisabled.
    """
    enterable(context, account_id)
    letters.note(context, "reset", account_id)
    letters.send_later(
        context, "reset", account_id, lambda: link_letter(context, "reset", account_id)
    )


def link_letter(context: Context, kind: LinkLetter, account_id: UUID) -> Letter | None:
    """Write it, with a link of its own; None for who has no address or may not enter any more."""
    one = person(context, account_id)
    if not (one.email and one.enabled):
        return None
    link = new_link(context, account_id, ENROLMENT if kind == "enrolment" else RESET)
    return letter(one.email, f"{kind}.txt", name=one.name, link=link)


def sign_in(context: Context, email: str, password: str, address: str) -> str | None:
    """Open a session and give its token; None when address and password open nothing.

    Raises TooManyAttempts. Whether the account exists shows neither in the answer nor in its time.
    """
    text, at = email.strip().lower(), now()
    origins = {"account": text, "address": address}
    context.credentials.attempt("sign_in", origins, at)
    subject_id = context.vault.find("email", text)
    account_id = context.credentials.check(subject_id, password)
    if account_id is None or not opened(context, account_id).enabled:
        return None
    context.credentials.forgive("sign_in", origins, at)
    return context.sessions.open(account_id, now())


def set_password_by_link(context: Context, token: str, password: str) -> str | None:
    """Set a password by a one-time link and sign in; None when the link opens nothing.

    Every session that was open ends. Raises PasswordRefused.
    """
    account_id = context.credentials.account_of_link(token, now())
    if account_id is None or not opened(context, account_id).enabled:
        return None
    if context.credentials.use_link(token, password, now()) is None:
        return None
    context.sessions.end_all(account_id)
    return context.sessions.open(account_id, now())


def change_password(context: Context, account_id: UUID, current: str, new: str) -> str | None:
    """Change a password, end every session, open a new one; None when `current` is wrong.

    Raises TooManyAttempts, PasswordRefused.
    """
    subject_id = opened(context, account_id).subject_id
    origins, at = {"account": str(account_id)}, now()
    context.credentials.attempt("password", origins, at)
    if context.credentials.check(subject_id, current) is None:
        return None
    context.credentials.set_password(account_id, new)
    context.credentials.withdraw_links(account_id, at)
    context.sessions.end_all(account_id)
    context.credentials.forgive("password", origins, at)
    return context.sessions.open(account_id, now())
