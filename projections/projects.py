"""Projects: their sheet, where they stand, their grants, and the gifts that named them."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Literal, cast, get_args
from uuid import UUID

import msgspec
from psycopg import Connection, Cursor
from psycopg.rows import class_row, tuple_row

from ledger.calendar import civil_day
from ledger.projects.project_events import (
    AbandonmentProposed,
    GrantAwarded,
    MilestoneChanged,
    MilestoneMet,
    ProjectAbandoned,
    ProjectCompleted,
    ProjectDrafted,
    ProjectEvent,
    ProjectPublished,
    ProjectStarted,
    RoundEntered,
    RoundLeft,
    SheetWritten,
)
from ledger.projects.words import Theme
from projections.feed import NOTHING, Page
from projections.read_model import ReadModel
from projections.sql import queries

SQL = queries("projects.sql")
PROJECTS_PAGE = 48

State = Literal[
    "drafted", "published", "in_round", "granted", "under_way", "completed", "abandoned"
]
STATES: tuple[State, ...] = get_args(State)


class Naming(msgspec.Struct, frozen=True):
    """What a gift says of a project: nothing, mostly."""

    project_id: str | None = None


NAMINGS = msgspec.json.Decoder(list[Naming])


class Fold:
    """The events of projects are few, and written one by one; gifts that name one are counted."""

    def __init__(self) -> None:
        self._events: list[ProjectEvent] = []
        self._named: Counter[str] = Counter()

    def add(self, page: Page) -> None:
        self._events += [
            cast(ProjectEvent, other.event)
            for other in page.others
            if isinstance(other.event, get_args(ProjectEvent))
        ]
        gifts = page.kinds.get("DonationRecorded", NOTHING)[1]
        # A page without any is not decoded for it.
        if b'"project_id":' in gifts:
            found = NAMINGS.decode(b"[%b]" % gifts)
            self._named.update(one.project_id for one in found if one.project_id is not None)

    def write(self, cursor: Cursor[Any]) -> None:
        for event in self._events:
            about = {"project_id": event.project_id, "day": civil_day(event.recorded_at)}
            write(cursor, event, about)
            cursor.execute(SQL["settle"], about)
        if self._named:
            columns = {"project_ids": list(self._named), "gifts": list(self._named.values())}
            cursor.execute(SQL["name"], columns)
        self._events, self._named = [], Counter()


def write(cursor: Cursor[Any], event: ProjectEvent, about: dict[str, Any]) -> None:
    match event:
        case ProjectDrafted():
            cursor.execute(SQL["draft"], about | {"idea_ids": list(event.idea_ids)})
        case SheetWritten():
            held = {"document_sha256", "theme", "place", "goal_cents"}
            row = about | event.sheet.model_dump(include=held) | {"number": event.number}
            cursor.execute(SQL["sheet"], row)
        case ProjectPublished():
            cursor.execute(SQL["publish"], about)
        case RoundEntered():
            cursor.execute(SQL["enter"], about | {"round_id": event.round_id})
        case RoundLeft():
            cursor.execute(SQL["leave"], about | {"round_id": event.round_id})
        case GrantAwarded():
            told = event.model_dump(include={"round_id", "amount_cents", "result_sha256"})
            for name in ("award", "add_grant", "leave"):
                cursor.execute(SQL[name], about | told)
        case ProjectStarted():
            cursor.execute(SQL["start"], about)
        case ProjectCompleted() | ProjectAbandoned():
            ended = "completed" if isinstance(event, ProjectCompleted) else "abandoned"
            cursor.execute(SQL["end"], about | {"state": ended})
        case MilestoneMet() | MilestoneChanged() | AbandonmentProposed():
            pass


def document_of(words: str | None) -> dict[str, Any]:
    """Read the document of a sheet; empty where there is none, or it is withheld."""
    found: dict[str, Any] = {} if words is None else json.loads(words)
    return found


@dataclass(frozen=True)
class Project:
    """A project; `words` is the JSON document of its newest sheet."""

    project_id: UUID
    state: State
    idea_ids: list[UUID]
    drafted_on: date
    changed_on: date
    number: int
    document_sha256: str | None
    theme: Theme | None
    place: str | None
    goal_cents: int | None
    granted_cents: int
    rounds: list[UUID]
    published_on: date | None
    started_on: date | None
    ended_on: date | None
    words: str | None
    gifts_naming: int

    @cached_property
    def document(self) -> dict[str, Any]:
        return document_of(self.words)

    @property
    def title(self) -> str:
        """Its name; empty while it has no sheet, and where the words of the sheet are withheld."""
        return str(self.document.get("title", ""))


@dataclass(frozen=True, slots=True)
class Grant:
    round_id: UUID
    amount_cents: int
    result_sha256: str
    awarded_on: date


def listed(  # noqa: PLR0913 - each narrows the list.
    connection: Connection[Any],
    *,
    theme: str | None = None,
    place: str | None = None,
    state: str | None = None,
    drafts: bool = False,
    limit: int | None = PROJECTS_PAGE,
    offset: int = 0,
) -> list[Project]:
    """Give the published projects, and drafts where asked; no limit gives all at once."""
    asked = {
        "project_id": None,
        "theme": theme,
        "place": place,
        "state": state,
        "drafts": drafts,
        "limit": limit,
        "offset": offset,
    }
    with connection.cursor(row_factory=class_row(Project)) as cursor:
        return cursor.execute(SQL["listed"], asked).fetchall()


def one(connection: Connection[Any], project_id: UUID, *, drafts: bool = False) -> Project | None:
    """Give one project, None when there is none, or it is a draft that nobody asked for."""
    asked = dict.fromkeys(("theme", "place", "state")) | {"limit": 1, "offset": 0}
    asked |= {"project_id": project_id, "drafts": drafts}
    with connection.cursor(row_factory=class_row(Project)) as cursor:
        return cursor.execute(SQL["listed"], asked).fetchone()


def grants(connection: Connection[Any], project_id: UUID) -> list[Grant]:
    with connection.cursor(row_factory=class_row(Grant)) as cursor:
        return cursor.execute(SQL["grants"], {"project_id": project_id}).fetchall()


def gifts_naming_unknown(connection: Connection[Any]) -> int:
    """Count the gifts that named a project which is not published: they are gifts like others."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(SQL["unknown_named"]).fetchone()
    return 0 if row is None else int(row[0])


projects = ReadModel(
    name="projects",
    tables=("project", "project_grant", "project_named"),
    ddl=SQL["table"],
    fold=Fold,
)
