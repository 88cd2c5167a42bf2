"""Who may judge a partner: a person of her own account, without any interest in it."""

import re

from ledger.partners.certifications.commands import (
    ApproveDecision,
    ConflictOfInterest,
    DecidedBefore,
    JudgeDisabled,
    Judgement,
    JudgeNotOnCommittee,
    JudgeSpeaksForPartner,
    JudgeWithoutAccount,
    ProposeDecision,
    RejectDecision,
    ReviewerDecides,
)
from ledger.partners.certifications.file import Case, CertificationFile

# One spelling, so that two of them are two people.
ACCOUNT = re.compile(r"account:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def impartial(command: Judgement, file: CertificationFile, *others: str) -> None:
    """Refuse a judge without an account, with a declared conflict, or of the partner's side.

    `others` are people whose earlier part in the same decision must hold as well.
    """
    for person in (command.actor, *others):
        if ACCOUNT.fullmatch(person) is None:
            raise JudgeWithoutAccount(actor=person)
        if person in file.conflicts:
            raise ConflictOfInterest(actor=person)
        if person in file.applicants or person in command.partner_people:
            raise JudgeSpeaksForPartner(actor=person)


def enabled(command: Judgement, *others: str) -> None:
    """Refuse a judge whose account was disabled. A review that was made before stays good."""
    for person in (command.actor, *others):
        if person in command.disabled:
            raise JudgeDisabled(actor=person)


def may_decide(
    command: ProposeDecision | ApproveDecision | RejectDecision,
    file: CertificationFile,
    case: Case | None,
    *others: str,
) -> None:
    """Refuse whoever cannot be one of the two people that decide a case."""
    reviewer = () if case is None or case.review is None else (case.review.actor,)
    # A reviewer who turned out to speak for the partner spoils any decision, not its rejection.
    leaned_on = () if isinstance(command, RejectDecision) else reviewer
    enabled(command, *others)
    impartial(command, file, *others, *leaned_on)
    against = None if case is None else case.against_case_id
    appealed = None if against is None else file.cases[against]
    if command.actor in reviewer:
        raise ReviewerDecides(actor=command.actor)
    if appealed is not None:
        reviewed = appealed.review is not None and appealed.review.actor == command.actor
        if reviewed or command.actor in appealed.took_part:
            raise DecidedBefore(actor=command.actor)
    for person in (command.actor, *others):
        if person not in command.committee:
            raise JudgeNotOnCommittee(actor=person)
