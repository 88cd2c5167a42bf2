"""A rebuild equals what lives, row for row, and nobody who reads notices it."""

import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import psycopg
import pytest
from psycopg import Connection
from psycopg.sql import SQL, Identifier
from psycopg_pool import ConnectionPool

from api.snapshots import Snapshots
from ledger.store import Ledger
from projections import balances, feed, journal, partners
from projections import rebuild as rebuilding
from projections.every import READ_MODELS
from projections.follow import catch_up, prepare
from projections.rebuild import rebuild
from tests.ledger.processes import eventually
from tests.projections.village import (
    RebuildMeanwhile,
    following,
    found,
    give,
    giving,
    insert_raw,
    is_fresh,
    plainly_summed,
    reached,
    rows,
)

KILLED = """
import sys
from projections import rebuild
from projections.every import READ_MODELS

rebuild.PAGE_EVENTS = 50

def stand_still(events):
    print(events, flush=True)
    sys.stdin.read()

rebuild.rebuild(sys.argv[1], READ_MODELS, stand_still)
"""


def every_event(conninfo: str) -> int:
    with psycopg.connect(conninfo) as connection:
        return feed.count(connection)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few hundred events be many pages and several writes."""
    monkeypatch.setattr(rebuilding, "PAGE_EVENTS", 30)


@pytest.mark.parametrize("names", [[name] for name in READ_MODELS] + [list(READ_MODELS)], ids=str)
def test_a_rebuild_equals_live_row_for_row(
    small_pages: None, ledger: Ledger, conninfo: str, names: list[str]
) -> None:
    found(ledger, 400)
    catch_up(conninfo, READ_MODELS)
    live, stood = rows(conninfo), reached(conninfo)
    told: list[int] = []
    with psycopg.connect(conninfo) as connection:
        for name in names:
            for table in READ_MODELS[name].tables:
                connection.execute(SQL("DELETE FROM {}").format(Identifier(table)))
    applied = rebuild(conninfo, {name: READ_MODELS[name] for name in names}, told.append)
    assert applied == sum(told) == every_event(conninfo)
    assert rows(conninfo) == live
    assert reached(conninfo) == stood
    assert shape_of_tables(conninfo) == shape_of_tables(conninfo, fresh=True)


def shape_of_tables(conninfo: str, *, fresh: bool = False) -> list[tuple[Any, ...]]:
    """Describe columns, constraints and indexes as they are, or as new tables have them."""
    with psycopg.connect(conninfo) as connection:
        if fresh:
            connection.execute("CREATE SCHEMA fresh")
            connection.execute("SET LOCAL search_path TO fresh")
            for model in READ_MODELS.values():
                connection.execute(model.ddl)
        connection.execute("SELECT set_config('search_path', '', true)")
        found = connection.execute(
            """
            SELECT c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
                   a.attnotnull, a.attstorage, c.reloptions,
                   (SELECT array_agg(conname || contype::text ORDER BY conname)
                    FROM pg_constraint WHERE conrelid = c.oid),
                   (SELECT array_agg(i.relname ORDER BY i.relname) FROM pg_index
                    JOIN pg_class AS i ON i.oid = indexrelid WHERE indrelid = c.oid)
            FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
            WHERE c.relnamespace = %s::regnamespace AND c.relname = ANY(%s)
            ORDER BY 1, 2
            """,
            [
                "fresh" if fresh else "public",
                [table for model in READ_MODELS.values() for table in model.tables],
            ],
        ).fetchall()
        connection.rollback()
    return found


def test_a_rebuild_of_an_empty_ledger_is_empty(conninfo: str) -> None:
    assert rebuild(conninfo, READ_MODELS) == 0
    assert set(map(len, rows(conninfo).values())) == {0}
    assert set(reached(conninfo).values()) == {0}


@pytest.mark.parametrize("names", [["balances"], ["journal"], list(READ_MODELS)], ids=str)
def test_a_rebuild_while_gifts_come_in_misses_none(
    small_pages: None, ledger: Ledger, conninfo: str, names: list[str]
) -> None:
    shops = found(ledger, 400)
    models = {name: READ_MODELS[name] for name in names}
    with following(conninfo), giving(conninfo, shops):
        eventually(lambda: bool(reached(conninfo)))
        for _ in range(4):
            rebuild(conninfo, models)
    with following(conninfo):
        eventually(lambda: is_fresh(conninfo))
    live = rows(conninfo)
    assert live["balance"] == plainly_summed(conninfo)["balance"]
    rebuild(conninfo, READ_MODELS)
    assert rows(conninfo) == live


@contextmanager
def standing_still(conninfo: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a rebuild in a process that stands in the middle of it until it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, conninfo], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"50\n"
            yield process
        finally:
            process.kill()


def test_a_rebuild_killed_in_the_middle_leaves_everything_as_it_was(
    ledger: Ledger, conninfo: str
) -> None:
    shops = found(ledger, 400)
    catch_up(conninfo, READ_MODELS)
    before, stood = rows(conninfo), reached(conninfo)
    with standing_still(conninfo):
        give(ledger, shops, 20, random.Random(3))
    assert (rows(conninfo), reached(conninfo)) == (before, stood)
    with following(conninfo):
        eventually(lambda: is_fresh(conninfo))
    live = rows(conninfo)
    assert live["balance"] == plainly_summed(conninfo)["balance"]
    assert shape_of_tables(conninfo) == shape_of_tables(conninfo, fresh=True)
    rebuild(conninfo, READ_MODELS)
    assert rows(conninfo) == live


def test_a_rebuild_holds_up_no_start_and_no_command(ledger: Ledger, conninfo: str) -> None:
    """Every command, worker and follower prepares the read models first."""
    found(ledger, 400)
    catch_up(conninfo, READ_MODELS)
    with (
        standing_still(conninfo),
        psycopg.connect(conninfo, autocommit=True) as connection,
    ):
        connection.execute("SET lock_timeout = '5s'")
        prepare(connection, READ_MODELS)


def test_a_poisoned_event_stops_a_rebuild_and_leaves_everything_as_it_was(
    ledger: Ledger, conninfo: str
) -> None:
    found(ledger, 60)
    catch_up(conninfo, READ_MODELS)
    before, stood = rows(conninfo), reached(conninfo)
    insert_raw(conninfo, "DonationRecorded", b"{}")
    with pytest.raises(Exception, match="donation_id"):
        rebuild(conninfo, READ_MODELS)
    assert (rows(conninfo), reached(conninfo)) == (before, stood)
    rebuild(conninfo, {"partners": READ_MODELS["partners"]})
    assert rows(conninfo) == before


def test_two_rebuilds_at_once_wait_for_each_other(
    small_pages: None, ledger: Ledger, conninfo: str
) -> None:
    found(ledger, 300)
    catch_up(conninfo, READ_MODELS)
    live = rows(conninfo)
    applied: list[int] = []
    threads = [
        threading.Thread(target=lambda: applied.append(rebuild(conninfo, READ_MODELS)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert applied == [every_event(conninfo)] * 4
    assert rows(conninfo) == live


@pytest.fixture
def snapshots(ledger: Ledger, conninfo: str) -> Iterator[Snapshots]:
    """What pages read through, on a village that every read model has followed."""
    found(ledger, 200)
    catch_up(conninfo, READ_MODELS)
    with ConnectionPool(conninfo, min_size=1, kwargs={"autocommit": True}) as pool:
        yield Snapshots(pool)


def everything(connection: Connection[Any]) -> bytes:
    """Read all that pages show, in an order in which one of them does."""
    entries = journal.page(connection, before=None, limit=50)
    return repr((entries, partners.every(connection), balances.figures(connection))).encode()


def test_readers_see_all_rows_all_along(snapshots: Snapshots, conninfo: str) -> None:
    expected = snapshots.make("before", everything).body
    stopping = threading.Event()
    seen: Counter[str] = Counter()

    def read_on(reader: int) -> None:
        for number in count():
            if stopping.is_set():
                return
            try:
                body = snapshots.make(f"{reader} {number}", everything).body
                seen["all" if body == expected else body.decode()[:200]] += 1
            except psycopg.Error as failure:
                seen[repr(failure)] += 1

    readers = [threading.Thread(target=read_on, args=(reader,)) for reader in range(3)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(10):
            rebuild(conninfo, READ_MODELS)
    finally:
        stopping.set()
        for reader in readers:
            reader.join()
    assert set(seen) == {"all"}, seen


def test_a_reader_that_has_begun_sees_all_rows_though_a_rebuild_ends(
    snapshots: Snapshots, conninfo: str
) -> None:
    expected = snapshots.make("before", everything).body
    meanwhile = RebuildMeanwhile(conninfo)

    def build(connection: Connection[Any]) -> bytes:
        meanwhile.start()
        return everything(connection)

    read = snapshots.make("during", build).body
    assert meanwhile.ended_well()
    assert read == expected


def test_a_reader_and_a_rebuild_never_wait_for_each_other(
    snapshots: Snapshots, conninfo: str
) -> None:
    meanwhile = RebuildMeanwhile(conninfo)

    def build(connection: Connection[Any]) -> bytes:
        journal.page(connection, before=None, limit=50)
        meanwhile.start()
        return repr(partners.every(connection)).encode()

    assert b"Boulangerie" in snapshots.make("during", build).body
    assert meanwhile.ended_well()
