"""Equal shares a second time, as plainly as it can be said, one fraction a ballot."""

from collections.abc import Callable
from fractions import Fraction

from ledger.rules.election import Election
from ledger.rules.rule import EqualShares
from ledger.rules.ties import TieKey, tie_key


def equal_shares(election: Election, rule: EqualShares) -> tuple[list[str], int]:
    """Give the projects bought, in order, and the number of increments; no greedy completion."""
    support = {
        name: sum(one.weight for one in election.ballots if name in one.picks)
        for name in election.costs
    }
    order = tie_key(election, support)
    weight = sum(one.weight for one in election.ballots)
    if not weight:
        return [], 0
    share = Fraction(election.budget, weight)
    share = Fraction(int(share)) if rule.start == "whole" else share
    bought, increments = run(election, share, order), 0
    while rule.completion == "add1" and len(bought) < sum(map(bool, support.values())):
        rest = [cost for name, cost in election.costs.items() if name not in bought]
        spent = sum(election.costs[name] for name in bought)
        wanted = [election.costs[name] for name in support if support[name] and name not in bought]
        if rule.stop == "exhausted" and rest and min(wanted) > election.budget - spent:
            break
        share += Fraction(rule.increment, rule.increment_per)
        further = run(election, share, order)
        if sum(election.costs[name] for name in further) > election.budget:
            break
        bought, increments = further, increments + 1
    return bought, increments


def run(election: Election, share: Fraction, order: Callable[[str], TieKey]) -> list[str]:
    held = [share * ballot.weight for ballot in election.ballots]
    bought: list[str] = []
    while True:
        found = []
        for name, cost in election.costs.items():
            voters = [n for n, one in enumerate(election.ballots) if name in one.picks]
            if name not in bought and voters and sum(held[n] for n in voters) >= cost:
                found.append((price(election, held, voters, cost) / cost, order(name), name))
        if not found:
            return bought
        ratio, _, name = min(found)
        bought.append(name)
        for n, ballot in enumerate(election.ballots):
            if name in ballot.picks:
                owed = ratio * election.costs[name] * ballot.weight
                held[n] -= min(held[n], owed)


def price(election: Election, held: list[Fraction], voters: list[int], cost: int) -> Fraction:
    """The rate a unit of weight at which these voters pay the cost, each at most what she has."""
    rest = Fraction(cost)
    weights = [ballot.weight for ballot in election.ballots]
    able = sorted(voters, key=lambda n: held[n] / weights[n])
    while True:
        rate = rest / sum(weights[n] for n in able)
        if held[able[0]] >= rate * weights[able[0]]:
            return rate
        rest -= held[able.pop(0)]
