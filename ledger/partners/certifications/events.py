"""What happens to a partner's certification."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from ledger.decider import Event
from ledger.partners.words import Evidence

Measure = Literal[
    "grant",
    "refuse",
    "suspend",
    "reinstate",
    "revoke",
    "accept_appeal",
    "dismiss_appeal",
]
Reason = Literal[
    "requirements_unmet",
    "evidence_insufficient",
    "statements_overdue",
    "gifts_withheld",
    "charter_breached",
    "false_evidence",
    "badge_misused",
    "complaint_upheld",
    "business_closed",
]
Recommendation = Literal["grant", "refuse"]
# Whoever reviews or decides says so each time; who cannot say so declares a conflict instead.
Declaration = Literal["no_conflict"]


class Finding(BaseModel):
    """What the reviewer found of one requirement of the checklist."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    requirement: str
    answer: Literal["met", "unmet", "not_applicable"]


# Events. These names and fields are what is stored: add a new version, never edit.


class ApplicationFiled(Event):
    partner_id: UUID
    application_id: UUID
    renewal: bool
    evidence: tuple[Evidence, ...]
    filed_on: date


class EvidenceAdded(Event):
    partner_id: UUID
    application_id: UUID
    evidence: tuple[Evidence, ...]


class ApplicationWithdrawn(Event):
    partner_id: UUID
    application_id: UUID
    withdrawn_on: date


class ConflictDeclared(Event):
    """The actor has an interest in this partner, and from now on reviews and decides nothing."""

    partner_id: UUID


class ReviewRecorded(Event):
    """The actor is the reviewer."""

    partner_id: UUID
    application_id: UUID
    checklist_version: int
    findings: tuple[Finding, ...]
    recommendation: Recommendation
    declaration: Declaration
    reviewed_on: date


class DecisionProposed(Event):
    """The first of two people proposes; proposals of a case are numbered from 1."""

    partner_id: UUID
    case_id: UUID
    number: int
    measure: Measure
    reason: Reason | None = None
    first_on: date
    last_on: date | None = None
    declaration: Declaration


class DecisionRejected(Event):
    """The second person does not agree: the case waits for another proposal."""

    partner_id: UUID
    case_id: UUID
    number: int


# In all that follows the actor is the second person, and `proposed_by` the first.


class CertificationGranted(Event):
    partner_id: UUID
    case_id: UUID
    proposed_by: str
    decided_on: date
    valid_from: date
    valid_until: date


class CertificationRenewed(Event):
    partner_id: UUID
    case_id: UUID
    proposed_by: str
    decided_on: date
    valid_from: date
    valid_until: date


class ApplicationRefused(Event):
    partner_id: UUID
    case_id: UUID
    proposed_by: str
    reason: Reason
    refused_on: date


class CertificationSuspended(Event):
    partner_id: UUID
    case_id: UUID
    proposed_by: str
    decided_on: date
    reason: Reason
    suspended_from: date
    suspended_until: date | None = None


class CertificationReinstated(Event):
    """Lifts the sanction of one case after an appeal, every suspension when it names none."""

    partner_id: UUID
    case_id: UUID
    proposed_by: str
    decided_on: date
    lifted_case_id: UUID | None = None
    reinstated_on: date


class CertificationRevoked(Event):
    partner_id: UUID
    case_id: UUID
    proposed_by: str
    decided_on: date
    reason: Reason
    revoked_on: date


class CertificationEnded(Event):
    """The partner itself ended it."""

    partner_id: UUID
    ended_on: date


class AppealFiled(Event):
    partner_id: UUID
    appeal_id: UUID
    against_case_id: UUID
    grounds: tuple[Evidence, ...]
    filed_on: date


class AppealAccepted(Event):
    """What the appeal gives follows as an event of its own."""

    partner_id: UUID
    appeal_id: UUID
    against_case_id: UUID
    proposed_by: str
    decided_on: date


class AppealDismissed(Event):
    partner_id: UUID
    appeal_id: UUID
    against_case_id: UUID
    proposed_by: str
    decided_on: date


CertificationEvent = (
    ApplicationFiled
    | EvidenceAdded
    | ApplicationWithdrawn
    | ConflictDeclared
    | ReviewRecorded
    | DecisionProposed
    | DecisionRejected
    | CertificationGranted
    | CertificationRenewed
    | ApplicationRefused
    | CertificationSuspended
    | CertificationReinstated
    | CertificationRevoked
    | CertificationEnded
    | AppealFiled
    | AppealAccepted
    | AppealDismissed
)
