"""Cheques and cash handed over: who saw them, and whether the bank has them yet."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, assert_never, cast, get_args
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import class_row, tuple_row

from ledger.remittances import (
    Means,
    RemittanceApproved,
    RemittanceDeclared,
    RemittanceDiscarded,
    RemittanceEvent,
    RemittanceReturned,
)
from projections.applied import applied
from projections.feed import Page
from projections.read_model import ReadModel
from projections.sql import queries

SQL = queries("remittances.sql")
EVENTS = get_args(RemittanceEvent)
State = Literal["declared", "approved", "discarded", "returned"]


class Fold:
    """Their events are few: kept, and written in their order; deposits are summed."""

    def __init__(self) -> None:
        self._events: list[RemittanceEvent] = []
        self._deposits: Counter[UUID] = Counter()

    def add(self, page: Page) -> None:
        for other in page.rare:
            if isinstance(other.event, EVENTS):
                self._events.append(cast(RemittanceEvent, other.event))
            for one in applied(other.event):
                if one.target == "remittance" and one.target_id is not None:
                    self._deposits[one.target_id] += one.cents

    def write(self, cursor: Cursor[Any]) -> None:
        for event in self._events:
            write(cursor, event)
        if self._deposits:
            columns = {
                "remittance_id": list(self._deposits),
                "cents": list(self._deposits.values()),
            }
            cursor.execute(SQL["deposit"], columns)
        self._events, self._deposits = [], Counter()


def write(cursor: Cursor[Any], event: RemittanceEvent) -> None:
    row: dict[str, Any] = {
        "remittance_id": event.remittance_id,
        "actor": event.actor,
        "at": event.recorded_at,
    }
    match event:
        case RemittanceDeclared():
            told = event.model_dump(include={"partner_id", "means", "cents", "received_on"})
            cursor.execute(SQL["declare"], row | told)
        case RemittanceApproved():
            cursor.execute(SQL["decide"], row | {"state": "approved"})
        case RemittanceDiscarded():
            cursor.execute(SQL["decide"], row | {"state": "discarded"})
        case RemittanceReturned(returned_on=returned_on):
            cursor.execute(SQL["give_back"], row | {"returned_on": returned_on})
        case _:
            assert_never(event)


@dataclass(frozen=True, slots=True)
class RemittanceRow:
    """`decided_by` approved or discarded it."""

    remittance_id: UUID
    partner_id: UUID
    means: Means
    cents: int
    received_on: date
    state: State
    declared_by: str
    declared_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    returned_on: date | None
    deposited_cents: int

    @property
    def undeposited_cents(self) -> int:
        """What two people saw and the bank does not show yet."""
        return self.cents - self.deposited_cents if self.state == "approved" else 0


def listed(
    connection: Connection[Any], partner_id: UUID | None = None, limit: int = 200
) -> list[RemittanceRow]:
    """Give the remittances of a partner or of all, those that wait for a second person first."""
    asked = {"partner_id": partner_id, "limit": limit}
    with connection.cursor(row_factory=class_row(RemittanceRow)) as cursor:
        return cursor.execute(SQL["listed"], asked).fetchall()


def one(connection: Connection[Any], remittance_id: UUID) -> RemittanceRow | None:
    with connection.cursor(row_factory=class_row(RemittanceRow)) as cursor:
        return cursor.execute(SQL["one"], {"remittance_id": remittance_id}).fetchone()


def undeposited(connection: Connection[Any]) -> list[RemittanceRow]:
    """Give what two people saw and no bank file shows yet, the oldest first."""
    with connection.cursor(row_factory=class_row(RemittanceRow)) as cursor:
        return cursor.execute(SQL["undeposited"]).fetchall()


def deposited(connection: Connection[Any], limit: int = 200) -> list[RemittanceRow]:
    """Give those that the bank shows, sent back or not, the newest first."""
    with connection.cursor(row_factory=class_row(RemittanceRow)) as cursor:
        return cursor.execute(SQL["deposited"], {"limit": limit}).fetchall()


def waiting(connection: Connection[Any]) -> int:
    """Count those that wait for a second person."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(SQL["waiting"]).fetchone()
    return 0 if row is None else int(row[0])


remittances = ReadModel(name="remittances", tables=("remittance",), ddl=SQL["table"], fold=Fold)
