"""How far a round's rule could be played by cutting one gift into many, on its own ballots."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from ledger.money import split
from ledger.rounds.count import Choice, Count
from ledger.rules.exposure import ATTACK_CENTS, PIECE_CENTS, Gain, is_exposed
from ledger.rules.result import Explanation, Result
from ledger.rules.tally import tally

# Each project measured is counted twice more: the most supported ones that still lack money.
MEASURED_MAX: Final = 3
# A shop whose purchases count up to its cap, whatever others brought.
ATTACKER: Final = UUID(int=0)
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


def measure(count: Count, result: Result, progress: Progress) -> Measured | None:
    """Measure the exposure of a rule that has any; None for one that has none by its form.

    The attack comes as gifts come, once as one, once as many of the smallest or as one shop may
    attest purchases: it joins the budget, brings its matching money, and is published like others.
    """
    definition = count.definition
    by_purchase = definition.weight == "purchase"
    if not by_purchase and not is_exposed(definition.parsed_rule):
        return None
    pieces = ATTACK_CENTS // PIECE_CENTS
    if by_purchase:
        pieces = min(pieces, definition.purchases_per_partner_max or 1)
    targets = sorted(result.explanations, key=most_wanted)[:MEASURED_MAX]
    gains = []
    for one in targets:
        whole, in_pieces = (gained(count, one, gifts) for gifts in (1, pieces))
        gains.append(Gain(one.project_id, whole, in_pieces))
        progress(0)
    gains.sort(key=lambda gain: (-gain.gained, gain.project_id))
    return Measured(pieces, by_purchase, tuple(gains))


def most_wanted(one: Explanation) -> tuple[bool, int, str]:
    return (not one.lacked, -one.support, one.project_id)


def gained(count: Count, one: Explanation, gifts: int) -> int:
    """Give what a project gets more when the attack comes for it in so many gifts."""
    attacked = count.copied()
    choice = Choice((UUID(one.project_id),), "ballot")
    for cents in split(ATTACK_CENTS, [1] * gifts):
        attacked.gift(cents, choice, ATTACKER, attested=True)
    election, _ = attacked.election()
    return tally(election, count.definition.parsed_rule).awards[one.project_id] - one.amount
