"""Ideas of the village’s people: the public list, one idea and all that became of it, as data."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated, Any, Final, get_args
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
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
from api.journal import whole_number
from api.office.desk import named
from api.openapi import refusals
from api.pages import Address, public_page
from api.snapshots import snapshot
from ledger.calendar import civil_day
from ledger.projects.criteria import CRITERIA, criteria, in_force
from ledger.projects.evaluation import left_out, points_of
from ledger.projects.idea_events import Reason, Verdict
from ledger.projects.ideas import IdeaNotFound, Stage, Standing, Unproposed, idea
from ledger.projects.words import THEMES, Theme
from ledger.territory import NEWEST, place_name
from projections import ideas
from projections.ideas import IDEAS_PAGE
from projections.read_model import as_of

router = APIRouter()

STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
# Ideas whose words are public. One that waits for a moderator, or was refused, is only counted.
SHOWN: Final[tuple[Stage, ...]] = ("accepted", "evaluated", "merged", "project")
PAGES_MAX: Final = 10_000
PLACES: Final = frozenset(place.key for place in NEWEST.places)

PlaceKey = Annotated[str | None, Query(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


class IdeaOut(BaseModel):
    """An idea. It has a title once it was accepted, and a reason when it was refused."""

    idea_id: UUID
    stage: Stage
    title: str | None
    theme: Theme
    place: str
    proposed_on: date
    changed_on: date
    reason: Reason | None
    verdict: Verdict | None
    points: int | None
    points_max: int | None
    into_idea_id: UUID | None
    project_id: UUID | None
    text_sha256: str | None


class IdeaDetailOut(IdeaOut):
    """One idea with its words, if they are public, and the ideas that were merged into it."""

    text: str | None
    merged_idea_ids: list[UUID]
    as_of_position: int


class CriterionOut(BaseModel):
    key: str
    points_max: int


class CriteriaOut(BaseModel):
    """An idea is retained from `pass_percent` of all points its evaluators could give."""

    version: int
    published_on: date
    criteria: list[CriterionOut]
    evaluators_min: int
    pass_percent: int


class AllCriteriaOut(BaseModel):
    """Every version there was, the oldest first."""

    criteria: list[CriteriaOut]


class IdeasOut(BaseModel):
    """Newest first."""

    ideas: list[IdeaOut]
    as_of_position: int


def asked_of(request: Request) -> dict[str, str]:
    """Read the list's filters from an address; what makes no sense asks for nothing."""
    known = {"theme": THEMES, "place": PLACES}
    typed = {name: request.query_params.get(name, "") for name in known}
    return {name: text for name, text in typed.items() if text in known[name]}


def ideas_page(connection: Connection[Any], asked: dict[str, str], page: int) -> dict[str, Any]:
    found = ideas.listed(
        connection,
        stages=SHOWN,
        theme=asked.get("theme"),
        place=asked.get("place"),
        limit=IDEAS_PAGE + 1,
        offset=(page - 1) * IDEAS_PAGE,
    )
    return {
        "ideas": found[:IDEAS_PAGE],
        "refused": ideas.listed(connection, stages=("refused",)) if page == 1 else [],
        "counts": ideas.counted(connection),
        "more": len(found) > IDEAS_PAGE,
        "page": page,
        "asked": asked,
        "themes": THEMES,
        "places": NEWEST.places,
        "place_name": place_name,
        "json_twin": "/api/v1/ideas",
        "as_of": as_of(connection, "ideas"),
    }


@router.api_route("/ideas", **PAGE)
@public()
async def show_ideas(request: Request) -> Response:
    asked = asked_of(request)
    page = whole_number(request.query_params.get("page"), PAGES_MAX) or 1
    query = asked | ({} if page == 1 else {"page": str(page)})
    gather = partial(ideas_page, asked=asked, page=page)
    return await public_page(request, "project/ideas.html", gather, Address(query=query))


def criteria_page(connection: Connection[Any]) -> dict[str, Any]:
    return {
        "published": CRITERIA[::-1],
        "in_force": in_force(civil_day(datetime.now(UTC))),
        "json_twin": "/api/v1/criteria",
        "as_of": as_of(connection, "ideas"),
    }


@router.api_route("/ideas/criteria", **PAGE)
@public()
async def show_criteria(request: Request) -> Response:
    """Show what ideas are evaluated by, in every version there was."""
    return await public_page(request, "project/criteria.html", criteria_page)


def history_of(context: Context, idea_id: UUID) -> tuple[Standing, list[Any]]:
    """Give an idea as the ledger holds it, and its events. Raises IdeaNotFound."""
    history = [one.event for one in context.ledger.history(idea, idea_id)]
    state = idea.fold(history)
    if isinstance(state, Unproposed):
        raise IdeaNotFound(idea_id=idea_id)
    return state, list(history)


def scores_of(context: Context, state: Standing) -> dict[str, Any]:
    """Give the scores of a closed evaluation: those that count, and those that do not, with why.

    Whoever declared an interest after the idea became a project counted, and is shown as such.
    """
    evaluated = state.evaluated
    if evaluated is None:
        return {"criteria": None, "scores": [], "left_out": [], "needed": 0}
    known = criteria(evaluated.criteria_version)
    counted = [state.scores[actor] for actor in evaluated.evaluators]
    others = left_out(state.scores, state.conflicts, evaluated)
    told = [*counted, *(one.scored for one in others)]
    names = named(context, [one.actor for one in told if one.named])

    def name_of(actor: str) -> str:
        return names[actor].name if actor in names else ""

    return {
        "criteria": known,
        "needed": 0 if known is None else known.needed(evaluated.points_max),
        "scores": [
            {
                "name": name_of(one.actor),
                "points": points_of(one),
                "given": {score.criterion: score.points for score in one.scores},
                "interested_later": one.actor in state.conflicts,
            }
            for one in counted
        ],
        "left_out": [{"name": name_of(one.scored.actor), "why": one.why} for one in others],
    }


@dataclass(frozen=True, slots=True)
class Known:
    """An idea as its own stream and the vault tell it, read before the page is gathered."""

    idea_id: UUID
    state: Standing
    history: list[Any]
    scored: dict[str, Any]

    @property
    def told(self) -> str:
        shown = [*self.scored["scores"], *self.scored["left_out"]]
        return f"{len(self.history)} {[one['name'] for one in shown]}"


def known(context: Context, idea_id: UUID) -> Known:
    """Read an idea. Raises IdeaNotFound."""
    state, history = history_of(context, idea_id)
    return Known(idea_id, state, history, scores_of(context, state))


def idea_page(connection: Connection[Any], read: Known) -> dict[str, Any]:
    """Gather an idea with its whole provenance."""
    state = read.state
    refused = None if state.refusal is None else state.refusal.words_sha256
    words = wordings.read(connection, state.text_sha256, refused)
    text = words.get(state.text_sha256 or "")
    into = None if state.into_idea_id is None else ideas.one(connection, state.into_idea_id)
    return {
        "idea_id": read.idea_id,
        "idea": state,
        "document": None if text is None else msgspec.json.decode(text),
        "refusal_words": words.get(refused or ""),
        "history": [(type(one).__name__, one) for one in read.history],
        "into": into,
        "merged": ideas.listed(connection, into_id=read.idea_id, limit=None),
        "place": place_name(state.proposal.place),
        "json_twin": f"/api/v1/ideas/{read.idea_id}",
        "as_of": as_of(connection, "ideas"),
        **read.scored,
    }


@router.api_route("/ideas/{text}", **PAGE)
@public()
async def show_idea(request: Request, text: str) -> Response:
    try:
        found = await run_in_threadpool(known, context_of(request), UUID(text))
    except (ValueError, IdeaNotFound):
        return page_not_found(request)
    gather = partial(idea_page, read=found)
    return await public_page(request, "project/idea.html", gather, told=found.told)


def idea_json(one: ideas.Idea) -> dict[str, Any]:
    return {
        "idea_id": one.idea_id,
        "stage": one.stage,
        "title": one.title,
        "theme": one.theme,
        "place": one.place,
        "proposed_on": one.proposed_on,
        "changed_on": one.changed_on,
        "reason": one.reason,
        "verdict": one.verdict,
        "points": one.points,
        "points_max": one.points_max,
        "into_idea_id": one.into_id,
        "project_id": one.project_id,
        "text_sha256": one.text_sha256,
    }


def ideas_json(
    connection: Connection[Any], theme: str | None, place: str | None, stage: Stage | None
) -> bytes:
    stages = None if stage is None else (stage,)
    found = ideas.listed(connection, stages=stages, theme=theme, place=place, limit=None)
    now = as_of(connection, "ideas")
    told = {"ideas": [idea_json(one) for one in found], "as_of_position": now.position}
    return msgspec.json.encode(told)


def one_idea_json(connection: Connection[Any], idea_id: UUID) -> bytes:
    one = ideas.one(connection, idea_id)
    if one is None:
        raise IdeaNotFound(idea_id=idea_id)
    merged = ideas.listed(connection, into_id=idea_id, limit=None)
    detail = {
        "text": one.text,
        "merged_idea_ids": [other.idea_id for other in merged],
        "as_of_position": as_of(connection, "ideas").position,
    }
    return msgspec.json.encode(idea_json(one) | detail)


def criteria_json(_: Connection[Any]) -> bytes:
    return msgspec.json.encode({"criteria": CRITERIA})


@router.get("/api/v1/criteria", response_model=AllCriteriaOut, responses=UNCHANGED)
@public()
async def list_criteria(request: Request) -> Response:
    """Give the criteria that ideas are evaluated by, every version there was."""
    return await snapshot(request, JSON, criteria_json)


@router.get("/api/v1/ideas", response_model=IdeasOut, responses=UNCHANGED | refusals(422))
@public()
async def list_ideas(
    request: Request,
    theme: Theme | None = None,
    place: PlaceKey = None,
    stage: Stage | None = None,
) -> Response:
    """Give every idea, or those of a theme, a place and a stage; the newest first."""
    build = partial(ideas_json, theme=theme, place=place, stage=stage)
    return await snapshot(request, JSON, build, variant=repr((theme, place, stage)))


@router.get(
    "/api/v1/ideas/{idea_id}",
    response_model=IdeaDetailOut,
    responses=UNCHANGED | refusals(404, 422),
)
@public()
async def show_idea_twin(request: Request, idea_id: UUID) -> Response:
    """Give one idea: what it says, where it stands, and what became of it."""
    return await snapshot(request, JSON, partial(one_idea_json, idea_id=idea_id))
