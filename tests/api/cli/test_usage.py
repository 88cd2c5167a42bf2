"""What every command has in common: help, exit codes, and errors that are told apart."""

import os
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.api.cli.outcomes import Run, assert_refused, outside
from tests.api.served import serving, settings_in

NOBODY = str(uuid4())


COMMANDS = (
    *(["serve"], ["migrate"], ["demo"], ["partner"], ["partner", "add"], ["partner", "list"]),
    *(["till"], ["till", "enrol"]),
    *(["till", "rotate"], ["till", "revoke"], ["import"], ["import", "sales"], ["rebuild"]),
    *(["user"], ["user", "add"], ["user", "roles"], ["user", "link"], ["user", "list"]),
    *(["user", "disable"], ["user", "enable"], ["user", "erase"], ["vault"], ["vault", "rotate"]),
    *(["badge"], ["badge", "rotate"], ["till", "offer"], ["check"]),
    *(["foundation"], ["foundation", "describe"], ["foundation", "show"]),
)


def test_every_command_has_help(run: Run) -> None:
    for command in ([], *COMMANDS):
        helped = run(*command, "--help")
        assert helped.code == 0
        assert "usage: donpositif" in helped.out


def test_wrong_usage_is_told_apart(run: Run) -> None:
    wrong: tuple[list[str], ...] = (
        *([], ["fly"], ["partner"], ["partner", "add"], ["partner", "add", "--name", "x"]),
        *(["till", "enrol", "--partner", "nobody"], ["import", "sales"], ["check", "now"]),
        ["import", "sales", "x", "--partner", NOBODY, "--till", NOBODY, "--ask", "tip"],
    )
    for arguments in wrong:
        assert_refused(run(*arguments), "usage: donpositif", code=2)


def test_wrong_settings_and_an_absent_database_are_told_apart(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", "many")
    assert_refused(run("check"), "PORT=many", code=2)
    monkeypatch.delenv("PORT")
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hush@127.0.0.1:1/x?connect_timeout=2")
    absent = run("check", "--json")
    assert_refused(absent, "no database", code=3)
    assert "hush" not in absent.err


def test_a_second_service_on_the_same_address_says_so(conninfo: str, home: Path) -> None:
    with serving(settings_in(home), conninfo) as running:
        port = str(httpx.URL(running.url).port)
        taken = outside(home, "serve", DATABASE_URL=conninfo, PORT=port)
    assert_refused(taken, f"cannot listen on 127.0.0.1:{port}", code=2)


def test_an_account_without_a_name_can_run_commands(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container may run as a number that no account has."""
    monkeypatch.setattr(os, "getuid", lambda: 54_321)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert run("migrate", "--json").facts == {"applied": []}
