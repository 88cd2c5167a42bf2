"""The made-up village's office: something in each queue, and no way in but the operator's links."""

from datetime import UTC, datetime

import httpx
import psycopg
import pytest

from api.demo import LedgerNotDemonstration, load_demo
from api.demo_office import PEOPLE, links
from projections import cases
from projections.cases import QUEUES
from projections.every import READ_MODELS
from projections.follow import catch_up, connected
from tests.api.people import PASSWORD, Browser, session_of
from tests.api.served import PUBLIC_URL, Served
from tests.api.shops import open_shop
from tests.api.stored import stored


@pytest.fixture
def village(served: Served, conninfo: str) -> Served:
    load_demo(served.context)
    catch_up(conninfo, READ_MODELS)
    return served


def test_every_queue_holds_something_and_a_proposal_was_rejected(
    village: Served, conninfo: str
) -> None:
    del village
    with connected(conninfo) as connection:
        empty = [kind for kind in QUEUES if not cases.queue(connection, kind)]
        decided = {one.outcome for one in cases.decided(connection)}
        complaints = cases.queue(connection, "complaints")
    assert empty == []
    assert {"adopted", "rejected", "partly_upheld"} <= decided
    assert [one.overdue for one in complaints] == [True, False, False]


def test_nobody_has_a_password_until_a_link_is_followed(village: Served, conninfo: str) -> None:
    with psycopg.connect(conninfo) as connection:
        rows = connection.execute("SELECT password_argon2 FROM account").fetchall()
        offered = connection.execute("SELECT FROM one_time_link").fetchall()
    assert rows == [(None,)] * len(PEOPLE)
    assert offered == []
    login = Browser(village).post("/login", {"email": PEOPLE[0].email, "password": PASSWORD})
    assert login.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    person, link = links(village.context)[0]
    assert person.role == "officer"
    answer = Browser(village).post(link.removeprefix(PUBLIC_URL), {"password": PASSWORD})
    page = Browser(village, session_of(answer)).get("/office")
    assert "Savonnerie de l’Arquet" in page.text
    assert "Paul Jourdan (committee member)" in page.text


def test_its_papers_and_complaints_can_be_read(village: Served) -> None:
    _, link = links(village.context)[0]
    answer = Browser(village).post(link.removeprefix(PUBLIC_URL), {"password": PASSWORD})
    officer = Browser(village, session_of(answer))
    office = officer.get("/office").text
    review = office.partition("queue-reviews")[2].partition('href="')[2].partition('"')[0]
    page = officer.get(review).text
    paper = page.partition(f'href="{review}/evidence/')[2].partition('"')[0]
    assert officer.get(f"{review}/evidence/{paper}").content.startswith(b"%PDF-")
    complaint = office.partition("/office/complaints/")[2].partition('"')[0]
    assert "J’ai donné 80 centimes" in officer.get(f"/office/complaints/{complaint}").text


def test_nothing_of_it_comes_into_a_real_ledger(served: Served, conninfo: str) -> None:
    open_shop(served.context.ledger)
    before = len(stored(conninfo))
    with pytest.raises(LedgerNotDemonstration):
        load_demo(served.context)
    assert len(stored(conninfo)) == before


def test_its_last_event_is_of_today(village: Served, conninfo: str) -> None:
    del village
    assert stored(conninfo)[-1].state["recorded_at"][:10] == f"{datetime.now(UTC):%Y-%m-%d}"
