"""How shops settle in a simulated year: on time, in parts, wrongly, twice over, late or never."""

from collections import Counter, defaultdict
from functools import partial
from typing import Any
from uuid import UUID

from api import remittances, write_offs
from api.cards import note_payment
from ledger.payments.observed import Charge, ObservedPayment, Refund, Terms
from ledger.settlements.commands import statement_id_of
from tests.simulation.money_model import Key, Movement, Want
from tests.simulation.settlement_bank import Account
from tests.simulation.settlement_cards import Cards
from tests.simulation.settlement_year import OFFICER, OTHER_OFFICER

WAYS = {
    "exact": 40,
    "in_parts": 9,
    "misspelt": 8,
    "without_words": 9,
    "too_much": 6,
    "several_at_once": 7,
    "returned": 6,
    "by_cheque": 9,
    "by_card": 5,
    "never": 5,
    "for_another": 4,
}


class Payers:
    def __init__(self, account: Account, cards: Cards) -> None:
        self.account = account
        self.cards = cards
        self.year = account.year
        self.books = account.year.books
        self.held: dict[UUID, list[Key]] = defaultdict(list)
        self.ways: Counter[str] = Counter()
        self.sent: Counter[Key] = Counter()

    def settle(self, key: Key) -> None:
        """Choose how a statement is paid. What the foundation owes is sent back."""
        if self.due(key) <= 0:
            self.year.after(20, partial(self.send_back, key))
            return
        dice = self.year.dice
        # Each way is gone once before chance decides.
        ways = [way for way in WAYS if way not in self.ways] or list(WAYS)
        (way,) = dice.choices(ways, [WAYS[way] for way in ways])
        self.ways[way] += 1
        days = dice.choice([2, 9, 20, 28, 33, 47, 70])
        self.year.after(days, partial(getattr(self, way), key))

    def due(self, key: Key) -> int:
        """Give what a shop knows that it owes: it does not know how the ledger took its money."""
        claim = self.books.claims[key]
        return claim.owed - claim.written_off - self.sent[key]

    def iban(self, key: Key) -> str:
        return f"DE{self.year.number_of(key[0]):020d}"

    def transfer(self, key: Key, cents: int, names: tuple[Key, ...] = (), **told: Any) -> Movement:
        self.sent[key] += cents
        wants: list[Want] = [("statement", key, cents)]
        return self.account.book(cents, wants, names=names, iban=self.iban(key), **told)

    def exact(self, key: Key) -> None:
        self.pay(key, self.due(key))

    def pay(self, key: Key, cents: int) -> None:
        """Transfer an amount under the statement's own reference."""
        self.transfer(key, cents, (key,), reference=self.account.reference(key))

    def in_parts(self, key: Key) -> None:
        due = self.due(key)
        first = self.year.dice.randint(1, due)
        self.pay(key, first)
        if first < due:
            self.year.after(25, partial(self.pay, key, due - first))

    def misspelt(self, key: Key) -> None:
        """Copy the reference wrongly: its check digits say so, and an officer must look."""
        wrong = self.account.reference(key).replace("RF", "RF9", 1)[:-1]
        self.transfer(key, self.due(key), free=(f"bordereau {wrong}",))

    def without_words(self, key: Key) -> None:
        self.transfer(key, self.due(key))

    def too_much(self, key: Key) -> None:
        """Round up to whole tens of euros; what is too much is sent back later."""
        due = self.due(key)
        self.pay(key, due + 1_000 - due % 1_000)
        self.year.after(30, partial(self.send_back, key))

    def send_back(self, key: Key) -> None:
        """Send back what a partner has beyond its debt."""
        due = self.due(key)
        if due < 0:
            self.transfer(key, due, how="sent", free=("trop perçu",))

    def several_at_once(self, key: Key) -> None:
        """Wait for the next statement, and pay both with one transfer."""
        self.held[key[0]].append(key)
        self.year.after(33, partial(self.pay_held, key[0]))

    def pay_held(self, partner_id: UUID) -> None:
        keys = self.held.pop(partner_id, [])
        if not keys:
            return
        wants: list[Want] = [("statement", key, self.due(key)) for key in keys]
        for _, key, cents in wants:
            assert isinstance(key, tuple)
            self.sent[key] += cents
        words = tuple(map(self.account.reference, keys))
        named = self.year.dice.random() < 0.5
        told: dict[str, Any] = {"free": words, "names": tuple(keys)} if named else {}
        total = sum(cents for _, _, cents in wants)
        self.account.book(total, wants, iban=self.iban(keys[0]), **told)

    def returned(self, key: Key) -> None:
        """Pay; the money goes back two weeks later, and comes again."""
        cents = self.due(key)
        told: dict[str, Any] = {"end_to_end": f"E{self.year.some_id().hex[:20]}"}
        self.transfer(key, cents, (key,), reference=self.account.reference(key), **told)
        told |= {"how": "return", "return_reason": "AC04"}
        self.year.after(15, partial(self.transfer, key, -cents, **told))
        self.year.after(35, partial(self.pay, key, cents))

    def by_cheque(self, key: Key) -> None:
        """Hand a cheque over; the bank has it days later, and may not honour it."""
        year, cents = self.year, self.due(key)
        self.sent[key] += cents
        remittance_id = year.some_id()
        year.cheques[remittance_id] = key[0]
        amounts = {statement_id_of(*key): cents}
        year.catch_up("statements")
        remittances.declare(
            year.context, OFFICER, remittance_id, key[0], "cheque", cents, year.today, amounts
        )
        remittances.approve(year.context, OTHER_OFFICER, remittance_id, cents)
        self.books.add(("statement", key, cents))
        self.books.set_off()
        year.after(3, partial(self.deposit, remittance_id, cents))
        if year.dice.random() < 0.25:
            year.after(18, partial(self.bounce, remittance_id, key, cents))

    def deposit(self, remittance_id: UUID, cents: int) -> None:
        self.account.book(cents, [("remittance", remittance_id, cents)], how="cheque", iban=None)

    def bounce(self, remittance_id: UUID, key: Key, cents: int) -> None:
        """Learn from the bank that a cheque is not honoured: the shop owes it again."""
        year = self.year
        self.account.book(-cents, [("remittance", remittance_id, -cents)], how="return", iban=None)
        remittances.give_back(year.context, OFFICER, remittance_id, year.today)
        self.books.add(("statement", key, -cents))
        self.books.set_off()
        self.sent[key] -= cents
        year.after(12, partial(self.pay, key, cents))

    def by_card(self, key: Key) -> None:
        """Pay a statement by card; one in four is given back, and paid by transfer."""
        year, cents = self.year, self.due(key)
        self.sent[key] += cents
        payment_id = year.some_id()
        charge = Charge(
            charge_id=f"ch_{payment_id.hex}", cents=cents, method="card", succeeded_at=year.at
        )
        seen = ObservedPayment(
            payment_id=payment_id,
            status="succeeded",
            terms=Terms(purpose="statement", purpose_id=statement_id_of(*key), partner_id=key[0]),
            charge=charge,
            livemode=False,
        )
        note_payment(year.context, seen)
        self.books.add(("statement", key, cents))
        self.books.set_off()
        self.cards.charge(charge.charge_id, cents)
        if year.dice.random() < 0.25:
            year.after(10, partial(self.refund, seen, key, cents))

    def refund(self, seen: ObservedPayment, key: Key, cents: int) -> None:
        year = self.year
        refund = Refund(refund_id=f"re_{seen.payment_id.hex}", cents=cents, refunded_on=year.today)
        note_payment(year.context, seen.model_copy(update={"refunds": (refund,)}))
        self.books.add(("statement", key, -cents))
        self.books.set_off()
        self.sent[key] -= cents
        self.cards.take_back("refund", refund.refund_id, cents)
        year.after(5, partial(self.pay, key, cents))

    def never(self, key: Key) -> None:
        """Never pay, or only a part: the rest is written off by two people."""
        due = self.due(key)
        if self.year.dice.random() < 0.5 and due > 1:
            self.year.after(4, partial(self.pay, key, due // 2))
        self.year.after(60, partial(self.write_off, key))

    def write_off(self, key: Key) -> None:
        """Write off what the ledger has not got of a statement: wrong money may be on it."""
        year, write_off_id = self.year, self.year.some_id()
        statement_id, cents = statement_id_of(*key), self.books.claims[key].left
        if cents <= 0:
            return
        year.catch_up("statements")
        write_offs.propose(
            year.context, OFFICER, statement_id, write_off_id, cents=cents, reason="shop_closed"
        )
        year.catch_up("statements")
        write_offs.approve(year.context, OTHER_OFFICER, statement_id, write_off_id, cents)
        self.books.claims[key].written_off += cents
        self.books.set_off()

    def for_another(self, key: Key) -> None:
        """Copy the reference of another shop's statement; weeks later somebody complains."""
        claims = self.books.claims.items()
        others = [one for one, claim in claims if claim.left > 0 and one[0] != key[0]]
        other = self.year.dice.choice(others or [key])
        told = {"reference": self.account.reference(other)}
        movement = self.transfer(key, self.due(key), (other,), **told)
        self.year.after(16, partial(self.account.put_right, movement))

    def clear(self) -> bool:
        """Settle what is left between the ledger and the shops; tell whether nothing was."""
        left = {key: claim.left for key, claim in self.books.claims.items() if claim.left}
        for key, cents in left.items():
            if cents > 0:
                self.pay(key, cents)
            else:
                self.transfer(key, cents, how="sent", free=("trop perçu",))
        return not left
