"""The rules that may pay a project in part: directed, proportional, threshold and quadratic."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isqrt
from typing import Any

from ledger.rules.election import Election, Group, RuleRefused
from ledger.rules.exact import written
from ledger.rules.flows import Flow, along_picks, in_proportion
from ledger.rules.result import Result, paid, supports, unsettled, votes
from ledger.rules.rule import AnyRule, Directed, Proportional, Quadratic, Threshold
from ledger.rules.ties import tie_key, whole

# The root of a gift is taken to a millionth, always downwards, so that all readers agree.
ROOT_UNITS = 10**6


class GiftsBeyondBudget(RuleRefused):
    """The rule moves the cents of the gifts, and the budget holds fewer of them."""


def directed(election: Election, rule: Directed) -> Result:
    groups = gifts(election)
    flow = along_picks(pools(groups), election.costs)
    return settled(Count(election, rule, groups), flow.received, steps(flow))


def threshold(election: Election, rule: Threshold) -> Result:
    groups = gifts(election)
    ballots = votes(election, groups)
    entered = {name for name, count in ballots.items() if count >= rule.supporters_min}
    share = Fraction(rule.share_percent, 100)
    flow = along_picks(
        (
            (tuple(pick for pick in group.picks if pick in entered), group.weight * share)
            for group in groups
        ),
        election.costs,
    )
    result = settled(Count(election, rule, groups), flow.received, steps(flow))
    explained = [
        replace(one, ending="below_threshold")
        if one.ballots and one.project_id not in entered
        else one
        for one in result.explanations
    ]
    return replace(result, explanations=tuple(explained))


def proportional(election: Election, rule: Proportional) -> Result:
    groups = election.groups(rule.weight)
    strengths = dict.fromkeys(election.costs, Fraction())
    for group in groups:
        for pick in group.picks:
            strengths[pick] += Fraction(group.weight, len(group.picks))
    caps = {
        name: Fraction(cost if rule.cap_at_cost else election.budget)
        for name, cost in election.costs.items()
    }
    flow = in_proportion(Fraction(election.budget), strengths, caps)
    return settled(Count(election, rule, groups), flow.received, steps(flow))


def quadratic(election: Election, rule: Quadratic) -> Result:
    groups = gifts(election)
    flow = along_picks(pools(groups), election.costs)
    match = election.budget - sum(group.weight for group in groups)
    cap = Fraction(match * rule.match_cap_percent, 100)
    caps = {name: min(cap, cost - flow.received[name]) for name, cost in election.costs.items()}
    strengths = breadth(election)
    matched = in_proportion(Fraction(match), strengths, caps)
    total = {name: given + matched.received[name] for name, given in flow.received.items()}
    trace = [
        *steps(flow),
        *({"match": True, **step} for step in steps(matched)),
        {"matched": {name: written(share) for name, share in matched.received.items() if share}},
    ]
    return settled(Count(election, rule, groups), total, trace, {"match": match})


def breadth(election: Election) -> dict[str, Fraction]:
    """Measure how many people stand behind a project: square of summed roots, less the gifts.

    A single gift, whatever its size, measures nothing.
    """
    roots = dict.fromkeys(election.costs, 0)
    squares = dict.fromkeys(election.costs, 0)
    for cell in election.cells:
        for pick in cell.picks:
            root = isqrt(cell.each * ROOT_UNITS**2 // len(cell.picks))
            roots[pick] += cell.count * root
            squares[pick] += cell.count * root**2
    return {name: Fraction(root**2 - squares[name]) for name, root in roots.items()}


def gifts(election: Election) -> list[Group]:
    """Give the groups whose weights are the money itself. Raises GiftsBeyondBudget."""
    groups = election.groups("cents")
    given = sum(group.weight for group in groups)
    if given > election.budget:
        raise GiftsBeyondBudget(f"{given} > {election.budget}")
    return groups


def pools(groups: list[Group]) -> list[tuple[tuple[str, ...], Fraction]]:
    return [(group.picks, Fraction(group.weight)) for group in groups]


def steps(flow: Flow) -> list[dict[str, Any]]:
    return [{"full": full, "pass": number} for number, full in enumerate(flow.passes, 1)]


@dataclass(frozen=True, slots=True)
class Count:
    """What is counted: the election, the rule and the ballots as the rule weighs them."""

    election: Election
    rule: AnyRule
    groups: list[Group]


def settled(
    count: Count,
    exact: Mapping[str, Fraction],
    trace: list[dict[str, Any]],
    figures: Mapping[str, int | str] | None = None,
) -> Result:
    """Round to units and explain: the largest amounts first among the winners."""
    election = count.election
    support = supports(election, count.groups)
    order = tie_key(election, support)
    units = whole(exact, election.budget, order)
    winners = sorted(
        (name for name, amount in units.items() if amount),
        key=lambda name: (-units[name], order(name)),
    )
    places = {name: place for place, name in enumerate(winners, 1)}
    ballots = votes(election, count.groups)
    explained = {
        name: paid(one, units[name], places.get(name))
        for name, one in unsettled(election, support, ballots, "unaffordable").items()
    }
    exactly = {"exact": {name: written(share) for name, share in exact.items() if share}}
    return Result(
        election=election,
        rule=count.rule,
        explanations=tuple(explained.values()),
        winners=tuple(winners),
        figures=figures or {},
        trace=(*trace, exactly),
    )
