import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from ledger.embedded import embedded_postgres, ownership
from ledger.embedded.failures import AlreadyServing
from ledger.embedded.server import reachable
from tests.ledger.processes import OtherProcess, eventually

Start = Callable[..., OtherProcess]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Start another process on the home; whatever happens, it ends with the test."""
    started: list[OtherProcess] = []

    def other(kind: str, first: str = "pass") -> OtherProcess:
        started.append(OtherProcess(home, kind, first))
        return started[-1]

    yield other
    for process in started:
        process.close()


@pytest.mark.parametrize("kind", ["command", "service"])
def test_a_second_process_borrows_the_server(home: Path, start: Start, kind: str) -> None:
    owner = start(kind)
    conninfo = owner.conninfo()
    with embedded_postgres(home) as borrowed:
        assert borrowed == conninfo
        assert reachable(borrowed)
    assert reachable(conninfo)
    owner.finish()
    assert owner.finished() == 0
    assert not reachable(conninfo)


def test_a_use_within_a_use_borrows_too(home: Path) -> None:
    with embedded_postgres(home) as outer, embedded_postgres(home) as inner:
        assert inner == outer
        with psycopg.connect(inner) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_short_owner_waits_for_its_borrower(home: Path, start: Start) -> None:
    owner = start("command")
    owner.conninfo()
    with embedded_postgres(home) as borrowed:
        owner.finish()
        assert owner.said() == "Waiting for other commands that use this database to end."
        assert reachable(borrowed)
    assert owner.finished() == 0
    assert not reachable(borrowed)


def test_the_service_stops_without_waiting_for_a_borrower(home: Path, start: Start) -> None:
    service = start("service")
    service.conninfo()
    with embedded_postgres(home) as borrowed:
        service.finish()
        assert service.finished() == 0
        assert not reachable(borrowed)


def test_the_service_waits_for_a_short_owner_and_then_owns(home: Path, start: Start) -> None:
    command = start("command")
    command.conninfo()
    service = start("service")
    assert service.said() == f"Waiting for the process that uses the database in {home}."
    command.finish()
    assert command.finished() == 0
    conninfo = service.conninfo()
    assert reachable(conninfo)
    assert (home / "owner.lock").read_text() == f"service {service.process.pid}\n"


def test_a_second_service_is_refused(
    home: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = start("service")
    service.conninfo()
    monkeypatch.setattr(ownership, "HANDOVER_SECONDS", 0)
    with (
        pytest.raises(AlreadyServing, match=str(service.process.pid)),
        embedded_postgres(home, owner=True),
    ):
        pass


def test_a_service_follows_one_that_is_stopping(home: Path, start: Start) -> None:
    service = start("service")
    service.conninfo()
    successor = start("service")
    successor.said()
    service.finish()
    assert reachable(successor.conninfo())


def test_concurrent_first_starts_share_one_server(start: Start) -> None:
    others = [start("command") for _ in range(4)]
    assert len({other.conninfo() for other in others}) == 1
    for other in others:
        other.finish()
    assert [other.finished() for other in others] == [0] * 4


def test_a_forked_worker_does_not_keep_the_locks_of_its_killed_parent(
    home: Path, start: Start
) -> None:
    fork = "import time; os.fork() or (open('forked', 'w').close(), time.sleep(5), os._exit(0))"
    service = start("service", fork)
    service.conninfo()
    eventually((home / "forked").exists)
    service.kill()
    began = time.monotonic()
    with embedded_postgres(home, owner=True) as conninfo:
        assert reachable(conninfo)
    assert time.monotonic() - began < 4
