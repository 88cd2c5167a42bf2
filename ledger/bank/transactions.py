"""A bank transaction: booked, then matched cent by cent with what it is for, or undone."""

from dataclasses import dataclass, field, replace
from typing import Annotated, assert_never
from uuid import UUID

from pydantic import Field

from ledger.allocations import Allocation
from ledger.bank.events import (
    BankTransactionBooked,
    Kind,
    MatchRule,
    TransactionMatched,
    TransactionUnmatched,
    UnmatchReason,
)
from ledger.calendar import Day
from ledger.decider import Command, Decider, Refused

ALLOCATIONS_MAX = 200
# Where an allocation names no target: fees, and what the ledger follows no further.
NAMELESS = frozenset({"charge", "other"})

TransactionEvent = BankTransactionBooked | TransactionMatched | TransactionUnmatched

# Commands.


class BookTransaction(Command):
    transaction_id: UUID
    account_id: UUID
    entry_id: UUID
    file_id: UUID
    booked_on: Day
    value_on: Day | None
    cents: int
    kind: Kind
    references: tuple[str, ...] = ()
    end_to_end_mac: str | None = None
    counterparty_mac: str | None = None
    return_reason: str | None = None


class MatchTransaction(Command):
    transaction_id: UUID
    match_id: UUID
    allocations: Annotated[tuple[Allocation, ...], Field(max_length=ALLOCATIONS_MAX)]
    rule: MatchRule


class UnmatchTransaction(Command):
    transaction_id: UUID
    match_id: UUID
    reason: UnmatchReason
    unmatched_on: Day


TransactionCommand = BookTransaction | MatchTransaction | UnmatchTransaction

# State: only what the rules below need.


@dataclass(frozen=True, slots=True)
class Unbooked:
    pass


@dataclass(frozen=True, slots=True)
class Booked:
    """`matches` hold; `undone` are those that do no more."""

    booked: BankTransactionBooked
    matches: dict[UUID, TransactionMatched] = field(default_factory=dict)
    undone: frozenset[UUID] = frozenset()

    @property
    def left_cents(self) -> int:
        """What is for nothing known yet, on the transaction's own side of zero."""
        held = (one.cents for match in self.matches.values() for one in match.allocations)
        return self.booked.cents - sum(held)


Transaction = Unbooked | Booked


class TransactionNotBooked(Refused):
    """No transaction of the bank has this id."""


class TransactionDiffers(Refused):
    """The same transaction was booked before with other facts."""


class MatchDiffers(Refused):
    """The same match was made before with other allocations."""


class MatchUnknown(Refused):
    """The transaction was never matched like this."""


class TargetUnknown(Refused):
    """No statement, pledge, payout or remittance is named like this."""


class TargetLacks(Refused):
    """What it is for would be left with less than nothing of the bank's money."""


class TargetFull(Refused):
    """Cheques, cash or a payout cannot reach the bank twice."""


class AllocationMissing(Refused):
    """A match says for what at least one cent is."""


class AllocationUnnamed(Refused):
    """A statement, a pledge, a payout or a remittance is named; a charge or other money is not."""


class AllocationAgainstSide(Refused):
    """Money that came in cannot be for less than nothing, nor money that went out for more."""


class AllocationExceeds(Refused):
    """More would be allocated than is left of the transaction."""


def evolve(transaction: Transaction, event: TransactionEvent) -> Transaction:
    match event:
        case BankTransactionBooked():
            return Booked(event)
        case TransactionMatched(match_id=match_id):
            assert isinstance(transaction, Booked)  # noqa: S101 - what was stored says so.
            return replace(transaction, matches=transaction.matches | {match_id: event})
        case TransactionUnmatched(match_id=match_id):
            assert isinstance(transaction, Booked)  # noqa: S101 - what was stored says so.
            kept = {key: one for key, one in transaction.matches.items() if key != match_id}
            return replace(transaction, matches=kept, undone=transaction.undone | {match_id})
        case _:
            assert_never(event)


def decide(command: TransactionCommand, transaction: Transaction) -> list[TransactionEvent]:
    match command:
        case BookTransaction():
            return book(command, transaction)
        case MatchTransaction():
            return match_with(command, booked(command, transaction))
        case UnmatchTransaction():
            return unmatch(command, booked(command, transaction))
        case _:
            assert_never(command)


def booked(command: MatchTransaction | UnmatchTransaction, transaction: Transaction) -> Booked:
    """Give a transaction that is there. Raises TransactionNotBooked."""
    match transaction:
        case Unbooked():
            raise TransactionNotBooked(transaction_id=command.transaction_id)
        case Booked():
            return transaction
        case _:
            assert_never(transaction)


def book(command: BookTransaction, transaction: Transaction) -> list[TransactionEvent]:
    """Book it, once. Another file may tell more or less of it: what came first stands."""
    match transaction:
        case Unbooked():
            return [
                BankTransactionBooked(
                    recorded_at=command.at,
                    actor=command.actor,
                    transaction_id=command.transaction_id,
                    account_id=command.account_id,
                    entry_id=command.entry_id,
                    file_id=command.file_id,
                    booked_on=command.booked_on,
                    value_on=command.value_on,
                    cents=command.cents,
                    kind=command.kind,
                    references=command.references,
                    end_to_end_mac=command.end_to_end_mac,
                    counterparty_mac=command.counterparty_mac,
                    return_reason=command.return_reason,
                )
            ]
        case Booked(booked=before):
            if identity(command) != identity(before):
                raise TransactionDiffers(transaction_id=command.transaction_id)
            return []
        case _:
            assert_never(transaction)


def identity(one: BookTransaction | BankTransactionBooked) -> tuple[object, ...]:
    return one.account_id, one.entry_id, one.booked_on, one.cents


def match_with(command: MatchTransaction, transaction: Booked) -> list[TransactionEvent]:
    before = transaction.matches.get(command.match_id)
    if before is not None:
        if (before.allocations, before.rule) != (command.allocations, command.rule):
            raise MatchDiffers(match_id=command.match_id)
        return []
    if command.match_id in transaction.undone:
        raise MatchDiffers(match_id=command.match_id)
    check(command, transaction)
    return [
        TransactionMatched(
            recorded_at=command.at,
            actor=command.actor,
            transaction_id=command.transaction_id,
            match_id=command.match_id,
            allocations=command.allocations,
            rule=command.rule,
            booked_on=transaction.booked.booked_on,
        )
    ]


def check(command: MatchTransaction, transaction: Booked) -> None:
    """Refuse allocations that are not made of the money that is there."""
    if not command.allocations:
        raise AllocationMissing
    side = 1 if transaction.booked.cents > 0 else -1
    for one in command.allocations:
        if (one.target in NAMELESS) != (one.target_id is None):
            raise AllocationUnnamed(target=one.target)
        if one.cents * side <= 0:
            raise AllocationAgainstSide(cents=one.cents)
    asked = sum(one.cents for one in command.allocations)
    if asked * side > transaction.left_cents * side:
        raise AllocationExceeds(left_cents=transaction.left_cents, asked_cents=asked)


def unmatch(command: UnmatchTransaction, transaction: Booked) -> list[TransactionEvent]:
    if command.match_id in transaction.undone:
        return []
    before = transaction.matches.get(command.match_id)
    if before is None:
        raise MatchUnknown(match_id=command.match_id)
    return [
        TransactionUnmatched(
            recorded_at=command.at,
            actor=command.actor,
            transaction_id=command.transaction_id,
            match_id=command.match_id,
            allocations=before.allocations,
            reason=command.reason,
            unmatched_on=command.unmatched_on,
        )
    ]


transaction: Decider[TransactionCommand, Transaction, TransactionEvent] = Decider(
    category="banktransaction", initial=Unbooked(), decide=decide, evolve=evolve
)
