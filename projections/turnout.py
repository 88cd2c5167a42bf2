"""How many ballots each round received, void ones too; never what is on those of a sealed one."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from ledger.ballots import BallotCast, BallotChanged
from ledger.rounds.events import RoundOpened
from projections.feed import Page
from projections.read_model import ReadModel
from projections.sql import queries

SQL = queries("turnout.sql")
Pick = tuple[UUID, UUID]


class Fold:
    """Sums of pages, by round and by pick. Those of sealed rounds find no row to be added to."""

    def __init__(self) -> None:
        self._opened: list[dict[str, Any]] = []
        self._ballots: Counter[UUID] = Counter()
        self._picks: Counter[Pick] = Counter()

    def add(self, page: Page) -> None:
        for other in page.others:
            match other.event:
                case RoundOpened(round_id=round_id, sealed=sealed):
                    self._opened.append({"round_id": round_id, "sealed": sealed})
                case BallotCast(round_id=round_id, picks=picks):
                    self._ballots[round_id] += 1
                    self._picks.update((round_id, pick) for pick in picks)
                case BallotChanged(round_id=round_id, picks=picks, replaced=replaced):
                    self._picks.update((round_id, pick) for pick in picks)
                    self._picks.subtract((round_id, pick) for pick in replaced)
                case _:
                    pass

    def write(self, cursor: Cursor[Any]) -> None:
        for opened in self._opened:
            cursor.execute(SQL["open"], opened)
        if self._ballots:
            columns = {"round_id": list(self._ballots), "ballots": list(self._ballots.values())}
            cursor.execute(SQL["count"], columns)
        moved = {pick: ballots for pick, ballots in self._picks.items() if ballots}
        if moved:
            columns = {
                "round_id": [round_id for round_id, _ in moved],
                "project_id": [project_id for _, project_id in moved],
                "ballots": list(moved.values()),
            }
            cursor.execute(SQL["pick"], columns)
        self._opened = []
        self._ballots, self._picks = Counter(), Counter()


@dataclass(frozen=True, slots=True)
class Turnout:
    """`picks` says how many ballots name a project: of a round with live tallies only."""

    ballots: int
    picks: dict[UUID, int] | None


def every(connection: Connection[Any]) -> dict[UUID, Turnout]:
    """Give the turnout of each round that was opened."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(SQL["every"]).fetchall()
        picks = cursor.execute(SQL["picks"]).fetchall()
    live: dict[UUID, dict[UUID, int]] = {}
    for round_id, project_id, ballots in picks:
        live.setdefault(round_id, {})[project_id] = ballots
    return {
        round_id: Turnout(ballots, None if sealed else live.get(round_id, {}))
        for round_id, sealed, ballots in rows
    }


turnout = ReadModel(name="turnout", tables=("turnout", "live_pick"), ddl=SQL["table"], fold=Fold)
