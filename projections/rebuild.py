"""Rebuilding a read model beside the living one, then putting it in its place at once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psycopg import Connection, Cursor
from psycopg.sql import SQL, Identifier

from projections import feed, follow
from projections.read_model import Fold, ReadModel

PAGE_EVENTS = 5_000
# Sums of many pages are written together; what they hold is bounded by keys, not by events.
PAGES_A_WRITE = 10
# New tables are made here under their own names, so that a model's SQL serves unchanged.
WORKSHOP = "rebuilding"

Progress = Callable[[int], object]


def rebuild(
    conninfo: str, models: Mapping[str, ReadModel], progress: Progress = lambda _: None
) -> int:
    """Rebuild models from the first event; readers see the old rows until the new are complete.

    `progress` is told the number of events of each page. Gives the events applied. One
    transaction: killed in the middle, it leaves everything as it was.
    """
    with (
        follow.connected(conninfo) as connection,
        follow.connected(conninfo) as reader,
    ):
        follow.prepare(connection, models)
        with connection.transaction(), connection.cursor() as cursor:
            open_workshop(cursor, models)
            folds = [model.fold() for model in models.values()]
            position, applied = fill(cursor, reader, folds, 0, progress)
            # From here the follower waits, and what came meanwhile is applied.
            for model in models.values():
                follow.locked_position(cursor, model)
            position, late = fill(cursor, reader, folds, position, progress)
            install(cursor, models, position)
        return applied + late


def fill(
    cursor: Cursor[Any],
    reader: Connection[Any],
    folds: Sequence[Fold],
    position: int,
    progress: Progress,
) -> tuple[int, int]:
    """Apply the feed after a position; give the last position and the number of events."""
    applied = 0
    for number, page in enumerate(feed.pages(reader, position, PAGE_EVENTS), 1):
        for fold in folds:
            fold.add(page)
        if number % PAGES_A_WRITE == 0:
            write_all(cursor, folds)
        position = page.last
        applied += page.events
        progress(page.events)
    write_all(cursor, folds)
    return position, applied


def write_all(cursor: Cursor[Any], folds: Sequence[Fold]) -> None:
    for fold in folds:
        fold.write(cursor)


def open_workshop(cursor: Cursor[Any], models: Mapping[str, ReadModel]) -> None:
    """Make empty tables beside the living ones. A second rebuild waits here for the first."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (follow.FOLLOWER_LOCK + 2,))
    cursor.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(WORKSHOP)))
    cursor.execute(SQL("CREATE SCHEMA {}").format(Identifier(WORKSHOP)))
    cursor.execute(SQL("SET LOCAL search_path TO {}, public").format(Identifier(WORKSHOP)))
    for model in models.values():
        cursor.execute(model.ddl)


def install(cursor: Cursor[Any], models: Mapping[str, ReadModel], position: int) -> None:
    """Put the new tables in the place of the old ones, with their position."""
    cursor.execute("SET LOCAL search_path TO public")
    for model in models.values():
        for table in model.tables:
            cursor.execute(SQL("DROP TABLE public.{}").format(Identifier(table)))
            cursor.execute(
                SQL("ALTER TABLE {}.{} SET SCHEMA public").format(
                    Identifier(WORKSHOP), Identifier(table)
                )
            )
        cursor.execute(follow.SQL["advance"], {"model": model.name, "position": position})
    cursor.execute(SQL("DROP SCHEMA {}").format(Identifier(WORKSHOP)))
