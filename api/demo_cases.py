"""What waits and what was decided in the made-up village, shop by shop."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from api.admin import add_partner
from api.demo_office import apply, complain, reject_sanction
from api.deps import DEMO_ACTOR, Context
from ledger.partners.register import Sector


class Candidate(NamedTuple):
    """A shop that applied: how many days ago, and how many steps its application has taken."""

    name: str
    sector: Sector
    days_ago: int
    steps: int


CANDIDATES: Final = (
    Candidate("Savonnerie de l’Arquet", "craft", 3, 1),
    Candidate("Cycles du Canal", "services", 9, 2),
    Candidate("Cave des Deux Ponts", "food", 16, 3),
)
PLACE: Final = "Le Thor"
ANSWERED: Final = (
    "Merci de votre lettre. Nous en avons parlé avec le commerce : la question n’est plus posée "
    "qu’une fois par passage en caisse."
)


def register_candidates(context: Context, sirets: list[str], at: datetime) -> list[UUID]:
    """Register the shops that are no partners yet, a little before they apply."""
    return [
        add_partner(
            context.ledger,
            DEMO_ACTOR,
            one.name,
            siret,
            place=PLACE,
            sector=one.sector,
            at=at - timedelta(days=one.days_ago + 1),
        )
        for one, siret in zip(CANDIDATES, sirets, strict=True)
    ]


def open_cases(
    context: Context, candidates: list[UUID], shops: dict[str, UUID], at: datetime
) -> None:
    """Put something into each queue, as the people of the village would have."""
    for one, partner_id in zip(CANDIDATES, candidates, strict=True):
        applied_at = at - timedelta(days=one.days_ago)
        apply(context, partner_id, one.name, applied_at, steps=one.steps)
    reject_sanction(context, shops["Librairie de la Sorgue"], at - timedelta(days=20))
    complain(
        context,
        shops["Café de la Roue à aubes"],
        "asking",
        "On m’a demandé deux fois d’arrondir, alors que j’avais dit non à la première.",
        at - timedelta(days=12),
    )
    complain(
        context,
        shops["Épicerie des Névons"],
        "gift_missing",
        "J’ai donné 80 centimes samedi vers 11 heures. Le ticket ne dit rien de ce don.",
        at - timedelta(days=36),
    )
    complain(
        context,
        shops["Boulangerie du Bassin"],
        "staff",
        "La vendeuse a soupiré quand j’ai refusé de donner.",
        at - timedelta(days=25),
        answer=ANSWERED,
    )
    complain(
        context,
        shops["Librairie de la Sorgue"],
        "asking",
        "Personne ne m’a dit à quoi sert le don.",
        at - timedelta(days=30),
        answer=ANSWERED,
        closed=True,
    )
