"""The state of a partner's certification: its cases, and what the decided ones left in force."""

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal, assert_never
from uuid import UUID

from ledger.calendar import civil_day
from ledger.partners.certifications.events import (
    AppealAccepted,
    AppealDismissed,
    AppealFiled,
    ApplicationFiled,
    ApplicationRefused,
    ApplicationWithdrawn,
    CertificationEnded,
    CertificationEvent,
    CertificationGranted,
    CertificationReinstated,
    CertificationRenewed,
    CertificationRevoked,
    CertificationSuspended,
    ConflictDeclared,
    DecisionProposed,
    DecisionRejected,
    EvidenceAdded,
    Measure,
    ReviewRecorded,
)
from ledger.partners.words import Evidence

CaseKind = Literal["application", "renewal", "sanction", "appeal"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a case ended, and after how many events of the file."""

    measure: Measure | Literal["withdraw"]
    proposed_by: str
    approved_by: str
    decided_on: date
    step: int


@dataclass(frozen=True, slots=True)
class Case:
    """`step` is the one of the file that opened it."""

    case_id: UUID
    kind: CaseKind
    opened_by: str
    opened_on: date
    step: int
    evidence: tuple[Evidence, ...] = ()
    against_case_id: UUID | None = None
    review: ReviewRecorded | None = None
    proposal: DecisionProposed | None = None
    numbered: int = 0
    rejected: frozenset[tuple[int, str]] = frozenset()
    took_part: frozenset[str] = frozenset()
    outcome: Outcome | None = None

    @property
    def open(self) -> bool:
        return self.outcome is None


@dataclass(frozen=True, slots=True)
class Closing:
    """Why a certification is over before its last day: by which case, from which day.

    `step` is the one of the file that decided it.
    """

    kind: Literal["revoked", "ended"]
    case_id: UUID | None
    on: date
    step: int


@dataclass(frozen=True, slots=True)
class CertificationFile:
    """`settled_step` is the step of the newest certification granted, renewed or closed."""

    cases: dict[UUID, Case] = field(default_factory=dict)
    conflicts: frozenset[str] = frozenset()
    applicants: frozenset[str] = frozenset()
    valid_until: date | None = None
    closings: tuple[Closing, ...] = ()
    suspended: dict[UUID, date | None] = field(default_factory=dict)
    step: int = 0
    settled_step: int = 0

    @property
    def ending(self) -> Closing | None:
        """The end that the partner chose itself, now or to come."""
        return next((one for one in self.closings if one.kind == "ended"), None)

    @property
    def renewable(self) -> bool:
        """Whether a certification was granted and is neither revoked nor ended, now or to come."""
        return self.valid_until is not None and not self.closings

    def certified_on(self, day: date) -> bool:
        """Tell whether it was granted and is not revoked or ended by a day; it may be over."""
        return self.valid_until is not None and all(day < one.on for one in self.closings)

    @property
    def open_application(self) -> Case | None:
        kinds = ("application", "renewal")
        return next((one for one in self.cases.values() if one.open and one.kind in kinds), None)

    def suspended_after(self, day: date) -> bool:
        """Tell whether a suspension goes on from a day."""
        return any(last is None or last >= day for last in self.suspended.values())


def evolve(file: CertificationFile, event: CertificationEvent) -> CertificationFile:
    file = replace(file, step=file.step + 1)
    match event:
        case ApplicationFiled() | AppealFiled() | EvidenceAdded() | ReviewRecorded():
            return on_papers(file, event)
        case ConflictDeclared(actor=person):
            return without_the_work_of(file, person)
        case DecisionProposed() | DecisionRejected():
            return on_proposals(file, event)
        case ApplicationWithdrawn(application_id=case_id, withdrawn_on=day, actor=actor):
            withdrawn = Outcome("withdraw", actor, actor, day, file.step)
            return with_case(file, replace(file.cases[case_id], outcome=withdrawn))
        case CertificationEnded(ended_on=day):
            applicants = file.applicants | {event.actor}
            ended = Closing("ended", None, day, file.step)
            revoked = tuple(one for one in file.closings if one.kind == "revoked")
            file = replace(file, closings=(*revoked, ended), applicants=applicants)
            return replace(file, settled_step=file.step)
        case _:
            return on_outcome(file, event)


def with_case(file: CertificationFile, case: Case) -> CertificationFile:
    return replace(file, cases=file.cases | {case.case_id: case})


def on_papers(
    file: CertificationFile,
    event: ApplicationFiled | AppealFiled | EvidenceAdded | ReviewRecorded,
) -> CertificationFile:
    match event:
        case ApplicationFiled(application_id=case_id, evidence=evidence, filed_on=day):
            kind: CaseKind = "renewal" if event.renewal else "application"
            case = Case(case_id, kind, event.actor, day, file.step, evidence)
        case AppealFiled(appeal_id=case_id, grounds=evidence, filed_on=day):
            against = event.against_case_id
            case = Case(case_id, "appeal", event.actor, day, file.step, evidence, against)
        case EvidenceAdded(application_id=case_id, evidence=evidence):
            before = file.cases[case_id]
            case = replace(before, evidence=(*before.evidence, *evidence))
        case ReviewRecorded(application_id=case_id):
            return with_case(file, replace(file.cases[case_id], review=event))
        case _:
            assert_never(event)
    return replace(with_case(file, case), applicants=file.applicants | {event.actor})


def without_the_work_of(file: CertificationFile, person: str) -> CertificationFile:
    """Void what a person with a conflict did in cases that are not decided."""
    cases = dict(file.cases)
    for case in file.cases.values():
        if not case.open:
            continue
        review, proposal = case.review, case.proposal
        if review is not None and review.actor == person:
            review = proposal = None
        if proposal is not None and proposal.actor == person:
            proposal = None
        cases[case.case_id] = replace(case, review=review, proposal=proposal)
    return replace(file, cases=cases, conflicts=file.conflicts | {person})


def on_proposals(
    file: CertificationFile, event: DecisionProposed | DecisionRejected
) -> CertificationFile:
    case = file.cases.get(event.case_id)
    if case is None:
        # A sanction's case opens with its first proposal.
        assert isinstance(event, DecisionProposed)  # noqa: S101 - what was stored says so.
        opened_on = civil_day(event.recorded_at)
        case = Case(event.case_id, "sanction", event.actor, opened_on, file.step)
    took_part = case.took_part | {event.actor}
    match event:
        case DecisionProposed(number=number):
            case = replace(case, proposal=event, numbered=number, took_part=took_part)
        case DecisionRejected(number=number, actor=actor):
            rejected = case.rejected | {(number, actor)}
            case = replace(case, proposal=None, rejected=rejected, took_part=took_part)
        case _:
            assert_never(event)
    return with_case(file, case)


def on_outcome(
    file: CertificationFile,
    event: CertificationGranted
    | CertificationRenewed
    | ApplicationRefused
    | CertificationSuspended
    | CertificationReinstated
    | CertificationRevoked
    | AppealAccepted
    | AppealDismissed,
) -> CertificationFile:
    match event:
        case CertificationGranted() | CertificationRenewed():
            file = decided(file, event.case_id, "grant", event, event.decided_on)
            closings = () if isinstance(event, CertificationGranted) else file.closings
            return replace(
                file, valid_until=event.valid_until, closings=closings, settled_step=file.step
            )
        case ApplicationRefused(case_id=case_id):
            return decided(file, case_id, "refuse", event, event.refused_on)
        case CertificationSuspended(case_id=case_id, suspended_until=last):
            suspended = file.suspended | {case_id: last}
            file = decided(file, case_id, "suspend", event, event.decided_on)
            return replace(file, suspended=suspended)
        case CertificationReinstated():
            return reinstated(file, event)
        case CertificationRevoked(case_id=case_id, revoked_on=day):
            file = decided(file, case_id, "revoke", event, event.decided_on)
            revoked = Closing("revoked", case_id, day, file.step)
            return replace(file, closings=(*file.closings, revoked), settled_step=file.step)
        case AppealAccepted(appeal_id=appeal_id):
            return decided(file, appeal_id, "accept_appeal", event, event.decided_on)
        case AppealDismissed(appeal_id=appeal_id):
            return decided(file, appeal_id, "dismiss_appeal", event, event.decided_on)
        case _:
            assert_never(event)


def reinstated(file: CertificationFile, event: CertificationReinstated) -> CertificationFile:
    file = decided(file, event.case_id, "reinstate", event, event.decided_on)
    lifted = event.lifted_case_id
    if lifted is None:
        return replace(file, suspended={})
    closings = tuple(one for one in file.closings if one.case_id != lifted)
    suspended = {case: last for case, last in file.suspended.items() if case != lifted}
    return replace(file, suspended=suspended, closings=closings)


def decided(
    file: CertificationFile,
    case_id: UUID,
    measure: Measure,
    event: CertificationGranted
    | CertificationRenewed
    | ApplicationRefused
    | CertificationSuspended
    | CertificationReinstated
    | CertificationRevoked
    | AppealAccepted
    | AppealDismissed,
    day: date,
) -> CertificationFile:
    """Close a case, unless an appeal that was just accepted closed it."""
    case = file.cases[case_id]
    if not case.open:
        return file
    outcome = Outcome(measure, event.proposed_by, event.actor, day, file.step)
    took_part = case.took_part | {event.proposed_by, event.actor}
    return with_case(file, replace(case, outcome=outcome, took_part=took_part))
