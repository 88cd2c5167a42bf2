"""Made-up elections: small ones by Hypothesis, larger ones by a seed."""

from collections.abc import Sequence
from random import Random

from hypothesis import strategies as st

from ledger.rules.election import Ballot, Election, Project

NAMES = ("bikes", "garden", "library", "music", "playground", "well")


@st.composite
def elections(draw: st.DrawFn, *, weights: bool = True, money: bool = False) -> Election:
    """Small numbers on purpose, so that ties are common. `money`: the budget holds the gifts."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    projects = [Project(name, draw(st.integers(1, 40))) for name in names]
    picks = st.lists(st.sampled_from(names), unique=True, max_size=4)
    weight = st.integers(1, 12) if weights else st.just(1)
    ballots = draw(st.lists(st.builds(Ballot, picks.map(tuple), weight), max_size=10))
    given = sum(ballot.weight for ballot in ballots) if money else 0
    return Election(
        election_id=draw(st.sampled_from(["spring", "autumn"])),
        budget=given + draw(st.integers(0, 90)),
        projects=tuple(projects),
        ballots=tuple(ballots),
    )


def crowd(
    dice: Random, ballots: int, projects: int, picks_max: int, weights: Sequence[int] = (1,)
) -> Election:
    """A town's vote: a hundred units a ballot, some projects far better liked than others."""
    budget = 100 * ballots
    names = [f"p{number}" for number in range(projects)]
    popular = [1 / (number + 1) ** 0.6 for number in range(projects)]

    def ballot() -> Ballot:
        count = dice.randint(1, min(picks_max, projects))
        picks: set[str] = set()
        while len(picks) < count:
            picks.update(dice.choices(names, popular))
        return Ballot(tuple(sorted(picks)), dice.choice(weights))

    return Election(
        election_id="crowd",
        budget=budget,
        projects=tuple(
            Project(name, dice.randint(max(1, budget // 100), budget // 4)) for name in names
        ),
        ballots=tuple(ballot() for _ in range(ballots)),
    )
