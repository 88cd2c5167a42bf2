"""The Pabulib format (pabulib.org/format): three sections of semicolon-separated values.

Amounts may have decimals: the units of the election are then the smallest of them. `4000.0` is a
whole amount that some program wrote, and counts as one.

How weights and goals beyond the budget are written into it is told in `pabulib_writer`.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from io import StringIO

from ledger.rules.election import Ballot, Election, Project, RuleRefused
from ledger.rules.rule import EqualShares, Greedy

SECTIONS = ("META", "PROJECTS", "VOTES")
VOTE_TYPES = ("approval", "choose-1", "cumulative", "scoring")
AMOUNT = re.compile(r"\d{1,16}(?:[.,](\d{1,6}))?", re.ASCII)
COUNT = re.compile(r"\d{1,16}(?:\.0+)?", re.ASCII)
GOAL = re.compile(r"goal (\d{1,16}(?:\.\d{1,6})?)", re.ASCII)
# The cost that the format gives to a project that must not be bought, in whole units of currency.
BEYOND_REACH = 999_999_999
# What the comment says of a file whose points are weights.
SPREAD = "#1: each ballot is a set of projects that weighs the sum of its points"


class PabulibRefused(RuleRefused):
    """The file does not follow the format."""


class SectionMissing(PabulibRefused):
    pass


class ColumnMissing(PabulibRefused):
    pass


class MetaMissing(PabulibRefused):
    pass


class CellMalformed(PabulibRefused):
    """A value is not what its column holds."""


class VoteTypeUnknown(PabulibRefused):
    """Only approval and cumulative ballots are counted here, not rankings."""


class RuleNotDeclared(PabulibRefused):
    """The file names no rule, or one that is not counted here."""


@dataclass(frozen=True, slots=True)
class PabulibFile:
    """What a file holds: the election, its description, and what it says of each project."""

    election: Election
    meta: dict[str, str]
    project_rows: dict[str, dict[str, str]]

    @property
    def declared_rule(self) -> str:
        """The name that the format gives to the rule that was used; empty when unsaid."""
        return self.meta.get("rule", "")

    @property
    def official_winners(self) -> frozenset[str] | None:
        """The projects marked as selected; None where the file does not say."""
        rows = self.project_rows.values()
        if not rows or not all(row.get("selected") for row in rows):
            return None
        return frozenset(row["project_id"] for row in rows if row["selected"] == "1")

    @property
    def support_min(self) -> int:
        """What a project needs to be funded by greedy: a supporter at least, as in every city."""
        threshold = self.meta.get("min_project_score_threshold")
        return max(1, count(threshold, "min_project_score_threshold")) if threshold else 1

    @property
    def points_are_weights(self) -> bool:
        """Tell whether the file says that its points add up to the weight of a ballot."""
        return self.meta.get("comment") == SPREAD

    @property
    def has_points(self) -> bool:
        return any(ballot.points is not None for ballot in self.election.ballots)

    def rule(self) -> Greedy | EqualShares:
        """Give the rule that the file declares. Raises RuleNotDeclared."""
        match self.declared_rule:
            case "greedy" | "greedy-threshold" | "greedy-no-skip" as name:
                return Greedy(
                    by="points" if self.has_points else "weight",
                    misfit="stop" if name == "greedy-no-skip" else "skip",
                    support_min=self.support_min,
                )
            case "equalshares":
                return EqualShares()
            case "equalshares/add1":
                # The increment is one of the currency, and the format counts from a whole share.
                step = 10**self.election.decimals
                return EqualShares(completion="add1", increment=step, start="whole")
            case other:
                raise RuleNotDeclared(other or "none")


def read(text: str, *, points_weigh: bool = False) -> PabulibFile:
    """Read a file of the format; `points_weigh` lets a ballot weigh the sum of its points.

    Raises PabulibRefused, or ElectionRefused.
    """
    sections = split_up(text)
    meta = {row[0].strip(): (row[1] if len(row) > 1 else "").strip() for row in sections["META"]}
    for key in ("budget", "vote_type"):
        if not meta.get(key):
            raise MetaMissing(key)
    if meta["vote_type"] not in VOTE_TYPES:
        raise VoteTypeUnknown(meta["vote_type"])
    rows = {row["project_id"]: row for row in table(sections["PROJECTS"], "project_id", "cost")}
    if len(rows) != len(sections["PROJECTS"]) - 1:
        raise CellMalformed("PROJECTS: a project_id is there twice")
    costs = {name: goal_of(row) for name, row in rows.items()}
    decimals = max(map(decimals_of, [meta["budget"], *costs.values()]))
    projects = [Project(name, units(cost, decimals)) for name, cost in costs.items()]
    kind = meta["vote_type"] if meta["vote_type"] in ("cumulative", "scoring") else "approval"
    election = Election(
        election_id=meta.get("instance", ""),
        budget=units(meta["budget"], decimals),
        projects=tuple(projects),
        ballots=tuple(
            weighed(row) if points_weigh and kind == "cumulative" else ballot(row, kind)
            for row in table(sections["VOTES"], "voter_id", "vote")
        ),
        decimals=decimals,
    )
    return PabulibFile(election, meta, rows)


def split_up(text: str) -> dict[str, list[list[str]]]:
    sections: dict[str, list[list[str]]] = {}
    current: list[list[str]] | None = None
    try:
        for row in csv.reader(StringIO(text.removeprefix("\N{BYTE ORDER MARK}")), delimiter=";"):
            if not any(cell.strip() for cell in row):
                continue
            title = row[0].strip().upper()
            if title in SECTIONS and len([cell for cell in row if cell]) == 1:
                current = sections[title] = []
            elif current is None:
                raise SectionMissing("META")
            else:
                current.append(row)
    except csv.Error as failure:
        raise CellMalformed(str(failure)) from failure
    for title in SECTIONS:
        if title not in sections:
            raise SectionMissing(title)
    # The first row of META names its two columns.
    if sections["META"] and [cell.strip() for cell in sections["META"][0][:2]] == ["key", "value"]:
        del sections["META"][0]
    return sections


def table(rows: list[list[str]], *wanted: str) -> Iterator[dict[str, str]]:
    header = [cell.strip() for cell in rows[0]] if rows else []
    for name in wanted:
        if name not in header:
            raise ColumnMissing(name)
    for row in rows[1:]:
        cells = [cell.strip() for cell in row] + [""] * (len(header) - len(row))
        yield dict(zip(header, cells, strict=False))


def goal_of(row: Mapping[str, str]) -> str:
    """Give what a project costs, as text: its goal, where its cost only says that it is dear."""
    goal = GOAL.fullmatch(row.get("description", ""))
    if goal and AMOUNT.fullmatch(row["cost"]) and units(row["cost"], 0) == BEYOND_REACH:
        return goal.group(1)
    return row["cost"]


def ballot(row: Mapping[str, str], kind: str) -> Ballot:
    """Read one vote. A pick without a point is no pick, and a pick named twice is one pick."""
    pairs = given(row)
    if kind == "approval" or pairs is None:
        return Ballot(tuple(dict.fromkeys(picked(row))))
    found: dict[str, int] = defaultdict(int)
    for pick, points in pairs:
        found[pick] += points
    chosen = {pick: points for pick, points in found.items() if points}
    return Ballot(tuple(chosen), points=tuple(chosen.values()))


def weighed(row: Mapping[str, str]) -> Ballot:
    """Read one of our ballots: here a pick may well have no point, where cents were too few."""
    pairs = given(row)
    if not pairs:
        raise CellMalformed(f"points: none for {row['vote']}")
    return Ballot(tuple(pick for pick, _ in pairs), sum(points for _, points in pairs))


def picked(row: Mapping[str, str]) -> list[str]:
    return [pick.strip() for pick in row["vote"].split(",") if pick.strip()]


def given(row: Mapping[str, str]) -> list[tuple[str, int]] | None:
    """Read each pick with its points; None where the vote has no points at all."""
    if not row.get("points"):
        return None
    picks = picked(row)
    points = [count(one.strip(), "points") for one in row["points"].split(",")]
    if len(points) != len(picks):
        raise CellMalformed(f"points: {row['points']} for {row['vote']}")
    return list(zip(picks, points, strict=True))


def count(text: str, column: str) -> int:
    if not COUNT.fullmatch(text):
        raise CellMalformed(f"{column}: {text}")
    return int(text.split(".", maxsplit=1)[0])


def decimals_of(text: str) -> int:
    found = AMOUNT.fullmatch(text)
    if found is None:
        raise CellMalformed(f"amount: {text}")
    written = found.group(1) or ""
    return 0 if written == "0" else len(written)


def units(text: str, decimals: int) -> int:
    return int(Decimal(text.replace(",", ".")).scaleb(decimals))


def amount(value: int, decimals: int) -> str:
    """Write units as an amount of the currency, with all its decimals."""
    return str(Decimal(value).scaleb(-decimals)) if decimals else str(value)
