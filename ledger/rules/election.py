"""What a vote rule counts: money, projects, and ballots merged into cells of equal ballots."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal

from ledger.canonical import INTEGER_MAX, canonical

Weighting = Literal["cents", "purchase"]


class RuleRefused(Exception):
    """An election, a rule or a file that cannot be counted. Its subclasses say why."""


class ElectionRefused(RuleRefused):
    """The election contradicts itself."""


class ProjectListedTwice(ElectionRefused):
    pass


class ProjectUnknown(ElectionRefused):
    pass


class PickedTwice(ElectionRefused):
    pass


class PointsDoNotMatch(ElectionRefused):
    """A ballot with points gives one to each pick, none of them negative."""


class AmountOutOfBounds(ElectionRefused):
    """Amounts are whole units, in all at most 2^53 - 1; a cost or a weight is at least 1."""


@dataclass(frozen=True, slots=True)
class Project:
    """`cost` in the election's units: its price, or its goal where a rule pays in part."""

    project_id: str
    cost: int


@dataclass(frozen=True, slots=True)
class Ballot:
    """The projects somebody chose; `weight` is the cents of her gift, 1 where all count alike."""

    picks: tuple[str, ...]
    weight: int = 1
    points: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """`count` equal ballots: same picks in the order of their ids, same points, same weight."""

    picks: tuple[str, ...]
    points: tuple[int, ...]
    each: int
    count: int


@dataclass(frozen=True, slots=True)
class Group:
    """All ballots of the same picks: how much they weigh together, and how many they are."""

    picks: tuple[str, ...]
    weight: int
    ballots: int


@dataclass(frozen=True)
class Election:
    """One vote: `budget` and costs in units of a currency with `decimals` decimals.

    Raises ElectionRefused.
    """

    election_id: str
    budget: int
    projects: tuple[Project, ...]
    ballots: tuple[Ballot, ...]
    decimals: int = 0

    def __post_init__(self) -> None:
        known = {project.project_id for project in self.projects}
        if len(known) != len(self.projects):
            raise ProjectListedTwice(self.election_id)
        bounded([self.budget], least=0)
        bounded((project.cost for project in self.projects), least=1)
        bounded((ballot.weight for ballot in self.ballots), least=1)
        for ballot in self.ballots:
            accepted(ballot, known)
        bounded((one.weight * sum(one.points or ()) for one in self.ballots), least=0)

    @cached_property
    def costs(self) -> dict[str, int]:
        """The cost of each project, in the order of their ids."""
        return {one.project_id: one.cost for one in sorted(self.projects, key=by_id)}

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The ballots merged, in an order that does not depend on theirs."""
        found = Counter(map(ordered, self.ballots))
        return tuple(sorted(Cell(*ballot, count=count) for ballot, count in found.items()))

    @cached_property
    def sha256(self) -> str:
        """What was counted, as one hash: the order of projects and ballots is no part of it."""
        return sha256(canonical(self.described())).hexdigest()

    def described(self) -> dict[str, Any]:
        return {
            "budget": self.budget,
            "cells": [
                {
                    "count": cell.count,
                    "picks": list(cell.picks),
                    "points": list(cell.points),
                    "weight": cell.each,
                }
                for cell in self.cells
            ],
            "costs": self.costs,
            "decimals": self.decimals,
            "election_id": self.election_id,
        }

    def groups(self, weighting: Weighting) -> list[Group]:
        """Merge ballots of the same picks; `purchase` lets every ballot weigh 1."""
        weights: dict[tuple[str, ...], int] = defaultdict(int)
        ballots: dict[tuple[str, ...], int] = defaultdict(int)
        for cell in self.cells:
            weights[cell.picks] += cell.count * (cell.each if weighting == "cents" else 1)
            ballots[cell.picks] += cell.count
        return [Group(picks, weight, ballots[picks]) for picks, weight in weights.items()]


def by_id(project: Project) -> str:
    return project.project_id


def bounded(amounts: Iterable[int], least: int) -> None:
    total = 0
    for amount in amounts:
        if amount < least:
            raise AmountOutOfBounds(amount)
        total += amount
    if total > INTEGER_MAX:
        raise AmountOutOfBounds(total)


def accepted(ballot: Ballot, known: set[str]) -> None:
    picked = set(ballot.picks)
    if len(picked) != len(ballot.picks):
        raise PickedTwice(", ".join(ballot.picks))
    if not picked <= known:
        raise ProjectUnknown(", ".join(sorted(picked - known)))
    if ballot.points is not None:
        if len(ballot.points) != len(ballot.picks):
            raise PointsDoNotMatch(f"{len(ballot.picks)} picks, {len(ballot.points)} points")
        if min(ballot.points, default=0) < 0:
            raise PointsDoNotMatch(", ".join(map(str, ballot.points)))


def ordered(ballot: Ballot) -> tuple[tuple[str, ...], tuple[int, ...], int]:
    if ballot.points is None:
        return tuple(sorted(ballot.picks)), (), ballot.weight
    pairs = sorted(zip(ballot.picks, ballot.points, strict=True))
    return tuple(pick for pick, _ in pairs), tuple(given for _, given in pairs), ballot.weight
