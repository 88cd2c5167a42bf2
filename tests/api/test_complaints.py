"""Complaints: anybody may open one, its words go to the vault, its receipt tells the days."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import cast
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from api.complaint_letters import EMAIL_FIELD, NAME_FIELD, WORDS
from api.credentials import ATTEMPTS_MAX
from ledger.partners.complaints import (
    AnswerComplaint,
    ComplaintOpened,
    complaint,
)
from ledger.partners.deadlines import ANSWER_WITHIN
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.people import Browser
from tests.api.served import Served
from tests.api.shops import Shop
from tests.api.stored import stored

SAID = "On m’a demandé trois fois si je voulais arrondir."
TYPED = {"topic": "asking", "words": SAID, "name": "Anne Fabre", "email": "Anne@Exemple.fr"}
HIDDEN = re.compile(r'name="complaint_id" value="([0-9a-f-]+)"')


@pytest.fixture
def address(shop: Shop, conninfo: str) -> str:
    catch_up(conninfo, READ_MODELS)
    return f"/partners/{shop.partner_id}/complaint"


def send(served: Served, address: str, **changes: str) -> httpx.Response:
    """Open the form and send it, as a browser does."""
    page = Browser(served).get(address)
    assert page.status_code == httpx.codes.OK, page.text
    found = HIDDEN.search(page.text)
    assert found is not None
    return Browser(served).post(address, {"complaint_id": found[1], **TYPED, **changes})


def opened(served: Served, answer: httpx.Response) -> ComplaintOpened:
    assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
    complaint_id = UUID(answer.headers["location"].rsplit("/", 1)[1])
    history = served.context.ledger.history(complaint, complaint_id)
    return cast(ComplaintOpened, history[0].event)


def test_a_complaint_is_opened_and_its_words_are_in_the_vault(
    served: Served, shop: Shop, address: str, conninfo: str
) -> None:
    event = opened(served, send(served, address))
    assert (event.partner_id, event.topic, event.actor) == (shop.partner_id, "asking", "public")
    assert served.context.vault.fields(event.subject_id) == {
        WORDS: SAID,
        NAME_FIELD: "Anne Fabre",
        EMAIL_FIELD: "anne@exemple.fr",
    }
    with psycopg.connect(conninfo) as connection:
        rows = connection.execute("SELECT state FROM ledger_events").fetchall()
    content = b"".join(bytes(row[0]) for row in rows)
    assert b"arrondir" not in content
    assert b"anne" not in content.lower()


def test_the_receipt_says_by_when_and_gives_a_reference(served: Served, address: str) -> None:
    answer = send(served, address)
    event = opened(served, answer)
    assert event.answer_due_on == event.opened_on + ANSWER_WITHIN
    page = Browser(served).get(answer.headers["location"])
    assert page.status_code == httpx.codes.OK
    assert str(event.complaint_id) in page.text
    assert f"{event.answer_due_on.day} {event.answer_due_on:%B %Y}" in page.text
    assert SAID not in page.text
    assert str(event.partner_id) not in page.text
    answered = AnswerComplaint(
        at=datetime.now(UTC),
        actor=f"account:{uuid4()}",
        complaint_id=event.complaint_id,
        partner_people=(),
    )
    served.context.ledger.handle(complaint, event.complaint_id, answered)
    assert "It was answered." in Browser(served).get(answer.headers["location"]).text


def test_a_name_and_an_address_are_not_asked_for(served: Served, address: str) -> None:
    event = opened(served, send(served, address, name="", email=""))
    assert served.context.vault.fields(event.subject_id) == {WORDS: SAID}


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(
    served: Served, address: str, conninfo: str
) -> None:
    before = len(stored(conninfo))
    wrong = {
        "topic": ("weather", "Choose what it is about."),
        "words": (" ", "Tell what happened"),
        "email": ("anne", "This is not an e-mail address."),
        "name": ("Anne\nFabre", "Type a name"),
    }
    for field, (typed, said) in wrong.items():
        answer = send(served, address, **{field: typed})
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert said in answer.text
        assert ("Anne Fabre" in answer.text) == (field != "name")
    too_long = send(served, address, words="x" * 5_001)
    assert too_long.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert len(stored(conninfo)) == before


def test_the_same_form_sent_again_opens_nothing_more(
    served: Served, address: str, conninfo: str
) -> None:
    before = len(stored(conninfo))
    fields = {"complaint_id": str(uuid4()), **TYPED}
    with ThreadPoolExecutor(4) as taps:
        answers = list(taps.map(lambda _: Browser(served).post(address, fields), range(4)))
    assert {answer.headers["location"] for answer in answers} == {
        f"/complaints/{fields['complaint_id']}"
    }
    assert len(stored(conninfo)) == before + 1
    event = opened(served, answers[0])
    assert served.context.vault.get(event.subject_id, WORDS) == SAID


def test_an_address_complains_only_so_often(served: Served, address: str) -> None:
    for _ in range(ATTEMPTS_MAX["address"]):
        fields = {"complaint_id": str(uuid4()), **TYPED}
        assert Browser(served).post(address, fields).status_code == httpx.codes.SEE_OTHER
    answer = send(served, address)
    assert answer.status_code == httpx.codes.TOO_MANY_REQUESTS
    assert "Too many complaints came from here" in answer.text
    assert SAID in answer.text
    # Signing in has a count of its own.
    login = Browser(served).post("/login", {"email": "a@b.fr", "password": "x"})
    assert login.status_code == httpx.codes.UNPROCESSABLE_ENTITY


def test_another_site_cannot_send_the_form(served: Served, address: str, conninfo: str) -> None:
    before = len(stored(conninfo))
    answer = Browser(served).post(address, TYPED, **{"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert len(stored(conninfo)) == before


def test_unknown_partners_and_complaints_are_not_found(served: Served, address: str) -> None:
    del address
    for path in (f"/partners/{uuid4()}/complaint", f"/complaints/{uuid4()}", "/complaints/nobody"):
        assert Browser(served).get(path).status_code == httpx.codes.NOT_FOUND
    nobody = Browser(served).post(f"/partners/{uuid4()}/complaint", TYPED)
    assert nobody.status_code == httpx.codes.NOT_FOUND
