"""The journal: the public list of all events, each with its position in the feed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import msgspec
from psycopg import Connection, Cursor

from ledger.calendar import civil_day
from ledger.closes import DayClosed
from ledger.donations import DonationRecorded, DonationReversed
from ledger.events import AnyEvent
from ledger.partners.register import PublicationConsented, PublicationConsentWithdrawn
from ledger.people import AccountDisabled, AccountEnabled, AccountOpened, RolesChanged
from ledger.settlements.events import StatementClosed
from ledger.tills import (
    EnrolmentOffered,
    GapExplained,
    TillEnrolled,
    TillKeyRotated,
    TillRevoked,
)
from projections.feed import Gift, Other, Page, Reversal
from projections.money_life import MoneyEvent, public_of_money
from projections.partner_life import public_of_partner
from projections.project_life import ProjectLifeEvent, public_of_project_life
from projections.read_model import ReadModel
from projections.round_life import VoteEvent, public_of_vote
from projections.sql import queries

SQL = queries("journal.sql")
BLOCK_POSITIONS = 100
PAGE_LINES_MAX = 1_000

Public = dict[str, str | int | None]

# From these a shop's figures could be added up, or told by where its gifts stand among others'.
OF_A_SHOPS_FIGURES = (
    DonationRecorded,
    DonationReversed,
    GapExplained,
    DayClosed,
    StatementClosed,
)
# A donation's id is chosen by the till, and may be made of the till's own: it names the shop too.
# A statement's id is made of the shop's; its number, first day and lines could be recognised.
WHOSE = frozenset(
    {
        "partner_id",
        "till_id",
        "donation_id",
        "statement_id",
        "number",
        "first_on",
        "lines",
        "lines_sha256",
    }
)


def public(event: AnyEvent, *, named: bool) -> Public:
    """Give what everybody may read of an event: ids, cents and days, never words of a person.

    A till's key hash, a sale's reference, hours and the words of a reason stay inside. `named`:
    the partner let its own figures be published; else nothing in them says whose they are.
    """
    told = in_full(event)
    if named or not isinstance(event, OF_A_SHOPS_FIGURES):
        return told
    return {name: value for name, value in told.items() if name not in WHOSE}


def in_full(event: AnyEvent) -> Public:
    """Give the public form of an event of a partner that publishes its figures."""
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
        case EnrolmentOffered() | TillEnrolled() | TillKeyRotated() | TillRevoked():
            return {"partner_id": str(event.partner_id), "till_id": str(event.till_id)}
        case GapExplained():
            return {
                "partner_id": str(event.partner_id),
                "till_id": str(event.till_id),
                "first_number": event.first_number,
                "last_number": event.last_number,
                "reason": event.reason,
            }
        case DayClosed():
            return {
                "partner_id": str(event.partner_id),
                "till_id": str(event.till_id),
                "day": event.day.isoformat(),
            }
        case AccountOpened() | RolesChanged():
            return {"account_id": str(event.account_id), "roles": " ".join(event.roles)}
        case AccountDisabled() | AccountEnabled():
            return {"account_id": str(event.account_id)}
        case _ if isinstance(event, VoteEvent):
            return public_of_vote(event)
        case _ if isinstance(event, ProjectLifeEvent):
            return public_of_project_life(event)
        case _ if isinstance(event, MoneyEvent):
            return public_of_money(event)
        case _:
            return public_of_partner(event)


@lru_cache(maxsize=10_000)
def village_day(hour: str) -> str:
    """Give the village's day of an hour in UTC like `2026-11-23T22`: its zone has whole hours."""
    return civil_day(datetime.fromisoformat(f"{hour}:00:00+00:00")).isoformat()


def gift_line(position: int, gift: Gift, *, named: bool) -> str:
    """Write the line of a gift as `line` would, from the few fields a page holds of it.

    Every value is an id, a day, a number or one of three words: nothing needs escaping.
    """
    whose = f'"donation_id":"{gift.donation_id}","partner_id":"{gift.partner_id}",' if named else ""
    return (
        f'{{"position":{position},"kind":"DonationRecorded",'
        f'"recorded_on":"{village_day(gift.recorded_at[:13])}",{whose}'
        f'"source":"{gift.source}","amount_cents":{gift.amount_cents},'
        f'"occurred_on":"{gift.occurred_on}"}}\n'
    )


def reversal_line(position: int, back: Reversal, *, named: bool) -> str:
    """Write the line of a reversal as `line` would."""
    whose = f'"donation_id":"{back.donation_id}","partner_id":"{back.partner_id}",' if named else ""
    return (
        f'{{"position":{position},"kind":"DonationReversed",'
        f'"recorded_on":"{village_day(back.recorded_at[:13])}",{whose}'
        f'"source":"{back.source}","amount_cents":{back.amount_cents},'
        f'"reason":"{back.reason}","reversed_on":"{back.reversed_on}"}}\n'
    )


def line(other: Other, *, named: bool) -> str:
    """Write the line of any event: position, kind, the day it was recorded, its public form."""
    event = other.event
    head = {
        "position": other.position,
        "kind": other.kind,
        "recorded_on": civil_day(event.recorded_at).isoformat(),
    }
    return msgspec.json.encode(head | public(event, named=named)).decode() + "\n"


class Consents:
    """Which partners let their figures be published, at each position of the pages to write.

    `before` are those that did so before the first of these pages.
    """

    def __init__(self, before: frozenset[str], pages: list[Page]) -> None:
        self._before = before
        self._changes: dict[str, list[tuple[int, bool]]] = {}
        for other in (other for page in pages for other in page.others):
            if isinstance(other.event, PublicationConsented | PublicationConsentWithdrawn):
                given = isinstance(other.event, PublicationConsented)
                changes = self._changes.setdefault(str(other.event.partner_id), [])
                changes.append((other.position, given))

    def at(self, partner_id: str, position: int) -> bool:
        changes = self._changes.get(partner_id)
        if changes is None:
            return partner_id in self._before
        earlier = [given for changed_at, given in changes if changed_at < position]
        return earlier[-1] if earlier else partner_id in self._before

    def changed(self, *, to: bool) -> list[str]:
        """Give the partners whose newest word in these pages is this."""
        return [whose for whose, changes in self._changes.items() if changes[-1][1] is to]


class Fold:
    """Gathers pages; their lines are written once it is known who had consented before them."""

    def __init__(self) -> None:
        self._pages: list[Page] = []

    def add(self, page: Page) -> None:
        # Decoding waits for nobody: a rebuild does it here, while PostgreSQL writes other pages.
        _ = page.gifts, page.reversals, page.others
        self._pages.append(page)

    def write(self, cursor: Cursor[Any]) -> None:
        consents = Consents(consenting(cursor, self._pages), self._pages)
        blocks: dict[int, list[str]] = {}
        for page in self._pages:
            for position, text in lines_of(page, consents):
                block = position // BLOCK_POSITIONS
                if block in blocks:
                    blocks[block].append(text)
                else:
                    blocks[block] = [text]
        if blocks:
            columns = {
                "block": list(blocks),
                "events": [len(lines) for lines in blocks.values()],
                "lines": ["".join(lines) for lines in blocks.values()],
            }
            cursor.execute(SQL["append"], columns)
        for query, given in (("consented", True), ("withdrawn", False)):
            if changed := consents.changed(to=given):
                cursor.execute(SQL[query], {"partner_ids": changed})
        self._pages = []


def consenting(cursor: Cursor[Any], pages: list[Page]) -> frozenset[str]:
    """Give the partners of some pages that had consented before the first of them."""
    partner_ids = {gift.partner_id for page in pages for gift in page.gifts}
    partner_ids |= {reversal.partner_id for page in pages for reversal in page.reversals}
    partner_ids |= {
        whose for page in pages for other in page.others if (whose := partner_of(other))
    }
    if not partner_ids:
        return frozenset()
    rows = cursor.execute(SQL["consenting"], {"partner_ids": list(partner_ids)}).fetchall()
    return frozenset(row[0] for row in rows)


def partner_of(other: Other) -> str:
    """Give the partner that an event's line may not name; empty where that is no question."""
    return str(other.event.partner_id) if isinstance(other.event, OF_A_SHOPS_FIGURES) else ""


def lines_of(page: Page, consents: Consents) -> list[tuple[int, str]]:
    """Write the lines of a page, in the order of the feed."""
    at = consents.at
    lines = [
        (position, gift_line(position, gift, named=at(gift.partner_id, position)))
        for position, gift in zip(page.gift_positions, page.gifts, strict=True)
    ]
    if page.reversal_positions or page.others:
        lines += [
            (position, reversal_line(position, back, named=at(back.partner_id, position)))
            for position, back in zip(page.reversal_positions, page.reversals, strict=True)
        ]
        lines += [
            (other.position, line(other, named=at(partner_of(other), other.position)))
            for other in page.others
        ]
        lines.sort()
    return lines


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
    name="journal",
    tables=("journal_block", "journal_consent"),
    ddl=SQL["table"],
    fold=Fold,
    pages_a_write=2,
)
