"""What a command answers, here or as a process of its own, and the first things every test does."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.api.served import PROGRAM, environment
from tests.api.shops import siret


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, Any]:
        """What it told a program: all of stdout is one JSON object."""
        found: dict[str, Any] = json.loads(self.out)
        assert isinstance(found, dict)
        return found


Run = Callable[..., Outcome]


def outside(home: Path, *arguments: str, **changes: str) -> Outcome:
    """Run a command as an operator does, in a process of its own."""
    ended = subprocess.run(
        [PROGRAM, *arguments],
        env=environment(home, changes),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Outcome(ended.returncode, ended.stdout, ended.stderr)


def add_partner(run: Run, number: int = 1) -> str:
    added = run("partner", "add", "--name", f"Shop {number}", "--siret", siret(number), "--json")
    assert added.code == 0, added.err
    partner_id: str = added.facts["partner_id"]
    return partner_id


def enrol_till(run: Run, partner_id: str) -> dict[str, str]:
    enrolled = run("till", "enrol", "--partner", partner_id, "--json")
    assert enrolled.code == 0, enrolled.err
    return enrolled.facts


def assert_refused(outcome: Outcome, name: str, code: int = 1) -> None:
    assert outcome.code == code, outcome.err
    assert outcome.out == ""
    assert name in outcome.err
    assert "Traceback" not in outcome.err
