"""Batches of 500 gifts over HTTP, against the bare insert of rows as large."""

import time
from collections.abc import Iterator
from uuid import uuid4

import psycopg

from benchmarks import served
from benchmarks.gifts import Requests
from benchmarks.ground import Ground, Till, village
from benchmarks.history import gift_of
from benchmarks.load import Load, run
from benchmarks.measure import Baseline, Figure, at_least, compared, interleaved
from ledger.events import encode
from ledger.ids import stream_of
from projections import feed

GIFTS = 500
CONNECTIONS = 4
OK = 200
# Twice what a second of any server here takes.
REQUESTS_A_SECOND_MAX = 150
INSERT = """
INSERT INTO ledger_events (originator_id, originator_version, topic, state)
SELECT * FROM unnest(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[])
"""


def measure(ground: Ground) -> Iterator[Figure]:
    """Take the figures of the batches."""
    mine, bare = ground.database("batches"), ground.database("batches_bare")
    tills = village(mine, 1)
    seconds = ground.pace.seconds
    most = int(REQUESTS_A_SECOND_MAX * (seconds + 1))
    requests = Requests("/api/v1/donations/batch", GIFTS, (tills[0].key,), most)
    with served.ours(ground, mine) as port:
        load = Load(port, CONNECTIONS, seconds, requests)
        taken = interleaved(
            ground.pace.rounds,
            {
                "ours": lambda: recorded_a_second(mine, load),
                "bare": lambda: inserted_a_second(bare, tills[0], seconds),
            },
        )
    yield compared(
        f"batches of {GIFTS}, gifts",
        "/s",
        taken["ours"],
        Baseline("bare locked insert", taken["bare"]),
        at_least(20_000),
    )


def recorded_a_second(conninfo: str, load: Load) -> float:
    """Send batches; every gift that was answered must be there."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        before = feed.count(connection)
        answers = run(load, OK)
        answered = sum(answers.statuses.values()) * GIFTS
        if feed.count(connection) - before < answered:
            raise RuntimeError("some gifts of the batches were refused")
    return answers.a_second * GIFTS


def inserted_a_second(conninfo: str, till: Till, seconds: float) -> float:
    """Insert groups of finished rows for some seconds: lock, insert, commit, and nothing else."""
    name, state = encode(gift_of(1, till))
    inserted, spent = 0, 0.0
    deadline = time.monotonic() + seconds
    with psycopg.connect(conninfo) as connection:
        while time.monotonic() < deadline:
            stream_ids = [stream_of("donation", uuid4()) for _ in range(GIFTS)]
            columns = (stream_ids, [1] * GIFTS, [name] * GIFTS, [state] * GIFTS)
            started_at = time.perf_counter()
            connection.execute("LOCK TABLE ledger_events IN EXCLUSIVE MODE")
            connection.execute(INSERT, columns, prepare=True)
            connection.commit()
            spent += time.perf_counter() - started_at
            inserted += GIFTS
    return inserted / spent
