"""For each rule, five voters counted by the rule itself: what the pages explain it with."""

from dataclasses import dataclass
from typing import Any, Final

from ledger.rules.election import Ballot, Election, Project
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
from ledger.rules.tally import tally

VOTERS: Final = ("Alice", "Bruno", "Chloé", "Driss", "Emma")
BALLOTS: Final = (
    Ballot(("bikes",), 400),
    Ballot(("bikes", "garden"), 300),
    Ballot(("garden", "library"), 200),
    Ballot(("garden",), 50),
    Ballot(("bikes", "library"), 50),
)
GIVEN: Final = sum(ballot.weight for ballot in BALLOTS)


@dataclass(frozen=True, slots=True)
class Example:
    """An election of five voters, and its result by one rule."""

    voters: tuple[str, ...]
    result: Result

    def described(self) -> dict[str, Any]:
        """Give what a page shows: who voted what, the steps, and what each project got."""
        election = self.result.election
        return {
            "rule": self.result.rule.name,
            "budget": election.budget,
            "projects": election.costs,
            "ballots": [
                {"voter": voter, "cents": ballot.weight, "picks": list(ballot.picks)}
                for voter, ballot in zip(self.voters, election.ballots, strict=True)
            ],
            "steps": list(self.result.trace),
            "winners": list(self.result.winners),
            "projects_explained": list(self.result.explanations),
            "spent": self.result.spent,
            "left": self.result.left,
        }


def election(rule: AnyRule) -> Election:
    """Five voters and three projects, with costs that show what is special about a rule."""
    bikes, garden, library = 500, 300, 250
    budget = GIVEN
    if isinstance(rule, Quadratic):
        bikes, garden, library = 900, 900, 400
        budget = GIVEN + 600
    return Election(
        election_id=f"example-{rule.name}",
        budget=budget,
        projects=(
            Project("bikes", bikes),
            Project("garden", garden),
            Project("library", library),
        ),
        ballots=BALLOTS,
        decimals=2,
    )


SHOWN: Final[tuple[AnyRule, ...]] = (
    Directed(),
    EqualShares(completion="add1", increment=1, increment_per=100, then="greedy"),
    Greedy(),
    Proportional(),
    Threshold(supporters_min=3),
    Quadratic(match_cap_percent=50),
)


def examples() -> dict[str, Example]:
    """Count the example of each rule, by its name."""
    return {rule.name: Example(VOTERS, tally(election(rule), rule)) for rule in SHOWN}
