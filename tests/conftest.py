"""A real PostgreSQL for every test: one server per run, one fresh database per test."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import disk_usage, rmtree
from uuid import uuid4

import psycopg
import pytest
from hypothesis import settings as hypothesis_settings
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from ledger.embedded import embedded_postgres
from ledger.migrate import migrate

# A failure prints what reproduces it; how long one example takes depends on the machine's load.
hypothesis_settings.register_profile("house", print_blob=True, deadline=None)
hypothesis_settings.load_profile("house")

MEMORY, PREFIX = Path("/dev/shm"), "donpositif-tests-"  # noqa: S108 — the folder itself is private.
# What a server of the tests may come to: its log of changes up to 2 GB, and the databases.
SERVER_BYTES = 3 << 30


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The conninfo of a server where databases may be made; DATABASE_URL_TEST names another."""
    elsewhere = os.environ.get("DATABASE_URL_TEST")
    if elsewhere:
        yield elsewhere
        return
    with roomy_home(tmp_path_factory) as home, embedded_postgres(home) as conninfo:
        yield conninfo


@contextmanager
def roomy_home(factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give a folder in memory where there is plenty: a disk makes files slowly, 300 a database."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if not MEMORY.is_dir() or disk_usage(MEMORY).free < workers * SERVER_BYTES:
        yield factory.mktemp("home")
        return
    for left in MEMORY.glob(f"{PREFIX}*"):  # Of runs that were killed.
        if not Path("/proc", left.name.removeprefix(PREFIX)).exists():
            rmtree(left, ignore_errors=True)
    home = MEMORY / f"{PREFIX}{os.getpid()}"
    home.mkdir(mode=0o700)
    try:
        yield home
    finally:
        rmtree(home)


@pytest.fixture(scope="session")
def maintenance(server: str) -> Iterator[psycopg.Connection]:
    """A connection that makes and drops the databases of the tests."""
    with psycopg.connect(server, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="session")
def migrated_template(server: str, maintenance: psycopg.Connection) -> Iterator[str]:
    """The name of a migrated database, copied for each test."""
    with created(maintenance) as name:
        migrate(make_conninfo(server, dbname=name))
        yield name


@pytest.fixture
def conninfo(server: str, maintenance: psycopg.Connection, migrated_template: str) -> Iterator[str]:
    """The conninfo of a fresh, migrated database."""
    with created(maintenance, template=migrated_template) as name:
        yield make_conninfo(server, dbname=name)


@pytest.fixture
def empty_database(server: str, maintenance: psycopg.Connection) -> Iterator[str]:
    """The conninfo of a database without a table."""
    with created(maintenance) as name:
        yield make_conninfo(server, dbname=name)


@contextmanager
def created(maintenance: psycopg.Connection, template: str = "template1") -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    statement = SQL("CREATE DATABASE {} TEMPLATE {}")
    maintenance.execute(statement.format(Identifier(name), Identifier(template)))
    try:
        yield name
    finally:
        maintenance.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
