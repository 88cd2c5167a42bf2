"""A published election says that its points are weights, and `rule run` counts them so."""

import json
from pathlib import Path

import pytest

from api.cli import main
from ledger.rules.election import Ballot, Election, Project
from ledger.rules.pabulib import read
from ledger.rules.pabulib_writer import write
from ledger.rules.rule import AnyRule, EqualShares, Greedy
from ledger.rules.tally import tally

META = {"description": "Projects", "country": "France", "unit": "Isle", "rule": "unknown"}
# By heads the well wins, by cents the bikes.
WEIGHTED = Election(
    election_id="autumn",
    budget=1_000,
    projects=(Project("bikes", 900), Project("well", 300)),
    ballots=(Ballot(("bikes",), 950), *(Ballot(("bikes", "well"), 7),) * 3, Ballot(("well",), 29)),
    decimals=2,
)


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (["--rule", "equal_shares"], EqualShares(increment=100)),
        (["--rule", "greedy"], Greedy(by="weight")),
        (["--rule", "greedy", "--by", "votes"], Greedy(by="votes")),
    ],
)
def test_it_counts_what_the_round_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], rule: AnyRule
) -> None:
    text = write(WEIGHTED, META, {})
    (tmp_path / "election.pb").write_text(text, encoding="utf-8")
    assert main(["rule", "run", str(tmp_path / "election.pb"), *options, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    counted = tally(WEIGHTED, rule)
    assert facts["winners"] == list(counted.winners)
    assert facts["result_sha256"] == counted.sha256


def test_a_city_whose_points_are_points_says_nothing_of_weights() -> None:
    points = (Ballot(("bikes", "well"), points=(1, 3)), Ballot(("well",), points=(4,)))
    told = Election("spring", 1_000, WEIGHTED.projects, points)
    assert not read(write(told, META, {})).points_are_weights
    assert read(write(WEIGHTED, META, {})).points_are_weights
