import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copytree
from threading import Thread

import pytest

from ledger.rules import publication
from ledger.rules.election import Ballot, Election, Project
from ledger.rules.pabulib_writer import write
from ledger.rules.publication import (
    AddressRefused,
    AddressUnreachable,
    FileMissing,
    FileTooLarge,
)
from ledger.rules.recount import main, recount, words
from ledger.rules.rule import EqualShares, Greedy
from ledger.rules.tally import tally

ROOT = Path(__file__).parents[3]
META = {"description": "Projects", "country": "France", "unit": "Isle", "rule": "unknown"}
ELECTION = Election(
    election_id="autumn",
    budget=1_000,
    projects=(Project("bikes", 600), Project("well", 300), Project("music", 500)),
    ballots=(
        Ballot(("bikes", "well"), 40),
        Ballot(("well",), 250),
        Ballot(("music", "bikes"), 120),
    ),
    decimals=2,
)
RESULT = tally(ELECTION, EqualShares(completion="add1", then="greedy"))


SAME = (
    f"the same result: {RESULT.sha256}\nno round.json: what was approved and paid was not compared"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "round"
    made.mkdir()
    (made / "election.pb").write_text(write(ELECTION, META, {}), encoding="utf-8")
    (made / "rule.json").write_bytes(RESULT.rule.canonical())
    (made / "result.json").write_bytes(RESULT.to_json())
    (made / "trace.json").write_bytes(RESULT.trace_json())
    return made


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


class Elsewhere(BaseHTTPRequestHandler):
    """Sends everybody to another kind of service."""

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", "ftp://127.0.0.1/rule.json")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    yield from served(partial(Quiet, directory=str(folder)))


@pytest.fixture
def elsewhere() -> Iterator[str]:
    yield from served(Elsewhere)


def served(handler: "partial[Quiet] | type[Elsewhere]") -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def test_the_public_files_of_a_folder_give_the_same_result(folder: Path) -> None:
    counted = recount(str(folder))
    assert counted.agrees
    assert counted.result.to_json() == RESULT.to_json()
    assert counted.published_sha256 == RESULT.sha256
    assert words(counted) == SAME


def test_the_public_files_of_an_address_give_the_same_result(address: str) -> None:
    assert recount(address).agrees
    assert recount(f"{address}/").agrees


def test_no_trace_is_no_difference(folder: Path) -> None:
    (folder / "trace.json").unlink()
    assert recount(str(folder)).agrees


def test_an_award_that_was_changed_is_named(folder: Path) -> None:
    forged = json.loads(RESULT.to_json())
    forged["projects"][0]["amount"] += 1
    forged["left"] -= 1
    (folder / "result.json").write_text(json.dumps(forged))
    counted = recount(str(folder))
    assert [line.split(":")[0] for line in counted.differences] == [
        "result.json left",
        "result.json projects bikes amount",
    ]
    assert f"counted   {RESULT.sha256}" in words(counted)
    assert counted.projects == ("bikes: published with 6.01 (funded), counted with 6.00 (funded)",)
    assert counted.projects[0] in words(counted)


def test_projects_that_were_left_out_or_invented_are_named(folder: Path) -> None:
    forged = json.loads(RESULT.to_json())
    forged["projects"][0]["project_id"] = "bribes"
    (folder / "result.json").write_text(json.dumps(forged))
    assert recount(str(folder)).projects == (
        "bikes: not published, counted with 6.00 (funded)",
        '"bribes": published, but no project of the election',
    )
    for wrong in ("{}", "[]", '{"projects":[[]]}', '{"projects":[{"project_id":[]}]}'):
        (folder / "result.json").write_text(wrong)
        assert recount(str(folder)).projects == ()


def test_a_rule_that_would_take_for_ever_ends_and_says_so(folder: Path) -> None:
    slow = EqualShares(completion="add1", increment_per=10_000, runs_max=50)
    result = tally(ELECTION, slow)
    (folder / "rule.json").write_bytes(slow.canonical())
    (folder / "result.json").write_bytes(result.to_json())
    (folder / "trace.json").write_bytes(result.trace_json())
    counted = recount(str(folder)).result
    assert recount(str(folder)).agrees
    assert counted.figures["ended_after_runs"] == 50
    assert counted.spent <= ELECTION.budget
    assert "ended_after_runs" not in RESULT.figures


def test_ballots_with_points_are_counted_by_points(tmp_path: Path) -> None:
    ballots = (Ballot(("bikes", "well"), points=(1, 3)), Ballot(("music",), points=(3,)))
    result = tally(replace(ELECTION, ballots=ballots), Greedy(by="points"))
    (tmp_path / "election.pb").write_text(write(result.election, META, {}), encoding="utf-8")
    (tmp_path / "rule.json").write_bytes(result.rule.canonical())
    (tmp_path / "result.json").write_bytes(result.to_json())
    assert recount(str(tmp_path)).agrees


def test_a_ballot_that_was_changed_is_found(folder: Path) -> None:
    path = folder / "election.pb"
    path.write_text(path.read_text().replace(";20,20", ";21,20"))
    assert any("election_sha256" in line for line in recount(str(folder)).differences)


def test_another_rule_is_found(folder: Path) -> None:
    (folder / "rule.json").write_bytes(EqualShares().canonical())
    assert any("rule_sha256" in line for line in recount(str(folder)).differences)
    (folder / "rule.json").write_text(json.dumps(json.loads(RESULT.rule.canonical()), indent=1))
    assert recount(str(folder)).differences == (
        "rule.json: not in canonical form, so its hash is another",
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "result.json: no JSON"),
        (b" " + RESULT.to_json(), "result.json: the same values, not in canonical form"),
    ],
)
def test_a_result_in_another_form_is_a_difference(folder: Path, content: bytes, told: str) -> None:
    (folder / "result.json").write_bytes(content)
    assert recount(str(folder)).differences == (told,)


@pytest.mark.parametrize("name", ["election.pb", "rule.json", "result.json"])
def test_a_missing_file_is_named(folder: Path, address: str, name: str) -> None:
    (folder / name).unlink()
    for place in (str(folder), address):
        with pytest.raises(FileMissing, match=name):
            recount(place)


def test_a_file_beyond_all_measure_is_not_read(
    folder: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publication, "BYTES_MAX", 100)
    for place in (str(folder), address):
        with pytest.raises(FileTooLarge):
            recount(place)


def test_an_address_that_takes_for_ever_is_left(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publication, "DOWNLOAD_SECONDS_MAX", -1)
    with pytest.raises(AddressUnreachable, match="too slow"):
        recount(address)


@pytest.mark.parametrize("place", ["file:///etc", "ftp://example.org/x", "http://", "://x"])
def test_only_the_web_is_opened(place: str) -> None:
    with pytest.raises(AddressRefused):
        recount(place)


def test_a_redirection_off_the_web_is_not_followed(elsewhere: str) -> None:
    with pytest.raises(AddressRefused):
        recount(elsewhere)


def test_a_silent_address_is_named(address: str) -> None:
    with pytest.raises(AddressUnreachable):
        recount("http://127.0.0.1:1")


def test_it_says_what_is_wrong_and_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder)]) == 0
    assert main([]) == 2
    (folder / "rule.json").write_text("{}")
    assert main([str(folder)]) == 1
    assert "refused: RuleUnknown" in capsys.readouterr().err


def test_it_runs_with_the_rules_and_python_alone(folder: Path, tmp_path: Path) -> None:
    """The folder of the rules and the canonical form are copied out; nothing else is there."""
    alone = tmp_path / "alone" / "ledger"
    copytree(ROOT / "ledger" / "rules", alone / "rules")
    for name in ("__init__.py", "canonical.py"):
        (alone / name).write_bytes((ROOT / "ledger" / name).read_bytes())
    done = subprocess.run(
        [sys.executable, "-S", "-m", "ledger.rules.recount", str(folder)],
        cwd=alone.parent,
        env={"PYTHONSAFEPATH": "", "PYTHONPATH": str(alone.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{SAME}\n"


def test_what_is_no_file_is_refused_at_once(folder: Path) -> None:
    (folder / "result.json").unlink()
    os.mkfifo(folder / "result.json")
    with pytest.raises(FileMissing, match=r"result\.json is no file"):
        recount(str(folder))


def test_letters_that_cannot_be_shown_or_would_be_obeyed_are_escaped(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = json.loads(RESULT.to_json())
    forged["projects"][0]["project_id"] = "\ud800\x1b[2J"
    forged["projects"][1]["ending"] = "\u202efunded"
    (folder / "result.json").write_text(json.dumps(forged))
    assert main([str(folder)]) == 1
    told = capsys.readouterr().out
    assert "\\ud800" in told
    assert "\\u202e" in told
    assert all(one.isprintable() for one in told.splitlines())


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b'{"definition":1,"struck":2,"tally":3}'])
def test_a_file_that_is_no_round_is_a_difference(folder: Path, content: bytes) -> None:
    (folder / "round.json").write_bytes(content)
    assert recount(str(folder)).differences == ("round.json: not the file of a round",)


def test_the_rules_import_only_themselves_and_python() -> None:
    for path in (ROOT / "ledger" / "rules").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                assert (
                    name.split(".")[0] in sys.stdlib_module_names
                    or name == "ledger.canonical"
                    or f"{name}.".startswith("ledger.rules.")
                ), f"{path.name} imports {name}"
