"""What the offline till asks of the service."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
import segno

from api.admin import revoke_till
from api.enrolment import Offer, offer_again, offer_till
from ledger.calendar import civil_day
from ledger.devices import FIRST, LinkedGift, link_hash
from ledger.tickets import parse
from ledger.tills import TillNotEnrolled
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.served import PUBLIC_URL, Served
from tests.api.shops import ACTOR, Shop, gift, open_shop
from tests.ledger.processes import eventually
from tests.projections.village import following


@pytest.fixture(autouse=True)
def follower(conninfo: str) -> Iterator[None]:
    catch_up(conninfo, READ_MODELS)  # The tables are there before the first request, as in serve.
    with following(conninfo):
        yield


def offered(served: Served, shop: Shop, conninfo: str) -> Offer:
    offer = offer_till(served.context, ACTOR, shop.partner_id, "Étal du marché")
    catch_up(conninfo, READ_MODELS)
    return offer


def enrol(served: Served, code: str) -> httpx.Response:
    return served.client.post("/api/v1/till/enrolments", json={"code": code})


class TestEnrolment:
    def test_a_code_gives_a_device_its_key_once(
        self, served: Served, shop: Shop, conninfo: str
    ) -> None:
        offer = offered(served, shop, conninfo)
        answer = enrol(served, offer.code.lower().replace("-", " "))
        assert answer.status_code == 201, answer.text
        told = answer.json()
        assert UUID(told["till_id"]) == offer.till_id
        assert (told["name"], told["shop"]) == ("Étal du marché", "Boulangerie 1")
        cookie = answer.headers["set-cookie"]
        assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Path=/till"))
        bearer = {"Authorization": f"Bearer {told['key']}"}
        who = served.client.get("/api/v1/till", headers=bearer).json()
        assert (who["till_id"], who["last_number"]) == (told["till_id"], 0)
        again = enrol(served, offer.code)
        assert (again.status_code, again.json()["error"]["name"]) == (404, "enrolment_not_offered")

    def test_another_device_takes_a_till_over(
        self, served: Served, shop: Shop, conninfo: str
    ) -> None:
        offer = offer_again(served.context, ACTOR, shop.partner_id, shop.till_id)
        catch_up(conninfo, READ_MODELS)
        assert served.client.get("/api/v1/till", headers=shop.bearer).status_code == 200
        told = enrol(served, offer.code).json()
        assert UUID(told["till_id"]) == shop.till_id
        eventually(lambda: refuses(served, shop.bearer))

    def test_only_its_own_partner_gives_a_till_away(self, served: Served, shop: Shop) -> None:
        with pytest.raises(TillNotEnrolled):
            offer_again(served.context, ACTOR, uuid4(), shop.till_id)
        with pytest.raises(TillNotEnrolled):
            offer_again(served.context, ACTOR, shop.partner_id, uuid4())

    def test_a_new_code_replaces_the_one_before(
        self, served: Served, shop: Shop, conninfo: str
    ) -> None:
        first = offered(served, shop, conninfo)
        second = offer_again(served.context, ACTOR, shop.partner_id, first.till_id)
        catch_up(conninfo, READ_MODELS)
        assert enrol(served, first.code).status_code == 404
        assert enrol(served, second.code).status_code == 201

    def test_nobody_can_go_on_guessing(self, served: Served) -> None:
        answers = [enrol(served, "AAAA-AAAA").status_code for _ in range(60)]
        assert answers[0] == 404
        assert answers[-1] == 429
        assert enrol(served, "AAAA-AAAA").json()["error"]["name"] == "too_many_attempts"

    def test_the_page_without_scripts_takes_the_code_too(
        self, served: Served, shop: Shop, conninfo: str
    ) -> None:
        offer = offered(served, shop, conninfo)
        with httpx.Client(base_url=served.url) as client:
            wrong = client.post("/till/key", data={"key": "AAAA-AAAA"})
            assert (wrong.status_code, "Aucune caisse" in wrong.text) == (422, True)
            right = client.post("/till/key", data={"key": offer.code})
            assert right.status_code == 303
            assert right.headers["set-cookie"].startswith("till=dpt_")

    @pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": 1}, {"code": "A" * 41}])
    def test_a_malformed_body_is_named(self, served: Served, body: dict[str, Any]) -> None:
        answer = served.client.post("/api/v1/till/enrolments", json=body)
        assert (answer.status_code, answer.json()["error"]["name"]) == (422, "body_malformed")

    def test_no_code_and_no_key_is_kept_in_clear(
        self, served: Served, shop: Shop, conninfo: str
    ) -> None:
        offer = offered(served, shop, conninfo)
        key = enrol(served, offer.code).json()["key"]
        catch_up(conninfo, READ_MODELS)
        with psycopg.connect(conninfo) as connection:
            rows = connection.execute(
                "SELECT convert_from(state, 'UTF8') FROM ledger_events"
                " UNION ALL SELECT t::text FROM till AS t UNION ALL SELECT lines FROM journal_block"
            ).fetchall()
        stored = "\n".join(row[0] for row in rows)
        for secret in (offer.code, offer.code.replace("-", ""), key):
            assert secret not in stored


def refuses(served: Served, bearer: dict[str, str]) -> bool:
    return served.client.get("/api/v1/till", headers=bearer).status_code == 401


class TestTickets:
    def test_a_ticket_made_beforehand_is_the_one_that_the_gift_has(
        self, served: Served, shop: Shop
    ) -> None:
        asked = served.client.post("/api/v1/till/tickets", json={"count": 3}, headers=shop.bearer)
        made = asked.json()["tickets"]
        assert len({ticket["donation_id"] for ticket in made}) == 3
        for ticket in made:
            assert UUID(ticket["donation_id"]).version == 4
            assert parse(ticket["code"]) == ticket["code"]
            body = gift(donation_id=ticket["donation_id"])
            told = served.client.post("/api/v1/donations", json=body, headers=shop.bearer).json()
            assert (told["code"], told["choose_url"]) == (ticket["code"], ticket["choose_url"])

    def test_its_square_is_that_of_its_address(self, served: Served, shop: Shop) -> None:
        asked = served.client.post("/api/v1/till/tickets", json={"count": 1}, headers=shop.bearer)
        (ticket,) = asked.json()["tickets"]
        assert ticket["choose_url"].startswith(f"{PUBLIC_URL}/g/")
        rows = ticket["qr"]
        drawn = segno.make(ticket["choose_url"], error="m", micro=False, mask=2)
        assert [[row >> place & 1 for place in reversed(range(len(rows)))] for row in rows] == [
            list(row) for row in drawn.matrix
        ]

    @pytest.mark.parametrize("count", [0, 101, "3", 1.5])
    def test_they_are_made_by_the_hundred_at_most(
        self, served: Served, shop: Shop, count: Any
    ) -> None:
        asked = served.client.post(
            "/api/v1/till/tickets", json={"count": count}, headers=shop.bearer
        )
        assert asked.status_code == 422

    @pytest.mark.parametrize("path", ["tickets", "known", "closes"])
    def test_a_key_is_needed(self, served: Served, path: str) -> None:
        answer = served.client.post(f"/api/v1/till/{path}", json={})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def linked(shop: Shop, number: int, previous: str, at: datetime | None = None) -> dict[str, Any]:
    """Make the body of a gift with its link, of five minutes ago unless said otherwise."""
    at = at or datetime.now(UTC) - timedelta(minutes=5)
    linking = LinkedGift(
        till_id=shop.till_id,
        number=number,
        donation_id=uuid4(),
        occurred_at=at,
        amount_cents=40,
        source="customer",
    )
    link = {"number": number, "previous": previous, "hash": link_hash(previous, linking)}
    donation_id = str(linking.donation_id)
    return gift(donation_id=donation_id, occurred_at=at.isoformat(), device=link)


def chained(shop: Shop, count: int) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for number in range(1, count + 1):
        made.append(linked(shop, number, made[-1]["device"]["hash"] if made else FIRST))
    return made


class TestKnown:
    def known(self, served: Served, shop: Shop, *donation_ids: object) -> httpx.Response:
        body = {"donation_ids": [str(one) for one in donation_ids]}
        return served.client.post("/api/v1/till/known", json=body, headers=shop.bearer)

    def test_a_gift_is_told_to_every_till_of_its_shop_and_to_no_other(
        self, served: Served, shop: Shop, conninfo: str
    ) -> None:
        stranger = open_shop(served.context.ledger, 2)
        other = enrol(served, offered(served, shop, conninfo).code).json()
        sent = linked(shop, 1, FIRST)
        assert served.client.post("/api/v1/donations", json=sent, headers=shop.bearer).is_success
        plain = gift()
        assert served.client.post("/api/v1/donations", json=plain, headers=shop.bearer).is_success
        asked = (sent["donation_id"], uuid4(), plain["donation_id"], sent["donation_id"])
        expected = [
            {"donation_id": one["donation_id"], "till_id": str(shop.till_id), "hash": link}
            for one, link in ((sent, sent["device"]["hash"]), (plain, None))
        ]
        sister = replace(shop, key=other["key"])
        for asking in (shop, sister):
            answer = self.known(served, asking, *asked)
            assert (answer.status_code, answer.json()) == (200, {"known": expected})
        assert self.known(served, stranger, *asked).json() == {"known": []}

    def test_they_are_asked_for_by_the_hundred_at_most(self, served: Served, shop: Shop) -> None:
        assert self.known(served, shop, *(uuid4() for _ in range(100))).status_code == 200
        for wrong in ([], [uuid4() for _ in range(101)], ["x"]):
            answer = self.known(served, shop, *wrong)
            assert (answer.status_code, answer.json()["error"]["name"]) == (422, "body_malformed")


class TestCloses:
    def close(self, served: Served, shop: Shop, **claim: Any) -> httpx.Response:
        body = {"day": civil_day(datetime.now(UTC)).isoformat(), "gifts": 3, "cents": 120} | claim
        return served.client.post("/api/v1/till/closes", json=body, headers=shop.bearer)

    def test_a_day_agrees_with_all_that_was_recorded_before(
        self, served: Served, shop: Shop
    ) -> None:
        batch = {"donations": chained(shop, 3)}
        sent = served.client.post("/api/v1/donations/batch", json=batch, headers=shop.bearer)
        assert [result["status"] for result in sent.json()["results"]] == [201, 201, 201]
        answer = self.close(served, shop, first_number=1, last_number=3)
        assert answer.status_code == 201, answer.text
        told = answer.json()
        assert (told["agrees"], told["ledger_gifts"], told["ledger_cents"]) == (True, 3, 120)
        assert told["gaps"] == []
        again = self.close(served, shop, first_number=1, last_number=3)
        assert (again.status_code, again.json()) == (200, told)

    def test_what_is_missing_is_told_and_then_filled(self, served: Served, shop: Shop) -> None:
        gifts = chained(shop, 4)
        for body in (gifts[0], gifts[3]):
            served.client.post("/api/v1/donations", json=body, headers=shop.bearer)
        told = self.close(served, shop, gifts=5, cents=200, first_number=1, last_number=5).json()
        assert (told["agrees"], told["ledger_gifts"]) == (False, 2)
        # The last one was made and not sent; the read model learns of the claim from the close.
        assert told["gaps"] == [{"first_number": 2, "last_number": 3}]
        for body in gifts[1:3]:
            served.client.post("/api/v1/donations", json=body, headers=shop.bearer)
        told = self.close(served, shop, gifts=4, cents=160, first_number=1, last_number=4).json()
        assert (told["agrees"], told["gaps"]) == (True, [{"first_number": 5, "last_number": 5}])
        told = self.close(served, shop, gifts=4, cents=161, first_number=1, last_number=4).json()
        assert (told["agrees"], told["gaps"]) == (False, [])

    @pytest.mark.parametrize(
        ("claim", "name"),
        [
            ({"day": "2199-01-01"}, "day_not_begun"),
            ({"first_number": 2}, "numbers_reversed"),
            ({"first_number": 2, "last_number": 1}, "numbers_reversed"),
            ({"gifts": -1}, "body_malformed"),
            ({"cents": 1.5}, "body_malformed"),
            ({"day": "today"}, "body_malformed"),
            ({"day": 0}, "body_malformed"),
            ({"day": "0001-01-01"}, "body_malformed"),
            ({"day": "9999-12-31"}, "body_malformed"),
            ({"more": 1}, "body_malformed"),
        ],
    )
    def test_each_misuse_has_its_name(
        self, served: Served, shop: Shop, claim: dict[str, Any], name: str
    ) -> None:
        answer = self.close(served, shop, **claim)
        assert (answer.status_code, answer.json()["error"]["name"]) == (422, name)


@pytest.mark.parametrize(
    "device",
    [
        {"number": 1},
        {"number": 0, "previous": FIRST, "hash": FIRST},
        {"number": 1, "previous": "x", "hash": FIRST},
        {"number": "1", "previous": FIRST, "hash": FIRST},
        {"number": 1, "previous": FIRST, "hash": FIRST, "more": 1},
        [],
    ],
)
def test_a_malformed_link_is_named_and_nothing_recorded(
    served: Served, shop: Shop, device: Any
) -> None:
    answer = served.client.post("/api/v1/donations", json=gift(device=device), headers=shop.bearer)
    assert answer.status_code == 422
    problems = answer.json()["error"]["problems"]
    assert all(problem["field"].startswith("device") for problem in problems)


def test_a_link_that_does_not_fit_is_recorded_all_the_same(served: Served, shop: Shop) -> None:
    wrong = {"number": 7, "previous": "a" * 64, "hash": "b" * 64}
    answer = served.client.post("/api/v1/donations", json=gift(device=wrong), headers=shop.bearer)
    assert answer.status_code == 201


def test_a_till_is_seen_at_most_once_a_minute(served: Served, shop: Shop, conninfo: str) -> None:
    def seen() -> list[Any]:
        with psycopg.connect(conninfo) as connection:
            return connection.execute("SELECT till_id, seen_at FROM till_seen").fetchall()

    served.client.get("/api/v1/till", headers=shop.bearer)
    eventually(lambda: bool(seen()))
    ((till_id, first),) = seen()
    assert till_id == shop.till_id
    for _ in range(5):
        served.client.post("/api/v1/donations", json=gift(), headers=shop.bearer)
    assert seen() == [(till_id, first)]
    revoke_till(served.context.ledger, ACTOR, shop.till_id, "lost")


class TestApp:
    def test_the_page_is_one_for_each_language_and_knows_no_till(self, served: Served) -> None:
        for language, words in (("fr", "Installer cet appareil"), ("en", "Set up this device")):
            page = served.client.get(f"/till/app/{language}")
            assert f'<html lang="{language}">' in page.text
            assert words in page.text
            assert page.headers["cache-control"] == "no-cache"
            assert "default-src 'self'" in page.headers["content-security-policy"]
        answer = served.client.get("/till/app", headers={"accept-language": "en"})
        assert answer.headers["location"] == "/till/app/en"
        assert served.client.get("/till/app/de").status_code == 404

    def test_the_worker_is_let_rule_the_till_and_names_all_it_keeps(self, served: Served) -> None:
        worker = served.client.get("/till/worker.js")
        assert worker.headers["service-worker-allowed"] == "/till"
        line = next(one for one in worker.text.splitlines() if one.startswith("const KEPT"))
        kept = [part for part in line.split('"') if part.startswith("/")]
        assert len(kept) > 8
        for address in kept:
            assert served.client.get(address).status_code == 200, address

    def test_a_demonstration_says_so_and_a_real_ledger_does_not(self, served: Served) -> None:
        aside = '<aside class="demonstration">'
        real = served.client.get("/till/worker.js").text
        assert aside not in served.client.get("/till/app/fr").text
        served.context.demonstration = True
        assert aside in served.client.get("/till/app/fr").text
        assert served.client.get("/till/worker.js").text != real  # So that phones take the page.

    def test_it_installs(self, served: Served) -> None:
        manifest = served.client.get("/till/app/fr/manifest.webmanifest")
        assert manifest.headers["content-type"] == "application/manifest+json"
        told = manifest.json()
        assert (told["display"], told["scope"]) == ("standalone", "/till")
        assert served.client.get(told["start_url"]).status_code == 200
        assert served.client.get(told["icons"][0]["src"]).status_code == 200
