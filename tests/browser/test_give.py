"""Giving by card on phone and desk, with and without scripts, up to the ticket and the office."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, expect

from api.mail import mail_of
from ledger import inbox
from ledger.payments.names import payout_id_of
from tests.api.cards import Cards, charge_of, payment_id_of, taking_cards
from tests.api.people import COOKIE, browser_of
from tests.api.smtp import Post, post_office
from tests.api.test_cards import ELSEWHERE
from tests.browser.conftest import Service, Visitors
from tests.browser.test_pages import fits
from tests.browser.test_recognition import looks
from tests.stripe import money, operations, payouts, subscriptions

LOOKS = (("fr-FR", False), ("en-GB", True))


@pytest.fixture
def cards(tmp_path: Path, conninfo: str, browser: Browser) -> Iterator[Cards]:
    with taking_cards(tmp_path / "home", conninfo) as taking:
        context = taking.served.context
        # Stripe's page leads back to where the browser can go.
        context.settings = replace(context.settings, public_url=taking.served.url)
        yield taking


@pytest.fixture
def donors(cards: Cards, browser: Browser) -> Iterator[Visitors]:
    made = Visitors(browser, Service(cards.served.url, {}))
    yield made
    made.leave()


@pytest.mark.parametrize(("language", "dark"), LOOKS)
def test_a_donor_gives_and_opens_her_ticket(donors: Visitors, language: str, dark: bool) -> None:
    visitor = donors.arrive(language=language, dark=dark)
    page = visitor.page
    visitor.goes("/give")
    looks(visitor)
    page.locator("#amount").fill("dix")
    page.locator("button[type=submit]").last.click()
    expect(page.locator("#problem")).to_be_visible()
    looks(visitor)
    page.locator("#amount").fill("12,50")
    page.locator("input[name=cover]").check()
    page.locator("button[type=submit]").last.click()
    page.locator("button[value=card]").click()
    expect(page.locator("main .code")).to_be_visible()
    expect(page.locator(".figure")).to_contain_text("12")
    looks(visitor)
    page.locator("main a.button").click()
    expect(page.locator("main .code")).to_be_visible()
    looks(visitor)


def test_without_scripts_it_is_the_same_way(donors: Visitors) -> None:
    visitor = donors.arrive(width=320, script=False)
    page = visitor.page
    visitor.goes("/give")
    fits(visitor)
    page.locator("input[value=monthly]").check()
    page.locator("button[type=submit]").last.click()
    page.locator("button[value=card]").click()
    expect(page.locator("main .code")).to_be_visible()
    fits(visitor)
    page.locator("main form button").click()
    expect(page.locator(".notice")).to_be_visible()
    expect(page.locator("main form")).to_have_count(0)


def test_a_debit_and_a_gift_that_was_given_up_are_told_as_they_are(donors: Visitors) -> None:
    visitor = donors.arrive()
    page = visitor.page
    visitor.goes("/give")
    page.locator("button[type=submit]").last.click()
    page.locator("button[value=sepa_debit]").click()
    visitor.sees("Votre paiement est en cours")
    expect(page.locator("main .code")).to_have_count(0)
    looks(visitor)
    visitor.goes("/give")
    page.locator("input[value=monthly]").check()
    page.locator("button[type=submit]").last.click()
    page.locator("a").click()
    visitor.sees("Donner en ligne")


@pytest.mark.parametrize(("language", "dark"), LOOKS)
def test_a_ticket_of_a_monthly_gift_lets_its_giver_be_written_to(
    cards: Cards, donors: Visitors, language: str, dark: bool
) -> None:
    post = Post("none", None)
    with post_office(post) as port:
        context = cards.served.context
        url = f"smtp://localhost:{port}"
        context.settings = replace(context.settings, smtp_url=url)
        context.mail = mail_of(context.settings)
        session = cards.paid(interval="monthly")
        cards.work()
        subscriptions.renew(cards.double.account, session["subscription"])
        cards.work()
        visitor = donors.arrive(language=language, dark=dark)
        page = visitor.page
        code = context.tickets.code(payment_id_of(session))
        visitor.goes(f"/g/{code}")
        looks(visitor)
        page.locator("form[action$='/months'] button").click()
        expect(page.locator("main .notice")).to_be_visible()
        looks(visitor)
        context.sender.submit(lambda: None).result()
        letter = str(post.letters[-1].get_content())
    (address,) = [line for line in letter.splitlines() if line.startswith(cards.served.url)]
    visitor.goes(address.removeprefix(cards.served.url))
    expect(page.locator("main .note .pairs li")).to_have_count(2)
    looks(visitor)
    page.locator("main form button").click()
    expect(page.locator("main .notice")).to_be_visible()
    expect(page.locator("main form")).to_have_count(0)


def fail_one(cards: Cards) -> None:
    """Let an announcement fail, with the longest of words."""
    cards.session()
    cards.deliveries.deliver()
    with cards.served.context.pool.connection() as connection:
        waiting = [one.event_id for one in inbox.waiting(connection, 1)]
        inbox.mark_failed(connection, waiting, f"ValidationError: {'x' * 300} https://example.org")


@pytest.mark.parametrize(("language", "dark"), LOOKS)
def test_the_office_shows_what_became_of_payments(
    cards: Cards, donors: Visitors, language: str, dark: bool
) -> None:
    account = cards.double.account
    contested, given_back = cards.paid(choice="2000"), cards.paid(choice="5000")
    cards.paid("sepa_debit")
    money.refund(account, charge_of(cards, given_back), 300)
    doubt = money.dispute(account, charge_of(cards, contested))
    money.withdraw(account, doubt["id"])
    operations.intend(account, {}, ELSEWHERE)
    payout = payouts.pay_out(account)
    payouts.arrive(account, payout["id"])
    cards.work()
    fail_one(cards)
    officer = browser_of(cards.served, "officer")
    link = {"for": "foundation", "form_id": str(uuid4())}
    assert officer.post("/office/cards/links", link).status_code == 303
    visitor = donors.arrive(language=language, dark=dark)
    # Over plain HTTP a browser takes no cookie that is named for a host.
    name = COOKIE.removeprefix("__Host-")
    visitor.page.context.set_extra_http_headers({"Cookie": f"{name}={officer.token}"})
    for path in (
        "",
        "/links",
        f"/payments/{payment_id_of(contested)}",
        f"/payments/{payment_id_of(given_back)}",
        f"/payouts/{payout_id_of(payout['id'])}",
    ):
        visitor.goes(f"/office/cards{path}")
        looks(visitor)
        assert visitor.page.url == f"{cards.served.url}/office/cards{path}"
        assert visitor.page.locator("form[action='/logout']").count() > 0
