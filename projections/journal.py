"""The journal: the public list of all events, each with its position in the feed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, assert_never

import msgspec
from psycopg import Connection, Cursor

from ledger.calendar import civil_day
from ledger.donations import DonationRecorded, DonationReversed
from ledger.events import AnyEvent
from ledger.partners import PartnerActivated, PartnerRegistered, PartnerSuspended
from ledger.tills import TillEnrolled, TillKeyRotated, TillRevoked
from projections.feed import Gift, Other, Page, Reversal
from projections.read_model import ReadModel
from projections.sql import queries

SQL = queries("journal.sql")
BLOCK_POSITIONS = 100
PAGE_LINES_MAX = 1_000

Public = dict[str, str | int | None]


def public(event: AnyEvent) -> Public:
    """Give what everybody may read of an event: ids, cents and days, never words of a person.

    A till's key hash, a sale's reference, hours and the words of a reason stay inside.
    """
    match event:
        case DonationRecorded():
            return {
                "donation_id": str(event.donation_id),
                "partner_id": str(event.partner_id),
                "source": event.source,
                "amount_cents": event.amount_cents,
                "occurred_on": event.occurred_on.isoformat(),
            }
        case DonationReversed():
            return {
                "donation_id": str(event.donation_id),
                "partner_id": str(event.partner_id),
                "source": event.source,
                "amount_cents": event.amount_cents,
                "reason": event.reason,
                "reversed_on": event.reversed_on.isoformat(),
            }
        case PartnerRegistered():
            return {
                "partner_id": str(event.partner_id),
                "name": event.name,
                "siret": event.siret,
            }
        case PartnerActivated():
            until = event.valid_until
            return {
                "partner_id": str(event.partner_id),
                "valid_from": event.valid_from.isoformat(),
                "valid_until": None if until is None else until.isoformat(),
            }
        case PartnerSuspended():
            return {"partner_id": str(event.partner_id)}
        case TillEnrolled() | TillKeyRotated() | TillRevoked():
            return {"partner_id": str(event.partner_id), "till_id": str(event.till_id)}
        case _:
            assert_never(event)


@lru_cache(maxsize=10_000)
def village_day(hour: str) -> str:
    """Give the village's day of an hour in UTC like `2026-11-23T22`: its zone has whole hours."""
    return civil_day(datetime.fromisoformat(f"{hour}:00:00+00:00")).isoformat()


def gift_line(position: int, gift: Gift) -> str:
    """Write the line of a gift as `line` would, from the few fields a page holds of it.

    Every value is an id, a day, a number or one of three words: nothing needs escaping.
    """
    return (
        f'{{"position":{position},"kind":"DonationRecorded","recorded_on":"{village_day(gift.recorded_at[:13])}",'
        f'"donation_id":"{gift.donation_id}","partner_id":"{gift.partner_id}",'
        f'"source":"{gift.source}","amount_cents":{gift.amount_cents},'
        f'"occurred_on":"{gift.occurred_on}"}}\n'
    )


def reversal_line(position: int, reversal: Reversal) -> str:
    """Write the line of a reversal as `line` would."""
    return (
        f'{{"position":{position},"kind":"DonationReversed",'
        f'"recorded_on":"{village_day(reversal.recorded_at[:13])}",'
        f'"donation_id":"{reversal.donation_id}","partner_id":"{reversal.partner_id}",'
        f'"source":"{reversal.source}","amount_cents":{reversal.amount_cents},'
        f'"reason":"{reversal.reason}","reversed_on":"{reversal.reversed_on}"}}\n'
    )


def line(other: Other) -> str:
    """Write the line of any event: position, kind, the day it was recorded, its public form."""
    event = other.event
    head = {
        "position": other.position,
        "kind": other.kind,
        "recorded_on": civil_day(event.recorded_at).isoformat(),
    }
    return msgspec.json.encode(head | public(event)).decode() + "\n"


class Fold:
    """Gathers lines by block, in the order of the feed."""

    def __init__(self) -> None:
        self._blocks: dict[int, list[str]] = {}

    def add(self, page: Page) -> None:
        gifts = zip(page.gift_positions, page.gifts, strict=True)
        lines = [(position, gift_line(position, gift)) for position, gift in gifts]
        if page.reversal_positions or page.others:
            reversals = zip(page.reversal_positions, page.reversals, strict=True)
            lines += [(position, reversal_line(position, one)) for position, one in reversals]
            lines += [(other.position, line(other)) for other in page.others]
            lines.sort()
        blocks = self._blocks
        for position, text in lines:
            block = position // BLOCK_POSITIONS
            if block in blocks:
                blocks[block].append(text)
            else:
                blocks[block] = [text]

    def write(self, cursor: Cursor[Any]) -> None:
        if not self._blocks:
            return
        columns = {
            "block": list(self._blocks),
            "events": [len(lines) for lines in self._blocks.values()],
            "lines": ["".join(lines) for lines in self._blocks.values()],
        }
        cursor.execute(SQL["append"], columns)
        self._blocks = {}


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of the journal: `public` is its public form without the three common fields."""

    position: int
    kind: str
    recorded_on: date
    public: Public


def lines_before(connection: Connection[Any], before: int | None, limit: int) -> list[str]:
    """Give the JSON lines of at most `limit` events below a position, newest first."""
    below = 2**62 if before is None else before
    block = (below - 1) // BLOCK_POSITIONS
    found: list[str] = []
    while len(found) < limit:
        # Positions have gaps, so a block may hold few lines: read on until there are enough.
        wanted = (limit - len(found)) // BLOCK_POSITIONS + 2
        rows = connection.execute(SQL["before"], {"block": block, "blocks": wanted}).fetchall()
        for row in rows:
            number, _, lines = row.values() if isinstance(row, dict) else row
            found += [text for text in reversed(lines.splitlines()) if position_of(text) < below]
            block = number - 1
        if len(rows) < wanted:
            break
    return found[:limit]


def position_of(text: str) -> int:
    """Read the position a line begins with, without decoding the line."""
    return int(text[12 : text.index(",")])


def page(connection: Connection[Any], *, before: int | None, limit: int) -> list[Entry]:
    """Give at most `limit` events below a position, newest first."""
    return list(entries(lines_before(connection, before, limit)))


def entries(lines: list[str]) -> Iterator[Entry]:
    for text in lines:
        fields = msgspec.json.decode(text)
        yield Entry(
            position=fields.pop("position"),
            kind=fields.pop("kind"),
            recorded_on=date.fromisoformat(fields.pop("recorded_on")),
            public=fields,
        )


journal = ReadModel(
    name="journal", tables=("journal_block",), ddl=SQL["table"], fold=Fold, pages_a_write=2
)
