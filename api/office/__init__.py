"""The foundation's office: what waits for somebody, each partner, each case, each complaint."""

from fastapi import APIRouter

from api.office import (
    agreements,
    ballots,
    bank,
    card_links,
    cards,
    cases,
    complaints,
    foundation,
    letters,
    papers,
    partners,
    pledges,
    queues,
    remittances,
    sanctions,
    settlements,
)

router = APIRouter(include_in_schema=False)
of_partners = (partners, agreements, sanctions, cases, papers, complaints)
of_money = (settlements, bank, foundation, card_links, cards, remittances, pledges)
for room in (queues, ballots, *of_partners, *of_money, letters):
    router.include_router(room.router)
