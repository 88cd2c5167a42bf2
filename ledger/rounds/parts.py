"""What the cents of one gift did under `directed`: to which projects they flowed, as published.

Ballots of the same picks are one pool of money, so a gift's cents went where the pool's went, in
the same shares. What full projects passed on comes from the published election.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from ledger.money import split
from ledger.rules.election import Election
from ledger.rules.flows import Flow, along_picks, followed
from ledger.rules.in_part import gifts, pools


@dataclass(frozen=True, slots=True)
class Parts:
    """A gift's cents by project, and those that no project could take."""

    cents: dict[str, int]
    beyond: int


def flows_of(election: Election) -> Flow:
    return along_picks(pools(gifts(election)), election.costs)


def parts_of(flow: Flow, picks: tuple[str, ...], cents: int) -> Parts:
    """Share a gift's cents as those of its picks were shared, to the cent by largest remainder."""
    ordered = tuple(sorted(picks))
    shares = followed(ordered, flow.refused)
    exact = [*(shares.get(name, Fraction()) for name in ordered), 1 - sum(shares.values())]
    whole = lcm(*(share.denominator for share in exact))
    *given, beyond = split(cents, [int(share * whole) for share in exact])
    return Parts(dict(zip(ordered, given, strict=True)), beyond)
