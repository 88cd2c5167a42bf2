from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.rules.election import Ballot, Election, Project
from ledger.rules.examples import examples
from ledger.rules.exposure import exposure, is_exposed
from ledger.rules.rule import (
    RULES,
    AnyRule,
    Directed,
    EqualShares,
    Greedy,
    Proportional,
    Quadratic,
)
from tests.ledger.rules.elections import elections


def test_every_rule_has_an_example_of_five_voters() -> None:
    found = examples()
    assert found.keys() == RULES.keys()
    for name, example in found.items():
        shown = example.described()
        assert shown["rule"] == name
        assert len(shown["ballots"]) == 5
        assert shown["steps"]
        assert shown["winners"]
        assert shown["spent"] + shown["left"] == shown["budget"]


def village() -> Election:
    """Gifts of 5,040 euros by 8,000 tickets, and 10,000 euros to match them."""
    dice = Random(7)
    names = [f"p{number}" for number in range(6)]
    ballots = tuple(
        Ballot((names[min(dice.randrange(6), dice.randrange(6))],), 63) for _ in range(8_000)
    )
    projects = tuple(Project(name, 900_000) for name in names)
    return Election("village", 504_000 + 1_000_000, projects, ballots, decimals=2)


def test_quadratic_pays_for_cutting_a_gift_and_says_how_much() -> None:
    told: list[int] = []
    found = exposure(village(), Quadratic(match_cap_percent=100), progress=told.append)
    assert (found.attack, found.piece, found.pieces) == (10_000, 5, 2_000)
    assert found.gains[0].gained == max(gain.gained for gain in found.gains)
    assert found.gains[0].gained > 20_000
    assert len(told) == 12


@pytest.mark.parametrize("rule", [EqualShares(weight="purchase"), Proportional(weight="purchase")])
def test_one_purchase_one_vote_is_exposed(rule: AnyRule) -> None:
    assert is_exposed(rule)
    projects = (Project("bikes", 60_000), Project("well", 60_000))
    ballots = (*[Ballot(("bikes",), 100)] * 600, *[Ballot(("well",), 100)] * 300)
    election = Election("spring", 90_000, projects, ballots, decimals=2)
    assert exposure(election, rule).gains[0].gained > 10_000


def test_one_vote_a_gift_hands_over_the_measured_part_of_a_match() -> None:
    """A match of 10,000 euros shared by votes, 9,962 honest gifts: 2,000 cuts take 1,671.96.

    The 5,040 euros of the gifts do not enter: only the match is shared here.
    """
    ballots = tuple(Ballot(("bikes",), 51 if n < 5_938 else 50) for n in range(9_962))
    assert sum(ballot.weight for ballot in ballots) == 504_038
    projects = (Project("bikes", 2_000_000), Project("attacker", 2_000_000))
    match = Election("village", 1_000_000 - 10_000, projects, ballots, decimals=2)
    by_votes = exposure(match, Proportional(weight="purchase")).gains
    assert next(one.in_pieces for one in by_votes if one.project_id == "attacker") == 167_196
    assert all(not one.gained for one in exposure(match, Proportional()).gains)


@given(
    elections(money=True),
    st.sampled_from([Directed(), EqualShares(), Greedy(by="weight"), Proportional()]),
)
def test_cents_gain_nothing_from_cutting(election: Election, rule: AnyRule) -> None:
    assert not is_exposed(rule)
    assert all(not one.gained for one in exposure(election, rule, attack=60, piece=5).gains)


def test_an_attack_is_made_of_whole_pieces() -> None:
    with pytest.raises(ValueError, match="pieces"):
        exposure(village(), Quadratic(), attack=11, piece=5)
