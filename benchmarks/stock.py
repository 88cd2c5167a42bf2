"""The event library as its manual shows it: one aggregate a gift, its own tables and codecs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate
from eventsourcing.persistence import StoredEvent, Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder
from eventsourcing.projection import Projection
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier

from benchmarks import history
from benchmarks.ground import Till
from ledger.donations import DonationRecorded

# Larger inserts of the library hang for ever: psycopg's pipeline leaves their end unsent.
GROUP = 100


class Gift(Aggregate):
    """A gift with the fields of our own event, and their types as far as the library has them."""

    class Recorded(Aggregate.Created):
        partner_id: UUID
        till_id: UUID
        source: str
        amount_cents: int
        occurred_at: datetime
        occurred_on: str
        purchase_cents: int | None
        sale_ref_mac: str | None
        ask_id: str | None

    def __init__(  # noqa: PLR0913 - as many fields as our event has.
        self,
        *,
        partner_id: UUID,
        till_id: UUID,
        source: str,
        amount_cents: int,
        occurred_at: datetime,
        occurred_on: str,
        purchase_cents: int | None,
        sale_ref_mac: str | None,
        ask_id: str | None,
    ) -> None:
        self.partner_id = partner_id
        self.till_id = till_id
        self.source = source
        self.amount_cents = amount_cents
        self.occurred_at = occurred_at
        self.occurred_on = occurred_on
        self.purchase_cents = purchase_cents
        self.sale_ref_mac = sale_ref_mac
        self.ask_id = ask_id


class StockLedger(Application[UUID]):
    name = "stock"


class StockView(PostgresTrackingRecorder):
    """Sums by partner, source and month, as our balances keep them."""

    def __init__(self, datastore: PostgresDatastore, **options: Any) -> None:
        super().__init__(datastore, **options)
        table = Identifier("stock_balance")
        self.sql_create_statements.append(
            SQL(
                "CREATE TABLE IF NOT EXISTS {} (partner_id uuid, source text, month text,"
                " gifts bigint NOT NULL, given_cents bigint NOT NULL,"
                " PRIMARY KEY (partner_id, source, month))"
            ).format(table)
        )
        self.upsert = SQL(
            "INSERT INTO {} AS b VALUES (%s, %s, %s, 1, %s)"
            " ON CONFLICT (partner_id, source, month) DO UPDATE"
            " SET gifts = b.gifts + 1, given_cents = b.given_cents + excluded.given_cents"
        ).format(table)

    def add(self, gift: Gift.Recorded, tracking: Tracking) -> None:
        key = (gift.partner_id, gift.source, gift.occurred_on[:7])
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.execute(self.upsert, (*key, gift.amount_cents), prepare=True)


class StockBalances(Projection[StockView]):
    name = "stock_balances"

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        raise TypeError(domain_event, tracking)

    @process_event.register
    def _(self, domain_event: Gift.Recorded, tracking: Tracking) -> None:
        self.view.add(domain_event, tracking)


def environment(conninfo: str) -> dict[str, str]:
    """Configure the library for a database, with its defaults for all else."""
    address = conninfo_to_dict(conninfo)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(address["dbname"]),
        "POSTGRES_HOST": str(address["host"]),
        "POSTGRES_PORT": str(address.get("port", "5432")),
        "POSTGRES_USER": str(address["user"]),
        "POSTGRES_PASSWORD": "",
    }


def gift_of(event: DonationRecorded) -> Gift:
    """Make the aggregate with the contents of our own event."""
    return Gift(
        partner_id=event.partner_id,
        till_id=event.till_id,
        source=event.source,
        amount_cents=event.amount_cents,
        occurred_at=event.occurred_at,
        occurred_on=event.occurred_on.isoformat(),
        purchase_cents=event.purchase_cents,
        sale_ref_mac=event.sale_ref_mac,
        ask_id=event.ask_id,
    )


def fill(stock: StockLedger, tills: list[Till], events: int) -> list[StoredEvent]:
    """Record the gifts of `history` as `save` would; give what is stored."""
    stored: list[StoredEvent] = []
    for number in range(events):
        gift = gift_of(history.gift_of(number, tills[number % len(tills)]))
        stored += [stock.mapper.to_stored_event(event) for event in gift.collect_events()]
    for first in range(0, events, GROUP):
        stock.recorder.insert_events(stored[first : first + GROUP])
    return stored
