"""The service is killed once a round's result is adopted, before what its sponsor owes it is taken.

Adoption and what follows from it are events of different streams, in commits of their own: whoever
starts again takes what is missing, and no cent twice.
"""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from typing import LiteralString
from uuid import UUID

import httpx
import psycopg
import pytest

from api import pledges
from ledger.rounds.state import Adopted, Tallied
from projections import pledges as rows
from projections.check import check
from tests.api import conftest, round_office
from tests.api.owing import TODAY
from tests.api.people import Browser
from tests.api.round_office import Office, done, state_of
from tests.api.served import PUBLIC_URL, Service, service
from tests.api.shops import Shop
from tests.api.stored import stored
from tests.api.test_pledges import SPONSOR, Promises
from tests.faults.stalls import stalling
from tests.faults.test_service_killed import parts
from tests.ledger.processes import eventually

settings, served, shop = conftest.settings, conftest.served, conftest.shop
office = round_office.office
TAKES: LiteralString = "NEW.topic = 'PledgeUsed'"
# The oldest promise goes first, and is not enough.
FIRST_CENTS = 200
TAKES_REST: LiteralString = (
    "NEW.topic = 'PledgeUsed' AND convert_from(NEW.state, 'UTF8') NOT LIKE '%\"cents\":200}'"
)


@pytest.fixture
def promises(office: Office) -> Promises:
    return Promises(office)


def counted(office: Office, shop: Shop) -> tuple[UUID, str, int]:
    """Hold a round that a sponsor adds to until one more approval adopts its result."""
    round_id = office.opened(**SPONSOR)
    office.votes(shop, round_id)
    office.closes(round_id)
    result = office.counts(round_id)
    known = state_of(office.served, round_id)
    assert isinstance(known, Tallied)
    assert known.tally.matched_cents > FIRST_CENTS
    done(office.first.post(f"/office/rounds/{round_id}/adoption", {"result_sha256": result}))
    return round_id, result, known.tally.matched_cents


def is_known_as_adopted(conninfo: str, round_id: UUID) -> bool:
    """Tell whether the follower has come as far: the clock then finds it when it starts again."""
    with psycopg.connect(conninfo) as connection:
        (one,) = (one for one in rows.matched_rounds(connection) if one.round_id == round_id)
    return one.state == "adopted"


def at_service(browser: Browser, running: Service, client: httpx.Client) -> Browser:
    """Let somebody who is signed in go on at the service itself."""
    return replace(browser, served=replace(browser.served, url=running.url, client=client))


def kill_all(running: Service) -> None:
    """Kill the supervisor, its workers and its follower, as a power cut does."""
    everyone = parts(running, "api.")
    running.kill()
    for one in everyone:
        with suppress(ProcessLookupError):  # It may have noticed already that it is alone.
            os.kill(one.pid, signal.SIGKILL)
    eventually(lambda: not any(one.lives for one in everyone))


@pytest.mark.parametrize(
    ("condition", "pledges_used"),
    [
        pytest.param(TAKES, 0, id="before anything is taken"),
        pytest.param(TAKES_REST, 1, id="between two pledges"),
    ],
)
def test_what_an_adopted_result_takes_is_taken_once(
    promises: Promises, shop: Shop, condition: LiteralString, pledges_used: int
) -> None:
    office = promises.office
    earlier = (TODAY - timedelta(days=9)).isoformat()
    first, second = promises.promised("2", pledged_on=earlier), promises.promised("50")
    round_id, result, matched_cents = counted(office, shop)
    taken = [(first, FIRST_CENTS), (second, matched_cents - FIRST_CENTS)]
    form = f"/office/rounds/{round_id}/adoption", {"result_sha256": result}
    running_on = {"DATABASE_URL": office.conninfo, "PUBLIC_URL": PUBLIC_URL}
    home = office.served.context.settings.home

    def used() -> list[tuple[UUID, int]]:
        found = [one.state for one in stored(office.conninfo, "PledgeUsed")]
        assert {one["round_id"] for one in found} <= {str(round_id)}
        return [(UUID(one["pledge_id"]), one["cents"]) for one in found]

    with ExitStack() as life:
        running = life.enter_context(service(home, **running_on))
        client = life.enter_context(httpx.Client(base_url=running.url, timeout=60))
        browser = life.enter_context(ThreadPoolExecutor(1))
        with stalling(office.conninfo, "ledger_events", condition) as waits:
            asked = browser.submit(at_service(office.second, running, client).post, *form)
            eventually(waits)
            assert isinstance(state_of(office.served, round_id), Adopted)
            assert used() == taken[:pledges_used]
            eventually(lambda: is_known_as_adopted(office.conninfo, round_id))
            kill_all(running)
        assert isinstance(asked.exception(), httpx.TransportError)
    assert used() == taken[:pledges_used]
    with service(home, **running_on) as running:
        eventually(lambda: used() == taken)  # The clock finds by itself what is missing.
        with httpx.Client(base_url=running.url, timeout=60) as client:
            done(at_service(office.second, running, client).post(*form))
    assert pledges.use(office.served.context, "clock", round_id) == 0
    assert used() == taken
    assert len(stored(office.conninfo, "RoundAdopted")) == 1
    office.follow()
    with office.served.context.pool.connection() as connection:
        assert check(connection).differences == []
