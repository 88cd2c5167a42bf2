"""The service as a whole: killed, stopped, and its parts killed one by one."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger.db import database
from ledger.store import open_ledger
from tests.api.served import Service, service, settings_in
from tests.api.shops import Shop, gift, open_shop
from tests.api.stored import gifts
from tests.ledger.processes import eventually

PATH = "/api/v1/donations"
TILLS = 4


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@contextmanager
def store(home: Path) -> Iterator[str]:
    """Give the database of a home, beside a service or without one."""
    with database(settings_in(home)) as conninfo:
        yield conninfo


def shop_of(home: Path) -> Shop:
    with store(home) as conninfo, open_ledger(conninfo) as ledger:
        return open_shop(ledger)


@dataclass(frozen=True, slots=True)
class Process:
    """A process, told from a later one with the same number by when it began."""

    pid: int
    began: str
    command: str = field(compare=False)
    parent: int = field(compare=False)

    @property
    def lives(self) -> bool:
        return any(one == self for one in processes())


def processes() -> list[Process]:
    """List every process that is not only waiting to be buried."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_text().replace("\0", " ").strip()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[0] != "Z":
            found.append(Process(int(folder.name), fields[19], command, int(fields[1])))
    return found


def descendants(pid: int) -> list[Process]:
    everyone = processes()
    found = [one for one in everyone if one.pid == pid]
    for known in found:
        found += [one for one in everyone if one.parent == known.pid]
    return found


def parts(running: Service, name: str) -> list[Process]:
    """Find the service's own processes whose command holds a name."""
    return [one for one in descendants(running.process.pid) if name in one.command]


@dataclass(slots=True)
class Pouring:
    """Gifts that come in from a few tills at once, and the answer to each."""

    shop: Shop
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    statuses: set[int] = field(default_factory=set)
    stopping: threading.Event = field(default_factory=threading.Event)

    def pour(self, url: str) -> None:
        with httpx.Client(base_url=url, timeout=30) as client:
            while not self.stopping.is_set():
                body = gift()
                self.bodies[body["donation_id"]] = body
                try:
                    answer = client.post(PATH, json=body, headers=self.shop.bearer)
                except httpx.TransportError:
                    continue
                self.statuses.add(answer.status_code)
                if answer.status_code == 201:
                    self.answers[body["donation_id"]] = answer.json()

    def assert_stored(self, conninfo: str) -> None:
        """Every acknowledged gift is stored once, where it was told; nothing unsent is."""
        found = {one.state["donation_id"]: one.position for one in gifts(conninfo)}
        assert len(found) == len(gifts(conninfo))
        told = {donation_id: answer["position"] for donation_id, answer in self.answers.items()}
        assert told.items() <= found.items()
        assert found.keys() <= self.bodies.keys()


@contextmanager
def pouring(running: Service, shop: Shop) -> Iterator[Pouring]:
    pours = Pouring(shop)
    with ThreadPoolExecutor(TILLS) as tills:
        sent = [tills.submit(pours.pour, running.url) for _ in range(TILLS)]
        try:
            yield pours
        finally:
            pours.stopping.set()
        for one in sent:
            one.result()


def test_a_killed_service_leaves_no_database_and_loses_no_gift(home: Path) -> None:
    with service(home, WORKERS="2") as running:
        shop = shop_of(home)
        with pouring(running, shop) as pours:
            eventually(lambda: len(pours.answers) > 200)
            everyone = descendants(running.process.pid)
            databases = [one for one in everyone if "postgres" in one.command]
            running.kill()
            eventually(lambda: not any(one.lives for one in databases))
    assert len(databases) > 2
    assert sum("api.worker" in one.command for one in everyone) == 2
    assert sum("api.follower" in one.command for one in everyone) == 1
    port = str(httpx.URL(running.url).port)
    # It is started again at once, at the same address, while the old workers still end.
    with (
        service(home, PORT=port) as again,
        httpx.Client(base_url=again.url, timeout=60) as client,
    ):
        # What the old workers held when they lost their database, they may still send to the new.
        eventually(lambda: not any(one.lives for one in everyone))
        with store(home) as conninfo:
            pours.assert_stored(conninfo)
            count = len(gifts(conninfo))
        for donation_id, before in list(pours.answers.items())[-20:]:
            answer = client.post(PATH, json=pours.bodies[donation_id], headers=shop.bearer)
            assert (answer.status_code, answer.json()) == (200, before)
        eventually(lambda: client.get("/api/v1/figures").json()["gifts"] == count)


def test_a_stopped_service_answers_what_it_took_and_leaves_no_process(home: Path) -> None:
    with service(home, WORKERS="2") as running:
        shop = shop_of(home)
        everyone = descendants(running.process.pid)
        with pouring(running, shop) as pours:
            eventually(lambda: len(pours.answers) > 200)
            assert running.stop() == 0
        eventually(lambda: not any(one.lives for one in everyone))
        assert "Traceback" not in running.said
        assert pours.statuses <= {201, 503}
    with store(home) as conninfo:
        pours.assert_stored(conninfo)


def test_a_part_that_is_killed_is_started_again(conninfo: str, home: Path) -> None:
    with (
        service(home, DATABASE_URL=conninfo) as running,
        httpx.Client(base_url=running.url, timeout=60) as client,
        open_ledger(conninfo) as ledger,
    ):
        shop = open_shop(ledger)
        for name in ("api.worker", "api.follower"):
            (before,) = parts(running, name)
            os.kill(before.pid, signal.SIGKILL)
            eventually(lambda: any(one != before for one in parts(running, name)))  # noqa: B023
            eventually(answered(lambda: client.post(PATH, json=gift(), headers=shop.bearer)))
            count = len(gifts(conninfo))
            eventually(lambda: client.get("/api/v1/figures").json()["gifts"] == count)  # noqa: B023
            assert f"{name} ended with -9; it starts again" in running.said
        assert running.stop() == 0


def answered(ask: Callable[[], httpx.Response]) -> Callable[[], bool]:
    def recorded() -> bool:
        try:
            return ask().status_code == 201
        except httpx.TransportError:
            return False

    return recorded
