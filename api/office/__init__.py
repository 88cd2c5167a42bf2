"""The foundation's office: what waits for somebody, each partner, each case, each complaint."""

from fastapi import APIRouter

from api.office import (
    agreements,
    ballots,
    cases,
    complaints,
    letters,
    papers,
    partners,
    queues,
    sanctions,
)

router = APIRouter(include_in_schema=False)
for room in (queues, ballots, partners, agreements, sanctions, cases, papers, complaints, letters):
    router.include_router(room.router)
