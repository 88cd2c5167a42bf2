"""The office of the made-up village: who works there, and something waiting in every queue."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

import typst

from api import people
from api.complaint_letters import ANSWER, EMAIL_FIELD, NAME_FIELD, WORDS
from api.demo_life import (
    JUDGED,
    MEMBER,
    NAMESPACE,
    OTHER_MEMBER,
    REVIEWER,
    SHOPKEEPER,
    application,
    made_up,
)
from api.deps import DEMO_ACTOR, Context
from api.evidence import keep
from ledger.calendar import civil_day
from ledger.partners.certifications.commands import (
    CertificationCommand,
    FileAppeal,
    FileApplication,
    ProposeDecision,
    RejectDecision,
)
from ledger.partners.certifications.decider import certification
from ledger.partners.complaints import (
    AnswerComplaint,
    CloseComplaint,
    ComplaintCommand,
    OpenComplaint,
    Topic,
    complaint,
)
from ledger.partners.deadlines import ANSWER_WITHIN
from ledger.partners.words import Evidence
from ledger.people import OpenAccount, Role, account

PAPER: Final = """
#set document(title: "{title}", date: none)
#set page(paper: "a5")
#set text(lang: "fr")
= {title}
{shop}

Pièce inventée du village de démonstration : elle ne dit rien de vrai sur personne.
"""


@dataclass(frozen=True, slots=True)
class Person:
    """A made-up person. Her account has no password until somebody follows a one-time link."""

    actor: str
    name: str
    role: Role

    @property
    def account_id(self) -> UUID:
        return UUID(self.actor.removeprefix("account:"))

    @property
    def email(self) -> str:
        return f"{self.role}.{self.account_id.hex[:4]}@demonstration.invalid"


# The appeal that waits needs two members who did not decide before.
PEOPLE: Final = (
    Person(REVIEWER, "Odile Fabre", "officer"),
    Person(MEMBER, "Paul Jourdan", "committee"),
    Person(OTHER_MEMBER, "Sylvie Reynaud", "committee"),
    Person(made_up("third member"), "Karim Benali", "committee"),
    Person(made_up("fourth member"), "Jeanne Olivier", "committee"),
    Person(made_up("auditor"), "Luc Martin", "auditor"),
    Person(SHOPKEEPER, "Marie Bonnet", "partner_manager"),
)


def open_accounts(context: Context, at: datetime, partner_ids: Iterable[UUID]) -> None:
    """Open the accounts of the people who act in the village; nobody can sign in to them yet."""
    for person in PEOPLE:
        if people.state_of(context, person.account_id) is not None:
            continue
        subject_id = uuid5(NAMESPACE, f"subject of {person.actor}")
        context.vault.put(subject_id, "email", person.email, sought=True)
        context.vault.put(subject_id, "name", person.name)
        context.credentials.enrol(person.account_id, subject_id)
        command = OpenAccount(
            at=at,
            actor=DEMO_ACTOR,
            account_id=person.account_id,
            subject_id=subject_id,
            roles=(person.role,),
            partner_ids=tuple(partner_ids) if person.role == "partner_manager" else (),
        )
        context.ledger.handle(account, person.account_id, command)


def links(context: Context) -> list[tuple[Person, str]]:
    """Give everybody a new one-time link, to be printed where the operator alone reads it."""
    return [(person, people.new_link(context, person.account_id)) for person in PEOPLE]


def paper(context: Context, title: str, shop: str, at: datetime) -> Evidence:
    """Make a paper up and keep its file, as that of any other application."""
    content = typst.compile(PAPER.format(title=title, shop=shop).encode(), ignore_system_fonts=True)
    digest = keep(context.settings.home, content)
    return Evidence(title=title, sha256=digest, dated_on=civil_day(at))


def apply(context: Context, partner_id: UUID, shop: str, at: datetime, *, steps: int) -> None:
    """File an application and take its first steps: filed, reviewed, proposed."""
    first, *more = application(partner_id, at, civil_day(at))
    assert isinstance(first, FileApplication)  # noqa: S101 - it is what begins an application.
    if context.ledger.history(certification, partner_id):
        return
    papers = tuple(paper(context, title, shop, at) for title in ("Charte signée", "Extrait Kbis"))
    filed = first.model_copy(update={"evidence": papers})
    for command in (filed, *more)[:steps]:
        context.ledger.handle(certification, partner_id, command)


def reject_sanction(context: Context, partner_id: UUID, at: datetime) -> None:
    """Propose a suspension that the second member rejects."""
    case_id = uuid5(partner_id, "rejected sanction")
    judged: dict[str, Any] = {
        "partner_id": partner_id,
        "case_id": case_id,
    } | JUDGED
    proposed = ProposeDecision(
        at=at, actor=MEMBER, measure="suspend", reason="charter_breached", **judged
    )
    rejected = RejectDecision(at=at + timedelta(days=1), actor=OTHER_MEMBER, number=1, **judged)
    carry_out(context, partner_id, case_id, proposed, rejected)


def appeal(context: Context, partner_id: UUID, shop: str, at: datetime) -> None:
    """Appeal against the suspension that the village's load decided."""
    case_id = uuid5(partner_id, "appeal")
    filed = FileAppeal(
        at=at,
        actor=SHOPKEEPER,
        partner_id=partner_id,
        appeal_id=case_id,
        against_case_id=uuid5(partner_id, "sanction"),
        grounds=(paper(context, "Bordereaux et preuves d’envoi", shop, at),),
    )
    carry_out(context, partner_id, case_id, filed)


def carry_out(
    context: Context, partner_id: UUID, case_id: UUID, *commands: CertificationCommand
) -> None:
    """Carry commands out, unless an earlier load did: what happened since stays as it is."""
    history = context.ledger.history(certification, partner_id)
    if case_id in certification.fold(recorded.event for recorded in history).cases:
        return
    for command in commands:
        context.ledger.handle(certification, partner_id, command)


def complain(  # noqa: PLR0913 - each is a fact of the complaint.
    context: Context,
    partner_id: UUID,
    topic: Topic,
    words: str,
    at: datetime,
    *,
    answer: str = "",
    closed: bool = False,
) -> None:
    """Complain about a shop, with an answer if there is one; no letter is sent to anybody."""
    complaint_id = uuid5(partner_id, f"complaint {topic}")
    if context.ledger.history(complaint, complaint_id):
        return
    subject_id = uuid5(complaint_id, "subject")
    told = {
        WORDS: words,
        NAME_FIELD: "Anne Roux",
        EMAIL_FIELD: "anne.roux@demonstration.invalid",
        ANSWER: answer,
    }
    for field, text in told.items():
        if text:
            context.vault.put(subject_id, field, text)
    judged: dict[str, Any] = {
        "at": at + ANSWER_WITHIN / 3,
        "actor": REVIEWER,
        "complaint_id": complaint_id,
        "partner_people": (SHOPKEEPER,),
    }
    commands: list[ComplaintCommand] = [
        OpenComplaint(
            at=at,
            actor="public",
            complaint_id=complaint_id,
            partner_id=partner_id,
            subject_id=subject_id,
            topic=topic,
        )
    ]
    if answer:
        commands.append(AnswerComplaint(**judged))
    if closed:
        commands.append(CloseComplaint(outcome="partly_upheld", **judged))
    for command in commands:
        context.ledger.handle(complaint, complaint_id, command)
