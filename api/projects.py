"""Projects: the public list, one project with its budget, milestones and history, as data."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
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
from api.deps import Context, context_of
from api.errors import page_not_found
from api.home import JSON, PAGE, UNCHANGED
from api.ideas import PLACES, PlaceKey
from api.journal import whole_number
from api.openapi import refusals
from api.pages import Address, public_page
from api.snapshots import snapshot
from ledger.calendar import civil_day
from ledger.projects.projects import project
from ledger.projects.sheet import IfAbandoned
from ledger.projects.state import Drafted, ProjectNotFound
from ledger.projects.words import THEMES, Theme
from ledger.territory import NEWEST, place_name
from projections import ideas, projects, rounds
from projections.projects import PROJECTS_PAGE, STATES, State
from projections.read_model import as_of

router = APIRouter()

PAGES_MAX: Final = 1_000
# What the public reads of a life that begins before it is published.
OPEN_STATES: Final = tuple(state for state in STATES if state != "drafted")
# Under which name the vault keeps who is responsible for a project.
RESPONSIBLE: Final = "name"


class PictureOut(BaseModel):
    """`sha256` is that of `/pictures/{sha256}/1600.jpg`; `alt` says what it shows."""

    sha256: str
    alt: str
    width: int
    height: int


class LineOut(BaseModel):
    label: str
    cents: int


class MilestoneOut(BaseModel):
    """`due_on` is null when it was given up, `met_on` until it is met."""

    milestone: str
    title: str
    indicator: str
    due_on: date | None
    met_on: date | None
    late: bool


class GrantOut(BaseModel):
    round_id: UUID
    amount_cents: int
    result_sha256: str
    awarded_on: date


class ProjectOut(BaseModel):
    """Amounts in whole cents. `document_sha256` is the hash of the sheet's words as published."""

    project_id: UUID
    state: State
    title: str
    summary: str
    theme: Theme
    place: str
    goal_cents: int
    granted_cents: int
    rounds: list[UUID]
    published_on: date
    changed_on: date
    document_sha256: str
    pictures: list[PictureOut]


class ProjectsOut(BaseModel):
    projects: list[ProjectOut]
    as_of_position: int


class ProjectFiguresOut(ProjectOut):
    """One project in full. `gifts_naming` gifts named it at a till: a wish, no vote.

    `numbers` has the SIREN or RNA of each party that is a registered body.
    """

    idea_ids: list[UUID]
    number: int
    text: str
    carrier: str
    beneficiary: str
    payee: str
    numbers: dict[str, str]
    if_abandoned: IfAbandoned
    other_cents: int
    lines: list[LineOut]
    milestones: list[MilestoneOut]
    grants: list[GrantOut]
    gifts_naming: int
    as_of_position: int


def asked_of(request: Request) -> dict[str, str]:
    """Read the list's filters from an address; what makes no sense asks for nothing."""
    known = {"theme": THEMES, "place": PLACES, "state": OPEN_STATES}
    typed = {name: request.query_params.get(name, "") for name in known}
    return {name: text for name, text in typed.items() if text in known[name]}


def projects_page(connection: Connection[Any], asked: dict[str, str], page: int) -> dict[str, Any]:
    found = projects.listed(
        connection,
        theme=asked.get("theme"),
        place=asked.get("place"),
        state=asked.get("state"),
        limit=PROJECTS_PAGE + 1,
        offset=(page - 1) * PROJECTS_PAGE,
    )
    return {
        "projects": found[:PROJECTS_PAGE],
        "more": len(found) > PROJECTS_PAGE,
        "page": page,
        "asked": asked,
        "themes": THEMES,
        "places": NEWEST.places,
        "states": OPEN_STATES,
        "place_name": place_name,
        "json_twin": "/api/v1/projects",
        "as_of": as_of(connection, "projects"),
    }


@router.api_route("/projects", **PAGE)
@public()
async def show_projects(request: Request) -> Response:
    asked = asked_of(request)
    page = whole_number(request.query_params.get("page"), PAGES_MAX) or 1
    query = asked | ({} if page == 1 else {"page": str(page)})
    gather = partial(projects_page, asked=asked, page=page)
    return await public_page(request, "project/projects.html", gather, Address(query=query))


def history_of(context: Context, project_id: UUID) -> tuple[Drafted, list[Any]]:
    """Give a project as the ledger holds it, and its events. Raises ProjectNotFound."""
    history = [one.event for one in context.ledger.history(project, project_id)]
    state = project.fold(history)
    if not isinstance(state, Drafted):
        raise ProjectNotFound(project_id=project_id)
    return state, list(history)


def words_of(connection: Connection[Any], history: list[Any]) -> dict[str, str]:
    """Read the words that events name: why a milestone moved, what came of a project."""
    names = ("words_sha256", "results_sha256")
    return wordings.read(
        connection, *(getattr(event, name, None) for event in history for name in names)
    )


def milestones_of(
    state: Drafted, document: dict[str, Any], today: date | None = None
) -> list[dict[str, Any]]:
    """Give the milestones as they became, with the words of the sheet.

    One is late by the calendar alone: kept answers are made anew each day.
    """
    planned = {one["key"]: one for one in document.get("milestones", [])}
    today = today or civil_day(datetime.now(UTC))
    return [
        {
            "milestone": key,
            "title": planned.get(key, {}).get("title", key),
            "indicator": planned.get(key, {}).get("indicator", ""),
            "due_on": step.due_on,
            "met_on": step.met_on,
            "late": step.late(today),
        }
        for key, step in state.milestones.items()
    ]


@dataclass(frozen=True, slots=True)
class Known:
    """A project as its own stream and the vault tell it, read before the page is gathered."""

    project_id: UUID
    state: Drafted
    history: list[Any]
    responsible: str

    @property
    def told(self) -> str:
        return f"{len(self.history)} {self.responsible}"


def known(context: Context, project_id: UUID) -> Known:
    """Read a project. Raises ProjectNotFound."""
    state, history = history_of(context, project_id)
    sheet = state.sheet
    name = None if sheet is None else context.vault.get(sheet.responsible_id, RESPONSIBLE)
    return Known(project_id, state, history, name or "")


def project_page(connection: Connection[Any], read: Known) -> dict[str, Any]:
    """Gather what everybody may know of a published project. Raises ProjectNotFound."""
    found = projects.one(connection, read.project_id)
    if found is None:
        raise ProjectNotFound(project_id=read.project_id)
    origins = [ideas.one(connection, idea_id) for idea_id in found.idea_ids]
    document = found.document
    return {
        "project": found,
        "document": document,
        "sheet": read.state.sheet,
        "origins": [one for one in origins if one is not None],
        "milestones": milestones_of(read.state, document),
        "grants": projects.grants(connection, read.project_id),
        "rounds": rounds.of_project(connection, read.project_id),
        "history": [(type(one).__name__, one) for one in read.history],
        "words": words_of(connection, read.history),
        "responsible": read.responsible if document.get("responsible_named") else "",
        "place": place_name(found.place or ""),
        "json_twin": f"/api/v1/projects/{read.project_id}",
        "as_of": as_of(connection, "projects"),
    }


@router.api_route("/projects/{text}", **PAGE)
@public()
async def show_project(request: Request, text: str) -> Response:
    try:
        found = await run_in_threadpool(known, context_of(request), UUID(text))
        gather = partial(project_page, read=found)
        return await public_page(request, "project/project.html", gather, told=found.told)
    except (ValueError, ProjectNotFound):
        return page_not_found(request)


def project_json(one: projects.Project) -> dict[str, Any]:
    document = one.document
    return {
        "project_id": one.project_id,
        "state": one.state,
        "title": document.get("title", ""),
        "summary": document.get("summary", ""),
        "theme": one.theme,
        "place": one.place,
        "goal_cents": one.goal_cents,
        "granted_cents": one.granted_cents,
        "rounds": one.rounds,
        "published_on": one.published_on,
        "changed_on": one.changed_on,
        "document_sha256": one.document_sha256,
        "pictures": document.get("pictures", []),
    }


def projects_json(
    connection: Connection[Any], theme: str | None, place: str | None, state: str | None
) -> bytes:
    found = projects.listed(connection, theme=theme, place=place, state=state, limit=None)
    now = as_of(connection, "projects")
    told = {"projects": [project_json(one) for one in found], "as_of_position": now.position}
    return msgspec.json.encode(told)


def one_project_json(connection: Connection[Any], context: Context, project_id: UUID) -> bytes:
    found = projects.one(connection, project_id)
    if found is None:
        raise ProjectNotFound(project_id=project_id)
    document = found.document
    grants = projects.grants(connection, project_id)
    names = ("text", "carrier", "beneficiary", "payee", "lines")
    state, _ = history_of(context, project_id)
    sheet = state.sheet
    told = project_json(found) | {name: document.get(name, "") for name in names}
    told |= {
        "numbers": document.get("numbers", {}),
        "idea_ids": found.idea_ids,
        "number": found.number,
        "if_abandoned": None if sheet is None else sheet.if_abandoned,
        "other_cents": 0 if sheet is None else sheet.other_cents,
        "milestones": milestones_of(state, document),
        "grants": grants,
        "gifts_naming": found.gifts_naming,
        "as_of_position": as_of(connection, "projects").position,
    }
    return msgspec.json.encode(told)


@router.get("/api/v1/projects", response_model=ProjectsOut, responses=UNCHANGED | refusals(422))
@public()
async def list_projects(
    request: Request,
    theme: Theme | None = None,
    place: PlaceKey = None,
    state: State | None = None,
) -> Response:
    """Give every published project, or those of a theme, a place and a state."""
    build = partial(projects_json, theme=theme, place=place, state=state)
    return await snapshot(request, JSON, build, variant=repr((theme, place, state)))


@router.get(
    "/api/v1/projects/{project_id}",
    response_model=ProjectFiguresOut,
    responses=UNCHANGED | refusals(404, 422),
)
@public()
async def one_project(request: Request, project_id: UUID) -> Response:
    """Give one published project: its sheet, milestones, grants, and what it came from."""
    build = partial(one_project_json, context=context_of(request), project_id=project_id)
    return await snapshot(request, JSON, build)
