from collections import Counter
from dataclasses import replace
from fractions import Fraction
from math import ceil
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.rules import equal_shares
from ledger.rules.election import Ballot, Election, Project
from ledger.rules.equal_shares import tally
from ledger.rules.rule import EqualShares
from tests.ledger.rules import plain
from tests.ledger.rules.elections import crowd, elections

rules = st.builds(
    EqualShares,
    completion=st.sampled_from(["none", "add1"]),
    increment=st.integers(1, 5),
    increment_per=st.integers(1, 4),
    start=st.sampled_from(["exact", "whole"]),
    stop=st.sampled_from(["over_budget", "exhausted"]),
)


@settings(max_examples=500, deadline=None)
@given(elections(), rules)
def test_the_plain_count_agrees(election: Election, rule: EqualShares) -> None:
    result = tally(election, rule)
    bought, increments = plain.equal_shares(election, rule)
    assert (list(result.winners), result.figures.get("increments", 0)) == (bought, increments)


def test_the_plain_count_agrees_on_towns() -> None:
    dice = Random(11)
    for ballots in (40, 90, 200):
        election = crowd(dice, ballots, 12, 5, weights=(1, 1, 2, 50))
        for rule in (EqualShares(), EqualShares(completion="add1", increment=7)):
            bought, _ = plain.equal_shares(election, rule)
            assert list(tally(election, rule).winners) == bought


@settings(max_examples=200, deadline=None)
@given(elections(), st.integers(-3, 3), st.integers(1, 10**12))
def test_coarse_numbers_change_nothing(election: Election, nudge: int, large: int) -> None:
    """Amounts near and far beyond what fixed point can tell apart are still compared exactly."""
    grown = replace(
        election,
        budget=max(0, election.budget * large + nudge),
        projects=tuple(Project(p.project_id, p.cost * large + 1) for p in election.projects),
    )
    bought, _ = plain.equal_shares(grown, EqualShares())
    assert list(tally(grown, EqualShares()).winners) == bought


@given(elections())
def test_each_project_is_paid_to_the_unit_by_its_payers(election: Election) -> None:
    for one in tally(election, EqualShares()).explanations:
        if one.payers is not None:
            assert one.price is not None
            in_full = Fraction(one.price) * one.payers.in_full_weight
            assert in_full + Fraction(one.payers.drained_paid) == one.cost == one.amount
            assert one.payers.in_full_ballots + one.payers.drained_ballots == one.ballots


@given(elections())
def test_what_a_loser_lacked_would_have_bought_it(election: Election) -> None:
    """Its supporters hold `cost - lacked` and a fraction; one unit more than that is missing."""
    result = tally(election, EqualShares())
    for one in result.explanations:
        if one.ending == "unaffordable":
            assert 1 <= one.lacked <= one.cost


@given(elections())
def test_what_each_set_of_picks_paid_adds_up_to_the_cost(election: Election) -> None:
    result = tally(election, EqualShares(completion="add1"))
    paid: dict[tuple[str, ...], Fraction] = {}
    for step in result.trace:
        total = Fraction()
        for one in step["payments"]:
            total += Fraction(one["paid"])
            picks = tuple(one["picks"])
            paid[picks] = paid.get(picks, Fraction()) + Fraction(one["paid"])
            assert paid[picks] <= Fraction(str(result.figures["endowment"])) * one["weight"]
        assert total == election.costs[step["project"]]


def test_payments_that_nobody_could_read_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equal_shares, "PAYMENTS_MAX", 3)
    trace = tally(crowd(Random(3), 60, 8, 4), EqualShares()).trace
    assert trace
    assert not any("payments" in step for step in trace)


def test_increments_that_buy_nothing_take_no_run() -> None:
    """A single cent stands behind a dear project, and there is money for it."""
    ballots = (*[Ballot(("well",), 100)] * 20, Ballot(("bikes",)))
    election = Election("spring", 90_000, (Project("well", 50), Project("bikes", 80_000)), ballots)
    result = tally(election, EqualShares(completion="add1", runs_max=3))
    assert result.winners == ("well", "bikes")
    assert Fraction(str(result.figures["endowment"])) >= 80_000
    assert result.figures["increments"] == ceil(80_000 - Fraction(90_000, 2_001))


def test_greedy_completes_with_what_is_left() -> None:
    election = Election(
        "spring",
        100,
        (Project("well", 60), Project("bikes", 30), Project("music", 50)),
        (*[Ballot(("well",))] * 6, *[Ballot(("bikes",))] * 2, *[Ballot(("music",))] * 2),
    )
    alone = tally(election, EqualShares())
    assert alone.winners == ("well",)
    assert {one.project_id: one.lacked for one in alone.explanations} == {
        "well": 0,
        "bikes": 10,
        "music": 30,
    }
    completed = tally(election, EqualShares(then="greedy"))
    assert completed.winners == ("well", "bikes")
    assert [one.stage for one in completed.explanations] == ["completion", None, "rule"]
    assert completed.explanations[1].ending == "does_not_fit"
    assert completed.explanations[1].lacked == 40


def test_ties_go_to_more_support_then_lower_cost_then_the_lot() -> None:
    ballots = (Ballot(("dear", "cheap")),)
    election = Election("spring", 5, (Project("dear", 5), Project("cheap", 4)), ballots)
    assert tally(election, EqualShares()).winners == ("cheap",)
    alike = (Project("a", 5), Project("b", 5))
    drawn = Counter(
        tally(Election(f"r{n}", 5, alike, (Ballot(("a", "b")),)), EqualShares()).winners
        for n in range(40)
    )
    assert set(drawn) == {("a",), ("b",)}


def test_progress_is_told() -> None:
    told: list[int] = []
    rule = EqualShares(completion="add1")
    tally(crowd(Random(3), 60, 8, 4), rule, told.append)
    assert len(told) > 3
    assert set(told) == {1}
