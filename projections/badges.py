"""The badges that were granted, each with its place in the status lists, and which are withdrawn.

A place is the number of grants before it in the feed: dense, so that the lists stay short; never
shared; and the same after every rebuild, because events are only ever added.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import class_row, tuple_row

from ledger.badge.facts import Purpose
from ledger.partners.certifications.events import CertificationGranted, CertificationRenewed
from projections.feed import Other, Page
from projections.read_model import ReadModel
from projections.sql import queries

SQL = queries("badges.sql")


class Fold:
    """Grants are few: they are kept, then written one by one in their order."""

    def __init__(self) -> None:
        self._grants: list[Other] = []

    def add(self, page: Page) -> None:
        self._grants += [
            other
            for other in page.others
            if isinstance(other.event, CertificationGranted | CertificationRenewed)
        ]

    def write(self, cursor: Cursor[Any]) -> None:
        for grant in self._grants:
            write(cursor, grant)
        self._grants = []


def write(cursor: Cursor[Any], grant: Other) -> None:
    event = grant.event
    if not isinstance(event, CertificationGranted | CertificationRenewed):
        raise TypeError(grant.kind)
    row = {
        "partner_id": event.partner_id,
        "position": grant.position,
        "granted_at": event.recorded_at,
        "valid_from": event.valid_from,
        "valid_until": event.valid_until,
    }
    # A renewal leaves the badge before it good to its last day; a new certification does not.
    if isinstance(event, CertificationGranted):
        cursor.execute(SQL["supersede"], row)
    cursor.execute(SQL["grant"], row)


@dataclass(frozen=True, slots=True)
class Granted:
    """A grant or renewal, with its place in the status lists."""

    place: int
    partner_id: UUID
    position: int
    granted_at: datetime
    valid_from: date
    valid_until: date


def of_partner(connection: Connection[Any], partner_id: UUID, on: date) -> Granted | None:
    """Give the newest grant that had begun on a day, else the first one to begin after it."""
    with connection.cursor(row_factory=class_row(Granted)) as cursor:
        cursor.execute(SQL["of_partner"], {"partner_id": partner_id, "on": on})
        return cursor.fetchone()


def withdrawn(connection: Connection[Any], purpose: Purpose, on: date) -> list[int]:
    """Give the places of the badges that are revoked, or suspended, on a day."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute(SQL[purpose], {"on": on})
        return [place for (place,) in cursor]


badges = ReadModel(name="badges", tables=("badge_grant",), ddl=SQL["table"], fold=Fold)
