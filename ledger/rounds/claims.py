"""Which round a gift belongs to: the first to close whose pot covers it, and no other.

Pots may reach back, so that gifts which a till brings late are not lost; each cent must still be
in one pot only. A cancelled round may give its gifts free again, if it declared so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple
from uuid import UUID

from ledger.rounds.definition import Pot


class Gift(NamedTuple):
    """What decides to which pot a gift belongs; `position` is where it is in the feed."""

    source: str
    partner_id: UUID
    occurred_on: date
    position: int


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """What a closed round took: all in its pot by then, but what `earlier` claims held then."""

    round_id: UUID
    pot: Pot
    closed_position: int
    earlier: tuple["Claim", ...]


def holder(gift: Gift, claims: Sequence[Claim]) -> UUID | None:
    """Give the round that holds a gift, of claims in the order of their closes."""
    for claim in claims:
        covered = gift.position <= claim.closed_position and claim.pot.covers(
            gift.source, gift.partner_id, gift.occurred_on
        )
        if covered and holder(gift, claim.earlier) is None:
            return claim.round_id
    return None


@dataclass(slots=True)
class Claims:
    """The claims of closed rounds as the feed goes on; those of some cancelled ones are gone."""

    standing: list[Claim] = field(default_factory=list)

    def closed(self, round_id: UUID, pot: Pot, position: int) -> Claim:
        claim = Claim(round_id, pot, position, tuple(self.standing))
        self.standing.append(claim)
        return claim

    def released(self, round_id: UUID) -> None:
        self.standing = [claim for claim in self.standing if claim.round_id != round_id]
