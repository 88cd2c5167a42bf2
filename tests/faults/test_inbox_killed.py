"""The worker of cards is killed where it hurts: nothing is lost, and nothing is recorded twice.

Where exactly is arranged from outside: by the double, which is asked in the middle of it, or by a
trigger in the database that lets a statement wait until the process that sent it is dead.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL

from api import cards
from ledger.foundation import FOUNDATION_ID, DescribeFoundation, foundation
from ledger.store import open_ledger
from tests.api.served import Service, service
from tests.api.shops import siret
from tests.api.stored import Stored, stored
from tests.faults.stalls import stalling
from tests.faults.test_service_killed import parts
from tests.ledger.processes import eventually
from tests.stripe import checkout, money
from tests.stripe.account import Object
from tests.stripe.asking import gift_params
from tests.stripe.deliveries import SECRET, Deliveries
from tests.stripe.double import Answer, Asked, Double, doubled

WORKER = "api.follower"
MONEY = ("PaymentSucceeded", "PaymentRefunded", "DonationRecorded", "DonationReversed")


@dataclass(frozen=True, slots=True)
class Paying:
    """A service that takes cards, Stripe beside it, and the database under it."""

    home: Path
    double: Double
    conninfo: str
    database: psycopg.Connection

    @contextmanager
    def running(self) -> Iterator[Service]:
        settings = {
            "DATABASE_URL": self.conninfo,
            "STRIPE_SECRET_KEY": self.double.account.secret_key,
            "STRIPE_WEBHOOK_SECRETS": SECRET,
            "STRIPE_API_BASE": self.double.url,
        }
        with service(self.home, **settings) as one:
            # A first reconciliation would find by itself what is about to be announced.
            eventually(lambda: self.count("card_reconciliation WHERE ended_at IS NOT NULL") > 0)
            yield one

    def count(self, of: LiteralString) -> int:
        row = self.database.execute(SQL("SELECT count(*) FROM {}").format(SQL(of))).fetchone()
        assert row is not None
        return int(row[0])

    def money(self) -> list[Stored]:
        return stored(self.conninfo, *MONEY)

    def topics(self) -> list[str]:
        return [one.topic for one in self.money()]

    def all_handled(self) -> bool:
        return self.count("inbox WHERE handled_at IS NULL") == 0 < self.count("inbox")

    def paid(self) -> Object:
        """Let somebody pay, of whom our page wrote what for."""
        terms = {"payment_id": str(uuid4()), "purpose": "foundation"}
        asked = gift_params(payment_intent_data={"metadata": terms})
        account = self.double.account
        return checkout.pay(account, checkout.start(account, asked)["id"])


@pytest.fixture
def paying(tmp_path: Path, conninfo: str) -> Iterator[Paying]:
    with (
        doubled() as double,
        open_ledger(conninfo) as ledger,
        psycopg.connect(conninfo, autocommit=True) as database,
    ):
        command = DescribeFoundation(
            at=cards.now(), actor="test", name="Fondation des Quatre Roues", siret=siret(40)
        )
        ledger.handle(foundation, FOUNDATION_ID, command)
        yield Paying(tmp_path / "home", double, conninfo, database)


def kill_worker(running: Service) -> None:
    (worker,) = parts(running, WORKER)
    os.kill(worker.pid, signal.SIGKILL)
    eventually(lambda: not worker.lives)


def killing(running: Service, seen: Callable[[], None]) -> Callable[[Double, Asked], Answer | None]:
    """Kill the worker once it asks about an object: what was announced is stored, no more."""

    def trouble(double: Double, asked: Asked) -> Answer | None:
        if not asked.path.startswith(("/v1/payment_intents", "/v1/charges", "/v1/checkout")):
            double.troubles.insert(0, trouble)
            return double.once(asked)
        kill_worker(running)
        seen()
        return None

    return trouble


def test_killed_between_store_and_handle(paying: Paying) -> None:
    with paying.running() as running:
        sent = Deliveries(paying.double.account, running.url)
        paying.paid()
        known: list[list[str]] = []
        paying.double.troubles.append(killing(running, lambda: known.append(paying.topics())))
        sent.deliver()
        eventually(paying.all_handled)
        assert known == [[]]
        assert paying.topics() == ["PaymentSucceeded", "DonationRecorded"]
        assert f"{WORKER} ended with -9; it starts again" in running.said


@pytest.mark.parametrize(
    ("table", "condition", "known"),
    [
        pytest.param(
            "inbox",
            "NEW.outcome = 'applied'",
            ["PaymentSucceeded", "DonationRecorded"],
            id="between handle and mark",
        ),
        pytest.param(
            "ledger_events",
            "NEW.topic = 'DonationRecorded'",
            ["PaymentSucceeded"],
            id="between payment and gift",
        ),
        pytest.param(
            "ledger_events", "NEW.topic = 'PaymentSucceeded'", [], id="while the payment is noted"
        ),
    ],
)
def test_killed_where_it_hurts(
    paying: Paying, table: LiteralString, condition: LiteralString, known: list[str]
) -> None:
    with paying.running() as running:
        sent = Deliveries(paying.double.account, running.url)
        paying.paid()
        with stalling(paying.conninfo, table, condition) as waits:
            sent.deliver()
            eventually(waits)
            assert paying.topics() == known
            kill_worker(running)
        before = paying.money()
        assert [one.topic for one in before] == known
        eventually(paying.all_handled)
        after = paying.money()
    assert after[: len(before)] == before
    assert [one.topic for one in after] == ["PaymentSucceeded", "DonationRecorded"]


def test_the_whole_service_killed_between_handle_and_mark(paying: Paying) -> None:
    with ExitStack() as first:
        running = first.enter_context(paying.running())
        sent = Deliveries(paying.double.account, running.url)
        session = paying.paid()
        sent.deliver()
        eventually(paying.all_handled)
        intent = paying.double.account.objects[session["payment_intent"]]
        money.refund(paying.double.account, intent["latest_charge"], 500)
        with stalling(paying.conninfo, "inbox", "NEW.outcome = 'applied'") as waits:
            sent.deliver()
            eventually(waits)
            before = paying.money()
            everyone = parts(running, "api.")
            running.kill()
            for one in everyone:
                os.kill(one.pid, signal.SIGKILL)
            eventually(lambda: not any(one.lives for one in everyone))
    assert not paying.all_handled()
    with paying.running():
        eventually(paying.all_handled)
    assert paying.money() == before
    assert [one.topic for one in before] == [
        "PaymentSucceeded",
        "DonationRecorded",
        "PaymentRefunded",
        "DonationReversed",
    ]
