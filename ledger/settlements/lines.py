"""The lines of a statement: each gift and each reversal once, their sums, and their one CSV."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Final, Literal

from ledger.giving import REGIMES, SOURCES, Regime
from ledger.settlements.events import DaySum, Part

LineKind = Literal["gift", "reversal"]
HEADER: Final = "position,kind,day,given_on,donation_id,source,regime,cents\n"


@dataclass(frozen=True, slots=True)
class Line:
    """A gift, or one given back: `cents` are negative then, `given_on` is the gift's own day.

    `regime` says whose the money was on the day of the gift; None without an agreement then. The
    id and the source stay text as they are stored.
    """

    position: int
    kind: LineKind
    day: date
    given_on: date
    donation_id: str
    source: str
    regime: Regime | None
    cents: int


@dataclass(frozen=True, slots=True)
class Reach:
    """How far statements have got: all lines up to a position of the feed and up to a day."""

    through_position: int
    last_on: date

    def holds(self, position: int, day: date) -> bool:
        return position <= self.through_position and day <= self.last_on


def csv_of(lines: Iterable[Line]) -> bytes:
    """Write lines as the CSV whose hash a statement states. Nothing in it needs quotes."""
    return (HEADER + "".join(map(written, lines))).encode()


def written(line: Line) -> str:
    return (
        f"{line.position},{line.kind},{line.day},{line.given_on},{line.donation_id},"
        f"{line.source},{line.regime or ''},{line.cents}\n"
    )


def digest_of(csv: bytes) -> str:
    return sha256(csv).hexdigest()


def parts_of(lines: Iterable[Line]) -> tuple[Part, ...]:
    """Sum lines by source and regime, in the order in which those are always told."""
    sums: dict[tuple[str, Regime | None], list[int]] = {}
    for line in lines:
        row = sums.setdefault((line.source, line.regime), [0, 0, 0, 0])
        if line.kind == "gift":
            row[0] += 1
            row[1] += line.cents
        else:
            row[2] += 1
            row[3] -= line.cents
    order = [(source, regime) for source in SOURCES for regime in (*REGIMES, None)]
    return tuple(
        Part(
            source=source,
            regime=regime,
            gifts=gifts,
            given_cents=given_cents,
            reversals=reversals,
            reversed_cents=reversed_cents,
        )
        for source, regime in order
        if (source, regime) in sums
        for gifts, given_cents, reversals, reversed_cents in [sums[source, regime]]
    )


def days_of(lines: Iterable[Line]) -> tuple[DaySum, ...]:
    """Sum lines by their day, oldest first; a day that comes to nothing is told as well."""
    sums: dict[date, int] = {}
    for line in lines:
        sums[line.day] = sums.get(line.day, 0) + line.cents
    return tuple(DaySum(day=day, cents=cents) for day, cents in sorted(sums.items()))


def owed_of(lines: Sequence[Line]) -> int:
    return sum(line.cents for line in lines)
