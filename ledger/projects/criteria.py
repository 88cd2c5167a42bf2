"""The published criteria that ideas are evaluated by, as versioned data.

What each criterion asks, in words, is in `api/templates/project/_words.html` by its key. A version
that was used is never edited: scores name it for ever.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Criterion:
    """An evaluator gives 0 to `points_max` points."""

    key: str
    points_max: int


@dataclass(frozen=True, slots=True)
class Criteria:
    """`pass_percent`: of all points that the evaluators could give, how many an idea needs.

    They are in force from the day they are published on: nothing is scored by them before.
    """

    version: int
    published_on: date
    criteria: tuple[Criterion, ...]
    evaluators_min: int
    pass_percent: int

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(one.key for one in self.criteria)

    @property
    def points_max(self) -> int:
        """The most points that one evaluator gives."""
        return sum(one.points_max for one in self.criteria)

    def passes(self, points: int, points_max: int) -> bool:
        """Tell whether so many points are enough, in whole numbers."""
        return points * 100 >= self.pass_percent * points_max

    def needed(self, points_max: int) -> int:
        """Give the fewest points that pass."""
        return -(-self.pass_percent * points_max // 100)


CRITERIA: tuple[Criteria, ...] = (
    Criteria(
        version=1,
        published_on=date(2026, 9, 1),
        criteria=(
            Criterion("common_good", 5),
            Criterion("for_many", 5),
            Criterion("carried_here", 4),
            Criterion("feasible", 4),
            Criterion("frugal", 3),
            Criterion("lasting", 3),
            Criterion("open_to_all", 3),
            Criterion("kind_to_nature", 3),
        ),
        evaluators_min=2,
        pass_percent=50,
    ),
)


def in_force(on: date) -> Criteria | None:
    """Give the newest criteria published by a day, None when there were none."""
    return next((one for one in reversed(CRITERIA) if one.published_on <= on), None)


def criteria(version: int) -> Criteria | None:
    """Give published criteria, None when there are none of this version."""
    return next((one for one in CRITERIA if one.version == version), None)
