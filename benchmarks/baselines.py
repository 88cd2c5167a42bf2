"""What we are compared with over HTTP: small FastAPI applications in the normal style.

`python -m benchmarks.baselines NAME …` runs one of them in the place of our application: the
same worker, the same server settings, the same rest of the garbage collector.
"""

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from eventsourcing.application import Application
from fastapi import FastAPI, Request
from psycopg import Connection
from psycopg_pool import ConnectionPool
from pydantic import ConfigDict

from api import worker
from api.intake import DonationIn
from benchmarks import stock
from ledger.settings import Settings

# FastAPI has as many threads for plain functions; each may hold a connection.
CONNECTIONS_MAX = 40
LIST_ROWS = 1_000


class GiftIn(DonationIn):
    """The same body. FastAPI validates what Python's json has read, where ids are still text."""

    model_config = ConfigDict(strict=False)


def nothing(_: str) -> FastAPI:
    """Validate the body and do nothing; answer small things."""
    app = FastAPI()

    @app.post("/gifts", status_code=201)
    async def record(body: GiftIn) -> dict[str, str]:
        return {"donation_id": str(body.donation_id)}

    @app.get("/small")
    async def small() -> dict[str, int]:
        return {"gifts": 69_287, "given_cents": 2_213_037}

    @app.get("/list")
    async def rows() -> list[dict[str, Any]]:
        return [
            {
                "position": 1_000_000 - number,
                "kind": "DonationRecorded",
                "recorded_on": "2026-11-03",
                "donation_id": "3f1f9f6e-8a3e-4a55-8c57-2f3f5a7f0c11",
                "partner_id": "aa1f9f6e-8a3e-4a55-8c57-2f3f5a7f0c22",
                "source": "customer",
                "amount_cents": 40,
                "occurred_on": "2026-11-03",
            }
            for number in range(LIST_ROWS)
        ]

    return app


def saving(conninfo: str) -> FastAPI:
    """Save one aggregate of the event library a request."""

    @asynccontextmanager
    async def opened(app: FastAPI) -> AsyncIterator[None]:
        app.state.ledger = stock.StockLedger(env=stock.environment(conninfo))
        yield
        app.state.ledger.close()

    app = FastAPI(lifespan=opened)
    partner_id, till_id = uuid4(), uuid4()

    @app.post("/gifts", status_code=201)
    def record(body: GiftIn) -> dict[str, str]:
        gift = stock.Gift(
            partner_id=partner_id,
            till_id=till_id,
            source=body.source,
            amount_cents=body.amount_cents,
            occurred_at=body.occurred_at,
            occurred_on=body.occurred_at.date().isoformat(),
            purchase_cents=body.purchase_cents,
            sale_ref_mac=body.sale_ref,
            ask_id=body.ask_id,
        )
        ledger: Application[Any] = app.state.ledger
        ledger.save(gift)
        return {"donation_id": str(gift.id)}

    return app


def inserting(conninfo: str) -> FastAPI:
    """Insert one row a request, in a transaction of its own that locks the table as ours does."""

    @asynccontextmanager
    async def opened(app: FastAPI) -> AsyncIterator[None]:
        with ConnectionPool(
            conninfo, min_size=CONNECTIONS_MAX, max_size=CONNECTIONS_MAX, open=True
        ) as pool:
            app.state.pool = pool
            yield

    app = FastAPI(lifespan=opened)

    @app.post("/gifts", status_code=201)
    def record(body: GiftIn) -> dict[str, str]:
        pool: ConnectionPool[Connection[Any]] = app.state.pool
        with pool.connection() as connection, connection.transaction():
            connection.execute("LOCK TABLE ledger_events IN EXCLUSIVE MODE")
            connection.execute(
                "INSERT INTO ledger_events (originator_id, originator_version, topic, state)"
                " VALUES (%s, 1, 'Gift', %s)",
                (body.donation_id, body.model_dump_json(exclude_none=True).encode()),
            )
        return {"donation_id": str(body.donation_id)}

    return app


def hearing(_: str) -> FastAPI:
    """Take the body of an announcement and do nothing: nobody is asked who sent it."""
    app = FastAPI()

    @app.post("/announcements")
    async def take(request: Request) -> dict[str, bool]:
        return {"stored": bool(await request.body())}

    return app


BASELINES: dict[str, Callable[[str], FastAPI]] = {
    "nothing": nothing,
    "saving": saving,
    "inserting": inserting,
    "hearing": hearing,
}


def main(name: str, listening: int, held: int) -> None:
    def create_app(_: Settings, conninfo: str) -> FastAPI:
        return BASELINES[name](conninfo)

    with patch.object(worker, "create_app", create_app):
        worker.main(listening, held, Settings.from_environment(os.environ))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
