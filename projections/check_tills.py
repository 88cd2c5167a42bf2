"""The check of tills: their days, closes and numbers counted again, one event after another."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from psycopg import Cursor

from ledger.closes import DayClosed
from ledger.decider import Event
from ledger.donations import DonationRecorded, DonationReversed
from ledger.tills import EnrolmentOffered, GapExplained, TillEnrolled, TillRevoked
from projections.sql import queries

SQL = queries("check.sql")

Differs = Callable[[str], None]
Key = tuple[str, ...]
Row = tuple[Any, ...]


@dataclass(slots=True)
class Tills:
    """What each till did, up to where the read models of tills and of gaps stand.

    Of a device's numbers only how many there are, their sum and the highest are kept: enough to
    see one that is missing, and as little for a million gifts as for one.
    """

    reached_tills: int
    reached_gaps: int
    states: dict[Key, str] = field(default_factory=dict)
    days: dict[Key, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0, 0]))
    closes: dict[Key, Row] = field(default_factory=dict)
    numbers: dict[Key, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    explained: dict[Key, str] = field(default_factory=dict)

    def take(self, position: int, event: Event) -> None:
        if position <= self.reached_tills:
            self.take_day(event)
            self.take_till(event)
        if position <= self.reached_gaps:
            self.take_number(event)

    def take_day(self, event: Event) -> None:
        match event:
            case DonationRecorded(till_id=till_id, occurred_on=day, amount_cents=cents):
                first = 0
            case DonationReversed(till_id=till_id, reversed_on=day, amount_cents=cents):
                first = 2
            case _:
                return
        row = self.days[str(till_id), day.isoformat()]
        row[first] += 1
        row[first + 1] += cents

    def take_till(self, event: Event) -> None:
        match event:
            case EnrolmentOffered(till_id=till_id):
                self.states.setdefault((str(till_id),), "offered")
            case TillEnrolled(till_id=till_id):
                self.states[(str(till_id),)] = "enrolled"
            case TillRevoked(till_id=till_id):
                self.states[(str(till_id),)] = "revoked"
            case DayClosed():
                key = (str(event.till_id), event.day.isoformat())
                self.closes[key] = (event.gifts, event.cents, event.last_number)
            case _:
                pass

    def take_number(self, event: Event) -> None:
        match event:
            case DonationRecorded(till_id=till_id, device_number=int(number)):
                row = self.numbers[(str(till_id),)]
                row[:] = row[0] + 1, row[1] + number, max(row[2], number)
            case GapExplained(till_id=till_id, reason=reason):
                key = (str(till_id), str(event.first_number), str(event.last_number))
                self.explained[key] = reason
            case _:
                pass

    def agree(self, cursor: Cursor[Any], differs: Differs) -> None:
        """Compare with what the read models hold."""
        for query, what, derived in (
            ("till_states", "state", {key: (state,) for key, state in self.states.items()}),
            ("till_days", "day", {key: tuple(row) for key, row in self.days.items()}),
            ("till_closes", "close", self.closes),
            ("till_numbers", "numbers", {key: tuple(row) for key, row in self.numbers.items()}),
            ("till_gaps", "explanation", {key: (why,) for key, why in self.explained.items()}),
        ):
            rows = cursor.execute(SQL[query]).fetchall()
            keys = {"till_days": 2, "till_closes": 2, "till_gaps": 3}.get(query, 1)
            told = {tuple(row[:keys]): tuple(row[keys:]) for row in rows}
            for key in sorted(told.keys() | derived.keys()):
                if told.get(key) != derived.get(key):
                    differs(
                        f"{what} of till {' '.join(key)}: the read model says {told.get(key)},"
                        f" the events {derived.get(key)}"
                    )
