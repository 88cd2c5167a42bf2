"""The rules of two people as an attacker meets them: signed in, with forms of her own making."""

from uuid import UUID, uuid4

import httpx
import pytest

from api import people
from api.complaints import ComplaintIn, open_complaint
from api.evidence import keep
from ledger.partners.certifications.commands import FileAppeal
from ledger.partners.certifications.decider import certification
from ledger.partners.complaints import complaint
from ledger.partners.words import Evidence
from projections import follow
from projections.every import READ_MODELS
from tests.api.office import (
    FORBIDDEN,
    GRANT,
    NO_CONFLICT,
    REVIEW,
    SEEN,
    Office,
    now,
    open_office,
    today,
)
from tests.api.people import Browser, browser_of, person, signed_in
from tests.api.served import Served

CONFLICT = 409
SIGNED = NO_CONFLICT | {"number": "1"}
REFUSE = NO_CONFLICT | {"measure": "refuse", "reason": "requirements_unmet"}


@pytest.fixture
def office(served: Served, conninfo: str) -> Office:
    with follow.connected(conninfo) as connection:
        follow.prepare(connection, READ_MODELS)
    return open_office(served)


@pytest.fixture
def both(office: Office) -> Browser:
    """Somebody who is an officer and a member of the committee."""
    return browser_of(office.served, "officer", "committee")


def is_refused(answer: httpx.Response, words: str) -> None:
    assert answer.status_code == FORBIDDEN, answer.text
    assert words in answer.text


def test_the_proposer_does_not_approve_through_another_role(office: Office, both: Browser) -> None:
    office.reviewed()
    assert office.sends(both, "proposal", GRANT).status_code == SEEN
    for form in ("approval", "rejection"):
        is_refused(office.sends(both, form, SIGNED), "You proposed this decision")
    assert office.case.open


def test_the_reviewer_does_not_decide_through_another_role(office: Office, both: Browser) -> None:
    assert office.sends(both, "review", REVIEW).status_code == SEEN
    is_refused(office.sends(both, "proposal", GRANT), "You reviewed this application")
    assert office.sends(office.member, "proposal", GRANT).status_code == SEEN
    is_refused(office.sends(both, "approval", SIGNED), "You reviewed this application")
    assert office.case.open


def test_a_member_with_an_interest_does_nothing_more(office: Office, both: Browser) -> None:
    assert office.sends(both, "conflict").status_code == SEEN
    is_refused(office.sends(both, "review", REVIEW), "You declared an interest")
    office.proposed()
    for form in ("approval", "rejection"):
        is_refused(office.sends(both, form, SIGNED), "You declared an interest")
    assert office.case.open


def test_an_interest_declared_after_the_review_voids_what_leans_on_it(office: Office) -> None:
    office.proposed()
    assert office.sends(office.officer, "conflict").status_code == SEEN
    answer = office.sends(office.other, "approval", SIGNED)
    assert "This proposal does not wait any more." in answer.text
    answer = office.sends(office.member, "proposal", GRANT)
    assert "An application is decided after its review." in answer.text
    assert office.case.open


def test_a_disabled_account_is_out_at_once(office: Office) -> None:
    leaving = person(office.served, "committee")
    browser = signed_in(office.served, leaving.account_id)
    office.proposed()
    people.disable(office.served.context, "test", leaving.account_id)
    for who in (browser, signed_in(office.served, leaving.account_id)):
        answer = office.sends(who, "approval", SIGNED)
        assert answer.status_code == SEEN
        assert answer.headers["location"].startswith("/login")
    assert office.case.open


def test_what_somebody_proposed_who_left_the_committee_is_only_rejected(office: Office) -> None:
    office.reviewed()
    leaving = person(office.served, "committee")
    proposer = signed_in(office.served, leaving.account_id)
    assert office.sends(proposer, "proposal", GRANT).status_code == SEEN
    people.change_roles(office.served.context, "test", leaving.account_id, ("auditor",), ())
    page = office.other.get(office.case_path).text
    assert "can only be rejected" in page
    assert "/approval" not in page
    answer = office.sends(office.other, "approval", SIGNED)
    is_refused(answer, "does not sit on the committee any more")
    assert office.case.open
    assert office.sends(office.other, "rejection", SIGNED).status_code == SEEN


def test_two_members_do_not_certify_against_the_review(office: Office) -> None:
    against = {name: "unmet" for name in REVIEW if name.startswith("finding_")}
    recommended = REVIEW | against | {"recommendation": "refuse"}
    assert office.sends(office.officer, "review", recommended).status_code == SEEN
    assert 'value="grant"' not in office.member.get(office.case_path).text
    answer = office.sends(office.member, "proposal", GRANT)
    assert answer.status_code == CONFLICT
    assert "The review speaks against the certification" in answer.text
    assert office.sends(office.member, "proposal", REFUSE).status_code == SEEN


def test_what_a_disabled_account_proposed_is_only_rejected(office: Office) -> None:
    office.reviewed()
    leaving = person(office.served, "committee")
    proposer = signed_in(office.served, leaving.account_id)
    assert office.sends(proposer, "proposal", GRANT).status_code == SEEN
    people.disable(office.served.context, "test", leaving.account_id)
    page = office.other.get(office.case_path).text
    assert "can only be rejected" in page
    assert "/approval" not in page
    answer = office.sends(office.other, "approval", SIGNED)
    is_refused(answer, "The account of one of the two people was disabled.")
    assert office.sends(office.other, "rejection", SIGNED).status_code == SEEN
    assert office.sends(office.member, "proposal", GRANT).status_code == SEEN


def appealed(office: Office, both: Browser) -> Office:
    """The same office, where a refusal is appealed; `both` reviewed it."""
    office.sends(both, "review", REVIEW | {"recommendation": "refuse"})
    office.sends(office.member, "proposal", REFUSE)
    office.sends(office.other, "approval", SIGNED)
    assert not office.case.open
    content = b"%PDF-1.7 nos raisons"
    digest = keep(office.served.context.settings.home, content)
    grounds = (Evidence(title="Nos raisons", sha256=digest, dated_on=today()),)
    filed = FileAppeal(
        at=now(),
        actor=f"account:{uuid4()}",
        partner_id=office.partner_id,
        appeal_id=uuid4(),
        against_case_id=office.case_id,
        grounds=grounds,
    )
    office.served.context.ledger.handle(certification, office.partner_id, filed)
    return Office(
        office.served,
        office.partner_id,
        filed.appeal_id,
        office.officer,
        office.member,
        office.other,
    )


def test_an_appeal_is_decided_by_others(office: Office, both: Browser) -> None:
    appeal = appealed(office, both)
    dismiss = NO_CONFLICT | {"measure": "dismiss_appeal"}
    for who in (both, appeal.member, appeal.other):
        assert "two people who did not decide" in who.get(appeal.case_path).text
        is_refused(appeal.sends(who, "proposal", dismiss), "You took part in the decision")
    fresh, other = (browser_of(appeal.served, "committee") for _ in range(2))
    assert appeal.sends(fresh, "proposal", dismiss).status_code == SEEN
    for who in (both, appeal.member, appeal.other):
        is_refused(appeal.sends(who, "approval", SIGNED), "You took part in the decision")
    is_refused(appeal.sends(fresh, "approval", SIGNED), "You proposed this decision")
    assert appeal.sends(other, "approval", SIGNED).status_code == SEEN


def test_a_signature_without_the_declaration_is_none(office: Office) -> None:
    office.proposed()
    answer = office.sends(office.other, "approval", {"number": "1"})
    assert "Declare first that you have no interest" in answer.text
    assert office.case.open


def test_a_case_is_not_reached_through_another_partner(office: Office) -> None:
    office.proposed()
    path = f"/office/partners/{uuid4()}/cases/{office.case_id}/approval"
    assert office.other.post(path, SIGNED).status_code == httpx.codes.NOT_FOUND
    assert office.case.open


def test_a_complaint_is_not_answered_with_an_interest(office: Office, both: Browser) -> None:
    asked = ComplaintIn(
        complaint_id=uuid4(),
        partner_id=office.partner_id,
        topic="staff",
        words="On m’a mal parlé.",
        name="",
        email="",
    )
    open_complaint(office.served.context, asked, "127.0.0.1")
    path = f"/office/complaints/{asked.complaint_id}"
    assert both.post(f"{office.here}/conflict").status_code == SEEN
    assert "somebody else answers complaints" in both.get(path).text
    for form, fields in (("answer", {"answer": "Rien."}), ("close", {"outcome": "withdrawn"})):
        is_refused(both.post(f"{path}/{form}", fields), "somebody else answers complaints")
    assert len(history_of(office, asked.complaint_id)) == 1


def history_of(office: Office, complaint_id: UUID) -> list[object]:
    return list(office.served.context.ledger.history(complaint, complaint_id))
