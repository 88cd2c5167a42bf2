"""The six rules with every parameter that can change a result, as canonical JSON with a hash."""

import json
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

from ledger.canonical import INTEGER_MAX, canonical
from ledger.rules.election import RuleRefused, Weighting

# How ties are broken everywhere; part of the frozen rule, so that nobody has to guess it.
TIES = ["more_support", "lower_cost", "sha256_of_election_and_project"]

# How the ballots of the published file are read, where points are no preference.
BALLOTS = "sets_of_picks_weighing_the_sum_of_their_points"
BALLOTS_WITH_POINTS = "points_of_each_pick"
# What every rule but the one by points says beside its own parameters.
STATED: dict[str, Any] = {"ballots": BALLOTS, "ties": TIES, "version": 1}

Measure = Literal["votes", "weight", "points"]

# How many runs add-1 makes at most: ten times what a fine count of a large town takes.
RUNS_MAX = 10_000


class RuleMalformed(RuleRefused):
    """The text is no JSON object of a rule."""


class RuleUnknown(RuleRefused):
    """No rule has this name."""


class ParameterMissing(RuleRefused):
    pass


class ParameterUnknown(RuleRefused):
    pass


class ParameterRefused(RuleRefused):
    """The value of a parameter is not one that the rule can follow."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What all rules share: a name, and one way to be written down."""

    name: ClassVar[str]

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for field in fields(self):
            checked(field.name, getattr(self, field.name), hints[field.name])

    def canonical(self) -> bytes:
        """Write the rule in its one form (RFC 8785)."""
        said = {name: value for name, value in asdict(self).items() if value is not None}
        stated = {**STATED, "ballots": self.ballots, "version": self.version}
        return canonical({"rule": self.name, **stated, **said})

    @property
    def version(self) -> int:
        """The version of the rule's JSON, which says what its members are."""
        return 1

    @property
    def ballots(self) -> str:
        """How the ballots of a file are read: only a rule by points takes points for points."""
        by_points = getattr(self, "by", None) == "points"
        return BALLOTS_WITH_POINTS if by_points else BALLOTS

    @property
    def points_weigh(self) -> bool:
        return self.ballots == BALLOTS

    @property
    def sha256(self) -> str:
        return sha256(self.canonical()).hexdigest()


@dataclass(frozen=True, slots=True)
class Directed(Rule):
    """A gift is split equally over its picks; what passes a goal goes to its other picks."""

    name: ClassVar[str] = "directed"


@dataclass(frozen=True, slots=True)
class EqualShares(Rule):
    """Every unit of weight holds an equal share of the budget and pays for what it approves.

    `increment` units are added to what `increment_per` of weight holds, again and again, while
    the result stays within the budget (`add1`). `start` says from where: the exact share, or the
    share without its fraction, as some cities do. `stop` may end that earlier, once nothing more
    fits.

    A run counts all purchases for one endowment. An increment is passed over without a run while
    no project that the last run left out could be paid by its supporters, had they paid for
    nothing else. After `runs_max` runs beside the first, none of them over the budget, the last
    one holds. Version 1 of the rule did not say this limit, and meant 10,000.
    """

    name: ClassVar[str] = "equal_shares"
    weight: Weighting = "cents"
    completion: Literal["none", "add1"] = "none"
    increment: int = 1
    increment_per: int = 1
    start: Literal["exact", "whole"] = "exact"
    stop: Literal["over_budget", "exhausted"] = "over_budget"
    then: Literal["greedy", "nothing"] = "nothing"
    runs_max: int | None = RUNS_MAX

    @property
    def version(self) -> int:
        return 1 if self.runs_max is None else 2


@dataclass(frozen=True, slots=True)
class Greedy(Rule):
    """Projects in the order of their support, while the money lasts.

    `misfit` says what follows a project that no longer fits: the next ones, or the end. With a
    `support_min` of 0, a project that nobody chose is funded too when it fits, as the Pabulib
    format counts.
    """

    name: ClassVar[str] = "greedy"
    by: Measure = "votes"
    misfit: Literal["skip", "stop"] = "skip"
    support_min: int = 1


@dataclass(frozen=True, slots=True)
class Proportional(Rule):
    """The budget is shared in proportion to support, each ballot's weight over its picks.

    `cap_at_cost` stops a project at its goal and shares the excess among the others.
    """

    name: ClassVar[str] = "proportional"
    weight: Weighting = "cents"
    cap_at_cost: bool = True


@dataclass(frozen=True, slots=True)
class Threshold(Rule):
    """A project enters once enough ballots chose it, then gets a share of their own flow."""

    name: ClassVar[str] = "threshold"
    supporters_min: int = 30
    share_percent: int = 100


@dataclass(frozen=True, slots=True)
class Quadratic(Rule):
    """Gifts go where they are directed; the rest of the budget tops up what many people chose.

    `match_cap_percent` is the largest part of the match that one project may take.
    """

    name: ClassVar[str] = "quadratic"
    match_cap_percent: int = 30


AnyRule = Directed | EqualShares | Greedy | Proportional | Threshold | Quadratic
RULES: dict[str, type[AnyRule]] = {one.name: one for one in get_args(AnyRule)}

AT_LEAST = {"support_min": 0}
AT_MOST = {
    "share_percent": 100,
    "match_cap_percent": 100,
    "increment_per": 10_000,
    "runs_max": RUNS_MAX,
}
# What the first version of a rule did not say.
UNSAID_IN_VERSION_1 = frozenset({"runs_max"})


def checked(name: str, value: Any, hint: Any) -> None:
    if get_origin(hint) is Literal:
        accepted = isinstance(value, str) and value in get_args(hint)
    elif hint is bool:
        accepted = isinstance(value, bool)
    elif value is None:
        accepted = name in UNSAID_IN_VERSION_1
    else:
        accepted = type(value) is int and AT_LEAST.get(name, 1) <= value <= AT_MOST.get(
            name, INTEGER_MAX
        )
    if not accepted:
        raise ParameterRefused(f"{name}: {value!r}")


def parse(text: str | bytes) -> AnyRule:
    """Read a rule back. Raises RuleRefused: nothing is guessed, every parameter must be there."""
    try:
        members = json.loads(text)
    except (ValueError, RecursionError) as failure:
        raise RuleMalformed(str(failure)) from failure
    if not isinstance(members, dict):
        raise RuleMalformed("no JSON object")
    name = members.pop("rule", None)
    # The first rules did not say how ballots are read, and none of them was by points.
    ballots = members.pop("ballots", BALLOTS)
    version, ties = members.pop("version", None), members.pop("ties", None)
    if not isinstance(name, str) or name not in RULES:
        raise RuleUnknown(str(name))
    if type(version) is not int:
        raise ParameterRefused(f"version: {version!r}")
    if ties != TIES:
        raise ParameterRefused(f"ties: {ties!r}")
    kind = RULES[name]
    wanted = {field.name for field in fields(kind)}
    unsaid = wanted & UNSAID_IN_VERSION_1 if version == 1 else set()
    wanted -= unsaid
    if missing := wanted - members.keys():
        raise ParameterMissing(", ".join(sorted(missing)))
    if unknown := members.keys() - wanted:
        raise ParameterUnknown(", ".join(sorted(unknown)))
    rule = kind(**members | dict.fromkeys(unsaid))
    if version != rule.version:
        raise ParameterRefused(f"version: {version!r}")
    if ballots != rule.ballots:
        raise ParameterRefused(f"ballots: {ballots!r}")
    return rule
