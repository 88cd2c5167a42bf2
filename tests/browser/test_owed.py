"""The page of what is owed, and the office's pages of the foundation, cheques and pledges."""

import pytest

from tests.browser import test_office
from tests.browser.conftest import Visitor, Visitors
from tests.browser.test_office import enters, looks, unfolds
from tests.browser.test_pages import fits, is_accessible

PAGES = ("/office/foundation", "/office/remittances", "/office/pledges")
IBAN = "DE89 3704 0044 0532 0130 00"

links = test_office.links


@pytest.mark.parametrize(
    ("width", "language", "dark", "script"),
    [
        (320, "fr-FR", False, True),
        (390, "fr-FR", True, False),
        (1280, "en-GB", True, True),
    ],
)
def test_everybody_reads_what_is_owed(
    visitors: Visitors, width: int, language: str, dark: bool, script: bool
) -> None:
    visitor = visitors.arrive(width=width, language=language, dark=dark, script=script)
    visitor.goes("/owed")
    fits(visitor)
    if script:  # axe is a script itself.
        is_accessible(visitor)
    assert visitor.page.locator("h1").count() == 1
    assert visitor.page.locator("table").count() >= 1


def test_the_home_page_leads_to_it(visitors: Visitors) -> None:
    visitor = visitors.arrive()
    visitor.goes("/")
    visitor.page.locator(".hero a[href='/owed']").click()
    visitor.page.wait_for_url("**/owed")
    visitor.sees("Ce qui est dû")


def settles(visitor: Visitor) -> None:
    """Look at a page in each width, with everything unfolded."""
    unfolds(visitor)
    for _ in looks(visitor):
        fits(visitor)
        is_accessible(visitor)


@pytest.mark.parametrize("role", ["officer", "committee", "auditor"])
def test_each_page_of_money_is_accessible_and_never_too_wide(
    visitors: Visitors, links: dict[str, str], role: str
) -> None:
    visitor = enters(visitors.arrive(), links[role])
    for path in PAGES:
        visitor.goes(path)
        settles(visitor)


def test_an_account_takes_two_people(visitors: Visitors, links: dict[str, str]) -> None:
    officer = enters(visitors.arrive(language="en-GB"), links["officer"])
    member = enters(visitors.arrive(language="en-GB", width=320), links["committee"])
    officer.goes("/office/foundation")
    unfolds(officer)
    officer.page.locator("#account-iban").fill(IBAN)
    officer.page.locator("#account-holder").fill("Fondation du bassin")
    officer.page.locator("form[action$='/account'] button").click()
    officer.sees("It is recorded.")
    officer.sees("DE89 … 3000")
    settles(officer)
    member.goes("/office/foundation")
    fits(member)
    member.page.locator("#approval-iban").fill(IBAN.replace("89", "88"))
    member.page.locator("form[action$='/approval'] button").click()
    member.sees("This is not an IBAN")
    is_accessible(member)
    member.page.locator("#approval-iban").fill(IBAN)
    member.page.locator("form[action$='/approval'] button").click()
    member.sees("It is recorded.")
    member.sees(IBAN)


def test_a_sponsor_promises_and_is_asked_to_pay(visitors: Visitors, links: dict[str, str]) -> None:
    officer = enters(visitors.arrive(language="en-GB", width=320), links["officer"])
    officer.goes("/office/pledges")
    officer.page.locator("#sponsor").fill("boulangers-du-thor")
    officer.page.locator("#amount").fill("1 500")
    officer.page.locator("form[action='/office/pledges'] button").click()
    officer.sees("It is recorded.")
    settles(officer)
    officer.page.locator("#amount").fill("1 500,01")
    officer.page.locator("form[action$='/calls'] button").click()
    officer.sees("More would be called than the sponsor promised.")
    is_accessible(officer)
    officer.page.locator("#amount").fill("500")
    officer.page.locator("form[action$='/calls'] button").click()
    officer.sees("reference")
    settles(officer)


def test_cheques_are_declared_by_one_and_counted_by_another(
    visitors: Visitors, links: dict[str, str]
) -> None:
    officer = enters(visitors.arrive(width=320), links["officer"])
    officer.goes("/office/remittances")
    officer.page.locator("form[action='/office/remittances/new'] button").click()
    officer.page.wait_for_url("**/new?partner=*")
    settles(officer)
