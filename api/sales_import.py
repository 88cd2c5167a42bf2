"""Importing a shop's sales: each proposes its round-up, recorded as the till would.

A sale is known again by its till, its day, its amount and its place among equals in the file,
so that a file imported twice, cut short or grown at either end records nothing twice. The
customer column is skipped as it is read: it leaves no trace, not even in an id.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import TextIO
from uuid import UUID

from ledger.calendar import VILLAGE
from ledger.decider import Refused
from ledger.donations import DonationDiffers, RecordDonation, donation
from ledger.money import AMOUNT_CENTS_MAX
from ledger.sales import round_up
from ledger.store import Ledger
from projections.admission import Admission, AdmittedTill

BATCH_SALES = 1_000
COLUMNS = {"customer", "date", "amount_cents"}
NOON = time(12, tzinfo=VILLAGE)

Progress = Callable[[int], object]


class SalesMalformed(Refused):
    """The file of sales cannot be read; nothing of the named line or after it was recorded."""


class SalesDiffer(Refused):
    """A sale of this file was recorded before with another day or ask."""


@dataclass(frozen=True, slots=True)
class Sale:
    """One line of the file, without its customer; `place` tells it from equal ones before it."""

    line: int
    day: date
    amount_cents: int
    place: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What the file's sales gave in all, and how many of the gifts were recorded before."""

    sales: int
    gifts: int
    amount_cents: int
    repeated: int


def sales_in(path: Path) -> int:
    """Count the lines below the heading, for a bar that knows its end."""
    with path.open("rb") as file:
        return max(0, sum(1 for _ in file) - 1)


def sales_of(file: TextIO) -> Iterator[Sale]:
    """Read sales from CSV with the columns customer, date and amount_cents."""
    rows = csv.DictReader(file, strict=True)
    if rows.fieldnames is None or set(rows.fieldnames) != COLUMNS:
        raise SalesMalformed(line=1, problem=f"expected the columns {', '.join(sorted(COLUMNS))}")
    equals: Counter[tuple[date, int]] = Counter()
    try:
        for row in rows:
            day, amount_cents = fields_of(row, rows.line_num)
            equals[day, amount_cents] += 1
            yield Sale(rows.line_num, day, amount_cents, equals[day, amount_cents])
    except (csv.Error, UnicodeDecodeError) as error:
        raise SalesMalformed(line=rows.line_num + 1, problem=str(error)) from None


def fields_of(row: dict[str, str], line: int) -> tuple[date, int]:
    if None in row or None in row.values():
        raise SalesMalformed(line=line, problem="expected three columns")
    try:
        day = date.fromisoformat(row["date"])
    except ValueError:
        raise SalesMalformed(line=line, problem="expected a date like 2026-11-23") from None
    digits = row["amount_cents"]
    if not (digits.isascii() and digits.isdigit() and int(digits) <= AMOUNT_CENTS_MAX):
        raise SalesMalformed(line=line, problem=f"expected cents from 0 to {AMOUNT_CENTS_MAX}")
    return day, int(digits)


@dataclass(frozen=True, slots=True)
class SalesImport:
    """Records the round-ups of one till's sales."""

    ledger: Ledger
    admission: Admission
    key: bytes
    till: AdmittedTill
    actor: str
    ask_id: str
    shift: timedelta

    def run(self, path: Path, progress: Progress = lambda _: None) -> Imported:
        """Record every gift of a file in batches; `progress` is told the sales of each batch.

        Raises SalesMalformed or SalesDiffer; what was recorded before it stays, and the next run
        of the mended file goes on from there.
        """
        sales = gifts = amount_cents = repeated = 0
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = sales_of(file)
            while batch := list(islice(lines, BATCH_SALES)):
                given = [sale for sale in batch if round_up(sale.amount_cents)]
                repeated += self._record(given)
                sales += len(batch)
                gifts += len(given)
                amount_cents += sum(round_up(sale.amount_cents) for sale in given)
                progress(len(batch))
        return Imported(sales, gifts, amount_cents, repeated)

    def _record(self, sales: list[Sale]) -> int:
        at = datetime.now(UTC)
        commands = [self._command(sale, at) for sale in sales]
        results = self.ledger.handle_all(donation, commands, presume_new=True)
        repeated = 0
        for sale, result in zip(sales, results, strict=True):
            if isinstance(result, DonationDiffers):
                raise SalesDiffer(line=sale.line) from result
            if isinstance(result, Refused):
                raise result
            repeated += result.fresh == 0
        return repeated

    def _command(self, sale: Sale, at: datetime) -> tuple[UUID, RecordDonation]:
        donation_id = self._donation_id(sale)
        try:
            occurred_on = sale.day + self.shift
        except OverflowError:
            problem = "the shift leads out of the calendar"
            raise SalesMalformed(line=sale.line, problem=problem) from None
        return donation_id, RecordDonation(
            at=at,
            actor=self.actor,
            donation_id=donation_id,
            partner_id=self.till.partner_id,
            till_id=self.till.till_id,
            source="customer",
            amount_cents=round_up(sale.amount_cents),
            # A file of days says no hour: noon is within the day wherever it is read.
            occurred_at=datetime.combine(occurred_on, NOON),
            occurred_on=occurred_on,
            purchase_cents=sale.amount_cents,
            ask_id=self.ask_id,
            partner_standing=self.admission.standing(self.till.partner_id, occurred_on),
        )

    def _donation_id(self, sale: Sale) -> UUID:
        name = f"{self.till.till_id}|{sale.day}|{sale.amount_cents}|{sale.place}".encode()
        return UUID(bytes=blake2b(name, key=self.key, digest_size=16).digest())
