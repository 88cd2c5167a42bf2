"""What an approved proposal becomes: its measure, never in force before the second signature."""

from datetime import date
from typing import Any, assert_never
from uuid import UUID

from ledger.calendar import civil_day
from ledger.partners.certifications.commands import ApproveDecision, OvertakenByDecision
from ledger.partners.certifications.events import (
    AppealAccepted,
    AppealDismissed,
    ApplicationRefused,
    CertificationEvent,
    CertificationGranted,
    CertificationReinstated,
    CertificationRenewed,
    CertificationRevoked,
    CertificationSuspended,
    DecisionProposed,
    Reason,
)
from ledger.partners.certifications.file import Case, CertificationFile
from ledger.partners.words import in_order


def outcome_of(
    command: ApproveDecision, file: CertificationFile, case: Case, proposal: DecisionProposed
) -> list[CertificationEvent]:
    """Give the events of a proposal that both people signed."""
    today = civil_day(command.at)
    first = max(proposal.first_on, today)
    decision = decision_of(command, case.case_id, proposal)
    match proposal.measure:
        case "grant":
            # What was revoked or ended since is not undone by an older application.
            if any(closing.step > case.step for closing in file.closings):
                raise OvertakenByDecision(case_id=case.case_id)
            return [granted(proposal, decision, today, first, renewal=case.kind == "renewal")]
        case "refuse":
            return [ApplicationRefused(**decision, reason=due(proposal), refused_on=today)]
        case "suspend":
            in_order(first, proposal.last_on)
            return [
                CertificationSuspended(
                    **decision,
                    reason=due(proposal),
                    decided_on=today,
                    suspended_from=first,
                    suspended_until=proposal.last_on,
                )
            ]
        case "revoke":
            reason = due(proposal)
            return [
                CertificationRevoked(**decision, reason=reason, decided_on=today, revoked_on=first)
            ]
        case "reinstate":
            return [CertificationReinstated(**decision, decided_on=today, reinstated_on=first)]
        case "accept_appeal":
            return accepted(command, file, case, proposal)
        case "dismiss_appeal":
            appeal = decision_of(command, None, proposal) | appeal_of(case)
            return [AppealDismissed(**appeal, decided_on=today)]
        case _:
            assert_never(proposal.measure)


def decision_of(
    command: ApproveDecision, case_id: UUID | None, proposal: DecisionProposed
) -> dict[str, Any]:
    """Give the fields every outcome has: by whom, when, of which case."""
    return {
        "recorded_at": command.at,
        "actor": command.actor,
        "partner_id": command.partner_id,
        "proposed_by": proposal.actor,
    } | ({} if case_id is None else {"case_id": case_id})


def appeal_of(case: Case) -> dict[str, Any]:
    return {"appeal_id": case.case_id, "against_case_id": case.against_case_id}


def due(proposal: DecisionProposed) -> Reason:
    assert proposal.reason is not None  # noqa: S101 - no such proposal is recorded without one.
    return proposal.reason


def granted(
    proposal: DecisionProposed,
    decision: dict[str, Any],
    today: date,
    first: date,
    *,
    renewal: bool,
) -> CertificationGranted | CertificationRenewed:
    last = proposal.last_on
    assert last is not None  # noqa: S101 - whatever certifies is proposed with a last day.
    in_order(first, last)
    kind = CertificationRenewed if renewal else CertificationGranted
    return kind(**decision, decided_on=today, valid_from=first, valid_until=last)


def accepted(
    command: ApproveDecision, file: CertificationFile, case: Case, proposal: DecisionProposed
) -> list[CertificationEvent]:
    """Undo what was appealed: certify who was refused, or lift the sanction of that case."""
    assert case.against_case_id is not None  # noqa: S101 - every appeal names what it is against.
    against = file.cases[case.against_case_id]
    assert against.outcome is not None  # noqa: S101 - only what was decided is appealed.
    today = civil_day(command.at)
    first = max(proposal.first_on, today)
    decision = decision_of(command, case.case_id, proposal)
    appeal = decision_of(command, None, proposal) | appeal_of(case)
    won = AppealAccepted(**appeal, decided_on=today)
    if against.outcome.measure != "refuse":
        lifted = CertificationReinstated(
            **decision, decided_on=today, lifted_case_id=against.case_id, reinstated_on=first
        )
        return [won, lifted]
    # A certification granted, revoked or ended since the refusal is not undone by its appeal.
    if file.settled_step > against.outcome.step:
        raise OvertakenByDecision(case_id=against.case_id)
    renewal = against.kind == "renewal"
    return [won, granted(proposal, decision, today, first, renewal=renewal)]
