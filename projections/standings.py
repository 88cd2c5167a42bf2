"""What each partner is on any day, as known now or at any position, and why."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from uuid import UUID

import msgspec
from psycopg import Connection, Cursor
from psycopg.rows import class_row, tuple_row

from ledger.events import decode
from ledger.partners.facts import (
    STANDING_EVENTS,
    AgreementFacts,
    Grant,
    PartnerFacts,
    StandingEvent,
    facts_of,
)
from ledger.partners.standing import (
    Period,
    Reason,
    ReasonName,
    Status,
    rule_on,
    standing,
    timeline,
    why_not,
)
from projections.feed import Page
from projections.read_model import ReadModel, as_of
from projections.sql import queries

SQL = queries("standings.sql")
REASONS = msgspec.json.Decoder(tuple[Reason, ...])
PARTNER_IDS = msgspec.json.Decoder(list[UUID])


class Fold:
    """Notes where a partner's events are, then tells the periods of the touched partners anew."""

    def __init__(self) -> None:
        self._noted: list[tuple[int, UUID]] = []

    def add(self, page: Page) -> None:
        self._noted += [
            (other.position, cast(StandingEvent, other.event).partner_id)
            for other in page.others
            if isinstance(other.event, STANDING_EVENTS)
        ]

    def write(self, cursor: Cursor[Any]) -> None:
        if not self._noted:
            return
        positions = [position for position, _ in self._noted]
        partner_ids = [partner_id for _, partner_id in self._noted]
        cursor.execute(SQL["note"], {"positions": positions, "partner_ids": partner_ids})
        touched = sorted(set(partner_ids))
        cursor.execute(SQL["forget_periods"], {"partner_ids": touched})
        known = facts_of_partners(cursor, touched, None)
        tell(
            cursor,
            (
                (partner_id, period)
                for partner_id in touched
                for period in timeline(known[partner_id])
            ),
        )
        self._noted = []


def tell(cursor: Cursor[Any], periods: Iterable[tuple[UUID, Period]]) -> None:
    """Write periods of partners with one statement."""
    rows = list(periods)
    columns = {
        "partner_ids": [partner_id for partner_id, _ in rows],
        "firsts": [period.first for _, period in rows],
        "lasts": [period.last for _, period in rows],
        "sinces": [period.since for _, period in rows],
        "statuses": [period.standing.status for _, period in rows],
        "reasons": [msgspec.json.encode(period.standing.reasons).decode() for _, period in rows],
    }
    cursor.execute(SQL["tell_periods"], columns)


def facts_of_partners(
    cursor: Cursor[Any], partner_ids: list[UUID], known_at: int | None
) -> dict[UUID, PartnerFacts]:
    """Fold the events of partners up to a position, all of them when it is None."""
    asked = {"partner_ids": partner_ids, "known_at": known_at}
    events: dict[UUID, list[tuple[int, StandingEvent]]] = defaultdict(list)
    for partner_id, position, topic, state in cursor.execute(SQL["events"], asked).fetchall():
        event = cast(StandingEvent, decode(topic, bytes(state)))
        events[partner_id].append((position, event))
    return {partner_id: facts_of(events[partner_id]) for partner_id in partner_ids}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a partner is on a day, as known at a position; `since` is when that status began."""

    status: Status
    reasons: tuple[Reason, ...]
    since: date | None
    position: int
    rule_version: int

    @property
    def why(self) -> ReasonName | None:
        """What decides that it is not active; None when it is."""
        return why_not(self.reasons)


@dataclass(frozen=True, slots=True)
class Stay:
    """Days on which a partner's standing stays the same; without a last day it goes on."""

    first_on: date
    last_on: date | None
    since_on: date
    status: Status
    reasons: tuple[Reason, ...]

    @property
    def why(self) -> ReasonName | None:
        """What decides that it is not active; None when it is."""
        return why_not(self.reasons)


@dataclass(frozen=True, slots=True)
class Row:
    first_on: date
    last_on: date | None
    since_on: date
    status: Status
    reasons: str

    def stay(self) -> Stay:
        reasons = REASONS.decode(self.reasons)
        return Stay(self.first_on, self.last_on, self.since_on, self.status, reasons)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certification and the agreement it goes with; `position` is its event in the feed.

    `valid_until` is its last day, `status` what the partner is on the day that was asked for.
    """

    partner_id: UUID
    case_id: UUID
    position: int
    decided_on: date
    valid_from: date
    valid_until: date
    agreement_number: str | None
    status: Status
    reasons: tuple[Reason, ...]


def facts(
    connection: Connection[Any], partner_id: UUID, known_at: int | None = None
) -> PartnerFacts | None:
    """Give all that bears on a partner's standing, None when none is known under this id."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        found = facts_of_partners(cursor, [partner_id], known_at)[partner_id]
    return None if found.registered_on is None else found


def answer(
    connection: Connection[Any], partner_id: UUID, on: date, known_at: int | None = None
) -> Answer | None:
    """Say what a partner was on a day, as the ledger knew it at a position: by default, now.

    None when no partner was known under this id at that position. A position that the read model
    has not reached is answered as of where it stands, which `position` tells.
    """
    reached = as_of(connection, standings.name).position
    position = reached if known_at is None else min(known_at, reached)
    found = facts(connection, partner_id, position)
    if found is None:
        return None
    rule = rule_on(on)
    is_now = standing(found, on, rule)
    since = next((one.since for one in timeline(found) if covers(one, on)), None)
    return Answer(is_now.status, is_now.reasons, since, position, rule.version)


def covers(period: Period, day: date) -> bool:
    return period.first <= day and (period.last is None or day <= period.last)


def history(connection: Connection[Any], partner_id: UUID) -> list[Stay]:
    """Give a partner's standings from its registration on, oldest first.

    The last ones may lie in the future: what will be if nothing happens.
    """
    with connection.cursor(row_factory=class_row(Row)) as cursor:
        rows = cursor.execute(SQL["history"], {"partner_id": partner_id}).fetchall()
    return [row.stay() for row in rows]


def on_day(connection: Connection[Any], partner_id: UUID, on: date) -> Stay | None:
    """Give the standing of a partner on a day as known now, None before its registration."""
    with connection.cursor(row_factory=class_row(Row)) as cursor:
        row = cursor.execute(SQL["on_day"], {"partner_id": partner_id, "on": on}).fetchone()
    return None if row is None else row.stay()


def everyone(connection: Connection[Any], on: date) -> dict[UUID, Status]:
    """Give the status of every partner that was registered on a day."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(SQL["everyone"], {"on": on}).fetchall()
    return {partner_id: status for status, ids in rows for partner_id in PARTNER_IDS.decode(ids)}


def certificate(
    connection: Connection[Any], partner_id: UUID, on: date, known_at: int | None = None
) -> Certificate | None:
    """Give the certification that covers a day, else the newest before it, with its agreement."""
    found = facts(connection, partner_id, known_at)
    grant = None if found is None else grant_on(found, on)
    if found is None or grant is None or grant.span.last is None:
        return None
    is_now = standing(found, on, rule_on(on))
    agreed = agreement_on(found, on)
    return Certificate(
        partner_id=partner_id,
        case_id=grant.case_id,
        position=grant.position,
        decided_on=grant.decided_on,
        valid_from=grant.span.first,
        valid_until=grant.span.last,
        agreement_number=None if agreed is None else agreed.number,
        status=is_now.status,
        reasons=is_now.reasons,
    )


def grant_on(found: PartnerFacts, on: date) -> Grant | None:
    begun = [one for one in found.grants if one.span.first <= on]
    return next((one for one in begun if one.span.covers(on)), begun[-1] if begun else None)


def agreement_on(found: PartnerFacts, on: date) -> AgreementFacts | None:
    """Give the agreement in force on a day, else the newest that began before it."""
    begun = [one for one in found.agreements if any(span.first <= on for span in one.spans)]
    in_force = [one for one in begun if any(span.covers(on) for span in one.spans)]
    return next(iter(in_force or reversed(begun)), None)


standings = ReadModel(
    name="standings",
    tables=("standing_event", "standing_period"),
    ddl=SQL["table"],
    fold=Fold,
)
