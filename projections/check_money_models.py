"""The read models of money, each held against what was gathered up to where it stands."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from psycopg import Cursor

from projections.check_allocations import Allocations
from projections.check_cards import Cards
from projections.check_pledges import Pledges
from projections.check_statements import Statements
from projections.sql import queries

SQL = queries("check_money.sql")

Differs = Callable[[str], None]
# What is said of one thing, by what names it.
Key = tuple[Any, ...]
Row = tuple[Key, tuple[Any, ...]]
Rows = dict[Key, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Told:
    """A query of a read model: what its rows are of, and how many columns name one."""

    model: str
    query: str
    what: str
    names: int = 1


QUERIES: Final = (
    Told("dues", "dues", "open sum of partner"),
    Told("dues", "due_lines", "lines of partner"),
    Told("statements", "statements", "statement"),
    Told("statements", "statement_days", "days of statement"),
    Told("bank", "bank", "bank transaction"),
    Told("bank", "bank_matches", "bank match"),
    Told("bank", "bank_days", "bank balance", names=2),
    Told("remittances", "remittances", "remittance"),
    Told("pledges", "pledges", "pledge"),
    Told("payments", "payments", "card payment"),
    Told("payouts", "payouts", "payout"),
)


@dataclass(slots=True)
class Models:
    """Freezes what was gathered at each position where a read model stands, to compare it later."""

    reached: dict[str, int]
    statements: Statements
    allocations: Allocations
    cards: Cards
    pledges: Pledges
    frozen: dict[str, Rows] = field(default_factory=dict)

    def before(self, position: int) -> None:
        """Freeze what concerns the models that have not applied the event at a position."""
        if len(self.frozen) == len(QUERIES):
            return
        for told in QUERIES:
            if told.query not in self.frozen and self.reached[told.model] < position:
                self.frozen[told.query] = self.gathered(told.query)

    def agree(self, cursor: Cursor[Any], differs: Differs) -> None:
        for told in QUERIES:
            derived = self.frozen.get(told.query)
            if derived is None:
                derived = self.gathered(told.query)
            rows = cursor.execute(SQL[told.query]).fetchall()
            said = {tuple(row[: told.names]): tuple(row[told.names :]) for row in rows}
            for key in sorted(said.keys() | derived.keys(), key=str):
                if said.get(key) != derived.get(key):
                    differs(
                        f"{told.what} {' '.join(map(str, key))}: the read model says"
                        f" {said.get(key)}, the events {derived.get(key)}"
                    )

    def gathered(self, query: str) -> Rows:
        match query:
            case "dues":
                return dict(self.dues())
            case "due_lines":
                return {(whose,): tuple(sums) for whose, sums in self.statements.lines.items()}
            case "statements":
                return dict(self.closed())
            case "statement_days":
                closed = self.statements.closed.values()
                return {(one.statement_id,): (sum(d.cents for d in one.days),) for one in closed}
            case "bank":
                booked = self.allocations.transactions.items()
                return {(name,): (one.cents, one.cents - one.used_cents) for name, one in booked}
            case "bank_matches":
                return dict(self.matches())
            case "bank_days":
                return {key: (cents,) for key, cents in self.allocations.moved.items()}
            case "remittances":
                return dict(self.remittances())
            case "payments":
                paid = self.cards.payments.items()
                return {(name,): (one.cents, self.cards.left[name]) for name, one in paid}
            case "payouts":
                return dict(self.payouts())
            case _:
                return dict(self.pledged())

    def dues(self) -> Iterator[Row]:
        for partner_id in self.statements.waiting:
            cents = [line.cents for line in self.statements.open_lines(partner_id)]
            if cents:
                yield (partner_id,), (len(cents), sum(cents))

    def closed(self) -> Iterator[Row]:
        statements = self.statements
        proposed = {one.statement_id: one.write_off_id for one in statements.proposed.values()}
        for statement_id, one in statements.closed.items():
            yield (
                (statement_id,),
                (
                    one.partner_id,
                    one.number,
                    one.owed_cents,
                    self.allocations.got["statement", statement_id],
                    statements.written_off[statement_id],
                    statements.reminders[statement_id],
                    statement_id in statements.overdue,
                    proposed.get(statement_id),
                ),
            )

    def matches(self) -> Iterator[Row]:
        for transaction_id, one in self.allocations.transactions.items():
            for match_id, allocations in one.matches.items():
                cents = sum(part.cents for part in allocations)
                yield (match_id,), (transaction_id, cents)

    def remittances(self) -> Iterator[Row]:
        for name, (one, state) in self.allocations.remittances.items():
            deposited = self.allocations.got["remittance", name]
            yield (name,), (one.partner_id, one.cents, state, deposited)

    def payouts(self) -> Iterator[Row]:
        for name, one in self.cards.payouts.items():
            banked = self.allocations.got["payout", name]
            net = sum(line.net_cents for line in one.lines)
            yield (name,), (one.paid.cents, banked, one.failed, len(one.lines), net)

    def pledged(self) -> Iterator[Row]:
        for name, one in self.pledges.pledges.items():
            banked = self.allocations.got["pledge", name]
            yield (name,), (one.cents, one.called_cents, sum(one.used.values()), banked)
