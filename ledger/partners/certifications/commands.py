"""What people ask of a partner's certification, and what they are refused."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from ledger.calendar import Day
from ledger.decider import Command, Refused
from ledger.partners.certifications.events import (
    Declaration,
    Finding,
    Measure,
    Reason,
    Recommendation,
)
from ledger.partners.words import Papers

WITH_REASON: frozenset[Measure] = frozenset({"refuse", "suspend", "revoke"})


class FileApplication(Command):
    """The first one, or the renewal of a certification that was neither revoked nor ended."""

    partner_id: UUID
    application_id: UUID
    evidence: Papers


class AddEvidence(Command):
    partner_id: UUID
    application_id: UUID
    evidence: Annotated[Papers, Field(min_length=1)]


class WithdrawApplication(Command):
    partner_id: UUID
    application_id: UUID


class DeclareConflict(Command):
    partner_id: UUID


class EndCertification(Command):
    partner_id: UUID
    ended_on: Day


class FileAppeal(Command):
    partner_id: UUID
    appeal_id: UUID
    against_case_id: UUID
    grounds: Papers


class Judgement(Command):
    """`partner_people` are the actors who speak for the partner, as the register knows them.

    `committee` are those who sit on it today: nobody else decides. `disabled` are the actors
    whose account was disabled.
    """

    partner_id: UUID
    partner_people: tuple[str, ...]
    committee: tuple[str, ...]
    disabled: tuple[str, ...] = ()
    declaration: Declaration


class RecordReview(Judgement):
    application_id: UUID
    checklist_version: int
    findings: tuple[Finding, ...]
    recommendation: Recommendation


class ProposeDecision(Judgement):
    """A sanction or its end opens the case it names; other measures need a case that is open.

    Left out, `first_on` is today, and `last_on` of a certification three years later.
    """

    case_id: UUID
    measure: Measure
    reason: Reason | None = None
    first_on: Day | None = None
    last_on: Day | None = None

    @model_validator(mode="after")
    def _reason_where_due(self) -> Self:
        if (self.reason is not None) != (self.measure in WITH_REASON):
            raise ValueError("a reason belongs to a refusal, a suspension and a revocation")
        return self


class ApproveDecision(Judgement):
    """`number` is the proposal that was read: another one since is not approved unread."""

    case_id: UUID
    number: int


class RejectDecision(Judgement):
    case_id: UUID
    number: int


CertificationCommand = (
    FileApplication
    | AddEvidence
    | WithdrawApplication
    | DeclareConflict
    | EndCertification
    | FileAppeal
    | RecordReview
    | ProposeDecision
    | ApproveDecision
    | RejectDecision
)


class ApplicationOpen(Refused):
    """The partner has an application that is not decided yet."""


class ApplicationDiffers(Refused):
    """The same application or appeal was filed before with other contents."""


class CaseNotFound(Refused):
    """This partner's file has no such case."""


class CaseIsClosed(Refused):
    """This case was decided or withdrawn."""


class ChecklistUnknown(Refused):
    """No checklist was published under this version."""


class ReviewIncomplete(Refused):
    """A review answers every requirement of its checklist, once and in its order."""


class RequirementUnmet(Refused):
    """A review does not recommend what its required findings speak against."""


class ApplicationReviewed(Refused):
    """This application was reviewed already."""


class ApplicationNotReviewed(Refused):
    """An application is decided after its review."""


class ReviewSpeaksAgainst(Refused):
    """Nobody is certified against the review: it is refused, and the partner may appeal."""


class JudgeWithoutAccount(Refused):
    """Only a person with an account of her own reviews or decides."""


class ConflictOfInterest(Refused):
    """This person declared an interest in the partner."""


class JudgeSpeaksForPartner(Refused):
    """Who speaks for the partner, or applied for it, does not judge it."""


class JudgeDisabled(Refused):
    """A disabled account neither reviews nor decides, and what it proposed is not approved."""


class JudgeNotOnCommittee(Refused):
    """Both people that decide sit on the committee, on the day of the second signature too."""


class ReviewerDecides(Refused):
    """Who reviewed an application does not decide on it."""


class SamePersonTwice(Refused):
    """Who proposed a decision is not the one who approves or rejects it."""


class DecidedBefore(Refused):
    """An appeal is decided by people who did not decide before."""


class MeasureNotPossible(Refused):
    """This case cannot be decided by this measure."""


class ProposalPending(Refused):
    """Another proposal of this case waits to be approved or rejected."""


class ProposalNotPending(Refused):
    """The proposal with this number is not waiting any more, or never was."""


class NotCertified(Refused):
    """The partner has no certification that could be sanctioned or ended."""


class EndIsSet(Refused):
    """The partner chose an earlier end of its certification already."""


class EndTooLate(Refused):
    """The end that a partner chooses is not as far off as that."""


class NothingToReinstate(Refused):
    """No suspension is open."""


class OvertakenByDecision(Refused):
    """A later decision on the certification stands in the way of this one."""


class NothingToAppeal(Refused):
    """Only a refusal, a suspension or a revocation is appealed, and only once."""


class AppealTooLate(Refused):
    """The time to appeal is over."""
