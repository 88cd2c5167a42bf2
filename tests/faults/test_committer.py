"""The committer under writers, faults and kills: what is acknowledged is stored exactly once."""

import asyncio
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from eventsourcing import utils
from eventsourcing.persistence import IntegrityError, OperationalError, StoredEvent

from ledger.committer import Closed, Committer
from ledger.donations import RecordDonation, ReverseDonation, donation
from ledger.recorder import LedgerRecorder
from ledger.store import Handled, Ledger, LedgerUnavailable, open_ledger
from tests.api.stored import gifts, stored
from tests.faults.proxy import Cuts, flaky
from tests.faults.servers import OwnServer
from tests.faults.storm import PARTNER, TILL, Storm, record
from tests.ledger.processes import eventually

SEED = 20_261_123
Insert = Callable[[Sequence[StoredEvent]], Sequence[int] | None]
Fault = Callable[[Insert, Sequence[StoredEvent]], Sequence[int] | None]


def fail_and_not_persist(insert: Insert, events: Sequence[StoredEvent]) -> Sequence[int] | None:
    raise OperationalError("connection lost before commit")


def fail_but_persist(insert: Insert, events: Sequence[StoredEvent]) -> Sequence[int] | None:
    insert(events)
    raise OperationalError("connection lost after commit")


def taken_by_itself(insert: Insert, events: Sequence[StoredEvent]) -> Sequence[int] | None:
    """What the library makes of a lost acknowledgement: it tries again, and meets itself."""
    insert(events)
    raise IntegrityError("duplicate key value violates unique constraint")


FAULTS: tuple[Fault, ...] = (fail_and_not_persist, fail_but_persist)
both = pytest.mark.parametrize("fault", FAULTS)


@contextmanager
def faulty(recorder: LedgerRecorder, fault: Fault, share: float = 1.0) -> Iterator[list[int]]:
    """Let a share of the inserts fail until the end of the block; count them."""
    insert: Insert = recorder.insert_events
    failed = [0]
    dice = random.Random(SEED)

    def insert_or_fail(events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        if dice.random() >= share:
            return insert(events)
        failed[0] += 1
        return fault(insert, events)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(recorder, "insert_events", insert_or_fail)
        yield failed


@pytest.fixture
def ledger(conninfo: str) -> Iterator[Ledger]:
    with open_ledger(conninfo) as opened:
        yield opened


def handle(ledger: Ledger, number: int, amount_cents: int = 40) -> Handled[Any]:
    return ledger.handle(donation, UUID(int=number), record(UUID(int=number), amount_cents))


def give_back(number: int, cents: int) -> ReverseDonation:
    command = record(UUID(int=number))
    return ReverseDonation(
        at=command.at,
        actor="test",
        donation_id=command.donation_id,
        reversal_id=UUID(int=cents),
        partner_id=PARTNER,
        till_id=TILL,
        amount_cents=cents,
        reason="mistake",
        reversed_on=command.occurred_on,
    )


@both
def test_a_retry_after_a_lost_connection_records_once(
    ledger: Ledger, conninfo: str, fault: Fault
) -> None:
    with faulty(ledger._recorder, fault), pytest.raises(LedgerUnavailable):
        handle(ledger, 1)
    assert len(gifts(conninfo)) == (fault is fail_but_persist)
    again = handle(ledger, 1)
    (only,) = gifts(conninfo)
    assert again.history[0].position == only.position
    assert again.fresh == (fault is fail_and_not_persist)


@both
def test_a_retry_after_a_lost_connection_gives_back_once(
    ledger: Ledger, conninfo: str, fault: Fault
) -> None:
    handle(ledger, 1)
    reverse = give_back(1, 30)
    with faulty(ledger._recorder, fault), pytest.raises(LedgerUnavailable):
        ledger.handle(donation, UUID(int=1), reverse)
    ledger.handle(donation, UUID(int=1), reverse)
    assert [one.topic for one in stored(conninfo)] == ["DonationRecorded", "DonationReversed"]


def test_an_acknowledgement_lost_within_the_library_is_told_as_a_success(
    ledger: Ledger, conninfo: str
) -> None:
    with faulty(ledger._recorder, taken_by_itself) as failed:
        results = ledger.handle_all(
            donation, [(UUID(int=n), record(UUID(int=n))) for n in range(5)], presume_new=True
        )
    assert failed == [1]
    told = [one.history[0].position for one in results if isinstance(one, Handled)]
    assert told == [one.position for one in gifts(conninfo)]
    assert len(told) == 5


@both
def test_a_group_that_meets_a_taken_version_and_a_lost_connection_answers_each(
    ledger: Ledger, conninfo: str, fault: Fault
) -> None:
    handle(ledger, 1)
    handle(ledger, 2, 41)

    def commands(*numbers: int) -> list[tuple[UUID, RecordDonation]]:
        return [(UUID(int=number), record(UUID(int=number))) for number in numbers]

    with faulty(ledger._recorder, fault), pytest.raises(LedgerUnavailable):
        ledger.handle_all(donation, commands(1, 2, 3, 3, 4))
    results = ledger.handle_all(donation, commands(1, 2, 3, 3), presume_new=True)
    names = [one.fresh if isinstance(one, Handled) else type(one).__name__ for one in results]
    fresh = int(fault is fail_and_not_persist)
    assert names == [0, "DonationDiffers", fresh, 0]
    assert len(gifts(conninfo)) == (3 if fault is fail_and_not_persist else 4)


@both
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_storm_of_writers_with_lost_connections_is_stored_exactly(
    ledger: Ledger, conninfo: str, fault: Fault, share: float
) -> None:
    print(f"seed {SEED}")
    storm = Storm(SEED, gifts_each=50)
    with faulty(ledger._recorder, fault, share) as failed:
        for thread in storm.rage(ledger):
            thread.join()
    assert failed[0] > 3
    assert storm.unsure >= failed[0]
    assert storm.repeats > 5
    assert storm.contradictions > 5
    storm.assert_stored_exactly(conninfo)


@both
def test_a_storm_of_requests_with_lost_connections_is_stored_exactly(
    ledger: Ledger, conninfo: str, fault: Fault
) -> None:
    print(f"seed {SEED}")
    storm = Storm(SEED, gifts_each=50)
    with faulty(ledger._recorder, fault, 0.3) as failed:
        asyncio.run(storm.rage_in_one_loop(ledger))
    assert failed[0] > 3
    assert storm.repeats > 5
    storm.assert_stored_exactly(conninfo)


@pytest.mark.parametrize(("requests", "replies"), [(0.03, 0.0), (0.0, 0.03)], ids=str)
def test_a_storm_over_a_network_that_is_cut_is_stored_exactly(
    conninfo: str, requests: float, replies: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    print(f"seed {SEED}")
    # The library waits before it tries again; the tests need not.
    monkeypatch.setattr(utils, "sleep", lambda _: None)
    cuts = Cuts(SEED, requests, replies)
    storm = Storm(SEED, gifts_each=60)
    with flaky(conninfo, cuts) as cut_off, open_ledger(cut_off) as ledger:
        for thread in storm.rage(ledger):
            thread.join()
        cuts.stop()
    assert cuts.made > 3
    storm.assert_stored_exactly(conninfo)


def test_a_storm_over_a_database_that_is_killed_and_restarted_is_stored_exactly(
    mortal: OwnServer,
) -> None:
    print(f"seed {SEED}")
    conninfo = mortal.database()
    storm = Storm(SEED, gifts_each=120)
    with open_ledger(conninfo) as ledger:
        threads = storm.rage(ledger)
        for goal in (500, 1_500):
            eventually(lambda: len(storm.acknowledged) > goal)  # noqa: B023
            mortal.kill()
            mortal.start()
        for thread in threads:
            thread.join()
    storm.assert_stored_exactly(conninfo)


def test_two_processes_on_one_ledger_record_each_gift_once(conninfo: str) -> None:
    storm = Storm(SEED, gifts_each=25)
    with open_ledger(conninfo) as one, open_ledger(conninfo) as other:
        # Both send the very same gifts at once.
        for thread in storm.rage(one) + storm.rage(other):
            thread.join()
    assert storm.repeats > 100
    storm.assert_stored_exactly(conninfo)


@contextmanager
def blocked(conninfo: str) -> Iterator[Callable[[], None]]:
    """Let inserts wait before the table until they are let through."""
    with psycopg.connect(conninfo) as blocker:
        blocker.execute("LOCK TABLE ledger_events IN EXCLUSIVE MODE")
        yield blocker.commit


def waiting(conninfo: str) -> bool:
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(
            "SELECT FROM pg_locks WHERE relation = 'ledger_events'::regclass AND NOT granted"
        ).fetchone()
    return row is not None


def test_closing_stores_and_answers_all_that_waits(conninfo: str) -> None:
    committers: list[Committer] = []

    def kept(recorder: LedgerRecorder) -> Committer:
        committers.append(Committer(recorder))
        return committers[0]

    with (
        ThreadPoolExecutor(41) as threads,
        open_ledger(conninfo, committer=kept) as ledger,
        blocked(conninfo) as let_through,
    ):
        answers = [threads.submit(handle, ledger, number) for number in range(40)]
        eventually(lambda: waiting(conninfo))
        closing = threads.submit(committers[0].close)
        eventually(lambda: closed(ledger))
        assert not closing.done()
        let_through()
        closing.result()
        results = [answer.result() if not answer.exception() else None for answer in answers]
    taken = {one.history[0].position for one in results if one is not None}
    assert len(taken) > 0
    assert {one.position for one in gifts(conninfo)} == taken
    refused = [answer.exception() for answer in answers if answer.exception() is not None]
    assert all(isinstance(failure, Closed) for failure in refused)


def closed(ledger: Ledger) -> bool:
    try:
        ledger._committer.append_and_wait([])
    except Closed:
        return True
    return False


def test_a_cancelled_request_loses_no_other_answer(ledger: Ledger, conninfo: str) -> None:
    def submit(number: int) -> "asyncio.Task[Any]":
        command = (UUID(int=number), record(UUID(int=number)))
        return asyncio.create_task(ledger.submit_all(donation, [command], presume_new=True))

    async def cancel_some() -> list[Any]:
        with blocked(conninfo) as let_through:
            tasks = [submit(0)]
            await asyncio.to_thread(eventually, lambda: waiting(conninfo))
            tasks += [submit(number) for number in range(1, 20)]
            await asyncio.sleep(0)
            for task in tasks[::3]:
                task.cancel()
            await asyncio.sleep(0)
            let_through()
            return await asyncio.gather(*tasks, return_exceptions=True)

    results = asyncio.run(cancel_some())
    left = [place for place, one in enumerate(results) if isinstance(one, BaseException)]
    assert left == list(range(0, 20, 3))
    # Whoever left may ask again: what was recorded is told, what was not is recorded.
    told = [handle(ledger, number).history[0].position for number in range(20)]
    assert sorted(told) == [one.position for one in gifts(conninfo)]
    answered = [one[0].history[0].position for one in results if isinstance(one, list)]
    assert set(answered) <= set(told)


def test_a_loop_that_ended_holds_up_nobody(ledger: Ledger, conninfo: str) -> None:
    async def leave() -> None:
        command = (UUID(int=1), record(UUID(int=1)))
        asyncio.ensure_future(ledger.submit_all(donation, [command], presume_new=True))  # noqa: RUF006
        await asyncio.to_thread(eventually, lambda: waiting(conninfo))

    with blocked(conninfo) as let_through:
        asyncio.run(leave())
        let_through()
    assert handle(ledger, 2).fresh == 1
    assert threading.active_count() < 50
