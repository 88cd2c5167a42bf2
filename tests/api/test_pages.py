"""The pages and their JSON twins, over the real application and a real database."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response as StarletteResponse

from api.demo_life import sanction
from api.errors import page_busy, page_failed
from api.home import FiguresOut
from api.journal import JournalOut
from api.pages import version
from api.partner_twins import PartnerFiguresOut, PartnersOut
from tests.api import villages
from tests.api.villages import BAKERY, EN, FR, Village, said

village = villages.village


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
