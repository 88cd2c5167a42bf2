"""A ledger with a past: years of gifts by many partners, as their commands would have left them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4, uuid5

import psycopg

from benchmarks.ground import Till
from ledger.decider import Event
from ledger.donations import DonationRecorded, DonationReversed
from ledger.events import encode
from ledger.giving import SOURCES
from ledger.ids import stream_of

MONTHS = 24
# One gift in a hundred is given back.
REVERSAL_EVERY = 100
FIRST_DAY = date(2025, 1, 1)
NOON = timedelta(hours=12)

Stored = tuple[UUID, int, str, bytes]


def fill(conninfo: str, tills: list[Till], events: int, first: int = 0) -> None:
    """Add so many events to a ledger, in bulk; `first` continues where another call ended."""
    with psycopg.connect(conninfo) as connection, connection.cursor() as cursor:
        columns = "originator_id, originator_version, topic, state"
        statement = f"COPY ledger_events ({columns}) FROM STDIN (FORMAT binary)"
        with cursor.copy(statement) as copy:
            copy.set_types(["uuid", "int8", "text", "bytea"])
            for stored in islice_events(tills, first, events):
                copy.write_row(stored)


def islice_events(tills: list[Till], first: int, events: int) -> Iterator[Stored]:
    number = first
    while number < first + events:
        gift = gift_of(number, tills[number % len(tills)])
        stream_id = stream_of("donation", gift.donation_id)
        yield stream_id, 1, *encode(gift)
        number += 1
        if number % REVERSAL_EVERY == 0 and number < first + events:
            yield stream_id, 2, *encode(reversal_of(gift))
            number += 1


def gift_of(number: int, till: Till) -> DonationRecorded:
    """Make the event of one gift, with all the fields that a till's gift usually has."""
    # The months follow each other, and each partner and source has gifts in every one.
    day = FIRST_DAY + timedelta(days=number // 1_000 % (MONTHS * 30))
    at = datetime(day.year, day.month, day.day, 11, number % 60, 7, 123_456, tzinfo=UTC)
    cents = 1 + number % 99
    return DonationRecorded(
        recorded_at=at,
        actor=f"till:{till.till_id}",
        donation_id=uuid4(),
        partner_id=till.partner_id,
        till_id=till.till_id,
        source=SOURCES[number // 7 % len(SOURCES)],
        amount_cents=cents,
        occurred_at=at,
        occurred_on=day,
        purchase_cents=10_000 - cents,
        sale_ref_mac=f"{number:032x}",
        ask_id="round-up",
    )


def reversal_of(gift: DonationRecorded) -> Event:
    return DonationReversed(
        recorded_at=gift.recorded_at,
        actor=gift.actor,
        donation_id=gift.donation_id,
        reversal_id=uuid5(gift.donation_id, "reversal"),
        partner_id=gift.partner_id,
        till_id=gift.till_id,
        source=gift.source,
        amount_cents=gift.amount_cents,
        reason="sale_returned",
        reversed_on=gift.occurred_on,
    )
