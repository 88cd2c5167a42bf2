"""Letters to a partner about a statement, with its PDF: it is closed, or it is overdue."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final, Literal
from uuid import UUID

from api import admin, figures, letters, people, statement_documents
from api.deps import Context
from api.foundation import foundation_of
from api.mail import Attachment, Letter, letter
from ledger.calendar import civil_day
from ledger.decider import Refused
from ledger.partners.register import Role
from projections import statements
from projections.statements import Statement

Kind = Literal["statement", "reminder"]
# Who is written to first; whoever stands at the till has no part in it.
ROLES: Final[tuple[Role, ...]] = ("accountant", "owner", "manager")
RECIPIENTS_MAX: Final = 5
WORDS: Final = "email"


@contextmanager
def sent(context: Context, kind: Kind, statement_id: UUID) -> Iterator[None]:
    """Note a letter before what it tells is recorded, and send it afterwards.

    Killed in between, it waits in the office: what is recorded is never left untold. What is
    refused here may have been recorded by another process, whose letter is never taken away.
    """
    mine = letters.note(context, kind, statement_id)
    write = partial(written, context, kind, statement_id)
    try:
        yield
    except Refused:
        if mine:
            kept = write if kind == "statement" else nothing
            letters.send_later(context, kind, statement_id, kept)
        raise
    if not mine:
        # Whoever noted it first was perhaps refused, and forgot it.
        letters.note(context, kind, statement_id)
    letters.send_later(context, kind, statement_id, write)


def nothing() -> None:
    """Write no letter: what it was to tell was refused."""


def send(context: Context, kind: Kind, statement_id: UUID) -> None:
    """Send a letter that was noted. Raises MailFailed."""
    letters.send(context, kind, statement_id, partial(written, context, kind, statement_id))


def written(context: Context, kind: Kind, statement_id: UUID) -> Letter | None:
    """Write a letter; None for a statement that is not, is settled meanwhile, or nobody to read."""
    figures.reach(context, statements.statements.name)
    with context.pool.connection() as connection:
        one = statements.one(connection, statement_id)
    if one is None or (kind == "reminder" and one.outstanding_cents <= 0):
        return None
    addresses = recipients(context, one)
    if not addresses:
        return None
    document = statement_documents.pdf_of(context, one, "fr")
    name = statement_documents.file_name(one, "pdf")
    made = letter(
        ", ".join(addresses),
        f"{kind}.txt",
        statement=one,
        shop=admin.registered(context.ledger, one.partner_id).sign,
        paid=statement_documents.payment_of(foundation_of(context), one),
        link=f"{context.settings.public_url}{statement_documents.path_of(one)}",
        closed_on=civil_day(one.closed_at),
    )
    return Letter(
        made.to, made.subject, made.text, (Attachment(name, "application/pdf", document),)
    )


def shown(context: Context, statement_id: UUID) -> dict[str, str]:
    """Say whom a letter that was not sent is for, and which statement it is about."""
    with context.pool.connection() as connection:
        one = statements.one(connection, statement_id)
    if one is None:
        return {"to": "", "about": "", "path": ""}
    shop = admin.registered(context.ledger, one.partner_id).sign
    return {
        "to": ", ".join(recipients(context, one)),
        "about": f"{shop}, {one.number}",
        "path": f"/office/settlements/{statement_id}",
    }


def recipients(context: Context, one: Statement) -> list[str]:
    """Give the addresses of those who speak for a partner in matters of money, each once."""
    shop = admin.registered(context.ledger, one.partner_id)
    contacts = sorted(
        (contact for contact in shop.contacts if contact.role in ROLES),
        key=lambda contact: ROLES.index(contact.role),
    )
    found = [
        address_of_contact(context, contact.subject_id, contact.account_id) for contact in contacts
    ]
    found += [one.email for one in people.team(context, one.partner_id) if one.enabled]
    return list(dict.fromkeys(address for address in found if address))[:RECIPIENTS_MAX]


def address_of_contact(context: Context, subject_id: UUID, account_id: UUID | None) -> str:
    """Give a contact's own address, else that of her account while it is open."""
    own = context.vault.get(subject_id, WORDS)
    if own:
        return own
    if account_id is None:
        return ""
    holder = people.person(context, account_id)
    return holder.email if holder.enabled else ""
