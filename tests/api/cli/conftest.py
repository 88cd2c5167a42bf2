"""A command line on the test's own database and home."""

from pathlib import Path

import pytest

from api.cli import main
from tests.api.cli.outcomes import Outcome, Run
from tests.api.served import environment


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(
    conninfo: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run a command here, on the test's database."""
    for name, value in environment(home, {"DATABASE_URL": conninfo}).items():
        monkeypatch.setenv(name, value)

    def run_here(*arguments: str) -> Outcome:
        capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return run_here
