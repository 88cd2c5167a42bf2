"""One PostgreSQL server process: started, answering, stopped, and never outliving its owner."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from ledger.embedded.account import ENVIRONMENT, Account
from ledger.embedded.cluster import ROLE
from ledger.embedded.failures import ProgramFailed, StartedOffTheMainThread
from ledger.embedded.orphans import await_orphans, ignoring_reused_pid

DATABASE = "donpositif"
SOCKET_NAME = ".s.PGSQL.5432"
START_SECONDS = 300  # Recovery after a crash replays at most max_wal_size.
STOP_SECONDS = 60
POLL = timedelta(milliseconds=20)
LOG_BYTES_MAX = 10_000_000
MEGABYTE = 1 << 20
PR_SET_PDEATHSIG = 1

SETTINGS = {
    "listen_addresses": "",  # No network: the socket's folder is the only way in.
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_level": "minimal",  # There are no replicas of an embedded server.
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class Server:
    home: Path
    data: Path
    socket_folder: Path
    program: Path
    account: Account

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"


@contextmanager
def running(server: Server) -> Iterator[str]:
    """Yield the conninfo of the database once the server answers; stop it in the end."""
    await_orphans(server.data, server.account)
    if server.log.exists() and server.log.stat().st_size > LOG_BYTES_MAX:
        server.log.replace(server.log.with_suffix(".log.1"))
    for leftover in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
        (server.socket_folder / leftover).unlink(missing_ok=True)
    process = _start(server)
    try:
        _await_answer(server, process)
        _ensure_database(server.socket_folder)
        yield conninfo_of(server.socket_folder)
    finally:
        _stop(process)


def conninfo_of(socket_folder: Path, database: str = DATABASE) -> str:
    return make_conninfo(host=str(socket_folder), user=ROLE, dbname=database)


def reachable(conninfo: str) -> bool:
    try:
        psycopg.connect(conninfo, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _start(server: Server) -> subprocess.Popen[bytes]:
    if threading.current_thread() is not threading.main_thread():
        # The kernel's signal to the orphan comes when the thread that forked it ends.
        raise StartedOffTheMainThread
    settings = SETTINGS | {"shared_buffers": f"{_shared_buffers_megabytes()}MB"}
    with (
        server.account.way_into(server.data) as (data, descriptors),
        server.log.open("ab") as log,
    ):
        command = [str(server.program), "-D", str(data), "-k", str(server.socket_folder)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=ENVIRONMENT | ignoring_reused_pid(server.data),
            pass_fds=descriptors,
            start_new_session=True,  # Ctrl-C is for us: the server stops when we have finished.
            preexec_fn=_ending_with(os.getpid()),  # noqa: PLW1509 — it takes no lock.
            **server.account.identity,
        )


def _shared_buffers_megabytes() -> int:
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // MEGABYTE
    return max(128, min(512, memory // 16))


def _ending_with(parent: int) -> Callable[[], None] | None:
    """Have the kernel shut the server down when its owner is killed."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # Loaded before the fork: the child may not take locks.

    def in_the_child() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:  # Killed between the fork and the line above.
            os._exit(1)

    return in_the_child


def _await_answer(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    maintenance = conninfo_of(server.socket_folder, "postgres")
    while not reachable(maintenance):
        with suppress(subprocess.TimeoutExpired):
            status = process.wait(POLL.total_seconds())
            raise ProgramFailed("postgres", f"stopped with status {status}", last_lines(server.log))
        if time.monotonic() > deadline:
            raise ProgramFailed("postgres", "does not answer", last_lines(server.log))


def last_lines(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])


def _ensure_database(socket_folder: Path) -> None:
    with psycopg.connect(conninfo_of(socket_folder, "postgres"), autocommit=True) as connection:
        found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE])
        if found.rowcount == 0:
            connection.execute(f'CREATE DATABASE "{DATABASE}"')


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask for a clean end; an end that lasts too long costs the next start a recovery, no data."""
    for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        process.send_signal(request)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
            return
