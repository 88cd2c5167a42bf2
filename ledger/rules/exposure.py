"""What an attacker gains by cutting one gift into many, measured on the election itself."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ledger.rules.election import Ballot, Election
from ledger.rules.rule import AnyRule, EqualShares, Greedy, Proportional, Quadratic, Threshold
from ledger.rules.tally import tally

ATTACK_CENTS = 10_000
PIECE_CENTS = 5


@dataclass(frozen=True, slots=True)
class Gain:
    """What a project gets more when a gift comes for it, whole or in pieces."""

    project_id: str
    whole: int
    in_pieces: int

    @property
    def gained(self) -> int:
        """What cutting the gift brought; below zero where it cost."""
        return self.in_pieces - self.whole


@dataclass(frozen=True, slots=True)
class Exposure:
    """The attack, and what it brings each project, the most exposed first."""

    attack: int
    piece: int
    pieces: int
    gains: tuple[Gain, ...]


def is_exposed(rule: AnyRule) -> bool:
    """Say whether many small gifts can count for more than one large, by the rule's form."""
    match rule:
        case Quadratic() | Threshold():
            return True
        case EqualShares(weight=weight) | Proportional(weight=weight):
            return weight == "purchase"
        case Greedy(by=by):
            return by == "votes"
        case _:
            return False


def exposure(
    election: Election,
    rule: AnyRule,
    attack: int = ATTACK_CENTS,
    piece: int = PIECE_CENTS,
    progress: Callable[[int], object] | None = None,
) -> Exposure:
    """Give to each project in turn, once as one gift and once in pieces, and count both.

    The gift joins the budget, as gifts do. `progress` is told of each count. Raises ValueError
    when the pieces do not make up the attack.
    """
    pieces, rest = divmod(attack, piece)
    if rest:
        raise ValueError("an attack is a whole number of pieces")
    before = tally(election, rule).awards

    def given(project_id: str, gifts: int) -> int:
        ballots = (Ballot((project_id,), attack // gifts),) * gifts
        counted = tally(
            replace(election, budget=election.budget + attack, ballots=election.ballots + ballots),
            rule,
        )
        if progress is not None:
            progress(1)
        return counted.awards[project_id] - before[project_id]

    gains = [Gain(name, given(name, 1), given(name, pieces)) for name in election.costs]
    gains.sort(key=lambda gain: (-gain.gained, gain.project_id))
    return Exposure(attack, piece, pieces, tuple(gains))
