from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.rules.election import (
    AmountOutOfBounds,
    Ballot,
    Election,
    ElectionRefused,
    PickedTwice,
    PointsDoNotMatch,
    Project,
    ProjectListedTwice,
    ProjectUnknown,
)
from ledger.rules.flows import along_picks
from ledger.rules.in_part import GiftsBeyondBudget, breadth
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
from ledger.rules.ties import tie_key, whole
from tests.ledger.rules.elections import elections

BY_CENTS: list[AnyRule] = [
    Directed(),
    EqualShares(),
    EqualShares(completion="add1", then="greedy"),
    Greedy(by="weight"),
    Proportional(),
    Proportional(cap_at_cost=False),
]
BY_HEADS: list[AnyRule] = [
    EqualShares(weight="purchase", completion="add1", then="greedy"),
    Greedy(),
    Greedy(misfit="stop", support_min=2),
    Greedy(by="points", support_min=0),
    Proportional(weight="purchase"),
    Threshold(supporters_min=2),
    Threshold(supporters_min=1, share_percent=35),
    Quadratic(),
    Quadratic(match_cap_percent=100),
]
every_rule = st.sampled_from(BY_CENTS + BY_HEADS)
ANA, BEA = Ballot(("bikes", "garden"), 7), Ballot(("bikes",), 6)


def of(*ballots: Ballot, budget: int = 0, bikes: int = 10, garden: int = 10) -> Election:
    given_in_all = sum(ballot.weight for ballot in ballots)
    projects = (Project("bikes", bikes), Project("garden", garden))
    return Election("spring", budget or given_in_all, projects, ballots)


@given(elections(money=True), every_rule)
def test_money_is_conserved_to_the_unit(election: Election, rule: AnyRule) -> None:
    result = tally(election, rule)
    assert result.spent + result.left == election.budget
    assert result.left >= 0
    assert result.awards.keys() == election.costs.keys()
    for one in result.explanations:
        assert one.amount >= 0
        assert (one.amount > 0) == (one.project_id in result.winners)
        assert (one.ending in ("funded", "partly_funded")) == (one.amount > 0)
        assert (one.lacked == 0) == (one.ending == "funded")
        if rule != Proportional(cap_at_cost=False):
            assert one.amount <= one.cost


@given(elections(money=True), every_rule, st.randoms(use_true_random=False))
def test_the_order_of_ballots_and_projects_is_irrelevant(
    election: Election,
    rule: AnyRule,
    dice: "st.random.Random",  # type: ignore[name-defined]
) -> None:
    ballots, projects = list(election.ballots), list(election.projects)
    dice.shuffle(ballots)
    dice.shuffle(projects)
    turned = [replace(one, picks=tuple(dice.sample(one.picks, len(one.picks)))) for one in ballots]
    shuffled = replace(election, ballots=tuple(turned), projects=tuple(projects))
    assert tally(shuffled, rule).to_json() == tally(election, rule).to_json()
    assert tally(shuffled, rule).trace_json() == tally(election, rule).trace_json()


@given(elections(money=True), st.sampled_from(BY_CENTS), st.data())
def test_splitting_a_gift_gains_nothing_where_cents_count(
    election: Election, rule: AnyRule, data: st.DataObject
) -> None:
    split: list[Ballot] = []
    for ballot in election.ballots:
        part = data.draw(st.integers(0, ballot.weight))
        parts = [replace(ballot, weight=one) for one in (part, ballot.weight - part) if one]
        split += parts
    cut = replace(election, ballots=tuple(split))
    assert tally(cut, rule).awards == tally(election, rule).awards


@given(elections(money=True))
def test_cells_hold_every_ballot(election: Election) -> None:
    assert sum(cell.count for cell in election.cells) == len(election.ballots)
    assert sum(cell.count * cell.each for cell in election.cells) == sum(
        ballot.weight for ballot in election.ballots
    )
    assert len({(cell.picks, cell.points, cell.each) for cell in election.cells}) == len(
        election.cells
    )


@given(elections(money=True))
def test_rounding_is_by_less_than_a_unit(election: Election) -> None:
    groups = election.groups("cents")
    flow = along_picks(((one.picks, Fraction(one.weight)) for one in groups), election.costs)
    units = whole(flow.received, election.budget, tie_key(election, {}))
    for name, share in flow.received.items():
        assert abs(units[name] - share) < 1
        assert units[name] <= election.costs[name]


def test_directed_splits_a_gift_over_its_picks() -> None:
    result = tally(of(Ballot(("bikes", "garden"), 6), Ballot(("garden",), 2)), Directed())
    assert result.awards == {"bikes": 3, "garden": 5}


def test_directed_sends_what_passes_a_goal_to_the_other_picks() -> None:
    result = tally(of(ANA, BEA, bikes=6), Directed())
    # 9.5 for bikes: 3.5 too many; 3.5 / 9.5 of them are Ana's and go to the garden.
    assert result.awards == {"bikes": 6, "garden": 5}
    assert result.left == 2


def test_directed_gives_an_odd_cent_to_the_better_supported() -> None:
    assert tally(of(ANA, BEA), Directed()).awards == {"bikes": 10, "garden": 3}
    assert tally(of(Ballot(("bikes", "garden"), 1)), Directed()).left == 0


def test_directed_leaves_what_nobody_directed() -> None:
    result = tally(of(Ballot((), 5), BEA, budget=20), Directed())
    assert (result.awards, result.left) == ({"bikes": 6, "garden": 0}, 14)
    with pytest.raises(GiftsBeyondBudget):
        tally(of(ANA, BEA, budget=12), Directed())


def test_greedy_goes_on_or_stops_after_a_misfit() -> None:
    election = of(ANA, BEA, BEA, budget=9, bikes=10, garden=4)
    assert tally(election, Greedy()).winners == ("garden",)
    stopped = tally(election, Greedy(misfit="stop"))
    assert stopped.winners == ()
    assert [one.ending for one in stopped.explanations] == ["does_not_fit", "not_reached"]
    assert [one.lacked for one in stopped.explanations] == [1, 4]


def test_greedy_counts_points() -> None:
    ballots = (
        Ballot(("bikes", "garden"), points=(1, 3)),
        Ballot(("bikes",), points=(1,)),
    )
    election = of(*ballots, budget=10)
    assert tally(election, Greedy(by="points")).winners == ("garden",)
    assert tally(election, Greedy(by="votes")).winners == ("bikes",)


def test_proportional_shares_the_excess_of_a_goal() -> None:
    election = of(Ballot(("bikes",), 3), Ballot(("garden",), 1), budget=16)
    assert tally(election, Proportional()).awards == {"bikes": 10, "garden": 6}
    uncapped = tally(election, Proportional(cap_at_cost=False))
    assert uncapped.awards == {"bikes": 12, "garden": 4}


def test_threshold_lets_projects_enter_by_the_number_of_ballots() -> None:
    result = tally(of(ANA, BEA, budget=20), Threshold(supporters_min=2, share_percent=50))
    # All of Ana's flow goes to bikes, her only pick that entered: half of 13.
    assert result.awards == {"bikes": 7, "garden": 0}
    assert [one.ending for one in result.explanations] == ["partly_funded", "below_threshold"]


def test_quadratic_matches_what_many_chose() -> None:
    many = [Ballot(("garden",), 1)] * 9
    election = of(Ballot(("bikes",), 9), *many, budget=118, bikes=200, garden=200)
    assert breadth(election)["bikes"] == 0
    assert tally(election, Quadratic(match_cap_percent=100)).awards == {"bikes": 9, "garden": 109}
    capped = tally(election, Quadratic(match_cap_percent=30))
    assert (capped.awards, capped.left) == ({"bikes": 9, "garden": 39}, 70)


def test_an_election_without_ballots_spends_nothing() -> None:
    for rule in BY_CENTS + BY_HEADS:
        if rule != Greedy(by="points", support_min=0):
            result = tally(of(budget=30), rule)
            assert (result.spent, result.left, result.winners) == (0, 30, ())
            assert {one.ending for one in result.explanations} == {"unsupported"}


@pytest.mark.parametrize(
    ("broken", "refusal"),
    [
        ({"ballots": (Ballot(("well",)),)}, ProjectUnknown),
        ({"ballots": (Ballot(("bikes", "bikes")),)}, PickedTwice),
        ({"ballots": (Ballot(("bikes",), 0),)}, AmountOutOfBounds),
        ({"ballots": (Ballot(("bikes",), 2**53),)}, AmountOutOfBounds),
        ({"ballots": (Ballot(("bikes",), points=(1, 2)),)}, PointsDoNotMatch),
        ({"ballots": (Ballot(("bikes",), points=(-1,)),)}, PointsDoNotMatch),
        ({"ballots": (Ballot(("bikes",), 2, points=(2**52,)),)}, AmountOutOfBounds),
        ({"projects": (Project("bikes", 1), Project("bikes", 2))}, ProjectListedTwice),
        ({"projects": (Project("bikes", 0),)}, AmountOutOfBounds),
        ({"budget": -1}, AmountOutOfBounds),
    ],
)
def test_an_election_that_contradicts_itself_is_refused(
    broken: dict[str, object], refusal: type[ElectionRefused]
) -> None:
    with pytest.raises(refusal):
        replace(of(budget=5), **broken)  # type: ignore[arg-type]
