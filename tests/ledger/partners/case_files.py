"""A partner's file as some commands leave it, and what its events tell."""

from typing import Any
from uuid import UUID

from ledger.partners.certifications.commands import CertificationCommand
from ledger.partners.certifications.decider import certification
from ledger.partners.certifications.decisions import last_day
from ledger.partners.certifications.events import CertificationEvent
from tests.ledger.partners.papers import ANNE, APPLICATION, BRUNO, SHOP, TODAY, done, on, when
from tests.spec import When, given

THREE_YEARS = last_day(TODAY)


def after(*commands: CertificationCommand) -> "After":
    return After(*commands)


class After:
    """The file as these commands, all carried out, leave it."""

    def __init__(self, *commands: CertificationCommand) -> None:
        self.history = done(*commands)

    def when(
        self, command: CertificationCommand
    ) -> When[CertificationCommand, Any, CertificationEvent]:
        return given(certification, *self.history).when(command)


def told(person: str, day: int = 0) -> dict[str, Any]:
    return {"recorded_at": when(day), "actor": person, "partner_id": SHOP}


def outcome(case_id: UUID = APPLICATION, day: int = 0) -> dict[str, Any]:
    return told(BRUNO, day) | {"case_id": case_id, "proposed_by": ANNE, "decided_on": on(day)}
