"""A stall without network: gifts stay on the phone, and reach the ledger once each, in order."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Route, expect

from tests.browser.conftest import Service, Visitor, Visitors
from tests.browser.phones import CODE, Phone, Phones
from tests.browser.test_pages import fits, is_accessible

DEADLINE_SECONDS = 10.0


@pytest.fixture
def partner(service: Service) -> str:
    found: list[dict[str, Any]] = service.command("partner", "list")["partners"]
    return str(next(one["partner_id"] for one in found if one["name"] == "Au P’tit Pain"))


@pytest.fixture
def phones(browser: Browser, service: Service) -> Iterator[Phones]:
    made = Phones(browser, service)
    yield made
    for phone in made.held:
        phone.context.close()
    assert [fault for phone in made.held for fault in phone.faults] == []


def offer(service: Service, partner: str, name: str = "Étal") -> dict[str, Any]:
    return service.command("till", "offer", "--partner", partner, "--name", name)


def every_ticket_opens(service: Service, codes: list[str]) -> None:
    found = [httpx.get(f"{service.url}/g/{code}").status_code for code in codes]
    assert found == [200] * len(codes)


def journal(service: Service) -> list[dict[str, Any]]:
    answer = httpx.get(f"{service.url}/api/v1/journal?limit=100")
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries


def head(service: Service) -> int:
    position: int = journal(service)[0]["position"]
    return position


def until(condition: Callable[[], bool], seconds: float = DEADLINE_SECONDS) -> None:
    """Wait for what the read models will show."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the deadline passed"
        time.sleep(0.05)


def fresh(service: Service, before: int) -> list[dict[str, Any]]:
    """The gifts after a position of the journal, oldest first."""
    entries = journal(service)
    gifts = [one for one in entries if one["kind"] == "DonationRecorded"]
    return [one for one in reversed(gifts) if one["position"] > before]


def test_ten_gifts_without_network_arrive_once_each_and_in_order(
    phones: Phones, service: Service, partner: str
) -> None:
    phone = phones.take()
    phone.enrols(offer(service, partner)["code"])
    before = head(service)
    phone.loses_network()
    for euros in range(1, 6):
        phone.sells(f"{euros},{euros}0")
    expect(phone.page.locator("[data-state]")).to_contain_text("Pas de réseau")
    expect(phone.page.locator("[data-state]")).to_have_attribute("data-waiting", "5")
    phone.page.reload()
    expect(phone.page.locator("#sale")).to_be_focused()
    for euros in range(6, 11):
        phone.sells(f"{euros},{euros % 10}0")
    phone.page.close()
    phone.page = phone.open()
    phone.page.goto(f"{service.url}/till")  # Without network, any page of the till leads here.
    expect(phone.page.locator("#sale")).to_be_focused()
    expect(phone.page.locator("[data-state]")).to_have_attribute("data-waiting", "10")
    phone.comes_back()
    phone.has_sent_everything()
    assert len(set(phone.codes)) == 10
    every_ticket_opens(service, phone.codes)
    cents = [90, 80, 70, 60, 50, 40, 30, 20, 10, 100]
    until(lambda: [entry["amount_cents"] for entry in fresh(service, before)] == cents)
    phone.page.reload()
    phone.has_sent_everything()
    assert len(fresh(service, before)) == 10


HELD_KEY = """() => new Promise((resolve) => {
  const opening = indexedDB.open("don-positif-till");
  opening.onsuccess = () => {
    const asked = opening.result.transaction("device").objectStore("device").get("device");
    asked.onsuccess = () => { opening.result.close(); resolve(asked.result.key); };
  };
})"""
BACKUP = """() => new Promise((resolve) => {
  const opening = indexedDB.open("don-positif-till");
  opening.onsuccess = () => {
    const kept = {}, names = ["device", "tickets", "gifts", "closes"];
    const reading = opening.result.transaction(names);
    for (const name of names) {
      reading.objectStore(name).getAll().onsuccess = (done) => { kept[name] = done.target.result; };
    }
    reading.oncomplete = () => { opening.result.close(); resolve(kept); };
  };
})"""
RESTORE = """(kept) => new Promise((resolve) => {
  const opening = indexedDB.open("don-positif-till");
  opening.onsuccess = () => {
    const writing = opening.result.transaction(Object.keys(kept), "readwrite");
    for (const [name, rows] of Object.entries(kept)) {
      const store = writing.objectStore(name);
      store.clear();
      for (const row of rows) store.put(row);
    }
    writing.oncomplete = () => { opening.result.close(); resolve(); };
  };
})"""


@pytest.fixture
def manager(visitors: Visitors, service: Service, partner: str) -> Visitor:
    """The shop's manager, signed in by the link of her letter."""
    email = f"{uuid4().hex}@exemple.fr"
    who = ("--email", email, "--name", "Anne Fabre", "--role", "partner_manager")
    link = service.command("user", "add", *who, "--partner", partner)["link"]
    visitor = visitors.arrive(width=320)
    visitor.page.goto(link)
    visitor.page.locator("#password").fill("quatre roues à aubes")
    visitor.page.locator("#password").press("Enter")
    visitor.page.wait_for_url("**/account")
    return visitor


def card(manager: Visitor, till_id: str) -> Locator:
    manager.goes("/my/tills")
    return manager.page.locator(f"#till-{till_id}")


def shows(manager: Visitor, till_id: str, words: str) -> None:
    """Reload the page of tills until it tells of what the read models have taken in."""
    until(lambda: words in plain(card(manager, till_id).inner_text()))


def plain(text: str) -> str:
    return " ".join(text.replace("\u202f", " ").replace("\xa0", " ").split())


def test_a_manager_gives_out_a_code_and_the_phone_takes_it_from_the_link(
    phones: Phones, manager: Visitor, service: Service
) -> None:
    manager.goes("/my/tills")
    manager.page.locator("input[name=name]").fill("Marché du dimanche")
    manager.page.get_by_role("button", name="Donner un code").click()
    code = manager.page.locator(".code").inner_text()
    fits(manager)
    is_accessible(manager)
    phone = phones.take()
    phone.page.goto(f"{service.url}/till/app#{code}")
    expect(phone.page.locator("#code")).to_have_value(code)
    assert code not in phone.page.url
    phone.page.locator("#code").press("Enter")
    expect(phone.page.locator("#sale")).to_be_focused()
    expect(phone.page.locator(".brand-place")).to_have_text("Marché du dimanche")
    other = phones.take()
    other.page.goto(f"{service.url}/till/app")
    other.page.locator("#code").fill(code)
    other.page.locator("#code").press("Enter")
    expect(other.page.locator("#code-error")).to_contain_text("Aucune caisse n’attend ce code")
    expect(other.page.locator("#code")).to_be_focused()


def test_two_devices_with_one_key_are_found_out(
    phones: Phones, manager: Visitor, service: Service, partner: str
) -> None:
    offered = offer(service, partner, "Deux téléphones")
    one, two = phones.take(), phones.take()
    one.enrols(offered["code"])
    two.enrols(one.page.evaluate(HELD_KEY))
    for phone in (one, two, one, two):
        phone.sells("2,30")
    for phone in (one, two):
        phone.has_sent_everything()
    shows(manager, offered["till_id"], "Deux appareils utilisent la clé de cette caisse")
    assert len(set(one.codes + two.codes)) == 4


def test_a_wiped_phone_is_found_out(
    phones: Phones, manager: Visitor, service: Service, partner: str
) -> None:
    offered = offer(service, partner, "Téléphone effacé")
    before, after = phones.take(), phones.take()
    before.enrols(offered["code"])
    before.sells("2,30")
    before.sells("2,40")
    before.has_sent_everything()
    before.loses_network()
    before.sells("2,50")
    again = service.command("till", "offer", "--till", offered["till_id"])
    assert again["till_id"] == offered["till_id"]
    after.enrols(again["code"])
    after.sells("2,60")
    after.has_sent_everything()
    shows(manager, offered["till_id"], "a recommencé à compter à partir de 1")


def test_a_phone_whose_key_was_replaced_keeps_its_gifts_for_a_new_one(
    phones: Phones, service: Service, partner: str
) -> None:
    offered = offer(service, partner, "Clé remplacée")
    phone = phones.take()
    phone.enrols(offered["code"])
    phone.loses_network()
    phone.sells("2,30")
    service.command("till", "rotate", "--till", offered["till_id"])
    phone.comes_back()
    expect(phone.page.locator("[data-revoked]")).to_be_visible()
    again = service.command("till", "offer", "--till", offered["till_id"])["code"]
    phone.becomes(again)
    expect(phone.page.locator("#sale")).to_be_focused()
    phone.has_sent_everything()
    every_ticket_opens(service, phone.codes)


def test_a_phone_that_changes_shops_first_sends_what_was_given_in_the_one_before(
    phones: Phones, service: Service, partner: str
) -> None:
    before = head(service)
    offered = offer(service, partner, "Prêtée")
    phone = phones.take()
    phone.enrols(offered["code"])
    phone.loses_network()
    phone.sells("2,30")
    service.command("till", "rotate", "--till", offered["till_id"])
    phone.comes_back()
    expect(phone.page.locator("[data-revoked]")).to_be_visible()
    others = service.command("partner", "list")["partners"]
    other = next(one["partner_id"] for one in others if one["partner_id"] != partner)
    phone.becomes(offer(service, other, "Rendue")["code"])
    complaint = "garde encore des dons de Au P’tit Pain"
    expect(phone.page.locator("[data-view=enrol]")).to_contain_text(complaint)
    phone.becomes(service.command("till", "offer", "--till", offered["till_id"])["code"])
    phone.has_sent_everything()
    until(lambda: bool(fresh(service, before)))
    assert len(fresh(service, before)) == 1
    (code,) = phone.codes
    assert "Au P’tit Pain" in httpx.get(f"{service.url}/g/{code}").text


@pytest.mark.parametrize("connected", [True, False], ids=["connected", "offline"])
def test_a_restored_backup_is_found_out_and_loses_no_gift(
    phones: Phones, manager: Visitor, service: Service, partner: str, connected: bool
) -> None:
    offered = offer(service, partner, f"Sauvegarde {connected}")
    phone = phones.take()
    phone.enrols(offered["code"])
    phone.sells("2,30")
    phone.has_sent_everything()
    backup = phone.page.evaluate(BACKUP)
    phone.sells("2,40")
    phone.has_sent_everything()
    until(lambda: last_number(phone) == 2)
    before = head(service)
    phone.context.set_offline(not connected)
    phone.page.evaluate(RESTORE, backup)
    if connected:  # Then the till hears of later numbers than its own, and takes fresh tickets.
        with phone.page.expect_response("**/api/v1/till/tickets"):
            phone.page.reload()
    else:
        phone.page.reload()
    expect(phone.page.locator("#sale")).to_be_focused()
    phone.sells("2,60")
    phone.comes_back()
    phone.has_sent_everything()
    shows(manager, offered["till_id"], "une ancienne sauvegarde a été restaurée")
    assert [one["amount_cents"] for one in fresh(service, before)] == [40]
    assert (len(set(phone.codes)) == 3) == connected  # Without network its ticket was used again.


def last_number(phone: Phone) -> int:
    key = phone.page.evaluate(HELD_KEY)
    bearer = {"Authorization": f"Bearer {key}"}
    answer = httpx.get(f"{phone.service.url}/api/v1/till", headers=bearer)
    number: int = answer.json()["last_number"]
    return number


def test_a_day_is_closed_and_a_missing_gift_is_sent_again_or_explained(
    phones: Phones, manager: Visitor, service: Service, partner: str
) -> None:
    offered = offer(service, partner, "Clôture")
    phone = phones.take()
    phone.enrols(offered["code"])
    phone.loses_network()
    phone.sells("2,30")
    phone.sells("3,40")
    phone.page.locator('[data-go="day"]').first.click()
    expect(phone.page.locator("[data-sum]")).to_have_text("1,30 €")
    expect(phone.page.locator("[data-numbers]")).to_have_text("Numéros 1 à 2")
    phone.page.locator("[data-close]").click()
    expect(phone.page.locator("[data-closed]")).to_contain_text("gardée sur cet appareil")
    phone.comes_back()
    expect(phone.page.locator("[data-closed]")).to_contain_text("compte la même chose")
    shows(manager, offered["till_id"], "concorde")
    # A gift that never reached the ledger, though the phone believes that it did.
    phone.page.locator('[data-view="day"] [data-go="sale"]').click()
    phone.loses_network()
    phone.sells("4,50")
    phone.sells("5,60")
    lost = phone.page.evaluate(BACKUP)
    for gift in lost["gifts"]:
        if gift["number"] == 3:
            gift["state"] = "refused"
    phone.page.evaluate(RESTORE, lost)
    phone.comes_back()
    expect(phone.page.locator("[data-state]")).to_have_attribute("data-waiting", "0")
    shows(manager, offered["till_id"], "Il manque au registre : le don 3")
    fits(manager)
    is_accessible(manager)
    form = card(manager, offered["till_id"]).locator(".gap-form")
    form.get_by_label("l’appareil a été perdu ou cassé").check()
    form.get_by_role("button", name="Expliquer").click()
    shows(manager, offered["till_id"], "le don 3 (l’appareil a été perdu ou cassé)")
    assert "Il manque au registre" not in card(manager, offered["till_id"]).inner_text()


def test_a_gift_is_given_back_online_and_before_it_was_ever_sent(
    phones: Phones, manager: Visitor, service: Service, partner: str
) -> None:
    offered = offer(service, partner, "Rendus")
    phone = phones.take()
    phone.enrols(offered["code"])
    visitor = Visitor(phone.page, service)
    before = head(service)
    phone.sells("2,30")
    phone.has_sent_everything()
    phone.loses_network()
    phone.sells("3,40")
    phone.sells("4,50")
    phone.page.locator('[data-go="day"]').first.click()
    for number, unsent in ((1, False), (2, True)):
        phone.page.locator(f'[data-give-back="{number}"]').click()
        expect(phone.page.locator("[data-back-title]")).to_be_focused()
        expect(phone.page.locator("[data-back-unsent]")).to_be_visible(visible=unsent)
        fits(visitor)
        is_accessible(visitor)
        phone.page.get_by_label("il a été saisi par erreur").check()
        phone.page.locator("[data-back-do]").click()
        expect(phone.page.locator("[data-gifts] [data-back=waiting]")).to_have_count(number)
    expect(phone.page.locator("[data-state]")).to_contain_text("2 dons rendus attendent")
    expect(phone.page.locator("[data-given-back]")).to_contain_text("1,30")
    expect(phone.page.locator("[data-sum]")).to_have_text("1,80 €")
    fits(visitor)
    is_accessible(visitor)
    phone.page.reload()  # What was asked for stays asked for.
    phone.comes_back()
    phone.has_sent_everything()
    phone.page.locator('[data-go="day"]').first.click()
    expect(phone.page.locator("[data-gifts] [data-back=done]")).to_have_count(2)
    expect(phone.page.locator("[data-give-back]")).to_have_count(1)
    until(lambda: len(given_back(service, before)) == 2)
    assert given_back(service, before) == [("mistake", 70), ("mistake", 60)]
    assert [one["amount_cents"] for one in fresh(service, before)] == [70, 60, 50]
    assert "Il manque" not in card(manager, offered["till_id"]).inner_text()
    phone.page.locator("[data-close]").click()
    expect(phone.page.locator("[data-closed]")).to_contain_text("compte la même chose")


def given_back(service: Service, before: int) -> list[tuple[str, int]]:
    """The reasons and amounts of what was given back after a position, oldest first."""
    entries = journal(service)
    return [
        (one["reason"], one["amount_cents"])
        for one in reversed(entries)
        if one["kind"] == "DonationReversed" and one["position"] > before
    ]


def test_a_double_tap_gives_once(phones: Phones, service: Service, partner: str) -> None:
    phone = phones.take()
    phone.enrols(offer(service, partner, "Double")["code"])
    phone.page.locator("#sale").fill("2,30")
    phone.page.locator("#sale").press("Enter")
    phone.page.locator(".choice-first").evaluate("button => { button.click(); button.click(); }")
    expect(phone.page.locator("[data-code]")).to_have_text(CODE)
    phone.page.locator('[data-view="ticket"] [data-go="sale"]').click()
    phone.page.locator('[data-go="day"]').first.click()
    expect(phone.page.locator("[data-gifts] li")).to_have_count(1)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_view_is_accessible_and_fits_a_small_phone(
    phones: Phones, service: Service, partner: str, language: str, dark: bool
) -> None:
    scheme = "dark" if dark else "light"
    phone = phones.take(locale=f"{language}-FR", color_scheme=scheme)
    visitor = Visitor(phone.page, service)
    titles = {"fr": "La caisse · Don positif", "en": "The till · Don positif"}

    def look() -> None:
        fits(visitor)
        is_accessible(visitor)
        assert visitor.page.title() == titles[language]

    phone.page.goto(f"{service.url}/till/app")
    expect(phone.page.locator("#code")).to_be_focused()
    phone.page.locator("#code").press("Enter")
    expect(phone.page.locator("#code-error")).to_be_visible()
    look()
    phone.enrols(offer(service, partner, f"{language} {scheme}")["code"])
    look()
    phone.page.locator("#sale").fill("12;34")
    phone.page.locator("#sale").press("Enter")
    expect(phone.page.locator("#sale-error")).to_be_visible()
    look()
    phone.page.locator("#sale").fill("1 234 567,89")
    phone.page.locator("#sale").press("Enter")
    expect(phone.page.locator(".choice-first")).to_be_focused()
    look()
    phone.page.locator("#other").fill("0,05")
    phone.page.locator("#other").press("Enter")
    expect(phone.page.locator("[data-question]")).to_contain_text("0")
    look()
    phone.page.locator(".choice-first").click()
    expect(phone.page.locator("[data-code]")).to_have_text(CODE)
    look()
    phone.page.locator('[data-view="ticket"] [data-go="sale"]').click()
    phone.page.locator('[data-go="day"]').first.click()
    expect(phone.page.locator("[data-gifts] li")).to_have_count(1)
    look()


@pytest.mark.parametrize("millimetres", [58, 80])
def test_ticket_and_day_are_printed_on_a_roll(
    phones: Phones, service: Service, partner: str, millimetres: int
) -> None:
    phone = phones.take()
    phone.enrols(offer(service, partner, f"Rouleau {millimetres}")["code"])
    phone.page.locator("#sale").fill("2,30")
    phone.page.locator("#sale").press("Enter")
    phone.page.locator(".choice-first").click()
    expect(phone.page.locator("[data-code]")).to_have_text(CODE)
    phone.page.emulate_media(media="print")
    # 96 dots an inch, less the margins of the page.
    phone.page.set_viewport_size({"width": int((millimetres - 6) / 25.4 * 96), "height": 600})
    fits(Visitor(phone.page, service))
    for hidden in (".site-header", "[data-state]", '[data-view="ticket"] .actions'):
        expect(phone.page.locator(hidden)).to_be_hidden()
    expect(phone.page.locator(".qr")).to_be_visible()
    phone.page.emulate_media(media="screen")
    phone.page.locator('[data-view="ticket"] [data-go="sale"]').click()
    phone.page.locator('[data-go="day"]').first.click()
    phone.page.emulate_media(media="print")
    fits(Visitor(phone.page, service))
    expect(phone.page.locator("[data-sum]")).to_be_visible()
    expect(phone.page.locator("[data-gifts]")).to_be_hidden()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_day_is_closed_without_the_app(visitors: Visitors, script: bool) -> None:
    shop = visitors.arrive(width=320, script=script)
    shop.opens_till()
    shop.enters("2,30")
    shop.page.locator(".choice-first").click()
    shop.page.locator(".ticket").wait_for()
    shop.goes("/till/day")
    fits(shop)
    if script:
        is_accessible(shop)
    shop.page.locator("#gifts").fill("beaucoup")
    shop.page.locator("#gifts").press("Enter")
    expect(shop.page.locator("#close-error")).to_be_visible()
    expect(shop.page.locator("#gifts")).to_have_value("beaucoup")
    shop.page.locator("#gifts").fill("1")
    shop.page.locator("#amount").fill("0,70")
    shop.page.locator("#amount").press("Enter")
    expect(shop.page.locator("table.months .pill")).to_have_count(1)


AHEAD = "(ms) => { Date.now = () => performance.timeOrigin + performance.now() + ms; }"
HOUR_MS = 3_600_000
# The ledger takes what is dated ten minutes ahead, and refuses this for a few seconds more.
SOON_MS = 612_000


def send_again(phone: Phone) -> None:
    phone.page.evaluate("window.dispatchEvent(new Event('online'))")


def test_a_clock_that_runs_ahead_loses_no_gift(
    phones: Phones, service: Service, partner: str
) -> None:
    phone = phones.take()
    phone.enrols(offer(service, partner, "Horloge")["code"])
    before = head(service)
    state = phone.page.locator("[data-state]")
    phone.page.evaluate(AHEAD, 2.1 * HOUR_MS)
    phone.sells("2,30")
    expect(state).to_contain_text("L’horloge de cet appareil avance de 2 heures")
    expect(state).to_have_attribute("data-waiting", "1")
    fits(Visitor(phone.page, service))
    is_accessible(Visitor(phone.page, service))
    phone.page.locator('[data-go="day"]').first.click()
    expect(phone.page.locator("[data-sum]")).to_have_text("0,70 €")
    phone.page.locator("[data-close]").click()  # A day is closed once all its gifts are sent.
    expect(phone.page.locator("[data-closed]")).to_contain_text("gardée sur cet appareil")
    phone.page.locator('[data-view="day"] [data-go="sale"]').click()
    phone.page.evaluate(AHEAD, 0)
    phone.sells("2,40")  # What is dated right does not wait for it.
    expect(state).to_contain_text("une horloge qui avançait")
    expect(state).to_have_attribute("data-waiting", "1")
    until(lambda: [one["amount_cents"] for one in fresh(service, before)] == [60])
    phone.page.reload()
    expect(state).to_contain_text("une horloge qui avançait")


def test_a_gift_dated_ahead_is_sent_once_its_time_has_come(
    phones: Phones, service: Service, partner: str
) -> None:
    phone = phones.take()
    phone.enrols(offer(service, partner, "Dix minutes")["code"])
    before = head(service)
    phone.page.evaluate(AHEAD, SOON_MS)
    phone.sells("2,30")
    expect(phone.page.locator("[data-state]")).to_contain_text("avance de 10 minutes")

    def is_sent() -> bool:
        send_again(phone)
        return bool(fresh(service, before))

    until(is_sent, 4 * DEADLINE_SECONDS)
    phone.has_sent_everything()
    assert [one["amount_cents"] for one in fresh(service, before)] == [70]


def lose_answers(phone: Phone, path: str) -> None:
    """Let requests reach the service, and no answer the phone."""

    def lost(route: Route) -> None:
        route.fetch()
        route.abort()

    phone.page.route(path, lost)


BATCH = "**/api/v1/donations/batch"


def test_a_gift_whose_answer_was_lost_is_one_gift_on_another_till(
    phones: Phones, manager: Visitor, service: Service, partner: str
) -> None:
    first, second = (offer(service, partner, name) for name in ("Avant", "Après"))
    phone = phones.take()
    phone.enrols(first["code"])
    before = head(service)
    lose_answers(phone, BATCH)
    phone.sells("2,30")
    until(lambda: len(fresh(service, before)) == 1)
    expect(phone.page.locator("[data-state]")).to_have_attribute("data-waiting", "1")
    phone.loses_network()
    phone.sells("2,40")
    service.command("till", "rotate", "--till", first["till_id"])
    phone.page.unroute(BATCH)
    phone.comes_back()
    expect(phone.page.locator("[data-revoked]")).to_be_visible()
    phone.becomes(second["code"])
    expect(phone.page.locator("#sale")).to_be_focused()
    phone.has_sent_everything()
    phone.sells("2,50")
    phone.has_sent_everything()
    until(lambda: len(fresh(service, before)) >= 3)
    assert [one["amount_cents"] for one in fresh(service, before)] == [70, 60, 50]
    every_ticket_opens(service, phone.codes)
    # The day of this till is what it gave as this till, and no number of it is missing.
    phone.page.locator('[data-go="day"]').first.click()
    expect(phone.page.locator("[data-gifts] li")).to_have_count(3)
    expect(phone.page.locator("[data-sum]")).to_have_text("1,10 €")
    phone.page.locator("[data-close]").click()
    expect(phone.page.locator("[data-closed]")).to_contain_text("compte la même chose")
    shows(manager, second["till_id"], "concorde")
    assert "Il manque" not in card(manager, second["till_id"]).inner_text()
    assert len(fresh(service, before)) == 3


def test_a_gift_that_arrives_late_under_the_till_before_is_not_given_again(
    phones: Phones, service: Service, partner: str
) -> None:
    first, second = (offer(service, partner, name) for name in ("Lent", "Suivant"))
    phone = phones.take()
    phone.enrols(first["code"])
    before = head(service)
    held: list[tuple[dict[str, str], str]] = []

    def hold(route: Route) -> None:
        held.append((route.request.headers, route.request.post_data or ""))
        route.abort()

    phone.page.route(BATCH, hold)
    phone.sells("2,30")
    until(lambda: bool(held))
    kept = phone.page.evaluate(BACKUP)
    kept["device"][0]["revoked"] = True
    phone.page.evaluate(RESTORE, kept)
    phone.page.unroute(BATCH)

    def overtake(route: Route) -> None:
        headers, body = held[0]
        bearer = {"Authorization": headers["authorization"], "Content-Type": "application/json"}
        httpx.post(f"{service.url}/api/v1/donations/batch", content=body, headers=bearer)
        route.continue_()

    phone.page.route(BATCH, overtake)
    phone.page.reload()
    phone.becomes(second["code"])
    expect(phone.page.locator("#sale")).to_be_focused()
    phone.has_sent_everything()
    until(lambda: bool(fresh(service, before)))
    phone.page.reload()
    phone.has_sent_everything()
    assert [one["amount_cents"] for one in fresh(service, before)] == [70]
