"""The versions of a project's sheet: each as it was, and what changed from one to the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter
from psycopg import Connection
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import wordings
from api.auth import public
from api.deps import context_of
from api.errors import page_not_found
from api.home import JSON, PAGE, UNCHANGED
from api.openapi import refusals
from api.pages import Address, public_page
from api.projects import Known, history_of, known
from api.snapshots import snapshot
from ledger.projects.project_events import ProjectPublished, SheetWritten
from ledger.projects.sheet import Sheet
from ledger.projects.state import ProjectNotFound
from ledger.territory import place_name
from projections import projects
from projections.read_model import as_of

router = APIRouter()

WORDS: Final = ("title", "summary", "text", "carrier", "beneficiary", "payee")
HELD: Final = ("theme", "place", "goal_cents", "other_cents", "if_abandoned")
LISTS: Final = ("lines", "milestones", "pictures")


@dataclass(frozen=True, slots=True)
class Change:
    """A field of a sheet before and after; of a list, what went and what came."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Version:
    """A sheet as it was written once, told field by field; `written` says by whom and when."""

    written: SheetWritten
    told: dict[str, Any]
    changes: tuple[Change, ...]


class VersionOut(BaseModel):
    """`changed` names the fields that differ from the version before."""

    number: int
    written_on: date
    document_sha256: str
    goal_cents: int
    changed: list[str]


class VersionsOut(BaseModel):
    """The versions of a sheet since its project was published, the oldest first."""

    project_id: UUID
    versions: list[VersionOut]
    as_of_position: int


def documents_of(connection: Connection[Any], history: list[Any]) -> dict[str, dict[str, Any]]:
    """Read the documents of every sheet that a project ever had, by their hash."""
    written = [one.sheet.document_sha256 for one in history if isinstance(one, SheetWritten)]
    kept = wordings.read(connection, *written)
    return {digest: projects.document_of(words) for digest, words in kept.items()}


def told(sheet: Sheet, document: Mapping[str, Any]) -> dict[str, Any]:
    """Tell a sheet field by field, with its lists as the lines that people read."""
    due = {one.key: one.due_on for one in sheet.milestones}
    numbers = document.get("numbers", {})
    found: dict[str, Any] = {name: document.get(name, "") for name in WORDS}
    found |= {f"{role}_number": numbers.get(role, "") for role in WORDS[3:]}
    found |= {name: getattr(sheet, name) for name in HELD}
    found["lines"] = [(one["label"], one["cents"]) for one in document.get("lines", [])]
    found["milestones"] = [
        (one["title"], due[one["key"]], one["indicator"]) for one in document.get("milestones", [])
    ]
    found["pictures"] = [one["alt"] for one in document.get("pictures", [])]
    return found


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Give the fields that differ between two sheets."""
    found = []
    for field, now in after.items():
        then = before[field]
        if then == now:
            continue
        if field in LISTS:
            gone, come = [one for one in then if one not in now], [x for x in now if x not in then]
            found.append(Change(field, gone, come))
        else:
            found.append(Change(field, then, now))
    return tuple(found)


def versions(
    documents: Mapping[str, Mapping[str, Any]], history: list[Any], first: int = 1
) -> list[Version]:
    """Give the versions of a sheet from a number on, the oldest first."""
    found: list[Version] = []
    for one in history:
        if not isinstance(one, SheetWritten) or one.number < first:
            continue
        now = told(one.sheet, documents.get(one.sheet.document_sha256, {}))
        found.append(Version(one, now, changes(found[-1].told, now) if found else ()))
    return found


def published_versions(connection: Connection[Any], history: list[Any]) -> list[Version]:
    """Give what was ever public of a sheet: drafts before the publication are not."""
    first = next((one.number for one in history if isinstance(one, ProjectPublished)), None)
    documents = documents_of(connection, history)
    return [] if first is None else versions(documents, history, first)


def versions_page(connection: Connection[Any], read: Known) -> dict[str, Any]:
    """Gather the versions of a published sheet. Raises ProjectNotFound."""
    found = published_versions(connection, read.history)
    if not found:
        raise ProjectNotFound(project_id=read.project_id)
    return {
        "project_id": read.project_id,
        "title": found[-1].told["title"],
        "versions": found[::-1],
        "place_name": place_name,
        "json_twin": f"/api/v1/projects/{read.project_id}/sheets",
        "as_of": as_of(connection, "projects"),
    }


@router.api_route("/projects/{text}/sheets", **PAGE)
@public()
async def show_versions(request: Request, text: str) -> Response:
    try:
        found = await run_in_threadpool(known, context_of(request), UUID(text))
        gather = partial(versions_page, read=found)
        page = "project/versions.html"
        return await public_page(request, page, gather, Address(), told=found.told)
    except (ValueError, ProjectNotFound):
        return page_not_found(request)


def version_json(one: Version) -> dict[str, Any]:
    return {
        "number": one.written.number,
        "written_on": one.written.written_on,
        "document_sha256": one.written.sheet.document_sha256,
        "goal_cents": one.written.sheet.goal_cents,
        "changed": [change.field for change in one.changes],
    }


@router.get(
    "/api/v1/projects/{project_id}/sheets",
    response_model=VersionsOut,
    responses=UNCHANGED | refusals(404, 422),
)
@public()
async def list_versions(request: Request, project_id: UUID) -> Response:
    """Give the versions of a project's sheet since it was published, and what changed in each."""
    context = context_of(request)

    def build(connection: Connection[Any]) -> bytes:
        _, history = history_of(context, project_id)
        found = published_versions(connection, history)
        if not found:
            raise ProjectNotFound(project_id=project_id)
        position = as_of(connection, "projects").position
        shown = [version_json(one) for one in found]
        answer = {"project_id": project_id, "versions": shown, "as_of_position": position}
        return msgspec.json.encode(answer)

    return await snapshot(request, JSON, build)
