"""The whole way of a recognition: applied for, reviewed, decided by two, shown, then withdrawn."""

from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from tests.api.shops import siret
from tests.browser.conftest import Service, Visitor, Visitors
from tests.browser.test_pages import fits, is_accessible
from tests.ledger.processes import eventually

PASSWORD = "quatre roues à aubes"
NUMBERS = count(500)


def signs_in(visitors: Visitors, *roles: str, name: str, partner: str = "") -> Visitor:
    """Open an account, and follow its link as its holder does."""
    given = [part for role in roles for part in ("--role", role)]
    given += ["--partner", partner] if partner else []
    email = f"{name.replace(' ', '.').lower()}.{next(NUMBERS)}@exemple.fr"
    made = visitors.service.command("user", "add", "--email", email, "--name", name, *given)
    visitor = visitors.arrive()
    visitor.goes(urlsplit(made["link"]).path)
    visitor.page.locator("#password").fill(PASSWORD)
    visitor.page.locator("main button").click()
    visitor.page.locator(".signed-in").wait_for()
    return visitor


def sends(visitor: Visitor, form: str) -> None:
    """Send the form, or the button of a form, that leads to a path ending so."""
    ends = f"[method=post][action$='{form}'] button, button[formaction$='{form}']"
    visitor.page.locator(ends).first.click()


def declares(visitor: Visitor) -> None:
    visitor.page.locator("[name=declaration]").check()


def chooses(visitor: Visitor, name: str, value: str) -> None:
    visitor.page.locator(f"[name='{name}'][value='{value}']").check()


def looks(visitor: Visitor) -> None:
    """Look at a page as it is on a small phone and on a desk."""
    for width in (320, 1280):
        visitor.page.set_viewport_size({"width": width, "height": 800})
        fits(visitor)
        is_accessible(visitor)


def finds(visitor: Visitor, queue: str, shop: str) -> str:
    """Wait until a queue leads to a shop's case, go there, and give its path."""
    link = visitor.page.locator(f"section[aria-labelledby='queue-{queue}'] a", has_text=shop)

    def waits() -> bool:
        visitor.goes("/office")
        return link.count() == 1

    eventually(waits)
    looks(visitor)
    link.click()
    visitor.page.wait_for_url("**/cases/*")
    return urlsplit(visitor.page.url).path


def reviews(visitor: Visitor) -> None:
    for one in visitor.page.locator("input[type=radio][value=met]").all():
        one.check()
    chooses(visitor, "recommendation", "grant")
    declares(visitor)
    sends(visitor, "/review")
    visitor.sees("Votre examen est enregistré")


def registers(officer: Visitor, shop: str, number: int) -> str:
    """Register a shop and its agreement; give the path of its page in the office."""
    officer.goes("/office/partners")
    looks(officer)
    officer.page.locator("#siret").fill(siret(number))
    officer.page.locator("#trade_name").fill(shop)
    officer.page.locator("#place").fill("Le Thor")
    officer.page.locator("#sector").select_option("restaurant")
    sends(officer, "/office/partners")
    officer.sees("Le partenaire est inscrit")
    officer.page.locator("summary", has_text="Enregistrer une convention").click()
    officer.page.locator("#number").fill(f"2026-{number}")
    looks(officer)
    sends(officer, "/agreements")
    officer.sees(f"2026-{number}")
    return urlsplit(officer.page.url).path


def applies(manager: Visitor, partner: str, paper: Path) -> None:
    manager.goes(f"/my/shops/{partner}/application")
    manager.page.locator("[name=title_1]").fill("Charte signée")
    manager.page.locator("[name=dated_on_1]").fill(f"{datetime.now(UTC):%Y-%m-%d}")
    manager.page.locator("input[type=file]").first.set_input_files(paper)
    sends(manager, "/application")
    manager.sees("Charte signée")


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    path = tmp_path / "charte.pdf"
    path.write_bytes(b"%PDF-1.7 charte")
    return path


def is_a_partner(visitor: Visitor, partner: str, answer: str) -> None:
    """Wait until the badge's page answers so."""

    def answers() -> bool:
        visitor.goes(f"/badges/{partner}")
        return answer in visitor.page.locator(".answer").inner_text()

    eventually(answers)


def checks(visitor: Visitor, service: Service, partner: str, words: str) -> None:
    badge = httpx.get(f"{service.url}/badges/{partner}.json", timeout=10).raise_for_status().text
    visitor.goes("/verify")
    visitor.page.locator("#badge").fill(badge)
    visitor.page.locator("#verify button").click()
    expect(visitor.page.locator("#answer")).to_contain_text(words)


def test_from_the_application_to_the_badge_and_its_withdrawal(
    visitors: Visitors, service: Service, paper: Path
) -> None:
    shop, number = "Café de la Sorgue", next(NUMBERS)
    officer = signs_in(visitors, "officer", name="Odile Officier")
    here = registers(officer, shop, number)
    partner = here.rpartition("/")[2]
    manager = signs_in(visitors, "partner_manager", name="Marc Patron", partner=partner)
    applies(manager, partner, paper)

    # An officer with an interest says so, and cannot review any more; another one does.
    interested = signs_in(visitors, "officer", name="Inès Cousine")
    path = finds(interested, "reviews", shop)
    looks(interested)
    sends(interested, "/conflict")
    expect(interested.page.locator("#hindrance")).to_contain_text("Vous avez déclaré un intérêt")
    assert interested.page.locator("[action$='/review']").count() == 0
    assert finds(officer, "reviews", shop) == path
    with officer.page.expect_download() as saved:
        officer.page.get_by_role("link", name="Charte signée").click()
    assert saved.value.path().read_bytes() == paper.read_bytes()
    reviews(officer)

    # One member proposes and cannot sign twice; another one signs.
    first = signs_in(visitors, "committee", name="Paul Premier")
    finds(first, "decisions", shop)
    looks(first)
    chooses(first, "measure", "grant")
    declares(first)
    sends(first, "/proposal")
    expect(first.page.locator("#hindrance")).to_contain_text("Vous avez proposé cette décision")
    assert first.page.locator("[formaction$='/approval']").count() == 0
    second = signs_in(visitors, "committee", name="Sylvie Seconde")
    finds(second, "second_decisions", shop)
    declares(second)
    looks(second)
    sends(second, "/approval")
    second.sees("La décision est prise")
    second.sees("Signé par Paul Premier")

    anybody = visitors.arrive()
    is_a_partner(anybody, partner, "Oui.")
    checks(anybody, service, partner, "Authentique, et valable")

    # The other member proposes to withdraw it, the first one signs.
    second.goes(here)
    looks(second)
    second.page.locator("summary", has_text="sanction").click()
    chooses(second, "measure", "revoke")
    second.page.locator("#sanction-reason").select_option("charter_breached")
    declares(second)
    sends(second, "/sanctions")
    second.sees("Votre proposition est enregistrée")
    finds(first, "second_decisions", shop)
    declares(first)
    sends(first, "/approval")
    first.sees("La décision est prise")
    is_a_partner(anybody, partner, "Non.")
    checks(anybody, service, partner, "Retiré")
