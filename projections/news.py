"""What is new of a few kinds of events, for whoever holds in memory what they come to."""

from typing import Any

from psycopg.rows import tuple_row
from psycopg_pool import ConnectionPool

from projections.sql import queries

SQL = queries("news.sql")


def news(
    pool: ConnectionPool[Any], after: int, topics: list[str]
) -> tuple[list[tuple[int, str, bytes]], int]:
    """Give the events of some topics after a position, each with its own, and how far was looked.

    Blocks for one short query.
    """
    with pool.connection() as connection:
        cursor = connection.cursor(row_factory=tuple_row)
        rows = cursor.execute(SQL["news"], {"after": after, "topics": topics}).fetchall()
    *found, (head, _, _) = rows
    return [(position, topic, bytes(state)) for position, topic, state in found], head
