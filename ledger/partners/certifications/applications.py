"""Applications: filed with evidence, reviewed against a checklist; and what the partner asks."""

from ledger.calendar import civil_day
from ledger.partners.certifications.commands import (
    AddEvidence,
    AppealTooLate,
    ApplicationDiffers,
    ApplicationOpen,
    ApplicationReviewed,
    CaseIsClosed,
    CaseNotFound,
    ChecklistUnknown,
    DeclareConflict,
    EndCertification,
    EndIsSet,
    EndTooLate,
    FileAppeal,
    FileApplication,
    NotCertified,
    NothingToAppeal,
    RecordReview,
    RequirementUnmet,
    ReviewIncomplete,
    WithdrawApplication,
)
from ledger.partners.certifications.events import (
    AppealFiled,
    ApplicationFiled,
    ApplicationWithdrawn,
    CertificationEnded,
    CertificationEvent,
    ConflictDeclared,
    EvidenceAdded,
    ReviewRecorded,
)
from ledger.partners.certifications.file import Case, CertificationFile
from ledger.partners.certifications.judges import enabled, impartial
from ledger.partners.checklists import Checklist, checklist
from ledger.partners.deadlines import APPEAL_WITHIN, ENDS_WITHIN


def application(
    command: AddEvidence | WithdrawApplication | RecordReview, file: CertificationFile
) -> Case:
    """Give the application a command names."""
    case = file.cases.get(command.application_id)
    if case is None or case.kind not in {"application", "renewal"}:
        raise CaseNotFound(case_id=command.application_id)
    return case


def file_application(command: FileApplication, file: CertificationFile) -> list[CertificationEvent]:
    known = file.cases.get(command.application_id)
    if known is not None:
        same = known.evidence[: len(command.evidence)] == command.evidence
        if known.kind not in {"application", "renewal"} or not same:
            raise ApplicationDiffers(case_id=command.application_id)
        return []
    if file.open_application is not None:
        raise ApplicationOpen(case_id=file.open_application.case_id)
    return [
        ApplicationFiled(
            recorded_at=command.at,
            actor=command.actor,
            partner_id=command.partner_id,
            application_id=command.application_id,
            renewal=file.renewable,
            evidence=command.evidence,
            filed_on=civil_day(command.at),
        )
    ]


def add_evidence(command: AddEvidence, file: CertificationFile) -> list[CertificationEvent]:
    case = application(command, file)
    if set(command.evidence) <= set(case.evidence):
        return []
    if not case.open:
        raise CaseIsClosed(case_id=case.case_id)
    return [
        EvidenceAdded(
            recorded_at=command.at,
            actor=command.actor,
            partner_id=command.partner_id,
            application_id=case.case_id,
            evidence=command.evidence,
        )
    ]


def withdraw(command: WithdrawApplication, file: CertificationFile) -> list[CertificationEvent]:
    case = application(command, file)
    if case.outcome is not None:
        if case.outcome.measure == "withdraw":
            return []
        raise CaseIsClosed(case_id=case.case_id)
    return [
        ApplicationWithdrawn(
            recorded_at=command.at,
            actor=command.actor,
            partner_id=command.partner_id,
            application_id=case.case_id,
            withdrawn_on=civil_day(command.at),
        )
    ]


def declare_conflict(command: DeclareConflict, file: CertificationFile) -> list[CertificationEvent]:
    if command.actor in file.conflicts:
        return []
    return [
        ConflictDeclared(recorded_at=command.at, actor=command.actor, partner_id=command.partner_id)
    ]


def review(command: RecordReview, file: CertificationFile) -> list[CertificationEvent]:
    case = application(command, file)
    before = case.review
    if before is not None and before.actor == command.actor:
        told = (before.checklist_version, before.findings, before.recommendation)
        if told == (command.checklist_version, command.findings, command.recommendation):
            return []
    enabled(command)
    impartial(command, file)
    if not case.open:
        raise CaseIsClosed(case_id=case.case_id)
    if before is not None:
        raise ApplicationReviewed(case_id=case.case_id)
    published = checklist(command.checklist_version)
    if published is None:
        raise ChecklistUnknown(version=command.checklist_version)
    complete(command, published)
    return [
        ReviewRecorded(
            recorded_at=command.at,
            actor=command.actor,
            partner_id=command.partner_id,
            application_id=case.case_id,
            checklist_version=command.checklist_version,
            findings=command.findings,
            recommendation=command.recommendation,
            declaration=command.declaration,
            reviewed_on=civil_day(command.at),
        )
    ]


def complete(command: RecordReview, published: Checklist) -> None:
    """Refuse a review with holes, and one that recommends against its own findings."""
    answers = {finding.requirement: finding.answer for finding in command.findings}
    if tuple(finding.requirement for finding in command.findings) != published.keys:
        missing = [key for key in published.keys if key not in answers]
        raise ReviewIncomplete(version=published.version, missing=missing)
    unmet = [
        one.key for one in published.requirements if one.required and answers[one.key] == "unmet"
    ]
    if unmet and command.recommendation == "grant":
        raise RequirementUnmet(requirements=unmet)


def end_certification(
    command: EndCertification, file: CertificationFile
) -> list[CertificationEvent]:
    today, ending = civil_day(command.at), file.ending
    ended_on = max(command.ended_on, today)
    if ending is not None and ending.on in {command.ended_on, ended_on}:
        return []
    if not file.certified_on(today):
        raise NotCertified(partner_id=command.partner_id)
    if ending is not None and ending.on < ended_on:
        raise EndIsSet(ended_on=ending.on)
    if ended_on > today + ENDS_WITHIN:
        raise EndTooLate(last_on=today + ENDS_WITHIN)
    return [
        CertificationEnded(
            recorded_at=command.at,
            actor=command.actor,
            partner_id=command.partner_id,
            ended_on=ended_on,
        )
    ]


def file_appeal(command: FileAppeal, file: CertificationFile) -> list[CertificationEvent]:
    known = file.cases.get(command.appeal_id)
    if known is not None:
        told = (known.kind, known.against_case_id, known.evidence)
        if told != ("appeal", command.against_case_id, command.grounds):
            raise ApplicationDiffers(case_id=command.appeal_id)
        return []
    against = file.cases.get(command.against_case_id)
    if against is None:
        raise CaseNotFound(case_id=command.against_case_id)
    appealed = {one.against_case_id for one in file.cases.values()}
    outcome = against.outcome
    if (
        outcome is None
        or outcome.measure not in {"refuse", "suspend", "revoke"}
        or against.case_id in appealed
    ):
        raise NothingToAppeal(case_id=command.against_case_id)
    today = civil_day(command.at)
    if today > outcome.decided_on + APPEAL_WITHIN:
        raise AppealTooLate(last_on=outcome.decided_on + APPEAL_WITHIN)
    return [
        AppealFiled(
            recorded_at=command.at,
            actor=command.actor,
            partner_id=command.partner_id,
            appeal_id=command.appeal_id,
            against_case_id=command.against_case_id,
            grounds=command.grounds,
            filed_on=today,
        )
    ]
