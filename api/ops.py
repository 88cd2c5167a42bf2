"""Whether the service is well: the database answers, and how far the read models lag."""

from typing import Any

from fastapi import APIRouter, Request
from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from pydantic import BaseModel
from starlette.responses import Response

from api.auth import public
from api.deps import context_of
from api.openapi import MEANING
from api.refusals import json_answer
from projections import feed, follow
from projections.every import READ_MODELS

router = APIRouter(tags=["operations"])


class Lag(BaseModel):
    """How far one read model has applied the feed."""

    position: int
    behind: int


class Health(BaseModel):
    """`ok` means that gifts can be recorded; read models that lag are behind, not broken."""

    ok: bool
    position: int
    projections: dict[str, Lag]


@router.get(
    "/healthz",
    response_model=Health,
    responses={503: {"model": Health, "description": MEANING[503]}},
)
@router.get("/api/v1/healthz", include_in_schema=False)
@public()
def health(request: Request) -> Response:
    """Say whether the database answers, and the lag of each projection in positions."""
    try:
        body = measured(request)
    except (OperationalError, PoolTimeout):
        return json_answer(503, {"ok": False, "position": 0, "projections": {}})
    return json_answer(200, body)


def measured(request: Request) -> dict[str, Any]:
    with context_of(request).pool.connection() as connection:
        reached = follow.positions(connection)
        newest = feed.head(connection)
    return {
        "ok": True,
        "position": newest,
        "projections": {
            name: {
                "position": reached.get(name, 0),
                "behind": max(0, newest - reached.get(name, 0)),
            }
            for name in READ_MODELS
        },
    }
