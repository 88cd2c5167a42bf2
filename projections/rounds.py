"""The rounds as everybody may read them: definition, where each stands, and what came of it."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Literal, get_args
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import class_row

from ledger.calendar import civil_day
from ledger.rounds.events import (
    LeftoverCarried,
    LeftoverReleased,
    ProjectStruck,
    ResultApproved,
    ResultSentBack,
    RoundAdopted,
    RoundApproved,
    RoundAwarded,
    RoundCancelled,
    RoundClosed,
    RoundDrafted,
    RoundEvent,
    RoundOpened,
    RoundTallied,
)
from projections.read_model import InOrder, ReadModel
from projections.sql import queries

SQL = queries("rounds.sql")
EVENTS = get_args(RoundEvent)
# What these change needs nothing of them but the round and the day.
PLAIN: dict[type[RoundEvent], str] = {
    RoundApproved: "approve",
    RoundOpened: "open",
    RoundClosed: "close",
    ResultApproved: "approve_result",
    RoundAdopted: "adopt",
}

State = Literal[
    "drafted", "approved", "open", "closed", "tallied", "adopted", "awarded", "cancelled"
]


def write(cursor: Cursor[Any], event: RoundEvent) -> None:
    row: dict[str, Any] = {"round_id": event.round_id, "day": civil_day(event.recorded_at)}
    if type(event) in PLAIN:
        cursor.execute(SQL[PLAIN[type(event)]], row)
        return
    match event:
        case RoundDrafted():
            drafted = json.loads(event.definition)
            row |= {
                "definition": event.definition,
                "sha256": event.definition_sha256,
                "sealed": drafted["tallies"] == "sealed",
                "closes_at": drafted["closes_at"],
            }
            cursor.execute(SQL["draft"], row)
        case ProjectStruck():
            cursor.execute(SQL["strike"], row | {"project_id": event.project_id})
        case RoundTallied(tally=tally):
            cursor.execute(SQL["tally"], row | {"tally": tally.model_dump_json()})
        case ResultSentBack():
            sent_back = {
                "on": row["day"].isoformat(),
                "reason": event.reason,
                "result_sha256": event.result_sha256,
                "words_sha256": event.words_sha256,
            }
            cursor.execute(SQL["send_back"], row | {"sent_back": json.dumps([sent_back])})
        case RoundCancelled():
            cursor.execute(SQL["cancel"], row | {"reason": event.reason})
        case RoundAwarded(withheld=withheld):
            held = [one.model_dump(mode="json") for one in withheld]
            cursor.execute(SQL["award"], row | {"withheld": json.dumps(held)})
        case LeftoverCarried():
            cursor.execute(SQL["carry"], row | {"to_round_id": event.to_round_id})
        case LeftoverReleased():
            cursor.execute(SQL["carry"], row | {"to_round_id": None})
        case _:
            pass  # A proposal to cancel and a count that failed decide nothing yet.


@dataclass(frozen=True, slots=True)
class RoundRow:
    """A round. `tally` has the fields of the ledger's `Tally` and is null before the count."""

    round_id: UUID
    state: State
    definition: str
    definition_sha256: str
    sealed: bool
    closes_at: datetime
    drafted_on: date
    approvals: int
    opened_on: date | None
    struck: list[UUID]
    closed_on: date | None
    tally: dict[str, Any] | None
    tallied_on: date | None
    result_approvals: int
    sent_back: list[dict[str, Any]]
    decided_on: date | None
    cancelled_for: str | None
    carried_to: UUID | None
    withheld: list[dict[str, Any]]

    @property
    def withheld_cents(self) -> int:
        """What projects that ended before they were awarded it left to the next round."""
        return sum(int(one["cents"]) for one in self.withheld)

    @property
    def title(self) -> str:
        return str(json.loads(self.definition)["title"])

    @property
    def result_sha256(self) -> str | None:
        return None if self.tally is None else str(self.tally["result_sha256"])


def every(connection: Connection[Any]) -> list[RoundRow]:
    """Give all rounds, the newest first."""
    with connection.cursor(row_factory=class_row(RoundRow)) as cursor:
        return cursor.execute(SQL["every"]).fetchall()


def one(connection: Connection[Any], round_id: UUID) -> RoundRow | None:
    with connection.cursor(row_factory=class_row(RoundRow)) as cursor:
        return cursor.execute(SQL["one"], {"round_id": round_id}).fetchone()


def of_project(connection: Connection[Any], project_id: UUID) -> list[RoundRow]:
    """Give the rounds that were opened with a project in them, the newest first."""
    with connection.cursor(row_factory=class_row(RoundRow)) as cursor:
        return cursor.execute(SQL["of_project"], {"project_id": str(project_id)}).fetchall()


def opened(connection: Connection[Any]) -> list[RoundRow]:
    """Give the rounds that take ballots."""
    return [one for one in every(connection) if one.state == "open"]


rounds = ReadModel(
    name="rounds", tables=("round_row",), ddl=SQL["table"], fold=partial(InOrder, EVENTS, write)
)
