"""The inbox: stored once, in groups, and nothing that was answered is lost."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from ledger import inbox
from ledger.committer import Closed, QueueFull
from ledger.inbox import Announced, Inbox
from ledger.store import LedgerUnavailable

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
BURST = 1_000

Pool = ConnectionPool[Any]


def announced(number: int, **changes: Any) -> Announced:
    told = {"kind": "charge.succeeded", "object_kind": "charge", "object_id": f"ch_{number}"}
    return Announced(event_id=f"evt_{number}", created_at=AT, **told | changes)


@pytest.fixture
def pool(conninfo: str) -> Iterator[Pool]:
    with ConnectionPool(conninfo, min_size=1, max_size=2, kwargs={"autocommit": True}) as opened:
        yield opened


@pytest.fixture
def connection(conninfo: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(conninfo, autocommit=True) as opened:
        yield opened


def put_all(box: Inbox, several: list[Announced]) -> list[object]:
    async def put() -> list[object]:
        return list(await asyncio.gather(*map(box.put, several), return_exceptions=True))

    return asyncio.run(put())


def test_a_burst_is_stored_in_few_commits_and_nothing_is_lost(
    pool: Pool, connection: psycopg.Connection
) -> None:
    box = Inbox(pool)
    several = [announced(number % BURST) for number in range(2 * BURST)]
    assert set(put_all(box, several)) == {None}
    box.close()
    assert inbox.counts(connection).waiting == BURST
    row = connection.execute("SELECT count(DISTINCT xmin::text) FROM inbox").fetchone()
    assert row is not None
    assert row[0] <= 10


def test_what_is_announced_twice_at_once_is_stored_once(
    pool: Pool, connection: psycopg.Connection
) -> None:
    box = Inbox(pool)
    assert set(put_all(box, [announced(1), announced(2), announced(1)])) == {None}
    box.close()
    assert inbox.counts(connection).waiting == 2


@pytest.mark.parametrize("via", ["webhook", "listing"])
def test_an_object_that_was_unknown_is_asked_for_again_however_often_it_is_listed(
    connection: psycopg.Connection, via: inbox.Via
) -> None:
    inbox.store(connection, [announced(1)], "webhook")
    inbox.mark_handled(connection, ["evt_1"], "unknown_object")
    assert inbox.store(connection, [announced(1), announced(1)], via) == 0
    waiting = [one.event_id for one in inbox.waiting(connection, 10)]
    assert waiting == (["evt_1"] if via == "listing" else [])


def test_what_waits_is_bounded(pool: Pool) -> None:
    box = Inbox(pool, waiting_max=0)
    with pytest.raises(QueueFull):
        asyncio.run(put_one(box))


async def put_one(box: Inbox) -> None:
    await box.put(announced(1))


def test_a_closed_one_takes_nothing(pool: Pool) -> None:
    box = Inbox(pool)
    box.close()
    with pytest.raises(Closed):
        asyncio.run(put_one(box))


def test_what_cannot_be_stored_is_not_answered_as_if_it_were(
    pool: Pool, connection: psycopg.Connection
) -> None:
    connection.execute("ALTER TABLE inbox RENAME TO inbox_away")
    box = Inbox(pool)
    with pytest.raises(LedgerUnavailable):
        asyncio.run(put_one(box))
    connection.execute("ALTER TABLE inbox_away RENAME TO inbox")
    asyncio.run(put_one(box))
    box.close()
    assert inbox.counts(connection).waiting == 1


def test_what_was_handled_does_not_come_again(connection: psycopg.Connection) -> None:
    assert inbox.store(connection, [announced(1), announced(2)], "webhook") == 2
    inbox.mark_handled(connection, ["evt_1"], "applied")
    assert inbox.store(connection, [announced(1)], "listing") == 0
    assert [one.event_id for one in inbox.waiting(connection, 10)] == ["evt_2"]


def test_what_failed_waits_longer_each_time_and_shows_until_it_works(
    connection: psycopg.Connection,
) -> None:
    inbox.store(connection, [announced(1)], "webhook")
    waits = []
    for _ in range(16):
        inbox.mark_failed(connection, ["evt_1"], "StripeUnavailable: away")
        (failing,) = inbox.failing(connection)
        waits.append(failing.next_at - datetime.now(UTC))
    assert inbox.waiting(connection, 10) == []
    assert waits[0] < timedelta(seconds=2)
    assert all(before < after for before, after in pairwise(waits[:12]))
    assert timedelta(minutes=59) < waits[-1] <= timedelta(hours=1)
    inbox.retry_now(connection)
    assert [one.attempts for one in inbox.waiting(connection, 10)] == [16]
    inbox.mark_handled(connection, ["evt_1"], "applied")
    assert inbox.failing(connection) == []


def test_what_was_handled_long_ago_is_forgotten(connection: psycopg.Connection) -> None:
    inbox.store(connection, [announced(number) for number in range(3)], "webhook")
    inbox.mark_handled(connection, ["evt_0", "evt_1"], "applied")
    connection.execute(
        "UPDATE inbox SET handled_at = handled_at - interval '61 days' WHERE event_id = 'evt_0'"
    )
    assert inbox.forget_old(connection) == 1
    assert inbox.counts(connection).waiting == 1
