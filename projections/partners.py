"""The partner shops: who they are, what they are today, what was given there."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import class_row, tuple_row

from ledger.calendar import civil_day
from ledger.decider import Event
from ledger.foundation import FOUNDATION_ID
from ledger.partners.register import (
    PartnerDescribed,
    PartnerRegistered,
    PublicationConsented,
    PublicationConsentWithdrawn,
    Sector,
)
from ledger.partners.standing import ReasonName, Status
from projections.read_model import InOrder, ReadModel
from projections.sql import queries

SQL = queries("partners.sql")
DIRECTORY_PAGE = 50
REGISTER_EVENTS = (
    PartnerRegistered,
    PartnerDescribed,
    PublicationConsented,
    PublicationConsentWithdrawn,
)


def write(cursor: Cursor[Any], event: Event) -> None:
    match event:
        case PartnerRegistered(partner_id=partner_id, name=name, siret=siret):
            row = {"partner_id": partner_id, "siret": siret} | named(name)
            registered_on = civil_day(event.recorded_at)
            cursor.execute(SQL["register"], row | {"registered_on": registered_on})
        case PartnerDescribed(partner_id=partner_id, trade_name=name):
            row = {"partner_id": partner_id, "place": event.place, "sector": event.sector}
            cursor.execute(SQL["describe"], row | named(name))
        case PublicationConsented() | PublicationConsentWithdrawn():
            publishes = isinstance(event, PublicationConsented)
            row = {"partner_id": event.partner_id, "publishes": publishes}
            cursor.execute(SQL["publish"], row)
        case _:
            pass


def named(name: str) -> dict[str, str]:
    """Give a name as it is written, and as it is sorted and searched."""
    return {"name": name, "folded_name": folded(name)}


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner today. `valid_until`: the last day of what makes an active one so, or made it so.

    `why` names what decides that it is not active. Its own figures are public only when
    `publishes`.
    """

    partner_id: UUID
    name: str
    siret: str
    place: str | None
    sector: Sector | None
    publishes: bool
    status: Status
    why: ReasonName | None
    registered_on: date
    valid_until: date | None
    gifts: int
    given_cents: int
    reversed_cents: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the directory; `found` is how many partners match in all.

    `why` names what decides that it is not active.
    """

    partner_id: UUID
    name: str
    place: str | None
    sector: Sector | None
    status: Status
    why: ReasonName | None
    since: date | None
    found: int


def every(connection: Connection[Any]) -> list[Partner]:
    """Give every partner in the order of a French directory: accents do not count."""
    return select(connection, None)


def one(connection: Connection[Any], partner_id: UUID) -> Partner | None:
    """Give one partner, None when there is none."""
    return next(iter(select(connection, partner_id)), None)


def select(connection: Connection[Any], partner_id: UUID | None) -> list[Partner]:
    today = civil_day(datetime.now(UTC))
    with connection.cursor(row_factory=class_row(Partner)) as cursor:
        cursor.execute(SQL["every"], {"partner_id": partner_id, "today": today})
        return cursor.fetchall()


def directory(  # noqa: PLR0913 - each is a field of the search form.
    connection: Connection[Any],
    query: str = "",
    place: str | None = None,
    sector: str | None = None,
    on: date | None = None,
    *,
    statuses: Sequence[Status] | None = None,
    limit: int | None = DIRECTORY_PAGE,
    offset: int = 0,
) -> list[Listed]:
    """Search the partners by part of a name, place and sector, with what they are on a day.

    The day is today when left out. No limit gives all at once.
    """
    asked = {
        "query": folded(query.strip()),
        "place": place,
        "sector": sector,
        "on": on or civil_day(datetime.now(UTC)),
        "statuses": None if statuses is None else list(statuses),
        "foundation_id": FOUNDATION_ID,
        "limit": limit,
        "offset": offset,
    }
    with connection.cursor(row_factory=class_row(Listed), binary=True) as cursor:
        return cursor.execute(SQL["directory"], asked).fetchall()


def places(connection: Connection[Any]) -> list[str]:
    """Give the places where partners are, in the order of a French directory."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        found = [row[0] for row in cursor.execute(SQL["places"]).fetchall()]
    return sorted(found, key=lambda place: (folded(place), place))


def folded(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


partners = ReadModel(
    name="partners",
    tables=("partner",),
    ddl=SQL["table"],
    fold=partial(InOrder, REGISTER_EVENTS, write),
)
