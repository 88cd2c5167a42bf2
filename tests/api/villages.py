"""A served village of two shops, and a till with its key."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
import uvicorn
from fastapi import FastAPI
from httpx import Client, Response

from api.admin import EnrolledTill, add_partner, enrol_till
from api.app import create_app
from api.demo_life import DECIDED_AFTER, recognise
from api.deps import Context
from ledger.calendar import civil_day
from ledger.settings import Settings
from projections.every import READ_MODELS
from projections.follow import catch_up

ACTOR = "test"
BAKERY, BOOKSHOP = "90000000100017", "90000008400013"
DEADLINE_SECONDS = 10.0
FR, EN = {"accept-language": "fr"}, {"accept-language": "en"}


@dataclass
class Village:
    """A village of two shops; one till is enrolled at the first."""

    client: Client
    context: Context
    conninfo: str
    bakery: UUID
    bookshop: UUID
    till: EnrolledTill

    def give(self, cents: int = 66, **changed: object) -> dict[str, Any]:
        """Record a gift through the API, and let the read models see it."""
        body = {
            "donation_id": str(uuid4()),
            "occurred_at": datetime.now(UTC).isoformat(),
            "amount_cents": cents,
            "source": "customer",
        }
        answer = self.client.post("/api/v1/donations", json=body | changed, headers=self.bearer)
        assert answer.status_code == 201, answer.text
        self.follow()
        answered: dict[str, Any] = answer.json()
        return answered

    def give_back(self, donation_id: str, cents: int, reason: str = "mistake") -> None:
        body = {"reversal_id": str(uuid4()), "amount_cents": cents, "reason": reason}
        address = f"/api/v1/donations/{donation_id}/reversals"
        assert self.client.post(address, json=body, headers=self.bearer).status_code == 201
        self.follow()

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.till.key}"}

    def follow(self) -> None:
        """Bring the read models, and what the pages know of them, up to the newest event."""
        catch_up(self.conninfo, READ_MODELS)
        with self.context.pool.connection() as connection:
            row = connection.execute("SELECT max(notification_id) FROM ledger_events").fetchone()
        assert row is not None
        until(lambda: self.json("/api/v1/figures")["as_of_position"] == row[0])

    def json(self, address: str) -> Any:
        answer = self.client.get(address)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def text(self, address: str, headers: dict[str, str] = FR) -> str:
        answer = self.client.get(address, headers=headers)
        assert answer.status_code == 200, answer.text
        return said(answer)

    def open_till(self) -> None:
        answer = self.client.post("/till/key", data={"key": self.till.key})
        assert answer.status_code == 303

    def ask(self, sale: str = "12,34") -> dict[str, str]:
        """Enter a sale at the till; give the fields of the form that the customer sees."""
        answer = self.client.post("/till/ask", data={"sale": sale})
        assert answer.status_code == 303, said(answer)
        query = parse_qs(urlsplit(answer.headers["location"]).query)
        return {name: values[0] for name, values in query.items()} | {"language": "fr"}


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the deadline passed"
        time.sleep(0.01)


def said(answer: Response) -> str:
    """The words of a page, with plain spaces."""
    return " ".join(unescape(answer.text).replace("\u202f", " ").replace("\xa0", " ").split())


@contextmanager
def served(settings: Settings, conninfo: str) -> Iterator[tuple[FastAPI, Client]]:
    """The application on a real socket, in a thread of the test."""
    app = create_app(settings, conninfo)
    server = uvicorn.Server(uvicorn.Config(app, lifespan="on", log_config=None, access_log=False))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            until(lambda: server.started or not thread.is_alive())
            with Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
                yield app, client
        finally:
            server.should_exit = True
            thread.join(DEADLINE_SECONDS)


@pytest.fixture
def village(conninfo: str, tmp_path: Path) -> Iterator[Village]:
    settings = Settings.from_environment({"DONPOSITIF_HOME": str(tmp_path)})
    catch_up(conninfo, READ_MODELS)
    with served(settings, conninfo) as (app, client):
        ledger = app.state.context.ledger
        today = civil_day(datetime.now(UTC))
        bakery = add_partner(ledger, ACTOR, "Boulangerie <du> Bassin", BAKERY)
        bookshop = add_partner(ledger, ACTOR, "Épicerie & Livres", BOOKSHOP)
        applied_at = datetime.now(UTC) - DECIDED_AFTER
        for number, shop, last in (("1", bakery, today + timedelta(days=1)), ("2", bookshop, None)):
            recognise(
                ledger, shop, number, applied_at=applied_at, valid_from=today, valid_until=last
            )
        till = enrol_till(ledger, ACTOR, bakery, "Caisse 1")
        app.state.context.admission.refresh()
        made = Village(client, app.state.context, conninfo, bakery, bookshop, till)
        made.follow()
        yield made
