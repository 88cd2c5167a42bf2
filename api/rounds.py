"""The rounds as programs read them: definition, state, turnout, and what came of the count."""

from datetime import date, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter
from psycopg import Connection
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from api.auth import public
from api.home import JSON, UNCHANGED
from api.openapi import refusals
from api.snapshots import snapshot
from api.tally import FROZEN, kept_names
from ledger.rounds.commands import RoundNotFound
from projections import rounds, turnout
from projections.read_model import as_of
from projections.rounds import RoundRow, State
from projections.turnout import Turnout

router = APIRouter(prefix="/api/v1/rounds", tags=["votes"])

MODELS: Final = ("rounds", "turnout")


class RoundOut(BaseModel):
    """A round. `picks` is null as long as the round is sealed.

    `ballots` are those received, void ones too: its tally says how many were counted.
    """

    round_id: UUID
    title: str
    state: State
    definition_sha256: str
    sealed: bool
    opened_on: date | None
    closes_at: datetime
    ballots: int
    picks: dict[UUID, int] | None


class RoundsOut(BaseModel):
    """All rounds, the one that closes last on top."""

    rounds: list[RoundOut]
    as_of_position: int


class AwardOut(BaseModel):
    project_id: UUID
    cents: int


class TallyOut(BaseModel):
    """The figures of the count; `files` are below `/api/v1/rounds/{id}/files/`."""

    model_config = {"extra": "allow"}

    result_sha256: str
    ballots: int
    suppressed_ballots: int
    pot_cents: int
    awards: list[AwardOut]


class SentBackOut(BaseModel):
    """`words_sha256` is the hash of the words on the round's page that say why."""

    on: date
    reason: str
    result_sha256: str
    words_sha256: str | None


class RoundDetailOut(RoundOut):
    """`definition` is what its hash is of, once written as canonical JSON (RFC 8785)."""

    definition: dict[str, Any]
    drafted_on: date
    approvals: int = Field(description="Of two people who did not draft it.")
    struck: list[UUID] = Field(description="Projects that ended while the round was open.")
    closed_on: date | None
    tally: TallyOut | None
    withheld: list[AwardOut] = Field(
        description="Awards of projects that ended before they were paid: the next round has them."
    )
    next_round_cents: int | None = Field(
        description="What is left to the next round, `withheld` included; null before the count."
    )
    carried_to: UUID | None = Field(description="The round that was given it.")
    files: list[str]
    result_approvals: int
    sent_back: list[SentBackOut]
    decided_on: date | None
    cancelled_for: str | None
    as_of_position: int


def told(row: RoundRow, counts: dict[UUID, Turnout]) -> dict[str, Any]:
    """Give a round in the shape of `RoundOut`."""
    count = counts.get(row.round_id, Turnout(0, None))
    return {
        "round_id": row.round_id,
        "title": row.title,
        "state": row.state,
        "definition_sha256": row.definition_sha256,
        "sealed": row.sealed,
        "opened_on": row.opened_on,
        "closes_at": row.closes_at,
        "ballots": count.ballots,
        "picks": None if count.picks is None else {str(k): n for k, n in count.picks.items()},
    }


def rounds_json(connection: Connection[Any]) -> bytes:
    counts = turnout.every(connection)
    position = as_of(connection, *MODELS).position
    shown = [told(row, counts) for row in rounds.every(connection)]
    return msgspec.json.encode({"rounds": shown, "as_of_position": position})


def next_round_cents(row: RoundRow) -> int | None:
    return None if row.tally is None else row.tally["next_round_cents"] + row.withheld_cents


def published_names(connection: Connection[Any], row: RoundRow) -> list[str]:
    """Give the names of the files that are served now: the frozen ones from the draft on."""
    result = row.result_sha256
    kept = [] if result is None else kept_names(connection, row.round_id, result)
    return list(dict.fromkeys([*FROZEN, *kept]))


def round_json(connection: Connection[Any], round_id: UUID) -> bytes:
    row = rounds.one(connection, round_id)
    if row is None:
        raise RoundNotFound(round_id=round_id)
    return msgspec.json.encode(
        told(row, turnout.every(connection))
        | {
            "definition": msgspec.Raw(row.definition.encode()),
            "drafted_on": row.drafted_on,
            "approvals": row.approvals,
            "struck": row.struck,
            "closed_on": row.closed_on,
            "tally": row.tally,
            "withheld": row.withheld,
            "next_round_cents": next_round_cents(row),
            "carried_to": row.carried_to,
            "files": published_names(connection, row),
            "result_approvals": row.result_approvals,
            "sent_back": row.sent_back,
            "decided_on": row.decided_on,
            "cancelled_for": row.cancelled_for,
            "as_of_position": as_of(connection, *MODELS).position,
        }
    )


@router.get("", response_model=RoundsOut, responses=UNCHANGED)
@public()
async def list_rounds(request: Request) -> Response:
    """Give all rounds with their turnout."""
    return await snapshot(request, JSON, rounds_json)


@router.get("/{round_id}", response_model=RoundDetailOut, responses=UNCHANGED | refusals(404, 422))
@public()
async def show_round(request: Request, round_id: UUID) -> Response:
    """Give a round with its definition, and its result once it is counted."""
    return await snapshot(request, JSON, partial(round_json, round_id=round_id))
