"""Decisions by two people: one proposes, another approves or rejects. None is backdated."""

from datetime import date, timedelta

from ledger.calendar import civil_day
from ledger.partners.certifications.commands import (
    ApplicationNotReviewed,
    ApproveDecision,
    CaseIsClosed,
    CaseNotFound,
    MeasureNotPossible,
    NotCertified,
    NothingToReinstate,
    ProposalNotPending,
    ProposalPending,
    ProposeDecision,
    RejectDecision,
    ReviewSpeaksAgainst,
    SamePersonTwice,
)
from ledger.partners.certifications.events import (
    CertificationEvent,
    DecisionProposed,
    DecisionRejected,
    Measure,
    ReviewRecorded,
)
from ledger.partners.certifications.file import Case, CaseKind, CertificationFile
from ledger.partners.certifications.judges import may_decide
from ledger.partners.certifications.outcomes import outcome_of
from ledger.partners.deadlines import CERTIFIED_YEARS
from ledger.partners.words import in_order

MEASURES: dict[CaseKind, frozenset[Measure]] = {
    "application": frozenset({"grant", "refuse"}),
    "renewal": frozenset({"grant", "refuse"}),
    "sanction": frozenset({"suspend", "reinstate", "revoke"}),
    "appeal": frozenset({"accept_appeal", "dismiss_appeal"}),
}


def last_day(first: date) -> date:
    """Give the last day of a certification that begins on a day, three years long."""
    year = first.year + CERTIFIED_YEARS
    try:
        return first.replace(year=year) - timedelta(days=1)
    except ValueError:
        return date(year, 2, 28)


def propose(command: ProposeDecision, file: CertificationFile) -> list[CertificationEvent]:
    case = file.cases.get(command.case_id)
    first = command.first_on or civil_day(command.at)
    last = command.last_on
    if last is None and gives_certification(command.measure, file, case):
        last = last_day(first)
    if case is not None and case.proposal is not None:
        if same(command, case.proposal, last):
            return []
        if case.open:
            raise ProposalPending(case_id=case.case_id, number=case.proposal.number)
    may_decide(command, file, case)
    possible(command.measure, file, case, command)
    in_order(first, last)
    return [
        DecisionProposed(
            recorded_at=command.at,
            actor=command.actor,
            partner_id=command.partner_id,
            case_id=command.case_id,
            number=1 if case is None else case.numbered + 1,
            measure=command.measure,
            reason=command.reason,
            first_on=first,
            last_on=last,
            declaration=command.declaration,
        )
    ]


def gives_certification(measure: Measure, file: CertificationFile, case: Case | None) -> bool:
    """Tell whether a measure certifies: a grant, or an appeal won against a refusal."""
    if measure != "accept_appeal" or case is None or case.against_case_id is None:
        return measure == "grant"
    outcome = file.cases[case.against_case_id].outcome
    return outcome is not None and outcome.measure == "refuse"


def same(command: ProposeDecision, pending: DecisionProposed, last: date | None) -> bool:
    """Tell whether a person proposes again what she proposed; days left out agree with any."""
    return (
        command.actor == pending.actor
        and command.measure == pending.measure
        and command.reason == pending.reason
        and command.first_on in {None, pending.first_on}
        and (command.last_on is None or last == pending.last_on)
    )


def possible(
    measure: Measure,
    file: CertificationFile,
    case: Case | None,
    command: ProposeDecision | ApproveDecision,
) -> None:
    """Refuse a measure that the case, or what is in force, does not allow."""
    if case is None and measure not in MEASURES["sanction"]:
        raise CaseNotFound(case_id=command.case_id)
    if case is not None:
        if not case.open:
            raise CaseIsClosed(case_id=case.case_id)
        if measure not in MEASURES[case.kind]:
            raise MeasureNotPossible(measure=measure, kind=case.kind)
        if case.kind in {"application", "renewal"} and case.review is None:
            raise ApplicationNotReviewed(case_id=case.case_id)
        if measure == "grant" and case.review is not None:
            in_favour(case.review)
    today = civil_day(command.at)
    if measure in {"suspend", "revoke"} and not file.certified_on(today):
        raise NotCertified(partner_id=command.partner_id)
    if measure == "reinstate" and not file.suspended_after(today):
        raise NothingToReinstate(partner_id=command.partner_id)


def in_favour(review: ReviewRecorded) -> None:
    """Refuse a certification that its review recommends to refuse."""
    if review.recommendation != "grant":
        unmet = [one.requirement for one in review.findings if one.answer == "unmet"]
        raise ReviewSpeaksAgainst(case_id=review.application_id, requirements=unmet)


def approve(command: ApproveDecision, file: CertificationFile) -> list[CertificationEvent]:
    case = case_of(command, file)
    proposal = case.proposal
    if case.outcome is not None:
        number = 0 if proposal is None else proposal.number
        if (case.outcome.approved_by, number) == (command.actor, command.number):
            return []
        raise CaseIsClosed(case_id=case.case_id)
    if proposal is None or proposal.number != command.number:
        raise ProposalNotPending(case_id=case.case_id, number=command.number)
    if proposal.actor == command.actor:
        raise SamePersonTwice(actor=command.actor)
    may_decide(command, file, case, proposal.actor)
    possible(proposal.measure, file, case, command)
    return outcome_of(command, file, case, proposal)


def reject(command: RejectDecision, file: CertificationFile) -> list[CertificationEvent]:
    case = case_of(command, file)
    if (command.number, command.actor) in case.rejected:
        return []
    proposal = case.proposal
    if not case.open or proposal is None or proposal.number != command.number:
        raise ProposalNotPending(case_id=case.case_id, number=command.number)
    if proposal.actor == command.actor:
        raise SamePersonTwice(actor=command.actor)
    may_decide(command, file, case)
    return [
        DecisionRejected(
            recorded_at=command.at,
            actor=command.actor,
            partner_id=command.partner_id,
            case_id=case.case_id,
            number=command.number,
        )
    ]


def case_of(command: ApproveDecision | RejectDecision, file: CertificationFile) -> Case:
    case = file.cases.get(command.case_id)
    if case is None:
        raise CaseNotFound(case_id=command.case_id)
    return case
