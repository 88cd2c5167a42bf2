"""Who runs the server of a home: the first process that needs it; the others borrow it.

owner.lock is held by the process that runs the server, users.lock is shared by those that borrow
it. Both are locks of the kernel: a killed process leaves none behind.
"""

import fcntl
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from ledger.embedded.failures import AlreadyServing

Kind = Literal["service", "command"]

POLL = timedelta(milliseconds=50)
SILENT_SECONDS = 1
# A service that is told to stop needs a moment: its successor may already be starting.
HANDOVER_SECONDS = 15

_held: set[int] = set()


def _forget_in_child() -> None:
    """A forked worker shares its parent's locks, and would hold them when the parent is killed."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_forget_in_child)


@dataclass(frozen=True, slots=True)
class Lock:
    descriptor: int

    @classmethod
    def take(cls, path: Path, mode: int) -> "Lock | None":
        """Return nothing, at once, when another process holds it."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        _held.add(descriptor)
        return cls(descriptor)

    def release(self) -> None:
        if self.descriptor in _held:
            _held.remove(self.descriptor)
            os.close(self.descriptor)


@dataclass(slots=True)
class Wait:
    """A wait for other processes, announced once it lasts."""

    announcement: str
    began_ns: int = field(default_factory=time.monotonic_ns)
    announced: bool = False

    @property
    def seconds(self) -> int:
        return (time.monotonic_ns() - self.began_ns) // 1_000_000_000

    def a_moment(self) -> None:
        if not self.announced and self.seconds >= SILENT_SECONDS:
            sys.stderr.write(f"{self.announcement}\n")
            sys.stderr.flush()
            self.announced = True
        time.sleep(POLL.total_seconds())


@dataclass(frozen=True, slots=True)
class Owner:
    """Runs the server; holds the lock until it is stopped."""

    home: Path
    kind: Kind
    lock: Lock

    def let_borrowers_finish(self) -> Lock | None:
        """Wait for them, and return the lock that keeps new ones out; a service does not wait."""
        wait = Wait("Waiting for other commands that use this database to end.")
        while True:
            nobody = Lock.take(self.home / "users.lock", fcntl.LOCK_EX)
            if nobody is not None or self.kind == "service":
                return nobody
            wait.a_moment()


@dataclass(frozen=True, slots=True)
class Borrower:
    """Uses the server of another process."""

    conninfo: str
    lock: Lock


def join(home: Path, kind: Kind, serving: Callable[[], str | None]) -> Owner | Borrower:
    """Own the home, or borrow what `serving` finds there; the service always owns."""
    wait = Wait(f"Waiting for the process that uses the database in {home}.")
    while True:
        lock = Lock.take(home / "owner.lock", fcntl.LOCK_EX)
        if lock is not None:
            os.truncate(lock.descriptor, 0)
            os.write(lock.descriptor, f"{kind} {os.getpid()}\n".encode())
            return Owner(home, kind, lock)
        if kind == "service":
            _refuse_second_service(home, wait)
        else:
            borrower = _borrow(home, serving)
            if borrower is not None:
                return borrower
        wait.a_moment()


def _refuse_second_service(home: Path, wait: Wait) -> None:
    owner_kind, _, owner_pid = (home / "owner.lock").read_text().strip().partition(" ")
    if owner_kind == "service" and wait.seconds >= HANDOVER_SECONDS:
        raise AlreadyServing(home, int(owner_pid))


def _borrow(home: Path, serving: Callable[[], str | None]) -> Borrower | None:
    lock = Lock.take(home / "users.lock", fcntl.LOCK_SH)
    if lock is None:  # The owner is stopping the server.
        return None
    conninfo = serving()
    if conninfo is None:  # The owner is starting it.
        lock.release()
        return None
    return Borrower(conninfo, lock)
