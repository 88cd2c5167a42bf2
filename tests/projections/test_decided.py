"""What was decided lately: adopted, rejected, void, withdrawn; and how complaints ended."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.admin import add_partner
from ledger.partners.certifications.commands import CertificationCommand
from ledger.partners.certifications.decider import certification
from ledger.partners.complaints import (
    AnswerComplaint,
    CloseComplaint,
    OpenComplaint,
    complaint,
)
from ledger.partners.deadlines import RECENTLY
from ledger.store import Ledger, open_ledger
from projections import cases
from projections.cases import QUEUES, DecidedCase
from projections.every import READ_MODELS
from projections.follow import catch_up, connected
from projections.rebuild import rebuild
from tests.api.shops import siret
from tests.ledger.partners.papers import (
    ANNE,
    APPEAL,
    BRUNO,
    CHLOE,
    DAVID,
    NOON,
    SANCTION,
    SHOPKEEPER,
    TODAY,
    account,
    appeal,
    apply,
    approve,
    conflict,
    decision,
    granted,
    propose,
    reject,
    review,
    withdraw,
)


class Committee:
    """One shop, and what became of its cases."""

    def __init__(self, ledger: Ledger, conninfo: str) -> None:
        self.ledger = ledger
        self.conninfo = conninfo
        self.shop = add_partner(ledger, "test", "Au P’tit Pain", siret(1), at=NOON)

    def do(self, *commands: CertificationCommand) -> None:
        for command in commands:
            moved = command.model_copy(update={"partner_id": self.shop})
            self.ledger.handle(certification, self.shop, moved)

    def decided(self, days: int = 0) -> list[DecidedCase]:
        catch_up(self.conninfo, READ_MODELS)
        with connected(self.conninfo) as connection:
            return cases.decided(connection, TODAY + timedelta(days=days))

    def told(self) -> set[tuple[str, int, str | None, str, str | None, str]]:
        return {
            (one.kind, one.number, one.measure, one.outcome, one.proposed_by, one.decided_by)
            for one in self.decided()
        }


@pytest.fixture
def committee(conninfo: str) -> Iterator[Committee]:
    with open_ledger(conninfo) as ledger:
        yield Committee(ledger, conninfo)


def test_a_rejected_sanction_waits_nowhere_and_is_found_here(committee: Committee) -> None:
    proposed = propose("suspend", case_id=SANCTION)
    committee.do(*granted(), proposed, reject(case_id=SANCTION))
    assert ("sanction", 1, "suspend", "rejected", ANNE, BRUNO) in committee.told()
    with connected(committee.conninfo) as connection:
        assert not any(cases.queue(connection, kind, TODAY) for kind in QUEUES)
    (rejected,) = [one for one in committee.decided() if one.outcome == "rejected"]
    assert (rejected.case_id, rejected.partner_name) == (SANCTION, "Au P’tit Pain")
    assert rejected.reason == "statements_overdue"


def test_each_proposal_of_a_case_is_told(committee: Committee) -> None:
    committee.do(apply(), review(), propose("grant"), reject(), propose("refuse", CHLOE))
    committee.do(approve(number=2), appeal(apply().application_id))
    committee.do(*decision("accept_appeal", case_id=APPEAL, by=(DAVID, account(200))))
    assert committee.told() == {
        ("application", 1, "grant", "rejected", ANNE, BRUNO),
        ("application", 2, "refuse", "adopted", CHLOE, BRUNO),
        ("appeal", 1, "accept_appeal", "adopted", DAVID, account(200)),
    }


def test_a_declared_interest_voids_a_proposal_before_all_eyes(committee: Committee) -> None:
    committee.do(*granted(), propose("revoke", CHLOE, case_id=SANCTION), conflict(CHLOE))
    assert ("sanction", 1, "revoke", "void", CHLOE, CHLOE) in committee.told()


def test_what_the_shop_withdraws_is_told(committee: Committee) -> None:
    committee.do(apply(), withdraw())
    assert committee.told() == {("application", 0, None, "withdrawn", None, SHOPKEEPER)}


def test_a_complaint_ends_with_its_outcome(committee: Committee) -> None:
    case_id = uuid4()
    about: dict[str, Any] = {"at": NOON, "complaint_id": case_id}
    opened = OpenComplaint(
        actor="public", partner_id=committee.shop, subject_id=UUID(int=5), topic="staff", **about
    )
    answered = AnswerComplaint(actor=ANNE, partner_people=(), **about)
    closed = CloseComplaint(actor=ANNE, partner_people=(), outcome="partly_upheld", **about)
    for command in (opened, answered, closed):
        committee.ledger.handle(complaint, case_id, command)
    assert committee.told() == {("complaint", 0, None, "partly_upheld", None, ANNE)}


def test_old_decisions_leave_the_list_and_a_rebuild_changes_nothing(committee: Committee) -> None:
    committee.do(*granted(), propose("suspend", case_id=SANCTION), reject(case_id=SANCTION))
    live = committee.decided(RECENTLY.days)
    assert len(live) == 2
    assert committee.decided(RECENTLY.days + 1) == []
    rebuild(committee.conninfo, READ_MODELS)
    assert committee.decided(RECENTLY.days) == live
