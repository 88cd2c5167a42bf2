"""A thousand elections of each kind counted by pabutools as well.

It is under another licence and needs a solver that is not free, so it is never installed here.
PABUTOOLS_PYTHON names a Python that has it: `pip install pabutools` in an environment of its own.
"""

import json
import os
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ledger.rules.election import Ballot, Election, Project
from ledger.rules.result import supports
from ledger.rules.rule import EqualShares, Greedy
from ledger.rules.tally import tally
from ledger.rules.ties import tie_key
from tests.ledger.rules.elections import crowd

JUDGE = Path(__file__).with_name("pabutools_judge.py")
ELECTIONS = 1_000
SEED = 4
SECONDS = 540


def asked(election: Election, rule: str, increment: int | None) -> dict[str, Any]:
    support = supports(election, election.groups("cents"))
    return {
        "budget": election.budget,
        "costs": election.costs,
        "ballots": [[one.picks, one.weight] for one in election.ballots],
        "order": sorted(election.costs, key=tie_key(election, support)),
        "rule": rule,
        "increment": increment,
    }


def made_up(dice: Random) -> Election:
    """Half of them with small numbers, which tie; the others with weights like gifts."""
    if dice.random() < 0.5:
        names = [f"p{number}" for number in range(dice.randint(1, 8))]
        return Election(
            election_id=f"e{dice.randrange(10**6)}",
            budget=dice.randint(5, 60),
            projects=tuple(Project(name, dice.randint(1, 25)) for name in names),
            ballots=tuple(
                Ballot(
                    tuple(dice.sample(names, dice.randint(1, len(names)))),
                    dice.choice((1, 1, 2, 5)),
                )
                for _ in range(dice.randint(1, 15))
            ),
        )
    gifts = (5, 20, 40, 75, 250)
    return crowd(dice, dice.randint(5, 80), dice.randint(2, 15), dice.randint(1, 6), gifts)


def ours(election: Election, rule: str, increment: int | None) -> list[str]:
    if rule == "greedy":
        return sorted(tally(election, Greedy(by="weight", support_min=0)).winners)
    if rule == "shares then greedy":
        return sorted(tally(election, EqualShares(then="greedy")).winners)
    if increment is None:
        return sorted(tally(election, EqualShares()).winners)
    completed = EqualShares(completion="add1", increment=increment, stop="exhausted")
    return sorted(tally(election, completed).winners)


@pytest.mark.parametrize(
    ("rule", "increment"),
    [
        ("shares", None),
        ("shares", 1),
        ("shares", 4),
        ("shares then greedy", None),
        ("greedy", None),
    ],
)
def test_pabutools_names_the_same_winners(rule: str, increment: int | None) -> None:
    python = os.environ.get("PABUTOOLS_PYTHON")
    if not python:
        pytest.skip("nobody else counted: PABUTOOLS_PYTHON names no Python with pabutools")
    dice = Random(f"{SEED} {rule} {increment}")
    cases = [(made_up(dice), rule, increment) for _ in range(ELECTIONS)]
    counted = subprocess.run(
        [python, str(JUDGE)],
        input=json.dumps([asked(*case) for case in cases]),
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    theirs = json.loads(counted.stdout)
    mismatched = [number for number, case in enumerate(cases) if ours(*case) != theirs[number]]
    assert mismatched == []
