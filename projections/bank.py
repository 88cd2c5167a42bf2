"""The bank as its files tell it: what was read, what moved, what it was for, and what is open."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import args_row, class_row, kwargs_row, tuple_row

from ledger.allocations import Allocation
from ledger.bank.events import (
    BankFileRead,
    BankTransactionBooked,
    Kind,
    MatchRule,
    TransactionMatched,
    TransactionUnmatched,
    UnmatchReason,
)
from ledger.bank.identity import Span
from ledger.bank.matching import Moved, Open
from projections.feed import Page
from projections.read_model import ReadModel
from projections.sql import queries

SQL = queries("bank.sql")
BEGINNING: Final = (date.min, UUID(int=0))
OPEN_MAX: Final = 500
DAY_MAX: Final = 500


class Fold:
    """Gathers rows to insert, as they are stored, and sums of what matches took or gave back."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._files: list[BankFileRead] = []
        self._booked: list[bytes] = []
        self._matched: list[bytes] = []
        self._undone: list[TransactionUnmatched] = []
        self._allocated: Counter[UUID] = Counter()

    def add(self, page: Page) -> None:
        if booked := page.written(BankTransactionBooked.__name__):
            self._booked.append(booked)
        if matched := page.written(TransactionMatched.__name__):
            self._matched.append(matched)
        for other in page.rare:
            match other.event:
                case TransactionMatched() as event:
                    self._allocated[event.transaction_id] += cents_of(event.allocations)
                case TransactionUnmatched() as event:
                    self._undone.append(event)
                    self._allocated[event.transaction_id] -= cents_of(event.allocations)
                case BankFileRead() as event:
                    self._files.append(event)
                case _:
                    pass

    def write(self, cursor: Cursor[Any]) -> None:
        for file in self._files:
            cursor.execute(SQL["read"], file.model_dump())
        if self._booked:
            cursor.execute(SQL["book"], {"booked": array_of(self._booked)})
        if self._matched:
            cursor.execute(SQL["match"], {"matched": array_of(self._matched)})
        for undone in self._undone:
            cursor.execute(SQL["undo"], undone.model_dump(exclude={"allocations"}))
        if self._allocated:
            ids, cents = zip(*self._allocated.items(), strict=True)
            cursor.execute(SQL["allocate"], {"transaction_id": list(ids), "cents": list(cents)})
        self._forget()


def cents_of(allocations: Iterable[Allocation]) -> int:
    return sum(one.cents for one in allocations)


def array_of(written: Sequence[bytes]) -> str:
    """Give events as one JSON array, as they are stored: PostgreSQL takes it apart faster."""
    return (b"[%b]" % b",".join(written)).decode()


def allocations_of(told: Iterable[dict[str, Any]]) -> tuple[Allocation, ...]:
    return tuple(Allocation.model_validate(one) for one in told)


@dataclass(frozen=True, slots=True)
class File:
    """A statement that was read; `ledger_cents` is the balance by the ledger after its last day."""

    file_id: UUID
    account_id: UUID
    format: str
    sha256: str
    sequence: int | None
    opening_on: date
    opening_cents: int
    closing_on: date
    closing_cents: int
    entries: int
    credit_cents: int
    debit_cents: int
    read_at: datetime
    actor: str
    ledger_cents: int

    @property
    def unexplained_cents(self) -> int:
        """What the file itself does not explain between its balances: zero in a sound one."""
        return self.closing_cents - self.opening_cents - self.credit_cents + self.debit_cents


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction; `open_cents` is what is for nothing known yet."""

    transaction_id: UUID
    account_id: UUID
    entry_id: UUID
    file_id: UUID
    booked_on: date
    value_on: date | None
    cents: int
    open_cents: int
    kind: Kind
    references: tuple[str, ...]
    end_to_end_mac: str | None
    counterparty_mac: str | None
    return_reason: str | None


def transaction_of(reference: list[str], **row: Any) -> Transaction:
    return Transaction(references=tuple(reference), **row)


@dataclass(frozen=True, slots=True)
class Match:
    """A match as it was made; undone where it says by whom."""

    match_id: UUID
    transaction_id: UUID
    rule: MatchRule
    allocations: tuple[Allocation, ...]
    matched_at: datetime
    matched_by: str
    undone_at: datetime | None
    undone_by: str | None
    undone_reason: UnmatchReason | None


def match_of(allocations: list[dict[str, Any]], **row: Any) -> Match:
    return Match(allocations=allocations_of(allocations), **row)


def open_of(  # noqa: PLR0913, PLR0917 - one for each column.
    transaction_id: UUID,
    cents: int,
    open_cents: int,
    kind: Kind,
    booked_on: date,
    reference: list[str],
    end_to_end_mac: str | None,
    counterparty_mac: str | None,
) -> Open:
    told = (tuple(reference), end_to_end_mac, counterparty_mac)
    return Open(transaction_id, cents, open_cents, kind, booked_on, *told)


def moved_of(allocations: list[dict[str, Any]], **row: Any) -> Moved:
    return Moved(allocations=allocations_of(allocations), **row)


@dataclass(frozen=True, slots=True)
class OpenSums:
    """How many transactions are open, and how much of them on either side."""

    transactions: int
    credit_cents: int
    debit_cents: int
    oldest_on: date | None


@dataclass(frozen=True, slots=True)
class Day:
    """What moved on a day, and how much of it is matched."""

    day: date
    transactions: int
    credit_cents: int
    debit_cents: int
    matched_cents: int
    open_cents: int


def open_transactions(
    connection: Connection[Any],
    after: tuple[date, UUID] = BEGINNING,
    limit: int = OPEN_MAX,
) -> list[Transaction]:
    """Give transactions with cents left, the oldest first; `after` is the last one known."""
    asked = {"after_on": after[0], "after_id": after[1], "limit": limit}
    return transactions(connection, "open", asked)


def telling(
    connection: Connection[Any], after: tuple[date, UUID] = BEGINNING, limit: int = OPEN_MAX
) -> list[Open]:
    """Give open transactions that may tell by themselves what they are for, the oldest first.

    What was matched of them before is not looked at.
    """
    asked = {"after_on": after[0], "after_id": after[1], "limit": limit}
    with connection.cursor(row_factory=args_row(open_of)) as cursor:
        return cursor.execute(SQL["telling"], asked).fetchall()


def transactions(connection: Connection[Any], query: str, asked: Any) -> list[Transaction]:
    with connection.cursor(row_factory=kwargs_row(transaction_of)) as cursor:
        return cursor.execute(SQL[query], asked).fetchall()


def open_sums(connection: Connection[Any]) -> OpenSums:
    with connection.cursor(row_factory=class_row(OpenSums)) as cursor:
        return cursor.execute(SQL["open_sums"]).fetchone() or OpenSums(0, 0, 0, None)


def one(connection: Connection[Any], transaction_id: UUID) -> Transaction | None:
    asked = {"transaction_id": transaction_id}
    return next(iter(transactions(connection, "one", asked)), None)


def of_day(connection: Connection[Any], day: date, limit: int = DAY_MAX) -> list[Transaction]:
    """Give the transactions of a day, the largest first."""
    return transactions(connection, "of_day", {"day": day, "limit": limit})


def matches_of(connection: Connection[Any], *transaction_ids: UUID) -> list[Match]:
    """Give the matches of some transactions in their order, undone ones too."""
    with connection.cursor(row_factory=kwargs_row(match_of)) as cursor:
        asked = {"transaction_ids": list(transaction_ids)}
        return cursor.execute(SQL["matches"], asked).fetchall()


def moved(connection: Connection[Any], macs: Iterable[str]) -> list[Moved]:
    """Give the transactions under some of their payers' own ids, matched or not."""
    with connection.cursor(row_factory=kwargs_row(moved_of)) as cursor:
        return cursor.execute(SQL["moved"], {"macs": list(macs)}).fetchall()


def payers(connection: Connection[Any], macs: Iterable[str]) -> dict[str, frozenset[UUID]]:
    """Say whose money came from some accounts before."""
    found: dict[str, set[UUID]] = {}
    with connection.cursor(row_factory=tuple_row) as cursor:
        for mac, partner_id in cursor.execute(SQL["payers"], {"macs": list(macs)}).fetchall():
            found.setdefault(mac, set()).add(partner_id)
    return {mac: frozenset(partner_ids) for mac, partner_ids in found.items()}


def files(connection: Connection[Any], account_id: UUID | None = None) -> list[File]:
    """Give the statements of an account or of all, by account and then by their days."""
    with connection.cursor(row_factory=class_row(File)) as cursor:
        return cursor.execute(SQL["files"], {"account_id": account_id}).fetchall()


def spans(connection: Connection[Any], account_id: UUID, closing_on: date) -> dict[UUID, Span]:
    """Give what the statements of an account led from and to that end on a day."""
    asked = {"account_id": account_id, "closing_on": closing_on}
    with connection.cursor(row_factory=tuple_row) as cursor:
        return {row[0]: Span(*row[1:]) for row in cursor.execute(SQL["spans"], asked)}


def entries_of(connection: Connection[Any], file_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Give the entries that were booked from some statements."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(SQL["entries"], {"file_ids": list(file_ids)})
        return frozenset(entry_id for (entry_id,) in rows)


def days(connection: Connection[Any], first_on: date, last_on: date) -> list[Day]:
    """Give what moved on each day of a period, the latest first; quiet days have none."""
    asked = {"first_on": first_on, "last_on": last_on}
    with connection.cursor(row_factory=class_row(Day)) as cursor:
        return cursor.execute(SQL["days"], asked).fetchall()


bank = ReadModel(
    name="bank",
    tables=("bank_file", "bank_transaction", "bank_day", "bank_match"),
    ddl=SQL["table"],
    fold=Fold,
)
