"""One at a time in all processes: whoever decides what depends on more than one stream.

Rounds are streams of their own, and what one of them may take depends on the others: their pots,
what they left, the projects they hold. So is money: how much a statement or a pledge still takes
depends on every transfer, cheque and card payment that names it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from psycopg_pool import ConnectionPool


@dataclass(frozen=True, slots=True)
class Turn:
    """A number that nobody else locks. A process waits with one connection at most."""

    lock: int
    within: threading.Lock = field(default_factory=threading.Lock)


ROUNDS: Final = Turn(7_402_118_377)
# Held by whoever allocates money, writes a debt off or sets credit off.
MONEY: Final = Turn(7_402_118_378)
# Held by whoever books the entries of a bank file.
BANK_FILES: Final = Turn(7_402_118_379)
# Held by whoever reminds a shop.
REMINDERS: Final = Turn(7_402_118_382)
WAIT: Final = "SET LOCAL lock_timeout = '15s'"


@contextmanager
def one_at_a_time(pool: ConnectionPool[Any], turn: Turn = ROUNDS) -> Iterator[None]:
    """Wait until nobody else is at it. Raises OperationalError when that takes too long."""
    # Who is at it needs connections of the pool, so that those who wait must not hold them all.
    with turn.within, pool.connection() as connection, connection.transaction():
        connection.execute(WAIT)
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (turn.lock,))
        yield
