"""The ideas of the village's people: where each one stands, in lists and queues."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast, get_args
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import class_row, tuple_row

from ledger.calendar import civil_day
from ledger.projects.idea_events import (
    IdeaAccepted,
    IdeaEvaluated,
    IdeaEvaluationVoided,
    IdeaEvent,
    IdeaMerged,
    IdeaProposed,
    IdeaRefused,
    IdeaTurnedIntoProject,
    Reason,
    Verdict,
)
from ledger.projects.ideas import Stage
from ledger.projects.words import Theme
from projections.feed import Page
from projections.read_model import ReadModel
from projections.sql import queries

SQL = queries("ideas.sql")
IDEAS_PAGE = 50
UNTOLD: dict[str, Any] = dict.fromkeys(
    ("stage", "text_sha256", "reason", "verdict", "points", "points_max", "into_id", "project_id")
)


class Fold:
    """The events of ideas are few: they are kept, then written one by one in their order."""

    def __init__(self) -> None:
        self._events: list[tuple[int, IdeaEvent]] = []

    def add(self, page: Page) -> None:
        self._events += [
            (other.position, cast(IdeaEvent, other.event))
            for other in page.others
            if isinstance(other.event, get_args(IdeaEvent))
        ]

    def write(self, cursor: Cursor[Any]) -> None:
        for position, event in self._events:
            day = civil_day(event.recorded_at)
            about = {"idea_id": event.idea_id, "day": day, "position": position}
            if isinstance(event, IdeaProposed):
                told = {"theme": event.theme, "place": event.place, "subject_id": event.subject_id}
                cursor.execute(SQL["propose"], about | told)
            else:
                voided = isinstance(event, IdeaEvaluationVoided)
                cursor.execute(SQL["change"], UNTOLD | about | {"voided": voided} | change(event))
        self._events = []


def change(event: IdeaEvent) -> dict[str, Any]:
    """Give the columns that an event changes."""
    match event:
        case IdeaAccepted():
            return {"stage": "accepted", "text_sha256": event.text_sha256}
        case IdeaRefused():
            return {"stage": "refused", "reason": event.reason}
        case IdeaEvaluated():
            return {
                "stage": "evaluated",
                "verdict": event.verdict,
                "points": event.points,
                "points_max": event.points_max,
            }
        case IdeaEvaluationVoided():
            return {"stage": "accepted"}
        case IdeaMerged():
            return {"stage": "merged", "into_id": event.into_idea_id}
        case IdeaTurnedIntoProject():
            return {"stage": "project", "project_id": event.project_id}
        case _:
            return {}


@dataclass(frozen=True, slots=True)
class Idea:
    """An idea; `words` are None before it is accepted, and once they were withheld."""

    idea_id: UUID
    subject_id: UUID
    stage: Stage
    theme: Theme
    place: str
    proposed_on: date
    changed_on: date
    reason: Reason | None
    verdict: Verdict | None
    points: int | None
    points_max: int | None
    into_id: UUID | None
    project_id: UUID | None
    text_sha256: str | None
    words: str | None

    @property
    def title(self) -> str | None:
        return None if self.words is None else str(json.loads(self.words)["title"])

    @property
    def text(self) -> str | None:
        return None if self.words is None else str(json.loads(self.words)["text"])


def listed(  # noqa: PLR0913 - each narrows the list.
    connection: Connection[Any],
    *,
    stages: Sequence[Stage] | None = None,
    theme: str | None = None,
    place: str | None = None,
    into_id: UUID | None = None,
    limit: int | None = IDEAS_PAGE,
    offset: int = 0,
) -> list[Idea]:
    """Give ideas, the newest first; no limit gives all at once."""
    asked = {
        "idea_id": None,
        "stages": None if stages is None else list(stages),
        "theme": theme,
        "place": place,
        "into_id": into_id,
        "limit": limit,
        "offset": offset,
    }
    return select(connection, asked)


def one(connection: Connection[Any], idea_id: UUID) -> Idea | None:
    """Give one idea, None when there is none."""
    narrowed = dict.fromkeys(("stages", "theme", "place", "into_id"))
    asked = {**narrowed, "idea_id": idea_id, "limit": 1, "offset": 0}
    return next(iter(select(connection, asked)), None)


def select(connection: Connection[Any], asked: dict[str, Any]) -> list[Idea]:
    with connection.cursor(row_factory=class_row(Idea)) as cursor:
        return cursor.execute(SQL["listed"], asked).fetchall()


def with_merged(connection: Connection[Any], idea_ids: Iterable[UUID]) -> list[UUID]:
    """Give ideas with all that were merged into them, over however many steps."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(SQL["with_merged"], {"idea_ids": list(idea_ids)}).fetchall()
    return [row[0] for row in rows]


def counted(connection: Connection[Any]) -> dict[str, int]:
    """Count the ideas of each stage."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        return dict(cursor.execute(SQL["counted"]).fetchall())


ideas = ReadModel(name="ideas", tables=("idea",), ddl=SQL["table"], fold=Fold)
