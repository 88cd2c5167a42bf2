"""The ballots that are published, and that the count is made on: who is behind one is not told.

Ballots with the same picks form a cell, whose weight is evened over its ballots. A set of picks
that few tickets share is a fingerprint. Where a rule goes by pick, its ballots are split into
ballots of one pick each, which join those who picked that project alone. Where a rule reads whole
sets, the set stays whole, so that how many tickets share it never decides what a ballot counts for,
and its cents are rounded down, so that they name no gift. The count is made on what is published,
so anybody can make it again.
"""

from collections.abc import Iterable, Mapping
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


def split_up(cells: Mapping[Picks, Cell], small_cell_min: int) -> Published:
    """Give the ballots to publish where a rule goes by pick: small cells become single picks.

    No weight is lost; a share of nothing is no ballot. A project that few tickets picked in all
    still shows what they gave it: these ballots are suppressed ones too.
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
        for pick, weight in zip(picks, split(cell.weight, [1] * len(picks)), strict=True):
            ballots, before = alone.get((pick,), Cell(0, 0))
            alone[(pick,)] = Cell(ballots + cell.ballots, before + weight)
    for picks, cell in alone.items():
        lines += evened(picks, cell)
        if cell.ballots < small_cell_min and picks in cells:
            suppressed += cells[picks].ballots
    return Published(tuple(sorted(lines)), counted(cells), suppressed)


def kept_whole(cells: Mapping[Picks, Cell], small_cell_min: int, coarse: int) -> Published:
    """Give the ballots to publish where a rule reads whole sets: small cells weigh a little less.

    Their weight is rounded down to a multiple of `coarse`, but to no less than 1 a ticket.
    """
    lines: list[Line] = []
    suppressed = 0
    for picks in sorted(cells):
        cell = cells[picks]
        if cell.ballots < small_cell_min:
            suppressed += cell.ballots
            cell = Cell(cell.ballots, max(cell.weight - cell.weight % coarse, cell.ballots))
        lines += evened(picks, cell)
    return Published(tuple(sorted(lines)), counted(cells), suppressed)


def counted(cells: Mapping[Picks, Cell]) -> int:
    return sum(cell.ballots for cell in cells.values())


def evened(picks: Picks, cell: Cell) -> Iterable[Line]:
    shares = split(cell.weight, [1] * cell.ballots)
    return (Line(picks, weight) for weight in shares if weight)
