"""The record: streams of events are read, decided upon and appended to, once and for good."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar, cast
from uuid import UUID

from eventsourcing.persistence import InterfaceError, OperationalError, StoredEvent
from psycopg import Cursor
from psycopg.rows import TupleRow, tuple_row
from psycopg_pool import PoolTimeout

from ledger.committer import Append, Committer, Conflict, Lost, Outcome
from ledger.decider import Command, Decider, Event, Refused
from ledger.events import decode, encode
from ledger.ids import stream_of
from ledger.recorder import LedgerRecorder, open_recorder

# A stream is one gift, till or partner: only a handful of writers can ever meet on one.
ATTEMPTS_MAX = 20

C = TypeVar("C", bound=Command)
S = TypeVar("S")
E = TypeVar("E", bound=Event)

STREAMS = """
SELECT originator_id, originator_version, topic, state, notification_id
FROM ledger_events WHERE originator_id = ANY(%b::uuid[]) ORDER BY originator_id, originator_version
"""
STREAMS_BETWEEN = """
SELECT originator_id, originator_version, topic, state, notification_id FROM ledger_events
WHERE originator_id BETWEEN %b AND %b AND topic = ANY(%b::text[])
ORDER BY originator_id, originator_version
"""


class LedgerUnavailable(Exception):
    """The database could not confirm: what was sent may or may not be recorded. Send it again."""


@dataclass(frozen=True, slots=True)
class Recorded(Generic[E]):
    """An event where it stands: its place in its stream, and in the feed of all events."""

    event: E
    version: int
    position: int


@dataclass(frozen=True, slots=True)
class Handled(Generic[E]):
    """A stream after a command; `fresh` of its events are the command's own, 0 for a repeat."""

    history: tuple[Recorded[E], ...]
    fresh: int


@dataclass(slots=True)
class Attempt(Generic[C, E]):
    """One command on its way: what is known of its stream, and how it ended."""

    subject_id: UUID
    command: C
    history: tuple[Recorded[E], ...] | None = None
    events: Sequence[E] = ()
    result: Handled[E] | Refused | None = None


class Ledger:
    """The one door to the events. Safe to share between threads and with an event loop."""

    def __init__(self, recorder: LedgerRecorder, committer: Committer) -> None:
        self._recorder = recorder
        self._committer = committer

    def history(self, decider: Decider[C, S, E], subject_id: UUID) -> tuple[Recorded[E], ...]:
        """Give the events of one subject, oldest first."""
        return self._histories(decider, [subject_id])[0]

    def histories(
        self, decider: Decider[C, S, E], subject_ids: Sequence[UUID]
    ) -> list[tuple[Recorded[E], ...]]:
        """Give the events of many subjects at once, in their order; none for one that is new."""
        return self._histories(decider, subject_ids)

    def histories_between(
        self, first: UUID, last: UUID, kinds: Sequence[type[E]]
    ) -> list[tuple[Recorded[E], ...]]:
        """Give the events of some types, by stream, whose streams lie in a range of stream ids.

        What is there costs as much time as what is not, apart from reading it.
        """
        topics = [kind.__name__ for kind in kinds]
        streams: dict[UUID, list[Recorded[E]]] = {}
        with self._reading() as cursor:
            rows = cursor.execute(STREAMS_BETWEEN, (first, last, topics), prepare=True).fetchall()
        for stream_id, version, topic, state, position in rows:
            event = cast(E, decode(topic, bytes(state)))
            streams.setdefault(stream_id, []).append(Recorded(event, version, position))
        return [tuple(stream) for stream in streams.values()]

    def handle(self, decider: Decider[C, S, E], subject_id: UUID, command: C) -> Handled[E]:
        """Carry out one command and wait until it is durable. Raises its refusal."""
        result = self.handle_all(decider, [(subject_id, command)])[0]
        if isinstance(result, Refused):
            raise result
        return result

    def handle_all(
        self,
        decider: Decider[C, S, E],
        commands: Sequence[tuple[UUID, C]],
        *,
        presume_new: bool = False,
    ) -> list[Handled[E] | Refused]:
        """Carry out commands on many subjects in one commit, and in more where writers meet.

        With `presume_new` no stream is read first; a command on an existing one then costs a
        second round. A refusal decided on a presumed state stands, so presume only for commands
        that open a stream.
        """
        attempts: list[Attempt[C, E]] = [Attempt(subject, command) for subject, command in commands]
        if not presume_new:
            self._reload(decider, attempts)
        for _ in range(ATTEMPTS_MAX):
            undecided = decide_all(decider, attempts)
            if not undecided:
                return results(attempts)
            appends = [append_of(decider, attempt) for attempt in undecided]
            conflicts = settle(undecided, self._committer.append_and_wait(appends))
            self._reload(decider, conflicts)
        raise LedgerUnavailable("too many writers on one stream")

    async def submit_all(
        self,
        decider: Decider[C, S, E],
        commands: Sequence[tuple[UUID, C]],
        *,
        presume_new: bool = False,
    ) -> list[Handled[E] | Refused]:
        """Do as `handle_all` from a coroutine, joining other requests' commits."""
        attempts: list[Attempt[C, E]] = [Attempt(subject, command) for subject, command in commands]
        if not presume_new:
            await asyncio.to_thread(self._reload, decider, attempts)
        for _ in range(ATTEMPTS_MAX):
            undecided = decide_all(decider, attempts)
            if not undecided:
                return results(attempts)
            appends = [append_of(decider, attempt) for attempt in undecided]
            conflicts = settle(undecided, await self._committer.append(appends))
            if conflicts:
                await asyncio.to_thread(self._reload, decider, conflicts)
        raise LedgerUnavailable("too many writers on one stream")

    def _reload(self, decider: Decider[C, S, E], attempts: Sequence[Attempt[C, E]]) -> None:
        histories = self._histories(decider, [attempt.subject_id for attempt in attempts])
        for attempt, history in zip(attempts, histories, strict=True):
            attempt.history = history

    @contextmanager
    def _reading(self) -> Iterator[Cursor[TupleRow]]:
        try:
            with self._recorder.datastore.get_connection() as connection:
                yield connection.cursor(row_factory=tuple_row)
        except (InterfaceError, OperationalError, PoolTimeout) as lost:
            raise LedgerUnavailable(str(lost)) from lost

    def _histories(
        self, decider: Decider[C, S, E], subject_ids: Sequence[UUID]
    ) -> list[tuple[Recorded[E], ...]]:
        """Read many streams with one query."""
        stream_ids = [stream_of(decider.category, subject_id) for subject_id in subject_ids]
        streams: dict[UUID, list[Recorded[E]]] = {stream_id: [] for stream_id in stream_ids}
        with self._reading() as cursor:
            rows = cursor.execute(STREAMS, (stream_ids,), prepare=True).fetchall()
        for stream_id, version, topic, state, position in rows:
            event = cast(E, decode(topic, bytes(state)))
            streams[stream_id].append(Recorded(event, version, position))
        return [tuple(streams[stream_id]) for stream_id in stream_ids]


def decide_all(decider: Decider[C, S, E], attempts: Sequence[Attempt[C, E]]) -> list[Attempt[C, E]]:
    """Decide each attempt that has no result yet; give those that have events to append."""
    undecided: list[Attempt[C, E]] = []
    for attempt in attempts:
        if attempt.result is not None:
            continue
        history = attempt.history or ()
        state = decider.fold(recorded.event for recorded in history)
        try:
            attempt.events = decider.decide(attempt.command, state)
        except Refused as refusal:
            attempt.result = refusal
            continue
        if attempt.events:
            undecided.append(attempt)
        else:
            attempt.result = Handled(history, fresh=0)
    return undecided


def append_of(decider: Decider[C, S, E], attempt: Attempt[C, E]) -> Append:
    stream_id = stream_of(decider.category, attempt.subject_id)
    version = len(attempt.history or ())
    stored: list[StoredEvent] = []
    for event in attempt.events:
        version += 1
        stored.append(StoredEvent(stream_id, version, *encode(event)))
    return tuple(stored)


def settle(attempts: Sequence[Attempt[C, E]], outcomes: Sequence[Outcome]) -> list[Attempt[C, E]]:
    """Note the attempts that are durable; give those that met another writer."""
    conflicts: list[Attempt[C, E]] = []
    for attempt, outcome in zip(attempts, outcomes, strict=True):
        match outcome:
            case Conflict():
                conflicts.append(attempt)
            case Lost(cause=cause):
                raise LedgerUnavailable(str(cause)) from cause
            case positions:
                before = attempt.history or ()
                fresh = tuple(
                    Recorded(event, version, position)
                    for version, (event, position) in enumerate(
                        zip(attempt.events, positions, strict=True), len(before) + 1
                    )
                )
                attempt.result = Handled(before + fresh, fresh=len(fresh))
    return conflicts


def results(attempts: Sequence[Attempt[C, E]]) -> list[Handled[E] | Refused]:
    return [attempt.result for attempt in attempts if attempt.result is not None]


@contextmanager
def open_ledger(
    conninfo: str, *, committer: Callable[[LedgerRecorder], Committer] = Committer
) -> Iterator[Ledger]:
    """Open the ledger on a migrated database; what waits is committed at the end."""
    recorder = open_recorder(conninfo)
    running = committer(recorder)
    try:
        yield Ledger(recorder, running)
    finally:
        running.close()
        recorder.datastore.close()
