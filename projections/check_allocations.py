"""The check of allocations: no cent of a transfer or a cheque is used twice, none for nothing."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

from ledger.actors import ACCOUNT
from ledger.allocations import Allocation
from ledger.bank.events import (
    BankFileRead,
    BankTransactionBooked,
    TransactionMatched,
    TransactionUnmatched,
)
from ledger.decider import Event
from ledger.foundation import CollectionAccountApproved, CollectionAccountProposed
from ledger.remittances import (
    RemittanceApproved,
    RemittanceDeclared,
    RemittanceDiscarded,
    RemittanceReturned,
)

Differs = Callable[[str], None]
# A target's kind and id.
Target = tuple[str, UUID]
WITHOUT_ID = frozenset({"charge", "other"})
# A payout may have been taken back by the bank as a whole: only what came counts for these.
NEVER_BELOW = frozenset({"statement", "remittance", "pledge"})
# What a decision upon a remittance repeats of its declaration, and an account of its proposal.
SHARED = frozenset({"partner_id", "means", "cents", "received_on", "allocations"})
OF_ACCOUNT = ("iban", "bic", "holder")
# What each step makes of a remittance, and what it must have been before.
STEPS: dict[type[Event], tuple[str, str]] = {
    RemittanceApproved: ("approved", "declared"),
    RemittanceDiscarded: ("discarded", "declared"),
    RemittanceReturned: ("returned", "approved"),
}


class Moved(NamedTuple):
    """Money for a statement: where it stands in the feed and among its event's allocations.

    `other_id` is the statement on the other side of a set-off.
    """

    position: int
    place: int
    means: str
    day: date
    cents: int
    other_id: UUID | None = None


class Made(NamedTuple):
    """A match that was made: what stands for the rest of it, and when, by whom and why it ended."""

    transaction_id: UUID
    facts: bytes
    ended: tuple[datetime | None, str | None, str | None] = (None, None, None)


class Decided(NamedTuple):
    """Who approved or discarded a remittance, and when."""

    by: str
    at: datetime


@dataclass(slots=True)
class Transaction:
    """What the bank booked and when, and which of its matches hold; `facts` stands for the rest."""

    cents: int
    booked_on: date
    facts: bytes
    matches: dict[UUID, tuple[Allocation, ...]] = field(default_factory=dict)

    @property
    def used_cents(self) -> int:
        return sum(total(one) for one in self.matches.values())


@dataclass(slots=True)
class Allocations:
    """What every target got, and whose money it was."""

    differs: Differs
    got: dict[Target, int] = field(default_factory=lambda: defaultdict(int))
    named: dict[tuple[Target, UUID | None], int] = field(default_factory=dict)
    transactions: dict[UUID, Transaction] = field(default_factory=dict)
    files: dict[UUID, BankFileRead] = field(default_factory=dict)
    from_file: dict[UUID, tuple[set[UUID], list[int], set[UUID]]] = field(
        default_factory=lambda: defaultdict(lambda: (set(), [0], set()))
    )
    moved: dict[tuple[UUID, date], int] = field(default_factory=lambda: defaultdict(int))
    made: dict[UUID, Made] = field(default_factory=dict)
    remittances: dict[UUID, tuple[RemittanceDeclared, str]] = field(default_factory=dict)
    decided: dict[UUID, Decided] = field(default_factory=dict)
    returned_on: dict[UUID, date] = field(default_factory=dict)
    money: dict[UUID, list[Moved]] = field(default_factory=lambda: defaultdict(list))
    accounts: dict[UUID, CollectionAccountProposed] = field(default_factory=dict)
    account_ids: set[UUID] = field(default_factory=set)

    def take(self, position: int, event: Event) -> None:
        match event:
            case BankFileRead():
                self.read(position, event)
            case BankTransactionBooked():
                self.book(position, event)
            case TransactionMatched():
                self.match(position, event)
            case TransactionUnmatched():
                self.unmatch(position, event)
            case RemittanceDeclared():
                self.declare(position, event)
            case RemittanceApproved() | RemittanceDiscarded() | RemittanceReturned():
                self.decide(position, event)
            case CollectionAccountProposed():
                self.accounts[event.proposal_id] = event
            case CollectionAccountApproved():
                self.approve_account(position, event)
            case _:
                pass

    def add(self, target: Target, partner_id: UUID | None, moved: Moved) -> None:
        """Note that a target got so many cents, or lost them."""
        self.got[target] += moved.cents
        self.named.setdefault((target, partner_id), moved.position)
        kind, target_id = target
        if kind == "statement":
            self.money[target_id].append(moved)

    def allocate(
        self, position: int, means: str, on: date, allocations: Iterable[Allocation], sign: int
    ) -> None:
        for place, one in enumerate(allocations):
            if one.target_id is not None:
                moved = Moved(position, place, means, on, sign * one.cents)
                self.add((one.target, one.target_id), one.partner_id, moved)
            elif one.target not in WITHOUT_ID:
                self.differs(f"event {position} allocates money to a {one.target} it does not name")

    def read(self, position: int, event: BankFileRead) -> None:
        moved = event.credit_cents - event.debit_cents
        if event.opening_cents + moved != event.closing_cents:
            self.differs(f"event {position} is a bank's statement whose balances do not add up")
        if event.account_id not in self.account_ids:
            self.differs(f"event {position} is a statement of an account that nobody approved")
        self.files[event.file_id] = event

    def book(self, position: int, event: BankTransactionBooked) -> None:
        if event.transaction_id in self.transactions:
            self.differs(f"event {position} books a transaction a second time")
        self.transactions[event.transaction_id] = Transaction(
            event.cents, event.booked_on, facts_of_transaction(event)
        )
        self.moved[event.account_id, event.booked_on] += event.cents
        entries, cents, accounts = self.from_file[event.file_id]
        entries.add(event.entry_id)
        cents[0] += event.cents
        accounts.add(event.account_id)

    def match(self, position: int, event: TransactionMatched) -> None:
        known = self.transactions.get(event.transaction_id)
        if known is None:
            self.differs(f"event {position} matches a transaction that was never booked")
            return
        if event.match_id in known.matches:
            self.differs(f"event {position} matches the same money twice")
        if event.booked_on != known.booked_on:
            self.differs(f"event {position} matches money on another day than it was booked on")
        if any(one.cents * side(known.cents) <= 0 for one in event.allocations):
            self.differs(f"event {position} allocates money against its side")
        known.matches[event.match_id] = event.allocations
        self.made[event.match_id] = Made(event.transaction_id, facts_of_match(event))
        self.allocate(position, "transfer", event.booked_on, event.allocations, 1)
        if not 0 <= known.used_cents * side(known.cents) <= abs(known.cents):
            self.differs(
                f"event {position} uses {known.used_cents} cents of a transaction of {known.cents}"
            )

    def unmatch(self, position: int, event: TransactionUnmatched) -> None:
        known = self.transactions.get(event.transaction_id)
        undone = None if known is None else known.matches.pop(event.match_id, None)
        if undone != event.allocations:
            self.differs(f"event {position} undoes a match that does not hold as it says")
        if event.match_id in self.made:
            ended = event.recorded_at, event.actor, event.reason
            self.made[event.match_id] = self.made[event.match_id]._replace(ended=ended)
        self.allocate(position, "transfer", event.unmatched_on, event.allocations, -1)

    def declare(self, position: int, event: RemittanceDeclared) -> None:
        if event.remittance_id in self.remittances:
            self.differs(f"event {position} declares a remittance a second time")
        if total(event.allocations) != event.cents:
            self.differs(f"event {position} allocates more or less than was handed over")
        self.remittances[event.remittance_id] = event, "declared"

    def decide(
        self, position: int, event: RemittanceApproved | RemittanceDiscarded | RemittanceReturned
    ) -> None:
        """Follow a remittance: declared, then approved or discarded; returned once approved."""
        known, state = self.remittances.get(event.remittance_id, (None, ""))
        after, before = STEPS[type(event)]
        if known is None or state != before:
            self.differs(f"event {position} does to a remittance what cannot be done to it now")
            return
        self.remittances[event.remittance_id] = known, after
        if isinstance(event, RemittanceReturned):
            self.returned_on[event.remittance_id] = event.returned_on
        else:
            self.decided[event.remittance_id] = Decided(event.actor, event.recorded_at)
        if told_again(event) != told_again(known, tuple(told_again(event))):
            self.differs(f"event {position} is of another remittance than was declared")
        if isinstance(event, RemittanceDiscarded):
            return
        if isinstance(event, RemittanceApproved) and not two_people(known.actor, event.actor):
            self.differs(f"event {position} is a remittance seen by one person alone")
        if isinstance(event, RemittanceReturned) and event.returned_on < known.received_on:
            self.differs(f"event {position} gives back what was not handed over yet")
        back = isinstance(event, RemittanceReturned)
        on = event.returned_on if isinstance(event, RemittanceReturned) else event.received_on
        self.allocate(position, "remittance", on, event.allocations, -1 if back else 1)

    def approve_account(self, position: int, event: CollectionAccountApproved) -> None:
        known = self.accounts.get(event.proposal_id)
        same = known is not None and told_again(event, OF_ACCOUNT) == told_again(known, OF_ACCOUNT)
        if known is None or not same or not two_people(known.actor, event.actor):
            self.differs(f"event {position} is an account that two people did not agree upon")
        self.account_ids.add(event.account_id)

    def add_up(self, owners: dict[Target, UUID | None], least_cents: dict[UUID, int]) -> None:
        """Look at the end for money given to what does not exist, or to another's debt.

        `least_cents` is what every statement may have got at the least.
        """
        for (target, partner_id), position in self.named.items():
            kind, target_id = target
            if target not in owners:
                self.differs(f"event {position} gives money to {kind} {target_id}, which is not")
            elif owners[target] != partner_id:
                self.differs(f"event {position} gives money to {kind} {target_id} of another")
        self.within_bounds(least_cents)
        for file_id, told in self.files.items():
            entries, cents, accounts = self.from_file[file_id]
            if accounts - {told.account_id}:
                self.differs(f"the bank's statement {file_id} books money on another account")
            # Of a file that overlaps an earlier one, only what is new is booked from it.
            whole = len(entries) == told.entries
            if whole and cents[0] != told.closing_cents - told.opening_cents:
                self.differs(f"the bank's statement {file_id} moved another sum than was booked")

    def within_bounds(self, least_cents: dict[UUID, int]) -> None:
        """Look for money taken from what never got it, and for deposits beyond what was counted."""
        for (kind, target_id), cents in self.got.items():
            least = least_cents.get(target_id, 0) if kind == "statement" else 0
            if cents < least and kind in NEVER_BELOW:
                self.differs(f"{kind} {target_id} has got {cents} cents: more went than came")
        for remittance_id, (known, _) in self.remittances.items():
            deposited = self.got["remittance", remittance_id]
            if deposited > known.cents:
                self.differs(
                    f"remittance {remittance_id} of {known.cents} cents has {deposited} deposited"
                )


def digest(*facts: object) -> bytes:
    """Give a few bytes that stand for facts; moments count by what they are, in UTC."""
    told = (one.astimezone(UTC) if isinstance(one, datetime) else one for one in facts)
    return blake2b("\0".join(map(str, told)).encode(), digest_size=16).digest()


def facts_of_transaction(event: BankTransactionBooked) -> bytes:
    """Stand for what a transaction is, apart from its cents."""
    return digest(
        event.account_id,
        event.entry_id,
        event.file_id,
        event.booked_on,
        event.value_on,
        event.kind,
        *event.references,
        event.end_to_end_mac,
        event.counterparty_mac,
        event.return_reason,
    )


def facts_of_match(event: TransactionMatched) -> bytes:
    """Stand for how a match was made, and what for."""
    told = told_of(one.model_dump(mode="json") for one in event.allocations)
    return digest(event.rule, event.recorded_at, event.actor, told)


def told_of(allocations: Iterable[Any]) -> list[object]:
    """Give allocations as plain values of their JSON; what is none is left as it is."""
    names = ("target", "target_id", "partner_id", "cents")
    return [
        tuple(one.get(name) for name in names) if isinstance(one, dict) else one
        for one in allocations
    ]


def told_again(event: Event, fields: tuple[str, ...] = ()) -> dict[str, object]:
    """Give what a decision repeats of what it decides upon: these fields, or all it shares."""
    wanted = fields or tuple(sorted(SHARED & type(event).model_fields.keys()))
    return {name: getattr(event, name) for name in wanted}


def two_people(first: str, second: str) -> bool:
    """Tell whether two actors are two accounts of people."""
    return first != second and all(map(ACCOUNT.fullmatch, (first, second)))


def total(allocations: Iterable[Allocation]) -> int:
    return sum(one.cents for one in allocations)


def side(cents: int) -> int:
    return -1 if cents < 0 else 1
