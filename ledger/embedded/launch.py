"""From a home to a server that answers, for as long as somebody needs it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.embedded.account import Account, postgres_account
from ledger.embedded.cluster import ensure_cluster, refuse_another_accounts
from ledger.embedded.failures import HomeNotWritable
from ledger.embedded.ownership import Owner, join
from ledger.embedded.programs import programs
from ledger.embedded.server import SOCKET_NAME, Server, conninfo_of, reachable, running

SOCKET_RECORD = "socket-folder"
SHORT_FOLDER = "donpositif-socket-"
SOCKET_PATH_MAX = 107  # What the kernel accepts, in bytes.


@contextmanager
def embedded_postgres(home: Path, *, owner: bool = False) -> Iterator[str]:
    """Yield the conninfo of the home's server, which runs while at least one process needs it.

    `owner` is for the service: it runs the server itself, waiting for a short command that does,
    and stops it at its own end whoever borrows it. A short command stops it after its borrowers.
    """
    home = _made(home)
    account = postgres_account()
    refuse_another_accounts(home, account)
    role = join(home, "service" if owner else "command", lambda: _serving(home))
    try:
        if isinstance(role, Owner):
            yield from _serve(home, role, account)
        else:
            yield role.conninfo
    finally:
        role.lock.release()


def _serve(home: Path, owner: Owner, account: Account) -> Iterator[str]:
    found = programs(account)
    data = ensure_cluster(home, found, account)
    nobody = None
    try:
        with (
            _socket_folder(home, account) as folder,
            running(Server(home, data, folder, found / "postgres", account)) as conninfo,
        ):
            try:
                yield conninfo
            finally:
                nobody = owner.let_borrowers_finish()
    finally:
        if nobody is not None:
            nobody.release()


def _made(home: Path) -> Path:
    try:
        is_new = not home.exists()
        home.mkdir(parents=True, exist_ok=True)  # Another start may make it meanwhile.
        if is_new:
            home.chmod(0o755)  # What is secret in it is closed itself.
        home = home.resolve(strict=True)
    except OSError as failure:
        raise HomeNotWritable(home, str(failure)) from failure
    if not (home.is_dir() and os.access(home, os.W_OK | os.X_OK)):
        raise HomeNotWritable(home, "it is not a folder that this account may write to")
    return home


def _serving(home: Path) -> str | None:
    folder = _recorded_socket_folder(home)
    if folder is None:
        return None
    conninfo = conninfo_of(folder)
    return conninfo if reachable(conninfo) else None


def _recorded_socket_folder(home: Path) -> Path | None:
    """Where the home's server listens, or listened when its owner was killed."""
    try:
        folder = Path((home / SOCKET_RECORD).read_text())
    except FileNotFoundError:
        return None
    return folder if folder.is_absolute() else None  # A power cut may leave an empty file.


@contextmanager
def _socket_folder(home: Path, account: Account) -> Iterator[Path]:
    """A folder that only the account can enter; its path is kept in the home for borrowers."""
    record = home / SOCKET_RECORD
    beside = home / "run"
    earlier = _recorded_socket_folder(home)
    if earlier is not None and earlier.name.startswith(SHORT_FOLDER):
        shutil.rmtree(earlier, ignore_errors=True)
    is_usable = _fits(beside) and account.can_enter(home)
    folder = beside if is_usable else _short_folder(account)
    account.own(folder)
    record.write_text(str(folder))
    try:
        yield folder
    finally:
        record.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_PATH_MAX


def _short_folder(account: Account) -> Path:
    for parent in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):  # noqa: S108 — mkdtemp makes an unguessable private folder.
        if parent.is_dir() and account.can_enter(parent):
            folder = Path(tempfile.mkdtemp(prefix=SHORT_FOLDER, dir=parent))
            if _fits(folder):
                return folder
            folder.rmdir()
    raise HomeNotWritable(Path(tempfile.gettempdir()), "no folder is short enough for a socket")
