"""Every page, on a phone and on a desk, in light and in dark: accessible, and never too wide."""

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

from tests.browser.conftest import Visitor, Visitors

PUBLIC = ("/", "/partners", "/journal?limit=20", "/g", "/accessibility", "/nowhere")
# What passes is not told: most of a judgement is the telling.
RULES = {
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
    "reporter": "no-passes",
}


def fits(visitor: Visitor) -> None:
    """Fail where the page is wider than its window."""
    visitor.page.wait_for_load_state()
    excess = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert visitor.page.evaluate(excess) == 0, visitor.page.url


def is_accessible(visitor: Visitor) -> None:
    visitor.page.wait_for_load_state()
    found = Axe().run(visitor.page, options=RULES)
    assert found.violations_count == 0, f"{visitor.page.url}\n{found.generate_report()}"


def walk(visitor: Visitor) -> list[str]:
    """Visit every page there is; give the title of each."""
    titles = []

    def look() -> None:
        fits(visitor)
        is_accessible(visitor)
        titles.append(visitor.page.title())

    for path in PUBLIC:
        visitor.goes(path)
        look()
    visitor.goes("/partners")
    with visitor.page.expect_navigation():
        visitor.page.locator(".row-name").nth(1).click()
    look()
    visitor.goes("/g/2222-2222-2223")
    look()
    visitor.goes("/till")
    look()
    with visitor.page.expect_navigation():
        visitor.page.locator("#key").press("Enter")
    look()
    visitor.opens_till()
    look()
    visitor.enters("douze")
    look()
    visitor.enters("1 234 567,89")
    visitor.page.locator(".choice-first").wait_for()
    look()
    visitor.page.locator(".choice-first").click()
    code = visitor.page.locator(".ticket .code").inner_text()
    look()
    visitor.goes(f"/g/{code}")
    look()
    return titles


@pytest.mark.parametrize(("width", "dark"), [(320, False), (390, True), (1200, False)])
def test_every_page_is_accessible_and_fits(visitors: Visitors, width: int, dark: bool) -> None:
    language = "en-GB" if dark else "fr-FR"
    titles = walk(visitors.arrive(width=width, dark=dark, language=language))
    assert all(title.endswith("· Don positif") for title in titles)


def test_a_long_journal_fits(visitors: Visitors) -> None:
    visitor = visitors.arrive(width=320)
    visitor.goes("/journal?limit=1000")
    expect(visitor.page.locator(".journal li")).to_have_count(1000)
    fits(visitor)


def test_letters_twice_as_large_still_fit(visitors: Visitors) -> None:
    visitor = visitors.arrive(width=640)
    for path in PUBLIC:
        visitor.goes(path)
        visitor.page.evaluate("document.documentElement.style.zoom = '2'")
        fits(visitor)


def test_the_keyboard_reaches_the_content_first(visitors: Visitors) -> None:
    visitor = visitors.arrive()
    visitor.goes("/")
    visitor.page.keyboard.press("Tab")
    skip = visitor.page.get_by_role("link", name="Aller au contenu")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("main")).to_be_focused()


def test_the_language_switch_keeps_the_page(visitors: Visitors) -> None:
    visitor = visitors.arrive()
    visitor.goes("/partners")
    expect(visitor.page.locator("h1")).to_have_text("Commerces partenaires")
    visitor.page.get_by_role("link", name="English").click()
    expect(visitor.page.locator("h1")).to_have_text("Partner shops")
    visitor.page.locator(".menu summary").click()
    visitor.page.get_by_role("link", name="Journal").click()
    expect(visitor.page.locator("h1")).to_have_text("The journal")


def test_the_journal_is_leafed_through(visitors: Visitors) -> None:
    visitor = visitors.arrive(language="en-GB")
    visitor.goes("/journal")
    first = visitor.page.locator(".position").first.inner_text()
    visitor.page.get_by_role("link", name="Older").click()
    expect(visitor.page.locator(".position").first).not_to_have_text(first)
    # Positions have gaps: a newer page may repeat entries, but each step comes nearer to the first.
    newer = visitor.page.get_by_role("link", name="Newer")
    while newer.count():
        before = visitor.page.locator(".position").first.inner_text()
        newer.click()
        expect(visitor.page.locator(".position").first).not_to_have_text(before)
    expect(visitor.page.locator(".position").first).to_have_text(first)


def test_a_ticket_is_printed_alone(visitors: Visitors) -> None:
    visitor = visitors.arrive(width=320)
    visitor.opens_till()
    visitor.enters("12,34")
    visitor.page.locator(".choice-first").click()
    visitor.page.locator(".ticket").wait_for()
    visitor.page.emulate_media(media="print")
    expect(visitor.page.locator(".ticket .code")).to_be_visible()
    expect(visitor.page.locator(".ticket svg")).to_be_visible()
    for hidden in ("header", ".actions"):
        expect(visitor.page.locator(hidden).first).to_be_hidden()
    visitor.page.set_viewport_size({"width": 198, "height": 600})  # 58 mm less the margins.
    fits(visitor)


def test_a_fault_would_be_found(visitors: Visitors) -> None:
    """The checks above can fail: on a picture without words, a wide box, a foreign script."""
    visitor = visitors.arrive()
    visitor.goes("/")
    visitor.page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    with pytest.raises(AssertionError, match="image-alt"):
        is_accessible(visitor)
    visitor.page.evaluate("document.querySelector('h1').style.width = '2000px'")
    with pytest.raises(AssertionError):
        fits(visitor)
    visitor.page.evaluate(
        "document.head.append(Object.assign(document.createElement('script'), {text: '0'}))"
    )
    visitor.page.wait_for_timeout(0)
    assert any("Content Security Policy" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()
