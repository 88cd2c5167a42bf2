"""The second model of money: where every cent of a foundation is, in dictionaries and loops."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

DAY = timedelta(days=1)
CLOSE_AFTER = 3 * DAY
DUE_AFTER = 30 * DAY
OWED_MIN_CENTS = 100

# A partner, and the number of its statement.
Key = tuple[UUID, int]
# What money is for: a statement, a cheque, a payout, a pledge, a charge or something else.
Want = tuple[str, Key | UUID | None, int]


@dataclass(slots=True)
class Claim:
    """A statement: what it asks for, what it got, what two people wrote off.

    `paid_by` are the cents of credit that other statements of the shop pay of it, by their numbers.
    """

    owed: int
    last_on: date
    due_on: date
    got: int = 0
    written_off: int = 0
    paid_by: dict[int, int] = field(default_factory=dict)
    paid_to_others: int = 0

    @property
    def own_left(self) -> int:
        """What its own money leaves: a credit where it is negative."""
        return self.owed - self.got - self.written_off

    @property
    def set_off(self) -> int:
        return sum(self.paid_by.values()) - self.paid_to_others

    @property
    def left(self) -> int:
        return self.own_left - self.set_off


@dataclass(slots=True)
class Movement:
    """Money on the account: what it is truly for, and what of it is matched."""

    day: date
    cents: int
    wants: list[Want]
    names: list[Key] = field(default_factory=list)
    matched: list[Want] = field(default_factory=list)

    @property
    def left(self) -> int:
        return self.cents - sum(cents for _, _, cents in self.matched)


@dataclass(slots=True)
class Books:
    """`waiting` are the days and cents of a partner's gifts and reversals on no statement yet."""

    waiting: dict[UUID, list[tuple[date, int]]] = field(default_factory=lambda: defaultdict(list))
    first_on: dict[UUID, date] = field(default_factory=dict)
    claims: dict[Key, Claim] = field(default_factory=dict)
    newest: dict[UUID, int] = field(default_factory=dict)
    pledged: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    by_card: dict[UUID, int] = field(default_factory=dict)
    given: int = 0
    reversed: int = 0

    def give(self, partner_id: UUID, day: date, cents: int) -> None:
        self.given += cents
        self.waiting[partner_id].append((day, cents))
        self.first_on[partner_id] = min(day, self.first_on.get(partner_id, day))

    def give_back(self, partner_id: UUID, day: date, cents: int) -> None:
        self.reversed += cents
        self.waiting[partner_id].append((day, -cents))
        self.first_on[partner_id] = min(day, self.first_on.get(partner_id, day))

    def close_due(self, today: date) -> list[Key]:
        """Close what is over for three days; what is less than a euro waits."""
        return [key for whose in list(self.waiting) for key in self.close_months(whose, today)]

    def close_months(self, partner_id: UUID, today: date) -> Iterator[Key]:
        if not self.waiting[partner_id]:
            return
        number = self.newest.get(partner_id, 0)
        first_on = self.first_on[partner_id]
        if number:
            first_on = self.claims[partner_id, number].last_on + DAY
        for end in month_ends(first_on, today):
            if self.sum_until(partner_id, end) >= OWED_MIN_CENTS:
                yield self.close(partner_id, end, today)

    def sum_until(self, partner_id: UUID, end: date) -> int:
        return sum(cents for day, cents in self.waiting[partner_id] if day <= end)

    def close(self, partner_id: UUID, end: date, today: date) -> Key:
        """Close a statement of all that waits up to a day."""
        owed = self.sum_until(partner_id, end)
        later = [one for one in self.waiting[partner_id] if one[0] > end]
        self.waiting[partner_id] = later
        number = self.newest.get(partner_id, 0) + 1
        self.newest[partner_id] = number
        self.claims[partner_id, number] = Claim(owed, end, today + DUE_AFTER)
        return partner_id, number

    def match_named(self, movement: Movement) -> None:
        """Fill the statements that a payer named, none beyond what it asks."""
        for key in movement.names:
            cents = min(movement.left, self.claims[key].left)
            if cents > 0:
                self.match(movement, ("statement", key, cents))

    def match(self, movement: Movement, *wants: Want) -> None:
        for want in wants:
            movement.matched.append(want)
            self.add(want)
        left = movement.left
        assert abs(left) <= abs(movement.cents)
        assert left * movement.cents >= 0, "more is matched than there is"

    def unmatch(self, movement: Movement, wants: list[Want]) -> None:
        """Undo one match of a movement: what it was for is matched with it no more."""
        for kind, key, cents in wants:
            self.add((kind, key, -cents))
            movement.matched.remove((kind, key, cents))

    def set_off(self) -> None:
        """Let each shop's credit pay what it owes, as soon as somebody's act is done."""
        for partner_id in self.newest:
            claims = [self.claims[partner_id, n + 1] for n in range(self.newest[partner_id])]
            if not any(claim.left < 0 or claim.paid_by for claim in claims):
                continue
            order = sorted(range(len(claims)), key=lambda n: (claims[n].due_on, n))
            for taker in order[::-1]:
                for giver in order[::-1]:
                    self.take_back(claims, giver, taker)
            for taker in order:
                for giver in order:
                    # A credit is what nobody else got of it.
                    cents = min(claims[taker].left, -claims[giver].left)
                    if cents > 0:
                        paid = claims[taker].paid_by
                        paid[giver] = paid.get(giver, 0) + cents
                        claims[giver].paid_to_others += cents

    def take_back(self, claims: list[Claim], giver: int, taker: int) -> None:
        """Take back what a statement paid for another, where either is not what it was."""
        held = claims[taker].paid_by.get(giver, 0)
        not_needed = sum(claims[taker].paid_by.values()) - max(0, claims[taker].own_left)
        not_there = claims[giver].paid_to_others - max(0, -claims[giver].own_left)
        cents = min(held, max(not_needed, not_there))
        if cents > 0:
            claims[taker].paid_by[giver] -= cents
            claims[giver].paid_to_others -= cents

    def add(self, want: Want) -> None:
        kind, key, cents = want
        if kind == "statement":
            assert isinstance(key, tuple)
            self.claims[key].got += cents
        elif kind == "pledge":
            assert isinstance(key, UUID)
            self.pledged[key] += cents

    def totals(self) -> dict[str, int]:
        """Add up where everything is."""
        lefts = [claim.left for claim in self.claims.values()]
        return {
            "given": self.given + sum(self.by_card.values()),
            "open": sum(cents for some in self.waiting.values() for _, cents in some),
            "on_statements": sum(left for left in lefts if left > 0),
            "credit": -sum(left for left in lefts if left < 0),
            "banked": sum(claim.got for claim in self.claims.values()),
            "written_off": sum(claim.written_off for claim in self.claims.values()),
        }


def month_ends(first_on: date, today: date) -> Iterator[date]:
    """Give the last days of the months from a day on that are over for long enough."""
    while True:
        following = (first_on.replace(day=1) + 32 * DAY).replace(day=1)
        end = following - DAY
        if end + CLOSE_AFTER > today:
            return
        yield end
        first_on = following
