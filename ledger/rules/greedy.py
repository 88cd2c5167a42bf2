"""Greedy: projects in the order of their support, each paid in full while the money lasts."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

from ledger.rules.election import Election
from ledger.rules.result import Explanation, Result, paid, supports, unsettled, votes
from ledger.rules.rule import Greedy, Measure
from ledger.rules.ties import tie_key


def tally(election: Election, rule: Greedy) -> Result:
    support = measured(election, rule.by)
    ballots = votes(election, election.groups("purchase"))
    explained = {
        name: one
        if support[name] >= max(1, rule.support_min) or not support[name]
        else replace(one, ending="below_threshold")
        for name, one in unsettled(election, support, ballots, "not_reached").items()
    }
    order = sorted(
        (name for name in explained if support[name] >= rule.support_min),
        key=tie_key(election, support),
    )
    trace = filled(explained, order, election.budget, rule.misfit)
    winners = [step["project"] for step in trace if step["fits"]]
    return Result(
        election=election,
        rule=rule,
        explanations=tuple(explained.values()),
        winners=tuple(winners),
        trace=tuple(trace),
    )


def measured(election: Election, by: Measure) -> dict[str, int]:
    """Measure support by ballots, by their weight, or by points times weight."""
    if by == "votes":
        return votes(election, election.groups("purchase"))
    if by == "weight":
        return supports(election, election.groups("cents"))
    found = dict.fromkeys(election.costs, 0)
    for cell in election.cells:
        for pick, points in zip(cell.picks, cell.points or (1,) * len(cell.picks), strict=True):
            found[pick] += points * cell.each * cell.count
    return found


def filled(
    explained: dict[str, Explanation],
    order: Iterable[str],
    budget: int,
    misfit: Literal["skip", "stop"],
    place: int = 0,
) -> list[dict[str, Any]]:
    """Fund projects in this order within the budget, explaining each; give the steps."""
    trace: list[dict[str, Any]] = []
    for project_id in order:
        explanation = explained[project_id]
        fits = explanation.cost <= budget
        trace.append({"before": budget, "fits": fits, "project": project_id})
        if fits:
            place += 1
            budget -= explanation.cost
            explained[project_id] = paid(explanation, explanation.cost, place)
            continue
        explained[project_id] = replace(
            explanation, ending="does_not_fit", lacked=explanation.cost - budget
        )
        if misfit == "stop":
            break
    return trace
