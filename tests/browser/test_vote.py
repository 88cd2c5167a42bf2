"""The customer's way, on a phone and on a desk, with and without scripts, in light and in dark."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import expect

from ledger.db import database
from ledger.rounds.definition import Definition
from ledger.settings import Settings
from ledger.store import open_ledger
from tests.browser.conftest import Service, Visitor, Visitors
from tests.browser.test_pages import fits, is_accessible
from tests.browser.test_recognition import looks, sends, signs_in
from tests.ledger.processes import eventually
from tests.rounds import open_round

WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def spring(service: Service) -> Definition:
    """A round on six projects of the demonstration village."""
    return opened(service, "Tour des bulletins", WEEK)


def opened(service: Service, title: str, stays: timedelta) -> Definition:
    projects = httpx.get(f"{service.url}/api/v1/projects").json()["projects"][:6]
    closes_at = datetime.now(UTC).replace(microsecond=0) + stays
    listed = [
        {"project_id": one["project_id"], "goal_cents": one["goal_cents"]} for one in projects
    ]
    with (
        database(Settings.from_environment(service.environ)) as conninfo,
        open_ledger(conninfo) as ledger,
    ):
        return open_round(ledger, title=title, projects=listed, closes_at=closes_at)


def gives(visitors: Visitors) -> str:
    """Give at the till, and return the ticket's code."""
    till = visitors.arrive()
    till.opens_till()
    till.enters("12,34")
    till.page.locator(".choice-first").click()
    code: str = till.page.locator(".ticket .code").inner_text()
    return code


def arrives(visitor: Visitor, code: str, made: Definition) -> None:
    """Come to a ticket's ballot, once the service knows the round."""

    def offered() -> bool:
        visitor.goes(f"/g/{code}?round={made.round_id}")
        return visitor.page.locator("input[name=pick]").count() == len(made.projects)

    eventually(offered)


@dataclass
class Citizen(Visitor):
    """A visitor; where no script runs, axe cannot either: it judged the same page with them."""

    script: bool = True

    def looks(self) -> None:
        if self.script:
            looks(self)
        else:
            for width in (320, 1280):
                self.page.set_viewport_size({"width": width, "height": 800})
                fits(self)


@pytest.fixture(params=["light", "dark", "plain"])
def citizen(request: pytest.FixtureRequest, visitors: Visitors) -> Citizen:
    dark, script = request.param == "dark", request.param != "plain"
    language = "en-GB" if dark else "fr-FR"
    arrived = visitors.arrive(script=script, dark=dark, language=language)
    return Citizen(arrived.page, arrived.service, arrived.complaints, script)


def test_from_the_ticket_to_the_vote(
    visitors: Visitors, citizen: Citizen, spring: Definition
) -> None:
    code = gives(visitors)
    citizen.goes("/g")
    citizen.looks()
    citizen.page.locator("#code").fill(code[:-1] + "O")
    citizen.page.locator("main form button").first.click()
    expect(citizen.page.locator("#code-error")).to_be_visible()
    expect(citizen.page.locator("#code")).to_be_focused()
    citizen.looks()
    arrives(citizen, code, spring)
    citizen.looks()
    sends(citizen, "/choice")
    expect(citizen.page.locator("#problem")).to_be_focused()
    citizen.looks()
    citizen.page.locator("#problem a").press("Enter")
    citizen.page.keyboard.press("Tab")
    for number in (1, 2):
        citizen.page.locator(f"#pick-{number}").check()
    sends(citizen, "/choice")
    expect(citizen.page.locator(".chosen li")).to_have_count(2)
    citizen.looks()
    citizen.page.locator("button[name=change]").click()
    expect(citizen.page.locator("input[name=pick]:checked")).to_have_count(2)
    sends(citizen, "/choice")
    sends(citizen, "/ballot")
    citizen.page.wait_for_url("**/done?*")
    citizen.looks()
    expect(citizen.page.locator(".chosen li")).to_have_count(2)
    sends(citizen, "/w/new")
    citizen.looks()
    sends(citizen, "/w/open")
    secret = citizen.page.locator(".wallet-code").inner_text()
    citizen.looks()

    def listed() -> bool:
        citizen.goes("/w")
        return citizen.page.locator(".rows li").count() == 1

    eventually(listed)
    citizen.looks()
    citizen.page.locator("#pick_0").select_option(index=1)
    sends(citizen, "/w/choice")
    expect(citizen.page.locator("main ol li")).to_have_count(1)
    citizen.looks()
    sends(citizen, "/choice/withdrawal")
    expect(citizen.page.locator("main ol li")).to_have_count(0)
    sends(citizen, "/w/leave")
    expect(citizen.page.locator("#wallet")).to_be_visible()
    citizen.looks()
    citizen.page.locator("#wallet").fill(secret)
    sends(citizen, "/w")
    expect(citizen.page.locator(".rows li")).to_have_count(1)


def test_by_keyboard_alone(visitors: Visitors, spring: Definition) -> None:
    citizen = visitors.arrive(width=320)
    arrives(citizen, gives(visitors), spring)
    first = citizen.page.locator("#pick-1")
    for _ in range(60):
        citizen.page.keyboard.press("Tab")
        if first.evaluate("one => one === document.activeElement"):
            break
    citizen.page.keyboard.press("Space")
    expect(first).to_be_checked()
    citizen.page.keyboard.press("Enter")
    citizen.page.wait_for_url("**/choice")
    citizen.page.locator("form[action$='/ballot'] button").first.press("Enter")
    citizen.page.wait_for_url("**/done?*")


def test_the_link_of_a_wallet_types_its_code_and_forgets_it(visitors: Visitors) -> None:
    visitor = visitors.arrive()
    visitor.goes("/w#2222-2222-2222-2222-2222-2222")
    expect(visitor.page.locator("#wallet")).to_have_value("2222-2222-2222-2222-2222-2222")
    assert "#" not in visitor.page.url


def test_two_officers_enter_a_paper_ballot(visitors: Visitors, spring: Definition) -> None:
    code = gives(visitors)
    first, second = (signs_in(visitors, "officer", name=name) for name in ("Odile B", "Omar C"))
    arrives(visitors.arrive(), code, spring)
    for officer, number in ((first, 1), (second, 2)):
        officer.goes("/office/ballots")
        looks(officer)
        officer.page.locator("#code").fill(code)
        sends(officer, "/office/ballots")
        officer.page.locator(f"#pick-{number}").check()
        looks(officer)
        sends(officer, "/entries")
    expect(second.page.locator("#problem")).to_be_focused()
    expect(second.page.locator("main .note li")).to_have_count(2)
    looks(second)
    second.page.locator("#pick-2").uncheck()
    second.page.locator("#pick-1").check()
    sends(second, "/entries")
    second.page.wait_for_url("**/office/ballots?done=counted*")
    looks(second)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_ballot_fits_every_window(visitors: Visitors, spring: Definition, dark: bool) -> None:
    code = gives(visitors)
    for width in (320, 390, 768, 1280):
        visitor = visitors.arrive(width=width, dark=dark)
        arrives(visitor, code, spring)
        fits(visitor)
        is_accessible(visitor)
