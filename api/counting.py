"""Counting a closed round from its page: in a process of its own, with progress that pages read.

A count may take seconds of one core, and whoever votes meanwhile must not wait for it.
"""

import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from psycopg import Connection, OperationalError
from psycopg.rows import class_row
from psycopg_pool import PoolClosed, PoolTimeout

from api.deps import Context, open_context
from api.logs import log_to_stderr
from api.refusals import name_of
from api.tally import tally_round
from ledger.decider import Refused
from ledger.settings import Settings
from ledger.store import LedgerUnavailable
from projections import feed

LOG = logging.getLogger("donpositif.count")
MODULE: Final = "api.counting"
# A small count is over before its page is shown, the start of its process included.
WAIT_SECONDS: Final = 6.0
TOLD_SECONDS: Final = 0.5
# Requests go first: nobody waits at a till or on a phone for a count.
NICENESS: Final = 10
FAILURES: Final = (OperationalError, PoolTimeout, LedgerUnavailable)

BEGIN: Final = """
INSERT INTO round_count (round_id, done, total, failed, moved_at)
VALUES (%(round_id)s, 0, %(total)s, NULL, clock_timestamp())
ON CONFLICT (round_id) DO UPDATE
SET done = 0, total = excluded.total, failed = NULL, moved_at = excluded.moved_at
WHERE round_count.failed IS NOT NULL
   OR round_count.moved_at < clock_timestamp() - interval '1 minute'
RETURNING round_id
"""
MOVE: Final = """
UPDATE round_count
SET done = least(%(done)s, total), failed = %(failed)s, moved_at = clock_timestamp()
WHERE round_id = %(round_id)s
"""
OVER: Final = "DELETE FROM round_count WHERE round_id = %(round_id)s"
READ: Final = """
SELECT done, total, failed, moved_at < clock_timestamp() - interval '1 minute' AS stuck
FROM round_count WHERE round_id = %(round_id)s
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """Events read, of so many; `stuck` when nobody has counted for a minute."""

    done: int
    total: int
    failed: str | None
    stuck: bool


def progress_of(connection: Connection[Any], round_id: UUID) -> Progress | None:
    with connection.cursor(row_factory=class_row(Progress)) as cursor:
        return cursor.execute(READ, {"round_id": round_id}).fetchone()


@dataclass(slots=True)
class Counting:
    """One count as it runs."""

    context: Context
    round_id: UUID
    actor: str
    done: int = 0
    told_at: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        """Count, and say why it failed if it did; the same count can always begin again."""
        try:
            tally_round(self.context, self.round_id, self.actor, self.move)
        except Refused as refusal:
            self.tell(name_of(refusal))
        except FAILURES as failure:
            LOG.warning("the count of round %s stopped: %s", self.round_id, failure)
            with suppress(*FAILURES):
                self.tell("unavailable")
        else:
            with self.context.pool.connection() as connection:
                connection.execute(OVER, {"round_id": self.round_id})

    def move(self, events: int) -> None:
        self.done += events
        if time.monotonic() - self.told_at > TOLD_SECONDS:
            self.told_at = time.monotonic()
            self.tell(None)

    def tell(self, failed: str | None) -> None:
        moved = {"round_id": self.round_id, "done": self.done, "failed": failed}
        with self.context.pool.connection() as connection:
            connection.execute(MOVE, moved)


def begin(context: Context, actor: str, round_id: UUID) -> bool:
    """Begin to count unless somebody is at it; tell whether it was over within a moment."""
    with context.pool.connection() as connection:
        # The feed is read for the rounds, for the choices, then for the gifts.
        asked = {"round_id": round_id, "total": 3 * feed.count(connection)}
        if connection.execute(BEGIN, asked).fetchone() is None:
            return False
    process = start(context, actor, round_id)
    ended = threading.Event()
    watching = threading.Thread(
        target=watch, args=(context, actor, round_id, process, ended), name=f"count {round_id}"
    )
    watching.daemon = True
    watching.start()
    return ended.wait(WAIT_SECONDS)


def start(context: Context, actor: str, round_id: UUID) -> "subprocess.Popen[bytes]":
    """Start the process that counts; where the database is goes by its environment, unseen."""
    return subprocess.Popen(
        [sys.executable, "-m", MODULE, str(round_id), actor],
        env={
            **os.environ,
            "DONPOSITIF_HOME": str(context.settings.home),
            "DATABASE_URL": str(context.pool.conninfo),
        },
        stdin=subprocess.DEVNULL,
    )


def watch(
    context: Context,
    actor: str,
    round_id: UUID,
    process: "subprocess.Popen[bytes]",
    ended: threading.Event,
) -> None:
    """Wait for the end of a count, and say that it failed should it have died."""
    try:
        if process.wait():
            LOG.error("the count of round %s ended with %s", round_id, process.returncode)
            with suppress(*FAILURES, PoolClosed):
                Counting(context, round_id, actor).tell("unavailable")
    finally:
        ended.set()


def main(round_id: UUID, actor: str, settings: Settings) -> None:
    """Count one round, in the process that was started for it."""
    os.nice(NICENESS)
    with open_context(settings, settings.database_url or "") as context:
        Counting(context, round_id, actor).run()


if __name__ == "__main__":
    log_to_stderr()
    main(UUID(sys.argv[1]), sys.argv[2], Settings.from_environment(os.environ))
