"""Whether a sponsor's pledges cover what its rounds may take: no cent covers two rounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg import Connection

from projections import pledges
from projections.pledges import MatchedRound, PledgeRow


@dataclass(frozen=True, slots=True)
class Cover:
    """`needed_cents` is what a round may take, `free_cents` what no other round will need."""

    sponsor: str
    needed_cents: int
    free_cents: int

    @property
    def missing_cents(self) -> int:
        return max(0, self.needed_cents - self.free_cents)


def cover(
    round_id: UUID,
    sponsor: str,
    needed_cents: int,
    promised: Sequence[PledgeRow],
    rounds: Sequence[MatchedRound],
) -> Cover:
    """Compare what a round may take with what is left to it.

    Every other round that was opened comes first: it takes what was promised to it alone, then of
    what was promised to any.
    """
    others = [one for one in rounds if one.round_id != round_id and one.sponsor == sponsor]
    theirs = sum(max(0, one.needed_cents - own(promised, one.round_id)) for one in others)
    common = sum(one.free_cents for one in promised if one.round_id is None)
    free_cents = own(promised, round_id) + max(0, common - theirs)
    return Cover(sponsor, needed_cents, free_cents)


def own(promised: Sequence[PledgeRow], round_id: UUID) -> int:
    """Give what was promised to one round alone and is not used."""
    return sum(one.free_cents for one in promised if one.round_id == round_id)


def cover_of(connection: Connection, round_id: UUID, sponsor: str, cap_cents: int) -> Cover:
    """Tell whether a round's matching money is promised: all it may take, or what it came to."""
    promised = pledges.of_sponsor(connection, sponsor)
    rounds = pledges.matched_rounds(connection, sponsor)
    known = next((one for one in rounds if one.round_id == round_id), None)
    drafted = known is None or known.state == "drafted"
    needed_cents = cap_cents if drafted or known is None else known.needed_cents
    return cover(round_id, sponsor, needed_cents, promised, rounds)
