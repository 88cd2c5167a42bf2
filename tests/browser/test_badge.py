"""Anybody reads a shop's badge and checks it, in the browser itself or by the server."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Service, Visitor, Visitors
from tests.browser.test_pages import fits, is_accessible

IN_BROWSER, BY_SERVER = "Vérifié ici, dans votre navigateur.", "Vérifié par notre serveur"
WITHOUT_ED25519 = """
  crypto.subtle.importKey = () => Promise.reject(new DOMException("", "NotSupportedError"));
"""


@pytest.fixture
def partner(service: Service) -> str:
    """The id of a shop of the demonstration village that is a partner today."""
    return one_that_is(service, "active")


def one_that_is(service: Service, status: str) -> str:
    listed = httpx.get(f"{service.url}/api/v1/partners", timeout=10).json()["partners"]
    partner_id: str = next(one["partner_id"] for one in listed if one["status"] == status)
    return partner_id


def badge_of(service: Service, partner_id: str) -> dict[str, Any]:
    answer = httpx.get(f"{service.url}/badges/{partner_id}.json", timeout=10)
    badge: dict[str, Any] = answer.raise_for_status().json()
    return badge


def checks(visitor: Visitor, text: str) -> None:
    visitor.page.locator("#badge").fill(text)
    visitor.page.locator("#verify button").click()


def says(visitor: Visitor, *words: str) -> None:
    for one in words:
        expect(visitor.page.locator("#answer")).to_contain_text(one)


@pytest.mark.parametrize(
    ("width", "dark", "script"),
    [(320, False, True), (1280, True, True), (320, True, False), (1280, False, False)],
)
def test_from_the_badge_to_its_check(
    visitors: Visitors, service: Service, partner: str, *, width: int, dark: bool, script: bool
) -> None:
    visitor = visitors.arrive(width=width, dark=dark, script=script)
    visitor.goes(f"/badges/{partner}")
    expect(visitor.page.locator(".answer")).to_contain_text("Oui.")
    expect(visitor.page.locator(".badge-picture")).to_have_js_property("complete", value=True)
    looks(visitor, script=script)
    visitor.page.get_by_role("link", name="Le vérifier").click()
    looks(visitor, script=script)
    visitor.page.locator("#verify button").click()
    name = badge_of(service, partner)["credentialSubject"]["name"]
    says(visitor, "Authentique, et valable", name, IN_BROWSER if script else BY_SERVER)
    looks(visitor, script=script)


def looks(visitor: Visitor, *, script: bool) -> None:
    if script:  # Both look by a script of their own.
        fits(visitor)
        is_accessible(visitor)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_what_is_wrong_is_told_apart(
    visitors: Visitors, service: Service, partner: str, script: bool
) -> None:
    visitor = visitors.arrive(script=script)
    badge = badge_of(service, partner)
    subject = badge["credentialSubject"] | {"name": "Boulangerie d’en face"}
    cases = {
        "Différent de ce qui a été signé": json.dumps(badge | {"credentialSubject": subject}),
        "Délivré par quelqu’un d’autre": json.dumps(badge | {"issuer": "did:web:a.example"}),
        "Pas un badge": "Bonjour",
        "Collez d’abord un badge": " ",
        "Suspendu.": json.dumps(badge_of(service, one_that_is(service, "suspended"))),
    }
    for words, text in cases.items():
        visitor.goes("/verify")
        checks(visitor, text)
        says(visitor, words)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_file_is_checked_too(
    visitors: Visitors, service: Service, partner: str, tmp_path: Path, script: bool
) -> None:
    path = tmp_path / "badge.json"
    path.write_text(json.dumps(badge_of(service, partner)))
    visitor = visitors.arrive(script=script)
    visitor.goes("/verify")
    visitor.page.locator("#file").set_input_files(path)
    if not script:
        visitor.page.locator("#verify button").click()
    says(visitor, "Authentique, et valable", IN_BROWSER if script else BY_SERVER)


def test_a_browser_without_ed25519_asks_the_server(
    visitors: Visitors, service: Service, partner: str
) -> None:
    visitor = visitors.arrive()
    visitor.page.add_init_script(WITHOUT_ED25519)
    visitor.goes(f"/verify?partner={partner}")
    visitor.page.locator("#verify button").click()
    says(visitor, "Authentique, et valable", BY_SERVER)


def test_lists_that_cannot_be_had_are_not_taken_for_good_news(
    visitors: Visitors, partner: str
) -> None:
    visitor = visitors.arrive()
    visitor.page.route("**/badges/status/*", lambda route: route.fulfill(status=503))
    visitor.goes(f"/verify?partner={partner}")
    visitor.page.locator("#verify button").click()
    says(visitor, "Pas vérifié.")


def test_another_day_is_answered(visitors: Visitors, partner: str) -> None:
    visitor = visitors.arrive()
    visitor.goes(f"/badges/{partner}")
    visitor.page.locator("#on").fill("2019-07-14")
    visitor.page.get_by_role("button", name="Répondre").click()
    expect(visitor.page.locator("h1")).to_contain_text("14 juillet 2019")
    expect(visitor.page.locator(".answer")).to_contain_text("Non.")
