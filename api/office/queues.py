"""The first page of the office: what waits, since when, and what was decided lately."""

from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import letters
from api.auth import Actor
from api.deps import Context
from api.home import PAGE
from api.office.desk import Reader, named
from api.office.letters import kinds_of
from api.office.page import OfficePage
from projections import cases
from projections.cases import QUEUES

router = APIRouter(prefix="/office", include_in_schema=False)


def waiting(context: Context, actor: Actor) -> dict[str, Any]:
    """Gather every queue and the latest decisions, and the names of the people who acted there."""
    with context.pool.connection() as connection:
        found = {kind: cases.queue(connection, kind) for kind in QUEUES}
        decided = cases.decided(connection)
    everything = [one for queue in found.values() for one in queue]
    actors = [person for one in everything for person in (one.review_by, one.proposed_by)]
    actors += [person for one in decided for person in (one.proposed_by, one.decided_by)]
    return {
        "queues": found,
        "decided": decided,
        "names": named(context, actors),
        "unsent": len(letters.unsent(context, kinds_of(actor))),
    }


@router.api_route("", **PAGE)
async def show(request: Request, actor: Reader) -> Response:
    gather = partial(waiting, actor=actor)
    return await OfficePage("office/queues.html", "/office", gather).show(request)
