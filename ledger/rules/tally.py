"""Count an election by a rule."""

from collections.abc import Callable
from typing import assert_never

from ledger.rules import equal_shares, greedy, in_part
from ledger.rules.election import Election
from ledger.rules.result import Result
from ledger.rules.rule import (
    AnyRule,
    Directed,
    EqualShares,
    Greedy,
    Proportional,
    Quadratic,
    Threshold,
)


def tally(
    election: Election, rule: AnyRule, progress: Callable[[int], object] | None = None
) -> Result:
    """Give the one result of these ballots under this rule. Raises RuleRefused.

    `progress` is told of each step of the only rule that can take long.
    """
    match rule:
        case Directed():
            return in_part.directed(election, rule)
        case EqualShares():
            return equal_shares.tally(election, rule, progress)
        case Greedy():
            return greedy.tally(election, rule)
        case Proportional():
            return in_part.proportional(election, rule)
        case Threshold():
            return in_part.threshold(election, rule)
        case Quadratic():
            return in_part.quadratic(election, rule)
        case _:
            assert_never(rule)
