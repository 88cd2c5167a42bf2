"""What really stands in a database, read without the code under test."""

import json
from typing import Any, NamedTuple

import psycopg
from psycopg.sql import SQL, Identifier


class Stored(NamedTuple):
    """One event as it is stored."""

    position: int
    topic: str
    state: dict[str, Any]


def stored(conninfo: str, *topics: str) -> list[Stored]:
    """Give the events of some topics, or all, in the order of the feed."""
    with psycopg.connect(conninfo) as connection:
        rows = connection.execute(
            "SELECT notification_id, topic, convert_from(state, 'UTF8') FROM ledger_events"
            " WHERE cardinality(%(topics)s::text[]) = 0 OR topic = ANY(%(topics)s)"
            " ORDER BY notification_id",
            {"topics": list(topics)},
        ).fetchall()
    return [Stored(position, topic, json.loads(state)) for position, topic, state in rows]


def gifts(conninfo: str) -> list[Stored]:
    return stored(conninfo, "DonationRecorded")


def every_byte(conninfo: str) -> bytes:
    """Give all rows as text and the raw files of all tables, TOAST and indexes."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        connection.execute("SET bytea_output = 'escape'")
        names = connection.execute(
            "SELECT relname FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace"
            " WHERE relkind = 'r' AND nspname = 'public'"
        ).fetchall()
        found = b""
        for (name,) in names:
            with connection.cursor().copy(SQL("COPY {} TO STDOUT").format(Identifier(name))) as out:
                found += b"".join(map(bytes, out))
        files = connection.execute(
            "SELECT pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class"
            " WHERE relkind IN ('r', 'i', 't') AND oid >= 16384"
        ).fetchall()
    return found + b"".join(bytes(content) for (content,) in files)
