"""What everybody may read of the events of partner life.

Nobody's name is told: not who spoke for a partner, reviewed, proposed or complained. Proposals and
complaints stay without their content until they are decided, because they may be unfounded.
"""

from datetime import date
from typing import assert_never

from ledger.partners.agreements import (
    AgreementAmended,
    AgreementEnded,
    AgreementEvent,
    AgreementSigned,
)
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
    ReviewRecorded,
)
from ledger.partners.complaints import (
    ComplaintAnswered,
    ComplaintClosed,
    ComplaintEvent,
    ComplaintOpened,
)
from ledger.partners.register import (
    ContactNamed,
    ContactRemoved,
    PartnerActivated,
    PartnerDescribed,
    PartnerRegistered,
    PartnerSuspended,
    PublicationConsented,
    PublicationConsentWithdrawn,
    RegisterEvent,
)

Public = dict[str, str | int | None]


def public_of_partner(
    event: RegisterEvent | AgreementEvent | CertificationEvent | ComplaintEvent,
) -> Public:
    """Give the public form of an event of a partner's life."""
    match event:
        case ComplaintOpened() | ComplaintAnswered() | ComplaintClosed():
            return of_complaint(event)
        case AgreementSigned() | AgreementAmended() | AgreementEnded():
            return {"partner_id": str(event.partner_id)} | of_agreement(event)
        case (
            PartnerRegistered()
            | PartnerActivated()
            | PartnerSuspended()
            | PartnerDescribed()
            | ContactNamed()
            | ContactRemoved()
            | PublicationConsented()
            | PublicationConsentWithdrawn()
        ):
            return {"partner_id": str(event.partner_id)} | of_register(event)
        case _:
            return {"partner_id": str(event.partner_id)} | of_certification(event)


def day(on: date | None) -> str | None:
    return None if on is None else on.isoformat()


def of_register(event: RegisterEvent) -> Public:
    match event:
        case PartnerRegistered():
            return {"name": event.name, "siret": event.siret}
        case PartnerActivated():
            first, last = day(event.valid_from), day(event.valid_until)
            return {"valid_from": first, "valid_until": last}
        case PartnerDescribed():
            return {"trade_name": event.trade_name, "place": event.place, "sector": event.sector}
        case ContactNamed(role=role):
            return {"role": role}
        case (
            PartnerSuspended()
            | ContactRemoved()
            | PublicationConsented()
            | PublicationConsentWithdrawn()
        ):
            return {}
        case _:
            assert_never(event)


def of_agreement(event: AgreementEvent) -> Public:
    match event:
        case AgreementSigned():
            return {
                "agreement_id": str(event.agreement_id),
                "number": event.number,
                "signed_on": day(event.signed_on),
                "valid_from": day(event.valid_from),
            } | terms(event)
        case AgreementAmended():
            of = {"agreement_id": str(event.agreement_id), "amended_on": day(event.amended_on)}
            return of | terms(event)
        case AgreementEnded():
            return {
                "agreement_id": str(event.agreement_id),
                "ended_on": day(event.ended_on),
                "ended_by": event.ended_by,
            }
        case _:
            assert_never(event)


def terms(event: AgreementSigned | AgreementAmended) -> Public:
    # Only where it was agreed to: what was published of earlier agreements stays as it was.
    agreed: Public = {"debt_public": "yes"} if event.debt_public else {}
    return agreed | {
        "regime": event.regime,
        "commitment": event.commitment,
        "basis_points": event.basis_points,
        "cents_per_item": event.cents_per_item,
        "charter_version": event.charter_version,
        "valid_until": day(event.valid_until),
    }


def of_certification(event: CertificationEvent) -> Public:
    match event:
        case ApplicationFiled():
            return {"application_id": str(event.application_id), "renewal": event.renewal}
        case EvidenceAdded() | ApplicationWithdrawn():
            return {"application_id": str(event.application_id)}
        case ReviewRecorded():
            application_id = str(event.application_id)
            return {"application_id": application_id, "checklist_version": event.checklist_version}
        case ConflictDeclared():
            return {}
        case DecisionProposed() | DecisionRejected():
            return {"case_id": str(event.case_id)}
        case CertificationEnded():
            return {"ended_on": day(event.ended_on)}
        case AppealFiled() | AppealAccepted() | AppealDismissed():
            against = str(event.against_case_id)
            return {"appeal_id": str(event.appeal_id), "against_case_id": against}
        case _:
            return {"case_id": str(event.case_id)} | of_decision(event)


def of_decision(
    event: CertificationGranted
    | CertificationRenewed
    | ApplicationRefused
    | CertificationSuspended
    | CertificationReinstated
    | CertificationRevoked,
) -> Public:
    match event:
        case CertificationGranted() | CertificationRenewed():
            return {"valid_from": day(event.valid_from), "valid_until": day(event.valid_until)}
        case ApplicationRefused():
            return {"reason": event.reason, "refused_on": day(event.refused_on)}
        case CertificationSuspended():
            return {
                "reason": event.reason,
                "suspended_from": day(event.suspended_from),
                "suspended_until": day(event.suspended_until),
            }
        case CertificationReinstated():
            return {"reinstated_on": day(event.reinstated_on)}
        case CertificationRevoked():
            return {"reason": event.reason, "revoked_on": day(event.revoked_on)}
        case _:
            assert_never(event)


def of_complaint(event: ComplaintEvent) -> Public:
    """Name the partner only of a complaint that was right, at least in part."""
    told: Public = {"complaint_id": str(event.complaint_id)}
    match event:
        case ComplaintOpened():
            return told | {"answer_due_on": day(event.answer_due_on)}
        case ComplaintAnswered():
            return told
        case ComplaintClosed(outcome="upheld" | "partly_upheld"):
            return told | {"partner_id": str(event.partner_id), "outcome": event.outcome}
        case ComplaintClosed():
            return told | {"outcome": event.outcome}
        case _:
            assert_never(event)
