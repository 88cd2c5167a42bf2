"""Writing elections in the Pabulib format, so that the format's own checker finds no error.

The format has no weights. A ballot that weighs more than one is written as a cumulative one: its
points, spread equally over its picks, add up to its weight, and a reader who knows that
(`points_weigh`) gets the very ballot back. A project dearer than the budget has the cost that the
format keeps for projects that cannot be bought, and every project then says its goal.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO

from ledger.rules.election import Election
from ledger.rules.pabulib import BEYOND_REACH, SPREAD, PabulibRefused, amount
from ledger.rules.result import votes
from ledger.rules.rule import AnyRule, EqualShares, Greedy

# What a spreadsheet or a reader could take for a border: no id may hold it, and no text has it.
BORDERS = re.compile(r"[;,\r\n\"]")
IN_TEXT = re.compile(r"[;\s\"]+")


class NotWritable(PabulibRefused):
    """An id holds a border of the format, or a ballot is none of the kinds that it knows."""


def write(
    election: Election, meta: Mapping[str, str], projects: Mapping[str, Mapping[str, str]]
) -> str:
    """Write an election in the order given, ballots numbered from 1.

    `meta` describes it (`description`, `country`, `unit`, `date_begin`, `date_end`, `rule`, …),
    `projects` adds columns such as `name`; the figures are filled in. Raises NotWritable.
    """
    lines = votes_of(election)
    written = StringIO()
    rows = csv.writer(written, delimiter=";", lineterminator="\n", quoting=csv.QUOTE_NONE)
    try:
        head = described(election, meta, lines)
        rows.writerows([["META"], ["key", "value"], *map(list, head.items())])
        rows.writerows([["PROJECTS"], *project_lines(election, projects, lines)])
        points = ["points"] * any(line.points for line in lines)
        rows.writerows([["VOTES"], ["voter_id", "vote", *points]])
        for number, line in enumerate(lines, 1):
            given = [",".join(map(str, line.points))] if points else []
            rows.writerow([number, ",".join(line.picks), *given])
    except csv.Error as failure:
        raise NotWritable(str(failure)) from failure
    return written.getvalue()


@dataclass(frozen=True, slots=True)
class Line:
    """One vote as it is written; it has points where any vote has."""

    picks: tuple[str, ...]
    points: tuple[int, ...]


def votes_of(election: Election) -> list[Line]:
    ballots = election.ballots
    weigh = any(one.weight != 1 for one in ballots)
    cumulative = any(one.points is not None for one in ballots)
    if weigh and (cumulative or not all(one.picks for one in ballots)):
        raise NotWritable("a weight is written as points: a ballot has one of them, and a pick")
    if weigh:
        return [Line(one.picks, spread(one.weight, len(one.picks))) for one in ballots]
    if cumulative:
        return [Line(one.picks, one.points or (1,) * len(one.picks)) for one in ballots]
    return [Line(one.picks, ()) for one in ballots]


def spread(weight: int, picks: int) -> tuple[int, ...]:
    """Split a weight equally, the first picks having what remains."""
    whole, rest = divmod(weight, picks)
    return tuple(whole + (place < rest) for place in range(picks))


META_ORDER = (
    *("description", "country", "unit", "district", "subunit", "instance", "num_projects"),
    *("num_votes", "budget", "vote_type", "rule", "date_begin", "date_end", "min_length"),
    *("max_length", "max_points", "max_sum_points", "min_project_score_threshold", "edition"),
    *("language", "currency", "fully_funded", "comment"),
)


def described(election: Election, meta: Mapping[str, str], lines: list[Line]) -> dict[str, str]:
    cumulative = any(line.points for line in lines)
    found = {
        **meta,
        "instance": election.election_id,
        "num_projects": str(len(election.projects)),
        "num_votes": str(len(lines)),
        "budget": amount(election.budget, election.decimals),
        "vote_type": "cumulative" if cumulative else "approval",
    }
    if cumulative:
        found = {"max_sum_points": str(max(sum(line.points) for line in lines)), **found}
    if any(ballot.weight != 1 for ballot in election.ballots):
        found = {"comment": SPREAD, **found}
    if affordable(election):
        found["fully_funded"] = "1"
    if unknown := found.keys() - set(META_ORDER):
        raise NotWritable(f"META: {', '.join(sorted(unknown))}")
    return {key: plain(found[key]) for key in META_ORDER if found.get(key)}


def affordable(election: Election) -> bool:
    """Tell whether the budget is enough for all, in whole units of currency as the format does."""
    unit: int = 10**election.decimals
    wanted = sum(one.cost // unit for one in election.projects)
    return wanted <= election.budget // unit


def plain(text: str) -> str:
    """Give a text without what the format, or a spreadsheet, would take for a border."""
    return IN_TEXT.sub(" ", text).strip()


COLUMNS = ("name", "category", "district", "latitude", "longitude")
MAY_BE_EMPTY = ("category", "latitude", "longitude")


def project_lines(
    election: Election, projects: Mapping[str, Mapping[str, str]], lines: list[Line]
) -> Iterator[list[str]]:
    """Give the projects' section. A column that may not be empty is there when all have it."""
    rows = [projects.get(project.project_id, {}) for project in election.projects]
    columns = [
        name
        for name in COLUMNS
        if (any if name in MAY_BE_EMPTY else all)(row.get(name) for row in rows)
    ]
    chosen = votes(election, election.groups("purchase"))
    scores: dict[str, int] = defaultdict(int)
    for line in lines:
        for pick, points in zip(line.picks, line.points, strict=False):
            scores[pick] += points
    unit: int = 10**election.decimals
    dear = any(project.cost // unit > election.budget // unit for project in election.projects)
    yield [
        *("project_id", "cost", "votes"),
        *(["score"] if any(line.points for line in lines) else []),
        *columns,
        *(["description"] if dear else []),
    ]
    for project, row in zip(election.projects, rows, strict=True):
        beyond = project.cost // unit > election.budget // unit
        yield [
            checked(project.project_id),
            amount(BEYOND_REACH * unit if beyond else project.cost, election.decimals),
            str(chosen[project.project_id]),
            *([str(scores[project.project_id])] if any(line.points for line in lines) else []),
            *(plain(row.get(name, "")) for name in columns),
            *([f"goal {amount(project.cost, election.decimals)}"] if dear else []),
        ]


def checked(project_id: str) -> str:
    if BORDERS.search(project_id) or project_id != project_id.strip() or not project_id:
        raise NotWritable(project_id)
    return project_id


def rule_meta(rule: AnyRule) -> dict[str, str]:
    """Give what the format's META says of a rule; `unknown` is one of its names."""
    match rule:
        case Greedy(misfit="stop"):
            return {"rule": "greedy-no-skip"}
        case Greedy(support_min=0 | 1):
            return {"rule": "greedy"}
        case Greedy(support_min=least):
            return {"rule": "greedy-threshold", "min_project_score_threshold": str(least)}
        case EqualShares(completion="none", then="nothing"):
            return {"rule": "equalshares"}
        case EqualShares(completion="add1", then="nothing", stop="over_budget"):
            return {"rule": "equalshares/add1"}
        case _:
            return {"rule": "unknown"}
