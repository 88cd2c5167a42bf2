"""Add-1 ends after as many runs as the rule says, and rules that did not say it stay readable."""

import json
from pathlib import Path
from random import Random

import pytest

from ledger.rules.election import Ballot, Election, Project
from ledger.rules.pabulib_writer import write
from ledger.rules.recount import recount
from ledger.rules.rule import (
    RUNS_MAX,
    AnyRule,
    Directed,
    EqualShares,
    ParameterMissing,
    ParameterRefused,
    ParameterUnknown,
    parse,
)
from ledger.rules.tally import tally
from tests.ledger.rules.elections import crowd

UNSAID = EqualShares(completion="add1", increment_per=100, runs_max=None)
SAID = EqualShares(completion="add1", increment_per=100)
# What rounds froze before the limit was said there: these bytes never change.
VERSION_1 = (
    b'{"ballots":"sets_of_picks_weighing_the_sum_of_their_points",'
    b'"completion":"add1","increment":1,"increment_per":100,"rule":"equal_shares",'
    b'"start":"exact","stop":"over_budget","then":"nothing","ties":["more_support",'
    b'"lower_cost","sha256_of_election_and_project"],"version":1,"weight":"cents"}'
)


def test_the_rule_says_how_many_runs_it_makes_at_most() -> None:
    told = json.loads(EqualShares().canonical())
    assert (told["runs_max"], told["version"]) == (10_000, 2)
    assert json.loads(Directed().canonical())["version"] == 1


def test_a_rule_that_was_frozen_without_the_limit_is_read_to_the_byte() -> None:
    rule = parse(VERSION_1)
    assert rule == UNSAID
    assert rule.canonical() == VERSION_1
    assert rule.sha256 != SAID.sha256


@pytest.mark.parametrize(
    ("rule", "changes", "refusal"),
    [
        (SAID, {"version": 1}, ParameterUnknown),
        (UNSAID, {"version": 2}, ParameterMissing),
        (UNSAID, {"version": True}, ParameterRefused),
        (UNSAID, {"version": 1.0}, ParameterRefused),
        (SAID, {"version": 3}, ParameterRefused),
        (SAID, {"runs_max": None}, ParameterRefused),
        (SAID, {"runs_max": 0}, ParameterRefused),
        (SAID, {"runs_max": RUNS_MAX + 1}, ParameterRefused),
        (Directed(), {"version": 2}, ParameterRefused),
        (Directed(), {"runs_max": 5}, ParameterUnknown),
    ],
)
def test_a_limit_is_said_by_the_version_that_says_it(
    rule: AnyRule, changes: dict[str, object], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        parse(json.dumps({**json.loads(rule.canonical()), **changes}))


def town() -> Election:
    return crowd(Random(5), 60, 8, 4)


def test_both_versions_count_alike() -> None:
    said, unsaid = tally(town(), SAID), tally(town(), UNSAID)
    assert said.explanations == unsaid.explanations
    assert said.figures == unsaid.figures


def test_the_limit_that_the_rule_says_is_the_one_it_keeps() -> None:
    cut = tally(town(), EqualShares(completion="add1", increment_per=100, runs_max=2))
    assert cut.figures["ended_after_runs"] == 2
    whole = tally(town(), SAID)
    assert "ended_after_runs" not in whole.figures
    assert int(cut.figures["increments"]) < int(whole.figures["increments"])


@pytest.mark.parametrize("rule", [SAID, UNSAID, EqualShares(completion="add1", runs_max=1)])
def test_what_either_version_published_is_recounted(tmp_path: Path, rule: EqualShares) -> None:
    election = Election(
        "autumn",
        1_000,
        (Project("bikes", 600), Project("well", 300), Project("music", 500)),
        (Ballot(("bikes", "well"), 40), Ballot(("well",), 250), Ballot(("music", "bikes"), 120)),
        decimals=2,
    )
    result = tally(election, rule)
    meta = {"description": "Projects", "country": "France", "unit": "Isle", "rule": "unknown"}
    (tmp_path / "election.pb").write_text(write(election, meta, {}), encoding="utf-8")
    (tmp_path / "rule.json").write_bytes(rule.canonical())
    (tmp_path / "result.json").write_bytes(result.to_json())
    (tmp_path / "trace.json").write_bytes(result.trace_json())
    assert recount(str(tmp_path)).agrees
