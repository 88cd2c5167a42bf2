"""The chain of each till's gifts: which numbers are missing, where it forks, what was said."""

from typing import Any
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import class_row, tuple_row

from ledger.closes import DayClosed
from ledger.devices import LinkedGift, link_hash
from ledger.tills import GapExplained
from projections.chains import Chain, Claim, Explanation, Link, chain_of
from projections.feed import Numbered, Page
from projections.read_model import ReadModel
from projections.sql import queries

SQL = queries("gaps.sql")


class Fold:
    """Gathers numbered gifts, explanations and closes."""

    def __init__(self) -> None:
        self._gifts: list[Numbered] = []
        self._said: list[tuple[str, dict[str, Any]]] = []

    def add(self, page: Page) -> None:
        self._gifts += page.numbered
        for other in page.others:
            match other.event:
                case GapExplained() as event:
                    self._said.append(("explained", facts(event)))
                case DayClosed(last_number=int()) as event:
                    self._said.append(("claimed", facts(event)))
                case _:
                    pass

    def write(self, cursor: Cursor[Any]) -> None:
        if self._gifts:
            gifts = sorted(self._gifts, key=lambda gift: (gift.till_id, gift.device_number))
            columns = {
                "till_id": [gift.till_id for gift in gifts],
                "number": [gift.device_number for gift in gifts],
                "donation_id": [gift.donation_id for gift in gifts],
                "hash": [gift.device_hash for gift in gifts],
                "previous": [gift.device_previous for gift in gifts],
                "occurred_at": [gift.occurred_at for gift in gifts],
                "sound": [sound(gift) for gift in gifts],
            }
            cursor.execute(SQL["add"], columns)
        for kind, said in self._said:
            cursor.execute(SQL[kind], said)
        self._gifts, self._said = [], []


def facts(event: GapExplained | DayClosed) -> dict[str, Any]:
    return event.model_dump() | {"at": event.recorded_at}


def sound(gift: Numbered) -> bool:
    """Tell whether a gift's hash is that of its fields."""
    linked = LinkedGift(
        till_id=gift.till_id,
        number=gift.device_number,
        donation_id=gift.donation_id,
        occurred_at=gift.occurred_at,
        amount_cents=gift.amount_cents,
        source=gift.source,
        purchase_cents=gift.purchase_cents,
        ask_id=gift.ask_id,
        project_id=gift.project_id,
    )
    return link_hash(gift.device_previous, linked) == gift.device_hash


def of_till(connection: Connection[Any], till_id: UUID) -> Chain:
    """Say what the numbers of a till's gifts say; an empty chain for a till that numbers none."""
    about = {"till_id": till_id}
    with connection.cursor(row_factory=class_row(Link)) as cursor:
        links = cursor.execute(SQL["links"], about).fetchall()
    with connection.cursor(row_factory=class_row(Explanation)) as cursor:
        explanations = cursor.execute(SQL["explanations"], about).fetchall()
    with connection.cursor(row_factory=class_row(Claim)) as cursor:
        claims = cursor.execute(SQL["claims"], about).fetchall()
    return chain_of(links, explanations, claims)


def last_number(connection: Connection[Any], till_id: UUID) -> int:
    """Give the highest number of a till's gifts, 0 when it numbers none."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(SQL["last_number"], {"till_id": till_id}).fetchone()
    return 0 if row is None else int(row[0])


gaps = ReadModel(
    name="gaps",
    tables=("numbered_gift", "gap_explained", "number_claimed"),
    ddl=SQL["table"],
    fold=Fold,
    # Links are kept one by one: what waits to be written grows with the gifts.
    pages_a_write=1,
)
