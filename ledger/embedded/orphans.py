"""What a killed owner may leave behind: a server that is still shutting down, a stale pid file."""

import os
import signal
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from ledger.embedded.account import Account
from ledger.embedded.failures import ProgramFailed

ORPHAN_SECONDS = 120
POLL = timedelta(milliseconds=50)

# Only the account itself may see where its processes work, so it is asked.
_AT_WORK = """
for process in /proc/[0-9]*; do
    if [ "$process/cwd" -ef "$1" ] && [ "$(cat "$process/comm")" = postgres ]; then
        echo "${process#/proc/}"
    fi
done
"""


def await_orphans(data: Path, account: Account) -> None:
    """Wait until no earlier server works in the data folder; the caller holds the owner's lock."""
    if not (data / "postmaster.pid").exists():
        return
    deadline = time.monotonic() + ORPHAN_SECONDS
    while pids := _at_work(data, account):
        recorded = _recorded_pid(data)
        if recorded in pids:
            with suppress(ProcessLookupError):
                os.kill(recorded, signal.SIGINT)
        if time.monotonic() > deadline:
            raise ProgramFailed("an earlier postgres", "does not stop", f"processes {pids}")
        time.sleep(POLL.total_seconds())


def ignoring_reused_pid(data: Path) -> dict[str, str]:
    """Environment that tells postgres whose pid its stale file names: a stranger's by now.

    After a restart of the machine the pid of the last server may belong to any process. Where
    /proc shows that no server works in the folder, postgres may take that pid for a relative's,
    and keeps its own check of the shared memory.
    """
    recorded = _recorded_pid(data)
    if recorded is None or not Path("/proc/self").exists():
        return {}
    return {"PG_GRANDPARENT_PID": str(recorded)}


def _at_work(data: Path, account: Account) -> list[int]:
    with account.way_into(data) as (path, descriptors):
        found = account.run(["sh", "-c", _AT_WORK, "sh", path], descriptors)
    return [int(line) for line in found.stdout.split()]


def _recorded_pid(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
