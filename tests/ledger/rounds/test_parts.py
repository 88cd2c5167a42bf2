"""What the cents of one gift did adds up to what was published of all of them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.rounds.parts import flows_of, parts_of
from ledger.rules.election import Ballot, Election, Project
from ledger.rules.flows import Flow, followed
from ledger.rules.rule import Directed
from ledger.rules.tally import tally

NAMES = ("bikes", "choir", "oven", "shade")


@st.composite
def elections(draw: st.DrawFn) -> Election:
    picks = st.lists(st.sampled_from(NAMES), min_size=1, unique=True).map(tuple)
    ballots = draw(st.lists(st.builds(Ballot, picks, st.integers(1, 500)), min_size=1, max_size=12))
    goals = draw(st.lists(st.integers(1, 2_000), min_size=4, max_size=4))
    projects = tuple(Project(name, goal) for name, goal in zip(NAMES, goals, strict=True))
    return Election("spring", sum(one.weight for one in ballots), projects, tuple(ballots))


@given(elections())
def test_the_pools_followed_one_by_one_are_the_published_result(election: Election) -> None:
    flows = flows_of(election)
    exact = dict.fromkeys(NAMES, Fraction())
    for group in election.groups("cents"):
        for name, share in followed(group.picks, flows.refused).items():
            exact[name] += share * group.weight
    for name, cents in tally(election, Directed()).awards.items():
        assert abs(exact[name] - cents) < 1


@given(elections(), st.integers(0, 10_000))
def test_no_cent_of_a_gift_is_lost(election: Election, cents: int) -> None:
    flows = flows_of(election)
    for ballot in election.ballots:
        parts = parts_of(flows, ballot.picks, cents)
        assert sum(parts.cents.values()) + parts.beyond == cents
        assert min(parts.cents.values()) >= 0
        assert parts.cents.keys() == set(ballot.picks)


def of(*ballots: Ballot, bikes: int = 1_000, shade: int = 1_000) -> Flow:
    projects = (Project("bikes", bikes), Project("shade", shade))
    return flows_of(Election("spring", sum(one.weight for one in ballots), projects, ballots))


BOTH = ("bikes", "shade")


@pytest.mark.parametrize(
    ("flows", "picks", "expected"),
    [
        (of(Ballot(BOTH, 90)), BOTH, (45, 45, 0)),
        # The bikes take 20 of the 45 that came: the rest goes to the shade.
        (of(Ballot(BOTH, 90), bikes=20), BOTH, (20, 70, 0)),
        (of(Ballot(("bikes",), 90), bikes=30), ("bikes",), (30, 0, 60)),
        (of(Ballot(BOTH, 90), bikes=20, shade=30), BOTH, (20, 30, 40)),
    ],
)
def test_what_a_full_project_cannot_take_goes_where_the_pools_went(
    flows: Flow, picks: tuple[str, ...], expected: tuple[int, int, int]
) -> None:
    parts = parts_of(flows, picks, 90)
    assert (parts.cents.get("bikes", 0), parts.cents.get("shade", 0), parts.beyond) == expected


def test_a_cent_that_cannot_be_split_goes_to_one_of_them() -> None:
    parts = parts_of(of(Ballot(BOTH, 90)), BOTH, 41)
    assert sorted(parts.cents.values()) == [20, 21]
