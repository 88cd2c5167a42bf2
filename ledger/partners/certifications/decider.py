"""The certification of a partner as a decider; its stream is named by the partner."""

from typing import assert_never

from ledger.decider import Decider
from ledger.partners.certifications.applications import (
    add_evidence,
    declare_conflict,
    end_certification,
    file_appeal,
    file_application,
    review,
    withdraw,
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
from ledger.partners.certifications.decisions import approve, propose, reject
from ledger.partners.certifications.events import CertificationEvent
from ledger.partners.certifications.file import CertificationFile, evolve


def decide(command: CertificationCommand, file: CertificationFile) -> list[CertificationEvent]:
    match command:
        case FileApplication():
            return file_application(command, file)
        case AddEvidence():
            return add_evidence(command, file)
        case WithdrawApplication():
            return withdraw(command, file)
        case DeclareConflict():
            return declare_conflict(command, file)
        case EndCertification():
            return end_certification(command, file)
        case FileAppeal():
            return file_appeal(command, file)
        case RecordReview():
            return review(command, file)
        case ProposeDecision():
            return propose(command, file)
        case ApproveDecision():
            return approve(command, file)
        case RejectDecision():
            return reject(command, file)
        case _:
            assert_never(command)


certification: Decider[CertificationCommand, CertificationFile, CertificationEvent] = Decider(
    category="certification", initial=CertificationFile(), decide=decide, evolve=evolve
)
