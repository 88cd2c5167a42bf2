"""The method of equal shares, with its completions and the explanation of each project."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import ceil
from typing import Any

from ledger.rules.election import Election
from ledger.rules.endowments import Ended, add_one, runs_max
from ledger.rules.exact import written
from ledger.rules.greedy import filled
from ledger.rules.result import Explanation, Payers, Result, supports, unsettled, votes
from ledger.rules.rule import EqualShares
from ledger.rules.shares import Electorate, Purchase, laid_out, run
from ledger.rules.ties import tie_key

Progress = Callable[[int], object]
# A trace names who paid what as long as a person could read it.
PAYMENTS_MAX = 2_000


def tally(election: Election, rule: EqualShares, progress: Progress | None = None) -> Result:
    groups = election.groups(rule.weight)
    support = supports(election, groups)
    explained = unsettled(election, support, votes(election, groups), "unaffordable")
    order = tie_key(election, support)
    if not groups:
        return Result(election, rule, tuple(explained.values()), winners=())
    electorate = laid_out(election.costs, groups, order)
    ended = endowed(election, rule, electorate.weight)
    if rule.completion == "add1":
        ended = add_one(electorate, election.budget, rule, ended, progress)
    outcome = run(electorate, ended.endowment, progress=progress)
    trace = bought(explained, outcome.purchases, outcome.remaining)
    for step, paid in zip(
        trace, payments(electorate, ended.endowment, outcome.purchases), strict=False
    ):
        step["payments"] = paid
    winners = [purchase.project_id for purchase in outcome.purchases]
    if rule.then == "greedy":
        rest = sorted(
            (one.project_id for one in explained.values() if one.support and not one.amount),
            key=order,
        )
        steps = filled(explained, rest, election.budget - outcome.spent, "skip", len(winners))
        completed = [step["project"] for step in steps if step["fits"]]
        for project_id in completed:
            explained[project_id] = replace(explained[project_id], stage="completion")
        winners += completed
        trace += steps
    figures: dict[str, int | str] = {
        "endowment": written(ended.endowment),
        "increments": ended.increments,
    }
    if ended.cut_short:
        figures["ended_after_runs"] = runs_max(rule)
    return Result(election, rule, tuple(explained.values()), tuple(winners), figures, tuple(trace))


def payments(
    electorate: Electorate, endowment: Fraction, purchases: list[Purchase]
) -> list[list[dict[str, Any]]]:
    """Tell for each purchase what each set of picks paid; nothing where that would be too long."""
    number = {name: place for place, name in enumerate(electorate.project_ids)}
    supporters = [electorate.supporters[number[one.project_id]] for one in purchases]
    if sum(map(len, supporters)) > PAYMENTS_MAX:
        return []
    held = dict.fromkeys(range(len(electorate.weights)), endowment)
    told = []
    for purchase, voters in zip(purchases, supporters, strict=True):
        paid = {voter: min(held[voter], purchase.rate) for voter in voters}
        held |= {voter: held[voter] - rate for voter, rate in paid.items()}
        told.append(
            [
                {
                    "paid": written(rate * electorate.weights[voter]),
                    "picks": [electorate.project_ids[pick] for pick in electorate.picks[voter]],
                    "weight": electorate.weights[voter],
                }
                for voter, rate in paid.items()
                if rate
            ]
        )
    return told


def endowed(election: Election, rule: EqualShares, weight: int) -> Ended:
    """Give what each unit of weight holds before any increment."""
    share = Fraction(election.budget, weight)
    return Ended(Fraction(int(share)) if rule.start == "whole" else share, 0)


def bought(
    explained: dict[str, Explanation],
    purchases: list[Purchase],
    remaining: dict[str, Fraction],
) -> list[dict[str, Any]]:
    """Explain what the run bought, and what was missing for the rest; give the steps."""
    trace: list[dict[str, Any]] = []
    for place, purchase in enumerate(purchases, 1):
        before = explained[purchase.project_id]
        payers = Payers(
            in_full_ballots=purchase.in_full_ballots,
            in_full_weight=purchase.in_full,
            drained_ballots=purchase.drained_ballots,
            drained_weight=purchase.drained,
            drained_paid=written(purchase.drained_paid),
        )
        explained[purchase.project_id] = replace(
            before,
            amount=before.cost,
            lacked=0,
            ending="funded",
            place=place,
            stage="rule",
            price=written(purchase.rate),
            price_per_unit=written(purchase.rate / before.cost),
            payers=payers,
        )
        trace.append(
            {
                "drained_weight": purchase.drained,
                "in_full_weight": purchase.in_full,
                "price": written(purchase.rate),
                "project": purchase.project_id,
            }
        )
    for project_id, held in remaining.items():
        before = explained[project_id]
        explained[project_id] = replace(before, lacked=ceil(before.cost - held))
    return trace
