"""The pages and their JSON twins, over the real application and a real database."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
import uvicorn
from fastapi import FastAPI, Request
from httpx import Client, Response
from pydantic import BaseModel
from starlette.responses import Response as StarletteResponse

from api.admin import EnrolledTill, add_partner, enrol_till, revoke_till
from api.app import create_app
from api.demo_life import DECIDED_AFTER, recognise, sanction
from api.deps import Context
from api.errors import page_busy, page_failed
from api.home import FiguresOut
from api.journal import JournalOut
from api.pages import version
from api.partner_twins import PartnerFiguresOut, PartnersOut
from api.till import sale_cents_of
from ledger.calendar import civil_day
from ledger.settings import Settings
from projections.every import READ_MODELS
from projections.follow import catch_up

# Nothing has this id; it is the same in every process that collects the tests.
NOBODY = "1f0c6a0e-5d3b-4c1f-9a63-0d9f1c2b7e55"

ACTOR = "test"
BAKERY, BOOKSHOP = "90000000100017", "90000008400013"
DEADLINE_SECONDS = 10.0
FR, EN = {"accept-language": "fr"}, {"accept-language": "en"}


@dataclass
class Village:
    """A village of two shops; one till is enrolled at the first."""

    client: Client
    context: Context
    conninfo: str
    bakery: UUID
    bookshop: UUID
    till: EnrolledTill

    def give(self, cents: int = 66, **changed: object) -> dict[str, Any]:
        """Record a gift through the API, and let the read models see it."""
        body = {
            "donation_id": str(uuid4()),
            "occurred_at": datetime.now(UTC).isoformat(),
            "amount_cents": cents,
            "source": "customer",
        }
        answer = self.client.post("/api/v1/donations", json=body | changed, headers=self.bearer)
        assert answer.status_code == 201, answer.text
        self.follow()
        answered: dict[str, Any] = answer.json()
        return answered

    def give_back(self, donation_id: str, cents: int, reason: str = "mistake") -> None:
        body = {"reversal_id": str(uuid4()), "amount_cents": cents, "reason": reason}
        address = f"/api/v1/donations/{donation_id}/reversals"
        assert self.client.post(address, json=body, headers=self.bearer).status_code == 201
        self.follow()

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.till.key}"}

    def follow(self) -> None:
        """Bring the read models, and what the pages know of them, up to the newest event."""
        catch_up(self.conninfo, READ_MODELS)
        with self.context.pool.connection() as connection:
            row = connection.execute("SELECT max(notification_id) FROM ledger_events").fetchone()
        assert row is not None
        until(lambda: self.json("/api/v1/figures")["as_of_position"] == row[0])

    def json(self, address: str) -> Any:
        answer = self.client.get(address)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def text(self, address: str, headers: dict[str, str] = FR) -> str:
        answer = self.client.get(address, headers=headers)
        assert answer.status_code == 200, answer.text
        return said(answer)

    def open_till(self) -> None:
        answer = self.client.post("/till/key", data={"key": self.till.key})
        assert answer.status_code == 303

    def ask(self, sale: str = "12,34") -> dict[str, str]:
        """Enter a sale at the till; give the fields of the form that the customer sees."""
        answer = self.client.post("/till/ask", data={"sale": sale})
        assert answer.status_code == 303, said(answer)
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        return {name: values[0] for name, values in query.items()} | {"language": "fr"}


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the deadline passed"
        time.sleep(0.01)


def said(answer: Response) -> str:
    """The words of a page, with plain spaces."""
    return " ".join(unescape(answer.text).replace("\u202f", " ").replace("\xa0", " ").split())


@contextmanager
def served(settings: Settings, conninfo: str) -> Iterator[tuple[FastAPI, Client]]:
    """The application on a real socket, in a thread of the test."""
    app = create_app(settings, conninfo)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_config=None, access_log=False))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            until(lambda: server.started or not thread.is_alive())
            with Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
                yield app, client
        finally:
            server.should_exit = True
            thread.join(DEADLINE_SECONDS)


@pytest.fixture
def village(conninfo: str, tmp_path: Path) -> Iterator[Village]:
    settings = Settings.from_environment({"DONPOSITIF_HOME": str(tmp_path)})
    catch_up(conninfo, READ_MODELS)
    with served(settings, conninfo) as (app, client):
        ledger = app.state.context.ledger
        today = civil_day(datetime.now(UTC))
        bakery = add_partner(ledger, ACTOR, "Boulangerie <du> Bassin", BAKERY)
        bookshop = add_partner(ledger, ACTOR, "Épicerie & Livres", BOOKSHOP)
        applied_at = datetime.now(UTC) - DECIDED_AFTER
        for number, shop, last in (("1", bakery, today + timedelta(days=1)), ("2", bookshop, None)):
            recognise(
                ledger, shop, number, applied_at=applied_at, valid_from=today, valid_until=last
            )
        till = enrol_till(ledger, ACTOR, bakery, "Caisse 1")
        app.state.context.admission.refresh()
        made = Village(client, app.state.context, conninfo, bakery, bookshop, till)
        made.follow()
        yield made


# The public pages.


def test_the_home_page_shows_what_was_given(village: Village) -> None:
    gift = village.give(123_450)
    village.give(66, source="shop")
    village.give_back(gift["donation_id"], 100)
    french, english = village.text("/"), village.text("/", EN)
    assert "1 234,66 €" not in french
    assert "1 233,16 €" not in english
    assert '<p class="figure">1 234,16 €</p>' in french
    assert '<p class="figure">€1,234.16</p>' in english
    assert '<html lang="fr">' in french
    assert '<html lang="en">' in english
    figures = village.json("/api/v1/figures")
    assert (figures["gifts"], figures["partners"]) == (2, 2)
    assert figures["net_cents"] == figures["given_cents"] - figures["reversed_cents"] == 123_416
    assert figures["by_source"]["shop"] == {
        "gifts": 1,
        "given_cents": 66,
        "reversals": 0,
        "reversed_cents": 0,
    }
    assert figures["by_source"]["match"]["gifts"] == 0
    assert sum(month["given_cents"] for month in figures["months"]) == figures["given_cents"]
    assert f"{figures['as_of_position']}" in french


def test_a_village_without_gifts_has_its_page(village: Village) -> None:
    assert "Aucun don n’a encore été fait." in village.text("/")
    assert "0,00 €" in village.text("/")


def test_pages_are_checked_again_and_not_sent_twice(village: Village) -> None:
    village.give()
    french = village.client.get("/", headers=FR)
    english = village.client.get("/", headers=EN)
    assert french.headers["etag"] != english.headers["etag"]
    assert "no-cache" in french.headers["cache-control"]
    assert {"Accept-Language", "Cookie"} <= {
        name.strip() for name in french.headers["vary"].split(",")
    }
    again = village.client.get("/", headers=FR | {"if-none-match": french.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    village.give()
    newer = village.client.get("/", headers=FR | {"if-none-match": french.headers["etag"]})
    assert newer.status_code == 200


def test_the_language_switch_keeps_the_page_and_is_remembered(village: Village) -> None:
    page = village.text("/journal?before=3&limit=1&lang=en")
    assert 'href="?before=3&limit=1&lang=fr"' in page
    assert "The journal" in village.text("/journal", FR)
    assert "Le journal" in village.text("/journal?lang=fr", EN)
    assert "Le journal" in village.text("/journal", EN)


def test_partners_are_listed_with_what_was_given(village: Village) -> None:
    village.give(500)
    page = village.text("/partners")
    assert page.index("Boulangerie <du> Bassin") < page.index("Épicerie & Livres")
    assert "5,00 €" in page
    answer = village.json("/api/v1/partners")
    first = answer["partners"][0]
    assert first["partner_id"] == str(village.bakery)
    assert (first["gifts"], first["given_cents"], first["status"]) == (1, 500, "active")
    assert answer["as_of_position"] > 0


def test_the_twins_have_the_shape_they_document(village: Village) -> None:
    village.give()
    twins: dict[str, type[BaseModel]] = {
        "/api/v1/figures": FiguresOut,
        "/api/v1/partners": PartnersOut,
        f"/api/v1/partners/{village.bakery}": PartnerFiguresOut,
        "/api/v1/journal": JournalOut,
    }
    for address, shape in twins.items():
        body = village.client.get(address).content
        told = shape.model_validate_json(body)
        assert json.loads(told.model_dump_json()).keys() == json.loads(body).keys()


def test_a_name_is_text_and_never_markup(village: Village) -> None:
    for address in ("/partners", f"/partners/{village.bakery}", "/journal"):
        page = village.client.get(address).text
        assert "<du>" not in page
        assert "&lt;du&gt;" in page


def test_a_partner_page_says_its_standing(village: Village) -> None:
    village.give(250)
    page = village.text(f"/partners/{village.bakery}")
    assert "2,50 €" in page
    assert "convention valable jusqu’au" in page
    assert "convention valable jusqu’au" in village.text(f"/partners/{village.bookshop}")
    now = datetime.now(UTC)
    sanction(village.context.ledger, village.bookshop, "suspend", "badge_misused", at=now)
    village.follow()
    page = village.text(f"/partners/{village.bookshop}")
    assert "Suspendu" in page
    assert "badge_misused" not in page
    answer = village.json(f"/api/v1/partners/{village.bakery}")
    assert (answer["net_cents"], answer["siret"]) == (250, BAKERY)
    assert answer["months"][0]["gifts"] == 1


def test_an_unknown_partner_is_not_found(village: Village) -> None:
    for name in (str(uuid4()), "nobody", "%00"):
        answer = village.client.get(f"/partners/{name}", headers=EN)
        assert answer.status_code == 404
        assert "There is no page here" in said(answer)
    answer = village.client.get(f"/api/v1/partners/{uuid4()}")
    assert answer.status_code == 404
    assert answer.json()["error"]["name"] == "partner_not_found"
    assert village.client.get("/api/v1/partners/nobody").status_code == 422


def test_the_journal_tells_each_event(village: Village) -> None:
    gift = village.give(66)
    village.give_back(gift["donation_id"], 10, "sale_returned")
    page = village.text("/journal", EN)
    assert "A customer gave" in page
    assert "was given back: the purchase was returned." in page
    assert "joined the foundation" in page
    assert "A till was set up at" in page
    assert f'id="n{gift["position"]}"' in page
    assert gift["code"] not in page


def test_the_journal_is_read_in_pages_without_a_gap(village: Village) -> None:
    for _ in range(7):
        village.give(1)
    every = [entry["position"] for entry in village.json("/api/v1/journal")["entries"]]
    assert every == sorted(every, reverse=True)
    seen, before = [], ""
    while True:
        answer = village.json(f"/api/v1/journal?limit=2{before}")
        seen += [entry["position"] for entry in answer["entries"]]
        if answer["next_before"] is None:
            break
        before = f"&before={answer['next_before']}"
    assert seen == every
    older = village.text(f"/journal?limit=2&before={every[3]}")
    assert f"/journal?before={every[1]}&limit=2" in older  # Newer: what was skipped to come here.
    assert f"/journal?before={every[5]}&limit=2" in older
    assert f"/journal?before={every[0]}" not in village.text("/journal")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "before=0", "before=x", f"before={2**64}"]
)
def test_the_journal_refuses_or_forgives_a_wrong_page(village: Village, query: str) -> None:
    answer = village.client.get(f"/api/v1/journal?{query}")
    assert answer.status_code == 422
    assert answer.json()["error"]["problems"][0]["field"] == query.partition("=")[0]
    assert village.client.get(f"/journal?{query}").status_code == 200


# What every page carries.


def test_static_files_are_kept_by_their_content(village: Village) -> None:
    known = village.client.get(f"/static/style.css?v={version('style.css')}")
    assert "immutable" in known.headers["cache-control"]
    for address in ("/static/style.css", "/static/style.css?v=older"):
        assert village.client.get(address).headers["cache-control"] == "no-cache"
    assert village.client.get("/static/none.css").status_code == 404
    assert f"/static/style.css?v={version('style.css')}" in village.text("/")


@pytest.mark.parametrize("address", ["/", "/partners", "/journal", "/g", "/till", "/nowhere"])
def test_every_page_forbids_scripts_of_others(village: Village, address: str) -> None:
    answer = village.client.get(address)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert " style=" not in answer.text
    assert "<style" not in answer.text
    assert "<script>" not in answer.text


def test_a_page_that_is_not_there_is_named_in_the_visitors_language(village: Village) -> None:
    answer = village.client.get("/nowhere", headers=EN)
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")
    assert "There is no page here" in said(answer)
    assert "Il n’y a pas de page ici" in said(village.client.get("/nowhere", headers=FR))
    assert village.client.get("/api/v1/nowhere").json()["error"]["name"] == "page_not_found"


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (page_failed, 500, "Something failed on our side"),
        (page_busy, 503, "Not recorded yet"),
    ],
)
def test_a_failure_is_told_without_the_database(
    answer: Callable[[Request], StarletteResponse], status: int, words: str
) -> None:
    headers = [(b"accept-language", b"en")]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers}
    response = answer(Request(scope))
    assert (response.status_code, response.headers["cache-control"]) == (status, "no-store")
    assert words in bytes(response.body).decode()


def test_pages_answer_head(village: Village) -> None:
    for address in ("/", "/partners", "/journal", "/g", "/till"):
        answer = village.client.head(address)
        assert (answer.status_code, answer.content) == (200, b"")


# The till.


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("12,34", 1234),
        ("12.34", 1234),
        ("12", 1200),
        ("12,3", 1230),
        (" 12,34 € ", 1234),
        ("€12.34", 1234),
        ("1 234,50", 123_450),
        ("1\u202f234,50\xa0€", 123_450),
        ("1234567", 123_456_700),
        ("0", 0),
        ("0,00", 0),
        ("12 34", None),
        ("1,234.50", None),
        ("12,345", None),
        ("12,", None),
        (",5", None),
        ("-5", None),
        ("12345678", None),
        ("١٢", None),
        ("douze", None),
        ("", None),
    ],
)
def test_a_price_is_read_as_people_write_it(typed: str, cents: int | None) -> None:
    assert sale_cents_of(typed) == cents


def test_a_till_opens_with_its_key_only(village: Village) -> None:
    assert "Le code ou la clé de la caisse" in village.text("/till")
    for wrong in ("", "dpt_wrong", "é"):
        answer = village.client.post("/till/key", data={"key": wrong})
        assert (answer.status_code, "set-cookie" in answer.headers) == (422, False)
    answer = village.client.post("/till/key", data={"key": f" {village.till.key}\n"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/till")
    cookie = SimpleCookie(answer.headers["set-cookie"])["till"]
    assert (cookie["path"], cookie["samesite"]) == ("/till", "strict")
    assert cookie["httponly"]
    assert not cookie["secure"]
    page = village.client.get("/till")
    assert "Ce que paie le client" in said(page)
    assert page.headers["cache-control"] == "no-store"


def test_a_key_travels_over_https_only_where_there_is_https(conninfo: str, tmp_path: Path) -> None:
    environ = {"DONPOSITIF_HOME": str(tmp_path), "PUBLIC_URL": "https://don.example"}
    catch_up(conninfo, READ_MODELS)
    with served(Settings.from_environment(environ), conninfo) as (app, client):
        bakery = add_partner(app.state.context.ledger, ACTOR, "Boulangerie", BAKERY)
        till = enrol_till(app.state.context.ledger, ACTOR, bakery, "Caisse 1")
        app.state.context.admission.refresh()
        answer = client.post("/till/key", data={"key": till.key})
        assert SimpleCookie(answer.headers["set-cookie"])["till"]["secure"]


@pytest.mark.parametrize("typed", ["", "0", "douze", '"><script>'])
def test_a_sale_that_is_no_amount_is_kept_to_be_corrected(village: Village, typed: str) -> None:
    village.open_till()
    answer = village.client.post("/till/ask", data={"sale": typed})
    assert answer.status_code == 422
    assert f'value="{typed}"' in said(answer)
    assert "<script>" not in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_a_gift_is_recorded_once_however_often_it_is_sent(village: Village) -> None:
    village.open_till()
    ask = village.ask("12,34")
    shown = village.text(f"/till/ask?sale={ask['sale']}&gift={ask['gift']}&at={ask['at']}")
    assert "Donner 0,66 €" in shown
    assert "13,00 € en tout" in shown
    for _ in range(3):
        answer = village.client.post("/till/gifts", data=ask | {"choice": "round_up"})
        assert answer.headers["location"] == f"/till/tickets/{ask['gift']}"
    village.follow()
    assert village.json("/api/v1/figures")["given_cents"] == 66
    back = village.client.get(f"/till/ask?sale={ask['sale']}&gift={ask['gift']}&at={ask['at']}")
    assert back.headers["location"] == f"/till/tickets/{ask['gift']}"


def test_another_choice_for_the_same_sale_changes_nothing(village: Village) -> None:
    village.open_till()
    ask = village.ask("12,34")
    village.client.post("/till/gifts", data=ask | {"choice": "round_up"})
    answer = village.client.post("/till/gifts", data=ask | {"choice": "add_on-100"})
    assert answer.headers["location"] == f"/till/tickets/{ask['gift']}?again=1"
    assert "rien n’a été enregistré deux fois" in village.text(answer.headers["location"])
    village.follow()
    assert village.json("/api/v1/figures")["given_cents"] == 66


def test_a_whole_sum_is_asked_for_a_euro_only(village: Village) -> None:
    village.open_till()
    ask = village.ask("13")
    shown = village.text(f"/till/ask?sale={ask['sale']}&gift={ask['gift']}&at={ask['at']}")
    assert "Donner 1,00 €" in shown
    assert "Donner 0,00 €" not in shown
    assert village.client.post("/till/gifts", data=ask | {"choice": "round_up"}).headers[
        "location"
    ] == ("/till")
    village.client.post("/till/gifts", data=ask | {"choice": "add_on-100"})
    village.follow()
    assert village.json("/api/v1/figures")["given_cents"] == 100


def test_the_ticket_holds_the_code_and_its_square(village: Village) -> None:
    village.open_till()
    ask = village.ask()
    village.client.post("/till/gifts", data=ask | {"choice": "round_up"})
    answer = village.client.get(f"/till/tickets/{ask['gift']}")
    code = village.context.tickets.code(UUID(ask["gift"]))
    assert code in answer.text
    assert "<svg" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "Votre don" in village.text(f"/g/{code}")


@pytest.mark.parametrize(
    "query",
    ["", "sale=0&gift=x&at=1", "sale=1e3&gift=x&at=1", f"sale=5&gift={NOBODY}&at={10**30}"],
)
def test_an_ask_that_is_none_leads_back_to_the_till(village: Village, query: str) -> None:
    village.open_till()
    assert village.client.get(f"/till/ask?{query}").headers["location"] == "/till"
    answer = village.client.post("/till/gifts", content=query)
    assert answer.headers["location"] == "/till"


def test_a_form_of_another_site_is_refused(village: Village) -> None:
    village.open_till()
    ask = village.ask() | {"choice": "round_up"}
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ):
        for address in ("/till/key", "/till/ask", "/till/gifts", "/till/leave"):
            answer = village.client.post(address, data=ask, headers=headers)
            assert answer.status_code == 403, address
    own = {"origin": str(village.client.base_url).rstrip("/"), "sec-fetch-site": "same-origin"}
    assert village.client.post("/till/gifts", data=ask, headers=own).status_code == 303


def test_a_revoked_key_closes_the_till(village: Village) -> None:
    village.open_till()
    ask = village.ask() | {"choice": "round_up"}
    revoke_till(village.context.ledger, ACTOR, village.till.till_id, "stolen")
    village.context.admission.refresh()
    assert village.client.post("/till/gifts", data=ask).headers["location"] == "/till"
    assert "n’est plus valable" in village.text("/till")
    assert "n’est plus valable" not in village.text("/till")
    village.follow()
    assert village.json("/api/v1/figures")["gifts"] == 0


def test_a_till_forgets_its_key(village: Village) -> None:
    village.open_till()
    assert village.client.post("/till/leave").headers["location"] == "/till"
    assert "Le code ou la clé de la caisse" in village.text("/till")


def test_a_ticket_is_shown_to_the_shop_that_collected_only(village: Village) -> None:
    gift = village.give()
    other = enrol_till(village.context.ledger, ACTOR, village.bookshop, "Caisse 2")
    village.context.admission.refresh()
    address = f"/till/tickets/{gift['donation_id']}"
    assert village.client.get(address).headers["location"] == "/till"
    village.client.post("/till/key", data={"key": other.key})
    assert village.client.get(address).status_code == 404
    assert village.client.get("/till/tickets/none").status_code == 404
    village.open_till()
    assert village.client.get(address).status_code == 200


def test_the_words_of_the_ask_are_recorded_by_number(village: Village) -> None:
    """What a customer reads and what the record names are the same ask."""
    village.open_till()
    ask = village.ask()
    address = f"/till/ask?sale={ask['sale']}&gift={ask['gift']}&at={ask['at']}"
    for words, headers in (
        ("Voulez-vous arrondir à 13,00 € ?", FR),
        ("Votre don va aux projets des habitants de L’Isle-sur-la-Sorgue.", FR),
        ("Will you round up to €13.00?", EN),
        ("Your gift goes to the projects of the people of L’Isle-sur-la-Sorgue.", EN),
    ):
        assert words in village.text(address, headers)
    village.client.post("/till/gifts", data=ask | {"choice": "round_up"})
    with village.context.pool.connection() as connection:
        row = connection.execute(
            "SELECT convert_from(state, 'UTF8')::json ->> 'ask_id' FROM ledger_events"
            " WHERE topic = 'DonationRecorded'"
        ).fetchone()
    assert row == ("round-up.fr.1",)


# The customer's ticket.


def test_a_ticket_shows_its_gift_to_whoever_holds_the_code(village: Village) -> None:
    gift = village.give(66, purchase_cents=1234)
    address = f"/g/{gift['code']}"
    answer = village.client.get(address, headers=FR)
    assert "0,66 €" in said(answer)
    assert "12,34 €" in said(answer)
    assert "Boulangerie <du> Bassin" in said(answer)
    assert "Vous ne pouvez pas encore choisir" in said(answer)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert village.client.get(address.lower()).status_code == 200
    village.give_back(gift["donation_id"], 6)
    assert "il vous en a été rendu 0,06 €" in village.text(address)
    village.give_back(gift["donation_id"], 60)
    assert "entièrement rendu" in village.text(address)


def test_a_typed_code_leads_to_its_ticket(village: Village) -> None:
    code = village.give()["code"]
    typed = f" {code.lower().replace('-', ' ')}"
    for answer in (
        village.client.get("/g", params={"code": typed}),
        village.client.post("/g", data={"code": typed}),
    ):
        assert (answer.status_code, answer.headers["location"]) == (303, f"/g/{code}")


def test_a_wrong_code_is_explained(village: Village) -> None:
    code = village.give()["code"]
    mistyped = code[:-1] + ("2" if code[-1] != "2" else "3")
    for typed, words in (
        ("", "Tapez d’abord le code"),
        (mistyped, "faute de frappe"),
        (code[:-1], "il en manque"),
        ("É" + code[1:], "sauf I, L et O"),
    ):
        answer = village.client.post("/g", data={"code": typed}, headers=FR)
        assert answer.status_code == 422
        assert words in said(answer)
    assert village.client.get(f"/g/{mistyped}").status_code == 404


def test_an_unknown_code_is_not_found(village: Village) -> None:
    unknown = village.context.tickets.code(uuid4())
    answer = village.client.get(f"/g/{unknown}", headers=FR)
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")
    assert "Aucun don ne porte ce code" in said(answer)
