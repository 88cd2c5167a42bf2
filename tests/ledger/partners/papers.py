"""The commands of a shop's life, and the people who give them, for specs and simulations."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from ledger.partners.agreements import (
    AgreementEvent,
    AmendAgreement,
    EndAgreement,
    SignAgreement,
    agreement,
)
from ledger.partners.certifications.commands import (
    AddEvidence,
    ApproveDecision,
    CertificationCommand,
    DeclareConflict,
    EndCertification,
    FileAppeal,
    FileApplication,
    ProposeDecision,
    RecordReview,
    RejectDecision,
    WithdrawApplication,
)
from ledger.partners.certifications.decider import certification
from ledger.partners.certifications.events import (
    CertificationEvent,
    Finding,
    Measure,
    Reason,
    Recommendation,
)
from ledger.partners.checklists import CHECKLISTS
from ledger.partners.words import Evidence

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = NOON.date()
SHOP = UUID(int=1)
CONTRACT = UUID(int=2)
APPLICATION, RENEWAL, SANCTION, OTHER_SANCTION, APPEAL = (UUID(int=10 + n) for n in range(5))


def account(number: int) -> str:
    return f"account:{UUID(int=number)}"


SHOPKEEPER, REVIEWER, ANNE, BRUNO, CHLOE, DAVID = (account(100 + n) for n in range(6))
COMMITTEE = (ANNE, BRUNO, CHLOE, DAVID)
PEOPLE = (SHOPKEEPER,)
CHARTER = Evidence(title="Charte signée", sha256="ab" * 32, dated_on=TODAY)
PLAN = Evidence(title="Plan de caisse", sha256="cd" * 32, dated_on=TODAY)
KEYS = CHECKLISTS[0].keys
REASONED: dict[Measure, Reason] = {
    "refuse": "requirements_unmet",
    "suspend": "statements_overdue",
    "revoke": "charter_breached",
}


def days(count: int) -> timedelta:
    return timedelta(days=count)


def on(count: int) -> date:
    return TODAY + days(count)


def when(count: int) -> datetime:
    return NOON + days(count)


def apply(
    case_id: UUID = APPLICATION, evidence: Sequence[Evidence] = (CHARTER,), day: int = 0
) -> FileApplication:
    return FileApplication(
        at=when(day),
        actor=SHOPKEEPER,
        partner_id=SHOP,
        application_id=case_id,
        evidence=tuple(evidence),
    )


def add(case_id: UUID = APPLICATION, day: int = 0) -> AddEvidence:
    return AddEvidence(
        at=when(day), actor=SHOPKEEPER, partner_id=SHOP, application_id=case_id, evidence=(PLAN,)
    )


def withdraw(case_id: UUID = APPLICATION, day: int = 0) -> WithdrawApplication:
    return WithdrawApplication(
        at=when(day), actor=SHOPKEEPER, partner_id=SHOP, application_id=case_id
    )


def conflict(person: str, day: int = 0) -> DeclareConflict:
    return DeclareConflict(at=when(day), actor=person, partner_id=SHOP)


def end(day: int = 0, ended_on: int | None = None) -> EndCertification:
    last = on(day if ended_on is None else ended_on)
    return EndCertification(at=when(day), actor=SHOPKEEPER, partner_id=SHOP, ended_on=last)


def appeal(against: UUID, case_id: UUID = APPEAL, day: int = 0) -> FileAppeal:
    return FileAppeal(
        at=when(day),
        actor=SHOPKEEPER,
        partner_id=SHOP,
        appeal_id=case_id,
        against_case_id=against,
        grounds=(PLAN,),
    )


def judged(
    person: str, day: int, people: Sequence[str], committee: Sequence[str] = COMMITTEE
) -> dict[str, Any]:
    return {
        "at": when(day),
        "actor": person,
        "partner_id": SHOP,
        "partner_people": tuple(people),
        "committee": tuple(committee),
        "declaration": "no_conflict",
    }


def review(
    person: str = REVIEWER,
    *,
    case_id: UUID = APPLICATION,
    day: int = 0,
    people: Sequence[str] = PEOPLE,
    unmet: str = "",
    recommendation: Recommendation = "grant",
    keys: Sequence[str] = KEYS,
    version: int = 1,
) -> RecordReview:
    findings = tuple(
        Finding(requirement=key, answer="unmet" if key == unmet else "met") for key in keys
    )
    return RecordReview(
        application_id=case_id,
        checklist_version=version,
        findings=findings,
        recommendation=recommendation,
        **judged(person, day, people),
    )


def propose(
    measure: Measure,
    person: str = ANNE,
    *,
    case_id: UUID = APPLICATION,
    day: int = 0,
    people: Sequence[str] = PEOPLE,
    committee: Sequence[str] = COMMITTEE,
    first: int | None = None,
    last: int | None = None,
) -> ProposeDecision:
    return ProposeDecision(
        case_id=case_id,
        measure=measure,
        reason=REASONED.get(measure),
        first_on=None if first is None else on(first),
        last_on=None if last is None else on(last),
        **judged(person, day, people, committee),
    )


def approve(
    person: str = BRUNO,
    *,
    case_id: UUID = APPLICATION,
    number: int = 1,
    day: int = 0,
    people: Sequence[str] = PEOPLE,
    committee: Sequence[str] = COMMITTEE,
) -> ApproveDecision:
    judgement = judged(person, day, people, committee)
    return ApproveDecision(case_id=case_id, number=number, **judgement)


def reject(
    person: str = BRUNO,
    *,
    case_id: UUID = APPLICATION,
    number: int = 1,
    day: int = 0,
    committee: Sequence[str] = COMMITTEE,
) -> RejectDecision:
    judgement = judged(person, day, PEOPLE, committee)
    return RejectDecision(case_id=case_id, number=number, **judgement)


def decision(
    measure: Measure,
    *,
    case_id: UUID = APPLICATION,
    day: int = 0,
    by: tuple[str, str] = (ANNE, BRUNO),
    first: int | None = None,
    last: int | None = None,
) -> tuple[CertificationCommand, ...]:
    """Both signatures of one decision."""
    one, other = by
    about: dict[str, Any] = {"case_id": case_id, "day": day, "committee": (*COMMITTEE, *by)}
    return propose(measure, one, first=first, last=last, **about), approve(other, **about)


def granted(day: int = 0, last: int | None = None) -> tuple[CertificationCommand, ...]:
    """All it takes to be certified from a day on."""
    return (apply(day=day), review(day=day), *decision("grant", day=day, last=last))


def done(*commands: CertificationCommand) -> list[CertificationEvent]:
    """The events of commands that are all carried out."""
    history: list[CertificationEvent] = []
    for command in commands:
        history += certification.decide(command, certification.fold(history))
    return history


TERMS: dict[str, Any] = {
    "actor": SHOPKEEPER,
    "agreement_id": CONTRACT,
    "partner_id": SHOP,
    "regime": "mandate",
    "commitment": "round_up",
    "charter_version": 1,
}


def sign(first: int = 0, last: int | None = None, **changes: Any) -> SignAgreement:
    terms = {
        "at": NOON,
        "number": "2026-014",
        "signed_on": min(TODAY, on(first)),
        "valid_from": on(first),
        "valid_until": None if last is None else on(last),
    }
    return SignAgreement(**TERMS | terms | changes)


def amend(day: int, last: int | None = None, **changes: Any) -> AmendAgreement:
    until = None if last is None else on(last)
    terms = {"at": when(day), "amended_on": on(day), "valid_until": until}
    return AmendAgreement(**TERMS | terms | changes)


def terminate(day: int, **changes: Any) -> EndAgreement:
    whole = {name: TERMS[name] for name in ("actor", "agreement_id", "partner_id")}
    ends = {"at": when(day), "ended_on": on(day), "ended_by": "both"}
    return EndAgreement(**whole | ends | changes)


def agreed(*commands: SignAgreement | AmendAgreement | EndAgreement) -> list[AgreementEvent]:
    history: list[AgreementEvent] = []
    for command in commands:
        history += agreement.decide(command, agreement.fold(history))
    return history
