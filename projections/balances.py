"""What was given and given back: of the foundation, per partner, per source, per month."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import class_row

from ledger.giving import SOURCES
from projections.feed import Page
from projections.read_model import ReadModel
from projections.sql import queries
from projections.sums import Sums

SQL = queries("balances.sql")


class Fold:
    """Sums by partner, source and month."""

    def __init__(self) -> None:
        self._sums = Sums()

    def add(self, page: Page) -> None:
        sums = self._sums
        for gift in page.gifts:
            sums.give((gift.partner_id, gift.source, gift.occurred_on[:7]), gift)
        for reversal in page.reversals:
            key = (reversal.partner_id, reversal.source, reversal.reversed_on[:7])
            sums.give_back(key, reversal)

    def write(self, cursor: Cursor[Any]) -> None:
        if columns := self._sums.columns("partner_id", "source", "month"):
            cursor.execute(SQL["add"], columns)
        self._sums = Sums()


@dataclass(frozen=True, slots=True)
class Total:
    """Counts, and cents of euros."""

    gifts: int = 0
    given_cents: int = 0
    reversals: int = 0
    reversed_cents: int = 0

    @property
    def net_cents(self) -> int:
        """What was given and not given back."""
        return self.given_cents - self.reversed_cents


@dataclass(frozen=True, slots=True)
class Row:
    source: str
    month: str
    gifts: int
    given_cents: int
    reversals: int
    reversed_cents: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The sums of a partner or of the foundation; months are `2026-11`, newest first."""

    total: Total
    by_source: dict[str, Total]
    months: list[tuple[str, Total]]


def total(rows: Iterable[Row]) -> Total:
    kept = list(rows)
    return Total(
        gifts=sum(row.gifts for row in kept),
        given_cents=sum(row.given_cents for row in kept),
        reversals=sum(row.reversals for row in kept),
        reversed_cents=sum(row.reversed_cents for row in kept),
    )


def summed(rows: list[Row]) -> Figures:
    months = sorted({row.month for row in rows}, reverse=True)
    return Figures(
        total=total(rows),
        by_source={
            source: total(row for row in rows if row.source == source) for source in SOURCES
        },
        months=[(month, total(row for row in rows if row.month == month)) for month in months],
    )


def figures(connection: Connection[Any]) -> Figures:
    """Give the whole foundation's figures."""
    with connection.cursor(row_factory=class_row(Row)) as cursor:
        return summed(cursor.execute(SQL["by_source_and_month"]).fetchall())


def figures_of_partner(connection: Connection[Any], partner_id: UUID) -> Figures:
    """Give one partner's figures: all zero for a partner without gifts."""
    with connection.cursor(row_factory=class_row(Row)) as cursor:
        return summed(cursor.execute(SQL["of_partner"], {"partner_id": partner_id}).fetchall())


balances = ReadModel(name="balances", tables=("balance",), ddl=SQL["table"], fold=Fold)
