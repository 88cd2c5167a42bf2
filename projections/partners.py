"""The partner shops: who they are, what they are today, what was given there."""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import class_row

from ledger.calendar import civil_day
from ledger.decider import Event
from ledger.partners import PartnerActivated, PartnerRegistered, PartnerSuspended
from projections.feed import Page
from projections.read_model import ReadModel
from projections.sql import queries

SQL = queries("partners.sql")


class Fold:
    """Partner events are few: they are kept, then written one by one in their order."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def add(self, page: Page) -> None:
        self._events += [
            other.event
            for other in page.others
            if isinstance(other.event, PartnerRegistered | PartnerActivated | PartnerSuspended)
        ]

    def write(self, cursor: Cursor[Any]) -> None:
        for event in self._events:
            write(cursor, event)
        self._events = []


def write(cursor: Cursor[Any], event: Event) -> None:
    match event:
        case PartnerRegistered(partner_id=partner_id, name=name, siret=siret):
            row = {"partner_id": partner_id, "name": name, "siret": siret}
            registered_on = civil_day(event.recorded_at)
            cursor.execute(SQL["register"], row | {"registered_on": registered_on})
        case PartnerActivated(partner_id=partner_id, valid_from=first, valid_until=last):
            row = {"partner_id": partner_id, "valid_from": first, "valid_until": last}
            cursor.execute(SQL["activate"], row)
        case PartnerSuspended(partner_id=partner_id):
            cursor.execute(SQL["suspend"], {"partner_id": partner_id})
        case _:
            pass


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner today: `status` is `registered`, `active`, `suspended` or `lapsed`."""

    partner_id: UUID
    name: str
    siret: str
    status: str
    registered_on: date
    valid_until: date | None
    gifts: int
    given_cents: int
    reversed_cents: int


def every(connection: Connection[Any]) -> list[Partner]:
    """Give every partner in the order of a French directory: accents do not count."""
    return sorted(select(connection, None), key=lambda one: (folded(one.name), one.name))


def one(connection: Connection[Any], partner_id: UUID) -> Partner | None:
    """Give one partner, None when there is none."""
    return next(iter(select(connection, partner_id)), None)


def select(connection: Connection[Any], partner_id: UUID | None) -> list[Partner]:
    today = civil_day(datetime.now(UTC))
    with connection.cursor(row_factory=class_row(Partner)) as cursor:
        cursor.execute(SQL["every"], {"partner_id": partner_id, "today": today})
        return cursor.fetchall()


def folded(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


partners = ReadModel(name="partners", tables=("partner",), ddl=SQL["table"], fold=Fold)
