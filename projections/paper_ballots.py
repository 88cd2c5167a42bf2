"""Paper ballots that wait for their second entry: who entered them and when, never the picks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import class_row, tuple_row

from ledger.ballots import BallotCast, BallotChanged, BallotEntered, EntryDiscarded
from ledger.calendar import civil_day
from projections.feed import Page
from projections.read_model import ReadModel
from projections.sql import queries

SQL = queries("paper_ballots.sql")


class Fold:
    """The last word on each ballot: its waiting entry, or None when it waits no more."""

    def __init__(self) -> None:
        self._last: dict[UUID, dict[str, Any] | None] = {}

    def add(self, page: Page) -> None:
        for other in page.others:
            match other.event:
                case BallotEntered() as entered:
                    self._last[entered.ballot_id] = {
                        "ballot_id": entered.ballot_id,
                        "round_id": entered.round_id,
                        "entered_by": entered.actor,
                        "entered_on": civil_day(entered.recorded_at),
                        "position": other.position,
                    }
                case (
                    BallotCast(ballot_id=ballot_id)
                    | BallotChanged(ballot_id=ballot_id)
                    | EntryDiscarded(ballot_id=ballot_id)
                ):
                    self._last[ballot_id] = None
                case _:
                    pass

    def write(self, cursor: Cursor[Any]) -> None:
        settled = [ballot_id for ballot_id, row in self._last.items() if row is None]
        if settled:
            cursor.execute(SQL["settle"], {"ballot_ids": settled})
        for row in self._last.values():
            if row is not None:
                cursor.execute(SQL["enter"], row)
        self._last = {}


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry that waits; its reference is written on the paper."""

    ballot_id: UUID
    round_id: UUID
    entered_by: str
    entered_on: date

    @property
    def reference(self) -> str:
        return reference_of(self.ballot_id)


def reference_of(ballot_id: UUID) -> str:
    return ballot_id.hex[:8].upper()


def waiting(connection: Connection[Any], round_ids: Iterable[UUID], limit: int) -> list[Waiting]:
    """Give the entries that wait in some rounds, the oldest first."""
    asked = {"round_ids": list(round_ids), "limit": limit}
    with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(SQL["waiting"], asked).fetchall()


def count(connection: Connection[Any], round_id: UUID) -> int:
    """Count the entries of a round that wait, or that waited when it closed."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(SQL["count"], {"round_id": round_id}).fetchone()
    return 0 if row is None else int(row[0])


def one(connection: Connection[Any], ballot_id: UUID) -> Waiting | None:
    with connection.cursor(row_factory=class_row(Waiting)) as cursor:
        return cursor.execute(SQL["one"], {"ballot_id": ballot_id}).fetchone()


paper_ballots = ReadModel(
    name="paper_ballots", tables=("paper_ballot",), ddl=SQL["table"], fold=Fold
)
