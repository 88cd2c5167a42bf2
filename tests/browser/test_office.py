"""Every page of the office with something in each state, in both languages, light and dark."""

from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from urllib.parse import urlsplit

import pytest

from projections.cases import QUEUES
from tests.browser.conftest import Service, Visitor, Visitors
from tests.browser.test_pages import fits, is_accessible
from tests.ledger.processes import eventually

PASSWORD = "quatre roues à aubes"
LOOKS = (("fr-FR", False), ("en-GB", True))
WIDTHS = (390, 1280)


@pytest.fixture
def links(service: Service) -> dict[str, str]:
    """New links: each one works once."""
    return links_of(service)


def links_of(service: Service) -> dict[str, str]:
    """Give a one-time link for one person of each role, as the operator's terminal shows them."""
    told = service.command("demo")["links"]
    return {one["role"]: urlsplit(one["link"]).path for one in told}


def enters(visitor: Visitor, link: str) -> Visitor:
    visitor.goes(link)
    visitor.page.locator("#password").fill(PASSWORD)
    visitor.page.locator("main button").click()
    visitor.page.locator(".signed-in").wait_for()
    return visitor


def led_to(visitor: Visitor, part: str) -> list[str]:
    """The addresses that a part of the office's first page leads to."""
    found = visitor.page.locator(f"section[aria-labelledby='{part}'] a").all()
    return [str(one.get_attribute("href")) for one in found]


def every_page(visitor: Visitor) -> list[str]:
    """Every page of the office that the first one leads to; each queue holds something."""
    visitor.goes("/office")
    found = ["/office", "/office/partners", "/office/partners?q=zzz", "/office/letters"]
    for queue in QUEUES:
        waiting = led_to(visitor, f"queue-{queue}")
        assert waiting, queue
        found += waiting
    decided = led_to(visitor, "decided")
    rejected = visitor.page.locator(".rows li", has=visitor.page.locator(".pill-suspended"))
    assert rejected.count() > 0
    visitor.goes("/office/partners")
    of_partners = visitor.page.locator(".rows a").all()
    found += [str(one.get_attribute("href")) for one in of_partners[:2]]
    return list(dict.fromkeys([*found, *decided[:4]]))


def unfolds(visitor: Visitor) -> None:
    folded = visitor.page.locator("main details:not([open]) > summary")
    while folded.count():
        folded.first.click()


def looks(visitor: Visitor) -> Iterator[int]:
    for width in WIDTHS:
        visitor.page.set_viewport_size({"width": width, "height": 844})
        yield width


@pytest.mark.parametrize("role", ["officer", "committee", "auditor"])
def test_each_page_is_accessible_and_never_too_wide(
    visitors: Visitors, links: dict[str, str], role: str
) -> None:
    known = enters(visitors.arrive(), links[role])
    pages = [path for path in every_page(known) if role == "officer" or "letters" not in path]
    kept = known.page.context.storage_state()
    # The others read what the officer reads, without its forms.
    for language, dark in LOOKS if role == "officer" else LOOKS[:1]:
        visitor = visitors.arrive(language=language, dark=dark)
        visitor.page.context.add_cookies(kept["cookies"])  # type: ignore[arg-type]
        for path in pages:
            visitor.goes(path)
            assert visitor.page.locator("h1").count() == 1, path
            unfolds(visitor)
            for _ in looks(visitor):
                fits(visitor)
            is_accessible(visitor)


def test_a_review_is_done_without_a_script_and_by_keyboard(
    visitors: Visitors, links: dict[str, str]
) -> None:
    officer = enters(visitors.arrive(script=False), links["officer"])
    officer.goes("/office")
    officer.page.locator("section[aria-labelledby='queue-reviews'] a").first.click()
    for one in officer.page.locator("input[type=radio][value=met]").all():
        one.focus()
        officer.page.keyboard.press("Space")
    officer.page.locator("[name=recommendation][value=grant]").focus()
    officer.page.keyboard.press("Space")
    officer.page.locator("[name=declaration]").focus()
    officer.page.keyboard.press("Space")
    officer.page.keyboard.press("Tab")
    officer.page.keyboard.press("Enter")
    officer.sees("Votre examen est enregistré")


@pytest.fixture
def without_mail(service: Service) -> Iterator[None]:
    """A disk that takes no letter: a file stands where their folder would be."""
    folder = Path(service.environ["DONPOSITIF_HOME"]) / "mail"
    aside = folder.with_name("mail.aside")
    if folder.exists():
        folder.rename(aside)
    folder.touch()
    yield
    folder.unlink()
    if aside.exists():
        aside.rename(folder)


def test_a_letter_that_failed_is_shown_and_sent_again(
    visitors: Visitors, links: dict[str, str], service: Service, without_mail: None
) -> None:
    del without_mail
    folder = Path(service.environ["DONPOSITIF_HOME"]) / "mail"
    anybody = visitors.arrive()
    anybody.goes("/partners")
    anybody.page.locator(".row-name").first.click()
    anybody.page.locator("a[href$='/complaint']").click()
    is_accessible(anybody)
    anybody.sees("dans les 30 jours")
    anybody.page.locator("[name=topic][value=other]").check()
    anybody.page.locator("#words").fill("Rien de grave.")
    anybody.page.locator("#email").fill("anne.roux@exemple.fr")
    anybody.page.locator("main form button").click()
    anybody.sees("Nous l’avons reçue")
    is_accessible(anybody)
    officer = enters(visitors.arrive(), links["officer"])

    def failed() -> bool:
        officer.goes("/office")
        return officer.page.locator("a[href='/office/letters']").count() == 1

    eventually(failed)
    is_accessible(officer)
    officer.page.locator("a[href='/office/letters']").click()
    for _ in looks(officer):
        fits(officer)
        is_accessible(officer)
    officer.page.locator(".row-name").first.click()
    officer.sees("Non partie")
    for _ in looks(officer):
        fits(officer)
        is_accessible(officer)
    folder.unlink()
    officer.page.locator("[action='/office/letters'] button").click()
    officer.sees("Le courriel est parti")
    officer.sees("Tous les courriels sont partis")
    assert len(list(folder.glob("*.eml"))) == 1
    rmtree(folder)
    folder.touch()
