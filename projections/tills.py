"""The tills of partners: which there are, what each gave on a day, how its days were closed."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import class_row, tuple_row

from ledger.closes import DayClosed
from ledger.events import AnyEvent
from ledger.tills import EnrolmentOffered, TillEnrolled, TillKeyRotated, TillRevoked
from projections.feed import Page
from projections.read_model import ReadModel
from projections.sql import queries
from projections.sums import Sums

SQL = queries("tills.sql")
CLOSES_MAX = 31

State = Literal["offered", "enrolled", "revoked"]
Change = tuple[str, dict[str, Any]]


def change(event: AnyEvent) -> Change | None:
    """Give the query by which an event changes the tills, and its parameters."""
    match event:
        case EnrolmentOffered():
            kind, facts = "offered", event.model_dump()
        case TillEnrolled():
            kind, facts = "enrolled", event.model_dump()
        case TillKeyRotated():
            kind, facts = "rotated", event.model_dump()
        case TillRevoked():
            kind, facts = "revoked", event.model_dump()
        case DayClosed():
            kind, facts = "closed", event.model_dump()
        case _:
            return None
    return kind, facts | {"at": event.recorded_at}


class Fold:
    """Gathers changes of tills in their order, and sums by till and day."""

    def __init__(self) -> None:
        self._changes: list[Change] = []
        self._sums = Sums()

    def add(self, page: Page) -> None:
        sums = self._sums
        for gift in page.gifts:
            sums.give((gift.till_id, gift.occurred_on), gift)
        for reversal in page.reversals:
            sums.give_back((reversal.till_id, reversal.reversed_on), reversal)
        found = (change(other.event) for other in page.others)
        self._changes += [one for one in found if one is not None]

    def write(self, cursor: Cursor[Any]) -> None:
        for kind, facts in self._changes:
            cursor.execute(SQL[kind], facts)
        if columns := self._sums.columns("till_id", "day"):
            cursor.execute(SQL["add"], columns)
        self._changes, self._sums = [], Sums()


@dataclass(frozen=True, slots=True)
class Till:
    """A till of a partner; `expires_at` is until when the code given out for it can be used."""

    till_id: UUID
    partner_id: UUID
    name: str
    state: State
    since: datetime
    expires_at: datetime | None
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Day:
    """What one till gave on a day, and what was given back on it."""

    day: date
    gifts: int = 0
    given_cents: int = 0
    reversals: int = 0
    reversed_cents: int = 0


@dataclass(frozen=True, slots=True)
class Close:
    """A closed day: what the till said, what the ledger counted then, what it counts now."""

    day: date
    closed_at: datetime
    gifts: int
    cents: int
    first_number: int | None
    last_number: int | None
    ledger_gifts: int
    ledger_cents: int
    agrees: bool
    gifts_now: int
    cents_now: int

    @property
    def agrees_now(self) -> bool:
        """Tell whether the till was right, whenever its gifts came in."""
        return (self.gifts, self.cents) == (self.gifts_now, self.cents_now)


def of_partner(connection: Connection[Any], partner_id: UUID) -> list[Till]:
    """Give the tills of a partner, those in use first."""
    with connection.cursor(row_factory=class_row(Till)) as cursor:
        return cursor.execute(SQL["of_partner"], {"partner_id": partner_id}).fetchall()


def offered_by_code(connection: Connection[Any], code_mac: str) -> UUID | None:
    """Give the till that a code was given out for. Whether the code still opens it, it decides."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(SQL["offered_by_code"], {"code_mac": code_mac}).fetchone()
    return None if row is None else row[0]


def day_of(connection: Connection[Any], till_id: UUID, day: date) -> Day:
    """Give what a till gave on a day: zero when it gave nothing."""
    with connection.cursor(row_factory=class_row(Day)) as cursor:
        row = cursor.execute(SQL["day"], {"till_id": till_id, "day": day}).fetchone()
    return row or Day(day)


def closes_of(connection: Connection[Any], till_id: UUID, limit: int = CLOSES_MAX) -> list[Close]:
    """Give the newest closed days of a till."""
    with connection.cursor(row_factory=class_row(Close)) as cursor:
        return cursor.execute(SQL["closes"], {"till_id": till_id, "limit": limit}).fetchall()


tills = ReadModel(
    name="tills", tables=("till", "till_day", "till_close"), ddl=SQL["table"], fold=Fold
)
