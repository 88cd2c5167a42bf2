"""Letters: what a complainant is written, and that none which failed is lost or sent twice."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from api import complaint_letters, letters
from api.complaints import ComplaintIn, open_complaint
from api.credentials import ATTEMPTS_MAX
from api.mail import Letter, MailFailed
from ledger.partners.complaints import ComplaintOpened, complaint
from ledger.partners.deadlines import ANSWER_WITHIN
from projections import follow
from projections.every import READ_MODELS
from tests.api.office import SEEN, Office, open_office
from tests.api.people import Browser, browser_of, person
from tests.api.served import Served
from tests.ledger.processes import eventually

SAID = "On m’a mal parlé au comptoir."
ANSWERED = "Nous en avons parlé au commerce."


@dataclass
class Post:
    """A mail server that takes letters, or does not."""

    down: bool = False
    taken: list[Letter] = field(default_factory=list)

    def send(self, letter: Letter) -> None:
        if self.down:
            raise MailFailed("SMTPServerDisconnected")
        self.taken.append(letter)


@pytest.fixture
def office(served: Served, conninfo: str) -> Office:
    with follow.connected(conninfo) as connection:
        follow.prepare(connection, READ_MODELS)
    made = open_office(served)
    follow.catch_up(conninfo, READ_MODELS)
    return made


@pytest.fixture
def post(served: Served) -> Post:
    made = Post()
    served.context.mail = made
    return made


def complains(office: Office, email: str = "paul@exemple.fr") -> str:
    """Complain by the form, as anybody does; give the complaint's path in the office."""
    fields = {
        "complaint_id": str(uuid4()),
        "topic": "staff",
        "words": SAID,
        "name": "Paul Roux",
        "email": email,
    }
    answer = Browser(office.served).post(f"/partners/{office.partner_id}/complaint", fields)
    assert answer.status_code == SEEN, answer.text
    return f"/office/complaints/{fields['complaint_id']}"


def due(served: Served) -> int:
    with served.context.pool.connection() as connection:
        row = connection.execute("SELECT count(*) FROM letter_due").fetchone()
    assert row is not None
    return int(row[0])


class TestComplainant:
    def test_she_is_written_on_opening_on_the_answer_and_at_the_end(
        self, office: Office, post: Post
    ) -> None:
        path = complains(office)
        eventually(lambda: len(post.taken) == 1)
        (receipt,) = post.taken
        assert receipt.to == "paul@exemple.fr"
        complaint_id = path.rpartition("/")[2]
        assert f"/complaints/{complaint_id}" in receipt.text
        assert f"{ANSWER_WITHIN.days} days" in receipt.text
        assert SAID not in receipt.text
        assert "Paul" not in receipt.text
        assert office.officer.post(f"{path}/answer", {"answer": ANSWERED}).status_code == SEEN
        assert ANSWERED in post.taken[1].text
        assert office.officer.post(f"{path}/close", {"outcome": "upheld"}).status_code == SEEN
        assert "It was right." in post.taken[2].text
        again = office.officer.post(f"{path}/close", {"outcome": "upheld"})
        assert again.status_code == SEEN
        assert len(post.taken) == 3
        eventually(lambda: due(office.served) == 0)

    def test_who_left_no_address_is_not_written(self, office: Office, post: Post) -> None:
        path = complains(office, email="")
        office.officer.post(f"{path}/answer", {"answer": ANSWERED})
        office.officer.post(f"{path}/close", {"outcome": "not_upheld"})
        assert (post.taken, due(office.served)) == ([], 0)

    def test_nobody_is_flooded_by_complaints_of_others(self, office: Office, post: Post) -> None:
        for _ in range(ATTEMPTS_MAX["account"] + 2):
            complains(office)
        eventually(lambda: len(post.taken) == ATTEMPTS_MAX["account"])
        eventually(lambda: due(office.served) == 0)
        assert len(post.taken) == ATTEMPTS_MAX["account"]

    def test_the_page_states_the_same_time(self, office: Office, post: Post) -> None:
        del post
        complains(office)
        form = Browser(office.served).get(f"/partners/{office.partner_id}/complaint").text
        assert f"within {ANSWER_WITHIN.days} days" in form


class TestFailed:
    def test_it_is_shown_and_sent_again_once(self, office: Office, post: Post) -> None:
        path = complains(office)
        eventually(lambda: len(post.taken) == 1)
        post.down = True
        answer = office.officer.post(f"{path}/answer", {"answer": ANSWERED})
        assert "the letter could not be sent" in answer.text
        assert ANSWERED in answer.text
        assert "1 letter could not be sent." in office.officer.get("/office").text
        page = office.officer.get("/office/letters").text
        for words in ("paul@exemple.fr", path, "SMTPServerDisconnected", "answer to a complaint"):
            assert words in page
        again = {"kind": "complaint_answered", "about_id": path.rpartition("/")[2]}
        still = office.officer.post("/office/letters", again)
        assert still.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert "this time either" in still.text
        post.down = False
        with ThreadPoolExecutor(4) as taps:
            answers = list(
                taps.map(lambda _: office.officer.post("/office/letters", again), range(4))
            )
        assert {one.status_code for one in answers} == {SEEN}
        assert ANSWERED in post.taken[1].text
        assert len(post.taken) == 2
        assert "Every letter was sent." in office.officer.get("/office/letters").text

    def test_a_receipt_that_fails_keeps_nobody_waiting(self, office: Office, post: Post) -> None:
        post.down = True
        path = complains(office)
        eventually(lambda: "Not sent" in office.officer.get(path).text)
        assert "Not sent" not in office.member.get(path).text

    def test_what_was_cut_short_is_shown_after_a_while(self, office: Office, post: Post) -> None:
        del post
        context = office.served.context
        asked = ComplaintIn(uuid4(), office.partner_id, "staff", SAID, "", "paul@exemple.fr")
        open_complaint(context, asked, "127.0.0.1")
        assert letters.unsent(context) == []
        with context.pool.connection() as connection:
            connection.execute("UPDATE letter_due SET due_at = due_at - interval '3 minutes'")
        (cut,) = letters.unsent(context)
        assert (cut.kind, cut.about_id, cut.failure) == (
            "complaint_received",
            asked.complaint_id,
            None,
        )
        assert "Interrupted on" in office.officer.get("/office/letters").text

    def test_who_was_erased_meanwhile_is_written_no_more(self, office: Office, post: Post) -> None:
        post.down = True
        path = complains(office)
        context, complaint_id = office.served.context, UUID(path.rpartition("/")[2])
        eventually(lambda: len(letters.unsent(context)) == 1)
        opening = cast(ComplaintOpened, context.ledger.history(complaint, complaint_id)[0].event)
        context.vault.erase(opening.subject_id)
        post.down = False
        complaint_letters.send(context, "complaint_received", complaint_id)
        assert (post.taken, due(office.served)) == ([], 0)

    def test_the_table_keeps_no_word_and_no_address(
        self, office: Office, post: Post, conninfo: str
    ) -> None:
        post.down = True
        path = complains(office)
        office.officer.post(f"{path}/answer", {"answer": ANSWERED})
        with psycopg.connect(conninfo) as connection:
            rows = connection.execute("SELECT letter_due::text FROM letter_due").fetchall()
        text = " ".join(row[0] for row in rows)
        assert "complaint_answered" in text
        assert "paul" not in text
        assert ANSWERED not in text


class TestAccounts:
    def test_an_administrator_sees_those_of_accounts_and_an_officer_does_not(
        self, office: Office, post: Post
    ) -> None:
        admin = browser_of(office.served, "administrator")
        one = person(office.served, "auditor")
        post.down = True
        admin.post(f"/office/accounts/{one.account_id}/link")
        complains(office)
        eventually(lambda: len(letters.unsent(office.served.context)) == 2)
        page = admin.get("/office/letters").text
        assert one.email in page
        assert "paul@exemple.fr" not in page
        assert one.email not in office.officer.get("/office/letters").text
        fields = {"kind": "enrolment", "about_id": str(one.account_id)}
        post.down = False
        refused = office.officer.post("/office/letters", fields)
        assert refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert post.taken == []
        assert admin.post("/office/letters", fields).status_code == SEEN
        assert "/account/link/" in post.taken[0].text
