import io
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pabulib.checker import Checker  # type: ignore[import-untyped]

from ledger.rules.election import AmountOutOfBounds, Ballot, Election, Project, RuleRefused
from ledger.rules.pabulib import (
    CellMalformed,
    ColumnMissing,
    MetaMissing,
    RuleNotDeclared,
    SectionMissing,
    VoteTypeUnknown,
    read,
)
from ledger.rules.pabulib_writer import NotWritable, rule_meta, write
from ledger.rules.rule import EqualShares, Greedy, Measure, Quadratic
from ledger.rules.tally import tally
from tests.ledger.rules.elections import elections

META = {
    "description": "Choix des projets",
    "country": "France",
    "unit": "L’Isle-sur-la-Sorgue",
    "rule": "greedy",
    "date_begin": "01.10.2026",
    "date_end": "31.10.2026",
    "currency": "EUR",
    "language": "fr",
}
PROJECTS = {"bikes": {"name": "Des vélos"}, "well": {"name": "Un puits"}}
ELECTION = Election(
    election_id="autumn",
    budget=10_050,
    projects=(Project("bikes", 10_000), Project("well", 2_099)),
    ballots=(Ballot(("bikes", "well")), Ballot(("well",)), Ballot(("bikes",))),
    decimals=2,
)
SMALL = """META
key;value
instance;2030
budget;100
vote_type;approval
PROJECTS
project_id;cost;selected
1;60;1
2;50.0;0
VOTES
voter_id;vote
a;1,2
b;1
"""


def judged(text: str) -> dict[str, Any]:
    """What other people's checker finds wrong, by the name it gives to it."""
    with redirect_stdout(io.StringIO()):
        found = Checker().process_files([text.rstrip("\n")])
    errors: dict[str, Any] = found[1]["results"].get("errors", {})
    return errors


def test_what_is_written_is_valid_and_read_back_the_same() -> None:
    text = write(ELECTION, META, PROJECTS)
    assert judged(text) == {}
    file = read(text)
    assert file.election == ELECTION
    assert file.meta["budget"] == "100.50"
    assert file.project_rows["bikes"]["name"] == "Des vélos"


def test_weights_are_points_spread_over_the_picks() -> None:
    weighted = Election(
        election_id="autumn",
        budget=10_000,
        projects=ELECTION.projects,
        ballots=(
            Ballot(("bikes", "well"), 41),
            Ballot(("bikes", "well"), 1),
            Ballot(("well",), 250),
        ),
        decimals=2,
    )
    text = write(weighted, META, PROJECTS)
    assert judged(text) == {}
    assert text.endswith("1;bikes,well;21,20\n2;bikes,well;1,0\n3;well;250\n")
    assert read(text, points_weigh=True).election == weighted
    assert read(text).election.ballots[1] == Ballot(("bikes",), points=(1,))


def test_a_project_may_be_dearer_than_the_budget() -> None:
    dear = replace(ELECTION, projects=(Project("bikes", 2_000_001), Project("well", 2_099)))
    text = write(dear, META, PROJECTS)
    assert judged(text) == {}
    assert "bikes;999999999.00;2;Des vélos;goal 20000.01\n" in text
    assert read(text).election == dear


@given(elections(), st.sampled_from([1, 100]))
def test_what_is_published_passes_the_check(election: Election, unit: int) -> None:
    """Costs and budgets are whole here: the format takes less than one for nothing."""
    ballots = tuple(one for one in election.ballots if one.picks)
    grown = replace(
        election,
        budget=(election.budget + 1) * unit,
        projects=tuple(replace(one, cost=one.cost * unit) for one in election.projects),
        ballots=ballots,
        decimals=2 if unit == 100 else 0,
    )
    text = write(grown, META, {})
    assert read(text, points_weigh=True).election == grown
    if ballots:
        assert judged(text) == {}


def test_texts_lose_their_borders() -> None:
    text = write(ELECTION, {**META, "description": 'Le "choix"; ici\nou là'}, PROJECTS)
    assert read(text).meta["description"] == "Le choix ici ou là"
    assert judged(text) == {}


def test_a_ballot_that_weighs_and_says_nothing_is_not_written() -> None:
    for wrong in (Ballot((), 4), Ballot(("well",), 4, (2,))):
        with pytest.raises(NotWritable):
            write(replace(ELECTION, ballots=(wrong,)), META, PROJECTS)


def test_a_budget_for_every_project_is_declared() -> None:
    rich = replace(ELECTION, budget=20_000)
    text = write(rich, META, PROJECTS)
    assert judged(text) == {}
    assert read(text).election == rich


def test_points_are_written_and_read_back() -> None:
    cumulative = Election(
        election_id="autumn",
        budget=10_000,
        projects=ELECTION.projects,
        ballots=(Ballot(("well", "bikes"), points=(3, 2)), Ballot(("well",), points=(1,))),
    )
    text = write(cumulative, META, PROJECTS)
    assert judged(text) == {}
    assert read(text).election == cumulative


@given(elections(weights=False))
def test_any_election_is_read_back(election: Election) -> None:
    again = read(write(election, META, {})).election
    assert again == election
    assert tally(again, EqualShares()).sha256 == tally(election, EqualShares()).sha256


def test_a_file_may_say_who_won() -> None:
    file = read(SMALL)
    assert file.official_winners == frozenset({"1"})
    assert tally(file.election, Greedy()).winners == ("1",)
    assert file.election.decimals == 0
    assert read(SMALL.replace("60;1", "60;")).official_winners is None


def test_a_file_of_another_system_is_read() -> None:
    windows = "\N{BYTE ORDER MARK}" + SMALL.replace("\n", "\r\n").replace("key;value\r\n", "")
    assert read(windows).election == read(SMALL).election
    assert read(SMALL.replace("50.0", "50.25")).election.budget == 10_000


@pytest.mark.parametrize(
    ("before", "after", "refusal"),
    [
        ("VOTES", "BALLOTS", SectionMissing),
        ("META\nkey;value\n", "", SectionMissing),
        ("voter_id;vote", "voter_id;choice", ColumnMissing),
        ("project_id;cost", "project_id;price", ColumnMissing),
        ("budget;100\n", "", MetaMissing),
        ("vote_type;approval", "vote_type;ordinal", VoteTypeUnknown),
        ("1;60", "1;sixty", CellMalformed),
        ("1;60", "1;-60", CellMalformed),
        ("1;60", "1;6e1", CellMalformed),
        ("1;60", "1;٦٠", CellMalformed),
        ("1;60", "1;0", AmountOutOfBounds),
        ("2;50.0", "1;50.0", CellMalformed),
        ("a;1,2", "a;1,3", RuleRefused),
        ("a;1,2", f"a;{'1' * 200_000}", CellMalformed),
    ],
)
def test_a_file_that_breaks_the_format_is_refused_by_name(
    before: str, after: str, refusal: type[RuleRefused]
) -> None:
    assert before in SMALL
    with pytest.raises(refusal):
        read(SMALL.replace(before, after, 1))


@pytest.mark.parametrize("name", ["a;b", "a,b", "a\nb", 'a"b', " a", ""])
def test_an_id_that_would_break_the_file_is_not_written(name: str) -> None:
    broken = Election("autumn", 5, (Project(name, 5),), ())
    with pytest.raises(NotWritable):
        write(broken, META, {})


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (Greedy("weight"), "greedy"),
        (Greedy("weight", "stop"), "greedy-no-skip"),
        (Greedy("weight", support_min=7), "greedy-threshold"),
        (EqualShares(), "equalshares"),
        (EqualShares(completion="add1", start="whole"), "equalshares/add1"),
    ],
)
def test_a_rule_is_declared_by_the_name_of_the_format(
    rule: Greedy | EqualShares, name: str
) -> None:
    told = rule_meta(rule)
    assert told["rule"] == name
    meta = "".join(f"{key};{value}\n" for key, value in told.items())
    assert read(SMALL.replace("PROJECTS", f"{meta}PROJECTS")).rule() == rule


def test_a_rule_without_a_name_is_unknown() -> None:
    assert rule_meta(EqualShares(completion="add1", then="greedy")) == {"rule": "unknown"}
    assert rule_meta(Quadratic()) == {"rule": "unknown"}
    for name in ("unknown", "greedy-exclusive", "equalshares-comparison"):
        with pytest.raises(RuleNotDeclared, match=name):
            read(SMALL.replace("PROJECTS", f"rule;{name}\nPROJECTS")).rule()


def test_a_pick_named_twice_is_one_pick() -> None:
    assert read(SMALL.replace("a;1,2", "a;1,2,1")).election == read(SMALL).election
    points = SMALL.replace("approval", "cumulative").replace(
        "voter_id;vote", "voter_id;vote;points"
    )
    twice = points.replace("a;1,2", "a;1,2,1;1,2,3").replace("b;1", "b;1;1")
    assert read(twice).election.ballots[0] == Ballot(("1", "2"), points=(4, 2))


def published() -> list[Path]:
    """Files of real elections, where somebody put them beside the repository."""
    shared = Path(__file__).parents[3].parent / "shared" / "data"
    return sorted(shared.glob("*.pb"))


@pytest.mark.skipif(not published(), reason="no file of a real election is here")
def test_real_elections_are_counted_as_their_files_declare() -> None:
    for path in published():
        file = read(path.read_text(encoding="utf-8"))
        by_score: Measure = "points" if file.has_points else "votes"
        result = tally(file.election, Greedy(by=by_score))
        assert file.declared_rule == "greedy"
        for one in result.explanations:
            row = file.project_rows[one.project_id]
            assert one.ballots == int(row["votes"])
            assert one.support == int(row.get("score") or row["votes"])
        if file.official_winners is not None:
            assert set(result.winners) == file.official_winners
