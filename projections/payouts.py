"""Payouts of card money: which payments each holds, what it cost, whether the bank has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, cast
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import class_row, tuple_row

from ledger.events import AnyEvent
from ledger.payments.events import LineKind, PayoutFailed, PayoutListed, PayoutPaid
from projections.applied import applied
from projections.feed import Page
from projections.read_model import ReadModel
from projections.sql import queries

SQL = queries("payouts.sql")
PAGE: Final = 100
# What takes longer than these is looked at by somebody.
BANKED_WITHIN: Final = timedelta(days=5)
PAID_OUT_WITHIN: Final = timedelta(days=15)

Name = Literal[
    "charge_unknown",
    "charge_differs",
    "refund_unknown",
    "dispute_unknown",
    "payout_unexplained",
    "payout_not_banked",
    "failed_payout_banked",
    "payment_not_paid_out",
]

Source = Literal["charge", "refund", "dispute"]


class Fold:
    """Payouts are at most one a day: their events are written one by one."""

    def __init__(self) -> None:
        self._events: list[AnyEvent] = []

    def add(self, page: Page) -> None:
        for other in page.rare:
            match other.event:
                case PayoutPaid() | PayoutListed() | PayoutFailed():
                    self._events.append(other.event)
                case event if any(one.target == "payout" for one in applied(event)):
                    self._events.append(event)
                case _:
                    pass

    def write(self, cursor: Cursor[Any]) -> None:
        for event in self._events:
            write(cursor, event)
        self._events = []


def write(cursor: Cursor[Any], event: AnyEvent) -> None:
    match event:
        case PayoutPaid():
            cursor.execute(SQL["pay"], event.model_dump(exclude={"recorded_at", "actor"}))
        case PayoutListed(payout_id=payout_id, first_line=first, lines=lines):
            row: dict[str, Any] = {
                name: [getattr(line, name) for line in lines]
                for name in ("kind", "source_id", "gross_cents", "fee_cents", "net_cents")
            }
            numbers = list(range(first, first + len(lines)))
            cursor.execute(SQL["list"], row | {"payout_id": payout_id, "number": numbers})
        case PayoutFailed(payout_id=payout_id, failed_on=on):
            cursor.execute(SQL["fail"], {"payout_id": payout_id, "failed_on": on})
        case _:
            for one in applied(event):
                if one.target == "payout":
                    row = {"payout_id": one.target_id, "cents": one.cents}
                    cursor.execute(SQL["bank"], row)


@dataclass(frozen=True, slots=True)
class Payout:
    """`listed_cents` is what its lines add up to, less fees: `cents`, or there is a difference."""

    payout_id: UUID
    stripe_id: str
    cents: int
    arrival_on: date
    lines: int
    livemode: bool
    failed_on: date | None
    banked_cents: int
    gross_cents: int
    fee_cents: int
    listed_cents: int

    @property
    def outstanding_cents(self) -> int:
        """What the bank should still get of it."""
        return 0 if self.failed_on is not None else self.cents - self.banked_cents


@dataclass(frozen=True, slots=True)
class Line:
    kind: LineKind
    source_id: str
    gross_cents: int
    fee_cents: int
    net_cents: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that Stripe and the ledger do not say alike, by Stripe's id, since a day."""

    name: Name
    about: str
    cents: int
    since: date


def every(connection: Connection[Any], limit: int = PAGE) -> list[Payout]:
    """Give the payouts, the newest first."""
    return select(connection, limit=limit)


def unbanked(connection: Connection[Any], limit: int = 1_000) -> list[Payout]:
    """Give the payouts that the bank does not have, or not all of, the newest first."""
    return select(connection, unbanked=True, limit=limit)


def banked_though_failed(connection: Connection[Any], limit: int = 1_000) -> list[Payout]:
    """Give the payouts that failed, and of which the bank has something all the same."""
    return select(connection, failed=True, limit=limit)


def one(connection: Connection[Any], payout_id: UUID) -> Payout | None:
    return next(iter(select(connection, payout_id=payout_id)), None)


def of_charge(connection: Connection[Any], charge_id: str) -> Payout | None:
    """Give the payout that a charge came with, the last one where an earlier one failed."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        found = cursor.execute(SQL["of_source"], {"source_id": charge_id}).fetchall()
    return one(connection, found[-1][0]) if found else None


def select(
    connection: Connection[Any],
    *,
    payout_id: UUID | None = None,
    unbanked: bool = False,
    failed: bool = False,
    limit: int = 1,
) -> list[Payout]:
    asked = {"payout_id": payout_id, "unbanked": unbanked, "failed": failed, "limit": limit}
    with connection.cursor(row_factory=class_row(Payout)) as cursor:
        return cursor.execute(SQL["select"], asked).fetchall()


def lines(connection: Connection[Any], payout_id: UUID) -> list[Line]:
    """Give the lines of a payout, in Stripe's order."""
    with connection.cursor(row_factory=class_row(Line)) as cursor:
        return cursor.execute(SQL["lines"], {"payout_id": payout_id}).fetchall()


def unknown(
    connection: Connection[Any], named: Sequence[tuple[Source, str]]
) -> list[tuple[Source, str]]:
    """Give those of some charges, refunds and disputes that the ledger does not know."""
    asked = {"kind": [kind for kind, _ in named], "source_id": [one for _, one in named]}
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cast(list[tuple[Source, str]], cursor.execute(SQL["unknown"], asked).fetchall())


def differences(connection: Connection[Any], at: datetime) -> list[Difference]:
    """Give the open differences, the oldest first: they go by themselves once they are cleared."""
    asked = {"banked_before": at.date() - BANKED_WITHIN, "paid_out_before": at - PAID_OUT_WITHIN}
    with connection.cursor(row_factory=class_row(Difference)) as cursor:
        return cursor.execute(SQL["differences"], asked).fetchall()


payouts = ReadModel(name="payouts", tables=("payout", "payout_line"), ddl=SQL["table"], fold=Fold)
