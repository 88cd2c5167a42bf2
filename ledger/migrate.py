"""The durable tables, brought up to date by ordered SQL files that never change once applied."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg import Connection, connect
from psycopg.rows import TupleRow

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 4_031_977  # Any number, as long as every version of this program takes the same.


class MigrationRefused(Exception):
    """The database does not follow from the files this version has."""


class MigrationChanged(MigrationRefused):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"{self.name} is not the file that this database was made with"


class MigrationUnknown(MigrationRefused):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"this database has {self.name}, which a newer version of the program applied"


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrate(conninfo: str, folder: Path = MIGRATIONS) -> list[str]:
    """Apply what is missing, one transaction per file; return the names applied."""
    migrations = [
        Migration(path.stem, path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.sql"))
    ]
    with connect(conninfo, autocommit=True) as connection:
        connection.execute("SET search_path TO public")
        # Concurrent starts wait here; the lock ends with the connection.
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migration ("
            " name text PRIMARY KEY,"
            " sha256 text NOT NULL,"
            " applied_at timestamptz NOT NULL DEFAULT now())"
        )
        missing = _missing(connection, migrations)
        for migration in missing:
            _apply(connection, migration)
        return [migration.name for migration in missing]


def _missing(connection: Connection[TupleRow], migrations: Sequence[Migration]) -> list[Migration]:
    applied: dict[str, str] = dict(
        connection.execute("SELECT name, sha256 FROM migration ORDER BY name").fetchall()
    )
    known = {migration.name: migration for migration in migrations}
    for name, sha256 in applied.items():
        if name not in known:
            raise MigrationUnknown(name)
        if known[name].sha256 != sha256:
            raise MigrationChanged(name)
    return [migration for migration in migrations if migration.name not in applied]


def _apply(connection: Connection[TupleRow], migration: Migration) -> None:
    with connection.transaction():
        connection.execute(migration.sql)
        connection.execute(
            "INSERT INTO migration (name, sha256) VALUES (%s, %s)",
            [migration.name, migration.sha256],
        )
