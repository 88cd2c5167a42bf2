"""A stall without network: gifts stay on the phone, and reach the ledger once each, in order."""

import pytest
from playwright.sync_api import expect

from tests.browser import stalls
from tests.browser.conftest import Service, Visitor
from tests.browser.phones import CODE, Phone, Phones
from tests.browser.stalls import DEADLINE_SECONDS, every_ticket_opens, fresh, head, offer, until
from tests.browser.test_pages import fits, is_accessible

partner = stalls.partner
phones = stalls.phones


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


@pytest.mark.parametrize(("language", "dark"), [("fr", False), ("en", True)])
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
