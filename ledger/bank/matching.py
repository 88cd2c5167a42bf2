"""What a transaction is for: what is certain, and what an officer is asked to confirm.

Certain is what the payer wrote down as we asked, what the bank says it took, and what undoes the
only transaction that it can be the return of. Everything else is proposed, with its reason.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import combinations
from typing import Final
from uuid import UUID

from ledger.allocations import Allocation, Target
from ledger.bank.events import Kind, MatchRule

# A payout reaches the bank some days after, or before, the day it was announced for.
PAYOUT_WITHIN: Final = timedelta(days=5)
# A payer with more open claims than this adds them up by hand.
ADDED_UP_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class Claim:
    """Money that is asked for: a statement, or a call of a pledge. Oldest first by `due_on`."""

    target: Target
    target_id: UUID
    partner_id: UUID | None
    reference: str
    outstanding_cents: int
    due_on: date


@dataclass(frozen=True, slots=True)
class Expected:
    """Money that is on its way as one sum: a payout of cards, cheques handed in at the counter."""

    target: Target
    target_id: UUID
    cents: int
    on: date
    partner_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """A transaction with cents left; `cents` is all of it.

    `matches` were made of it so far, and `undone` is what those that an officer undid were for.
    """

    transaction_id: UUID
    cents: int
    left_cents: int
    kind: Kind
    booked_on: date
    references: tuple[str, ...] = ()
    end_to_end_mac: str | None = None
    counterparty_mac: str | None = None
    matches: int = 0
    undone: frozenset[tuple[Target, UUID | None]] = frozenset()

    def may_be_for(self, target: Target, target_id: UUID | None) -> bool:
        """Tell whether no officer said that it is not for this."""
        return (target, target_id) not in self.undone


@dataclass(frozen=True, slots=True)
class Moved:
    """A transaction under the payer's own id, and what it was matched with, wholly or not."""

    transaction_id: UUID
    cents: int
    booked_on: date
    end_to_end_mac: str
    counterparty_mac: str | None
    allocations: tuple[Allocation, ...]

    @property
    def wholly(self) -> bool:
        return sum(one.cents for one in self.allocations) == self.cents


@dataclass(frozen=True, slots=True)
class Match:
    """What a transaction is for, by which rule; for a proposal, nobody has confirmed it."""

    transaction_id: UUID
    rule: MatchRule
    allocations: tuple[Allocation, ...]


def certain(
    transactions: Iterable[Open], claims: Iterable[Claim], moved: Iterable[Moved]
) -> Iterator[Match]:
    """Match what needs nobody's judgement. What is taken of a claim is gone for the next one.

    What an officer undid is not made again.
    """
    by_reference = {claim.reference: claim for claim in claims}
    left = {claim.reference: claim.outstanding_cents for claim in by_reference.values()}
    returnable = Returnable(moved)
    for one in transactions:
        if one.kind == "charge":
            if not one.may_be_for("charge", None):
                continue
            told = (Allocation(target="charge", cents=one.left_cents),)
            yield Match(one.transaction_id, "charge", told)
        elif one.kind == "return":
            undone = returnable.take(one)
            if undone:
                yield Match(one.transaction_id, "return", undone)
        elif one.left_cents > 0:
            named = [by_reference[name] for name in one.references if name in by_reference]
            likely = [claim for claim in named if one.may_be_for(claim.target, claim.target_id)]
            allocations = shared(one.left_cents, likely, left)
            if allocations:
                yield Match(one.transaction_id, "reference", allocations)


def shared(cents: int, claims: Sequence[Claim], left: dict[str, int]) -> tuple[Allocation, ...]:
    """Fill claims in the order they are named in, none beyond what it asks; note what is taken."""
    found: list[Allocation] = []
    for claim in claims:
        taken = min(cents, left[claim.reference])
        if taken > 0:
            found.append(allocated(claim, taken))
            left[claim.reference] -= taken
            cents -= taken
    return tuple(found)


def allocated(claim: Claim, cents: int) -> Allocation:
    return Allocation(
        target=claim.target, target_id=claim.target_id, partner_id=claim.partner_id, cents=cents
    )


class Returnable:
    """Transactions that a return can undo, each of them once.

    One that is matched with nothing yet may be what comes back just as well as one that is.
    """

    def __init__(self, moved: Iterable[Moved]) -> None:
        self._open: dict[tuple[str, int], list[Moved]] = {}
        undoing: list[Moved] = []
        for one in sorted(moved, key=lambda one: (one.booked_on, one.transaction_id)):
            if one.cents > 0:
                self._of(one.end_to_end_mac, one.cents).append(one)
            elif one.allocations:
                undoing.append(one)
        for one in undoing:
            self._forget(one)

    def _of(self, mac: str, cents: int) -> list[Moved]:
        return self._open.setdefault((mac, cents), [])

    def _forget(self, undoing: Moved) -> None:
        """Leave out what came back already: what gave as much as was taken back.

        Where an officer said something else of a return, any of them may be what it returned.
        """
        candidates = self._of(undoing.end_to_end_mac, -undoing.cents)
        possible = [one for one in candidates if may_undo(undoing, one)]
        same = [one for one in possible if taken_back(one.allocations, undoing.allocations)]
        for one in same[:1] or possible:
            candidates.remove(one)

    def take(self, returned: Open) -> tuple[Allocation, ...]:
        """Give what a return undoes, where exactly one transaction is what it returns."""
        if returned.end_to_end_mac is None or returned.left_cents != returned.cents:
            return ()
        candidates = self._of(returned.end_to_end_mac, -returned.cents)
        possible = [one for one in candidates if may_undo(returned, one)]
        if len(possible) != 1 or not possible[0].wholly:
            return ()
        undone = possible[0].allocations
        if not all(returned.may_be_for(one.target, one.target_id) for one in undone):
            return ()
        candidates.remove(possible[0])
        return tuple(one.model_copy(update={"cents": -one.cents}) for one in undone)


def may_undo(back: Open | Moved, one: Moved) -> bool:
    """Tell whether money that came back can be that of a transaction of its id and amount.

    It came back after it came, and to where it came from, as far as the bank says so.
    """
    known = back.counterparty_mac is not None and one.counterparty_mac is not None
    same = back.counterparty_mac == one.counterparty_mac
    return one.booked_on <= back.booked_on and (same or not known)


def taken_back(given: Iterable[Allocation], back: Iterable[Allocation]) -> bool:
    """Tell whether some allocations take back, cent by cent, what others gave."""
    sums: Counter[tuple[Target, UUID | None]] = Counter()
    for one in (*given, *back):
        sums[one.target, one.target_id] += one.cents
    return not any(sums.values())


@dataclass(frozen=True, slots=True)
class Known:
    """What proposals are made from.

    `claims` have something outstanding. `by_mac` finds a claim by the keyed hash of its reference,
    for payers who gave it as their own id. `payers` says whose money came from an account before.
    """

    claims: Sequence[Claim] = ()
    by_mac: Mapping[str, Claim] = field(default_factory=dict)
    payers: Mapping[str, frozenset[UUID]] = field(default_factory=dict)
    expected: Sequence[Expected] = ()


def proposals(one: Open, known: Known) -> Iterator[Match]:
    """Propose what a transaction may be for, the likeliest first."""
    if one.left_cents <= 0:
        return
    claim = known.by_mac.get(one.end_to_end_mac or "")
    if claim is not None and claim.outstanding_cents > 0:
        cents = min(one.left_cents, claim.outstanding_cents)
        yield Match(one.transaction_id, "end_to_end", (allocated(claim, cents),))
    owed = of_payer(one, known)
    same = [claim for claim in owed if claim.outstanding_cents == one.left_cents]
    for claim in same[:1]:
        yield Match(one.transaction_id, "amount_and_iban", (allocated(claim, one.left_cents),))
    if not same:
        several = adding_up(one.left_cents, owed[:ADDED_UP_MAX])
        if several:
            told = tuple(allocated(claim, claim.outstanding_cents) for claim in several)
            yield Match(one.transaction_id, "amount_and_iban", told)
    for sum_ in known.expected:
        if sum_.cents == one.left_cents and abs(sum_.on - one.booked_on) <= PAYOUT_WITHIN:
            told = (
                Allocation(
                    target=sum_.target,
                    target_id=sum_.target_id,
                    partner_id=sum_.partner_id,
                    cents=sum_.cents,
                ),
            )
            yield Match(one.transaction_id, "payout", told)


def of_payer(one: Open, known: Known) -> list[Claim]:
    """Give the open claims on whoever paid from this account before, the oldest first."""
    partners = known.payers.get(one.counterparty_mac or "", frozenset())
    found = (claim for claim in known.claims if claim.partner_id in partners)
    return sorted(found, key=lambda claim: (claim.due_on, claim.reference))


def adding_up(cents: int, claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """Find two claims or more that add up to a sum: the fewest, and of those the oldest."""
    for count in range(2, len(claims) + 1):
        for some in combinations(claims, count):
            if sum(claim.outstanding_cents for claim in some) == cents:
                return some
    return ()
