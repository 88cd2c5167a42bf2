"""Rebuilding read models from the first event, while readers see the old rows until the end.

One transaction empties a model's tables, refills them and sets its position. Readers neither
wait nor see anything between the old rows and the new ones; the follower passes the model over
meanwhile; killed in the middle, everything is as it was.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from psycopg import Connection, Cursor
from psycopg.sql import SQL, Identifier

from projections import feed, follow
from projections.read_model import Fold, ReadModel

PAGE_EVENTS = 2_500

Progress = Callable[[int], object]


def rebuild(
    conninfo: str, models: Mapping[str, ReadModel], progress: Progress = lambda _: None
) -> int:
    """Rebuild models and give the number of events applied; `progress` is told of each page."""
    with (
        follow.connected(conninfo) as connection,
        follow.connected(conninfo) as reader,
    ):
        follow.prepare(connection, models)
        with connection.transaction(), connection.cursor() as cursor:
            for model in models.values():
                # A second rebuild waits here for the first; the follower passes by.
                follow.locked_position(cursor, model)
            for table in (table for model in models.values() for table in model.tables):
                cursor.execute(SQL("DELETE FROM {}").format(Identifier(table)))
            position, applied = fill(cursor, reader, list(models.values()), progress)
            for name in models:
                cursor.execute(follow.SQL["advance"], {"model": name, "position": position})
        return applied


def fill(
    cursor: Cursor[Any], reader: Connection[Any], models: Sequence[ReadModel], progress: Progress
) -> tuple[int, int]:
    """Apply the whole feed; give its last position and the number of events.

    While PostgreSQL writes what was folded, the next pages are read, decoded and folded.
    """
    position = applied = 0
    folds = [model.fold() for model in models]
    with ThreadPoolExecutor(1, "writer") as writer:
        writing: Future[None] = writer.submit(write_all, cursor, [])
        for number, page in enumerate(feed.pages(reader, 0, PAGE_EVENTS), 1):
            full: list[Fold] = []
            for place, model in enumerate(models):
                folds[place].add(page)
                if number % model.pages_a_write == 0:
                    full.append(folds[place])
                    folds[place] = model.fold()
            writing.result()
            writing = writer.submit(write_all, cursor, full)
            position = page.last
            applied += page.events
            progress(page.events)
        writing.result()
    write_all(cursor, folds)
    return position, applied


def write_all(cursor: Cursor[Any], folds: Sequence[Fold]) -> None:
    for fold in folds:
        fold.write(cursor)
