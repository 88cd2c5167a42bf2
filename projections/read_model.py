"""What a read model is: rows folded from the feed, thrown away and rebuilt at will."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, LiteralString, Protocol, TypeVar

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from projections.feed import Page
from projections.sql import queries

SQL = queries("read_model.sql")

Kept = TypeVar("Kept")


class Fold(Protocol):
    """Gathers pages in memory, then writes what they change with a few set-based statements.

    Nothing reaches the database before `write`; the position is stored in the same transaction.
    """

    def add(self, page: Page) -> None:
        """Gather one page. An event it cannot take raises, and then stops the model."""

    def write(self, cursor: Cursor[Any]) -> None:
        """Write all that was gathered, and forget it."""


class InOrder(Generic[Kept]):
    """The fold of events that are few: they are kept, then written one by one in their order."""

    def __init__(
        self, kinds: tuple[type[Kept], ...], write_one: Callable[[Cursor[Any], Kept], None]
    ) -> None:
        self._kinds, self._write_one = kinds, write_one
        self._kept: list[Kept] = []

    def add(self, page: Page) -> None:
        self._kept += [one.event for one in page.others if isinstance(one.event, self._kinds)]

    def write(self, cursor: Cursor[Any]) -> None:
        for event in self._kept:
            self._write_one(cursor, event)
        self._kept = []


@dataclass(frozen=True, slots=True)
class ReadModel:
    """A named answer to one question: its tables, and how the feed becomes their rows."""

    name: str
    tables: tuple[str, ...]
    ddl: LiteralString
    fold: Callable[[], Fold]
    # A rebuild writes the sums of so many pages together: sums are bounded by keys, lines are not.
    pages_a_write: int = 20


@dataclass(frozen=True, slots=True)
class AsOf:
    """How far the feed is applied: the position, and when the event there was recorded."""

    position: int
    recorded_at: datetime | None


def as_of(connection: Connection[Any], *models: str) -> AsOf:
    """Say how far the named read models have applied the feed, all of them when none is named.

    The one furthest behind counts: what a page says is complete up to there.
    """
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(SQL["as_of"], {"models": list(models)}).fetchone()
    if row is None:
        return AsOf(0, None)
    position, state = row
    if state is None:
        return AsOf(position, None)
    return AsOf(position, datetime.fromisoformat(json.loads(state)["recorded_at"]))
