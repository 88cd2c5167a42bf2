"""The files of a count: what anybody needs to make it again, and nothing more."""

from typing import Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter
from psycopg import Connection
from starlette.requests import Request
from starlette.responses import Response

from api.auth import public
from api.home import UNCHANGED
from api.openapi import refusals
from api.refusals import RoundNotCounted
from api.snapshots import snapshot
from api.tally import FROZEN, kept_file
from ledger.rounds.definition import definition_of
from projections import rounds

router = APIRouter(prefix="/api/v1/rounds", tags=["votes"])
# The same beside the round's page, where `recount` is pointed at.
beside_page = APIRouter(prefix="/rounds", include_in_schema=False)

Name = Literal[
    "definition.json",
    "rule.json",
    "election.pb",
    "result.json",
    "trace.json",
    "round.json",
    "exposure.json",
]
MEDIA_TYPES: Final[dict[str, str]] = {
    "pb": "text/plain; charset=utf-8",
    "json": "application/json",
}


def file_of(connection: Connection[Any], round_id: UUID, name: str) -> bytes:
    row = rounds.one(connection, round_id)
    if row is not None and name in FROZEN:
        frozen = definition_of(row.definition)
        return frozen.parsed_rule.canonical() if name == "rule.json" else frozen.canonical()
    if row is None or row.result_sha256 is None:
        raise RoundNotCounted(round_id=round_id)
    content = kept_file(connection, round_id, row.result_sha256, name)
    if content is None:
        raise RoundNotCounted(round_id=round_id)
    return content


@router.get(
    "/{round_id}/files/{name}",
    response_class=Response,
    responses=UNCHANGED | refusals(404, 422),
)
@beside_page.get("/{round_id}/files/{name}")
@public()
async def show_file(request: Request, round_id: UUID, name: Name) -> Response:
    """Give a published file, the very bytes that were hashed."""

    def build(connection: Connection[Any]) -> bytes:
        return file_of(connection, round_id, name)

    return await snapshot(request, MEDIA_TYPES[name.rpartition(".")[2]], build)
