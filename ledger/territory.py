"""The territory, as versioned data: its places, and the ties by which somebody belongs to it.

It is no administrative territory: whoever buys here, lives here or carries a project here belongs
to it, by her own word. No postcode is ever asked for or tested. A version that was used is never
edited: ideas and projects name it for ever.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

Tie = Literal["buys_here", "lives_here", "carries_project_here"]
TIES: tuple[Tie, ...] = get_args(Tie)


@dataclass(frozen=True, slots=True)
class Place:
    """`key` is what events hold; `name` is a proper name, the same in every language."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Territory:
    version: int
    published_on: date
    places: tuple[Place, ...]
    ties: tuple[Tie, ...] = TIES

    def place(self, key: str) -> Place | None:
        return next((one for one in self.places if one.key == key), None)


TERRITORIES: tuple[Territory, ...] = (
    Territory(
        version=1,
        published_on=date(2026, 11, 1),
        places=(
            Place("isle-centre", "L’Isle-sur-la-Sorgue, centre"),
            Place("isle-nevons", "Les Névons"),
            Place("isle-gare", "Quartier de la Gare"),
            Place("isle-partage", "Le Partage des eaux"),
            Place("isle-saint-antoine", "Saint-Antoine"),
            Place("velorgues", "Velorgues"),
            Place("petit-palais", "Petit Palais"),
            Place("le-thor", "Le Thor"),
            Place("fontaine", "Fontaine-de-Vaucluse"),
            Place("saumane", "Saumane-de-Vaucluse"),
            Place("lagnes", "Lagnes"),
            Place("gadagne", "Châteauneuf-de-Gadagne"),
            Place("whole", "Tout le pays des Sorgues"),
        ),
    ),
)
NEWEST: Territory = TERRITORIES[-1]


def territory(version: int) -> Territory | None:
    """Give a published territory, None when there is none of this version."""
    return next((one for one in TERRITORIES if one.version == version), None)


def place_name(key: str) -> str:
    """Give the name of a place of any version, its key when no version has it."""
    found = (one.place(key) for one in reversed(TERRITORIES))
    return next((place.name for place in found if place is not None), key)
