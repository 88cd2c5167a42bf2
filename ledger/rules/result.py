"""What a tally says: every unit accounted for, and for each project why it got what it got."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal

from ledger.canonical import canonical
from ledger.rules.election import Election, Group
from ledger.rules.rule import AnyRule

Ending = Literal[
    "funded",  # Its whole cost.
    "partly_funded",
    "unaffordable",  # Its supporters' shares did not pay for it.
    "does_not_fit",  # Its cost was more than the money that was left at its turn.
    "below_threshold",  # Too few ballots chose it.
    "not_reached",  # The rule ended before its turn.
    "unsupported",
]


@dataclass(frozen=True, slots=True)
class Payers:
    """Who paid for a project under equal shares: ballots that paid the rate, or all they had."""

    in_full_ballots: int
    in_full_weight: int
    drained_ballots: int
    drained_weight: int
    drained_paid: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """One project: `amount` of its `cost`, or the `lacked` units that were missing.

    `place` is its turn among the funded. `price` is what a unit of weight paid for it, and
    `price_per_unit` the same for a unit of its cost: the least of these is bought first. Both
    are exact fractions.
    """

    project_id: str
    cost: int
    support: int
    ballots: int
    ending: Ending
    amount: int = 0
    lacked: int = 0
    place: int | None = None
    stage: Literal["rule", "completion"] | None = None
    price: str | None = None
    price_per_unit: str | None = None
    payers: Payers | None = None


@dataclass(frozen=True)
class Result:
    """The outcome of one election under one rule; `spent + left == budget`, to the unit.

    `figures` are what the rule found on its way, and `trace` its steps, in order.
    """

    election: Election
    rule: AnyRule
    explanations: tuple[Explanation, ...]
    winners: tuple[str, ...]
    figures: Mapping[str, int | str] = field(default_factory=dict)
    trace: tuple[dict[str, Any], ...] = ()

    @property
    def awards(self) -> dict[str, int]:
        """What each project gets, by the order of their ids."""
        return {one.project_id: one.amount for one in self.explanations}

    @property
    def spent(self) -> int:
        return sum(one.amount for one in self.explanations)

    @property
    def left(self) -> int:
        return self.election.budget - self.spent

    def to_json(self) -> bytes:
        """Write the result in its one form; who counts the same ballots gets the same bytes."""
        return self.written

    @cached_property
    def written(self) -> bytes:
        return canonical(
            {
                "ballots": len(self.election.ballots),
                "budget": self.election.budget,
                "decimals": self.election.decimals,
                "election_id": self.election.election_id,
                "election_sha256": self.election.sha256,
                "figures": dict(self.figures),
                "left": self.left,
                "projects": [asdict(one) for one in self.explanations],
                "rule_sha256": self.rule.sha256,
                "spent": self.spent,
                "version": 1,
                "winners": list(self.winners),
            }
        )

    def trace_json(self) -> bytes:
        """Write the steps, bound to the result by its hash."""
        return canonical({"result_sha256": self.sha256, "steps": list(self.trace), "version": 1})

    @property
    def sha256(self) -> str:
        return sha256(self.to_json()).hexdigest()


def supports(election: Election, groups: Sequence[Group]) -> dict[str, int]:
    """Add up the weight behind each project."""
    found = dict.fromkeys(election.costs, 0)
    for group in groups:
        for pick in group.picks:
            found[pick] += group.weight
    return found


def votes(election: Election, groups: Sequence[Group]) -> dict[str, int]:
    """Count the ballots that picked each project."""
    return supports(election, [replace(group, weight=group.ballots) for group in groups])


def unsettled(
    election: Election, support: Mapping[str, int], ballots: Mapping[str, int], ending: Ending
) -> dict[str, Explanation]:
    """Begin explaining: every project gets nothing yet, for a reason or for want of support."""
    return {
        project_id: Explanation(
            project_id=project_id,
            cost=cost,
            support=support[project_id],
            ballots=ballots[project_id],
            ending=ending if support[project_id] else "unsupported",
            lacked=cost,
        )
        for project_id, cost in election.costs.items()
    }


def paid(explanation: Explanation, amount: int, place: int | None = None) -> Explanation:
    """Say that a project gets an amount, perhaps all of its cost."""
    if not amount:
        return explanation
    return replace(
        explanation,
        amount=amount,
        lacked=max(0, explanation.cost - amount),
        ending="funded" if amount >= explanation.cost else "partly_funded",
        place=place,
        stage="rule",
    )
