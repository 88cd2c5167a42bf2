"""The followers: every event exactly once, whatever is killed, and only the poisoned stop."""

import logging
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import Cursor

from ledger.store import Ledger
from projections import follow
from projections.every import READ_MODELS
from projections.feed import Page
from projections.follow import Poisoned, catch_up
from projections.rebuild import rebuild
from tests.api.served import environment
from tests.ledger.processes import eventually
from tests.projections.village import (
    following,
    found,
    give,
    giving,
    head,
    insert_raw,
    is_fresh,
    plainly_summed,
    reached,
    rows,
)

SEED = 20_261_123
KILLS = 8


@pytest.mark.parametrize("page_events", [1, 7, 100])
def test_the_size_of_a_batch_changes_nothing(
    ledger: Ledger, conninfo: str, page_events: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(ledger, 120)
    monkeypatch.setattr(follow, "PAGE_EVENTS", page_events)
    applied = catch_up(conninfo, READ_MODELS)
    in_batches = rows(conninfo)
    assert applied == len(READ_MODELS) * head(conninfo)
    assert in_batches["balance"] == plainly_summed(conninfo)["balance"]
    assert len(in_batches["partner"]) == 4
    rebuild(conninfo, READ_MODELS)
    assert rows(conninfo) == in_batches


def test_a_batch_applied_twice_equals_once(ledger: Ledger, conninfo: str) -> None:
    found(ledger, 200)
    catch_up(conninfo, READ_MODELS)
    once = rows(conninfo)
    assert catch_up(conninfo, READ_MODELS) == 0
    assert rows(conninfo) == once


def test_ten_that_catch_up_at_once_apply_every_event_once(ledger: Ledger, conninfo: str) -> None:
    found(ledger, 1_500)
    applied: list[int] = []
    threads = [
        threading.Thread(target=lambda: applied.append(catch_up(conninfo, READ_MODELS)))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(applied) == 10
    assert sum(applied) == len(READ_MODELS) * len_of_feed(conninfo)
    assert rows(conninfo)["balance"] == plainly_summed(conninfo)["balance"]


def len_of_feed(conninfo: str) -> int:
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("SELECT count(*) FROM ledger_events").fetchone()
    assert row is not None
    return int(row[0])


class Cut:
    """A fold whose connection is lost, once, before or after its transaction is durable."""

    left = 0

    def __init__(self) -> None:
        self.inner = READ_MODELS["balances"].fold()

    def add(self, page: Page) -> None:
        self.inner.add(page)

    def write(self, cursor: Cursor[Any]) -> None:
        self.inner.write(cursor)
        if Cut.left:
            Cut.left -= 1
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_a_connection_lost_before_the_commit_applies_nothing_and_then_once(
    ledger: Ledger, conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "RETRY_SECONDS", 0.05)
    found(ledger, 200)
    Cut.left = 3
    fold: Any = Cut
    models = READ_MODELS | {"balances": replace(READ_MODELS["balances"], fold=fold)}
    with following(conninfo, models):
        eventually(lambda: is_fresh(conninfo))
    assert Cut.left == 0
    assert rows(conninfo)["balance"] == plainly_summed(conninfo)["balance"]


def test_a_connection_lost_after_the_commit_applies_once(
    ledger: Ledger, conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "RETRY_SECONDS", 0.05)
    found(ledger, 200)
    apply, left = follow.apply, [3]

    def apply_and_lose(connection: Any, model: Any, pages: Any, limit: int, *, wait: bool) -> int:
        applied = apply(connection, model, pages, limit, wait=wait)
        if applied and left[0]:
            left[0] -= 1
            raise psycopg.OperationalError("connection lost after commit")
        return applied

    monkeypatch.setattr(follow, "apply", apply_and_lose)
    with following(conninfo):
        eventually(lambda: is_fresh(conninfo))
    assert left == [0]
    assert rows(conninfo)["balance"] == plainly_summed(conninfo)["balance"]


@contextmanager
def follower_process(conninfo: str, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the follower as the service does, in a process of its own."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "api.follower", str(reading)],
        env=environment(home, {"DATABASE_URL": conninfo}),
        pass_fds=[reading],
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        os.close(reading)
        os.close(writing)


def followers_backends(conninfo: str) -> int:
    """Count the followers that hold, or wait for, nothing but a database."""
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND query LIKE '%%pg_try_advisory_lock%%' AND pid <> pg_backend_pid()"
        ).fetchone()
    return 0 if row is None else int(row[0])


def test_followers_killed_one_after_another_apply_every_event_once(
    ledger: Ledger, conninfo: str, tmp_path: Path
) -> None:
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    shops = found(ledger, 100)
    with ExitStack() as stack, giving(conninfo, shops, SEED):
        at_work = stack.enter_context(follower_process(conninfo, tmp_path))
        for _ in range(KILLS):
            # The next one stands by before the one at work is killed, and takes over.
            next_one = stack.enter_context(follower_process(conninfo, tmp_path))
            eventually(lambda: bool(followers_backends(conninfo)))
            before = reached(conninfo).get("journal", 0)
            moved = dice.randint(1, 400)
            eventually(lambda: reached(conninfo).get("journal", 0) > before + moved)  # noqa: B023
            at_work.kill()
            at_work.wait()
            at_work = next_one
        last = reached(conninfo)["journal"]
        eventually(lambda: reached(conninfo)["journal"] > last)
    catch_up(conninfo, READ_MODELS)
    live = rows(conninfo)
    assert live["balance"] == plainly_summed(conninfo)["balance"]
    rebuild(conninfo, READ_MODELS)
    assert rows(conninfo) == live


def test_events_whose_wake_up_is_missed_are_found_by_looking(ledger: Ledger, conninfo: str) -> None:
    found(ledger, 20)
    with following(conninfo):
        eventually(lambda: is_fresh(conninfo))
        with psycopg.connect(conninfo) as connection:
            # The same events again as new streams, without a notification.
            connection.execute(
                "INSERT INTO ledger_events (originator_id, originator_version, topic, state)"
                " SELECT gen_random_uuid(), 1, topic, state FROM ledger_events"
                " WHERE topic = 'DonationRecorded'"
            )
        eventually(lambda: is_fresh(conninfo))
    assert rows(conninfo)["balance"] == plainly_summed(conninfo)["balance"]


def test_a_killed_listener_keeps_nobody_behind(
    ledger: Ledger, conninfo: str, caplog: pytest.LogCaptureFixture
) -> None:
    shops = found(ledger, 20)
    dice = random.Random(SEED)
    with following(conninfo) as (_, thread):
        for _ in range(3):
            eventually(lambda: kill(conninfo, "LISTEN"))
            give(ledger, shops, 30, dice)
            eventually(lambda: is_fresh(conninfo))
        assert thread.is_alive()
    assert "lost its database and tries again" in caplog.text
    assert rows(conninfo)["balance"] == plainly_summed(conninfo)["balance"]


def test_a_follower_whose_every_connection_is_killed_goes_on(
    ledger: Ledger, conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "RETRY_SECONDS", 0.05)
    shops = found(ledger, 20)
    with following(conninfo) as (_, thread), giving(conninfo, shops):
        for _ in range(5):
            eventually(lambda: kill(conninfo, "follower_position"))
            eventually(lambda: kill(conninfo, "LISTEN"))
        assert thread.is_alive()
    with following(conninfo):
        eventually(lambda: is_fresh(conninfo))
    assert rows(conninfo)["balance"] == plainly_summed(conninfo)["balance"]


def kill(conninfo: str, what: str) -> bool:
    """End the connections that are about something; tell whether there were any."""
    with psycopg.connect(conninfo) as connection:
        killed = connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND (starts_with(query, %(what)s) OR query LIKE %(like)s)",
            {"what": what, "like": f"%FROM {what}%"},
        ).fetchall()
    return bool(killed)


def test_a_second_follower_waits_says_so_and_takes_over(
    ledger: Ledger, conninfo: str, caplog: pytest.LogCaptureFixture
) -> None:
    shops = found(ledger, 20)
    with following(conninfo) as (first, first_thread):
        eventually(lambda: is_fresh(conninfo))
        with following(conninfo) as (_, second_thread):
            eventually(lambda: "another follower is at work" in caplog.text)
            give(ledger, shops, 30, random.Random(SEED))
            eventually(lambda: is_fresh(conninfo))
            first.stop()
            first_thread.join()
            give(ledger, shops, 30, random.Random(SEED + 1))
            eventually(lambda: is_fresh(conninfo))
            assert second_thread.is_alive()
    assert caplog.text.count("another follower is at work") == 1
    assert rows(conninfo)["balance"] == plainly_summed(conninfo)["balance"]


A_GIFT = (
    b'{"donation_id":"d","partner_id":"p","till_id":"t","source":"shop","amount_cents":%b,'
    b'"occurred_on":"2026-01-01","recorded_at":"2026-01-01T00:00:00Z"}'
)
NEED_GIFTS = {"balances", "dues", "tills", "journal"}
NEED_ALL_BUT_GIFTS = READ_MODELS.keys() - {"balances"}
POISON = {
    "no JSON": ("DonationRecorded", b'{"amount_cents":', NEED_GIFTS),
    "no gift": ("DonationRecorded", b'{"amount_cents":1}', NEED_GIFTS),
    "text for cents": ("DonationRecorded", A_GIFT % b'"1"', NEED_GIFTS),
    "no such partner id": ("DonationRecorded", A_GIFT % b"1", NEED_GIFTS),
    "two gifts in one": ("DonationRecorded", b"{},{}", NEED_GIFTS),
    "no reversal": ("DonationReversed", b"[]", NEED_GIFTS),
    "unknown": ("DonationForgotten", b"{}", NEED_ALL_BUT_GIFTS),
    "no partner": ("PartnerRegistered", b"{}", NEED_ALL_BUT_GIFTS),
}


@pytest.mark.parametrize("name", POISON)
def test_a_poisoned_event_stops_only_who_needs_it(
    ledger: Ledger,
    conninfo: str,
    name: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(follow, "STOPPED_RETRY_SECONDS", 0.2)
    topic, state, stopped = POISON[name]
    shops = found(ledger, 150)
    before = head(conninfo)
    position = insert_raw(conninfo, topic, state)
    give(ledger, shops, 30, random.Random(SEED))
    newest = head(conninfo)
    expected = {model: before if model in stopped else newest for model in READ_MODELS}
    with following(conninfo):
        eventually(lambda: reached(conninfo) == expected)
        give(ledger, shops, 30, random.Random(SEED + 1))
        newest = head(conninfo)
        expected = {model: before if model in stopped else newest for model in READ_MODELS}
        eventually(lambda: reached(conninfo) == expected)
        told = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
        assert {text.split()[0] for text in told} == stopped
        assert all(f"stopped at position {position}" in text for text in told)
        # Mended, the models that stopped go on by themselves.
        with psycopg.connect(conninfo) as connection:
            connection.execute("DELETE FROM ledger_events WHERE notification_id = %s", [position])
        eventually(lambda: is_fresh(conninfo))
    assert rows(conninfo)["balance"] == plainly_summed(conninfo)["balance"]


def test_catching_up_names_the_poisoned_position(ledger: Ledger, conninfo: str) -> None:
    shops = found(ledger, 30)
    before = head(conninfo)
    position = insert_raw(conninfo, "DonationRecorded", b"{}")
    give(ledger, shops, 30, random.Random(SEED))
    with pytest.raises(Poisoned) as poisoned:
        catch_up(conninfo, READ_MODELS)
    assert poisoned.value.position == position
    assert reached(conninfo)[poisoned.value.model] == before


def test_a_read_model_of_another_shape_is_refilled(ledger: Ledger, conninfo: str) -> None:
    found(ledger, 60)
    catch_up(conninfo, READ_MODELS)
    before = rows(conninfo)
    balances = READ_MODELS["balances"]
    changed = replace(balances, ddl=balances.ddl.replace("month ", "note text, month "))
    with psycopg.connect(conninfo) as connection:
        connection.execute("UPDATE balance SET gifts = 1")
        connection.execute("DELETE FROM partner")
    applied = catch_up(conninfo, READ_MODELS | {"balances": changed})
    assert applied == len_of_feed(conninfo)
    assert rows(conninfo)["partner"] == []
    with psycopg.connect(conninfo) as connection:
        assert connection.execute("SELECT note FROM balance LIMIT 1").fetchone() == (None,)
    catch_up(conninfo, READ_MODELS)
    assert rows(conninfo)["balance"] == before["balance"]
