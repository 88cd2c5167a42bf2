"""Phones of a shop that are tills: they lose their network, and remember what they showed."""

import re
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Service

CODE = re.compile(r"^[2-9A-Z]{4}(-[2-9A-Z]{4}){2}$")


class Phone:
    """A phone that may lose its network, and remembers what it showed."""

    def __init__(self, browser: Browser, service: Service, **kind: Any) -> None:
        kind = {"viewport": {"width": 320, "height": 640}, "locale": "fr-FR"} | kind
        self.context: BrowserContext = browser.new_context(**kind)
        self.context.set_default_timeout(10_000)
        self.service = service
        self.faults: list[str] = []
        self.codes: list[str] = []
        self.page: Page = self.open()

    def open(self) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        return page

    def enrols(self, code: str, address: str = "/till/app") -> None:
        self.page.goto(f"{self.service.url}{address}")
        self.page.locator("#code").fill(code)
        self.page.locator("#code").press("Enter")
        expect(self.page.locator("#sale")).to_be_focused()
        expect(self.page.locator("html")).to_have_attribute("data-kept", "yes")
        expect(self.page.locator("[data-state]")).to_have_attribute("data-state", "well")

    def sells(self, price: str) -> None:
        self.page.locator("#sale").fill(price)
        self.page.locator("#sale").press("Enter")
        self.page.locator(".choice-first").click()
        code = self.page.locator("[data-code]")
        expect(code).to_be_visible()
        expect(code).to_have_text(CODE)
        self.codes.append(code.inner_text())
        self.page.locator('[data-view="ticket"] [data-go="sale"]').click()
        expect(self.page.locator("#sale")).to_be_focused()

    def becomes(self, code: str) -> None:
        """Take a code or key where the phone asks for one."""
        self.page.locator("#code").fill(code)
        self.page.locator("#code").press("Enter")

    def loses_network(self) -> None:
        self.context.set_offline(True)

    def comes_back(self) -> None:
        self.context.set_offline(False)

    def has_sent_everything(self) -> None:
        expect(self.page.locator("[data-state]")).to_have_attribute("data-waiting", "0")
        expect(self.page.locator("[data-state]")).to_have_attribute("data-state", "well")


class Phones:
    def __init__(self, browser: Browser, service: Service) -> None:
        self.browser, self.service = browser, service
        self.held: list[Phone] = []

    def take(self, **kind: Any) -> Phone:
        phone = Phone(self.browser, self.service, **kind)
        self.held.append(phone)
        return phone
