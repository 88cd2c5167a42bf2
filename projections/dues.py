"""What partners owe and no statement asks for yet, and the lines a statement would have.

Gifts by card come to the foundation itself: they are settled by payouts, and left out here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from struct import pack, unpack
from typing import Any, Final
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import class_row, tuple_row

from ledger.foundation import FOUNDATION_ID
from ledger.giving import Regime
from ledger.ids import stream_of
from ledger.partners.facts import PartnerFacts
from ledger.settlements.events import StatementClosed
from ledger.settlements.lines import Line, Reach
from projections import standings
from projections.feed import GIFTS, NOTHING, Page
from projections.read_model import ReadModel
from projections.sql import queries

SQL = queries("dues.sql")
# Large enough that a rebuild writes few rows, small enough that a live append rewrites little.
BLOCK_POSITIONS: Final = 10_000
READ_LINES: Final = 5_000
OWN: Final = str(FOUNDATION_ID)
Key = tuple[str, int]
RegimeOn = Callable[[date], Regime | None]


class Block:
    """The lines of one partner in one block of the feed, as far as pages brought them."""

    __slots__ = ("cents", "first_on", "last_on", "positions")

    def __init__(self, day: str) -> None:
        self.positions: list[int] = []
        self.cents = 0
        self.first_on = self.last_on = day

    def note(self, position: int, day: str, cents: int) -> None:
        self.positions.append(position)
        self.cents += cents
        if day > self.last_on:
            self.last_on = day
        elif day < self.first_on:
            self.first_on = day


class Fold:
    """Gathers positions by partner and block, and what statements were closed."""

    def __init__(self) -> None:
        self._blocks: dict[Key, Block] = {}
        self._closed: list[StatementClosed] = []

    def add(self, page: Page) -> None:
        for position, gift in zip(page.gift_positions, page.gifts, strict=True):
            self._note(gift.partner_id, gift.occurred_on, position, gift.amount_cents)
        for position, back in zip(page.reversal_positions, page.reversals, strict=True):
            self._note(back.partner_id, back.reversed_on, position, -back.amount_cents)
        self._closed += [one.event for one in page.others if isinstance(one.event, StatementClosed)]

    def _note(self, partner_id: str, day: str, position: int, cents: int) -> None:
        key = (partner_id, position // BLOCK_POSITIONS)
        block = self._blocks.get(key)
        if block is None:
            if partner_id == OWN:
                return
            block = self._blocks[key] = Block(day)
        block.note(position, day, cents)

    def write(self, cursor: Cursor[Any]) -> None:
        if self._blocks:
            # One order for all writers, so that two of them cannot wait for each other.
            blocks = sorted(self._blocks.items())
            cursor.execute(SQL["pack"], packed(blocks))
            cursor.execute(SQL["add"], added(blocks))
        for one in self._closed:
            facts = {
                "partner_id": one.partner_id,
                "lines": one.lines,
                "cents": one.owed_cents,
                "last_on": one.last_on,
                "through_position": one.through_position,
            }
            cursor.execute(SQL["close"], facts)
        self._blocks, self._closed = {}, []


def packed(blocks: list[tuple[Key, Block]]) -> dict[str, list[Any]]:
    """Give what is to be added to blocks, as columns. Positions come by kind, and are sorted."""
    return {
        "partner_id": [partner_id for (partner_id, _), _ in blocks],
        "block": [number for (_, number), _ in blocks],
        "last_on": [one.last_on for _, one in blocks],
        "positions": [pack(f"!{len(one.positions)}q", *sorted(one.positions)) for _, one in blocks],
        "cents": [one.cents for _, one in blocks],
    }


def added(blocks: list[tuple[Key, Block]]) -> dict[str, list[Any]]:
    """Give what is to be added to partners, as columns."""
    sums: dict[str, list[Any]] = {}
    for (partner_id, _), one in blocks:
        row = sums.setdefault(partner_id, [0, 0, one.first_on])
        row[0] += len(one.positions)
        row[1] += one.cents
        row[2] = min(row[2], one.first_on)
    return {
        "partner_id": list(sums),
        "lines": [row[0] for row in sums.values()],
        "cents": [row[1] for row in sums.values()],
        "first_on": [row[2] for row in sums.values()],
    }


@dataclass(frozen=True, slots=True)
class Open:
    """What a partner collected that is on no statement: `last_on` is how far its last one got."""

    partner_id: UUID
    lines: int
    cents: int
    first_on: date
    last_on: date | None


def open_of(connection: Connection[Any], partner_id: UUID | None = None) -> list[Open]:
    """Give every partner, or one, with lines on no statement yet; most is owed first."""
    with connection.cursor(row_factory=class_row(Open)) as cursor:
        return cursor.execute(SQL["open"], {"partner_id": partner_id}).fetchall()


def lines_of(
    connection: Connection[Any], partner_id: UUID, before: Reach | None, upto: Reach
) -> list[Line]:
    """Give the lines of a partner within a reach that were not within the one before.

    Regimes are as the ledger knew them at the position of the reach: the same lines for ever.
    """
    reached = before or Reach(-1, date.min)
    positions = positions_of(connection, partner_id, reached, upto)
    facts = standings.facts(connection, partner_id, upto.through_position) or PartnerFacts()
    regime = cache(partial(regime_on, facts))
    lines: list[Line] = []
    for first in range(0, len(positions), READ_LINES):
        lines += [
            line
            for line in read_lines(connection, positions[first : first + READ_LINES], regime)
            if upto.holds(line.position, line.day) and not reached.holds(line.position, line.day)
        ]
    return lines


def positions_of(
    connection: Connection[Any], partner_id: UUID, reached: Reach, upto: Reach
) -> list[int]:
    """Give where those lines stand in the feed, in its order, among others of other days."""
    asked = {
        "partner_id": partner_id,
        "last_block": upto.through_position // BLOCK_POSITIONS,
        "reached_on": reached.last_on,
        "reached_block": reached.through_position // BLOCK_POSITIONS,
    }
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        rows = cursor.execute(SQL["blocks"], asked).fetchall()
    found = (position for (packed,) in rows for position in unpack(f"!{len(packed) // 8}q", packed))
    return sorted(position for position in found if position <= upto.through_position)


def read_lines(connection: Connection[Any], positions: list[int], regime: RegimeOn) -> list[Line]:
    """Read gifts and reversals from the events themselves, in the order of the feed."""
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        rows = cursor.execute(SQL["lines"], {"positions": positions}).fetchall()
    kinds = {row[0]: (unpack(f"!{row[1]}q", row[3]), row[4]) for row in rows}
    page = Page(max(positions, default=0), len(positions), kinds)
    found = [*gift_lines(page, regime), *reversal_lines(connection, page, regime)]
    return sorted(found, key=lambda line: line.position)


def gift_lines(page: Page, regime: RegimeOn) -> Iterator[Line]:
    for position, gift in zip(page.gift_positions, page.gifts, strict=True):
        day = date.fromisoformat(gift.occurred_on)
        yield Line(
            position=position,
            kind="gift",
            day=day,
            given_on=day,
            donation_id=gift.donation_id,
            source=gift.source,
            regime=regime(day),
            cents=gift.amount_cents,
        )


def reversal_lines(connection: Connection[Any], page: Page, regime: RegimeOn) -> Iterator[Line]:
    """Read each reversal with the day of its gift, which may be on a statement long closed."""
    if not page.reversals:
        return
    streams = {stream_of("donation", UUID(one.donation_id)) for one in page.reversals}
    with connection.cursor(row_factory=tuple_row, binary=True) as cursor:
        row = cursor.execute(SQL["gifts"], {"streams": list(streams)}).fetchone()
    states = NOTHING[1] if row is None or row[0] is None else bytes(row[0])
    given = {one.donation_id: one.occurred_on for one in GIFTS.decode(b"[%b]" % states)}
    for position, back in zip(page.reversal_positions, page.reversals, strict=True):
        given_on = date.fromisoformat(given[back.donation_id])
        yield Line(
            position=position,
            kind="reversal",
            day=date.fromisoformat(back.reversed_on),
            given_on=given_on,
            donation_id=back.donation_id,
            source=back.source,
            regime=regime(given_on),
            cents=-back.amount_cents,
        )


def regime_on(facts: PartnerFacts, day: date) -> Regime | None:
    """Say whose the money of a day is until it is handed over; None without an agreement then."""
    for one in facts.agreements:
        if any(span.covers(day) for span in one.spans):
            return one.terms_on(day).regime
    return None


dues = ReadModel(name="dues", tables=("due_block", "due_partner"), ddl=SQL["table"], fold=Fold)
