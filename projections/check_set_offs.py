"""The check of set-offs: no statement pays another with what it has not got, nor gets too much."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from ledger.bank.events import TransactionMatched, TransactionUnmatched
from ledger.decider import Event
from ledger.payments.events import (
    DisputeFundsReinstated,
    DisputeFundsWithdrawn,
    PaymentRefunded,
    PaymentSucceeded,
    RefundFailed,
)
from ledger.remittances import RemittanceApproved, RemittanceReturned
from ledger.settlements.events import CreditSetOff, SetOffTakenBack, WriteOffApproved
from projections.check_allocations import Allocations, Moved
from projections.check_cards import Cards
from projections.check_statements import Differs, Statements

# Set-offs follow the money that they come from; whoever was stopped in between is given a day.
FOLLOWS_WITHIN = timedelta(days=1)


@dataclass(slots=True)
class SetOffs:
    """What statements pay each other: by pairs, and added up for each."""

    statements: Statements
    allocations: Allocations
    cards: Cards
    differs: Differs
    pairs: dict[tuple[UUID, UUID], int] = field(default_factory=lambda: defaultdict(int))
    net: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    money: dict[UUID, list[Moved]] = field(default_factory=lambda: defaultdict(list))
    changed_at: dict[UUID, datetime] = field(default_factory=dict)

    def take(self, position: int, event: Event) -> None:
        for statement_id in self.touched(event):
            self.changed_at[statement_id] = event.recorded_at
        if isinstance(event, CreditSetOff | SetOffTakenBack):
            self.move(position, event)

    def touched(self, event: Event) -> Iterator[UUID]:
        """Give the statements whose money an event changes."""
        match event:
            case CreditSetOff() | SetOffTakenBack():
                yield from (event.statement_id, event.from_statement_id)
            case WriteOffApproved():
                yield event.statement_id
            case (
                TransactionMatched()
                | TransactionUnmatched()
                | RemittanceApproved()
                | RemittanceReturned()
            ):
                named = (one for one in event.allocations if one.target == "statement")
                yield from (one.target_id for one in named if one.target_id is not None)
            case (
                PaymentSucceeded()
                | PaymentRefunded()
                | RefundFailed()
                | DisputeFundsWithdrawn()
                | DisputeFundsReinstated()
            ):
                paid = self.cards.payments.get(event.payment_id)
                if paid is not None and paid.purpose == "statement" and paid.purpose_id is not None:
                    yield paid.purpose_id
            case _:
                pass

    def move(self, position: int, event: CreditSetOff | SetOffTakenBack) -> None:
        giver, taker = event.from_statement_id, event.statement_id
        whose = {self.statements.closed[one].partner_id for one in (giver, taker) if self.has(one)}
        if not (self.has(giver) and self.has(taker)) or whose != {event.partner_id}:
            self.differs(f"event {position} sets off between statements of more than one partner")
        if giver == taker or event.cents <= 0:
            self.differs(f"event {position} sets off nothing, or a statement against itself")
        cents, on = told(event)
        self.money[taker].append(Moved(position, 0, "set_off", on, cents, giver))
        self.money[giver].append(Moved(position, 1, "credit", on, -cents, taker))
        self.pairs[giver, taker] += cents
        if self.pairs[giver, taker] < 0:
            self.differs(f"event {position} takes back more than was set off")
        self.net[taker] += cents
        self.net[giver] -= cents
        if self.has(taker) and self.net[taker] > max(0, self.asked_cents(taker)):
            self.differs(f"event {position} sets off more than statement {taker} asks for")

    def has(self, statement_id: UUID) -> bool:
        return statement_id in self.statements.closed

    def asked_cents(self, statement_id: UUID) -> int:
        """What a statement asks for, money apart: its gifts, less what was written off."""
        owed_cents = self.statements.closed[statement_id].owed_cents
        return owed_cents - self.statements.written_off[statement_id]

    def add_up(self) -> None:
        """Hold at the end what each gave against its credit, and what it got against its debt."""
        before = datetime.now(UTC) - FOLLOWS_WITHIN
        for statement_id in [one for one in self.net if self.has(one)]:
            got_cents = self.allocations.got["statement", statement_id]
            needs, net = self.asked_cents(statement_id) - got_cents, self.net[statement_id]
            in_time = self.changed_at[statement_id] >= before
            if not in_time and not min(0, needs) <= net <= max(0, needs):
                self.differs(
                    f"statement {statement_id} needs {needs} cents of credit and has {net} set off"
                )


def told(event: CreditSetOff | SetOffTakenBack) -> tuple[int, date]:
    """Give what a set-off moved to the statement that it pays, and when."""
    if isinstance(event, CreditSetOff):
        return event.cents, event.set_off_on
    return -event.cents, event.taken_back_on
