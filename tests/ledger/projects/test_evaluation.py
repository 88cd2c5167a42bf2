from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from ledger.projects.criteria import CRITERIA, criteria, in_force
from ledger.projects.evaluation import CriteriaUnknown, evaluation, left_out, newest
from ledger.projects.idea_events import IdeaEvaluated, IdeaScored, Score

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
IDEA, KNOWN = UUID(int=1), CRITERIA[-1]
ACTORS = tuple(f"account:{UUID(int=n)}" for n in range(11, 16))
POINTS = st.tuples(*(st.integers(0, one.points_max) for one in KNOWN.criteria))


def scored(actor: str, points: tuple[int, ...], version: int = KNOWN.version) -> IdeaScored:
    scores = tuple(
        Score(criterion=key, points=one) for key, one in zip(KNOWN.keys, points, strict=True)
    )
    return IdeaScored(
        recorded_at=NOON,
        actor=actor,
        idea_id=IDEA,
        criteria_version=version,
        scores=scores,
        named=True,
        scored_on=NOON.date(),
    )


def test_criteria_are_published_before_they_are_in_force_and_stay() -> None:
    first = CRITERIA[0].published_on
    assert in_force(first) == CRITERIA[0]
    assert in_force(first - timedelta(days=1)) is None
    with pytest.raises(CriteriaUnknown):
        newest(first - timedelta(days=1))
    assert [one.version for one in CRITERIA] == list(range(1, len(CRITERIA) + 1))
    assert all(one.published_on < later.published_on for one, later in pairwise(CRITERIA))
    assert all(criteria(one.version) == one for one in CRITERIA)


@for_all(given=st.lists(POINTS, min_size=2, max_size=4), barred=POINTS)
def test_points_are_added_exactly_and_the_barred_count_for_nothing(
    given: list[tuple[int, ...]], barred: tuple[int, ...]
) -> None:
    scores = {actor: scored(actor, one) for actor, one in zip(ACTORS, given, strict=False)}
    scores[ACTORS[4]] = scored(ACTORS[4], barred)
    found = evaluation(scores, (ACTORS[4],), NOON.date())
    assert found.points == sum(map(sum, given))
    assert found.points_max == KNOWN.points_max * len(given)
    assert ACTORS[4] not in found.evaluators
    enough = found.points >= KNOWN.needed(found.points_max)
    assert (found.verdict == "retained") is enough
    assert enough is (found.points * 100 >= KNOWN.pass_percent * found.points_max)


@pytest.mark.parametrize(("points_max", "needed"), [(60, 30), (61, 31), (90, 45), (1, 1)])
def test_the_fewest_points_that_pass(points_max: int, needed: int) -> None:
    assert KNOWN.needed(points_max) == needed
    assert KNOWN.passes(needed, points_max)
    assert not KNOWN.passes(needed - 1, points_max)


def test_who_is_left_out_is_told_with_why() -> None:
    nothing = (0,) * len(KNOWN.keys)
    versions = {ACTORS[2]: 0}
    scores = {one: scored(one, nothing, versions.get(one, KNOWN.version)) for one in ACTORS[:4]}
    evaluated = IdeaEvaluated(
        recorded_at=NOON,
        actor=ACTORS[0],
        idea_id=IDEA,
        criteria_version=KNOWN.version,
        evaluators=ACTORS[:2],
        points=0,
        points_max=60,
        verdict="not_retained",
        evaluated_on=date(2026, 11, 23),
    )
    # The first counted, and declared an interest when the idea was a project already.
    found = left_out(scores, (ACTORS[0], ACTORS[3]), evaluated)
    assert [(one.scored.actor, one.why) for one in found] == [
        (ACTORS[2], "older_criteria"),
        (ACTORS[3], "interest"),
    ]
