"""The day of a till: closed, compared with the ledger, and gifts of it given back."""

import pytest
from playwright.sync_api import expect

from tests.browser import stalls
from tests.browser.conftest import Service, Visitor, Visitors
from tests.browser.phones import Phones
from tests.browser.stalls import BACKUP, RESTORE, card, fresh, head, journal, offer, shows, until
from tests.browser.test_pages import fits, is_accessible

partner = stalls.partner
phones = stalls.phones
manager = stalls.manager


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
