"""What everybody may know of money on its way: how much waits where, and how long it takes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row, tuple_row

from projections import dues, pledges, remittances, standings
from projections.sql import queries

SQL = queries("owed.sql")
# The read models behind it: it is as old as the oldest of them.
MODELS: Final = ("dues", "statements", "remittances", "pledges", "standings")
DELAYS_OVER: Final = timedelta(days=365)
Grace = Callable[[date], int]


@dataclass(frozen=True, slots=True)
class Totals:
    """`closed_cents` = not due + overdue + banked + written off - credit, to the cent."""

    closed_cents: int
    not_due_cents: int
    overdue_cents: int
    overdue_statements: int
    overdue_partners: int
    banked_cents: int
    written_off_cents: int
    credit_cents: int
    waited_since: date | None


@dataclass(frozen=True, slots=True)
class Delay:
    """How long cents took: half of them at most `median_days`, all at most `worst_days`."""

    cents: int
    median_days: int
    worst_days: int


@dataclass(frozen=True, slots=True)
class Overdue:
    partner_id: UUID
    number: int
    due_on: date
    closed_on: date
    cents: int


@dataclass(frozen=True, slots=True)
class Debt:
    """What a partner owes for longer than the grace, which it agreed to have published."""

    partner_id: UUID
    cents: int
    due_on: date


@dataclass(frozen=True, slots=True)
class Promises:
    """What sponsors stand by. `uncovered_cents` rounds added without any promise behind it."""

    promised_cents: int
    banked_cents: int
    used_cents: int
    uncovered_cents: int


@dataclass(frozen=True, slots=True)
class Owed:
    """`undeposited_cents` are cheques and cash that two people counted and no bank file shows."""

    open_cents: int
    open_since: date | None
    totals: Totals
    undeposited_cents: int
    promises: Promises
    to_owed: Delay | None
    to_banked: Delay | None
    debts: tuple[Debt, ...]


def owed(connection: Connection[Any], on: date, grace: Grace) -> Owed:
    """Gather it for a day; `grace` gives the days of grace that held on a day."""
    waiting = dues.open_of(connection)
    deposits = remittances.undeposited(connection)
    return Owed(
        open_cents=sum(one.cents for one in waiting),
        open_since=min(map(since, waiting), default=None),
        totals=totals(connection, on),
        undeposited_cents=sum(one.undeposited_cents for one in deposits),
        promises=promises(connection),
        to_owed=delay_of(connection, "to_owed", on),
        to_banked=delay_of(connection, "to_banked", on),
        debts=debts(connection, on, grace),
    )


def since(waiting: dues.Open) -> date:
    """Give the first day that is on no statement of a partner, gifts that came late apart."""
    if waiting.last_on is None:
        return waiting.first_on
    return max(waiting.first_on, waiting.last_on + timedelta(days=1))


def totals(connection: Connection[Any], on: date) -> Totals:
    with connection.cursor(row_factory=class_row(Totals)) as cursor:
        found = cursor.execute(SQL["totals"], {"on": on}).fetchone()
    assert found is not None  # noqa: S101 - sums without a group are one row.
    return found


def promises(connection: Connection[Any]) -> Promises:
    made = pledges.every(connection)
    rounds = pledges.matched_rounds(connection)
    return Promises(
        promised_cents=sum(one.promised_cents for one in made),
        banked_cents=sum(one.banked_cents for one in made),
        used_cents=sum(one.used_cents for one in made),
        uncovered_cents=sum(one.short_cents for one in rounds),
    )


def delay_of(connection: Connection[Any], query: str, on: date) -> Delay | None:
    """Give a delay over the statements of the year before a day; None where there was none."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        return delay(cursor.execute(SQL[query], {"since": on - DELAYS_OVER}).fetchall())


def delay(taken: Iterable[tuple[int, int]]) -> Delay | None:
    """Weigh days by the cents that took so long; days rise."""
    days = list(taken)
    cents = sum(weight for _, weight in days)
    if not cents:
        return None
    passed, median = 0, days[-1][0]
    for count, weight in days:
        passed += weight
        if 2 * passed >= cents:
            median = count
            break
    return Delay(cents=cents, median_days=median, worst_days=days[-1][0])


def debts(connection: Connection[Any], on: date, grace: Grace) -> tuple[Debt, ...]:
    """Give what partners owe for too long, of those alone whose agreement in force says so.

    The grace of a statement is the one that held when it was closed. Whoever has no agreement any
    more is not named: its debt stays in the totals.
    """
    with connection.cursor(row_factory=class_row(Overdue)) as cursor:
        overdue = cursor.execute(SQL["overdue"], {"on": on}).fetchall()
    late: dict[UUID, list[Overdue]] = {}
    for one in overdue:
        if (on - one.due_on).days > grace(one.closed_on):
            late.setdefault(one.partner_id, []).append(one)
    return tuple(
        Debt(partner_id, sum(one.cents for one in found), found[0].due_on)
        for partner_id, found in late.items()
        if agrees(connection, partner_id, on)
    )


def agrees(connection: Connection[Any], partner_id: UUID, on: date) -> bool:
    """Tell whether an agreement in force says that what is owed for too long is published."""
    facts = standings.facts(connection, partner_id)
    return facts is not None and any(
        one.terms_on(on).debt_public
        for one in facts.agreements
        if any(span.covers(on) for span in one.spans)
    )
