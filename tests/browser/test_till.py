"""A shopkeeper records a gift, and the village sees it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor, Visitors

FRENCH_FIGURE = re.compile(r"[^\d]")


def shown_cents(visitor: Visitor) -> int:
    """The village's figure as its home page shows it."""
    visitor.goes("/")
    return int(FRENCH_FIGURE.sub("", visitor.page.locator(".figure").inner_text()))


def waits_for(visitor: Visitor, cents: int) -> None:
    """Reload the home page until it shows a figure, as somebody who waits would."""
    for _ in range(100):
        if shown_cents(visitor) == cents:
            return
        visitor.page.wait_for_timeout(50)
    raise AssertionError(f"the home page never showed {cents} cents")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("width", [320, 390])
def test_a_gift_at_a_phone_reaches_the_home_page(
    visitors: Visitors, width: int, script: bool
) -> None:
    shop = visitors.arrive(width=width, script=script)
    citizen = visitors.arrive(width=width)
    before = shown_cents(citizen)
    shop.opens_till()
    shop.enters("12,34")
    expect(shop.page.locator(".choice-first")).to_contain_text("Donner 0,66 €")
    expect(shop.page.locator(".choice-first")).to_contain_text("13,00 € en tout")
    shop.page.locator(".choice-first").click()
    code = shop.page.locator(".ticket .code")
    expect(code).to_have_text(re.compile(r"^[2-9A-Z]{4}(-[2-9A-Z]{4}){2}$"))
    expect(shop.page.locator(".ticket svg")).to_be_visible()
    expect(shop.page.locator("[data-print]")).to_be_visible(visible=script)
    waits_for(citizen, before + 66)
    citizen.goes("/g")
    citizen.page.locator("#code").fill(code.inner_text().lower())
    citizen.page.locator("#code").press("Enter")
    expect(citizen.page.locator("h1")).to_have_text("Votre don")
    expect(citizen.page.locator("main")).to_contain_text("Au P’tit Pain")


def test_a_double_tap_and_the_way_back_record_once(visitors: Visitors) -> None:
    shop = visitors.arrive()
    before = shown_cents(shop)
    shop.opens_till()
    shop.enters("7.50")
    shop.page.locator(".choice-first").dblclick()
    expect(shop.page.locator(".ticket")).to_be_visible()
    shop.page.reload()
    expect(shop.page.locator(".ticket")).to_be_visible()
    shop.page.go_back()
    if shop.page.locator(".choice-first").count():  # The browser kept the page of the ask.
        shop.page.locator(".choice").nth(1).click()
    expect(shop.page.locator(".ticket .figure")).to_have_text("0,50 €")
    waits_for(shop, before + 50)


def test_a_whole_day_by_keyboard(visitors: Visitors) -> None:
    shop = visitors.arrive(width=1200)
    shop.goes("/till")
    expect(shop.page.locator("#key")).to_be_focused()
    shop.page.keyboard.type(shop.service.till_key)
    shop.page.keyboard.press("Enter")
    expect(shop.page.locator("#sale")).to_be_focused()
    for sale, gift in (("3,20", "0,80 €"), ("15", "1,00 €")):
        shop.page.keyboard.type(sale)
        shop.page.keyboard.press("Enter")
        expect(shop.page.locator(".choice-first")).to_be_focused()
        shop.page.keyboard.press("Enter")
        expect(shop.page.locator(".ticket .figure")).to_have_text(gift)
        expect(shop.page.get_by_role("link", name="Client suivant")).to_be_focused()
        shop.page.keyboard.press("Enter")
        expect(shop.page.locator("#sale")).to_be_focused()
    shop.page.keyboard.type("4,10")
    shop.page.keyboard.press("Enter")
    expect(shop.page.locator(".choice-first")).to_be_focused()
    for _ in range(3):
        shop.page.keyboard.press("Tab")
    expect(shop.page.get_by_role("link", name="Non merci")).to_be_focused()
    shop.page.keyboard.press("Enter")
    expect(shop.page.locator("#sale")).to_be_focused()


def test_a_mistyped_sale_is_kept_and_explained(visitors: Visitors) -> None:
    shop = visitors.arrive(language="en-GB")
    shop.opens_till()
    shop.enters("12;34")
    expect(shop.page.locator("#sale")).to_have_value("12;34")
    expect(shop.page.locator("#sale")).to_have_accessible_description(
        re.compile("This is not an amount")
    )
    expect(shop.page.locator("#sale")).to_be_focused()


def test_the_customer_may_read_the_ask_in_her_language(visitors: Visitors) -> None:
    shop = visitors.arrive()
    shop.opens_till()
    shop.enters("12,34")
    address = shop.page.url
    shop.page.get_by_role("link", name="English").click()
    expect(shop.page.locator("h1")).to_have_text("Will you round up to €13.00?")
    assert shop.page.url.startswith(address)
    shop.page.locator(".choice-first").click()
    expect(shop.page.locator(".ticket h1")).to_have_text("Thank you!")
    shop.goes("/till?lang=fr")
    shop.sees("Ce que paie le client")


def test_a_closed_till_asks_for_its_key(visitors: Visitors) -> None:
    shop = visitors.arrive()
    shop.opens_till()
    shop.page.locator(".leave button").click()
    expect(shop.page.locator("#key")).to_be_visible()
    shop.goes("/till/ask?sale=1")
    expect(shop.page.locator("#key")).to_be_visible()
