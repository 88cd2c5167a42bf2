"""What sponsors promised, were asked for, paid; what rounds took of it and may still need."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, assert_never, cast, get_args
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import class_row

from ledger.calendar import civil_day
from ledger.pledges import PledgeCalled, PledgeEvent, PledgeMade, PledgeUsed, PledgeWithdrawn
from ledger.rounds.events import (
    ResultSentBack,
    RoundAdopted,
    RoundCancelled,
    RoundDrafted,
    RoundOpened,
    RoundTallied,
)
from projections.applied import applied
from projections.feed import Page
from projections.read_model import ReadModel
from projections.sql import queries

SQL = queries("pledges.sql")
RoundStep = (
    RoundDrafted | RoundOpened | RoundTallied | ResultSentBack | RoundAdopted | RoundCancelled
)
EVENTS = (*get_args(PledgeEvent), *get_args(RoundStep))
State = Literal["drafted", "opened", "tallied", "adopted", "cancelled"]


class Fold:
    """Pledges and rounds are few: kept, and written in their order; what was paid is summed."""

    def __init__(self) -> None:
        self._events: list[PledgeEvent | RoundStep] = []
        self._banked: Counter[UUID] = Counter()

    def add(self, page: Page) -> None:
        for other in page.rare:
            if isinstance(other.event, EVENTS):
                self._events.append(cast(PledgeEvent | RoundStep, other.event))
            for one in applied(other.event):
                if one.target == "pledge" and one.target_id is not None:
                    self._banked[one.target_id] += one.cents

    def write(self, cursor: Cursor[Any]) -> None:
        for event in self._events:
            if isinstance(event, RoundStep):
                write_round(cursor, event)
            else:
                write(cursor, event)
        if self._banked:
            columns = {"pledge_id": list(self._banked), "cents": list(self._banked.values())}
            cursor.execute(SQL["bank"], columns)
        self._events, self._banked = [], Counter()


def write(cursor: Cursor[Any], event: PledgeEvent) -> None:
    row = event.model_dump(exclude={"recorded_at", "actor"})
    row["on"] = civil_day(event.recorded_at)
    match event:
        case PledgeMade():
            cursor.execute(SQL["make"], row)
        case PledgeCalled():
            cursor.execute(SQL["call"], row)
            cursor.execute(SQL["called"], row)
        case PledgeUsed():
            cursor.execute(SQL["use"], row)
            cursor.execute(SQL["used"], row)
        case PledgeWithdrawn():
            cursor.execute(SQL["withdraw"], row)
        case _:
            assert_never(event)


def write_round(cursor: Cursor[Any], event: RoundStep) -> None:
    row: dict[str, Any] = {"round_id": event.round_id, "matched_cents": None}
    match event:
        case RoundDrafted(definition=definition):
            draft(cursor, event.round_id, json.loads(definition))
        case RoundOpened():
            cursor.execute(SQL["move"], row | {"state": "opened"})
        case RoundTallied(tally=tally):
            counted = {"state": "tallied", "matched_cents": tally.matched_cents}
            cursor.execute(SQL["move"], row | counted)
        case ResultSentBack():
            cursor.execute(SQL["recount"], row)
        case RoundAdopted():
            cursor.execute(SQL["move"], row | {"state": "adopted"})
        case RoundCancelled():
            cursor.execute(SQL["move"], row | {"state": "cancelled"})
        case _:
            assert_never(event)


def draft(cursor: Cursor[Any], round_id: UUID, definition: dict[str, Any]) -> None:
    matching = definition["pot"].get("matching")
    if matching is None:
        cursor.execute(SQL["undraft"], {"round_id": round_id})
        return
    told = {
        "round_id": round_id,
        "title": definition["title"],
        "sponsor": matching["sponsor"],
        "cap_cents": matching["cap_cents"],
    }
    cursor.execute(SQL["draft"], told)


@dataclass(frozen=True, slots=True)
class PledgeRow:
    pledge_id: UUID
    sponsor: str
    cents: int
    pledged_on: date
    round_id: UUID | None
    called_cents: int
    used_cents: int
    withdrawn_cents: int
    banked_cents: int

    @property
    def promised_cents(self) -> int:
        """What the sponsor still stands by, paid or not."""
        return self.cents - self.withdrawn_cents

    @property
    def free_cents(self) -> int:
        """What no round has taken."""
        return self.promised_cents - self.used_cents

    @property
    def unpaid_cents(self) -> int:
        """What was promised and has not come in, called or not."""
        return max(0, self.promised_cents - self.banked_cents)

    @property
    def outstanding_cents(self) -> int:
        """What was called and has not come in."""
        return max(0, min(self.called_cents, self.promised_cents) - self.banked_cents)


@dataclass(frozen=True, slots=True)
class Call:
    """One demand to a sponsor; `outstanding_cents` is what of it is not paid."""

    call_id: UUID
    pledge_id: UUID
    sponsor: str
    number: int
    cents: int
    reference: str
    due_on: date
    called_on: date
    outstanding_cents: int


@dataclass(frozen=True, slots=True)
class Use:
    pledge_id: UUID
    round_id: UUID
    cents: int
    used_on: date


@dataclass(frozen=True, slots=True)
class MatchedRound:
    """A round that a sponsor adds to: `matched_cents` once it is counted, `cap_cents` before."""

    round_id: UUID
    title: str
    sponsor: str
    cap_cents: int
    state: State
    matched_cents: int | None
    used_cents: int

    @property
    def needed_cents(self) -> int:
        """What it may still take of pledges; a draft and a cancelled round take nothing."""
        if self.state in {"drafted", "cancelled"}:
            return 0
        whole = self.cap_cents if self.matched_cents is None else self.matched_cents
        return max(0, whole - self.used_cents)

    @property
    def short_cents(self) -> int:
        """What its adopted result added without any pledge behind it."""
        return self.needed_cents if self.state == "adopted" else 0


def every(connection: Connection[Any]) -> list[PledgeRow]:
    """Give all pledges, the newest first."""
    with connection.cursor(row_factory=class_row(PledgeRow)) as cursor:
        return cursor.execute(SQL["every"]).fetchall()


def one(connection: Connection[Any], pledge_id: UUID) -> PledgeRow | None:
    with connection.cursor(row_factory=class_row(PledgeRow)) as cursor:
        return cursor.execute(SQL["one"], {"pledge_id": pledge_id}).fetchone()


def of_sponsor(connection: Connection[Any], sponsor: str) -> list[PledgeRow]:
    """Give the pledges of a sponsor in the order in which rounds take from them."""
    with connection.cursor(row_factory=class_row(PledgeRow)) as cursor:
        return cursor.execute(SQL["of_sponsor"], {"sponsor": sponsor}).fetchall()


def calls_of(connection: Connection[Any], *pledge_ids: UUID) -> list[Call]:
    """Give the calls of pledges, the one that is due first before the others."""
    return calls(connection, pledge_ids, ())


def calls_by_references(connection: Connection[Any], references: Iterable[str]) -> list[Call]:
    """Give the calls that references are of. Money for one is allocated to its pledge."""
    return calls(connection, (), references)


def calls(
    connection: Connection[Any], pledge_ids: Iterable[UUID], references: Iterable[str]
) -> list[Call]:
    asked = {"pledge_ids": list(pledge_ids), "references": list(references)}
    with connection.cursor(row_factory=class_row(Call)) as cursor:
        return cursor.execute(SQL["calls"], asked).fetchall()


def uses_of(connection: Connection[Any], pledge_id: UUID) -> list[Use]:
    with connection.cursor(row_factory=class_row(Use)) as cursor:
        return cursor.execute(SQL["uses"], {"pledge_id": pledge_id}).fetchall()


def matched_rounds(connection: Connection[Any], sponsor: str | None = None) -> list[MatchedRound]:
    """Give the rounds that a sponsor adds to, or that any does."""
    with connection.cursor(row_factory=class_row(MatchedRound)) as cursor:
        return cursor.execute(SQL["rounds"], {"sponsor": sponsor}).fetchall()


pledges = ReadModel(
    name="pledges",
    tables=("pledge", "pledge_call", "pledge_use", "matched_round"),
    ddl=SQL["table"],
    fold=Fold,
)
