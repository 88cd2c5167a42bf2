"""The office: registers, reviews, decides by two people, answers complaints, and says why not."""

from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from uuid import UUID, uuid4

import httpx
import pytest

from api.admin import registered
from api.complaints import ComplaintIn, open_complaint
from api.evidence import keep
from ledger.partners.complaints import complaint
from projections import follow
from projections.every import READ_MODELS
from tests.api.office import (
    DIGEST,
    FORBIDDEN,
    GRANT,
    NO_CONFLICT,
    OK,
    PAPER,
    REFUSED,
    REVIEW,
    SEEN,
    Office,
    follow_up,
    open_office,
    today,
)
from tests.api.people import browser_of
from tests.api.served import Served
from tests.api.shops import open_shop, siret

CAFE = {"trade_name": "Café de la Sorgue", "place": "Le Thor", "sector": "restaurant"}
TERMS = {"regime": "mandate", "commitment": "round_up", "charter_version": "1"}


@pytest.fixture(autouse=True)
def read_models(conninfo: str) -> None:
    with follow.connected(conninfo) as connection:
        follow.prepare(connection, READ_MODELS)


@pytest.fixture
def office(served: Served) -> Office:
    return open_office(served)


class TestApplied:
    def test_the_queue_leads_to_the_case(self, office: Office, conninfo: str) -> None:
        follow_up(conninfo)
        page = office.officer.get("/office").text
        assert office.case_path in page
        assert "Au P’tit Pain" in page

    def test_the_case_shows_partner_paper_and_checklist(self, office: Office) -> None:
        page = office.officer.get(office.case_path).text
        for words in ("Velleron", "Charte signée", DIGEST, "read and signed the charter"):
            assert words in page
        assert "Record my review" in page
        assert "Record my review" not in office.member.get(office.case_path).text

    def test_the_paper_is_downloaded_and_never_shown(self, office: Office) -> None:
        answer = office.member.get(f"{office.case_path}/evidence/{DIGEST}")
        assert answer.content == PAPER
        assert answer.headers["content-disposition"].startswith("attachment; ")
        assert "sandbox" in answer.headers["content-security-policy"]

    def test_a_paper_that_was_altered_is_not_handed_out(self, office: Office) -> None:
        (office.served.context.settings.home / "files" / DIGEST).write_bytes(b"%PDF-another")
        answer = office.member.get(f"{office.case_path}/evidence/{DIGEST}")
        assert answer.status_code == httpx.codes.NOT_FOUND
        assert "not as it was filed" in answer.text

    def test_another_file_is_not_reached_through_a_case(self, office: Office) -> None:
        other = keep(office.served.context.settings.home, b"%PDF-1.7 private")
        answer = office.member.get(f"{office.case_path}/evidence/{other}")
        assert answer.status_code == httpx.codes.NOT_FOUND

    def test_an_auditor_reads_and_does_nothing(self, office: Office) -> None:
        auditor = browser_of(office.served, "auditor")
        page = auditor.get(office.case_path)
        assert page.status_code == OK
        assert 'action="/office' not in page.text
        assert 'action="/office' not in auditor.get(office.here).text
        assert office.sends(auditor, "review", REVIEW).status_code == FORBIDDEN

    def test_it_is_reviewed(self, office: Office) -> None:
        office.reviewed()
        assert office.case.review is not None
        assert "Anne Fabre (officer of the foundation)" in office.member.get(office.case_path).text

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"declaration": ""}, "Declare first that you have no interest"),
            ({"finding_ticket_given": ""}, "Answer every requirement"),
            ({"finding_ticket_given": "unmet"}, "A required point is not met"),
            ({"recommendation": ""}, "Something is missing"),
        ],
    )
    def test_a_review_with_holes_is_refused_and_keeps_what_was_typed(
        self, office: Office, changes: dict[str, str], words: str
    ) -> None:
        answer = office.sends(office.officer, "review", REVIEW | changes)
        assert answer.status_code == REFUSED
        assert words in answer.text
        assert 'name="finding_charter_accepted" value="met" required checked' in answer.text
        assert office.case.review is None

    def test_whoever_has_an_interest_does_not_review(self, office: Office) -> None:
        assert office.sends(office.officer, "conflict").status_code == SEEN
        page = office.officer.get(office.case_path).text
        assert "You declared an interest in this partner" in page
        assert "Record my review" not in page
        answer = office.sends(office.officer, "review", REVIEW)
        assert answer.status_code == FORBIDDEN
        assert "You declared an interest in this partner" in answer.text

    def test_whoever_manages_the_shop_does_not_review(self, office: Office) -> None:
        manager = browser_of(
            office.served, "officer", "partner_manager", partner_ids=(office.partner_id,)
        )
        answer = office.sends(manager, "review", REVIEW)
        assert answer.status_code == FORBIDDEN
        assert "You speak for this partner" in answer.text

    def test_nobody_decides_before_the_review(self, office: Office) -> None:
        answer = office.sends(office.member, "proposal", GRANT)
        assert "An application is decided after its review." in answer.text


class TestReviewed:
    def test_the_reviewer_does_not_decide(self, office: Office) -> None:
        both = browser_of(office.served, "officer", "committee")
        assert office.sends(both, "review", REVIEW).status_code == SEEN
        assert "You reviewed this application" in both.get(office.case_path).text
        answer = office.sends(both, "proposal", GRANT)
        assert answer.status_code == FORBIDDEN
        assert "You reviewed this application" in answer.text

    def test_a_refusal_needs_its_reason(self, office: Office) -> None:
        office.reviewed()
        refuse = NO_CONFLICT | {"measure": "refuse"}
        assert office.sends(office.member, "proposal", refuse).status_code == REFUSED
        given = refuse | {"reason": "evidence_insufficient"}
        assert office.sends(office.member, "proposal", given).status_code == SEEN

    def test_an_interest_declared_afterwards_voids_the_review(self, office: Office) -> None:
        office.reviewed()
        office.sends(office.officer, "conflict")
        assert office.case.review is None


class TestProposed:
    def test_the_same_person_does_not_sign_twice(self, office: Office) -> None:
        office.proposed()
        page = office.member.get(office.case_path).text
        assert "You proposed this decision" in page
        assert "Approve:" not in page
        for form in ("approval", "rejection"):
            answer = office.sends(office.member, form, NO_CONFLICT | {"number": "1"})
            assert answer.status_code == FORBIDDEN
            assert "You proposed this decision" in answer.text
        assert office.case.open

    def test_the_second_signature_makes_it_so(self, office: Office, conninfo: str) -> None:
        office.proposed()
        follow_up(conninfo)
        assert "grant the certification" in office.other.get("/office").text
        answer = office.sends(office.other, "approval", NO_CONFLICT | {"number": "1"})
        assert answer.status_code == SEEN
        assert office.file.certified_on(today())
        assert "two people signed it" in office.other.get(answer.headers["location"]).text

    def test_a_rejected_proposal_leaves_room_for_another(self, office: Office) -> None:
        office.proposed()
        office.sends(office.other, "rejection", NO_CONFLICT | {"number": "1"})
        assert "rejected by a second person" in office.other.get(office.case_path).text
        assert office.sends(office.other, "proposal", GRANT).status_code == SEEN

    def test_a_proposal_that_changed_is_not_approved_unread(self, office: Office) -> None:
        office.proposed()
        answer = office.sends(office.other, "approval", NO_CONFLICT | {"number": "2"})
        assert "does not wait any more" in answer.text


class TestCertified:
    def suspend(self, office: Office, case_id: UUID) -> httpx.Response:
        until = (today() + timedelta(days=30)).isoformat()
        fields = {"case_id": str(case_id), "measure": "suspend", "reason": "statements_overdue"}
        asked = NO_CONFLICT | fields | {"last_on": until}
        return office.member.post(f"{office.here}/sanctions", asked)

    def test_a_suspension_takes_two_and_one_double_tap(self, office: Office) -> None:
        office.granted()
        case_id = uuid4()
        path = self.suspend(office, case_id).headers["location"].partition("?")[0]
        assert self.suspend(office, case_id).status_code == SEEN
        assert not office.file.suspended_after(today())
        office.other.post(f"{path}/approval", NO_CONFLICT | {"number": "1"})
        assert office.file.suspended_after(today())
        lift = NO_CONFLICT | {"case_id": str(uuid4()), "measure": "reinstate"}
        path = office.other.post(f"{office.here}/sanctions", lift).headers["location"]
        path = path.partition("?")[0]
        office.member.post(f"{path}/approval", NO_CONFLICT | {"number": "1"})
        assert not office.file.suspended_after(today())

    def test_a_sanction_without_a_reason_is_refused_on_the_partner_page(
        self, office: Office
    ) -> None:
        office.granted()
        asked = NO_CONFLICT | {"case_id": str(uuid4()), "measure": "revoke"}
        answer = office.member.post(f"{office.here}/sanctions", asked)
        assert answer.status_code == REFUSED
        assert "Something is missing" in answer.text

    def test_it_is_active_with_an_agreement(self, office: Office) -> None:
        office.granted()
        sign(office, number="2026-007")
        page = office.officer.get(office.here).text
        assert "Agreement no. 2026-007 in force" in page
        assert "pill-active" in page


def sign(office: Office, **changes: str) -> httpx.Response:
    dated = {"number": "2026-007", "signed_on": today().isoformat()}
    return office.officer.post(f"{office.here}/agreements", TERMS | dated | changes)


class TestAgreement:
    def test_it_is_signed_amended_and_ended(self, office: Office) -> None:
        assert sign(office).status_code == SEEN
        page = office.officer.get(office.here).text
        agreement = page.partition(f"{office.here}/agreements/")[2].partition("/")[0]
        amended = TERMS | {"commitment": "share_of_sales", "share": "1,5"}
        path = f"{office.here}/agreements/{agreement}"
        answer = office.officer.post(
            f"{path}/amendment", amended | {"amended_on": today().isoformat()}
        )
        assert answer.status_code == SEEN
        assert "1.50" in office.officer.get(office.here).text
        ended = {"ended_on": today().isoformat(), "ended_by": "both"}
        assert office.officer.post(f"{path}/end", ended).status_code == SEEN
        assert "Ended; not in force from" in office.officer.get(office.here).text

    def test_what_is_amended_later_is_said_beside_what_holds_today(self, office: Office) -> None:
        assert sign(office).status_code == SEEN
        page = office.officer.get(office.here).text
        agreement = page.partition(f"{office.here}/agreements/")[2].partition("/")[0]
        later = (today() + timedelta(days=40)).isoformat()
        amended = TERMS | {"regime": "own_money", "amended_on": later}
        path = f"{office.here}/agreements/{agreement}"
        assert office.officer.post(f"{path}/amendment", amended).status_code == SEEN
        page = office.officer.get(office.here).text
        assert "under a mandate" in page.partition("Amended from")[0].rpartition("No. 2026-007")[2]
        assert "Amended from" in page

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"number": "n° 7"}, "A number is made of capitals"),
            ({"signed_on": "yesterday"}, "Type a day as year-month-day"),
            ({"signed_on": "2199-01-01"}, "not signed yet"),
            ({"signed_on": "0001-01-01", "valid_from": "0001-01-01"}, "Type a day as year"),
            ({"valid_from": "9999-12-31"}, "Type a day as year"),
            ({"valid_until": "9999-12-31"}, "Type a day as year"),
            ({"valid_until": "2020-01-01"}, "The last day comes before the first."),
            ({"commitment": "share_of_sales", "share": "much"}, "as a percentage"),
            ({"commitment": "share_of_sales", "share": "101"}, "as a percentage"),
            ({"regime": ""}, "Something is missing"),
        ],
    )
    def test_what_is_wrong_is_told(
        self, office: Office, changes: dict[str, str], words: str
    ) -> None:
        answer = sign(office, **changes)
        assert answer.status_code == REFUSED
        assert words in answer.text


class TestRegister:
    def test_a_partner_is_registered(self, office: Office, conninfo: str) -> None:
        answer = office.officer.post("/office/partners", CAFE | {"siret": siret(8)})
        assert answer.status_code == SEEN
        page = office.officer.get(answer.headers["location"]).text
        assert "The partner is registered" in page
        assert "Le Thor" in page
        follow_up(conninfo)
        found = office.officer.get("/office/partners?q=sorgue").text
        assert "Café de la Sorgue" in found
        assert "P’tit Pain" not in found

    def test_a_wrong_siret_is_told_and_what_was_typed_stays(self, office: Office) -> None:
        answer = office.officer.post("/office/partners", CAFE | {"siret": "1234"})
        assert answer.status_code == REFUSED
        assert "This is not a SIRET" in answer.text
        assert 'value="Café de la Sorgue"' in answer.text

    def test_a_partner_without_a_place_is_not_half_registered(self, office: Office) -> None:
        asked = {**CAFE, "siret": siret(8), "place": ""}
        assert office.officer.post("/office/partners", asked).status_code == REFUSED
        asked |= {"place": "Le Thor", "trade_name": "Another name"}
        assert office.officer.post("/office/partners", asked).status_code == SEEN

    def test_it_is_described_and_consents(self, office: Office) -> None:
        office.officer.post(f"{office.here}/description", CAFE)
        office.officer.post(f"{office.here}/consent", {"consented": "yes"})
        shop = registered(office.served.context.ledger, office.partner_id)
        assert shop.description is not None
        assert shop.description.place == "Le Thor"
        assert shop.consented

    def test_a_contact_is_named_and_forgotten(self, office: Office) -> None:
        asked = {"name": "Lucie Bonnet", "email": "lucie@exemple.fr", "role": "owner", "phone": ""}
        assert office.officer.post(f"{office.here}/contacts", asked).status_code == SEEN
        assert "Lucie Bonnet" in office.officer.get(office.here).text
        context = office.served.context
        subject_id = registered(context.ledger, office.partner_id).contacts[0].subject_id
        office.officer.post(f"{office.here}/contacts/{subject_id}/removal")
        assert "Lucie Bonnet" not in office.officer.get(office.here).text
        assert context.vault.fields(subject_id) == {}

    def test_an_unknown_partner_or_case_is_not_found(self, office: Office) -> None:
        for path in (f"/office/partners/{uuid4()}", f"{office.here}/cases/{uuid4()}"):
            assert office.officer.get(path).status_code == httpx.codes.NOT_FOUND


class TestComplaint:
    @pytest.fixture
    def path(self, office: Office) -> str:
        asked = ComplaintIn(
            complaint_id=uuid4(),
            partner_id=office.partner_id,
            topic="staff",
            words="On m’a mal parlé.",
            name="Paul Roux",
            email="paul@exemple.fr",
        )
        open_complaint(office.served.context, asked, "127.0.0.1")
        return f"/office/complaints/{asked.complaint_id}"

    def test_it_is_read_by_officers_and_without_its_author_by_others(
        self, office: Office, path: str, conninfo: str
    ) -> None:
        follow_up(conninfo)
        assert path in office.officer.get("/office").text
        assert "Paul Roux" in office.officer.get(path).text
        page = office.member.get(path).text
        assert "On m’a mal parlé." in page
        assert "Paul Roux" not in page
        assert "paul@exemple.fr" not in page

    def test_it_is_answered_by_letter_then_closed(self, office: Office, path: str) -> None:
        early = office.officer.post(f"{path}/close", {"outcome": "upheld"})
        assert "A complaint is answered before it is closed" in early.text
        text = "Nous en avons parlé au commerce."
        assert office.officer.post(f"{path}/answer", {"answer": text}).status_code == SEEN
        assert office.officer.post(f"{path}/answer", {"answer": "Autre"}).status_code == SEEN
        letters = list((office.served.context.settings.home / "mail").glob("*.eml"))
        assert len(letters) == 1
        message = message_from_bytes(letters[0].read_bytes(), policy=default)
        assert message["to"] == "paul@exemple.fr"
        assert office.officer.post(f"{path}/close", {"outcome": "upheld"}).status_code == SEEN
        page = office.officer.get(path).text
        assert text in page
        assert "It was right." in page
        kinds = [
            type(one.event).__name__
            for one in office.served.context.ledger.history(
                complaint, UUID(path.rpartition("/")[2])
            )
        ]
        assert kinds == ["ComplaintOpened", "ComplaintAnswered", "ComplaintClosed"]

    def test_an_empty_answer_is_none(self, office: Office, path: str) -> None:
        answer = office.officer.post(f"{path}/answer", {"answer": "  "})
        assert answer.status_code == REFUSED
        assert "Type the answer" in answer.text

    def test_whoever_manages_the_shop_does_not_answer(self, office: Office, path: str) -> None:
        manager = browser_of(
            office.served, "officer", "partner_manager", partner_ids=(office.partner_id,)
        )
        assert "somebody else answers complaints" in manager.get(path).text
        answer = manager.post(f"{path}/answer", {"answer": "Tout va bien."})
        assert answer.status_code == FORBIDDEN


def test_a_demonstration_partner_shows_people_without_accounts(served: Served) -> None:
    shop = open_shop(served.context.ledger)
    officer = browser_of(served, "officer")
    page = officer.get(f"/office/partners/{shop.partner_id}").text
    path = page.partition(f"/office/partners/{shop.partner_id}/cases/")[2].partition('"')[0]
    case = officer.get(f"/office/partners/{shop.partner_id}/cases/{path}")
    assert "a person without an account here" in case.text
