"""Whether the bank's statements follow on each other, and the ledger on them: what is missing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from psycopg import Connection

from projections.bank import File, files

DAY: Final = timedelta(days=1)
SATURDAY: Final = 5
# A longer gap is told by its ends.
DAYS_MAX: Final = 62


@dataclass(frozen=True, slots=True)
class Gap:
    """Between two statements something is missing: the working days of which no file tells.

    `cents` is by how much the later one begins elsewhere than the earlier one ended; zero where
    only the bank's own numbering tells that one is missing.
    """

    account_id: UUID
    after_on: date
    before_on: date
    cents: int
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A statement in its chain. `difference_cents` is None where a later one ends the same day."""

    file: File
    gap: Gap | None
    difference_cents: int | None


def chain(connection: Connection[Any], account_id: UUID | None = None) -> list[Link]:
    """Give the statements of an account or of all in their order, each with what it lacks."""
    told = files(connection, account_id)
    by_account = groupby(told, key=lambda file: file.account_id)
    return [link for _, some in by_account for link in links(list(some))]


def links(some: Sequence[File]) -> Iterator[Link]:
    reached: File | None = None
    for file in some:
        gap = None if reached is None else gap_between(reached, file)
        behind = any(follows(later, file) for later in some)
        difference = None if behind else file.closing_cents - file.ledger_cents
        yield Link(file, gap, difference)
        if reached is None or file.closing_on >= reached.closing_on:
            reached = file


def follows(later: File, file: File) -> bool:
    """Tell whether a statement goes on from another within the day that both end on."""
    return (
        later.file_id != file.file_id
        and later.closing_on == file.closing_on
        and later.opening_cents == file.closing_cents
        and later.opening_cents != later.closing_cents
        and (later.opening_on, later.sequence or 0) >= (file.opening_on, file.sequence or 0)
    )


def gap_between(before: File, file: File) -> Gap | None:
    """Find what is missing between the furthest statement so far and one that begins after it.

    One that overlaps it has nothing to follow on: the ledger's balance judges it.
    """
    if file.opening_on <= before.closing_on and file.opening_cents != before.closing_cents:
        return None
    cents = file.opening_cents - before.closing_cents
    if not cents and not skipped(before, file):
        return None
    days = tuple(missing_days(before.closing_on, file))
    return Gap(file.account_id, before.closing_on, file.opening_on, cents, days)


def skipped(before: File, file: File) -> bool:
    """Tell whether the bank's numbering of daily statements jumps between two of one year."""
    daily = before.opening_on == before.closing_on and file.opening_on == file.closing_on
    if not daily or before.sequence is None or file.sequence is None:
        return False
    return before.closing_on.year == file.closing_on.year and file.sequence > before.sequence + 1


def missing_days(after_on: date, file: File) -> Iterator[date]:
    """Name the working days between two statements.

    Many banks date the opening balance on the evening before: that day is then the missing one.
    """
    between = working_days(after_on + DAY, file.opening_on - DAY)
    return iter(
        between or working_days(after_on + DAY, min(file.opening_on, file.closing_on - DAY))
    )


def working_days(first_on: date, last_on: date) -> list[date]:
    count = min((last_on - first_on).days + 1, DAYS_MAX)
    days = (first_on + DAY * number for number in range(max(0, count)))
    return [day for day in days if day.weekday() < SATURDAY]


def differing(chain_of: Iterable[Link]) -> list[Link]:
    """Give the links where the balances differ, or where something is missing."""
    return [link for link in chain_of if link.gap is not None or link.difference_cents]
