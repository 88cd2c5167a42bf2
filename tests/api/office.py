"""An office at work for tests: a partner that applied with one paper, and who looks at it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from uuid import UUID, uuid4

import httpx

from api.admin import add_partner
from api.evidence import keep
from ledger.partners.certifications.commands import FileApplication
from ledger.partners.certifications.decider import certification
from ledger.partners.certifications.file import Case, CertificationFile
from ledger.partners.checklists import CHECKLISTS
from ledger.partners.words import Evidence
from projections import follow
from projections.every import READ_MODELS
from tests.api.people import Browser, browser_of
from tests.api.served import Served
from tests.api.shops import siret

PAPER = b"%PDF-1.7 la charte signee"
DIGEST = sha256(PAPER).hexdigest()
OK, SEEN, FORBIDDEN, REFUSED = 200, 303, 403, 422
NO_CONFLICT = {"declaration": "no_conflict"}
MET = {f"finding_{key}": "met" for key in CHECKLISTS[-1].keys}
REVIEW = MET | NO_CONFLICT | {"checklist_version": "1", "recommendation": "grant"}
GRANT = NO_CONFLICT | {"measure": "grant"}


def now() -> datetime:
    return datetime.now(UTC)


def today() -> date:
    return now().date()


@dataclass(frozen=True, slots=True)
class Office:
    """A partner that applied with one paper, and the people who look at it."""

    served: Served
    partner_id: UUID
    case_id: UUID
    officer: Browser
    member: Browser
    other: Browser

    @property
    def here(self) -> str:
        return f"/office/partners/{self.partner_id}"

    @property
    def case_path(self) -> str:
        return f"{self.here}/cases/{self.case_id}"

    @property
    def file(self) -> CertificationFile:
        history = self.served.context.ledger.history(certification, self.partner_id)
        return certification.fold(one.event for one in history)

    @property
    def case(self) -> Case:
        return self.file.cases[self.case_id]

    def sends(
        self, who: Browser, form: str, fields: Mapping[str, str | Sequence[str]] | None = None
    ) -> httpx.Response:
        return who.post(f"{self.case_path}/{form}", fields)

    def reviewed(self) -> None:
        assert self.sends(self.officer, "review", REVIEW).status_code == SEEN

    def proposed(self) -> None:
        self.reviewed()
        assert self.sends(self.member, "proposal", GRANT).status_code == SEEN

    def granted(self) -> None:
        self.proposed()
        assert self.sends(self.other, "approval", NO_CONFLICT | {"number": "1"}).status_code == SEEN


def open_office(served: Served) -> Office:
    ledger = served.context.ledger
    partner_id = add_partner(
        ledger, "test", "Au P’tit Pain", siret(7), place="Velleron", sector="food"
    )
    charter = Evidence(
        title="Charte signée",
        sha256=keep(served.context.settings.home, PAPER),
        dated_on=today(),
    )
    case_id = uuid4()
    applied = FileApplication(
        at=now(),
        actor=f"account:{uuid4()}",
        partner_id=partner_id,
        application_id=case_id,
        evidence=(charter,),
    )
    ledger.handle(certification, partner_id, applied)
    return Office(
        served,
        partner_id,
        case_id,
        browser_of(served, "officer"),
        browser_of(served, "committee"),
        browser_of(served, "committee"),
    )


def follow_up(conninfo: str) -> None:
    follow.catch_up(conninfo, READ_MODELS)
