"""Statements as they stand: what each asked for, what came in for it, what was written off."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import Connection, Cursor
from psycopg.rows import class_row, kwargs_row, tuple_row

from ledger.calendar import civil_day
from ledger.events import AnyEvent
from ledger.partners.overdue import OverdueCleared, StatementFellOverdue
from ledger.payments.events import PaymentSucceeded
from ledger.settlements.commands import Got
from ledger.settlements.events import (
    ClosedBy,
    DaySum,
    Part,
    StatementClosed,
    StatementReminded,
    WriteOffApproved,
    WriteOffDiscarded,
    WriteOffProposed,
    WriteOffReason,
)
from ledger.settlements.lines import Reach
from projections.applied import card_change
from projections.feed import Page
from projections.read_model import ReadModel
from projections.sql import queries
from projections.statement_money import Means, Movement, columns_of, movements

SQL = queries("statements.sql")
NEWEST: Final = 100

Change = tuple[str, dict[str, Any]]


def change(event: AnyEvent) -> Change | None:
    """Give the query by which an event changes one statement, and its parameters."""
    match event:
        case StatementReminded():
            return "remind", event.model_dump(include={"statement_id", "level", "reminded_on"})
        case WriteOffProposed():
            told = event.model_dump_json(include={"write_off_id", "cents", "reason", "actor"})
            return "write_off", {"statement_id": event.statement_id, "write_off": told}
        case WriteOffApproved() | WriteOffDiscarded():
            return "write_off", {"statement_id": event.statement_id, "write_off": None}
        case StatementFellOverdue() | OverdueCleared():
            overdue = isinstance(event, StatementFellOverdue)
            return "note_overdue", {"statement_id": event.statement_id, "overdue": overdue}
        case _:
            return None


class Fold:
    """Gathers what was closed, what changed, and all money; money is added up once at the end."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._closed: list[dict[str, Any]] = []
        self._changes: list[Change] = []
        self._money: list[Movement] = []
        self._cards: list[tuple[UUID, UUID]] = []
        self._card_changes: list[tuple[UUID, int, date, int]] = []

    def add(self, page: Page) -> None:
        for other in page.rare:
            event = other.event
            if isinstance(event, StatementClosed):
                told = event.model_dump(mode="json", exclude={"actor"})
                self._closed.append(told | {"closed_on": str(civil_day(event.recorded_at))})
                continue
            if (changed := change(event)) is not None:
                self._changes.append(changed)
            self._money += movements(other)
            if isinstance(event, PaymentSucceeded) and event.purpose == "statement":
                if event.purpose_id is not None:
                    self._cards.append((event.payment_id, event.purpose_id))
            elif (lost := card_change(event)) is not None:
                self._card_changes.append((lost.payment_id, other.position, lost.on, lost.cents))

    def write(self, cursor: Cursor[Any]) -> None:
        if self._closed:
            closed = {"closed": msgspec.json.encode(self._closed).decode()}
            cursor.execute(SQL["close"], closed)
            cursor.execute(SQL["days"], closed)
        for query, facts in self._changes:
            cursor.execute(SQL[query], facts)
        touched = {str(one.statement_id) for one in self._money} | self._write_cards(cursor)
        if self._money:
            cursor.execute(SQL["money"], columns_of(self._money))
        if touched:
            cursor.execute(SQL["settle"], {"statement_id": sorted(touched)})
        self._forget()

    def _write_cards(self, cursor: Cursor[Any]) -> set[str]:
        """Write what cards paid and lost; give the statements of what they lost."""
        if self._cards:
            payments, statements = zip(*self._cards, strict=True)
            facts = {"payment_id": list(payments), "statement_id": list(statements)}
            cursor.execute(SQL["cards"], facts)
        if not self._card_changes:
            return set()
        names = ("payment_id", "position", "day", "cents")
        ids, positions, days, cents = zip(*self._card_changes, strict=True)
        columns = dict(zip(names, map(list, (ids, positions, days, cents)), strict=True))
        return {row[0] for row in cursor.execute(SQL["paid_by_card"], columns).fetchall()}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A write-off that one person proposed and nobody decided upon yet."""

    write_off_id: UUID
    cents: int
    reason: WriteOffReason
    proposed_by: str


@dataclass(frozen=True, slots=True)
class Statement:
    """A closed statement and what became of it; `settled_on` is None while something is owed.

    `lacking_since` is the day on which money of one that was whole before was taken back.
    `set_off_cents` of the partner's other credit paid it; below zero its own paid others.
    """

    statement_id: UUID
    partner_id: UUID
    number: int
    first_on: date
    last_on: date
    through_position: int
    lines: int
    lines_sha256: str
    parts: tuple[Part, ...]
    owed_cents: int
    reference: str
    due_on: date
    closed_by: ClosedBy
    closed_at: datetime
    banked_cents: int
    written_off_cents: int
    set_off_cents: int
    settled_on: date | None
    lacking_since: date | None
    reminders: int
    reminded_on: date | None
    write_off: Waiting | None
    overdue_noted: bool

    @property
    def outstanding_cents(self) -> int:
        """What is still owed; a credit of the partner's when it is negative."""
        settled_cents = self.banked_cents + self.written_off_cents + self.set_off_cents
        return self.owed_cents - settled_cents

    @property
    def has_receipt(self) -> bool:
        """Tell whether there is something to acknowledge: money, or a credit that was set off."""
        return bool(self.banked_cents or self.set_off_cents)

    @property
    def closed_on(self) -> date:
        return civil_day(self.closed_at)

    def is_overdue(self, on: date) -> bool:
        return self.outstanding_cents > 0 and on > self.due_on


def statement_of(left_cents: int, **row: Any) -> Statement:
    """Put a row together; what is left of it is what its property says."""
    waiting = row.pop("write_off")
    if waiting is not None:
        waiting = Waiting(
            UUID(waiting["write_off_id"]), waiting["cents"], waiting["reason"], waiting["actor"]
        )
    parts = tuple(Part.model_validate(part) for part in row.pop("parts"))
    found = Statement(parts=parts, write_off=waiting, **row)
    assert found.outstanding_cents == left_cents  # noqa: S101 - two ways to say one sum.
    return found


# By how many days ago a debt of a column fell due; the last column is of everything older.
AGES = {"to_30_cents": (0, 30), "to_60_cents": (31, 60), "to_90_cents": (61, 90)}


@dataclass(frozen=True, slots=True)
class Ageing:
    """What a partner owes on statements: not due yet, then by how many days ago it fell due."""

    partner_id: UUID
    not_due_cents: int
    to_30_cents: int
    to_60_cents: int
    to_90_cents: int
    over_90_cents: int
    oldest_due_on: date

    @property
    def cents(self) -> int:
        overdue = self.to_30_cents + self.to_60_cents + self.to_90_cents + self.over_90_cents
        return self.not_due_cents + overdue


@dataclass(frozen=True, slots=True)
class Money:
    """One movement that a partner reads in a statement's history.

    `other_number` is of the statement on the other side of a set-off.
    """

    means: Means
    day: date
    cents: int
    other_number: int | None


def found(connection: Connection[Any], **asked: Any) -> list[Statement]:
    wanted = {"statement_id": None, "partner_id": None, "number": None, "reference": None} | asked
    return rows(connection, "found", wanted)


def rows(connection: Connection[Any], query: str, asked: dict[str, Any]) -> list[Statement]:
    with connection.cursor(row_factory=kwargs_row(statement_of)) as cursor:
        return cursor.execute(SQL[query], asked).fetchall()


def one(connection: Connection[Any], statement_id: UUID) -> Statement | None:
    return next(iter(found(connection, statement_id=statement_id)), None)


def numbered(connection: Connection[Any], partner_id: UUID, number: int) -> Statement | None:
    """Give a partner's statement by its number."""
    return next(iter(found(connection, partner_id=partner_id, number=number)), None)


def of_partner(connection: Connection[Any], partner_id: UUID) -> list[Statement]:
    """Give the statements of a partner, the newest first."""
    return found(connection, partner_id=partner_id)


def by_references(connection: Connection[Any], references: list[str]) -> dict[str, Statement]:
    """Give the statements that some references name; those that name none, or two, are left out."""
    named = found(connection, reference=references)
    times = Counter(one.reference for one in named)
    return {one.reference: one for one in named if times[one.reference] == 1}


def outstanding(connection: Connection[Any]) -> list[Statement]:
    """Give all statements that are not settled, the longest due first."""
    return rows(connection, "outstanding", {})


def overdue_of(connection: Connection[Any], partner_id: UUID, on: date) -> list[Statement]:
    """Give a partner's statements that are overdue on a day, the longest due first."""
    late = [one for one in of_partner(connection, partner_id) if one.is_overdue(on)]
    return sorted(late, key=lambda one: (one.due_on, one.number))


def overdue_to_note(connection: Connection[Any], on: date) -> list[Statement]:
    """Give the statements of which the partner's standing does not know yet how they stand."""
    return rows(connection, "overdue_to_note", {"on": on})


def newest(connection: Connection[Any], limit: int = NEWEST) -> list[Statement]:
    return rows(connection, "newest", {"limit": limit})


def of_line(
    connection: Connection[Any], partner_id: UUID, position: int, day: date
) -> Statement | None:
    """Give the statement that a gift or reversal is on, None while it is on none."""
    asked = {"partner_id": partner_id, "position": position, "day": day}
    return next(iter(rows(connection, "of_line", asked)), None)


def reach_before(connection: Connection[Any], statement: Statement) -> Reach | None:
    """Say how far the statement before one reached; None for a partner's first."""
    asked = {"partner_id": statement.partner_id, "number": statement.number - 1}
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(SQL["before"], asked).fetchone()
    return None if row is None else Reach(*row)


def money_of(connection: Connection[Any], statement_id: UUID) -> list[Money]:
    """Give what came in for a statement or was written off, in the order of its days."""
    with connection.cursor(row_factory=class_row(Money)) as cursor:
        return cursor.execute(SQL["money_of"], {"statement_id": statement_id}).fetchall()


def days_of(connection: Connection[Any], statement_id: UUID) -> list[DaySum]:
    with connection.cursor(row_factory=class_row(DaySum)) as cursor:
        return cursor.execute(SQL["days_of"], {"statement_id": statement_id}).fetchall()


def ageing(connection: Connection[Any], on: date) -> list[Ageing]:
    """Give what each partner owes on statements on a day, by age; the oldest debt first."""
    with connection.cursor(row_factory=class_row(Ageing)) as cursor:
        return cursor.execute(SQL["ageing"], {"on": on}).fetchall()


def credits_of(connection: Connection[Any]) -> dict[UUID, int]:
    """Give what partners have beyond what their statements asked for."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        return dict(cursor.execute(SQL["credits"]).fetchall())


def to_set_off(
    connection: Connection[Any], partner_id: UUID | None = None
) -> dict[UUID, list[Got]]:
    """Give what came in for each statement of the partners, or of one, that have to be set off.

    A credit of theirs waits beside a debt, or a set-off is not what it should be any more.
    """
    found: dict[UUID, list[Got]] = {}
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(SQL["to_set_off"], {"partner_id": partner_id}).fetchall()
    for whose, statement_id, banked_cents, as_of in rows:
        got = Got(statement_id=statement_id, banked_cents=banked_cents, as_of=as_of)
        found.setdefault(whose, []).append(got)
    return found


statements = ReadModel(
    name="statements",
    tables=("statement", "statement_day", "statement_money", "statement_card"),
    ddl=SQL["table"],
    fold=Fold,
)
