"""Events for the read models to read: a made-up village, raw rows, and the rows that came of it."""

import random
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.sql import Identifier

from api.admin import revoke_till, rotate_till_key
from ledger.calendar import civil_day
from ledger.donations import RecordDonation, ReverseDonation, donation
from ledger.giving import SOURCES
from ledger.ids import stream_of
from ledger.store import Ledger, open_ledger
from projections import follow
from projections.every import READ_MODELS
from projections.follow import Follower
from projections.read_model import ReadModel
from projections.rebuild import rebuild
from tests.api.shops import ACTOR, Shop, open_shop, suspend
from tests.ledger.processes import eventually

PARTNERS = 4
WORKERS = 3
Rows = dict[str, list[tuple[Any, ...]]]


def a_gift(shop: Shop, dice: random.Random) -> RecordDonation:
    at = datetime.now(UTC)
    occurred_at = at - timedelta(minutes=dice.randint(0, 200 * 24 * 60))
    return RecordDonation(
        at=at,
        actor=ACTOR,
        donation_id=UUID(int=dice.getrandbits(128)),
        partner_id=shop.partner_id,
        till_id=shop.till_id,
        source=dice.choice(SOURCES),
        amount_cents=dice.randint(1, 500),
        occurred_at=occurred_at,
        occurred_on=civil_day(occurred_at),
        partner_standing="active",
    )


def its_reversal(gift: RecordDonation, dice: random.Random) -> ReverseDonation:
    at = datetime.now(UTC)
    return ReverseDonation(
        at=at,
        actor=ACTOR,
        donation_id=gift.donation_id,
        reversal_id=UUID(int=dice.getrandbits(128)),
        partner_id=gift.partner_id,
        till_id=gift.till_id,
        amount_cents=dice.randint(1, gift.amount_cents),
        reason="mistake",
        reversed_on=civil_day(at),
    )


def give(ledger: Ledger, shops: list[Shop], number: int, dice: random.Random) -> None:
    """Record some gifts in one commit, then give one in ten of them back."""
    gifts = [a_gift(dice.choice(shops), dice) for _ in range(number)]
    ledger.handle_all(donation, [(one.donation_id, one) for one in gifts], presume_new=True)
    back = [its_reversal(one, dice) for one in gifts[::10]]
    ledger.handle_all(donation, [(one.donation_id, one) for one in back])


def found(ledger: Ledger, gifts: int, seed: int = 1) -> list[Shop]:
    """Make a village of a few shops, of which one is suspended, with so many gifts."""
    dice = random.Random(seed)
    shops = [open_shop(ledger, number) for number in range(PARTNERS)]
    give(ledger, shops, gifts // 2, dice)
    rotate_till_key(ledger, ACTOR, shops[0].till_id)
    revoke_till(ledger, ACTOR, shops[1].till_id, "broken")
    suspend(ledger, shops[2].partner_id)
    give(ledger, shops, gifts - gifts // 2, dice)
    return shops


@contextmanager
def giving(conninfo: str, shops: list[Shop], seed: int = 2) -> Iterator[None]:
    """Let gifts come in from a few workers at once, each with its own way to the database."""
    stopping = threading.Event()

    def give_on(worker: int) -> None:
        dice = random.Random(f"{seed} {worker}")
        with open_ledger(conninfo) as ledger:
            while not stopping.wait(0.01):
                give(ledger, shops, dice.randint(1, 30), dice)

    with ThreadPoolExecutor(WORKERS) as workers:
        at_work = [workers.submit(give_on, worker) for worker in range(WORKERS)]
        try:
            yield
        finally:
            stopping.set()
        for one in at_work:
            one.result()


@contextmanager
def following(
    conninfo: str, models: Mapping[str, ReadModel] = READ_MODELS
) -> Iterator[tuple[Follower, threading.Thread]]:
    """Run a follower until the end of the block."""
    follower = Follower(conninfo, models)
    thread = threading.Thread(target=follower.run, name="following")
    thread.start()
    try:
        yield follower, thread
    finally:
        follower.stop()
        thread.join()


def rows(conninfo: str, models: Mapping[str, ReadModel] = READ_MODELS) -> Rows:
    """Give every row of the read models, in one order."""
    with psycopg.connect(conninfo) as connection:
        return {
            table: sorted(
                connection.execute(
                    sql.SQL("SELECT * FROM {}").format(Identifier(table))
                ).fetchall(),
                key=repr,
            )
            for model in models.values()
            for table in model.tables
        }


def reached(conninfo: str) -> dict[str, int]:
    with psycopg.connect(conninfo) as connection:
        return follow.positions(connection)


def head(conninfo: str) -> int:
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("SELECT max(notification_id) FROM ledger_events").fetchone()
    return 0 if row is None or row[0] is None else int(row[0])


def is_fresh(conninfo: str) -> bool:
    """Tell whether every read model has applied every event."""
    return set(reached(conninfo).values()) == {head(conninfo)}


def plainly_summed(conninfo: str) -> Rows:
    """Give what the balances must hold, added up by PostgreSQL from the events' JSON."""
    with psycopg.connect(conninfo) as connection:
        found = connection.execute(
            """
            SELECT (e ->> 'partner_id')::uuid, e ->> 'source',
                   left(coalesce(e ->> 'occurred_on', e ->> 'reversed_on'), 7),
                   count(*) FILTER (WHERE topic = 'DonationRecorded'),
                   coalesce(sum((e ->> 'amount_cents')::bigint)
                            FILTER (WHERE topic = 'DonationRecorded'), 0)::bigint,
                   count(*) FILTER (WHERE topic = 'DonationReversed'),
                   coalesce(sum((e ->> 'amount_cents')::bigint)
                            FILTER (WHERE topic = 'DonationReversed'), 0)::bigint
            FROM (SELECT topic, convert_from(state, 'UTF8')::json AS e FROM ledger_events
                  WHERE topic IN ('DonationRecorded', 'DonationReversed')) AS events
            GROUP BY 1, 2, 3
            """
        ).fetchall()
    return {"balance": sorted(found, key=repr)}


def insert_raw(
    conninfo: str, topic: str, state: bytes, *, stream: UUID | None = None, version: int = 1
) -> int:
    """Put a row into the feed behind the ledger's back, without waking anybody."""
    with psycopg.connect(conninfo) as connection:
        connection.execute("LOCK TABLE ledger_events IN EXCLUSIVE MODE")
        row = connection.execute(
            "INSERT INTO ledger_events (originator_id, originator_version, topic, state)"
            " VALUES (%s, %s, %s, %s) RETURNING notification_id",
            [stream or stream_of("donation", uuid4()), version, topic, state],
        ).fetchone()
    assert row is not None
    return int(row[0])


class RebuildMeanwhile:
    """A rebuild by somebody else, while a reader is in the middle of what it reads."""

    def __init__(self, conninfo: str) -> None:
        self.conninfo = conninfo
        self.failures: list[Exception] = []
        self.thread = threading.Thread(target=self._rebuild, name="rebuild")

    def _rebuild(self) -> None:
        try:
            rebuild(self.conninfo, READ_MODELS)
        except psycopg.Error as failure:
            self.failures.append(failure)

    def start(self) -> None:
        """Start it, and return once it has ended or waits for the reader."""
        self.thread.start()
        eventually(lambda: not self.thread.is_alive() or self._waits())

    def _waits(self) -> bool:
        with psycopg.connect(self.conninfo) as connection:
            row = connection.execute(
                "SELECT FROM pg_locks WHERE NOT granted AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database())"
            ).fetchone()
        return row is not None

    def ended_well(self) -> bool:
        self.thread.join()
        return not self.failures
