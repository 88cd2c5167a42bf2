"""Letters to a partner about its statements, with their PDFs: one is closed, some are overdue."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
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
from ledger.references import in_groups
from projections import statements
from projections.statements import Statement

Kind = Literal["statement", "reminder"]
# Who is written to first; whoever stands at the till has no part in it.
ROLES: Final[tuple[Role, ...]] = ("accountant", "owner", "manager")
RECIPIENTS_MAX: Final = 5
# Mail servers refuse what is too large; what is left out is on the shop's own page.
PAPERS_MAX: Final = 6
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
    if one is None:
        return None
    addresses = recipients(context, one)
    if not addresses:
        return None
    return told_of(context, one, addresses) if kind == "statement" else reminder(context, one)


def told_of(context: Context, one: Statement, addresses: Sequence[str]) -> Letter:
    """Write that a statement is closed: what it asks for, what was set off, how to pay the rest."""
    made = letter(
        ", ".join(addresses),
        "statement.txt",
        statement=one,
        shop=admin.registered(context.ledger, one.partner_id).sign,
        paid=statement_documents.payment_of(foundation_of(context), one),
        link=f"{context.settings.public_url}{statement_documents.path_of(one)}",
    )
    return replace(made, attachments=(paper(context, one),))


def reminder(context: Context, lead: Statement) -> Letter | None:
    """Write of all that a shop has overdue, with one total; None where that is nothing any more.

    It is noted under one of its statements, which may be settled meanwhile.
    """
    # A letter that waited is of the day on which it is sent.
    on = max(civil_day(datetime.now(UTC)), lead.reminded_on or date.min)
    with context.pool.connection() as connection:
        late = statements.overdue_of(connection, lead.partner_id, on)
    if not late:
        return None
    own, link = foundation_of(context), context.settings.public_url
    made = letter(
        ", ".join(recipients(context, lead)),
        "reminder.txt",
        late=late,
        total_cents=sum(one.outstanding_cents for one in late),
        shop=admin.registered(context.ledger, lead.partner_id).sign,
        account=own.account,
        iban=in_groups(own.account.iban) if own.account else "",
        references={one.number: in_groups(one.reference) for one in late},
        left_out=len(late) - PAPERS_MAX,
        link=f"{link}{statement_documents.folder_of(lead)}",
    )
    return replace(made, attachments=tuple(paper(context, one) for one in late[:PAPERS_MAX]))


def paper(context: Context, one: Statement) -> Attachment:
    document = statement_documents.pdf_of(context, one, "fr")
    return Attachment(statement_documents.file_name(one, "pdf"), "application/pdf", document)


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
