"""One run of the method of equal shares, for one endowment: exact, and quick.

Peters, Pierczyński, Skowron, "Proportional participatory budgeting with additive utilities" (2021),
with approval ballots and cost utilities. Every unit of weight holds the same endowment. The next
project bought is the one whose supporters pay the least per unit of cost, where each pays the
same rate, or all she has left if that is less.

What a unit of weight has left is the endowment less the rates of what it bought, and only those
few rates are kept exactly, over one common denominator. The sums over thousands of ballots are
made of fixed-point integers whose error has a known bound. A comparison closer than the bound is
made again exactly, so that the result is never an approximation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd
from operator import mul

from ledger.rules.election import Group
from ledger.rules.ties import TieKey

FIXED_BITS = 58  # What is left still fits two digits of Python's integers.
RATIO_BITS = 40


@dataclass(frozen=True, slots=True)
class Purchase:
    """One project bought: `rate` a unit of weight, by some in full, by others all they had."""

    project_id: str
    rate: Fraction
    in_full: int
    in_full_ballots: int
    drained: int
    drained_ballots: int
    drained_paid: Fraction


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run bought, in order, and what the supporters of each other project still have."""

    purchases: list[Purchase]
    spent: int
    remaining: dict[str, Fraction]


@dataclass(frozen=True, slots=True)
class Electorate:
    """The electorate laid out for runs: groups and projects by number.

    `behind` is the weight of all supporters of each project.
    """

    project_ids: list[str]
    costs: list[int]
    ties: list[TieKey]
    weights: list[int]
    ballots: list[int]
    picks: list[tuple[int, ...]]
    supporters: list[list[int]]
    behind: list[int]
    weight: int

    @property
    def supported(self) -> int:
        return sum(map(bool, self.supporters))


def laid_out(
    costs: dict[str, int], groups: Sequence[Group], order: Callable[[str], TieKey]
) -> Electorate:
    project_ids = list(costs)
    number = {project_id: index for index, project_id in enumerate(project_ids)}
    picks = [tuple(number[pick] for pick in group.picks) for group in groups]
    supporters: list[list[int]] = [[] for _ in project_ids]
    for voter, picked in enumerate(picks):
        for project in picked:
            supporters[project].append(voter)
    weights = [group.weight for group in groups]
    return Electorate(
        project_ids=project_ids,
        costs=list(costs.values()),
        ties=[order(project_id) for project_id in project_ids],
        weights=weights,
        ballots=[group.ballots for group in groups],
        picks=picks,
        supporters=supporters,
        behind=[sum(map(weights.__getitem__, voters)) for voters in supporters],
        weight=sum(weights),
    )


@dataclass(slots=True)
class Candidate:
    """A project that can be bought now, by the poorest `poor` of its supporters and the rest.

    `low` and `high` enclose its rate for a unit of cost; `rate` is exact, over the run's
    common denominator times `rich`, the weight of those who pay in full.
    """

    project: int
    poor: int
    rich: int
    low: int
    high: int
    rate: int | None = None


@dataclass(slots=True)
class Run:
    """The state between purchases. `left` is below what is truly left by at most `error`.

    It is 0 for those who have paid all they had: they are no longer `alive`.
    """

    electorate: Electorate
    endowment: int
    denominator: int
    scale: int
    left: list[int]
    alive: bytearray
    supporters: list[list[int]]
    rich: list[int]
    bound: list[int]
    open: list[int]
    rates: dict[int, int] = field(default_factory=dict)
    purchases: list[Purchase] = field(default_factory=list)
    spent: int = 0

    @property
    def error(self) -> int:
        return len(self.rates) + 1

    def next(self) -> Candidate | None:
        """Find the cheapest project for a unit of cost. What nobody can pay any more is closed."""
        found: list[Candidate] = []
        high: int | None = None
        for project in sorted(self.open, key=self.bound.__getitem__):
            if high is not None and self.bound[project] > high:
                break
            candidate = self.candidate(project)
            if candidate is None:
                self.open.remove(project)
                continue
            self.bound[project] = candidate.low
            found.append(candidate)
            high = candidate.high if high is None else min(high, candidate.high)
        if high is None:
            return None
        near = [candidate for candidate in found if candidate.low <= high]
        best = near.pop()
        for candidate in near:
            if self.cheaper(candidate, best):
                best = candidate
        return best

    def cheaper(self, one: Candidate, other: Candidate) -> bool:
        costs, ties = self.electorate.costs, self.electorate.ties
        ours = self.exact(one) * other.rich * costs[other.project]
        theirs = self.exact(other) * one.rich * costs[one.project]
        return (ours, ties[one.project]) < (theirs, ties[other.project])

    def candidate(self, project: int) -> Candidate | None:
        """Split the supporters into poor and rich by the bounds, or exactly where these touch."""
        left, weights, alive = self.left, self.electorate.weights, self.alive
        missing = self.electorate.costs[project] * self.scale
        rich = self.rich[project]
        # Most evaluations end here: the sum is far quicker than the split.
        if missing - self.held_for(project) > self.error * rich:
            return None
        voters = [voter for voter in self.supporters[project] if alive[voter]]
        voters.sort(key=left.__getitem__)
        self.supporters[project] = voters
        poor = 0
        for voter in voters:
            if missing <= left[voter] * rich:
                break
            missing -= left[voter] * weights[voter]
            rich -= weights[voter]
            poor += 1
        else:
            return self.candidate_exactly(project)
        error = self.error
        slack = error * (self.rich[project] - rich)
        if (left[voters[poor]] - error) * rich < missing + slack or (
            poor and (left[voters[poor - 1]] + error) * rich > missing - slack
        ):
            return self.candidate_exactly(project)
        share = rich * self.electorate.costs[project]
        low = (missing - slack << RATIO_BITS) // share
        return Candidate(project, poor, rich, low, (missing + slack << RATIO_BITS) // share + 1)

    def held_for(self, project: int) -> int:
        """Add up what the supporters of a project have left."""
        voters = self.supporters[project]
        held = map(self.left.__getitem__, voters)
        return sum(map(mul, held, map(self.electorate.weights.__getitem__, voters)))

    def candidate_exactly(self, project: int) -> Candidate | None:
        held = {voter: self.held(voter) for voter in self.supporters[project]}
        voters = sorted(held, key=held.__getitem__)
        self.supporters[project] = voters
        missing = self.electorate.costs[project] * self.denominator
        rich = self.rich[project]
        for poor, voter in enumerate(voters):
            if missing <= held[voter] * rich:
                share = rich * self.electorate.costs[project] * self.denominator
                low = (missing * self.scale << RATIO_BITS) // share
                return Candidate(project, poor, rich, low, low + 1, missing)
            missing -= held[voter] * self.electorate.weights[voter]
            rich -= self.electorate.weights[voter]
        return None

    def held(self, voter: int) -> int:
        """Give what a unit of a voter's weight truly has left, over the denominator."""
        rates = self.rates
        return self.endowment - sum(
            rates[project] for project in self.electorate.picks[voter] if project in rates
        )

    def exact(self, candidate: Candidate) -> int:
        if candidate.rate is None:
            cost = self.electorate.costs[candidate.project] * self.denominator
            poor = self.supporters[candidate.project][: candidate.poor]
            candidate.rate = cost - self.money(poor)
        return candidate.rate

    def money(self, voters: Sequence[int]) -> int:
        """Add up exactly what voters hold: as many times each rate as weight has paid it."""
        weights, picks, rates = self.electorate.weights, self.electorate.picks, self.rates
        total = 0
        paid = dict.fromkeys(rates, 0)
        for voter in voters:
            total += weights[voter]
            for project in picks[voter]:
                if project in paid:
                    paid[project] += weights[voter]
        spent = sum(rate * paid[project] for project, rate in rates.items())
        return total * self.endowment - spent

    def buy(self, candidate: Candidate) -> None:
        project, cut = candidate.project, candidate.poor
        numerator = self.exact(candidate)
        poor, rich = self.supporters[project][:cut], self.supporters[project][cut:]
        self.purchases.append(self.purchase(candidate, poor, rich))
        divisor = gcd(numerator, candidate.rich)
        factor = candidate.rich // divisor
        self.endowment *= factor
        self.denominator *= factor
        self.rates = {bought: rate * factor for bought, rate in self.rates.items()}
        self.rates[project] = rate = numerator // divisor
        paid = rate * self.scale // self.denominator
        left, weights = self.left, self.electorate.weights
        for voter in rich:
            left[voter] -= paid
        for voter in poor:
            self.alive[voter] = 0
            left[voter] = 0
            for picked in self.electorate.picks[voter]:
                self.rich[picked] -= weights[voter]
        self.open.remove(project)
        self.spent += self.electorate.costs[project]

    def purchase(self, bought: Candidate, poor: list[int], rich: list[int]) -> Purchase:
        ballots = self.electorate.ballots
        numerator = self.exact(bought)
        paid_by_poor = self.electorate.costs[bought.project] * self.denominator - numerator
        return Purchase(
            project_id=self.electorate.project_ids[bought.project],
            rate=Fraction(numerator, self.denominator * bought.rich),
            in_full=bought.rich,
            in_full_ballots=sum(map(ballots.__getitem__, rich)),
            drained=self.rich[bought.project] - bought.rich,
            drained_ballots=sum(map(ballots.__getitem__, poor)),
            drained_paid=Fraction(paid_by_poor, self.denominator),
        )

    def remaining(self) -> dict[str, Fraction]:
        """Give what the supporters of each project that was not bought still hold together."""
        return {
            self.electorate.project_ids[project]: Fraction(
                self.money([voter for voter in voters if self.alive[voter]]), self.denominator
            )
            for project, voters in enumerate(self.supporters)
            if project not in self.rates
        }


def started(electorate: Electorate, endowment: Fraction) -> Run:
    scale = max(1, (1 << FIXED_BITS) // (endowment.numerator // endowment.denominator + 1))
    start = endowment.numerator * scale // endowment.denominator
    return Run(
        electorate=electorate,
        endowment=endowment.numerator,
        denominator=endowment.denominator,
        scale=scale,
        left=[start] * len(electorate.weights),
        alive=bytearray(b"\1") * len(electorate.weights),
        supporters=list(electorate.supporters),
        rich=list(electorate.behind),
        bound=[(scale << RATIO_BITS) // weight if weight else 0 for weight in electorate.behind],
        open=[project for project, weight in enumerate(electorate.behind) if weight],
    )


def run(
    electorate: Electorate,
    endowment: Fraction,
    stop_above: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> Outcome:
    """Buy until nothing can be bought, or until more than `stop_above` is spent."""
    state = started(electorate, endowment)
    while stop_above is None or state.spent <= stop_above:
        best = state.next()
        if best is None:
            break
        state.buy(best)
        if progress is not None:
            progress(1)
    remaining = state.remaining() if stop_above is None else {}
    return Outcome(state.purchases, state.spent, remaining)
