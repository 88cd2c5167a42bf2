"""Following the feed: every read model applies every event exactly once, in batches.

Rows and position change in one transaction. One follower works at a time; a second one, started
by mistake, waits. A model that cannot take an event stops there and says so; the others go on.
"""

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import psycopg
from psycopg import Connection, Cursor, sql
from psycopg.rows import tuple_row
from psycopg.sql import Identifier

from ledger.recorder import CHANNEL
from projections import feed
from projections.read_model import ReadModel
from projections.sql import queries

SQL = queries("follow.sql")
LOG = logging.getLogger("donpositif.follow")
PAGE_EVENTS = 1_000
# The event library's wake-up can be missed, and a listener can be killed: look as often as this.
POLL_SECONDS = 0.2
RETRY_SECONDS = 1.0
STOPPED_RETRY_SECONDS = 10.0
FOLLOWER_LOCK = 0x646F6E  # "don"


class Poisoned(Exception):
    """A read model cannot take the event at a position."""

    def __init__(self, model: str, position: int, cause: Exception) -> None:
        super().__init__(f"{model} stopped at position {position}: {cause}")
        self.model = model
        self.position = position


@dataclass(slots=True)
class Pages:
    """Remembers the page last read, because models usually stand at the same position."""

    connection: Connection[Any]
    _after: int = -1
    _limit: int = 0
    _page: feed.Page | None = None

    def after(self, position: int, limit: int) -> feed.Page | None:
        if self._page is None or (self._after, self._limit) != (position, limit):
            self._page = feed.read(self.connection, position, limit)
            self._after, self._limit = position, limit
        return self._page

    def forget(self) -> None:
        self._page = None


def prepare(connection: Connection[Any], models: Mapping[str, ReadModel]) -> None:
    """Make the tables of models that are new or have changed their shape, empty, to be refilled.

    Read models are never migrated. Repeatable; callers wait for each other.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (FOLLOWER_LOCK + 1,))
        with connection.cursor(row_factory=tuple_row) as cursor:
            standing: dict[str, str] = dict(cursor.execute(SQL["shapes"]).fetchall())
        for model in models.values():
            shape = sha256(model.ddl.encode()).hexdigest()
            # A model that is as it should be is only looked at: a rebuild may hold its row.
            if standing.get(model.name) != shape:
                connection.execute(SQL["register"], {"model": model.name, "shape": shape})
                for table in model.tables:
                    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(Identifier(table)))
                connection.execute(model.ddl)


def positions(connection: Connection[Any]) -> dict[str, int]:
    """Say how far each read model has applied the feed."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        return dict(cursor.execute(SQL["positions"]).fetchall())


def advance(
    connection: Connection[Any], model: ReadModel, pages: Pages, limit: int, *, wait: bool = True
) -> int:
    """Apply the next page to one model, rows and position together; give how many events.

    Without `wait` a model that another process writes is left alone. Raises Poisoned when the
    event right after the model's position cannot be applied.
    """
    while True:
        try:
            return apply(connection, model, pages, limit, wait=wait)
        except psycopg.OperationalError:
            raise
        except Exception as cause:
            # Somewhere in this page is an event the model cannot take: apply all before it.
            if limit == 1:
                raise Poisoned(model.name, position_after(connection, model), cause) from cause
            limit = max(1, limit // 10)
            pages.forget()


def apply(
    connection: Connection[Any], model: ReadModel, pages: Pages, limit: int, *, wait: bool = True
) -> int:
    with connection.transaction(), connection.cursor() as cursor:
        position = locked_position(cursor, model) if wait else free_position(cursor, model)
        page = None if position is None else pages.after(position, limit)
        if page is None:
            return 0
        fold = model.fold()
        fold.add(page)
        fold.write(cursor)
        cursor.execute(SQL["advance"], {"model": model.name, "position": page.last})
        return page.events


def locked_position(cursor: Cursor[Any], model: ReadModel) -> int:
    row = cursor.execute(SQL["position"], {"model": model.name}).fetchone()
    if row is None:
        raise LookupError(f"the read model {model.name} is not prepared")
    return int(row[0])


def free_position(cursor: Cursor[Any], model: ReadModel) -> int | None:
    row = cursor.execute(SQL["position_if_free"], {"model": model.name}).fetchone()
    return None if row is None else int(row[0])


def position_after(connection: Connection[Any], model: ReadModel) -> int:
    """Find the position of the event that a model would apply next."""
    after = positions(connection)[model.name]
    page = feed.read(connection, after, 1)
    return after if page is None else page.last


def catch_up(conninfo: str, models: Mapping[str, ReadModel]) -> int:
    """Apply all there is to every model and return how many events; for commands and tests.

    Raises Poisoned for the first model that stops, after the others have gone on.
    """
    applied = 0
    stopped: list[Poisoned] = []
    with psycopg.connect(conninfo, autocommit=True) as connection:
        prepare(connection, models)
        pages = Pages(connection)
        for model in models.values():
            try:
                while events := advance(connection, model, pages, PAGE_EVENTS):
                    applied += events
            except Poisoned as poisoned:
                stopped.append(poisoned)
    if stopped:
        raise stopped[0]
    return applied


@dataclass(slots=True)
class Follower:
    """Keeps read models at the head of the feed until it is told to stop."""

    conninfo: str
    models: Mapping[str, ReadModel]
    stopping: threading.Event = field(default_factory=threading.Event)
    stopped_models: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        """Follow; start again after every lost connection; return once `stop` is called."""
        while not self.stopping.is_set():
            try:
                with connected(self.conninfo) as connection:
                    if self._alone(connection):
                        self._follow(connection)
            except psycopg.OperationalError as lost:
                LOG.warning("the follower lost its database and tries again: %s", lost)
                self.stopping.wait(RETRY_SECONDS)

    def stop(self) -> None:
        """Ask `run` to return after the batch it is applying."""
        self.stopping.set()

    def _alone(self, connection: Connection[Any]) -> bool:
        """Wait until no other follower works on this ledger."""
        warned = False
        while not self.stopping.is_set():
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", (FOLLOWER_LOCK,)).fetchone()
            if row is not None and row[0]:
                return True
            if not warned:
                LOG.warning("another follower is at work; this one waits until it ends")
                warned = True
            self.stopping.wait(POLL_SECONDS)
        return False

    def _follow(self, connection: Connection[Any]) -> None:
        prepare(connection, self.models)
        with connected(self.conninfo) as listener:
            listener.execute(f"LISTEN {CHANNEL}")
            while not self.stopping.is_set():
                if not self._round(connection):
                    # One wake-up may stand for many: what is read next is all there is.
                    for _ in listener.notifies(timeout=POLL_SECONDS, stop_after=1):
                        pass

    def _round(self, connection: Connection[Any]) -> int:
        applied = 0
        pages = Pages(connection)
        # Looking costs two short reads; advancing locks and writes even when nothing is new.
        reached, newest = positions(connection), feed.head(connection)
        for model in self.models.values():
            if reached[model.name] >= newest or self._rests(model):
                continue
            try:
                applied += advance(connection, model, pages, PAGE_EVENTS, wait=False)
                self.stopped_models.pop(model.name, None)
            except Poisoned as poisoned:
                LOG.error("%s; other read models go on", poisoned)  # noqa: TRY400 - cause is in it
                self.stopped_models[model.name] = time.monotonic() + STOPPED_RETRY_SECONDS
        return applied

    def _rests(self, model: ReadModel) -> bool:
        """Tell whether a stopped model is still left alone: it is tried again now and then."""
        return self.stopped_models.get(model.name, 0) > time.monotonic()


@contextmanager
def connected(conninfo: str) -> Iterator[Connection[Any]]:
    """Connect in autocommit: transactions are always spelled out."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        yield connection
