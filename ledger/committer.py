"""Group commit: one thread turns all that waits into one durable insert, then answers each.

Ids follow commits because every insert locks the table, so one commit a request would cap
the ledger at a few hundred gifts a second. While one commit runs, the next group gathers.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import NamedTuple

from eventsourcing.persistence import IntegrityError, StoredEvent
from psycopg.rows import tuple_row

from ledger.recorder import LedgerRecorder

GROUP_EVENTS_MAX = 1_000
WAITING_EVENTS_MAX = 10_000

TAKEN = """
SELECT e.originator_id, e.originator_version, e.topic, e.state, e.notification_id
FROM ledger_events AS e
JOIN unnest(%b::uuid[], %b::bigint[]) AS k (id, version)
  ON e.originator_id = k.id AND e.originator_version = k.version
"""

Append = tuple[StoredEvent, ...]


class Conflict(NamedTuple):
    """Another append has taken the version: load the stream and decide again."""


class Lost(NamedTuple):
    """The database failed: the append may or may not be durable. Send the same again."""

    cause: Exception


Outcome = tuple[int, ...] | Conflict | Lost
Outcomes = list[Outcome]


class QueueFull(Exception):
    """More is waiting than the database takes in two seconds: come back later."""


class Closed(Exception):
    """The committer has been closed: nothing is taken any more."""


@dataclass(slots=True, eq=False)
class Waiting:
    """Appends of one caller, and where the answer goes."""

    appends: Sequence[Append]
    future: "asyncio.Future[Outcomes] | Future[Outcomes]"
    loop: asyncio.AbstractEventLoop | None
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    @property
    def events(self) -> int:
        return sum(map(len, self.appends))

    def answer(self) -> Outcomes:
        return [self.outcomes[index] for index in range(len(self.appends))]


class Committer:
    """Appends in groups; safe to call from any thread and from any event loop."""

    def __init__(
        self, recorder: LedgerRecorder, waiting_events_max: int = WAITING_EVENTS_MAX
    ) -> None:
        """Start the thread. `waiting_events_max` bounds what may wait before QueueFull."""
        self._recorder = recorder
        self._waiting_events_max = waiting_events_max
        self._waiting: deque[Waiting] = deque()
        self._gathering: dict[asyncio.AbstractEventLoop, list[Waiting]] = {}
        self._waiting_events = 0
        self._ready = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    def append(self, appends: Sequence[Append]) -> "asyncio.Future[Outcomes]":
        """Append from a coroutine: one outcome an append, in order, after the commit.

        What the coroutines of one turn of their event loop append is handed over together: waking
        the thread for each would make it commit one at a time.
        """
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        waiting = Waiting(appends, future, loop)
        with self._ready:
            self._admit(waiting)
            gathering = self._gathering.setdefault(loop, [])
            gathering.append(waiting)
        if len(gathering) == 1:
            loop.call_soon(self._hand_over, loop)
        return future

    def append_and_wait(self, appends: Sequence[Append]) -> Outcomes:
        """Append from a thread, and wait for the commit."""
        future: Future[Outcomes] = Future()
        waiting = Waiting(appends, future, None)
        with self._ready:
            self._admit(waiting)
            self._waiting.append(waiting)
            self._ready.notify()
        return future.result()

    def close(self) -> None:
        """Commit all that was admitted, then stop. May be called from an event loop's thread."""
        with self._ready:
            self._closed = True
            for gathering in self._gathering.values():
                self._waiting.extend(gathering)
            self._gathering.clear()
            self._ready.notify()
        self._thread.join()

    def _admit(self, waiting: Waiting) -> None:
        """Count events in. Raises QueueFull or Closed; one call alone may exceed the bound."""
        if self._closed:
            raise Closed
        if (
            self._waiting_events
            and self._waiting_events + waiting.events > self._waiting_events_max
        ):
            raise QueueFull
        self._waiting_events += waiting.events

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._ready:
            self._waiting.extend(self._gathering.pop(loop, ()))
            self._ready.notify()

    def _run(self) -> None:
        while group := self._next_group():
            commit(self._recorder, group)
            answer(group)

    def _next_group(self) -> list[Waiting]:
        with self._ready:
            while not self._waiting:
                if self._closed:
                    return []
                self._ready.wait()
            group: list[Waiting] = []
            events = 0
            while self._waiting and events < GROUP_EVENTS_MAX:
                waiting = self._waiting.popleft()
                events += waiting.events
                group.append(waiting)
            self._waiting_events -= events
            return group


class Pending(NamedTuple):
    """One append of a group that has no outcome yet."""

    waiting: Waiting
    number: int

    @property
    def append(self) -> Append:
        return self.waiting.appends[self.number]

    def settle(self, outcome: Outcome) -> None:
        self.waiting.outcomes[self.number] = outcome


def commit(recorder: LedgerRecorder, group: Sequence[Waiting]) -> None:
    """Give every append of the group its outcome: positions, Conflict or Lost."""
    pending = without_twins(
        [Pending(waiting, number) for waiting in group for number in range(len(waiting.appends))]
    )
    while pending:
        stored = [event for one in pending for event in one.append]
        try:
            positions = recorder.insert_events(stored) or ()
        except IntegrityError:
            # Some version is taken: by another writer, or by an insert of our own whose
            # acknowledgement was lost and which the library then tried again.
            try:
                pending = without_taken(recorder, pending)
            except Exception as cause:  # noqa: BLE001 - every waiting caller must be answered.
                settle_all(pending, Lost(cause))
                return
        except Exception as cause:  # noqa: BLE001 - every waiting caller must be answered.
            settle_all(pending, Lost(cause))
            return
        else:
            start = 0
            for one in pending:
                end = start + len(one.append)
                one.settle(tuple(positions[start:end]))
                start = end
            return


def settle_all(pending: Sequence[Pending], outcome: Outcome) -> None:
    for one in pending:
        one.settle(outcome)


def without_twins(pending: Sequence[Pending]) -> list[Pending]:
    """Keep the first append to each stream version; the others lost the race to it."""
    seen: set[object] = set()
    kept: list[Pending] = []
    for one in pending:
        keys = {(event.originator_id, event.originator_version) for event in one.append}
        if seen.isdisjoint(keys):
            seen |= keys
            kept.append(one)
        else:
            one.settle(Conflict())
    return kept


def without_taken(recorder: LedgerRecorder, pending: Sequence[Pending]) -> list[Pending]:
    """Settle the appends whose versions are taken, ours or another's; keep the others."""
    keys = [
        (event.originator_id, event.originator_version) for one in pending for event in one.append
    ]
    with recorder.datastore.get_connection() as connection:
        cursor = connection.cursor(row_factory=tuple_row)
        cursor.execute(TAKEN, ([key[0] for key in keys], [key[1] for key in keys]), prepare=True)
        taken = {(row[0], row[1]): (row[2], bytes(row[3]), row[4]) for row in cursor.fetchall()}
    kept: list[Pending] = []
    for one in pending:
        found = [taken.get((event.originator_id, event.originator_version)) for event in one.append]
        if not any(found):
            kept.append(one)
        elif all(
            there is not None and there[:2] == (event.topic, event.state)
            for there, event in zip(found, one.append, strict=True)
        ):
            one.settle(tuple(there[2] for there in found if there is not None))
        else:
            one.settle(Conflict())
    return kept


def answer(group: Sequence[Waiting]) -> None:
    """Wake every caller: those of one event loop together, because each wake-up costs."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Waiting]] = {}
    for waiting in group:
        if waiting.loop is None:
            waiting.future.set_result(waiting.answer())
        else:
            by_loop.setdefault(waiting.loop, []).append(waiting)
    for loop, waiting_here in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(resolve, waiting_here)


def resolve(group: Sequence[Waiting]) -> None:
    for waiting in group:
        if not waiting.future.done():  # A caller that left has cancelled its future.
            waiting.future.set_result(waiting.answer())
