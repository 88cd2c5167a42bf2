"""The public directory and a partner's page: searched, explained, and silent without consent."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

import httpx
import pytest

from api.admin import add_partner
from ledger.partners.agreements import AmendAgreement, agreement, agreement_id_of
from ledger.partners.register import SetPublicationConsent, partner
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.served import Served
from tests.api.shops import Shop, gift, open_shop, siret, suspend
from tests.api.stored import stored
from tests.ledger.processes import eventually

EN = {"Accept-Language": "en"}
# What an answer says of the whole ledger: how far it stands.
POSITION = r'As of entry .+? at [\d:]+\.|"(?:as_of_position|known_at)":\d+'
Follow = Callable[[], None]


@pytest.fixture
def follow(served: Served, conninfo: str) -> Follow:
    """Bring the pages up to the newest event."""

    def bring() -> None:
        catch_up(conninfo, READ_MODELS)
        newest = stored(conninfo)[-1].position
        figures = "/api/v1/figures"
        eventually(lambda: served.client.get(figures).json()["as_of_position"] == newest)

    catch_up(conninfo, READ_MODELS)
    return bring


def words(served: Served, address: str, status: int = httpx.codes.OK) -> str:
    answer = served.client.get(address, headers=EN)
    assert answer.status_code == status, answer.text
    text = unescape(answer.text).replace("\u202f", " ").replace("\xa0", " ")
    return " ".join(text.split())


def read(served: Served, address: str) -> Any:
    answer = served.client.get(address)
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer.json()


def names(served: Served, query: str) -> list[str]:
    found = [one["name"] for one in read(served, f"/api/v1/partners?{query}")["partners"]]
    page = words(served, f"/partners?{query}")
    assert all(f">{name}</a>" in page for name in found)
    assert page.count('class="row-name"') == len(found)
    return found


@pytest.fixture
def village(served: Served, follow: Follow) -> None:
    ledger = served.context.ledger
    described: list[dict[str, Any]] = [
        {"name": "Épicerie des Névons", "place": "L’Isle-sur-la-Sorgue", "sector": "food"},
        {"name": "Café de la Roue", "place": "L’Isle-sur-la-Sorgue", "sector": "restaurant"},
        {"name": "Moulin à huile", "place": "Le Thor", "sector": "food"},
    ]
    for number, one in enumerate(described, start=50):
        name = one.pop("name")
        add_partner(ledger, "test", name, siret(number), **one)
    follow()


@pytest.mark.usefixtures("village")
def test_the_directory_is_searched_by_name_place_and_sector(served: Served) -> None:
    everyone = ["Café de la Roue", "Épicerie des Névons", "Moulin à huile"]
    assert names(served, "") == everyone
    assert names(served, "query=epicerie") == ["Épicerie des Névons"]
    assert names(served, "sector=food") == ["Épicerie des Névons", "Moulin à huile"]
    assert names(served, "place=Le+Thor&sector=food") == ["Moulin à huile"]
    assert names(served, "query=nobody") == []
    assert "0 shops match" in words(served, "/partners?query=nobody")


@pytest.mark.usefixtures("village")
def test_what_was_asked_stays_in_the_form_and_in_the_links(served: Served) -> None:
    page = words(served, "/partners?query=mou&sector=food")
    assert 'value="mou"' in page
    assert '<option value="food" selected>' in page
    assert "/api/v1/partners?query=mou&sector=food" in page
    assert "?query=mou&sector=food&lang=fr" in page


@pytest.mark.usefixtures("village")
def test_a_page_forgives_what_the_api_refuses(served: Served) -> None:
    assert words(served, "/partners?query=%00&sector=none&page=0").count('"row-name"') == 3
    assert "Show them all" in words(served, "/partners?page=9")
    for query in ("sector=none", "query=%00", "query=" + 121 * "a"):
        answer = served.client.get(f"/api/v1/partners?{query}")
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY


def give(served: Served, shop: Shop, cents: int) -> None:
    body = gift(amount_cents=cents)
    answer = served.client.post("/api/v1/donations", json=body, headers=shop.bearer)
    assert answer.status_code == httpx.codes.CREATED


def consent(served: Served, shop: Shop, *, given: bool) -> None:
    command = SetPublicationConsent(
        at=datetime.now(UTC), actor="test", partner_id=shop.partner_id, consented=given
    )
    served.context.ledger.handle(partner, shop.partner_id, command)


def test_figures_are_shown_only_with_consent(served: Served, shop: Shop, follow: Follow) -> None:
    give(served, shop, 12_345)
    follow()
    address = f"/partners/{shop.partner_id}"
    assert "€123.45" in words(served, address)
    assert "What is passed on to the foundation is told for all shops together." in words(
        served, address
    )
    consent(served, shop, given=False)
    follow()
    for page in (words(served, address), words(served, "/partners")):
        assert "€123.45" not in page
    assert "does not publish its own figures" in words(served, address)
    assert "€123.45" in words(served, "/")
    hidden = ("gifts", "given_cents", "reversed_cents")
    listed = read(served, "/api/v1/partners")["partners"][0]
    alone = read(served, f"/api/v1{address}")
    assert [listed[name] for name in hidden] == [None, None, None]
    more = (*hidden, "reversals", "net_cents", "by_source", "months", "passed_on_cents")
    assert {alone[name] for name in more} == {None}


def test_a_shops_page_leads_to_what_is_owed(served: Served, shop: Shop, follow: Follow) -> None:
    follow()
    page = served.client.get(f"/partners/{shop.partner_id}").text
    assert 'href="/owed"' in page.split("<main", 1)[1].split("</main>", 1)[0]
    assert "not recorded here" not in page


def test_no_public_answer_has_a_silent_shops_amount_beside_its_name(
    served: Served, shop: Shop, follow: Follow
) -> None:
    consent(served, shop, given=False)
    other = open_shop(served.context.ledger, 2)
    give(served, shop, 98_765)
    give(served, other, 12_300)
    follow()
    everywhere = ("/", "/journal", "/api/v1/figures", "/api/v1/journal")
    own = (
        *(f"/partners/{shop.partner_id}", f"/api/v1/partners/{shop.partner_id}"),
        *(f"/badges/{shop.partner_id}{form}" for form in ("", ".json", ".svg")),
        *("/partners", "/api/v1/partners", f"/verify?partner={shop.partner_id}"),
        *(f"/partners/{shop.partner_id}/complaint", "/healthz"),
    )
    for path in own:
        assert not re.search(r"987[.,]?65", words(served, path)), path
    for path in everywhere:
        page = words(served, path)
        assert re.search(r"(987|1,?110)[.,]?65", page), path
        for entry in re.split(r"</li>|},", page):
            whose = str(shop.partner_id) in entry or "Boulangerie 1" in entry
            assert not (whose and re.search(r"987[.,]?65", entry)), entry
    (unnamed,) = (
        one
        for one in read(served, "/api/v1/journal")["entries"]
        if one.get("amount_cents") == 98_765
    )
    assert unnamed.keys() == {
        *("position", "kind", "recorded_on", "source", "amount_cents", "occurred_on"),
    }
    assert "A customer gave" in words(served, "/journal")
    assert "at a partner shop" in words(served, "/journal")


def test_a_silent_shops_gifts_change_no_answer_about_it(
    served: Served, shop: Shop, follow: Follow
) -> None:
    """Whoever watches an ETag learns that something was given in the village, never where."""
    consent(served, shop, given=False)
    other = open_shop(served.context.ledger, 2)
    consent(served, other, given=False)
    seen: list[list[str]] = []
    for giver in (other, shop, other):
        follow()
        paths = [f"/partners/{shop.partner_id}", f"/api/v1/partners/{shop.partner_id}"]
        bodies = [words(served, path) for path in paths]
        seen.append([re.sub(POSITION, "", body) for body in bodies])
        give(served, giver, 4_321)
    assert seen[0] == seen[1] == seen[2]


def test_a_page_says_since_when_why_and_under_which_agreement(
    served: Served, shop: Shop, follow: Follow
) -> None:
    follow()
    page = words(served, f"/partners/{shop.partner_id}")
    for said in (
        "Certified from",
        "Agreement no. 2026-001 in force from",
        "No. 2026-001, signed on",
        "under a mandate",
        "round their purchase up",
        "Its badge",
        f"/partners/{shop.partner_id}/complaint",
    ):
        assert said in page
    told = read(served, f"/api/v1/partners/{shop.partner_id}")
    assert told["standing"]["status"] == told["status"] == "active"
    reasons = [one["name"] for one in told["standing"]["reasons"]]
    assert reasons == ["certified", "agreement_in_force"]
    agreement = told["agreements"][0]
    terms = (agreement["number"], agreement["regime"], agreement["commitment"])
    assert terms == ("2026-001", "mandate", "round_up")
    assert agreement["in_force"] == [
        {"first_on": told["standing"]["since"], "last_on": None},
    ]


def test_what_is_amended_from_a_day_on_is_not_said_of_days_before(
    served: Served, shop: Shop, follow: Follow
) -> None:
    today = datetime.now(UTC)
    number = "2026-001"
    amended = AmendAgreement(
        at=today,
        actor="test",
        agreement_id=agreement_id_of(number),
        partner_id=shop.partner_id,
        regime="own_money",
        commitment="round_up",
        charter_version=2,
        amended_on=date(2040, 1, 1),
    )
    served.context.ledger.handle(agreement, amended.agreement_id, amended)
    follow()
    assert "under a mandate" in words(served, f"/partners/{shop.partner_id}")
    path = f"/api/v1/partners/{shop.partner_id}"
    told = {
        day: [
            (one["number"], one["regime"], one["charter_version"])
            for one in read(served, f"{path}?on={day}")["agreements"]
        ]
        for day in ("2026-02-01", "2039-12-31", "2040-01-01")
    }
    before, after = [(number, "mandate", 1)], [(number, "own_money", 2)]
    assert list(told.values()) == [before, before, after]


def test_a_sanction_is_in_the_history_with_its_reason(
    served: Served, shop: Shop, follow: Follow
) -> None:
    suspend(served.context.ledger, shop.partner_id)
    follow()
    page = words(served, f"/partners/{shop.partner_id}")
    assert "its statements are overdue" in page
    assert "statements_overdue" not in page
    told = read(served, f"/api/v1/partners/{shop.partner_id}")
    stays = [one["status"] for one in told["history"]]
    assert stays[stays.index("active") :][:2] == ["active", "suspended"]
    suspended = told["history"][stays.index("suspended")]
    assert suspended["reasons"][0]["detail"] == "statements_overdue"


def test_was_it_a_partner_on_a_day(served: Served, shop: Shop, follow: Follow) -> None:
    follow()
    address, today = f"/partners/{shop.partner_id}", datetime.now(UTC).date()
    month_ago = (today - timedelta(days=30)).isoformat()
    assert "Yes." in words(served, f"{address}?on={month_ago}")
    early = words(served, f"{address}?on=2019-07-14")
    assert "No." in early
    assert "On 14 July 2019 it was not a partner." in early
    assert "Was not in the register yet." in early
    assert "Type a day as" in words(served, f"{address}?on=yesterday")
    told = read(served, f"/api/v1{address}?on={month_ago}")
    assert (told["standing"]["on"], told["standing"]["status"]) == (month_ago, "active")
    answer = served.client.get(f"/api/v1{address}?on=yesterday")
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY


def test_a_day_is_answered_as_it_was_known(served: Served, follow: Follow, conninfo: str) -> None:
    ledger = served.context.ledger
    shop = open_shop(ledger, 7)
    before = stored(conninfo)[-1].position
    suspend(ledger, shop.partner_id)
    follow()

    def known(at: int) -> Any:
        return read(served, f"/api/v1/partners/{shop.partner_id}?known_at={at}")

    assert known(before)["standing"]["status"] == "active"
    assert known(before)["standing"]["known_at"] == before
    assert "suspended" not in [one["status"] for one in known(before)["history"]]
    assert known(before + 100)["standing"]["status"] == "suspended"
    unknown = known(0)
    assert (unknown["standing"], unknown["agreements"], unknown["history"]) == (None, [], [])


def test_the_future_is_not_told_as_past(served: Served, follow: Follow) -> None:
    later = datetime.now(UTC).date() + timedelta(days=5)
    shop = open_shop(served.context.ledger, 8, since=later)
    follow()
    assert "to come, if nothing else happens" in words(served, f"/partners/{shop.partner_id}")
