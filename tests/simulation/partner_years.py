"""Years of a few partners, with clocks that jump, painted day by day beside the ledger.

The model paints days: each decision colours the days it speaks of, one by one, and what a partner
is on a day is read off its colours. It shares neither spans nor turning days with the ledger.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from api.admin import add_partner
from ledger.calendar import civil_day
from ledger.decider import Event, Refused
from ledger.partners.agreements import (
    AgreementAmended,
    AgreementCommand,
    AgreementEnded,
    AgreementSigned,
    AmendAgreement,
    EndAgreement,
    SignAgreement,
    agreement,
    agreement_id_of,
)
from ledger.partners.certifications.commands import (
    ApproveDecision,
    CertificationCommand,
    EndCertification,
    FileAppeal,
    FileApplication,
    ProposeDecision,
    RecordReview,
    WithdrawApplication,
)
from ledger.partners.certifications.decider import certification
from ledger.partners.certifications.events import (
    ApplicationFiled,
    ApplicationRefused,
    ApplicationWithdrawn,
    CertificationEnded,
    CertificationGranted,
    CertificationReinstated,
    CertificationRenewed,
    CertificationRevoked,
    CertificationSuspended,
    Finding,
    Measure,
    Reason,
)
from ledger.partners.checklists import CHECKLISTS
from ledger.store import Ledger
from tests.api.shops import siret

PARTNERS = 6
START = date(2026, 1, 5)
YEARS = 3 * 365
# Certifications granted on the last day still end within what is painted.
PAINTED = YEARS + 4 * 366
MEMBERS = tuple(f"account:{UUID(int=number)}" for number in range(1, 6))
REVIEWER, SHOPKEEPER = (f"account:{UUID(int=number)}" for number in (8, 9))
REASONS: dict[Measure, Reason] = {
    "refuse": "evidence_insufficient",
    "suspend": "gifts_withheld",
    "revoke": "charter_breached",
}


def days(first: date, last: date | None = None) -> Iterator[int]:
    """The painted days from a first to a last one, as numbers."""
    since = max(0, (first - START).days)
    until = PAINTED - 1 if last is None else min(PAINTED - 1, (last - START).days)
    return iter(range(since, until + 1))


@dataclass
class Painted:
    """The colours of one partner's days."""

    certified: dict[int, UUID] = field(default_factory=dict)
    closed: dict[int, tuple[str, UUID | None]] = field(default_factory=dict)
    suspended: dict[int, set[UUID]] = field(default_factory=dict)
    agreed: dict[int, set[UUID]] = field(default_factory=dict)
    applications: dict[UUID, list[int | str]] = field(default_factory=dict)
    coming: dict[int, UUID] = field(default_factory=dict)
    registered: int = 0

    def paint(self, event: Event) -> None:  # noqa: C901, PLR0912 - one case an event.
        match event:
            case AgreementSigned(agreement_id=paper):
                for day in days(event.valid_from, event.valid_until):
                    self.agreed.setdefault(day, set()).add(paper)
            case AgreementAmended(agreement_id=paper, amended_on=amended_on):
                for day in days(amended_on):
                    self.agreed.get(day, set()).discard(paper)
                for day in days(amended_on, event.valid_until):
                    self.agreed.setdefault(day, set()).add(paper)
            case AgreementEnded(agreement_id=paper, ended_on=ended_on):
                for day in days(ended_on):
                    self.agreed.get(day, set()).discard(paper)
            case ApplicationFiled(application_id=case_id, filed_on=day_filed):
                self.applications[case_id] = [(day_filed - START).days, PAINTED, "open"]
            case ApplicationRefused(case_id=case_id, refused_on=day_refused):
                self.applications[case_id][1:] = [(day_refused - START).days, "refused"]
            case ApplicationWithdrawn(application_id=case_id, withdrawn_on=day_gone):
                self.applications[case_id][1:] = [(day_gone - START).days, "withdrawn"]
            case CertificationGranted() | CertificationRenewed():
                self.certify(event)
            case CertificationSuspended(case_id=case_id):
                for day in days(event.suspended_from, event.suspended_until):
                    self.suspended.setdefault(day, set()).add(case_id)
            case CertificationReinstated(lifted_case_id=lifted):
                for day in days(event.reinstated_on):
                    if lifted is None:
                        self.suspended.pop(day, None)
                    else:
                        self.suspended.get(day, set()).discard(lifted)
                        if self.closed.get(day) == ("revoked", lifted):
                            del self.closed[day]
            case CertificationRevoked(case_id=case_id, revoked_on=day_revoked):
                for day in days(day_revoked):
                    self.closed[day] = ("revoked", case_id)
            case CertificationEnded(ended_on=day_ended):
                for day in days(day_ended):
                    self.closed[day] = ("ended", None)
            case _:
                pass

    def certify(self, event: CertificationGranted | CertificationRenewed) -> None:
        if event.case_id in self.applications:
            self.applications[event.case_id][1:] = [(event.decided_on - START).days, "granted"]
        for day in days(event.valid_from):
            self.certified.pop(day, None)
            if isinstance(event, CertificationGranted):
                self.closed.pop(day, None)
        for day in days(event.valid_from, event.valid_until):
            self.certified[day] = event.case_id
        for day in days(event.decided_on, event.valid_from - timedelta(days=1)):
            self.coming[day] = event.case_id

    def status(self, on: date) -> str:
        day = (on - START).days
        if day < self.registered:
            return "registered"
        if day in self.closed:
            return self.closed[day][0]
        if day in self.certified:
            if self.suspended.get(day):
                return "suspended"
            if self.agreed.get(day):
                return "active"
            before = any(self.agreed.get(earlier) for earlier in range(day))
            return "lapsed" if before else "registered"
        if any(earlier < day for earlier in self.certified):
            return "lapsed"
        filed = [one for one in self.applications.values() if int(one[0]) <= day]
        if day in self.coming or any(int(one[1]) > day for one in filed):
            return "candidate"
        return "refused" if filed and filed[-1][2] == "refused" else "registered"


@dataclass
class Years:
    """The simulation: commands at random, each one's events painted beside the ledger's own."""

    ledger: Ledger
    dice: random.Random
    shops: list[UUID] = field(default_factory=list)
    painted: dict[UUID, Painted] = field(default_factory=dict)
    cases: dict[UUID, list[UUID]] = field(default_factory=dict)
    papers: dict[UUID, list[str]] = field(default_factory=dict)
    today: date = START
    refused: int = 0
    kinds: set[str] = field(default_factory=set)

    @property
    def now(self) -> datetime:
        """Noon of the day, unless the clock of this machine jumped."""
        jump = self.dice.choice([0, 0, 0, 0, 0, 0, -1, -9, 2])
        return datetime.combine(self.today + timedelta(days=jump), time(12), tzinfo=UTC)

    def new_id(self) -> UUID:
        return UUID(int=self.dice.getrandbits(128))

    def open_shops(self) -> None:
        for number in range(PARTNERS):
            at = datetime.combine(START + timedelta(days=5 * number), time(9), tzinfo=UTC)
            shop = add_partner(self.ledger, "test", f"Shop {number}", siret(number), at=at)
            self.shops.append(shop)
            self.painted[shop] = Painted(registered=(civil_day(at) - START).days)
            self.cases[shop], self.papers[shop] = [], []

    def certify(self, shop: UUID, command: CertificationCommand) -> bool:
        return self.carry_out(shop, certification, shop, command)

    def agree(self, shop: UUID, command: AgreementCommand) -> bool:
        return self.carry_out(shop, agreement, command.agreement_id, command)

    def carry_out(self, shop: UUID, decider: Any, subject_id: UUID, command: Any) -> bool:
        """Ask the ledger; tell whether anything came of it, and paint what did."""
        try:
            handled = self.ledger.handle(decider, subject_id, command)
        except Refused:
            self.refused += 1
            return False
        fresh = handled.history[len(handled.history) - handled.fresh :]
        for recorded in fresh:
            self.painted[shop].paint(recorded.event)
            self.kinds.add(type(recorded.event).__name__)
        again = self.ledger.handle(decider, subject_id, command)
        assert again.fresh == 0
        return bool(fresh)

    def step(self) -> None:
        self.today += timedelta(days=self.dice.choice([0, 1, 2, 5, 9]))
        shop = self.dice.choice(self.shops)
        match self.dice.randrange(14):
            case 0 | 1:
                self.sign(shop)
            case 2:
                self.change_agreement(shop)
            case 3 | 4 | 5 | 6:
                self.apply(shop)
            case 7 | 8 | 9:
                self.sanction(shop)
            case 10 | 11:
                self.appeal(shop)
            case 12:
                self.certify(
                    shop,
                    EndCertification(
                        at=self.now,
                        actor=SHOPKEEPER,
                        partner_id=shop,
                        ended_on=self.today + timedelta(days=self.dice.choice([-3, 0, 20])),
                    ),
                )
            case _:
                self.withdraw(shop)

    def sign(self, shop: UUID) -> None:
        number = f"S-{self.new_id().hex[:8].upper()}"
        first = self.today + timedelta(days=self.dice.choice([0, 0, 10]))
        lasts = [None, first + timedelta(days=200), first + timedelta(days=700)]
        signed = SignAgreement(
            at=datetime.combine(self.today, time(12), tzinfo=UTC),
            actor=SHOPKEEPER,
            agreement_id=agreement_id_of(number),
            partner_id=shop,
            number=number,
            regime="mandate",
            commitment="share_of_sales",
            basis_points=50,
            charter_version=1,
            signed_on=self.today,
            valid_from=first,
            valid_until=self.dice.choice(lasts),
        )
        if self.agree(shop, signed):
            self.papers[shop].append(number)

    def change_agreement(self, shop: UUID) -> None:
        if not self.papers[shop]:
            return
        which: dict[str, Any] = {
            "at": self.now,
            "actor": SHOPKEEPER,
            "agreement_id": agreement_id_of(self.dice.choice(self.papers[shop])),
            "partner_id": shop,
        }
        if self.dice.random() < 0.3:
            self.agree(shop, EndAgreement(ended_on=self.today, ended_by="both", **which))
            return
        later = self.today + timedelta(days=self.dice.choice([0, 30, 400]))
        amended = AmendAgreement(
            regime="own_name",
            commitment="round_up",
            charter_version=2,
            amended_on=self.today,
            valid_until=later,
            **which,
        )
        self.agree(shop, amended)

    def apply(self, shop: UUID) -> None:
        case_id = self.new_id()
        applied = FileApplication(
            at=self.now, actor=SHOPKEEPER, partner_id=shop, application_id=case_id, evidence=()
        )
        if not self.certify(shop, applied):
            return
        self.cases[shop].append(case_id)
        if self.dice.random() < 0.2:
            return
        self.today += timedelta(days=self.dice.choice([0, 3, 20]))
        findings = tuple(Finding(requirement=key, answer="met") for key in CHECKLISTS[0].keys)
        reviewed = RecordReview(
            application_id=case_id,
            checklist_version=1,
            findings=findings,
            recommendation="grant",
            **self.judge(shop, REVIEWER),
        )
        self.certify(shop, reviewed)
        self.decide(shop, case_id, "grant" if self.dice.random() < 0.75 else "refuse")

    def judge(self, shop: UUID, person: str) -> dict[str, Any]:
        return {
            "at": self.now,
            "actor": person,
            "partner_id": shop,
            "partner_people": (SHOPKEEPER,),
            "committee": MEMBERS,
            "declaration": "no_conflict",
        }

    def decide(self, shop: UUID, case_id: UUID, measure: Measure) -> None:
        """Two signatures, mostly of two people, sometimes days apart."""
        first = self.today + timedelta(days=self.dice.choice([-5, 0, 0, 0, 30]))
        lasts: list[date | None] = [None]
        if measure in {"grant", "suspend"}:
            lasts.append(first + timedelta(days=self.dice.choice([10, 90, 300])))
        proposed = ProposeDecision(
            case_id=case_id,
            measure=measure,
            reason=REASONS.get(measure),
            first_on=first,
            last_on=self.dice.choice(lasts),
            **self.judge(shop, self.dice.choice(MEMBERS)),
        )
        self.certify(shop, proposed)
        self.today += timedelta(days=self.dice.choice([0, 0, 2]))
        for _ in range(2):
            approved = ApproveDecision(
                case_id=case_id, number=1, **self.judge(shop, self.dice.choice(MEMBERS))
            )
            self.certify(shop, approved)

    def sanction(self, shop: UUID) -> None:
        case_id = self.new_id()
        self.cases[shop].append(case_id)
        choices: list[Measure] = ["suspend", "suspend", "suspend", "reinstate", "revoke"]
        self.decide(shop, case_id, self.dice.choice(choices))
        if self.dice.random() < 0.5:
            self.appeal(shop)

    def appeal(self, shop: UUID) -> None:
        if not self.cases[shop]:
            return
        appeal_id = self.new_id()
        filed = FileAppeal(
            at=self.now,
            actor=SHOPKEEPER,
            partner_id=shop,
            appeal_id=appeal_id,
            against_case_id=self.dice.choice(self.cases[shop][-2:]),
            grounds=(),
        )
        if self.certify(shop, filed):
            measure: Measure = self.dice.choice(["accept_appeal", "dismiss_appeal"])
            for _ in range(6):
                self.decide(shop, appeal_id, measure)

    def withdraw(self, shop: UUID) -> None:
        if self.cases[shop]:
            gone = WithdrawApplication(
                at=self.now,
                actor=SHOPKEEPER,
                partner_id=shop,
                application_id=self.cases[shop][-1],
            )
            self.certify(shop, gone)
