"""Which PostgreSQL this process talks to: the operator's, or the embedded one."""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from ledger.embedded import embedded_postgres
from ledger.settings import Settings


class DatabaseUrlRefused(Exception):
    """DATABASE_URL cannot be read. What it holds is never repeated: it may be a password."""

    def __str__(self) -> str:
        return (
            "DATABASE_URL: expected postgresql://user:password@host:port/name,"
            " or libpq's host=… dbname=… form"
        )


@contextmanager
def database(settings: Settings, *, owner: bool = False) -> Iterator[str]:
    """Yield a libpq conninfo string; `owner` is for the service, which keeps the server running."""
    if settings.database_url is None:
        with embedded_postgres(settings.home, owner=owner) as conninfo:
            yield conninfo
    else:
        yield _readable(settings.database_url)


def _readable(url: str) -> str:
    try:
        conninfo_to_dict(url)
    except ProgrammingError:
        raise DatabaseUrlRefused from None
    return url
