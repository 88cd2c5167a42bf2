import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.rules.rule import (
    BALLOTS_WITH_POINTS,
    RULES,
    TIES,
    AnyRule,
    Directed,
    EqualShares,
    Greedy,
    ParameterMissing,
    ParameterRefused,
    ParameterUnknown,
    Quadratic,
    RuleMalformed,
    RuleUnknown,
    Threshold,
    parse,
)

every_rule: st.SearchStrategy[AnyRule] = st.one_of(*map(st.builds, RULES.values()))
SHARES: dict[str, Any] = json.loads(EqualShares().canonical())


@given(every_rule)
def test_a_rule_is_read_back_as_it_was(rule: AnyRule) -> None:
    assert parse(rule.canonical()) == rule
    assert rule.sha256 == sha256(rule.canonical()).hexdigest()


def test_the_six_rules_have_their_names() -> None:
    assert set(RULES) == {
        *("directed", "equal_shares", "greedy"),
        *("proportional", "quadratic", "threshold"),
    }


def test_the_form_is_what_was_hashed_before_the_vote() -> None:
    """These bytes were frozen with rounds: they never change."""
    assert Directed().canonical().decode() == (
        '{"ballots":"sets_of_picks_weighing_the_sum_of_their_points",'
        '"rule":"directed","ties":["more_support","lower_cost",'
        '"sha256_of_election_and_project"],"version":1}'
    )
    assert EqualShares(runs_max=None).canonical().decode() == (
        '{"ballots":"sets_of_picks_weighing_the_sum_of_their_points",'
        '"completion":"none","increment":1,"increment_per":1,"rule":"equal_shares",'
        '"start":"exact","stop":"over_budget","then":"nothing","ties":["more_support",'
        '"lower_cost","sha256_of_election_and_project"],"version":1,"weight":"cents"}'
    )


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("{", RuleMalformed),
        ("[]", RuleMalformed),
        (b"\xff", RuleMalformed),
        ("[" * 100_000, RuleMalformed),
        ({"rule": "dictator"}, RuleUnknown),
        ({"rule": ["greedy"]}, RuleUnknown),
        ({"version": 3}, ParameterRefused),
        ({"version": True}, ParameterRefused),
        ({"ties": TIES[:1]}, ParameterRefused),
        ({"ballots": BALLOTS_WITH_POINTS}, ParameterRefused),
        ({"ballots": None}, ParameterRefused),
        ({"increment_per": 10_001}, ParameterRefused),
        ({"increment": 0}, ParameterRefused),
        ({"increment": 1.0}, ParameterRefused),
        ({"increment": True}, ParameterRefused),
        ({"completion": "add2"}, ParameterRefused),
        ({"completion": ["add1"]}, ParameterRefused),
        ({"colour": "blue"}, ParameterUnknown),
        ({"weight": None}, ParameterRefused),
    ],
)
def test_what_is_no_rule_is_refused_by_name(text: Any, refusal: type[Exception]) -> None:
    written = json.dumps({**SHARES, **text}) if isinstance(text, dict) else text
    with pytest.raises(refusal):
        parse(written)


@pytest.mark.parametrize("name", sorted(SHARES.keys() - {"rule", "version", "ties", "ballots"}))
def test_no_parameter_is_guessed(name: str) -> None:
    with pytest.raises(ParameterMissing):
        parse(json.dumps({key: value for key, value in SHARES.items() if key != name}))


def test_only_a_rule_by_points_takes_points_for_points() -> None:
    by_points = Greedy(by="points")
    assert parse(by_points.canonical()) == by_points
    assert not by_points.points_weigh
    assert EqualShares().points_weigh


def test_a_share_is_at_most_the_whole() -> None:
    for made in (
        lambda: Threshold(share_percent=101),
        lambda: Quadratic(match_cap_percent=0),
        lambda: Greedy(support_min=-1),
    ):
        with pytest.raises(ParameterRefused):
            made()
