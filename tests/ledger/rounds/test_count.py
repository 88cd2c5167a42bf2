"""Cutting a gift into many, counted as rounds count: through the ballots that are published."""

import json
from datetime import date
from math import isqrt
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.rounds.cells import Picks
from ledger.rounds.count import Choice, Count
from ledger.rules.declared import COARSE_CENTS
from ledger.rules.election import Ballot, Election, Project
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
from tests.rounds import BIKES, CHOIR, OVEN, SHADE, definition

PROJECTS = (BIKES, SHADE, CHOIR, OVEN)
PICKS = st.sets(st.sampled_from(PROJECTS), min_size=1, max_size=3).map(
    lambda one: tuple(sorted(one))
)
Gift = tuple[Picks, int]
GIFTS = st.lists(st.tuples(PICKS, st.integers(1, 400)), min_size=1, max_size=12)
# Rules of cents that read whole sets, and those that go by pick.
WHOLE: tuple[AnyRule, ...] = (
    EqualShares(),
    EqualShares(then="greedy"),
    EqualShares(completion="add1", increment_per=10),
    Greedy(by="weight"),
    Greedy(by="weight", misfit="stop"),
)
# Those that send each gift's own cents lay the whole budget onto the sets.
SENT: tuple[AnyRule, ...] = (Directed(), Threshold(supporters_min=1))
SHOP, ROUND = UUID(int=31), UUID(int=32)


def counted(rule: AnyRule, gifts: list[Gift], goal_cents: int = 300, **changes: Any) -> Count:
    projects = [{"project_id": one, "goal_cents": goal_cents} for one in PROJECTS]
    made = definition(**{"round_id": ROUND, "rule": json_of(rule), "projects": projects, **changes})
    count = Count(made)
    for picks, cents in gifts:
        count.gift(cents, Choice(picks, "ballot"), SHOP, attested=False)
    return count


def json_of(rule: AnyRule) -> dict[str, object]:
    members: dict[str, object] = json.loads(rule.canonical())
    return members


def awards(count: Count) -> dict[str, int]:
    election, _ = count.election()
    return tally(election, count.definition.parsed_rule).awards


def cut(gifts: list[Gift], pieces: list[int], unit: int) -> list[Gift]:
    """Cut each gift into so many, each but the last of one unit."""
    made = []
    for (picks, cents), wanted in zip(gifts, pieces, strict=True):
        count = min(wanted, cents // unit)
        made += [(picks, unit)] * (count - 1) + [(picks, cents - unit * (count - 1))]
    return made


def weights(count: Count) -> dict[tuple[str, ...], int]:
    election, _ = count.election()
    return {group.picks: group.weight for group in election.groups("cents")}


@given(GIFTS, st.sampled_from(WHOLE), st.data())
def test_cutting_a_gift_changes_no_award_where_sets_stay_whole(
    gifts: list[Gift], rule: AnyRule, data: st.DataObject
) -> None:
    round_gifts = [(picks, cents * COARSE_CENTS) for picks, cents in gifts]
    pieces = [data.draw(st.integers(1, 6)) for _ in gifts]
    in_pieces = cut(round_gifts, pieces, COARSE_CENTS)
    assert awards(counted(rule, in_pieces)) == awards(counted(rule, round_gifts))


@given(GIFTS, st.sampled_from(WHOLE), st.data())
def test_cutting_odd_gifts_moves_less_than_the_smallest_gift_a_set(
    gifts: list[Gift], rule: AnyRule, data: st.DataObject
) -> None:
    pieces = [data.draw(st.integers(1, 6)) for _ in gifts]
    whole, in_pieces = (
        weights(counted(rule, told)) for told in (gifts, cut(gifts, pieces, unit=1))
    )
    assert whole.keys() == in_pieces.keys()
    assert all(abs(in_pieces[picks] - cents) < COARSE_CENTS for picks, cents in whole.items())


@given(GIFTS, st.data())
def test_cutting_a_gift_moves_a_cent_a_set_where_a_rule_goes_by_pick(
    gifts: list[Gift], data: st.DataObject
) -> None:
    rule = Proportional()
    pieces = [data.draw(st.integers(1, 6)) for _ in gifts]
    whole, in_pieces = (
        awards(counted(rule, told, goal_cents=1_000_000))
        for told in (gifts, cut(gifts, pieces, unit=1))
    )
    sets = len({picks for picks, _ in gifts})
    assert all(abs(in_pieces[name] - cents) <= sets + 1 for name, cents in whole.items())


@given(GIFTS, st.sampled_from([Directed(), Threshold(supporters_min=1)]), st.data())
def test_cutting_a_gift_moves_a_few_cents_a_set_where_its_own_cents_are_sent(
    gifts: list[Gift], rule: AnyRule, data: st.DataObject
) -> None:
    pieces = [data.draw(st.integers(1, 6)) for _ in gifts]
    whole, in_pieces = (
        awards(counted(rule, told, goal_cents=1_000_000))
        for told in (gifts, cut(gifts, pieces, unit=1))
    )
    sets = len({picks for picks, _ in gifts})
    assert all(abs(in_pieces[name] - cents) <= 5 * sets + 1 for name, cents in whole.items())


@given(GIFTS, st.sampled_from(SENT))
def test_how_many_share_a_set_decides_nothing_but_its_last_cents(
    gifts: list[Gift], rule: AnyRule
) -> None:
    whole = [(picks, cents * COARSE_CENTS) for picks, cents in gifts]
    published = awards(counted(rule, whole))
    raw = Election(
        election_id=str(ROUND),
        budget=sum(cents for _, cents in whole),
        projects=tuple(Project(str(one), 300) for one in PROJECTS),
        ballots=tuple(Ballot(tuple(map(str, picks)), cents) for picks, cents in whole),
    )
    assert published == tally(raw, rule).awards


def test_what_passes_a_goal_goes_to_the_other_picks_of_a_rare_set_too() -> None:
    goals = [{"project_id": BIKES, "goal_cents": 100}, {"project_id": SHADE, "goal_cents": 1_000}]
    count = counted(Directed(), [((BIKES, SHADE), 300)] * 2, projects=goals, picks_invited=2)
    assert awards(count) == {str(BIKES): 100, str(SHADE): 500}


def test_a_project_below_the_threshold_leaves_rare_sets_to_their_other_picks() -> None:
    gifts: list[Gift] = [*[((BIKES, SHADE), 300)] * 2, *[((BIKES,), 100)] * 5]
    count = counted(Threshold(supporters_min=5), gifts, goal_cents=10_000)
    assert awards(count)[str(BIKES)] == 1_100


def test_the_least_gifts_of_a_set_are_supporters_all() -> None:
    gifts: list[Gift] = [((BIKES, SHADE, CHOIR), 1)] * 30
    election, _ = counted(Threshold(supporters_min=30), gifts).election()
    assert [one.ballots for one in tally(election, Threshold()).explanations] == [30, 30, 30, 0]


@given(GIFTS)
def test_evening_makes_nobody_broader_than_they_are_under_quadratic(gifts: list[Gift]) -> None:
    election, _ = counted(Quadratic(), gifts).election()
    assert len(election.ballots) == len(gifts)

    def roots(weights: list[tuple[tuple[str, ...], int]], name: str) -> int:
        return sum(isqrt(one * 10**12 // len(picks)) for picks, one in weights if name in picks)

    given_all = [(tuple(map(str, picks)), cents) for picks, cents in gifts]
    for name in election.costs:
        told = [(one.picks, one.weight) for one in election.ballots]
        assert roots(told, name) <= roots(given_all, name)


def test_a_large_gift_gains_nothing_from_the_company_of_small_ones() -> None:
    gifts: list[Gift] = [*[((BIKES,), 40)] * 50, *[((SHADE,), 40)] * 50, ((SHADE,), 10_000)]
    matching = {"sponsor": "town", "cents_per_euro": 100, "cap_cents": 14_000}
    pot = {"sources": ["customer"], "last_on": date(2100, 1, 1), "matching": matching}
    rule = Quadratic(match_cap_percent=100)
    count = counted(rule, gifts, goal_cents=100_000, pot=pot)
    assert count.budget() == 28_000
    assert awards(count)[str(BIKES)] == 7_292


@pytest.mark.parametrize("rule", WHOLE)
def test_a_large_gift_counts_like_three_that_make_it_up(rule: AnyRule) -> None:
    others: list[Gift] = [((OVEN,), 3_000)] * 5
    picks = tuple(sorted((BIKES, SHADE, CHOIR)))
    one = counted(rule, [*others, (picks, 10_000)], goal_cents=9_000)
    three = counted(rule, [*others, *[(picks, 3_330)] * 2, (picks, 3_340)], goal_cents=9_000)
    assert awards(one) == awards(three)
    assert one.published().suppressed == 1
    assert three.published().suppressed == 0


def test_a_lone_ballot_shows_no_odd_cents() -> None:
    count = counted(EqualShares(), [((BIKES,), 137), *[((SHADE,), 41)] * 3])
    told = count.published()
    assert [line.weight for line in told.lines if line.picks == (BIKES,)] == [135]
    assert count.budget() == 137 + 3 * 41


def test_a_purchase_weighs_the_same_in_a_small_cell() -> None:
    made = definition(
        rule=json_of(EqualShares()), weight="purchase", purchases_per_partner_max=9, picks_max=3
    )
    count = Count(made)
    for picks in ((BIKES,), (BIKES, SHADE), (CHOIR,), (CHOIR,), (CHOIR,)):
        count.gift(40, Choice(picks, "ballot"), SHOP, attested=True)
    assert {line.weight for line in count.published().lines} == {6}
