"""Two more judges of our badges, where Node.js is: our page's script, and other people's code."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
INSTALLED = HERE / "node_modules"
SECONDS_MAX = 60
# Ed25519 in Web Crypto, without a flag.
NODE_MIN = 20

Judge = Callable[[dict[str, Any]], dict[str, Any]]


def no_node() -> str | None:
    """Say what keeps our page's script from judging, None when it can."""
    node = shutil.which("node")
    if node is None:
        return "no Node.js was found"
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(told.lstrip("v").split(".")[0]) < NODE_MIN:
        return f"Node.js {NODE_MIN} or newer is needed, not {told.strip()}"
    return None


def no_others() -> str | None:
    """Say what keeps other people's verifier from judging, None when it can."""
    absent = "other people's verifier is missing: make install-node"
    return no_node() or (None if INSTALLED.is_dir() else absent)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly that nobody else judged the badges."""
    reason = no_others()
    if reason is not None:
        terminalreporter.write_sep("!", "BADGES WERE NOT JUDGED BY OTHERS' CODE", red=True)
        terminalreporter.write_line(reason)


def judge_of(script: str, reason: str | None) -> Judge:
    if reason is not None:
        if os.environ.get("DONPOSITIF_REQUIRE_NODE") == "1":
            pytest.fail(f"DONPOSITIF_REQUIRE_NODE=1, and {reason}")
        pytest.skip(reason)

    def judge(documents: dict[str, Any]) -> dict[str, Any]:
        done = subprocess.run(
            ["node", HERE / script],
            input=json.dumps(documents),
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return judge


@pytest.fixture(scope="session")
def others() -> Judge:
    """Digital Bazaar's verifier, with the whole context of 1EdTech."""
    return judge_of("judge.mjs", no_others())


@pytest.fixture(scope="session")
def page() -> Judge:
    """The verifier that our page runs in a browser."""
    return judge_of("browser_judge.mjs", no_node())
