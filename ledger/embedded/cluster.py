"""The folder of data that PostgreSQL serves: made once, whole or not at all."""

import os
import pwd
import shutil
import tempfile
from pathlib import Path

from ledger.embedded.account import Account
from ledger.embedded.failures import HomeOfAnotherAccount, ProgramFailed

ROLE = "donpositif"
UNFINISHED = "data.unfinished-"


def refuse_another_accounts(home: Path, account: Account) -> None:
    """The server of another account would let nobody else in."""
    data = home / "data"
    if data.exists() and data.stat().st_uid != account.uid:
        raise HomeOfAnotherAccount(home, _name(data.stat().st_uid))


def ensure_cluster(home: Path, programs: Path, account: Account) -> Path:
    """Return the data folder; only the owner of the home may call this."""
    data = home / "data"
    if data.exists():
        return data
    for leftover in home.glob(f"{UNFINISHED}*"):  # A start was killed while it made the cluster.
        shutil.rmtree(leftover, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=home))
    account.own(unfinished)
    _initdb(unfinished, programs, account)
    _trust_only_ourselves(unfinished, account)
    made = unfinished.rename(data)
    _make_durable(home)
    return made


def _make_durable(directory: Path) -> None:
    """Without this, a power cut could give a cluster that is in use its unfinished name back."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _initdb(data: Path, programs: Path, account: Account) -> None:
    with account.way_into(data) as (path, descriptors):
        made = account.run(
            [
                programs / "initdb",
                f"--pgdata={path}",
                f"--username={ROLE}",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C.UTF-8",
                "--data-checksums",
                "--auth-local=peer",
                "--auth-host=reject",
                "--no-instructions",
            ],
            descriptors,
        )
    if made.returncode != 0:
        outcome = f"stopped with status {made.returncode}"
        raise ProgramFailed("initdb", outcome, f"{made.stdout}{made.stderr}"[-2000:])


def _trust_only_ourselves(data: Path, account: Account) -> None:
    """The kernel vouches for who connects: the account itself, or root where root started it."""
    names = sorted({account.name, pwd.getpwuid(os.geteuid()).pw_name})
    (data / "pg_hba.conf").write_text("local all all peer map=house\n")
    (data / "pg_ident.conf").write_text("".join(f"house {name} {ROLE}\n" for name in names))
