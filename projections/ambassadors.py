"""The ambassadors: how many shops and ballots each one brought."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, get_args
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import class_row

from ledger.ambassadors import (
    AmbassadorEnrolled,
    AmbassadorEvent,
    AmbassadorNamingChanged,
    AmbassadorRetired,
    CreditGiven,
)
from ledger.calendar import civil_day
from ledger.decider import Event
from projections.read_model import InOrder, ReadModel
from projections.sql import queries

SQL = queries("ambassadors.sql")
OF_AMBASSADORS = (*get_args(AmbassadorEvent), CreditGiven)


def write(cursor: Cursor[Any], event: Event) -> None:
    match event:
        case AmbassadorEnrolled():
            told = event.model_dump(
                include={"ambassador_id", "subject_id", "account_id", "code", "named"}
            )
            cursor.execute(SQL["enrol"], told | {"day": event.enrolled_on})
        case AmbassadorNamingChanged():
            told = {"ambassador_id": event.ambassador_id, "named": event.named}
            cursor.execute(SQL["name"], told)
        case AmbassadorRetired():
            day = civil_day(event.recorded_at)
            cursor.execute(SQL["retire"], {"ambassador_id": event.ambassador_id, "day": day})
        case CreditGiven():
            brought = {"shops": event.kind == "shop", "ballots": event.kind == "ballot"}
            counts = {name: int(one) for name, one in brought.items()}
            cursor.execute(SQL["credit"], {"ambassador_id": event.ambassador_id, **counts})
        case _:
            pass


@dataclass(frozen=True, slots=True)
class Ambassador:
    """Her name is in the vault, and public only when `named`."""

    ambassador_id: UUID
    subject_id: UUID
    account_id: UUID | None
    code: str
    named: bool
    enrolled_on: date
    retired_on: date | None
    shops: int
    ballots: int


def listed(connection: Connection[Any]) -> list[Ambassador]:
    """Give every ambassador, whoever brought most first."""
    with connection.cursor(row_factory=class_row(Ambassador)) as cursor:
        return cursor.execute(SQL["listed"]).fetchall()


def of_code(connection: Connection[Any], code: str) -> Ambassador | None:
    """Give the ambassador of a code, retired or not."""
    with connection.cursor(row_factory=class_row(Ambassador)) as cursor:
        return cursor.execute(SQL["of_code"], {"code": code}).fetchone()


ambassadors = ReadModel(
    name="ambassadors",
    tables=("ambassador",),
    ddl=SQL["table"],
    fold=partial(InOrder, OF_AMBASSADORS, write),
)
