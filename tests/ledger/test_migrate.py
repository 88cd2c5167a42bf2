from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

from ledger.migrate import MIGRATIONS, MigrationChanged, MigrationUnknown, migrate

NAMES = sorted(path.stem for path in MIGRATIONS.glob("*.sql"))

COLUMNS = """
SELECT column_name, ordinal_position, data_type, is_nullable,
       replace(column_default, 'library.', '') AS column_default
FROM information_schema.columns
WHERE table_schema = %s AND table_name = 'ledger_events'
ORDER BY ordinal_position
"""
INDEXES = """
SELECT indexname, replace(indexdef, 'library.', 'public.')
FROM pg_indexes
WHERE schemaname = %s AND tablename = 'ledger_events'
ORDER BY indexname
"""
STORAGE = """
SELECT relkind, relpersistence, reloptions FROM pg_class
WHERE oid = format('%%I.ledger_events', %s::text)::regclass
"""
CONSTRAINTS = """
SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = format('%%I.ledger_events', %s::text)::regclass
ORDER BY conname
"""
OURS_ALONE = {"ledger_events_admission_idx"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (id int);")
    (tmp_path / "0002_second.sql").write_text("CREATE TABLE second (id int); SELECT 1;")
    return tmp_path


@pytest.fixture
def library_recorder(conninfo: str) -> Iterator[PostgresApplicationRecorder]:
    """What the event library makes when it is left to make its table, in a schema of its own."""
    parts = conninfo_to_dict(conninfo)
    with psycopg.connect(conninfo) as connection:
        connection.execute("CREATE SCHEMA library")
    datastore = PostgresDatastore(
        dbname=str(parts["dbname"]),
        host=str(parts["host"]),
        port=str(parts.get("port", "5432")),
        user=str(parts["user"]),
        password=str(parts.get("password", "")),
        schema="library",
        originator_id_type="uuid",
    )
    with closing(datastore):
        recorder = PostgresApplicationRecorder(datastore, events_table_name="ledger_events")
        recorder.create_table()
        yield recorder


def test_an_empty_database_gets_every_file_once(empty_database: str) -> None:
    assert migrate(empty_database) == NAMES
    assert migrate(empty_database) == []


def test_concurrent_starts_apply_every_file_once(empty_database: str) -> None:
    with ThreadPoolExecutor(8) as starts:
        outcomes = list(starts.map(migrate, [empty_database] * 8))
    assert sorted(outcomes) == [[]] * 7 + [NAMES]


def test_a_new_file_is_applied_to_an_older_database(empty_database: str, folder: Path) -> None:
    migrate(empty_database, folder)
    (folder / "0003_third.sql").write_text("CREATE TABLE third (id int);")
    assert migrate(empty_database, folder) == ["0003_third"]


def test_a_file_that_fails_leaves_nothing_and_keeps_the_earlier_ones(
    empty_database: str, folder: Path
) -> None:
    (folder / "0002_second.sql").write_text("CREATE TABLE half (id int); SELECT 1/0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(empty_database, folder)
    with psycopg.connect(empty_database) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        ).fetchall()
    assert tables == [("first",), ("migration",)]


def test_a_changed_file_is_refused(empty_database: str, folder: Path) -> None:
    migrate(empty_database, folder)
    (folder / "0001_first.sql").write_text("CREATE TABLE first (id bigint);")
    with pytest.raises(MigrationChanged, match="0001_first"):
        migrate(empty_database, folder)


def test_a_database_of_a_newer_version_is_refused(empty_database: str, folder: Path) -> None:
    migrate(empty_database, folder)
    (folder / "0002_second.sql").unlink()
    with pytest.raises(MigrationUnknown, match="0002_second"):
        migrate(empty_database, folder)


@pytest.mark.parametrize(
    "question",
    [COLUMNS, STORAGE, CONSTRAINTS],
    ids=["columns", "storage", "constraints"],
)
def test_the_events_table_is_the_one_the_library_makes(
    conninfo: str, library_recorder: PostgresApplicationRecorder, question: str
) -> None:
    with psycopg.connect(conninfo) as connection:
        ours = connection.execute(question, ["public"]).fetchall()
        theirs = connection.execute(question, ["library"]).fetchall()
    assert ours
    assert ours == theirs


def test_its_indexes_are_those_the_library_makes_and_our_own(
    conninfo: str, library_recorder: PostgresApplicationRecorder
) -> None:
    with psycopg.connect(conninfo) as connection:
        ours: dict[str, str] = dict(connection.execute(INDEXES, ["public"]).fetchall())
        theirs: dict[str, str] = dict(connection.execute(INDEXES, ["library"]).fetchall())
    assert ours.keys() - theirs.keys() == OURS_ALONE
    assert theirs == {name: ours[name] for name in theirs}
