"""How far a round's rule could be played by cutting one gift into many, on its own ballots."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import lcm
from typing import Any, Final

from ledger.rounds.definition import Definition
from ledger.rules.election import Ballot
from ledger.rules.exposure import ATTACK_CENTS, PIECE_CENTS, Gain, is_exposed
from ledger.rules.result import Explanation, Result
from ledger.rules.tally import tally

# Each project measured is counted twice more: the most supported ones that still lack money.
MEASURED_MAX: Final = 3
Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Measured:
    """What an attack brings, whole and in pieces; `capped` where a shop's cap bounds the pieces."""

    pieces: int
    capped: bool
    gains: tuple[Gain, ...]

    def described(self) -> dict[str, Any]:
        return {
            "attack_cents": ATTACK_CENTS,
            "capped": self.capped,
            "gains": [
                {
                    "in_pieces_cents": gain.in_pieces,
                    "project_id": gain.project_id,
                    "whole_cents": gain.whole,
                }
                for gain in self.gains
            ],
            "pieces": self.pieces,
            "version": 1,
        }


def measure(definition: Definition, result: Result, progress: Progress) -> Measured | None:
    """Measure the exposure of a rule that has any; None for one that has none by its form.

    The attack's money joins the budget, as gifts do: once by one ballot, once by as many as it
    makes in the smallest gifts, or as one shop may attest purchases.
    """
    by_purchase = definition.weight == "purchase"
    if not by_purchase and not is_exposed(definition.parsed_rule):
        return None
    pieces = ATTACK_CENTS // PIECE_CENTS
    if by_purchase:
        pieces = min(pieces, definition.purchases_per_partner_max or 1)
    purchase = lcm(*range(1, definition.picks_max + 1)) if by_purchase else None
    targets = sorted(result.explanations, key=most_wanted)[:MEASURED_MAX]
    gains = []
    for one in targets:
        whole, in_pieces = (gained(result, one, count, purchase) for count in (1, pieces))
        gains.append(Gain(one.project_id, whole, in_pieces))
        progress(0)
    gains.sort(key=lambda gain: (-gain.gained, gain.project_id))
    return Measured(pieces, by_purchase, tuple(gains))


def most_wanted(one: Explanation) -> tuple[bool, int, str]:
    return (not one.lacked, -one.support, one.project_id)


def gained(result: Result, one: Explanation, ballots: int, purchase: int | None) -> int:
    """Give what a project gets more when the attack comes for it in so many ballots."""
    weight = ATTACK_CENTS // ballots if purchase is None else purchase
    election = result.election
    added = (Ballot((one.project_id,), weight),) * ballots
    joined = replace(
        election, budget=election.budget + ATTACK_CENTS, ballots=election.ballots + added
    )
    return tally(joined, result.rule).awards[one.project_id] - one.amount
