"""The feed of all events, in pages: read once, decoded once, folded by many read models."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import dict_row, tuple_row

from ledger.events import AnyEvent, decode
from projections.sql import queries

SQL = queries("feed.sql")


class Gift(msgspec.Struct, frozen=True):
    """What read models need of a DonationRecorded. Ids and days stay text: they are only keys."""

    donation_id: str
    partner_id: str
    source: str
    amount_cents: int
    occurred_on: str
    recorded_at: str


class Reversal(msgspec.Struct, frozen=True):
    """What read models need of a DonationReversed."""

    donation_id: str
    partner_id: str
    source: str
    amount_cents: int
    reason: str
    reversed_on: str
    recorded_at: str


GIFTS = msgspec.json.Decoder(list[Gift])
REVERSALS = msgspec.json.Decoder(list[Reversal])


@dataclass(frozen=True, slots=True)
class Other:
    """Any other event, which is rare, in full."""

    position: int
    kind: str
    event: AnyEvent


@dataclass(frozen=True)
class Page:
    """Events of the feed after one position and up to another, decoded when first asked for."""

    row: dict[str, Any]

    @property
    def last(self) -> int:
        """The position of the page's newest event."""
        return int(self.row["last"])

    @property
    def events(self) -> int:
        """How many events the page holds, decodable or not."""
        return int(self.row["events"])

    @property
    def gift_positions(self) -> list[int]:
        return self.row["gift_positions"] or []

    @cached_property
    def gifts(self) -> list[Gift]:
        """The gifts, in step with `gift_positions`."""
        return GIFTS.decode(b"[%b]" % (self.row["gifts"] or b""))

    @property
    def reversal_positions(self) -> list[int]:
        return self.row["reversal_positions"] or []

    @cached_property
    def reversals(self) -> list[Reversal]:
        """The reversals, in step with `reversal_positions`."""
        return REVERSALS.decode(b"[%b]" % (self.row["reversals"] or b""))

    @cached_property
    def others(self) -> list[Other]:
        positions = self.row["other_positions"] or []
        topics = self.row["other_topics"] or []
        states = self.row["other_states"] or []
        return [
            Other(position, topic, decode(topic, bytes(state)))
            for position, topic, state in zip(positions, topics, states, strict=True)
        ]


def read(connection: Connection[Any], after: int, limit: int) -> Page | None:
    """Read at most `limit` events after a position; None when there is none."""
    with connection.cursor(row_factory=dict_row, binary=True) as cursor:
        cursor.execute(SQL["page"], {"after": after, "limit": limit}, prepare=True)
        row = cursor.fetchone()
    return None if row is None or row["last"] is None else Page(row)


def pages(connection: Connection[Any], after: int, limit: int) -> Iterator[Page]:
    """Read the whole feed after a position, one page ahead of whoever folds them.

    PostgreSQL gathers the next page while Python folds this one; memory holds two pages.
    """
    with ThreadPoolExecutor(1, "feed") as reader:
        ahead = reader.submit(read, connection, after, limit)
        while page := ahead.result():
            ahead = reader.submit(read, connection, page.last, limit)
            yield page


def head(connection: Connection[Any]) -> int:
    """Give the position of the newest event, 0 in an empty ledger."""
    return number(connection, "head")


def count(connection: Connection[Any]) -> int:
    """Count all events: fewer than the head's position, because positions have gaps."""
    return number(connection, "count")


def first_actor(connection: Connection[Any]) -> str | None:
    """Say who recorded the ledger's first event, None in an empty one."""
    page = read(connection, 0, 1)
    if page is None:
        return None
    if page.others:
        return page.others[0].event.actor
    return None


def number(connection: Connection[Any], name: str) -> int:
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(SQL[name]).fetchone()
    return 0 if row is None else int(row[0])
