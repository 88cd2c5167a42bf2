"""From the gifts of a round's pot and their choices to the election that is published and counted.

Memory grows with the sets of picks (under `quadratic` with those of the amounts too) and with the
gifts that were given back, never with the gifts.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import itemgetter
from typing import Literal, NamedTuple
from uuid import UUID

from ledger.money import split
from ledger.rounds.cells import (
    Cell,
    Line,
    Picks,
    Published,
    add,
    coarsened,
    each_alone,
    kept_whole,
    split_up,
)
from ledger.rounds.definition import Definition
from ledger.rules.declared import COARSE_CENTS
from ledger.rules.election import Ballot, Election, Project
from ledger.rules.rule import Directed, Proportional, Quadratic, Threshold
from ledger.rules.ties import lot

# The currency of every election here: cents of euros.
DECIMALS = 2


class Choice(NamedTuple):
    """What a gift's holder chose, on its ballot or by a standing choice of her wallet."""

    picks: Picks
    by: Literal["ballot", "standing"]


class Pots(NamedTuple):
    """Where the money of the pot comes from, in cents."""

    voted: int
    unused: int
    matched: int
    carried: int

    @property
    def total(self) -> int:
        return sum(self)


@dataclass(slots=True)
class Count:
    """The gifts of one pot, counted one by one in the order of the feed."""

    definition: Definition
    struck: tuple[UUID, ...] = ()
    cells: dict[Picks, Cell] = field(default_factory=dict)
    # Instead of cells, where each gift's own weight matters: how many have this set and weight.
    graded: Counter[Line] = field(default_factory=Counter)
    ballots: int = 0
    standing_ballots: int = 0
    voted_cents: int = 0
    unused_gifts: int = 0
    unused_cents: int = 0
    # Purchases of each partner that counted, and those above what one partner may bring.
    purchases: Counter[UUID] = field(default_factory=Counter)
    above_cap: Counter[UUID] = field(default_factory=Counter)
    # Where in the feed the last purchase of each partner is that counted.
    last_counted: dict[UUID, int] = field(default_factory=dict)

    def copied(self) -> "Count":
        """Give one that goes on by itself, and leaves this one as it is."""
        return replace(
            self,
            cells=dict(self.cells),
            graded=Counter(self.graded),
            purchases=Counter(self.purchases),
            above_cap=Counter(self.above_cap),
            last_counted=dict(self.last_counted),
        )

    @property
    def project_ids(self) -> frozenset[UUID]:
        """The projects that are counted: a dead one is not, where its votes go elsewhere."""
        if self.definition.dead_project == "other_picks":
            return self.definition.project_ids - set(self.struck)
        return self.definition.project_ids

    def gift(
        self,
        cents: int,
        choice: Choice | None,
        partner_id: UUID,
        *,
        attested: bool,
        position: int = 0,
    ) -> None:
        """Count a gift of which so many cents are left; one that is wholly given back is void."""
        if cents <= 0:
            return
        picks = self._picks(choice)
        if not picks or not self._admitted(partner_id, attested=attested):
            self.unused_gifts += 1
            self.unused_cents += cents
            return
        if self.definition.weight == "purchase":
            self.last_counted[partner_id] = position
        self.ballots += 1
        self.standing_ballots += choice is not None and choice.by == "standing"
        self.voted_cents += cents
        if isinstance(self.definition.parsed_rule, Quadratic):
            self.graded[Line(picks, max(cents - cents % COARSE_CENTS, 1))] += 1
        else:
            by_purchase = self.definition.weight == "purchase"
            add(self.cells, picks, self.definition.purchase_weight if by_purchase else cents)

    def _picks(self, choice: Choice | None) -> Picks:
        """Give the picks that are in the count, the first ones of a standing choice of many."""
        if choice is None:
            return ()
        known = self.project_ids
        picks = [pick for pick in choice.picks if pick in known]
        return tuple(sorted(picks[: self.definition.picks_max]))

    def _admitted(self, partner_id: UUID, *, attested: bool) -> bool:
        """Tell whether a chosen gift has its vote: always by cents, by purchase within the cap."""
        most = self.definition.purchases_per_partner_max
        if most is None:
            return True
        if not attested:
            return False
        if self.purchases[partner_id] >= most:
            self.above_cap[partner_id] += 1
            return False
        self.purchases[partner_id] += 1
        return True

    def caps(self) -> dict[str, int]:
        """Tell of each partner above its cap the position of the last purchase that counted."""
        return {str(one): self.last_counted[one] for one in sorted(self.above_cap)}

    def pots(self) -> Pots:
        pot = self.definition.pot
        matched = 0
        if pot.matching is not None:
            whole = self.voted_cents * pot.matching.cents_per_euro // 100
            matched = min(whole, pot.matching.cap_cents)
        carried = sum(one.cents for one in pot.carried)
        return Pots(self.voted_cents, self.unused_cents, matched, carried)

    def budget(self) -> int:
        """Give the money that the rule shares out, that of unused codes where it is declared."""
        pots = self.pots()
        follows = self.definition.unused == "follow_result"
        return pots.total if follows else pots.total - pots.unused

    def published(self) -> Published:
        rule, least = self.definition.parsed_rule, self.definition.small_cell_min
        if isinstance(rule, Proportional):
            return split_up(self.cells, least, self._lot)
        if isinstance(rule, Quadratic):
            return each_alone(self.graded, least)
        # Where every purchase weighs the same, no weight names a gift.
        coarse = COARSE_CENTS if self.definition.weight == "cents" else 1
        cells = coarsened(self.cells, least, coarse)
        sends_cents = isinstance(rule, Directed | Threshold)
        return kept_whole(self._with_budget(cells) if sends_cents else cells, least)

    def _lot(self, picks: Picks) -> bytes:
        return lot(str(self.definition.round_id), *map(str, picks))

    def _with_budget(self, cells: dict[Picks, Cell]) -> dict[Picks, Cell]:
        """Lay the whole budget onto the cells of a rule that sends each gift's own cents.

        Matching money, carried money and unused codes then follow what the ballots chose, and so do
        the cents that small cells lost: rounding them sends no money elsewhere.
        """
        if not cells:
            return cells
        order = sorted(cells, key=self._lot)
        shares = split(self.budget(), [cells[picks].weight for picks in order])
        return {
            picks: Cell(cells[picks].ballots, share)
            for picks, share in zip(order, shares, strict=True)
        }

    def election(self) -> tuple[Election, Published]:
        """Give what the rule counts: what is published and nothing else."""
        told = self.published()
        known = self.project_ids
        projects = (one for one in self.definition.projects if one.project_id in known)
        return Election(
            election_id=str(self.definition.round_id),
            budget=self.budget(),
            projects=tuple(Project(str(one.project_id), one.goal_cents) for one in projects),
            ballots=tuple(ballots_of(told)),
            decimals=DECIMALS,
        ), told


def ballots_of(told: Published) -> Iterable[Ballot]:
    """Give the ballots; those of a cell follow each other, and share one tuple of names."""
    for picks, lines in groupby(told.lines, key=itemgetter(0)):
        names = tuple(map(str, picks))
        yield from (Ballot(names, line.weight) for line in lines)
