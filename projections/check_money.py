"""The check of money: every cent promised is open, on a statement, banked, written off or reversed.

Nothing here is shared with the read models: lines, sums, hashes and allocations are gathered again
from the events, one after another, and only then held against what the read models say.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final, Self, get_args
from uuid import UUID

from psycopg import Cursor

from ledger.bank.events import (
    BankFileRead,
    BankTransactionBooked,
    TransactionMatched,
    TransactionUnmatched,
)
from ledger.decider import Event
from ledger.donations import DonationRecorded
from ledger.events import Undecodable, decode
from ledger.foundation import FOUNDATION_ID, FoundationEvent
from ledger.ids import stream_of
from ledger.partners.overdue import OverdueEvent
from ledger.payments.events import PaymentEvent, PayoutEvent, SubscriptionEnded
from ledger.payments.fees import CardFeeSet
from ledger.pledges import PledgeEvent
from ledger.remittances import RemittanceEvent
from ledger.settlements.events import SettlementEvent
from projections.check_allocations import Allocations, Target
from projections.check_cards import Cards
from projections.check_gathered import Gathered
from projections.check_money_models import Models
from projections.check_pledges import Pledges
from projections.check_set_offs import SetOffs
from projections.check_statements import Statements
from projections.sql import queries

SQL = queries("check.sql")

Differs = Callable[[str], None]

# Events of money: the category of their streams, and the field that names the stream.
MONEY_LIFE: Final[dict[type[Event], tuple[str, str]]] = {
    kind: (category, field)
    for kinds, category, field in (
        (get_args(SettlementEvent), "settlement", "partner_id"),
        (get_args(OverdueEvent), "overdue", "statement_id"),
        ((BankFileRead,), "bankfile", "file_id"),
        (
            (BankTransactionBooked, TransactionMatched, TransactionUnmatched),
            "banktransaction",
            "transaction_id",
        ),
        (get_args(RemittanceEvent), "remittance", "remittance_id"),
        (get_args(PledgeEvent), "pledge", "pledge_id"),
        (get_args(PaymentEvent), "payment", "payment_id"),
        ((SubscriptionEnded,), "subscription", "subscription_id"),
        (get_args(PayoutEvent), "payout", "payout_id"),
    )
    for kind in kinds
}
FOUNDATION_LIFE: Final[tuple[type[Event], ...]] = get_args(FoundationEvent)
# Of these the partner must be a registered one.
MONEY_OF_A_PARTNER: Final[tuple[type[Event], ...]] = (
    *get_args(SettlementEvent),
    *get_args(OverdueEvent),
    *get_args(RemittanceEvent),
)


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where the cents are that were promised; `by_card` are those of gifts by card, banked at once.

    `credit` is what partners paid beyond what they owed, or what the foundation owes them.
    """

    given_cents: int = 0
    reversed_cents: int = 0
    open_cents: int = 0
    on_statements_cents: int = 0
    banked_cents: int = 0
    written_off_cents: int = 0
    credit_cents: int = 0
    by_card_cents: int = 0

    @property
    def unexplained_cents(self) -> int:
        """What was given and is in none of these places: zero, or something is wrong."""
        on_their_way = self.open_cents + self.on_statements_cents - self.credit_cents
        settled = self.banked_cents + self.written_off_cents + self.by_card_cents
        return self.given_cents - self.reversed_cents - on_their_way - settled

    @property
    def words(self) -> str:
        """Say it as a sum that anybody can add up."""
        return (
            f"{self.given_cents} cents given = {self.reversed_cents} reversed + {self.open_cents}"
            f" open + {self.on_statements_cents} on statements - {self.credit_cents} credit"
            f" + {self.banked_cents} banked + {self.written_off_cents} written off"
            f" + {self.by_card_cents} by card"
        )


@dataclass(slots=True)
class Money:
    """What the events say of money, each kind of it looked at on its own."""

    statements: Statements
    allocations: Allocations
    cards: Cards
    pledges: Pledges
    set_offs: SetOffs
    models: Models
    differs: Differs

    @classmethod
    def of(cls, cursor: Cursor[Any], reached: dict[str, int], differs: Differs) -> Self:
        allocations, pledges = Allocations(differs), Pledges(differs)
        statements = Statements(partial(gift_days, cursor), differs)
        cards = Cards(differs, allocations)
        set_offs = SetOffs(statements, allocations, cards, differs)
        models = Models(reached, Gathered(statements, allocations, cards, pledges, set_offs))
        return cls(statements, allocations, cards, pledges, set_offs, models, differs)

    def take(self, position: int, event: Event) -> None:
        self.models.before(position)
        self.statements.take(position, event)
        self.allocations.take(position, event)
        self.cards.take(position, event)
        self.pledges.take(position, event)
        self.set_offs.take(position, event)

    def owners(self) -> dict[Target, UUID | None]:
        """Give everything that money can be for, and whose it is where it is a partner's."""
        owners: dict[Target, UUID | None] = {
            ("statement", one.statement_id): one.partner_id
            for one in self.statements.closed.values()
        }
        owners |= {("payout", payout_id): None for payout_id in self.cards.payouts}
        owners |= {("pledge", pledge_id): None for pledge_id in self.pledges.pledges}
        handed_over = self.allocations.remittances.items()
        return owners | {("remittance", name): one.partner_id for name, (one, _) in handed_over}

    def least_cents(self) -> dict[UUID, int]:
        """Give what every statement may have got at the least.

        Only what it owes its partner is sent out without having come in, and what the card
        processor gave back twice: by a refund, and by a dispute of the whole.
        """
        least = Counter(
            {name: min(0, one.owed_cents) for name, one in self.statements.closed.items()}
        )
        least.update(self.cards.given_twice())
        return least

    def whereabouts(self) -> Whereabouts:
        """Say where every cent is that was ever promised."""
        found: Counter[str] = Counter(given=self.statements.given_cents)
        found["reversed"] = self.statements.reversed_cents
        found["open"] = self.statements.open_cents()
        found["by_card"] = sum(self.cards.gifts.values())
        for statement_id, told in self.statements.closed.items():
            got = self.allocations.got["statement", statement_id]
            written_off = self.statements.written_off[statement_id]
            left = told.owed_cents - got - written_off - self.set_offs.net[statement_id]
            found["banked"] += got
            found["written_off"] += written_off
            found["on_statements" if left > 0 else "credit"] += abs(left)
        return Whereabouts(**{f"{name}_cents": cents for name, cents in found.items()})

    def agree(self, cursor: Cursor[Any]) -> Whereabouts:
        """Add up at the end, and hold what the read models say against it."""
        self.allocations.add_up(self.owners(), self.least_cents())
        self.cards.add_up()
        self.set_offs.add_up()
        self.models.agree(cursor, self.differs)
        told = self.whereabouts()
        if told.unexplained_cents:
            self.differs(f"{told.unexplained_cents} cents that were given are in no place")
        return told


def money_stream(event: Event) -> tuple[str, UUID] | None:
    """Give the category and the subject of the stream of an event of money; None of another."""
    if isinstance(event, FOUNDATION_LIFE):
        return "foundation", FOUNDATION_ID
    if isinstance(event, CardFeeSet):
        return "cardfee", FOUNDATION_ID
    named = MONEY_LIFE.get(type(event))
    return None if named is None else (named[0], getattr(event, named[1]))


def gift_days(cursor: Cursor[Any], donation_ids: Sequence[UUID]) -> dict[UUID, date]:
    """Say on which day some gifts were given, as their own first events have it."""
    streams = {stream_of("donation", one): one for one in donation_ids}
    rows = cursor.execute(SQL["firsts"], {"streams": list(streams)}).fetchall()
    days: dict[UUID, date] = {}
    for stream_id, topic, state in rows:
        try:
            event = decode(topic, bytes(state))
        except Undecodable:
            continue  # It is told on its own.
        if isinstance(event, DonationRecorded):
            days[streams[stream_id]] = event.occurred_on
    return days
