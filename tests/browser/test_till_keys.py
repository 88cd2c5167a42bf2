"""Keys of phones: given out, copied, replaced, restored; no gift is lost or given twice."""

import httpx
import pytest
from playwright.sync_api import Route, expect

from tests.browser import stalls
from tests.browser.conftest import Service, Visitor
from tests.browser.phones import Phone, Phones
from tests.browser.stalls import (
    BACKUP,
    RESTORE,
    card,
    every_ticket_opens,
    fresh,
    head,
    offer,
    shows,
    until,
)
from tests.browser.test_pages import fits, is_accessible

partner = stalls.partner
phones = stalls.phones
manager = stalls.manager

HELD_KEY = """() => new Promise((resolve) => {
  const opening = indexedDB.open("don-positif-till");
  opening.onsuccess = () => {
    const asked = opening.result.transaction("device").objectStore("device").get("device");
    asked.onsuccess = () => { opening.result.close(); resolve(asked.result.key); };
  };
})"""


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
