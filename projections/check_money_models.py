"""The read models of money, each held against what was gathered up to where it stands."""

from collections.abc import Callable
from dataclasses import dataclass, field
from struct import unpack
from typing import Any, Final

from psycopg import Cursor

from projections.check_allocations import digest, told_of
from projections.check_gathered import Gathered, Key, Rows
from projections.sql import queries

SQL = queries("check_money.sql")

Differs = Callable[[str], None]


def as_it_is(row: Key) -> Key:
    return row


def digested(row: Key) -> Key:
    """Stand for what a transaction is, apart from its cents, as the events' own are stood for."""
    *cents, account, entry, file, booked_on, value_on, kind, references, payer, whose, why = row
    facts = account, entry, file, booked_on, value_on, kind, *references, payer, whose, why
    return (*cents, digest(*facts))


def match_told(row: Key) -> Key:
    """Stand for how a match was made, and what for."""
    match_id, transaction_id, allocations, rule, at, by, *ended = row
    return match_id, transaction_id, digest(rule, at, by, told_of(allocations)), tuple(ended)


def block_told(row: Key) -> Key:
    """Count the positions of a block, and add them up."""
    partner_id, block, positions, cents, last_on = row
    told = unpack(f"!{len(positions) // 8}q", positions)
    return partner_id, block, len(told), sum(told), cents, last_on


@dataclass(frozen=True, slots=True)
class Told:
    """A query of a read model: what its rows are of, how many columns name one, how they read."""

    model: str
    query: str
    what: str
    names: int = 1
    read: Callable[[Key], Key] = as_it_is

    def rows(self, cursor: Cursor[Any]) -> Rows:
        found = map(self.read, cursor.execute(SQL[self.query]).fetchall())
        return {row[: self.names]: row[self.names :] for row in found}


QUERIES: Final = (
    Told("dues", "dues", "open sum of partner"),
    Told("dues", "due_lines", "lines of partner"),
    Told("dues", "due_blocks", "lines of partner and block", names=2, read=block_told),
    Told("dues", "due_ends", "closed lines of partner"),
    Told("statements", "statements", "statement"),
    Told("statements", "statement_days", "days of statement", names=2),
    Told("statements", "statement_money", "money of statement", names=3),
    Told("statements", "statement_cards", "card of a statement"),
    Told("bank", "bank_files", "statement of the bank"),
    Told("bank", "bank", "bank transaction", read=digested),
    Told("bank", "bank_matches", "bank match", read=match_told),
    Told("bank", "bank_days", "bank balance", names=2),
    Told("remittances", "remittances", "remittance"),
    Told("pledges", "pledges", "pledge"),
    Told("pledges", "pledge_calls", "call of a pledge"),
    Told("pledges", "pledge_uses", "use of a pledge", names=2),
    Told("pledges", "matched_rounds", "round with a sponsor"),
    Told("payments", "payments", "card payment"),
    Told("payments", "payment_refunds", "refund"),
    Told("payments", "payment_disputes", "dispute"),
    Told("payments", "subscriptions", "monthly gift"),
    Told("payouts", "payouts", "payout"),
    Told("payouts", "payout_lines", "line of payout", names=2),
)


@dataclass(slots=True)
class Models:
    """Freezes what was gathered at each position where a read model stands, to compare it later."""

    reached: dict[str, int]
    gathered: Gathered
    frozen: dict[str, Rows] = field(default_factory=dict)

    def before(self, position: int) -> None:
        """Freeze what concerns the models that have not applied the event at a position."""
        if len(self.frozen) == len(QUERIES):
            return
        for told in QUERIES:
            if told.query not in self.frozen and self.reached[told.model] < position:
                self.frozen[told.query] = self.gathered.rows(told.query)

    def agree(self, cursor: Cursor[Any], differs: Differs) -> None:
        for told in QUERIES:
            derived = self.frozen.get(told.query)
            if derived is None:
                derived = self.gathered.rows(told.query)
            said = told.rows(cursor)
            for key in sorted(said.keys() | derived.keys(), key=str):
                if said.get(key) != derived.get(key):
                    differs(
                        f"{told.what} {' '.join(map(str, key))}: the read model says"
                        f" {said.get(key)}, the events {derived.get(key)}"
                    )
