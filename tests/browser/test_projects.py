"""From an idea to a published project, as its author, the office and the public see it."""

import re
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor, Visitors
from tests.browser.test_pages import fits, is_accessible
from tests.browser.test_recognition import chooses, declares, looks, sends, signs_in
from tests.ledger.processes import eventually

SHEET = {
    "title": "Une fontaine pour l’école",
    "summary": "De l’eau fraîche dans la cour.",
    "text": "Une fontaine à bouton, posée par des artisans d’ici.",
    "carrier": "Parents d’élèves",
    "beneficiary": "Les élèves",
    "payee": "Parents d’élèves",
    "responsible": "Odette Sylvestre",
    "goal": "1200",
    "line_1": "Fontaine et pose",
    "cents_1": "1200,00",
    "step_1": "Fontaine posée",
    "indicator_1": "L’eau coule",
    "due_on_1": "2030-05-01",
}


def link_of_newest_letter(visitors: Visitors) -> str:
    folder = Path(visitors.service.environ["DONPOSITIF_HOME"]) / "mail"
    letters = sorted(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns)
    text = str(message_from_bytes(letters[-1].read_bytes(), policy=default).get_content())
    found = re.search(r"https?://\S+/(?:ideas/confirm|ambassadors/link)/\S+", text)
    assert found is not None, text
    return urlsplit(found[0]).path


def puts_forward(visitor: Visitor, visitors: Visitors, title: str) -> str:
    """Fill in the form, follow the link of the letter; give the path of the idea."""
    visitor.goes("/ideas/new")
    looks(visitor)
    sends(visitor, "/ideas/new")
    expect(visitor.page.locator("#problem")).to_be_visible()
    looks(visitor)
    visitor.page.locator("#title").fill(title)
    visitor.page.locator("#text").fill("De l’eau fraîche pour les enfants.")
    visitor.page.locator("#theme").select_option("water")
    visitor.page.locator("#place").select_option("velorgues")
    chooses(visitor, "tie", "lives_here")
    visitor.page.locator("#email").fill("autrice@exemple.fr")
    sends(visitor, "/ideas/new")
    visitor.page.wait_for_url("**/ideas/sent")
    looks(visitor)
    visitor.goes(link_of_newest_letter(visitors))
    looks(visitor)
    visitor.page.locator("main form button").click()
    visitor.page.wait_for_url(re.compile(r"/ideas/[0-9a-f-]{36}$"))
    looks(visitor)
    return urlsplit(visitor.page.url).path


def scores(visitor: Visitor, path: str) -> None:
    visitor.goes(f"/office{path}")
    looks(visitor)
    for select in visitor.page.locator("form[action$='/scores'] select").all():
        select.select_option("3")
    declares(visitor)
    sends(visitor, "/scores")
    visitor.sees("C’est enregistré")


def test_an_idea_becomes_a_published_project(visitors: Visitors) -> None:
    author = visitors.arrive()
    path = puts_forward(author, visitors, "Une fontaine pour l’école")
    officer = signs_in(visitors, "officer", name="Odile Bureau")

    def waits() -> bool:
        officer.goes("/office/ideas")
        return officer.page.locator(f"a[href='/office{path}']").count() == 1

    eventually(waits)
    looks(officer)
    officer.page.locator(f"a[href='/office{path}']").click()
    looks(officer)
    sends(officer, "/acceptance")
    officer.sees("C’est enregistré")
    for name in ("Rose Première", "Max Second"):
        scores(signs_in(visitors, "committee", name=name), path)
    officer.goes(f"/office{path}")
    sends(officer, "/evaluation")
    officer.page.locator("form[action$='/project'] button").wait_for()
    looks(officer)
    sends(officer, "/project")
    officer.page.wait_for_url("**/office/projects/*")
    looks(officer)
    for field, typed in SHEET.items():
        officer.page.locator(f"#{field}").fill(typed)
    officer.page.locator("#theme").select_option("water")
    officer.page.locator("#place").select_option("velorgues")
    officer.page.locator("#if_abandoned").select_option("next_round")
    sends(officer, "/sheet")
    officer.sees("C’est enregistré")
    sends(officer, "/publication")
    officer.page.get_by_role("link", name="Sa page publique").wait_for()
    looks(officer)
    public = urlsplit(officer.page.url).path.removeprefix("/office")

    def shows() -> bool:
        author.goes(public)
        return author.page.locator("h1").inner_text() == SHEET["title"]

    eventually(shows)
    looks(author)
    author.sees("Parents d’élèves")
    author.goes(path)
    author.sees("Devenue un projet.")
    looks(author)


PUBLIC = (
    "/projects",
    "/projects?theme=nature",
    "/ideas",
    "/ideas/new",
    "/ideas/criteria",
    "/ambassadors",
    "/ambassadors/new",
    "/ambassadors/return",
)


@pytest.mark.parametrize(("width", "dark"), [(320, False), (1200, True)])
def test_the_public_pages_are_accessible_and_fit(
    visitors: Visitors, width: int, dark: bool
) -> None:
    visitor = visitors.arrive(width=width, dark=dark, language="en-GB" if dark else "fr-FR")
    for path in PUBLIC:
        visitor.goes(path)
        fits(visitor)
        is_accessible(visitor)
    visitor.goes("/projects")
    visitor.page.locator(".project:has(img) h2 a").first.click()
    visitor.page.locator(".picture img").first.wait_for()
    fits(visitor)
    is_accessible(visitor)
    visitor.page.locator("a[href$='/sheets']").click()
    visitor.page.locator("summary:visible").last.click()
    fits(visitor)
    is_accessible(visitor)
    visitor.goes("/ideas")
    visitor.page.locator(".row-name").last.click()
    visitor.page.locator("a[href^='/ideas/criteria']").wait_for()
    fits(visitor)
    is_accessible(visitor)


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("script", [False, True], ids=["without-script", "with-script"])
def test_the_menu_of_a_phone_is_one_row_and_opens(
    visitors: Visitors, width: int, script: bool
) -> None:
    for language in ("fr-FR", "en-GB"):
        visitor = visitors.arrive(width=width, language=language, script=script)
        visitor.goes("/projects")
        entries = visitor.page.locator(".menu > ul > li:visible").all()
        boxes = [box for one in entries if (box := one.bounding_box()) is not None]
        assert len(boxes) == 5
        assert max(box["y"] for box in boxes) - min(box["y"] for box in boxes) < 20
        assert boxes[-1]["x"] + boxes[-1]["width"] <= width
        visitor.page.locator(".menu summary").click()
        visitor.page.locator(".menu details a[href='/journal']").click()
        visitor.page.wait_for_url("**/journal")


def test_an_idea_is_put_forward_without_script(visitors: Visitors) -> None:
    author = visitors.arrive(script=False)
    author.goes("/ideas/new")
    sends(author, "/ideas/new")
    expect(author.page.locator("#problem")).to_be_visible()
    expect(author.page.locator("#title")).to_have_attribute("aria-invalid", "true")
    author.page.locator("#title").fill("Un banc sans script")
    author.page.locator("#text").fill("Pour s’asseoir.")
    sends(author, "/ideas/new")
    expect(author.page.locator("#title")).to_have_value("Un banc sans script")
    author.page.locator("#theme").select_option("nature")
    author.page.locator("#place").select_option("whole")
    chooses(author, "tie", "buys_here")
    author.page.locator("#email").fill("sans.script@exemple.fr")
    sends(author, "/ideas/new")
    author.page.wait_for_url("**/ideas/sent")
    author.goes(link_of_newest_letter(visitors))
    author.page.locator("main form button").click()
    author.page.wait_for_url(re.compile(r"/ideas/[0-9a-f-]{36}$"))
    author.sees("La modération la lit d’abord")
    author.goes("/projects")
    everything = author.page.locator(".project").count()
    author.page.locator("#theme").select_option("water")
    author.page.locator("main search button").click()
    author.page.wait_for_url("**theme=water**")
    assert 0 < author.page.locator(".project").count() < everything


@pytest.mark.parametrize("script", [False, True], ids=["without-script", "with-script"])
def test_an_ambassador_comes_and_goes(visitors: Visitors, script: bool) -> None:
    her = visitors.arrive(script=script)

    def sees_all() -> None:
        if script:  # Without, the judge of accessibility cannot run.
            looks(her)

    her.goes("/ambassadors")
    her.page.locator("main a[href='/ambassadors/new']").click()
    sends(her, "/ambassadors/new")
    expect(her.page.locator("#problem")).to_be_visible()
    sees_all()
    her.page.locator("#name").fill("Nour Haddad")
    her.page.locator("#email").fill(f"nour.{script}@exemple.fr".lower())
    her.page.locator("[name=consent]").check()
    sends(her, "/ambassadors/new")
    her.page.wait_for_url("**/ambassadors/sent")
    sees_all()
    her.goes(link_of_newest_letter(visitors))
    sees_all()
    her.page.locator("main form button").click()
    her.page.wait_for_url("**/ambassadors/mine")
    sees_all()
    code = her.page.locator(".code").inner_text()
    expect(her.page.locator(".embed")).to_contain_text(f"/g?a={code}")
    sends(her, "/mine/wallet")
    expect(her.page.locator("#wallet")).to_have_attribute("aria-invalid", "true")
    sees_all()
    her.page.locator("summary", has_text="Je retire mon accord").click()
    her.page.locator("[name=confirmed]").check()
    sends(her, "/mine/leaving")
    her.page.wait_for_url("**/ambassadors/left")
    sees_all()
    her.goes("/ambassadors/mine")
    her.page.wait_for_url("**/ambassadors/return")
    sees_all()


def test_the_office_pages_are_accessible_and_fit(visitors: Visitors) -> None:
    officer = signs_in(visitors, "officer", name="Odile Bureau")
    for path in ("/office/ambassadors", "/office/ideas", "/office/projects", "/office/partners"):
        officer.goes(path)
        looks(officer)
    officer.goes("/office/projects")
    officer.page.locator(".row-name").first.click()
    officer.page.wait_for_url("**/office/projects/*")
    for summary in officer.page.locator("main summary").all():
        summary.click()
    looks(officer)
