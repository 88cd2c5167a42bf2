"""What the cents of one gift did under `directed`: to which projects they flowed, as published.

Ballots of the same picks are one pool of money, so a gift's cents went where the pool's went, in
the same shares. Both the pools and what full projects passed on come from the published election.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from ledger.money import split
from ledger.rules.election import Election
from ledger.rules.flows import along_picks, followed
from ledger.rules.in_part import gifts, pools

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flows:
    """The sets of picks that were published whole, and the share that full projects passed on."""

    whole: frozenset[Names]
    refused: tuple[dict[str, Fraction], ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """A gift's cents by project, and those that no project could take."""

    cents: dict[str, int]
    beyond: int


def flows_of(election: Election) -> Flows:
    groups = gifts(election)
    flow = along_picks(pools(groups), election.costs)
    return Flows(frozenset(group.picks for group in groups), flow.refused)


def parts_of(flows: Flows, picks: Names, cents: int) -> Parts:
    """Share a gift's cents as its pool was shared, to the cent by largest remainder.

    Under this rule, which goes by pick, a set that is not published whole was split into ballots of
    one pick each.
    """
    ordered = tuple(sorted(picks))
    pieces = [ordered] if ordered in flows.whole else [(pick,) for pick in ordered]
    shares = dict.fromkeys(ordered, Fraction())
    for piece in pieces:
        for name, share in followed(piece, flows.refused).items():
            shares[name] += share / len(pieces)
    exact = [*shares.values(), 1 - sum(shares.values())]
    whole = lcm(*(share.denominator for share in exact))
    *given, beyond = split(cents, [int(share * whole) for share in exact])
    return Parts(dict(zip(ordered, given, strict=True)), beyond)
