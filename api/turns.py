"""One at a time in all processes: whoever opens, drafts or cancels a round.

Rounds are streams of their own, and what one of them may take depends on the others: their pots,
what they left, the projects they hold.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from psycopg_pool import ConnectionPool

# Any number that nobody else locks.
LOCK: Final = 7_402_118_377
WAIT: Final = "SET LOCAL lock_timeout = '15s'"
# A process waits with one connection at most: who is at it needs others.
TURN = threading.Lock()


@contextmanager
def one_at_a_time(pool: ConnectionPool[Any]) -> Iterator[None]:
    """Wait until nobody else is at it. Raises OperationalError when that takes too long."""
    with TURN, pool.connection() as connection, connection.transaction():
        connection.execute(WAIT)
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        yield
