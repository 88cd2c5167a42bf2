"""The ballots that are published, and that the count is made on: who is behind one is not told.

Ballots with the same picks form a cell, whose weight is evened over its ballots. A set of picks
that few tickets share is a fingerprint: it stays whole, so that how many tickets share it never
decides where its money goes, and its cents are rounded down, so that they name no gift. Two rules
need another way. Under `proportional` a ballot is worth what its single picks are worth, so a rare
set is split into them. Under `quadratic` evening would make many of a few, so each gift keeps its
own weight, rounded down. The count is made on what is published, so anybody can make it again.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from ledger.money import split

Picks = tuple[UUID, ...]


class Cell(NamedTuple):
    """How many ballots share a set of picks, and what they weigh together."""

    ballots: int
    weight: int


class Line(NamedTuple):
    """One published ballot."""

    picks: Picks
    weight: int


@dataclass(frozen=True, slots=True)
class Published:
    """The lines in the order of their picks and weights, which says nothing of when or who.

    `suppressed` are the ballots whose choice fewer tickets share than a small cell needs.
    """

    lines: tuple[Line, ...]
    ballots: int
    suppressed: int


def add(cells: dict[Picks, Cell], picks: Picks, weight: int) -> None:
    """Count one ballot into its cell; picks are in the order of their ids."""
    ballots, before = cells.get(picks, Cell(0, 0))
    cells[picks] = Cell(ballots + 1, before + weight)


def split_up(
    cells: Mapping[Picks, Cell], small_cell_min: int, lot: Callable[[Picks], bytes]
) -> Published:
    """Give the ballots to publish where only single picks matter: small cells become those.

    No weight is lost; a cent that cannot be shared falls by lot, and a share of nothing is no
    ballot. A project that few tickets picked in all still shows what they gave it: these ballots
    are suppressed ones too.
    """
    alone: dict[Picks, Cell] = {}
    lines: list[Line] = []
    suppressed = 0
    for picks in sorted(cells):
        cell = cells[picks]
        if len(picks) > 1 and cell.ballots >= small_cell_min:
            lines += evened(picks, cell)
            continue
        if len(picks) > 1:
            suppressed += cell.ballots
        drawn = sorted(((pick,) for pick in picks), key=lot)
        for single, weight in zip(drawn, split(cell.weight, [1] * len(picks)), strict=True):
            ballots, before = alone.get(single, Cell(0, 0))
            alone[single] = Cell(ballots + cell.ballots, before + weight)
    for picks, cell in alone.items():
        lines += evened(picks, cell)
        if cell.ballots < small_cell_min and picks in cells:
            suppressed += cells[picks].ballots
    return Published(tuple(sorted(lines)), counted(cells), suppressed)


def coarsened(cells: Mapping[Picks, Cell], small_cell_min: int, coarse: int) -> dict[Picks, Cell]:
    """Give the cells, the small ones a little lighter.

    Their weight is rounded down to a multiple of `coarse`, but to no less than 1 a ticket.
    """
    return {
        picks: cell
        if cell.ballots >= small_cell_min
        else Cell(cell.ballots, max(cell.weight - cell.weight % coarse, cell.ballots))
        for picks, cell in cells.items()
    }


def kept_whole(cells: Mapping[Picks, Cell], small_cell_min: int) -> Published:
    """Give the ballots to publish where a rule reads whole sets, or passes money on along them."""
    lines = [line for picks, cell in cells.items() for line in evened(picks, cell)]
    small = {picks: cell for picks, cell in cells.items() if cell.ballots < small_cell_min}
    return Published(tuple(sorted(lines)), counted(cells), counted(small))


def each_alone(graded: Mapping[Line, int], small_cell_min: int) -> Published:
    """Give the ballots to publish where each gift's own weight matters."""
    lines = [line for line, ballots in graded.items() for _ in range(ballots)]
    cells: dict[Picks, Cell] = {}
    for line in lines:
        add(cells, line.picks, line.weight)
    small = {picks: cell for picks, cell in cells.items() if cell.ballots < small_cell_min}
    return Published(tuple(sorted(lines)), len(lines), counted(small))


def counted(cells: Mapping[Picks, Cell]) -> int:
    return sum(cell.ballots for cell in cells.values())


def evened(picks: Picks, cell: Cell) -> Iterable[Line]:
    shares = split(cell.weight, [1] * cell.ballots)
    return (Line(picks, weight) for weight in shares if weight)
