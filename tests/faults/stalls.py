"""Where exactly a process is killed: a statement of its waits in the database until it is dead."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import LiteralString

import psycopg
from psycopg.sql import SQL

from tests.ledger.processes import eventually

# Any number that nobody else locks.
STALLED = 5_117_402
STALL = """
CREATE FUNCTION stall() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(5117402);
    RETURN NEW;
END
$$
"""
TRIGGER = """
CREATE TRIGGER stall BEFORE INSERT OR UPDATE ON {table}
FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION stall()
"""
# The server notices that a process is gone only when it next hears of it.
BURY = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE objid = %s AND NOT granted"
WAITING = "SELECT count(*) FROM pg_locks WHERE objid = %s AND NOT granted"


@contextmanager
def stalling(
    conninfo: str, table: LiteralString, condition: LiteralString
) -> Iterator[Callable[[], bool]]:
    """Let matching rows wait; give whether one does. Then bury whoever waited."""
    with psycopg.connect(conninfo, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", (STALLED,))
        holder.execute(STALL)
        holder.execute(SQL(TRIGGER).format(table=SQL(table), condition=SQL(condition)))

        def waits() -> bool:
            row = holder.execute(WAITING, (STALLED,)).fetchone()
            return row is not None and row[0] > 0

        yield waits
        holder.execute(BURY, (STALLED,))
        eventually(lambda: not waits())
        holder.execute("DROP FUNCTION stall CASCADE")
