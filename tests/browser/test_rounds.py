"""A round's whole way: drafted, approved, opened, voted in, closed, counted, adopted, recounted."""

import os
import re
import subprocess
import sys
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from api.demo_tickets import FINISHED, OPEN
from ledger.calendar import VILLAGE
from ledger.db import database
from ledger.rounds import round_
from ledger.rounds.state import Opened
from ledger.settings import Settings
from ledger.store import open_ledger
from tests.browser.conftest import Service, Visitor, Visitors
from tests.browser.test_pages import fits, is_accessible
from tests.browser.test_recognition import chooses, looks, sends, signs_in
from tests.ledger.processes import eventually
from tests.rounds import close_round

SHOPS_GIFTS = "[name=sources][value=shop]"


def gives(service: Service) -> str:
    """Make a gift of a shop's own money at the till; give its ticket code."""
    answer = httpx.post(
        f"{service.url}/api/v1/donations",
        headers={"Authorization": f"Bearer {service.till_key}"},
        json={
            "donation_id": str(UUID(bytes=os.urandom(16), version=4)),
            "amount_cents": 250,
            "source": "shop",
            "ask_id": "round-up",
            "occurred_at": datetime.now(VILLAGE).isoformat(),
        },
    )
    answer.raise_for_status()
    return str(answer.json()["code"])


def drafts(officer: Visitor) -> str:
    """Fill in the form of a round about the gifts of shops; give the round's id."""
    tomorrow = datetime.now(VILLAGE).date() + timedelta(days=1)
    officer.goes("/office/rounds")
    looks(officer)
    officer.page.locator("a[href='/office/rounds/new']").click()
    looks(officer)
    sends(officer, "/draft")
    officer.page.locator("#problem").wait_for()
    looks(officer)
    officer.page.locator("#title").fill("Tour des commerces")
    waiting = {
        project["project_id"]
        for one in httpx.get(f"{officer.service.url}/api/v1/rounds").json()["rounds"]
        if one["state"] == "open"
        for project in httpx.get(f"{officer.service.url}/api/v1/rounds/{one['round_id']}").json()[
            "definition"
        ]["projects"]
    }
    boxes = officer.page.locator("[name=project]").all()
    for box in [one for one in boxes if one.get_attribute("value") not in waiting][:4]:
        box.check()
    officer.page.locator("[name=sources][value=customer]").uncheck()
    officer.page.locator(SHOPS_GIFTS).check()
    officer.page.locator("#last_on").fill(tomorrow.isoformat())
    chooses(officer, "rule", "directed")
    chooses(officer, "tallies", "sealed")
    officer.page.locator("#closes_on").fill(tomorrow.isoformat())
    sends(officer, "/draft")
    officer.sees("C’est enregistré")
    looks(officer)
    return urlsplit(officer.page.url).path.rsplit("/", 1)[1]


def votes(service: Service, round_id: str) -> None:
    projects = [
        one["project_id"]
        for one in httpx.get(f"{service.url}/api/v1/rounds/{round_id}").json()["definition"][
            "projects"
        ]
    ]
    for number in range(5):
        picks = projects[: 1 + number % 3]
        body = {"code": gives(service), "picks": picks, "round_id": round_id}

        def taken() -> bool:
            answer = httpx.post(f"{service.url}/api/v1/ballots", json=body)  # noqa: B023
            return answer.status_code in {200, 201}

        eventually(taken)


def comes_to_its_deadline(service: Service, round_id: UUID) -> None:
    """Record the close as the clock will tomorrow."""
    settings = Settings.from_environment(service.environ)
    with database(settings) as conninfo, open_ledger(conninfo) as ledger:
        known = round_.fold(one.event for one in ledger.history(round_, round_id))
        assert isinstance(known, Opened)
        close_round(ledger, known.definition)


def goes_until(visitor: Visitor, path: str, words: str) -> None:
    """Go to a page until it says so: read models follow a moment later."""

    def says() -> bool:
        visitor.goes(path)
        return words in visitor.page.locator("main").inner_text()

    eventually(says)


def test_a_round_goes_its_whole_way(visitors: Visitors) -> None:
    service = visitors.service
    officer = signs_in(visitors, "officer", name="Odile Bureau")
    members = [signs_in(visitors, "committee", name=name) for name in ("Rose Une", "Max Deux")]
    anybody = visitors.arrive()
    round_id = drafts(officer)
    office, public = f"/office/rounds/{round_id}", f"/rounds/{round_id}"
    goes_until(anybody, public, "en préparation")
    looks(anybody)
    for member in members:
        member.goes(office)
        looks(member)
        sends(member, "/approval")
        member.sees("C’est enregistré")
    officer.goes(office)
    sends(officer, "/opening")
    officer.sees("Le tour est ouvert")
    looks(officer)
    votes(service, round_id)
    goes_until(anybody, public, "5 bulletins")
    looks(anybody)
    comes_to_its_deadline(service, UUID(round_id))
    goes_until(anybody, public, "en cours de dépouillement")
    officer.goes(office)
    looks(officer)
    sends(officer, "/count")
    officer.sees("Adoption par deux membres du comité")
    looks(officer)
    goes_until(anybody, public, "pas encore adopté")
    looks(anybody)
    for member in members:
        member.goes(office)
        looks(member)
        sends(member, "/adoption")
        member.sees("C’est enregistré")
    looks(members[1])
    goes_until(anybody, public, "résultat adopté")
    looks(anybody)
    result = httpx.get(f"{service.url}/api/v1/rounds/{round_id}").json()["tally"]["result_sha256"]
    address = f"{service.url}{public}/files"
    again = subprocess.run(
        [sys.executable, "-m", "api.cli", "recount", address],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result in again.stdout
    assert result in anybody.page.locator("main").inner_text()
    anybody.page.locator(".results a").first.click()
    looks(anybody)
    anybody.goes("/rounds")
    looks(anybody)


@pytest.mark.parametrize(("width", "dark"), [(320, False), (1280, True)])
def test_the_public_pages_are_accessible_and_fit(
    visitors: Visitors, width: int, dark: bool
) -> None:
    visitor = visitors.arrive(width=width, dark=dark, language="en-GB" if dark else "fr-FR")
    rules = httpx.get(f"{visitors.service.url}/rules").text
    names = sorted(set(re.findall(r"/rules/\w+", rules)))
    assert len(names) == 6
    pages = ("/", "/rounds", f"/rounds/{OPEN}", f"/rounds/{FINISHED}", "/rules", *names)
    for path in (*pages, "/journal"):
        visitor.goes(path)
        fits(visitor)
        is_accessible(visitor)
    visitor.goes(f"/rounds/{FINISHED}")
    visitor.page.locator(".results a").first.click()
    fits(visitor)
    is_accessible(visitor)


def test_a_fresh_village_lets_anybody_try_a_vote(visitors: Visitors) -> None:
    visitor = visitors.arrive()
    visitor.goes("/")
    visitor.page.locator("a[href^='/g/']").first.click()
    assert visitor.page.url.startswith(f"{visitors.service.url}/g/")
    looks(visitor)
