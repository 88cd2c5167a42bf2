"""How scores become a verdict: whole points, by published criteria, without interested people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from ledger.calendar import civil_day
from ledger.decider import Refused
from ledger.projects.criteria import Criteria, in_force
from ledger.projects.idea_events import IdeaEvaluated, IdeaScored, ScoreIdea, Verdict


class CriteriaUnknown(Refused):
    """These are not the criteria in force: they must be published before anybody scores by them."""


class ScoresIncomplete(Refused):
    """Every criterion is scored once, within its points, and nothing else is."""


class TooFewEvaluators(Refused):
    """More people without an interest must score the idea under the criteria in force."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the scores that count come to."""

    version: int
    evaluators: tuple[str, ...]
    points: int
    points_max: int
    verdict: Verdict


def newest(on: date) -> Criteria:
    """Give the criteria in force on a day. Raises CriteriaUnknown."""
    known = in_force(on)
    if known is None:
        raise CriteriaUnknown(in_force=0)
    return known


def scored_by(command: ScoreIdea) -> Criteria:
    """Give the criteria that scores are complete under.

    Raises CriteriaUnknown, ScoresIncomplete.
    """
    known = newest(civil_day(command.at))
    if known.version != command.criteria_version:
        raise CriteriaUnknown(version=command.criteria_version, in_force=known.version)
    given = {score.criterion: score.points for score in command.scores}
    fitting = all(
        one.key in given and given[one.key] <= one.points_max for one in known.criteria
    ) and len(command.scores) == len(known.criteria)
    if not fitting:
        raise ScoresIncomplete(criteria=list(known.keys))
    return known


def points_of(scored: IdeaScored) -> int:
    return sum(score.points for score in scored.scores)


def counting(
    scores: Mapping[str, IdeaScored], conflicts: Iterable[str], version: int
) -> list[IdeaScored]:
    """Give the scores that count: under these criteria, of people without an interest."""
    barred = set(conflicts)
    found = (scored for actor, scored in sorted(scores.items()) if actor not in barred)
    return [scored for scored in found if scored.criteria_version == version]


WhyLeftOut = Literal["interest", "older_criteria", "author"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Scores that a closed evaluation does not count, and why."""

    scored: IdeaScored
    why: WhyLeftOut


def left_out(
    scores: Mapping[str, IdeaScored], conflicts: Iterable[str], evaluated: IdeaEvaluated
) -> list[LeftOut]:
    """Give the scores that a closed evaluation did not count."""
    barred, counted = set(conflicts), set(evaluated.evaluators)

    def why(scored: IdeaScored) -> WhyLeftOut:
        if scored.actor in barred:
            return "interest"
        older = scored.criteria_version != evaluated.criteria_version
        return "older_criteria" if older else "author"

    return [LeftOut(one, why(one)) for actor, one in sorted(scores.items()) if actor not in counted]


def evaluation(scores: Mapping[str, IdeaScored], conflicts: Iterable[str], on: date) -> Evaluation:
    """Add the scores up under the criteria in force. Raises CriteriaUnknown, TooFewEvaluators."""
    known = newest(on)
    counted = counting(scores, conflicts, known.version)
    if len(counted) < known.evaluators_min:
        raise TooFewEvaluators(evaluators=len(counted), evaluators_min=known.evaluators_min)
    points = sum(map(points_of, counted))
    points_max = known.points_max * len(counted)
    return Evaluation(
        version=known.version,
        evaluators=tuple(scored.actor for scored in counted),
        points=points,
        points_max=points_max,
        verdict="retained" if known.passes(points, points_max) else "not_retained",
    )
