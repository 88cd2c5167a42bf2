"""Where everything is measured: one embedded PostgreSQL in a folder of its own, then gone."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier
from stdnum import luhn

from api.admin import add_partner, enrol_till
from api.demo_life import DECIDED_AFTER, recognise
from benchmarks.measure import Pace
from ledger.db import database
from ledger.keyring import open_keyring
from ledger.migrate import migrate
from ledger.settings import Settings
from ledger.store import open_ledger
from projections.every import READ_MODELS
from projections.follow import prepare


@dataclass(frozen=True, slots=True)
class Till:
    partner_id: UUID
    till_id: UUID
    key: str


@dataclass(frozen=True, slots=True)
class Ground:
    """The running server; each subject gets a database of its own on it."""

    settings: Settings
    server: str
    pace: Pace

    def database(self, name: str) -> str:
        """Make an empty ledger and give its conninfo."""
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        conninfo = make_conninfo(self.server, dbname=name)
        migrate(conninfo)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            open_keyring(self.settings.home, connection)
            prepare(connection, READ_MODELS)
        return conninfo

    def version(self) -> str:
        with psycopg.connect(self.server) as connection:
            return f"PostgreSQL {connection.info.server_version // 10_000}"


@contextmanager
def ground(pace: Pace) -> Iterator[Ground]:
    """Start the server that `make run` would start, with the same settings."""
    with tempfile.TemporaryDirectory(prefix="donpositif-bench-") as folder:
        settings = Settings(
            home=Path(folder),
            database_url=None,
            host="127.0.0.1",
            port=0,
            workers=1,
            demo=False,
            public_url="http://127.0.0.1:8000",
        )
        with database(settings, owner=True) as server:
            yield Ground(settings, server, pace)


def village(conninfo: str, partners: int) -> list[Till]:
    """Register partners with a till each, through the same commands as an operator."""
    tills: list[Till] = []
    with open_ledger(conninfo) as ledger:
        for number in range(partners):
            partner_id = add_partner(ledger, "bench", f"Commerce {number}", siret(number))
            recognise(
                ledger,
                partner_id,
                f"BENCH-{number}",
                applied_at=datetime.now(UTC) - DECIDED_AFTER,
                valid_from=datetime.now(UTC).date(),
            )
            enrolled = enrol_till(ledger, "bench", partner_id, "Caisse 1")
            tills.append(Till(partner_id, enrolled.till_id, enrolled.key))
    return tills


def siret(number: int) -> str:
    """Make a SIRET that both its control digits accept."""
    siren = f"{number + 1:08d}"
    siren += luhn.calc_check_digit(siren)
    return siren + "0001" + luhn.calc_check_digit(siren + "0001")


def fsync_ms(folder: Path) -> float:
    """Take the time of one durable write on this disk: what every commit costs at least."""
    times: list[float] = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(50):
            file.write(b"x" * 512)
            started_at = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - started_at)
    return median(times) * 1000
