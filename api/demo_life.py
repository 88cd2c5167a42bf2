"""How a made-up shop became a partner: agreement, application, review, two signatures."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid5

from ledger.calendar import civil_day
from ledger.partners.agreements import SignAgreement, agreement, agreement_id_of
from ledger.partners.certifications.commands import (
    ApproveDecision,
    CertificationCommand,
    FileApplication,
    ProposeDecision,
    RecordReview,
)
from ledger.partners.certifications.decider import certification
from ledger.partners.certifications.events import Finding, Measure, Reason
from ledger.partners.checklists import CHECKLISTS
from ledger.partners.register import SetPublicationConsent, partner
from ledger.partners.words import Evidence
from ledger.store import Ledger

NAMESPACE = UUID("5c6f0f1e-2b1c-5d2e-8d7a-4b0f7c9e6a31")
# Two days for the review, two more for the committee.
REVIEWED_AFTER = timedelta(days=2)
DECIDED_AFTER = timedelta(days=4)


def made_up(person: str) -> str:
    """Give the actor of a made-up person; nobody can sign in as her."""
    return f"account:{uuid5(NAMESPACE, person)}"


SHOPKEEPER = made_up("shopkeeper")
REVIEWER = made_up("reviewer")
MEMBER, OTHER_MEMBER = made_up("member"), made_up("other member")
JUDGED: dict[str, Any] = {
    "partner_people": (SHOPKEEPER,),
    "committee": (MEMBER, OTHER_MEMBER),
    "declaration": "no_conflict",
}


def recognise(  # noqa: PLR0913 - each is a fact of the papers.
    ledger: Ledger,
    partner_id: UUID,
    number: str,
    *,
    applied_at: datetime,
    valid_from: date,
    valid_until: date | None = None,
    certified_until: date | None = None,
) -> None:
    """Sign an agreement with a registered partner and certify it, through the real commands.

    `valid_until` is the agreement's, `certified_until` the certification's, else years later.

    The same again changes nothing. The certification begins on the later of `valid_from` and the
    day of its second signature, `DECIDED_AFTER` its application.
    """
    consent = SetPublicationConsent(
        at=applied_at, actor=SHOPKEEPER, partner_id=partner_id, consented=True
    )
    ledger.handle(partner, partner_id, consent)
    signed = signature(partner_id, number, applied_at, valid_from, valid_until)
    ledger.handle(agreement, signed.agreement_id, signed)
    for command in application(partner_id, applied_at, valid_from, certified_until):
        ledger.handle(certification, partner_id, command)


def signature(
    partner_id: UUID,
    number: str,
    signed_at: datetime,
    valid_from: date,
    valid_until: date | None = None,
) -> SignAgreement:
    """Give the command that signs an agreement to round up, in the mandate regime."""
    return SignAgreement(
        at=signed_at,
        actor=SHOPKEEPER,
        agreement_id=agreement_id_of(number),
        partner_id=partner_id,
        number=number,
        regime="mandate",
        commitment="round_up",
        charter_version=1,
        signed_on=min(civil_day(signed_at), valid_from),
        valid_from=valid_from,
        valid_until=valid_until,
    )


def application(
    partner_id: UUID,
    applied_at: datetime,
    valid_from: date,
    certified_until: date | None = None,
) -> Sequence[CertificationCommand]:
    """Give the commands of one application, from its filing to the second signature."""
    case_id = uuid5(partner_id, "application")
    charter = Evidence(
        title="Charte signée",
        sha256=sha256(case_id.bytes).hexdigest(),
        dated_on=civil_day(applied_at),
    )
    requirements = CHECKLISTS[-1].requirements
    of: dict[str, Any] = {"partner_id": partner_id}
    judged = of | JUDGED
    decided_at = applied_at + DECIDED_AFTER
    return (
        FileApplication(
            at=applied_at, actor=SHOPKEEPER, application_id=case_id, evidence=(charter,), **of
        ),
        RecordReview(
            at=applied_at + REVIEWED_AFTER,
            actor=REVIEWER,
            application_id=case_id,
            checklist_version=CHECKLISTS[-1].version,
            findings=tuple(Finding(requirement=one.key, answer="met") for one in requirements),
            recommendation="grant",
            **judged,
        ),
        ProposeDecision(
            at=decided_at,
            actor=MEMBER,
            case_id=case_id,
            measure="grant",
            first_on=max(valid_from, civil_day(decided_at)),
            last_on=certified_until,
            **judged,
        ),
        ApproveDecision(at=decided_at, actor=OTHER_MEMBER, case_id=case_id, number=1, **judged),
    )


def sanction(  # noqa: PLR0913 - each is a fact of the decision.
    ledger: Ledger,
    partner_id: UUID,
    measure: Measure,
    reason: Reason | None,
    *,
    at: datetime,
    name: str = "sanction",
) -> None:
    """Suspend, reinstate or revoke a certified partner from a day on, with two signatures."""
    case_id = uuid5(partner_id, name)
    judged: dict[str, Any] = {
        "at": at,
        "partner_id": partner_id,
        "case_id": case_id,
    } | JUDGED
    propose = ProposeDecision(actor=MEMBER, measure=measure, reason=reason, **judged)
    ledger.handle(certification, partner_id, propose)
    approve = ApproveDecision(actor=OTHER_MEMBER, number=1, **judged)
    ledger.handle(certification, partner_id, approve)
