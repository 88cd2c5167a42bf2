"""The foundation's account in a simulated year: its movements, its files, its treasurer."""

from collections import Counter
from datetime import date, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

from api import bank_import, bank_matching
from api.set_offs import moving_money
from ledger.allocations import Allocation
from ledger.bank.matching import Match
from ledger.settlements.commands import statement_id_of, statement_reference
from projections import bank
from projections.bank import Transaction
from tests.ledger.bank.camt_files import IBAN, Line, Sheet, Tx, camt
from tests.simulation.money_model import Key, Movement, Want
from tests.simulation.settlement_year import DAY, OFFICER, Year

OPENING_CENTS = 123_456
FAMILIES = {
    "transfer": ("RCDT", "ESCT"),
    "sent": ("ICDT", "ESCT"),
    "cheque": ("RCHQ", "CCHQ"),
    "charge": ("MDOP", "CHRG"),
    "return": ("ICDT", "RRTN"),
}


class Account:
    """Every movement is known by its day and cents: no two of a day are of the same sum."""

    def __init__(self, year: Year) -> None:
        self.year = year
        self.movements: dict[tuple[date, int], tuple[Movement, Line]] = {}
        self.read_until = year.first_on - DAY
        self.sirets: dict[UUID, str] = {}
        self.sorted_out: Counter[str] = Counter()

    def reference(self, key: Key) -> str:
        partner_id, number = key
        return statement_reference(self.sirets[partner_id], number)

    def book(
        self,
        cents: int,
        wants: list[Want],
        *,
        how: str = "transfer",
        names: tuple[Key, ...] = (),
        **told: Any,
    ) -> Movement:
        """Let money come or go today, or on the first day that has no such sum."""
        day = self.year.today
        while (day, cents) in self.movements:
            day += DAY
        movement = Movement(day, cents, wants, list(names))
        family, subfamily = FAMILIES[how]
        number = len(self.movements)
        tx = Tx(cents, tx_id=f"T{number}", **told)
        line = Line(cents, day, f"B{number}", (tx,), family, subfamily)
        self.movements[day, cents] = movement, line
        return movement

    def balance_before(self, day: date) -> int:
        return OPENING_CENTS + sum(cents for on, cents in self.movements if on < day)

    def file(self, first: date, last: date) -> bytes:
        """Write the bank's statement of some days; its entries come in any order."""
        lines = [line for (day, _), (_, line) in self.movements.items() if first <= day <= last]
        self.year.dice.shuffle(lines)
        version = self.year.dice.choice(["02", "04", "08"])
        opening = self.balance_before(first)
        return camt(Sheet(lines, opening, first, last, iban=IBAN), version=version)

    def read(self) -> None:
        """Import what is new, at times with days that were read before, or twice over."""
        dice = self.year.dice
        first = self.read_until + DAY
        last = self.year.today - DAY
        if last < first:
            return
        back = dice.choice([0, 0, 0, 9])
        earliest = max(first - timedelta(days=back), self.year.first_on)
        files = [self.file(earliest, last)]
        middle = first + (last - first) // 2
        if first <= middle < last and dice.random() < 0.2:
            # The later file comes before the earlier one.
            files = [self.file(middle + DAY, last), self.file(first, middle)]
        if dice.random() < 0.1:
            files.append(files[0])
        for content in files:
            self.take(content)
        self.read_until = last

    def take(self, content: bytes) -> None:
        context = self.year.context
        found = bank_import.survey(context, BytesIO(content))
        bank_import.import_file(context, "console:treasurer", BytesIO(content), found)

    def match(self) -> None:
        """Let what is certain be matched, and see that the model matches the same."""
        year = self.year
        year.catch_up("bank")
        fresh = [one for one in self.open() if not self.movement_of(one).matched]
        # It brings the read models that it needs to the head, before and after.
        bank_matching.match_certain(year.context)
        for one in fresh:
            movement = self.movement_of(one)
            if movement.names:
                year.books.match_named(movement)
        for one in fresh:
            movement, told = self.movement_of(one), self.one(one)
            if told.open_cents != movement.left:
                # What needs no name: the bank's own charges, and returns.
                assert not movement.names, movement
                assert told.open_cents == 0, movement
                year.books.match(movement, *movement.wants)
        year.books.set_off()

    def open(self) -> list[Transaction]:
        with self.year.context.pool.connection() as connection:
            return bank.open_transactions(connection)

    def one(self, known: Transaction) -> Transaction:
        with self.year.context.pool.connection() as connection:
            return bank_matching.one_of(connection, known.transaction_id)

    def movement_of(self, one: Transaction) -> Movement:
        return self.movements[one.booked_on, one.cents][0]

    def sort_out(self) -> None:
        """Let the treasurer look at every open transaction, and say what it is for."""
        context = self.year.context
        # What came first: nothing is taken back from a statement that has nothing yet.
        for one in sorted(self.open(), key=lambda one: one.cents < 0):
            with context.pool.connection() as connection:
                offered = bank_matching.proposed(context, connection, [one])[one.transaction_id]
            movement = self.movement_of(one)
            if any(target not in targets(movement.wants) for target in targets(movement.matched)):
                self.put_right(movement, one.transaction_id)
                continue
            rest = remaining(movement)
            told = tuple(map(self.allocation, rest))
            right = next((match for match in offered if match.allocations == told), None)
            if right is not None:
                key = bank_matching.key_of(right)
                bank_matching.confirm(context, OFFICER, one.transaction_id, key)
                self.sorted_out[right.rule] += 1
            else:
                self.by_hand(one.transaction_id, told)
                self.sorted_out["hand"] += 1
            self.year.books.match(movement, *rest)
            self.year.books.set_off()
        self.year.catch_up("bank", "statements")
        assert self.open() == []

    def by_hand(self, transaction_id: UUID, allocations: tuple[Allocation, ...]) -> None:
        key = str(self.year.some_id())
        chosen = Match(transaction_id, "hand", allocations)
        with moving_money(self.year.context):
            bank_matching.record(self.year.context, OFFICER, key, chosen)

    def put_right(self, movement: Movement, transaction_id: UUID | None = None) -> None:
        """Undo a match that went to another's debt, and make the right one."""
        context = self.year.context
        self.year.catch_up("bank")
        with context.pool.connection() as connection:
            if transaction_id is None:
                some = bank.of_day(connection, movement.day)
                known = next((one for one in some if one.cents == movement.cents), None)
                if known is None:
                    return  # It is in no file yet.
                transaction_id = known.transaction_id
            matches = bank.matches_of(connection, transaction_id)
        held = [one for one in matches if one.undone_at is None]
        if movement.matched == movement.wants:
            return
        for one in held:
            bank_matching.unmatch(context, OFFICER, transaction_id, one.match_id, "wrong_target")
            self.year.books.unmatch(movement, list(map(self.want, one.allocations)))
            self.year.books.set_off()
        assert not movement.matched
        self.by_hand(transaction_id, tuple(map(self.allocation, movement.wants)))
        self.year.books.match(movement, *movement.wants)
        self.year.books.set_off()
        self.sorted_out["put right"] += 1

    def want(self, allocation: Allocation) -> Want:
        """Give what the ledger says of money in the words of the model."""
        key: Key | UUID | None = allocation.target_id
        if allocation.target == "statement":
            key = next(one for one in self.year.books.claims if statement_id_of(*one) == key)
        return allocation.target, key, allocation.cents

    def allocation(self, want: Want) -> Allocation:
        kind, key, cents = want
        named: dict[str, UUID] = {}
        if isinstance(key, tuple):
            partner_id, number = key
            named = {"target_id": statement_id_of(partner_id, number), "partner_id": partner_id}
        elif key is not None:
            whose = self.year.cheques.get(key)
            named = {"target_id": key} | ({} if whose is None else {"partner_id": whose})
        return Allocation.model_validate({"target": kind, "cents": cents, **named})


def targets(wants: list[Want]) -> set[tuple[str, Any]]:
    return {(kind, key) for kind, key, _ in wants}


def remaining(movement: Movement) -> list[Want]:
    """Give what a movement is for and is not matched with yet."""
    got: Counter[tuple[str, Any]] = Counter()
    for kind, key, cents in movement.matched:
        got[kind, key] += cents
    rest = [(kind, key, cents - got[kind, key]) for kind, key, cents in movement.wants]
    return [want for want in rest if want[2]]
