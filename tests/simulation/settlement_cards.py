"""Gifts by card in a simulated year: refunded, contested, announced late or never, paid out."""

from functools import partial
from typing import Literal
from uuid import UUID

from api.cards import note_payment, now
from ledger.payments.commands import ObservePayout
from ledger.payments.events import LineKind, PayoutLine
from ledger.payments.names import payout_id_of
from ledger.payments.observed import (
    Charge,
    Dispute,
    ObservedPayment,
    ObservedPayout,
    Refund,
    Terms,
)
from ledger.payments.payouts import payout
from ledger.reactions import ACTOR
from tests.simulation.settlement_bank import Account

FEE_OF_DISPUTE = 1_500


class Cards:
    """`missed` are payments of which something was never announced: they are asked for later."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.year = account.year
        self.books = account.year.books
        self.seen: dict[UUID, ObservedPayment] = {}
        self.missed: set[UUID] = set()
        self.lines: list[PayoutLine] = []
        self.payouts = 0

    def move(self, kind: LineKind, source_id: str, gross: int, fee: int) -> None:
        line = PayoutLine(
            kind=kind, source_id=source_id, gross_cents=gross, fee_cents=fee, net_cents=gross - fee
        )
        self.lines.append(line)

    def charge(self, charge_id: str, cents: int) -> None:
        self.move("charge", charge_id, cents, 25 + cents * 3 // 200)

    def take_back(self, kind: Literal["refund"], source_id: str, cents: int) -> None:
        self.move(kind, source_id, -cents, 0)

    def give(self) -> None:
        """Give by card; most keep it so."""
        dice, payment_id = self.year.dice, self.year.some_id()
        cents = dice.randint(100, 10_000)
        charge = Charge(
            charge_id=f"ch_{payment_id.hex}", cents=cents, method="card", succeeded_at=self.year.at
        )
        seen = ObservedPayment(
            payment_id=payment_id,
            status="succeeded",
            terms=Terms(purpose="foundation"),
            charge=charge,
            livemode=False,
        )
        self.books.by_card[payment_id] = cents
        self.charge(charge.charge_id, cents)
        self.tell(seen)
        what = dice.random()
        if what < 0.2:
            self.year.after(dice.randint(1, 20), partial(self.refund, payment_id))
        elif what < 0.4:
            self.year.after(dice.randint(1, 20), partial(self.contest, payment_id))

    def tell(self, seen: ObservedPayment) -> None:
        """Announce what became of a payment, unless the announcement is lost."""
        self.seen[seen.payment_id] = seen
        if self.year.dice.random() < 0.2:
            self.missed.add(seen.payment_id)
        else:
            self.missed.discard(seen.payment_id)
            note_payment(self.year.context, seen)

    def reconcile(self) -> None:
        """Ask again for what was never announced, and for some that was."""
        again = set(list(self.seen)[::7])
        for payment_id in sorted(self.missed | again):
            note_payment(self.year.context, self.seen[payment_id])
        self.missed.clear()

    def refund(self, payment_id: UUID) -> None:
        left = self.books.by_card[payment_id]
        cents = self.year.dice.choice([left, self.year.dice.randint(1, left)])
        seen = self.seen[payment_id]
        refund = Refund(refund_id=f"re_{payment_id.hex}", cents=cents, refunded_on=self.year.today)
        self.books.by_card[payment_id] -= cents
        self.take_back("refund", refund.refund_id, cents)
        self.tell(seen.model_copy(update={"refunds": (refund,)}))
        if self.year.dice.random() < 0.2:
            self.year.after(9, partial(self.fail_refund, payment_id))

    def fail_refund(self, payment_id: UUID) -> None:
        """Get the money of a refund back: the donor's account is closed."""
        seen = self.seen[payment_id]
        (refund,) = seen.refunds
        failed = refund.model_copy(update={"failed": True, "failed_on": self.year.today})
        self.books.by_card[payment_id] += refund.cents
        self.move("adjustment", refund.refund_id, refund.cents, 0)
        self.tell(seen.model_copy(update={"refunds": (failed,)}))

    def contest(self, payment_id: UUID) -> None:
        """Let the donor's bank take the money: it is lost, or won back."""
        cents = self.books.by_card[payment_id]
        dispute = Dispute(
            dispute_id=f"du_{payment_id.hex}",
            cents=cents,
            reason="fraudulent",
            withdrawn_cents=cents,
            withdrawn_on=self.year.today,
        )
        self.move("dispute", dispute.dispute_id, -cents, FEE_OF_DISPUTE)
        self.tell(self.seen[payment_id].model_copy(update={"disputes": (dispute,)}))
        self.year.after(25, partial(self.decide, payment_id, won=self.year.dice.random() < 0.5))

    def decide(self, payment_id: UUID, *, won: bool) -> None:
        (dispute,) = self.seen[payment_id].disputes
        after: dict[str, object] = {"outcome": "won" if won else "lost"}
        if won:
            after |= {"reinstated_cents": dispute.cents, "reinstated_on": self.year.today}
            self.move("dispute_reversal", dispute.dispute_id, dispute.cents, 0)
        else:
            self.books.by_card[payment_id] -= dispute.cents
        decided = dispute.model_copy(update=after)
        self.tell(self.seen[payment_id].model_copy(update={"disputes": (decided,)}))

    def pay_out(self) -> None:
        """Send what has gathered to the bank, where it arrives days later."""
        cents = sum(line.net_cents for line in self.lines)
        if cents <= 0:
            return
        self.payouts += 1
        stripe_id = f"po_{self.payouts}"
        seen = ObservedPayout(
            payout_id=payout_id_of(stripe_id),
            stripe_id=stripe_id,
            status="paid",
            cents=cents,
            arrival_on=self.year.today,
            lines=tuple(self.lines),
            livemode=False,
        )
        command = ObservePayout(at=now(), actor=ACTOR, seen=seen)
        self.year.context.ledger.handle(payout, seen.payout_id, command)
        self.lines = []
        arrives = partial(self.arrive, seen.payout_id, cents)
        self.year.after(2, arrives)

    def arrive(self, payout_id: UUID, cents: int) -> None:
        self.account.book(
            cents, [("payout", payout_id, cents)], iban="IE64IRCE92050112345678", name="STRIPE"
        )
