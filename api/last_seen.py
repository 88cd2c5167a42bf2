"""When each till was last heard of: noted beside its requests, which never wait for it."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

LOG = logging.getLogger("donpositif.tills")
NOTED_EVERY_SECONDS: Final = 60.0

NOTE = """
INSERT INTO till_seen (till_id, seen_at) VALUES (%(till)s, %(at)s)
ON CONFLICT (till_id) DO UPDATE SET seen_at = greatest(till_seen.seen_at, excluded.seen_at)
"""


@dataclass(slots=True)
class LastSeen:
    """Notes each till at most once a minute and worker, in a thread of its own."""

    pool: ConnectionPool[Any]
    _noted: dict[UUID, float] = field(default_factory=dict)
    _writer: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="last-seen")
    )

    def note(self, till_id: UUID) -> None:
        """Note that a till was heard of now."""
        now = time.monotonic()
        noted = self._noted.get(till_id)
        if noted is None or now - noted > NOTED_EVERY_SECONDS:
            self._noted[till_id] = now
            self._writer.submit(self._write, till_id, datetime.now(UTC))

    def close(self) -> None:
        """Write what was noted and stop."""
        self._writer.shutdown()

    def _write(self, till_id: UUID, at: datetime) -> None:
        try:
            with self.pool.connection() as connection:
                connection.execute(NOTE, {"till": till_id, "at": at})
        except (psycopg.Error, PoolTimeout) as failure:
            LOG.warning("when a till was last seen could not be noted: %s", failure)
