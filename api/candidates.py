"""The projects of a round as a ballot shows them: in plain words, with a picture."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from psycopg import Connection

from ledger.rounds.definition import Definition
from projections import projects
from projections.projects import Project


@dataclass(frozen=True, slots=True)
class Candidate:
    """A project on a ballot; `title` is empty where nothing is published of it."""

    project_id: UUID
    goal_cents: int | None = None
    title: str = ""
    summary: str = ""
    picture: dict[str, Any] | None = None

    @property
    def reference(self) -> str:
        return self.project_id.hex[:8].upper()


def candidate(project_id: UUID, goal_cents: int | None, known: Project | None) -> Candidate:
    if known is None:
        return Candidate(project_id, goal_cents)
    document = known.document
    pictures = document.get("pictures") or [None]
    return Candidate(
        project_id=project_id,
        goal_cents=goal_cents,
        title=document.get("title", ""),
        summary=document.get("summary", ""),
        picture=pictures[0],
    )


def published(connection: Connection[Any]) -> dict[UUID, Project]:
    return {one.project_id: one for one in projects.listed(connection, limit=None)}


def named(
    connection: Connection[Any], definition: Definition, project_ids: Iterable[UUID]
) -> list[Candidate]:
    """Give projects of a round, in the order of their titles."""
    known = published(connection)
    goals = {one.project_id: one.goal_cents for one in definition.projects}
    found = [candidate(one, goals.get(one), known.get(one)) for one in project_ids]
    return sorted(found, key=lambda one: (one.title.casefold(), one.project_id))


def shuffled(found: Sequence[Candidate], ballot_id: UUID) -> list[Candidate]:
    """Give each ballot an order of its own, always the same: no project stands first for all."""

    def drawn(one: Candidate) -> bytes:
        return sha256(ballot_id.bytes + one.project_id.bytes).digest()

    return sorted(found, key=drawn)
