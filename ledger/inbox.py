"""The inbox: what Stripe announced is stored once, answered at once, and acted upon later.

One thread of each process stores all that waits with one statement, so that a burst costs few
commits; whoever announced something is answered after its commit, and sends it again otherwise.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from psycopg import Connection
from psycopg.rows import class_row, tuple_row
from psycopg_pool import ConnectionPool

from ledger.committer import Closed, QueueFull
from ledger.store import LedgerUnavailable

GROUP_MAX: Final = 1_000
WAITING_MAX: Final = 10_000
# Stripe lists its events for 30 days: what was acted upon is kept longer than it can come again.
KEPT: Final = timedelta(days=60)
FAILURE_LETTERS_MAX: Final = 500

Via = Literal["webhook", "listing"]
Outcome = Literal[
    "applied", "not_ours", "unknown_object", "connected_account", "foreign_currency", "no_concern"
]

# An object that was unknown once may be known later, as after a wrong key: what Stripe lists again
# is asked for again. `xmax` is zero in a row that was not there before.
STORE = """
INSERT INTO inbox (event_id, kind, object_kind, object_id, account, via, created_at)
SELECT event_id, kind, object_kind, object_id, account, %(via)b, created_at
FROM unnest(%(event_id)b::text[], %(kind)b::text[], %(object_kind)b::text[], %(object_id)b::text[],
            %(account)b::text[], %(created_at)b::timestamptz[])
    AS told (event_id, kind, object_kind, object_id, account, created_at)
ON CONFLICT (event_id) DO UPDATE
SET handled_at = NULL, outcome = NULL, attempts = 0, next_at = clock_timestamp()
WHERE inbox.outcome = 'unknown_object' AND excluded.via = 'listing'
RETURNING xmax = 0 AS new
"""
WAITING = """
SELECT event_id, kind, object_kind, object_id, account, attempts FROM inbox
WHERE handled_at IS NULL AND next_at <= clock_timestamp() ORDER BY next_at, event_id LIMIT %(limit)s
"""
# What arrived after the object was fetched may be news: only what was seen before is marked.
HANDLE = """
UPDATE inbox SET handled_at = clock_timestamp(), outcome = %(outcome)s, failure = NULL
WHERE event_id = ANY(%(event_ids)s) AND handled_at IS NULL
"""
FAIL = """
UPDATE inbox
SET attempts = attempts + 1, failure = %(failure)s,
    next_at = clock_timestamp()
            + least(interval '1 second' * 2 ^ least(attempts, 12), interval '1 hour')
WHERE event_id = ANY(%(event_ids)s) AND handled_at IS NULL
"""
FORGET = "DELETE FROM inbox WHERE handled_at < clock_timestamp() - %(kept)s::interval"
FAILING = """
SELECT event_id, kind, object_kind, object_id, attempts, failure, received_at, next_at FROM inbox
WHERE handled_at IS NULL AND failure IS NOT NULL ORDER BY received_at, event_id LIMIT %(limit)s
"""
COUNTS = """
SELECT count(*) FILTER (WHERE handled_at IS NULL) AS waiting,
       count(*) FILTER (WHERE handled_at IS NULL AND failure IS NOT NULL) AS failing,
       count(*) FILTER (WHERE outcome = 'connected_account') AS connected,
       count(*) FILTER (WHERE outcome = 'not_ours') AS not_ours,
       count(*) FILTER (WHERE outcome = 'unknown_object') AS unknown,
       count(*) FILTER (WHERE outcome = 'foreign_currency') AS foreign_currency,
       count(*) FILTER (WHERE via = 'listing') AS found_by_listing,
       max(received_at) FILTER (WHERE via = 'webhook') AS last_received_at
FROM inbox
"""
RETRY = "UPDATE inbox SET next_at = clock_timestamp() WHERE handled_at IS NULL"


@dataclass(frozen=True, slots=True)
class Announced:
    """An event of Stripe's: that something became of an object. `account` is a connected one."""

    event_id: str
    kind: str
    object_kind: str
    object_id: str
    created_at: datetime
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """One that was not acted upon yet."""

    event_id: str
    kind: str
    object_kind: str
    object_id: str
    account: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Failing:
    """One that could not be acted upon so far, why, and when it is tried next."""

    event_id: str
    kind: str
    object_kind: str
    object_id: str
    attempts: int
    failure: str
    received_at: datetime
    next_at: datetime


@dataclass(frozen=True, slots=True)
class Counts:
    """What is in the inbox: waiting, failing, and what the ledger took no notice of."""

    waiting: int
    failing: int
    connected: int
    not_ours: int
    unknown: int
    foreign_currency: int
    found_by_listing: int
    last_received_at: datetime | None


def store(connection: Connection[Any], announced: Sequence[Announced], via: Via) -> int:
    """Store what is not there yet, durably; give how many were new.

    What a listing finds again, and was about an unknown object, waits anew.
    """
    # Twice in one statement is more than a database takes; in one order, writers do not deadlock.
    once = sorted({one.event_id: one for one in announced}.items())
    columns = {
        name: [getattr(one, name) for _, one in once]
        for name in ("event_id", "kind", "object_kind", "object_id", "account", "created_at")
    }
    with connection.cursor(row_factory=tuple_row) as cursor:
        stored = cursor.execute(STORE, columns | {"via": via}).fetchall()
    return sum(new for (new,) in stored)


def waiting(connection: Connection[Any], limit: int) -> list[Waiting]:
    """Give what is due, the oldest first."""
    with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(WAITING, {"limit": limit}).fetchall()


def mark_handled(connection: Connection[Any], event_ids: Sequence[str], outcome: Outcome) -> None:
    connection.execute(HANDLE, {"event_ids": list(event_ids), "outcome": outcome})


def mark_failed(connection: Connection[Any], event_ids: Sequence[str], failure: str) -> None:
    """Note why it did not work: it is tried again after a while, each time twice as long."""
    told = failure[:FAILURE_LETTERS_MAX]
    connection.execute(FAIL, {"event_ids": list(event_ids), "failure": told})


def forget_old(connection: Connection[Any]) -> int:
    return connection.execute(FORGET, {"kept": KEPT}).rowcount


def failing(connection: Connection[Any], limit: int = 100) -> list[Failing]:
    """Give what fails, the oldest first."""
    with connection.cursor(row_factory=class_row(Failing)) as cursor:
        return cursor.execute(FAILING, {"limit": limit}).fetchall()


def counts(connection: Connection[Any]) -> Counts:
    with connection.cursor(row_factory=class_row(Counts)) as cursor:
        found = cursor.execute(COUNTS).fetchone()
    assert found is not None  # noqa: S101 - a count always has one row.
    return found


def retry_now(connection: Connection[Any]) -> None:
    """Let all that waits be tried at once."""
    connection.execute(RETRY)


@dataclass(slots=True, eq=False)
class Storing:
    """One announcement on its way, and where the answer goes."""

    announced: Announced
    future: "asyncio.Future[None]"
    loop: asyncio.AbstractEventLoop


class Inbox:
    """Stores announcements in groups; safe to call from any event loop."""

    def __init__(self, pool: ConnectionPool[Any], waiting_max: int = WAITING_MAX) -> None:
        """`waiting_max` bounds what may wait for its commit before QueueFull."""
        self._pool = pool
        self._waiting_max = waiting_max
        self._queue: deque[Storing] = deque()
        self._ready = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def put(self, announced: Announced) -> "asyncio.Future[None]":
        """Store one; the answer comes after its commit. Raises QueueFull, Closed."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._ready:
            if self._closed:
                raise Closed
            if len(self._queue) >= self._waiting_max:
                raise QueueFull
            if self._thread is None:  # Most processes are never announced anything.
                self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)
                self._thread.start()
            self._queue.append(Storing(announced, future, loop))
            self._ready.notify()
        return future

    def close(self) -> None:
        """Store all that was taken, then stop."""
        with self._ready:
            self._closed = True
            self._ready.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while group := self._next_group():
            cause: Exception | None = None
            try:
                with self._pool.connection() as connection:
                    store(connection, [one.announced for one in group], "webhook")
            except Exception as lost:  # noqa: BLE001 - every waiting caller must be answered.
                cause = LedgerUnavailable(str(lost))
            by_loop: dict[asyncio.AbstractEventLoop, list[Storing]] = {}
            for one in group:
                by_loop.setdefault(one.loop, []).append(one)
            for loop, here in by_loop.items():
                if not loop.is_closed():
                    loop.call_soon_threadsafe(answer, here, cause)

    def _next_group(self) -> list[Storing]:
        with self._ready:
            while not self._queue and not self._closed:
                self._ready.wait()
            return [self._queue.popleft() for _ in range(min(GROUP_MAX, len(self._queue)))]


def answer(group: Sequence[Storing], cause: Exception | None) -> None:
    for one in group:
        if one.future.done():  # A caller that left has cancelled its future.
            continue
        if cause is None:
            one.future.set_result(None)
        else:
            one.future.set_exception(cause)
