"""The feed of all events, in pages: read once, decoded once, folded by many read models."""

import re
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from struct import unpack
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import tuple_row

from ledger.bank.events import BankTransactionBooked
from ledger.events import AnyEvent, decode
from projections.sql import queries

SQL = queries("feed.sql")


class Gift(msgspec.Struct, frozen=True, gc=False):
    """What read models need of a DonationRecorded. Ids and days stay text: they are only keys."""

    donation_id: str
    partner_id: str
    till_id: str
    source: str
    amount_cents: int
    occurred_on: str
    recorded_at: str


class Reversal(msgspec.Struct, frozen=True):
    """What read models need of a DonationReversed."""

    donation_id: str
    partner_id: str
    till_id: str
    source: str
    amount_cents: int
    reason: str
    reversed_on: str
    recorded_at: str


class Numbered(msgspec.Struct, frozen=True, gc=False):
    """What a device's link says of a DonationRecorded; the last three are absent without one."""

    donation_id: str
    till_id: str
    source: str
    amount_cents: int
    occurred_at: datetime
    purchase_cents: int | None = None
    ask_id: str | None = None
    project_id: str | None = None
    device_number: int = 0
    device_previous: str = ""
    device_hash: str = ""


GIVEN = ("DonationRecorded", "DonationReversed")
BOOKED = BankTransactionBooked.__name__
GIFTS = msgspec.json.Decoder(list[Gift])
REVERSALS = msgspec.json.Decoder(list[Reversal])
NUMBERED = msgspec.json.Decoder(list[Numbered])


@dataclass(frozen=True, slots=True)
class Other:
    """Any other event, which is rare, in full."""

    position: int
    kind: str
    event: AnyEvent


@dataclass(frozen=True)
class Page:
    """Events of the feed after one position and up to another, decoded when first asked for."""

    last: int
    events: int
    kinds: dict[str, tuple[tuple[int, ...], bytes]]

    @property
    def gift_positions(self) -> tuple[int, ...]:
        return self.kinds.get("DonationRecorded", NOTHING)[0]

    @cached_property
    def gifts(self) -> list[Gift]:
        """The gifts, in step with `gift_positions`."""
        return GIFTS.decode(b"[%b]" % self.kinds.get("DonationRecorded", NOTHING)[1])

    @cached_property
    def numbered(self) -> list[Numbered]:
        """The gifts that a device numbered. A page without any is not decoded for it."""
        gifts = self.kinds.get("DonationRecorded", NOTHING)[1]
        if b'"device_number":' not in gifts:
            return []
        return [one for one in NUMBERED.decode(b"[%b]" % gifts) if one.device_number]

    @property
    def reversal_positions(self) -> tuple[int, ...]:
        return self.kinds.get("DonationReversed", NOTHING)[0]

    @cached_property
    def reversals(self) -> list[Reversal]:
        """The reversals, in step with `reversal_positions`."""
        return REVERSALS.decode(b"[%b]" % self.kinds.get("DonationReversed", NOTHING)[1])

    @cached_property
    def others(self) -> list[Other]:
        """All that is neither a gift nor a reversal."""
        found = [*self.rare, *self._decoded({BOOKED})]
        return sorted(found, key=lambda other: other.position)

    @cached_property
    def rare(self) -> list[Other]:
        """The others without bank transactions, of which one file may hold a hundred thousand."""
        found = self._decoded(self.kinds.keys() - {*GIVEN, BOOKED})
        return sorted(found, key=lambda other: other.position)

    def written(self, kind: str) -> bytes:
        """Give the events of a kind as they are stored, JSON with commas between.

        Raises ValueError unless each of them is one value.
        """
        positions, states = self.kinds.get(kind, NOTHING)
        if len(RAWS.decode(b"[%b]" % states)) != len(positions):
            raise ValueError(f"an event of the kind {kind} is not one value")
        return without_nul(states)

    def _decoded(self, kinds: Collection[str]) -> list[Other]:
        return [
            Other(position, topic, decode(topic, without_nul(bytes(state))))
            for topic, (positions, states) in self.kinds.items()
            if topic in kinds
            for position, state in zip(positions, RAWS.decode(b"[%b]" % states), strict=True)
        ]


# An escaped NUL, and no backslash that is escaped itself before four digits.
NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def without_nul(state: bytes) -> bytes:
    """Give a stored event with U+FFFD for each NUL: the text of PostgreSQL holds none.

    Names with one were taken before they were refused.
    """
    return NUL.sub(rb"\1\\ufffd", state) if rb"\u0000" in state else state


NOTHING: tuple[tuple[int, ...], bytes] = ((), b"")
RAWS = msgspec.json.Decoder(list[msgspec.Raw])


def read(connection: Connection[Any], after: int, limit: int) -> Page | None:
    """Read at most `limit` events after a position; None when there is none."""
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        cursor.execute(SQL["page"], {"after": after, "limit": limit}, prepare=True)
        rows = cursor.fetchall()
    if not rows:
        return None
    return Page(
        last=max(row[2] for row in rows),
        events=sum(row[1] for row in rows),
        kinds={row[0]: (unpack(f"!{row[1]}q", row[3]), row[4]) for row in rows},
    )


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
