"""The commands on vote rules need no database, no key and no home of the ledger."""

import json
import os
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from pabulib.checker import Checker  # type: ignore[import-untyped]

from api.cli import main
from api.tally import meta_of
from ledger.rules.election import Ballot, Election, Project
from ledger.rules.pabulib import read
from ledger.rules.pabulib_writer import write
from ledger.rules.rule import AnyRule, EqualShares, Greedy, parse
from ledger.rules.tally import tally
from tests.rounds import definition

META = {"description": "Projects", "country": "France", "unit": "Isle", "rule": "unknown"}
ELECTION = Election(
    election_id="spring",
    budget=1_000,
    projects=(Project("1", 550), Project("2", 300), Project("3", 250), Project("4", 90)),
    ballots=(
        *(Ballot(("1", "2")),) * 6,
        *(Ballot(("3",)),) * 3,
        Ballot(("1",)),
        Ballot(("4",)),
    ),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "spring.pb"
    path.write_text(write(ELECTION, META, {}), encoding="utf-8")
    return path


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(capsys.readouterr().out)
    return facts


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (["--rule", "equal_shares"], EqualShares()),
        (
            ["--rule", "equal_shares", "--completion", "add1", "--increment", "5"],
            EqualShares(completion="add1", increment=5),
        ),
        (
            ["--rule", "equal_shares", "--completion", "none", "--then", "greedy"],
            EqualShares(then="greedy"),
        ),
        (["--rule", "greedy"], Greedy(by="weight")),
        (["--rule", "greedy", "--misfit", "stop"], Greedy("weight", "stop")),
        (["--rule", "greedy", "--support-min", "3"], Greedy("weight", support_min=3)),
    ],
)
def test_a_rule_is_run_on_a_file(
    file: Path, options: list[str], rule: AnyRule, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rule", "run", str(file), *options, "--json"]) == 0
    result = tally(ELECTION, rule)
    assert told(capsys) == {
        "winners": list(result.winners),
        "spent": result.spent,
        "left": result.left,
        "rule_sha256": rule.sha256,
        "result_sha256": result.sha256,
    }


def test_amounts_are_in_the_currency_of_the_file(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(file.read_text().replace("1;550", "1;550.25"), encoding="utf-8")
    assert read(file.read_text()).election.decimals == 2
    assert main(["rule", "run", str(file), "--rule", "greedy", "--json"]) == 0
    facts = told(capsys)
    assert (facts["winners"], facts["spent"], facts["left"]) == (["1", "2", "4"], "940.25", "59.75")


def test_in_words_it_names_the_winners(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rule", "run", str(file), "--rule", "greedy"]) == 0
    assert "spent 940, left 60" in capsys.readouterr().out


def test_a_file_that_is_none_is_refused_by_name(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("a list of wishes", encoding="utf-8")
    assert main(["rule", "run", str(file), "--rule", "greedy", "--json"]) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["error"] == "SectionMissing"
    assert "SectionMissing" in printed.err


@pytest.mark.parametrize("increment", ["0", "-1", "1.5"])
def test_an_increment_is_whole_and_positive(file: Path, increment: str) -> None:
    asked = ["rule", "run", str(file), "--rule", "equal_shares", "--increment", increment]
    with pytest.raises(SystemExit) as wrong:
        main(asked)
    assert wrong.value.code == 2


def test_the_file_of_a_round_has_no_error_for_the_check_of_the_format() -> None:
    made = definition(title='The "spring"; all of it')
    weighed = replace(
        ELECTION, ballots=tuple(Ballot(one.picks, 37) for one in ELECTION.ballots), budget=500
    )
    text = write(weighed, meta_of(made), {})
    with redirect_stdout(StringIO()):
        found = Checker().process_files([text.rstrip("\n")])
    assert found[1]["results"].get("errors", {}) == {}


def test_a_round_is_recounted(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = tally(ELECTION, EqualShares())
    file.rename(tmp_path / "election.pb")
    (tmp_path / "rule.json").write_bytes(result.rule.canonical())
    (tmp_path / "result.json").write_bytes(result.to_json())
    assert main(["recount", str(tmp_path), "--json"]) == 0
    assert told(capsys) == {
        "ok": True,
        "result_sha256": result.sha256,
        "published_sha256": result.sha256,
        "rule_sha256": parse(result.rule.canonical()).sha256,
        "definition_sha256": None,
        "differences": [],
        "projects": [],
    }
    (tmp_path / "result.json").write_bytes(tally(ELECTION, Greedy()).to_json())
    assert main(["recount", str(tmp_path)]) == 1
    assert "rule_sha256" in capsys.readouterr().out
    (tmp_path / "rule.json").unlink()
    assert main(["recount", str(tmp_path)]) == 1
    assert "FileMissing: rule.json" in capsys.readouterr().err


def test_a_device_or_a_pipe_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe.pb")
    for path in ("/dev/zero", str(tmp_path / "pipe.pb")):
        assert main(["rule", "run", path]) == 1
        assert "refused: FileMissing" in capsys.readouterr().err
