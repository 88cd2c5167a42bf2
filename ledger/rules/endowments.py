"""Add-1: raise what everybody holds, step by step, while what it buys stays within the budget."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from ledger.rules.rule import RUNS_MAX, EqualShares
from ledger.rules.shares import Electorate, Outcome, run


@dataclass(frozen=True, slots=True)
class Ended:
    """The endowment of a unit of weight, and after how many increments.

    `cut_short` where add-1 ended because it had made as many runs as it may.
    """

    endowment: Fraction
    increments: int
    cut_short: bool = False


def add_one(
    electorate: Electorate,
    budget: int,
    rule: EqualShares,
    start: Ended,
    progress: Callable[[int], object] | None = None,
) -> Ended:
    """Give the last endowment before the first that overspends.

    It ends as well once every project that anybody supports is bought and, where the rule says
    so, once nothing more would fit, and after the rule's `runs_max` runs: whatever people voted,
    there is a result.
    """
    step = Fraction(rule.increment, rule.increment_per)
    ended, outcome = start, run(electorate, start.endowment)
    runs = 0
    while not complete(electorate, budget, rule, outcome):
        if runs == runs_max(rule):
            return replace(ended, cut_short=True)
        runs += 1
        steps = idle(electorate, outcome, ended.endowment, step) + 1
        next_one = Ended(ended.endowment + steps * step, ended.increments + steps)
        outcome = run(electorate, next_one.endowment, stop_above=budget)
        if progress is not None:
            progress(1)
        if outcome.spent > budget:
            return before(next_one, step)
        ended = next_one
    return ended


def runs_max(rule: EqualShares) -> int:
    return RUNS_MAX if rule.runs_max is None else rule.runs_max


def before(overspent: Ended, step: Fraction) -> Ended:
    return Ended(overspent.endowment - step, overspent.increments - 1)


def idle(electorate: Electorate, outcome: Outcome, endowment: Fraction, step: Fraction) -> int:
    """Count the increments that need no run: they buy nothing but what was bought before.

    Until the supporters of some other project hold its cost together, even if they had paid for
    nothing else, no increment can overspend, and none can be the last.
    """
    bought = {purchase.project_id for purchase in outcome.purchases}
    needed = min(
        Fraction(cost, weight)
        for project_id, cost, weight in zip(
            electorate.project_ids, electorate.costs, electorate.behind, strict=True
        )
        if weight and project_id not in bought
    )
    return max(0, ceil((needed - endowment) / step) - 1)


def complete(electorate: Electorate, budget: int, rule: EqualShares, outcome: Outcome) -> bool:
    bought = {purchase.project_id for purchase in outcome.purchases}
    if len(bought) == electorate.supported:
        return True
    if rule.stop == "over_budget":
        return False
    cheapest = min(
        cost
        for project_id, cost, supporters in zip(
            electorate.project_ids, electorate.costs, electorate.supporters, strict=True
        )
        if project_id not in bought and supporters
    )
    return cheapest > budget - outcome.spent
