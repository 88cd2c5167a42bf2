"""Card payments: what each is for and how far it is, what was given back, what is contested."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Final, Literal, get_args
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import class_row

from ledger.payments.events import (
    CheckoutStarted,
    DisputeClosed,
    DisputeFundsReinstated,
    DisputeFundsWithdrawn,
    DisputeOpened,
    DisputeOutcome,
    FailReason,
    Method,
    PaymentEvent,
    PaymentFailed,
    PaymentProcessing,
    PaymentRefunded,
    PaymentSucceeded,
    Purpose,
    RefundFailed,
    SubscriptionEnded,
)
from projections.read_model import InOrder, ReadModel
from projections.sql import queries

SQL = queries("payments.sql")
EVENTS = (*get_args(PaymentEvent), SubscriptionEnded)
PAGE = 100
State = Literal["begun", "processing", "succeeded", "failed"]
# What a selection asks for, unless it says so.
ALL: Final[dict[str, Any]] = dict.fromkeys(
    ("payment_id", "purpose_id", "subscription_id", "states")
)
PROCESSING: Final[tuple[State, ...]] = ("processing",)


def write(cursor: Cursor[Any], event: PaymentEvent | SubscriptionEnded) -> None:
    if isinstance(event, SubscriptionEnded):
        row: dict[str, Any] = {"subscription_id": event.subscription_id, "on": event.ended_on}
        cursor.execute(SQL["end_subscription"], row)
        return
    row = {"payment_id": event.payment_id, "at": event.recorded_at}
    match event:
        case CheckoutStarted() | PaymentSucceeded():
            row |= event.model_dump(exclude={"recorded_at", "actor", "payment_id"})
        case _:
            pass
    match event:
        case CheckoutStarted(cents=cents, fee_cover_cents=cover):
            cursor.execute(SQL["begin"], row | {"cents": cents + cover})
        case PaymentProcessing():
            cursor.execute(SQL["process"], row)
        case PaymentSucceeded():
            cursor.execute(SQL["succeed"], row)
        case PaymentFailed(reason=reason):
            cursor.execute(SQL["fail"], row | {"reason": reason})
        case _:
            changed(cursor, event, row)


def changed(
    cursor: Cursor[Any],
    event: PaymentRefunded
    | RefundFailed
    | DisputeOpened
    | DisputeFundsWithdrawn
    | DisputeFundsReinstated
    | DisputeClosed,
    row: dict[str, Any],
) -> None:
    row |= event.model_dump(exclude={"recorded_at", "actor", "payment_id"})
    match event:
        case PaymentRefunded(refunded_on=on, cents=cents):
            cursor.execute(SQL["refund"], row | {"on": on})
            cursor.execute(SQL["give_back"], row | {"change": cents})
        case RefundFailed(failed_on=on, cents=cents):
            cursor.execute(SQL["fail_refund"], row | {"on": on})
            cursor.execute(SQL["give_back"], row | {"change": -cents})
        case DisputeOpened():
            cursor.execute(SQL["dispute"], row)
        case DisputeFundsWithdrawn(withdrawn_on=on, cents=cents):
            cursor.execute(SQL["withdraw"], row | {"on": on})
            cursor.execute(SQL["move"], row | {"change": cents})
        case DisputeFundsReinstated(reinstated_on=on, cents=cents):
            cursor.execute(SQL["reinstate"], row | {"on": on})
            cursor.execute(SQL["move"], row | {"change": -cents})
        case DisputeClosed():
            cursor.execute(SQL["close_dispute"], row)


@dataclass(frozen=True, slots=True)
class Payment:
    """`cents` is what was paid, or is about to be; of it, so much was given back or taken."""

    payment_id: UUID
    purpose: Purpose
    purpose_id: UUID | None
    partner_id: UUID | None
    subscription_id: UUID | None
    state: State
    cents: int
    charge_id: str | None
    method: Method | None
    begun_at: datetime
    succeeded_at: datetime | None
    failed_for: FailReason | None
    livemode: bool
    refunded_cents: int
    withdrawn_cents: int
    subscription_ended_on: date | None

    @property
    def remaining_cents(self) -> int:
        """What came and is still here: nothing of a payment that did not succeed."""
        came = self.cents if self.state == "succeeded" else 0
        return came - self.refunded_cents - self.withdrawn_cents


@dataclass(frozen=True, slots=True)
class Refund:
    refund_id: str
    payment_id: UUID
    cents: int
    refunded_on: date
    failed_on: date | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A contested payment, with what bears on its evidence."""

    dispute_id: str
    payment_id: UUID
    cents: int
    reason: str
    opened_at: datetime
    evidence_due_at: datetime | None
    withdrawn_on: date | None
    reinstated_on: date | None
    outcome: DisputeOutcome | None
    paid_cents: int
    succeeded_at: datetime
    purpose: Purpose
    refunded_cents: int


@dataclass(frozen=True, slots=True)
class Sums:
    """Counts of payments by state, and cents of euros."""

    begun: int
    processing: int
    succeeded: int
    failed: int
    processing_cents: int
    paid_cents: int
    refunded_cents: int
    withdrawn_cents: int

    @property
    def remaining_cents(self) -> int:
        return self.paid_cents - self.refunded_cents - self.withdrawn_cents


def newest(
    connection: Connection[Any],
    *,
    states: Sequence[State] | None = None,
    purpose_id: UUID | None = None,
    subscription_id: UUID | None = None,
    limit: int = PAGE,
) -> list[Payment]:
    """Give payments, the newest first: of some states, for one purpose, of one monthly gift."""
    return select(
        connection,
        states=None if states is None else list(states),
        purpose_id=purpose_id,
        subscription_id=subscription_id,
        limit=limit,
    )


def on_its_way_cents(connection: Connection[Any], purpose_id: UUID) -> int:
    """Give what is on its way for a purpose and may still fail."""
    return sum(one.cents for one in newest(connection, states=PROCESSING, purpose_id=purpose_id))


def one(connection: Connection[Any], payment_id: UUID) -> Payment | None:
    return next(iter(select(connection, payment_id=payment_id, limit=1)), None)


def select(connection: Connection[Any], **asked: Any) -> list[Payment]:
    with connection.cursor(row_factory=class_row(Payment)) as cursor:
        return cursor.execute(SQL["select"], ALL | asked).fetchall()


def refunds(connection: Connection[Any], payment_id: UUID) -> list[Refund]:
    """Give the refunds of a payment, those that failed too."""
    with connection.cursor(row_factory=class_row(Refund)) as cursor:
        return cursor.execute(SQL["refunds"], {"payment_id": payment_id}).fetchall()


def disputes(
    connection: Connection[Any], payment_id: UUID | None = None, *, open_only: bool = False
) -> list[Dispute]:
    """Give disputes: those that wait for evidence first, the most urgent at the top."""
    asked = {"payment_id": payment_id, "open_only": open_only}
    with connection.cursor(row_factory=class_row(Dispute)) as cursor:
        return cursor.execute(SQL["disputes"], asked).fetchall()


def sums(connection: Connection[Any]) -> Sums:
    with connection.cursor(row_factory=class_row(Sums)) as cursor:
        found = cursor.execute(SQL["sums"]).fetchone()
    assert found is not None  # noqa: S101 - a sum always has one row.
    return found


def monthly_going(connection: Connection[Any]) -> int:
    """Count the monthly gifts that go on."""
    row = connection.execute(SQL["monthly"]).fetchone()
    assert row is not None  # noqa: S101 - a count always has one row.
    return int(row[0])


payments = ReadModel(
    name="payments",
    tables=("payment", "payment_refund", "payment_dispute", "card_subscription"),
    ddl=SQL["table"],
    fold=partial(InOrder, EVENTS, write),
)
