"""Stalls of one shop: their phones, and what the ledger and the manager see of them."""

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Browser, Locator

from tests.browser.conftest import Service, Visitor, Visitors
from tests.browser.phones import Phones

DEADLINE_SECONDS = 10.0


@pytest.fixture
def partner(service: Service) -> str:
    found: list[dict[str, Any]] = service.command("partner", "list")["partners"]
    return str(next(one["partner_id"] for one in found if one["name"] == "Au P’tit Pain"))


@pytest.fixture
def phones(browser: Browser, service: Service) -> Iterator[Phones]:
    made = Phones(browser, service)
    yield made
    for phone in made.held:
        phone.context.close()
    assert [fault for phone in made.held for fault in phone.faults] == []


def offer(service: Service, partner: str, name: str = "Étal") -> dict[str, Any]:
    return service.command("till", "offer", "--partner", partner, "--name", name)


def every_ticket_opens(service: Service, codes: list[str]) -> None:
    found = [httpx.get(f"{service.url}/g/{code}").status_code for code in codes]
    assert found == [200] * len(codes)


def journal(service: Service) -> list[dict[str, Any]]:
    answer = httpx.get(f"{service.url}/api/v1/journal?limit=100")
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries


def head(service: Service) -> int:
    position: int = journal(service)[0]["position"]
    return position


def until(condition: Callable[[], bool], seconds: float = DEADLINE_SECONDS) -> None:
    """Wait for what the read models will show."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the deadline passed"
        time.sleep(0.05)


def fresh(service: Service, before: int) -> list[dict[str, Any]]:
    """The gifts after a position of the journal, oldest first."""
    entries = journal(service)
    gifts = [one for one in entries if one["kind"] == "DonationRecorded"]
    return [one for one in reversed(gifts) if one["position"] > before]


BACKUP = """() => new Promise((resolve) => {
  const opening = indexedDB.open("don-positif-till");
  opening.onsuccess = () => {
    const kept = {}, names = ["device", "tickets", "gifts", "closes"];
    const reading = opening.result.transaction(names);
    for (const name of names) {
      reading.objectStore(name).getAll().onsuccess = (done) => { kept[name] = done.target.result; };
    }
    reading.oncomplete = () => { opening.result.close(); resolve(kept); };
  };
})"""
RESTORE = """(kept) => new Promise((resolve) => {
  const opening = indexedDB.open("don-positif-till");
  opening.onsuccess = () => {
    const writing = opening.result.transaction(Object.keys(kept), "readwrite");
    for (const [name, rows] of Object.entries(kept)) {
      const store = writing.objectStore(name);
      store.clear();
      for (const row of rows) store.put(row);
    }
    writing.oncomplete = () => { opening.result.close(); resolve(); };
  };
})"""


@pytest.fixture
def manager(visitors: Visitors, service: Service, partner: str) -> Visitor:
    """The shop's manager, signed in by the link of her letter."""
    email = f"{uuid4().hex}@exemple.fr"
    who = ("--email", email, "--name", "Anne Fabre", "--role", "partner_manager")
    link = service.command("user", "add", *who, "--partner", partner)["link"]
    visitor = visitors.arrive(width=320)
    visitor.page.goto(link)
    visitor.page.locator("#password").fill("quatre roues à aubes")
    visitor.page.locator("#password").press("Enter")
    visitor.page.wait_for_url("**/account")
    return visitor


def card(manager: Visitor, till_id: str) -> Locator:
    manager.goes("/my/tills")
    return manager.page.locator(f"#till-{till_id}")


def shows(manager: Visitor, till_id: str, words: str) -> None:
    """Reload the page of tills until it tells of what the read models have taken in."""
    until(lambda: words in plain(card(manager, till_id).inner_text()))


def plain(text: str) -> str:
    return " ".join(text.replace("\u202f", " ").replace("\xa0", " ").split())
