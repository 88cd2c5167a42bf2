"""The rounds as everybody reads them: coming, open and past; one round; why a project got what."""

import json
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from psycopg import Connection
from starlette.requests import Request
from starlette.responses import Response

from api import wordings
from api.auth import public
from api.deps import context_of
from api.errors import page_not_found
from api.home import PAGE
from api.pages import public_page
from api.tally import EXPOSURE, kept_file, kept_names
from ledger.calendar import civil_day
from ledger.rounds.commands import RoundNotFound
from ledger.rounds.definition import Definition, definition_of
from ledger.rules.exact import read_exact
from projections import paper_ballots, partners, projects, rounds, turnout
from projections.read_model import as_of
from projections.rounds import RoundRow
from projections.turnout import Turnout

router = APIRouter(prefix="/rounds", include_in_schema=False)

MODELS: Final = ("rounds", "turnout", "projects", "paper_ballots")
OPEN, COMING = frozenset({"open"}), frozenset({"drafted", "approved"})


def days_left(row: RoundRow) -> int:
    """Give the days until the deadline, as the village's calendar counts them."""
    return (civil_day(row.closes_at) - civil_day(datetime.now(UTC))).days


def listed(connection: Connection[Any]) -> list[dict[str, Any]]:
    """Give every round with its title, its turnout and how much it is about."""
    counts = turnout.every(connection)
    return [
        {
            "row": row,
            "title": row.title,
            "ballots": counts.get(row.round_id, Turnout(0, None)).ballots,
            "days_left": days_left(row),
        }
        for row in rounds.every(connection)
    ]


def rounds_page(connection: Connection[Any]) -> dict[str, Any]:
    found = listed(connection)
    return {
        "open": [one for one in found if one["row"].state in OPEN],
        "coming": [one for one in found if one["row"].state in COMING],
        "past": [one for one in found if one["row"].state not in OPEN | COMING],
        "json_twin": "/api/v1/rounds",
        "as_of": as_of(connection, *MODELS),
    }


@router.api_route("", **PAGE)
@public()
async def show_rounds(request: Request) -> Response:
    return await public_page(request, "round/rounds.html", rounds_page)


def per_euro(price: str | None) -> int | None:
    """Write an exact price a cent as whole cents a euro, for people; the exact one is kept."""
    return None if price is None else round(read_exact(price) * 100)


def result_of(connection: Connection[Any], row: RoundRow) -> dict[str, Any] | None:
    """Give the published result of a counted round, its projects in the order of what they got."""
    if row.result_sha256 is None:
        return None
    content = kept_file(connection, row.round_id, row.result_sha256, "result.json")
    if content is None:
        return None
    result: dict[str, Any] = json.loads(content)
    for one in result["projects"]:
        one["cents_per_euro"] = per_euro(one["price"])
    result["projects"].sort(key=lambda one: (-one["amount"], -one["support"], one["project_id"]))
    measured = kept_file(connection, row.round_id, row.result_sha256, EXPOSURE)
    result["exposure"] = None if measured is None else json.loads(measured)
    result["files"] = kept_names(connection, row.round_id, row.result_sha256)
    return result


def supports_cents(definition: Definition) -> bool:
    """Tell whether a project's support is the money behind it, and not a count."""
    return definition.weight == "cents" and definition.rule.get("by") != "votes"


def one_round(connection: Connection[Any], round_id: UUID) -> tuple[RoundRow, dict[str, Any]]:
    """Gather what the pages of a round share. Raises RoundNotFound."""
    row = rounds.one(connection, round_id)
    if row is None:
        raise RoundNotFound(round_id=round_id)
    definition = definition_of(row.definition)
    wanted = definition.project_ids
    found = projects.listed(connection, limit=None)
    return row, {
        "round": row,
        "definition": definition,
        "projects": {one.project_id: one for one in found if one.project_id in wanted},
        "result": result_of(connection, row),
        "supports_cents": supports_cents(definition),
        "withheld": {UUID(one["project_id"]): one["cents"] for one in row.withheld},
        "withheld_cents": row.withheld_cents,
        "as_of": as_of(connection, *MODELS),
    }


def round_page(connection: Connection[Any], round_id: UUID, service: str) -> dict[str, Any]:
    row, values = one_round(connection, round_id)
    definition: Definition = values["definition"]
    named = definition.pot.partner_ids or ()
    shops = {one.partner_id: one.name for one in partners.every(connection)}
    return values | {
        "turnout": turnout.every(connection).get(round_id, Turnout(0, None)),
        "paper_waiting": paper_ballots.count(connection, round_id),
        "days_left": days_left(row),
        "shops": [shops.get(one, "") for one in named],
        "words": wordings.read(connection, *(one["words_sha256"] for one in row.sent_back)),
        "earlier": {one["row"].round_id: one["title"] for one in listed(connection)},
        "result_titles": {
            str(one): title_of(values["projects"], one) for one in definition.project_ids
        },
        "struck_ids": {str(one) for one in row.struck},
        "withheld_ids": {one["project_id"] for one in row.withheld},
        "recount": f"donpositif recount {service}/rounds/{round_id}/files",
        "json_twin": f"/api/v1/rounds/{round_id}",
    }


@router.api_route("/{text}", **PAGE)
@public()
async def show_round(request: Request, text: str) -> Response:
    service = context_of(request).settings.public_url
    try:
        gather = partial(round_page, round_id=UUID(text), service=service)
        return await public_page(request, "round/round.html", gather)
    except (ValueError, RoundNotFound):
        return page_not_found(request)


def told_steps(steps: list[dict[str, Any]], project_id: str) -> list[dict[str, Any]]:
    """Give the steps of the count that are about a project, each with its number."""
    found = []
    for number, step in enumerate(steps, 1):
        exact = step.get("exact", {}).get(project_id)
        matched = step.get("matched", {}).get(project_id)
        if step.get("project") == project_id or project_id in step.get("full", []):
            found.append({**step, "number": number})
        elif exact is not None or matched is not None:
            cents = round(read_exact(exact if matched is None else matched))
            about = "exactly" if matched is None else "topped_up"
            found.append({about: cents, "number": number})
    return found


def trace_page(connection: Connection[Any], round_id: UUID, project_id: UUID) -> dict[str, Any]:
    row, values = one_round(connection, round_id)
    result = values["result"]
    told = {one["project_id"]: one for one in (result or {"projects": []})["projects"]}
    if project_id not in values["definition"].project_ids or result is None:
        raise RoundNotFound(round_id=round_id)
    content = kept_file(connection, round_id, row.result_sha256 or "", "trace.json")
    steps = [] if content is None else json.loads(content)["steps"]
    return values | {
        "project_id": project_id,
        "title": title_of(values["projects"], project_id),
        # A project that was struck is not counted where its votes go to other picks.
        "explained": told.get(str(project_id)),
        "steps": told_steps(steps, str(project_id)),
        "titles": {str(one): title_of(values["projects"], one) for one in values["projects"]},
    }


def title_of(found: dict[UUID, projects.Project], project_id: UUID) -> str:
    one = found.get(project_id)
    return "" if one is None else str(one.document.get("title", ""))


@router.api_route("/{text}/projects/{project}", **PAGE)
@public()
async def show_trace(request: Request, text: str, project: str) -> Response:
    try:
        gather = partial(trace_page, round_id=UUID(text), project_id=UUID(project))
        return await public_page(request, "round/trace.html", gather)
    except (ValueError, RoundNotFound):
        return page_not_found(request)
