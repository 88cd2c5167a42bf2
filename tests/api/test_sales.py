"""A sale at the till on plain forms, and the ticket that the customer takes away."""

from http.cookies import SimpleCookie
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from api.admin import add_partner, enrol_till, revoke_till
from api.till import sale_cents_of
from ledger.settings import Settings
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api import villages
from tests.api.villages import ACTOR, BAKERY, EN, FR, Village, said, served

village = villages.village

# Nothing has this id; it is the same in every process that collects the tests.
NOBODY = "1f0c6a0e-5d3b-4c1f-9a63-0d9f1c2b7e55"


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
