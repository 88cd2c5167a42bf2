"""Batches of 500 gifts over HTTP, against the bare insert of rows as large."""

import time
from collections.abc import Iterator
from itertools import islice
from uuid import uuid4

import psycopg

from benchmarks import served
from benchmarks.gifts import Requests
from benchmarks.ground import Ground, Till, village
from benchmarks.history import gift_of
from benchmarks.load import Load, run
from benchmarks.measure import Figure, at_least, compared, interleaved
from ledger.events import encode
from ledger.ids import stream_of

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
                "ours": lambda: run(load, OK).a_second * GIFTS,
                "bare": lambda: inserted_a_second(bare, tills[0], seconds),
            },
        )
    yield compared(
        f"batches of {GIFTS}, gifts",
        "/s",
        taken["ours"],
        "bare locked insert",
        taken["bare"],
        at_least(20_000),
    )


def inserted_a_second(conninfo: str, till: Till, seconds: float) -> float:
    """Insert groups of finished rows for some seconds: lock, insert, commit, and nothing else."""
    name, state = encode(gift_of(1, till))
    inserted, spent = 0, 0.0
    deadline = time.monotonic() + seconds
    with psycopg.connect(conninfo) as connection:
        while time.monotonic() < deadline:
            stream_ids = [stream_of("donation", gift_id) for gift_id in islice(iter(uuid4, 0), GIFTS)]
            columns = (stream_ids, [1] * GIFTS, [name] * GIFTS, [state] * GIFTS)
            started_at = time.perf_counter()
            connection.execute("LOCK TABLE ledger_events IN EXCLUSIVE MODE")
            connection.execute(INSERT, columns, prepare=True)
            connection.commit()
            spent += time.perf_counter() - started_at
            inserted += GIFTS
    return inserted / spent
