"""Which gifts a wallet keeps together: nothing of what was chosen, and nobody's name."""

from typing import Any
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from ledger.wallets import GiftAdded
from projections.feed import Page
from projections.read_model import ReadModel
from projections.sql import queries

SQL = queries("wallets.sql")


class Fold:
    """The gifts that were added, row by row."""

    def __init__(self) -> None:
        self._rows: list[tuple[UUID, UUID, int]] = []

    def add(self, page: Page) -> None:
        self._rows += [
            (other.event.donation_id, other.event.wallet_id, other.position)
            for other in page.others
            if isinstance(other.event, GiftAdded)
        ]

    def write(self, cursor: Cursor[Any]) -> None:
        if not self._rows:
            return
        names = ("donation_id", "wallet_id", "position")
        columns = zip(*self._rows, strict=True)
        cursor.execute(SQL["keep"], dict(zip(names, map(list, columns), strict=True)))
        self._rows = []


def gifts(connection: Connection[Any], wallet_id: UUID, limit: int) -> list[UUID]:
    """Give the donations that a wallet keeps, the newest first."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(SQL["gifts"], {"wallet_id": wallet_id, "limit": limit}).fetchall()
    return [donation_id for (donation_id,) in rows]


wallets = ReadModel(name="wallets", tables=("wallet_gift",), ddl=SQL["table"], fold=Fold)
