"""A partner's settlement as its events leave it: only what the rules need."""

from dataclasses import dataclass, field, replace
from datetime import date
from typing import assert_never
from uuid import UUID

from ledger.settlements.events import (
    CreditSetOff,
    SetOffEvent,
    SetOffTakenBack,
    SettlementEvent,
    StatementClosed,
    StatementReminded,
    WriteOffApproved,
    WriteOffDiscarded,
    WriteOffProposed,
)

# The statement whose credit it was, and the one that it pays.
Pair = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Frozen:
    """A closed statement, how often and when it was reminded of, what was written off of it."""

    closed: StatementClosed
    reminders: int = 0
    reminded_on: date | None = None
    pending: WriteOffProposed | None = None
    approved: tuple[WriteOffApproved, ...] = ()
    discarded: frozenset[UUID] = field(default_factory=frozenset)

    @property
    def due_on(self) -> date:
        return self.closed.due_on

    @property
    def unforgiven_cents(self) -> int:
        """What its gifts asked for, less what was written off of it."""
        return self.closed.owed_cents - sum(one.cents for one in self.approved)


@dataclass(frozen=True, slots=True)
class Settlement:
    """The statements of a partner, by id; `last` is the newest, None before the first.

    `set_offs` are the cents of credit that one statement pays another with, where there are any.
    """

    statements: dict[UUID, Frozen] = field(default_factory=dict)
    last: StatementClosed | None = None
    set_offs: dict[Pair, int] = field(default_factory=dict)

    @property
    def next_number(self) -> int:
        return 1 if self.last is None else self.last.number + 1

    @property
    def reminded_on(self) -> date | None:
        """The day of the last letter that reminded of any of them."""
        days = [one.reminded_on for one in self.statements.values() if one.reminded_on is not None]
        return max(days, default=None)

    def with_(self, statement_id: UUID, frozen: Frozen) -> "Settlement":
        return replace(self, statements={**self.statements, statement_id: frozen})


def evolve(settlement: Settlement, event: SettlementEvent) -> Settlement:
    if isinstance(event, StatementClosed):
        return replace(settlement.with_(event.statement_id, Frozen(event)), last=event)
    if isinstance(event, CreditSetOff | SetOffTakenBack):
        return replace(settlement, set_offs=moved(settlement.set_offs, event))
    known = settlement.statements[event.statement_id]
    return settlement.with_(event.statement_id, after(known, event))


def moved(set_offs: dict[Pair, int], event: SetOffEvent) -> dict[Pair, int]:
    pair = event.from_statement_id, event.statement_id
    cents = event.cents if isinstance(event, CreditSetOff) else -event.cents
    changed = set_offs | {pair: set_offs.get(pair, 0) + cents}
    return {held: left for held, left in changed.items() if left}


def after(
    known: Frozen,
    event: StatementReminded | WriteOffProposed | WriteOffApproved | WriteOffDiscarded,
) -> Frozen:
    match event:
        case StatementReminded(level=level, reminded_on=on):
            return replace(known, reminders=level, reminded_on=on)
        case WriteOffProposed():
            return replace(known, pending=event)
        case WriteOffApproved():
            return replace(known, pending=None, approved=(*known.approved, event))
        case WriteOffDiscarded(write_off_id=write_off_id):
            return replace(known, pending=None, discarded=known.discarded | {write_off_id})
        case _:
            assert_never(event)
