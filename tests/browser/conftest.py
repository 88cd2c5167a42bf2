"""A served village and a Chromium to look at it with."""

import io
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from api.cli import main

CHROMIUMS = ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium")
START_SECONDS, STOP_SECONDS = 120, 30
# Chromium reports every answer above 399 as an error of the console, 404 pages included.
STATUS_REPORT = "Failed to load resource: the server responded with a status of"


def chromium() -> str | None:
    """The browser of CHROMIUM=, else the first that is installed."""
    named = os.environ.get("CHROMIUM")
    candidates = (named,) if named else CHROMIUMS
    return next((path for path in candidates if os.access(path, os.X_OK)), None)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly that the pages were not looked at."""
    if chromium() is None:
        terminalreporter.write_sep(
            "!", "NO CHROMIUM: THE PAGES WERE NOT TESTED IN A BROWSER", red=True
        )
        terminalreporter.write_line(f"Install chromium, or set CHROMIUM= (looked at {CHROMIUMS}).")


@pytest.fixture(scope="session")
def executable() -> str:
    path = chromium()
    if path is None:
        if os.environ.get("DONPOSITIF_REQUIRE_BROWSER") == "1":
            pytest.fail("DONPOSITIF_REQUIRE_BROWSER=1, and no Chromium was found")
        pytest.skip("no Chromium was found: set CHROMIUM=")
    return path


# Its event loop must not outlive the tests that need it.
@pytest.fixture(scope="package")
def browser(executable: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable)
        yield browser
        browser.close()


@dataclass
class Service:
    """`donpositif serve` in a process of its own, with a home of its own."""

    url: str
    environ: dict[str, str]
    till_key: str = ""

    def command(self, *arguments: str) -> dict[str, Any]:
        """Run a command of the command line beside the service; give its JSON object."""
        told = io.StringIO()
        with patch.dict(os.environ, self.environ, clear=True), redirect_stdout(told):
            assert main([*arguments, "--json"]) == 0
        answer: dict[str, Any] = json.loads(told.getvalue())
        return answer


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, executable: str) -> Iterator[Service]:
    """The demonstration village, served once for all; not without a browser to look at it."""
    assert executable
    home, port = tmp_path_factory.mktemp("served"), free_port()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environ = kept | {"DONPOSITIF_HOME": str(home), "PORT": str(port), "DEMO": "1"}
    made = Service(f"http://127.0.0.1:{port}", environ)
    log = home / "service.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.cli", "serve"], env=environ, stderr=output, stdout=output
        )
        try:
            wait_until_it_answers(made.url, process, log)
            partner = made.command("partner", "add", "--name", "Au P’tit Pain", "--siret", SIRET)
            till = made.command(
                "till", "enrol", "--partner", partner["partner_id"], "--name", "Caisse 2"
            )
            made.till_key = till["key"]
            yield made
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


SIRET = "73282932000074"


def wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx.get(f"{url}/healthz", timeout=5).raise_for_status()
        except httpx.HTTPError:
            running = process.poll() is None and time.monotonic() < deadline
            assert running, f"the service did not start:\n{log.read_text()}"
            time.sleep(0.1)
        else:
            return


@dataclass
class Visitor:
    """A browser window, and everything that its pages complained about."""

    page: Page
    service: Service
    complaints: list[str] = field(default_factory=list)

    def goes(self, path: str) -> None:
        self.page.goto(self.service.url + path)

    def opens_till(self) -> None:
        self.goes("/till")
        self.page.locator("#key").fill(self.service.till_key)
        self.page.locator("#key").press("Enter")
        self.page.locator("#sale").wait_for()

    def enters(self, sale: str) -> None:
        self.page.locator("#sale").fill(sale)
        self.page.locator("#sale").press("Enter")

    def sees(self, text: str) -> None:
        """Wait for words, whatever spaces French puts between them."""
        self.page.get_by_text(text).first.wait_for()


@pytest.fixture
def visitors(browser: Browser, service: Service) -> Iterator["Visitors"]:
    """Windows of any kind; a page's error, or a breach of its policy, fails the test."""
    made = Visitors(browser, service)
    yield made
    made.leave()


@dataclass
class Visitors:
    browser: Browser
    service: Service
    arrived: list[tuple[BrowserContext, Visitor]] = field(default_factory=list)

    def arrive(
        self, *, width: int = 390, language: str = "fr-FR", dark: bool = False, script: bool = True
    ) -> Visitor:
        context = self.browser.new_context(
            viewport={"width": width, "height": 800},
            locale=language,
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        context.set_default_timeout(10_000)
        visitor = Visitor(context.new_page(), self.service)
        listen(visitor)
        self.arrived.append((context, visitor))
        return visitor

    def leave(self) -> None:
        for context, _ in self.arrived:
            context.close()
        complaints = [complaint for _, visitor in self.arrived for complaint in visitor.complaints]
        assert complaints == []


def listen(visitor: Visitor) -> None:
    visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
    visitor.page.on("requestfailed", lambda request: complain(visitor, request))
    visitor.page.on(
        "console",
        lambda message: (
            visitor.complaints.append(message.text)
            if message.type in {"error", "warning"} and STATUS_REPORT not in message.text
            else None
        ),
    )


def complain(visitor: Visitor, request: Request) -> None:
    """Note a request that failed, unless the page was left while it ran."""
    if request.failure != "net::ERR_ABORTED":
        visitor.complaints.append(f"{request.url}: {request.failure}")
