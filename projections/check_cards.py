"""The check of cards: each payment, what came back of it, and each payout added up a second way."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid5

from ledger.calendar import civil_day
from ledger.decider import Event
from ledger.donations import DonationRecorded, DonationReversed
from ledger.foundation import FOUNDATION_ID
from ledger.payments.events import (
    CheckoutStarted,
    DisputeClosed,
    DisputeFundsReinstated,
    DisputeFundsWithdrawn,
    DisputeOpened,
    PaymentFailed,
    PaymentProcessing,
    PaymentRefunded,
    PaymentSucceeded,
    PayoutFailed,
    PayoutLine,
    PayoutListed,
    PayoutPaid,
    RefundFailed,
    SubscriptionEnded,
)
from projections.check_allocations import Allocations, Moved

Differs = Callable[[str], None]

# Gifts follow what became of their payment; whoever was stopped in between is given a day.
FOLLOWS_WITHIN = timedelta(days=1)
# What a payment repeats of how it was begun.
TERMS = ("purpose", "purpose_id", "partner_id", "subscription_id", "livemode")


@dataclass(slots=True)
class Payout:
    paid: PayoutPaid
    lines: list[PayoutLine] = field(default_factory=list)
    failed_on: date | None = None


@dataclass(slots=True)
class Contested:
    """A dispute as its events leave it."""

    opened: DisputeOpened
    withdrawn_on: date | None = None
    reinstated_on: date | None = None
    outcome: str | None = None


@dataclass(slots=True)
class Cards:
    """Payments with what is left of them, and payouts with their lines."""

    differs: Differs
    allocations: Allocations
    payments: dict[UUID, PaymentSucceeded] = field(default_factory=dict)
    charges: dict[str, int] = field(default_factory=dict)
    left: dict[UUID, int] = field(default_factory=dict)
    given_back: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    refunds: dict[str, int] = field(default_factory=dict)
    disputes: dict[str, int] = field(default_factory=dict)
    lost: dict[str, bool] = field(default_factory=dict)
    sources: dict[UUID, set[str]] = field(default_factory=lambda: defaultdict(set))
    changed_at: dict[UUID, datetime] = field(default_factory=dict)
    gifts: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    payouts: dict[UUID, Payout] = field(default_factory=dict)
    begun: dict[UUID, CheckoutStarted] = field(default_factory=dict)
    # What became of a payment that did not succeed, and why it failed.
    waits: dict[UUID, tuple[str, str | None]] = field(default_factory=dict)
    refunded: dict[str, tuple[PaymentRefunded, date | None]] = field(default_factory=dict)
    contested: dict[str, Contested] = field(default_factory=dict)
    ended: dict[UUID, date] = field(default_factory=dict)

    def take(self, position: int, event: Event) -> None:
        match event:
            case DonationRecorded(partner_id=partner_id) if partner_id == FOUNDATION_ID:
                self.gifts[event.donation_id] += event.amount_cents
            case DonationReversed(partner_id=partner_id) if partner_id == FOUNDATION_ID:
                self.gifts[event.donation_id] -= event.amount_cents
            case CheckoutStarted():
                self.begun[event.payment_id] = event
                self.waits[event.payment_id] = "begun", None
            case PaymentProcessing():
                self.waits[event.payment_id] = "processing", None
            case PaymentFailed():
                self.waits[event.payment_id] = "failed", event.reason
            case SubscriptionEnded():
                self.ended[event.subscription_id] = event.ended_on
            case PaymentSucceeded():
                self.succeed(position, event)
            case PaymentRefunded() | RefundFailed():
                self.refund(position, event)
            case DisputeOpened() | DisputeClosed():
                self.is_paid(position, event.payment_id)
                self.note(event.payment_id, event.dispute_id, event.recorded_at)
                self.contest(position, event)
            case DisputeFundsWithdrawn() | DisputeFundsReinstated():
                self.dispute(position, event)
            case PayoutPaid() | PayoutListed() | PayoutFailed():
                self.pay_out(position, event)
            case _:
                pass

    def contest(self, position: int, event: DisputeOpened | DisputeClosed) -> None:
        if isinstance(event, DisputeOpened):
            if event.dispute_id in self.contested:
                self.differs(f"event {position} opens the same dispute twice")
            self.contested[event.dispute_id] = Contested(event)
            return
        self.lost[event.dispute_id] = event.outcome == "lost"
        known = self.contested.get(event.dispute_id)
        if known is None:
            self.differs(f"event {position} closes a dispute that nobody opened")
        else:
            known.outcome = event.outcome

    def succeed(self, position: int, event: PaymentSucceeded) -> None:
        if event.payment_id in self.payments or event.charge_id in self.charges:
            self.differs(f"event {position} is a payment that succeeded before")
        self.payments[event.payment_id] = event
        self.charges[event.charge_id] = event.cents
        self.left[event.payment_id] = 0
        self.changed_at[event.payment_id] = event.recorded_at
        if self.terms_differ(event):
            self.differs(f"event {position} is a payment for something else than was begun")
        if event.purpose == "statement" and event.purpose_id is None:
            self.differs(f"event {position} pays a statement that it does not name")
        self.move(position, event.payment_id, event.cents, civil_day(event.succeeded_at))

    def terms_differ(self, event: PaymentSucceeded) -> bool:
        begun = self.begun.get(event.payment_id)
        return begun is not None and any(
            getattr(begun, name) != getattr(event, name) for name in TERMS
        )

    def note(self, payment_id: UUID, source_id: str, at: datetime) -> None:
        """Note what changed a payment, and when."""
        self.sources[payment_id].add(source_id)
        self.changed_at[payment_id] = at

    def is_paid(self, position: int, payment_id: UUID) -> bool:
        if payment_id not in self.payments:
            self.differs(f"event {position} is of a payment that did not succeed")
        return payment_id in self.payments

    def refund(self, position: int, event: PaymentRefunded | RefundFailed) -> None:
        self.note(event.payment_id, event.refund_id, event.recorded_at)
        held = self.refunds.get(event.refund_id, 0)
        if isinstance(event, PaymentRefunded):
            if held:
                self.differs(f"event {position} gives the same refund twice")
            self.refunds[event.refund_id] = event.cents
            self.given_back[event.payment_id] += event.cents
            self.refunded[event.refund_id] = event, None
            self.move(position, event.payment_id, -event.cents, event.refunded_on)
        else:
            if held != event.cents:
                self.differs(f"event {position} is of a refund that does not hold")
            self.refunds[event.refund_id] = 0
            self.given_back[event.payment_id] -= event.cents
            if event.refund_id in self.refunded:
                self.refunded[event.refund_id] = self.refunded[event.refund_id][0], event.failed_on
            self.move(position, event.payment_id, event.cents, event.failed_on)

    def dispute(self, position: int, event: DisputeFundsWithdrawn | DisputeFundsReinstated) -> None:
        self.note(event.payment_id, event.dispute_id, event.recorded_at)
        withdrawn = isinstance(event, DisputeFundsWithdrawn)
        held, known = self.disputes.get(event.dispute_id, 0), self.contested.get(event.dispute_id)
        if known is None:
            self.differs(f"event {position} moves the money of a dispute that nobody opened")
        elif isinstance(event, DisputeFundsWithdrawn):
            known.withdrawn_on = event.withdrawn_on
        else:
            known.reinstated_on = event.reinstated_on
        on = event.withdrawn_on if isinstance(event, DisputeFundsWithdrawn) else event.reinstated_on
        if (held == 0) != withdrawn:
            self.differs(f"event {position} moves the money of a dispute that it cannot move")
        self.disputes[event.dispute_id] = event.cents if withdrawn else 0
        self.move(position, event.payment_id, -event.cents if withdrawn else event.cents, on)

    def move(self, position: int, payment_id: UUID, cents: int, on: date) -> None:
        """Change what is left of a payment; one for a statement changes what that has got.

        A bank may contest the whole of a payment of which a part was given back: refunds alone and
        disputes alone take no more than what was paid, and both together may.
        """
        if not self.is_paid(position, payment_id):
            return
        self.left[payment_id] += cents
        paid = self.payments[payment_id]
        back_cents = self.given_back[payment_id]
        if not (
            0 <= back_cents <= paid.cents and 0 <= self.left[payment_id] + back_cents <= paid.cents
        ):
            self.differs(
                f"event {position} leaves {self.left[payment_id]} cents of a payment of"
                f" {paid.cents}"
            )
        if paid.purpose == "statement" and paid.purpose_id is not None:
            target = ("statement", paid.purpose_id)
            self.allocations.add(target, paid.partner_id, Moved(position, 0, "card", on, cents))

    def pay_out(self, position: int, event: PayoutPaid | PayoutListed | PayoutFailed) -> None:
        known = self.payouts.get(event.payout_id)
        match event:
            case PayoutPaid():
                if known is not None:
                    self.differs(f"event {position} is a payout that was sent before")
                self.payouts[event.payout_id] = Payout(event)
            case PayoutListed() if known is not None:
                if event.first_line != len(known.lines):
                    self.differs(f"event {position} leaves out or repeats lines of a payout")
                known.lines += event.lines
            case PayoutFailed() if known is not None:
                known.failed_on = event.failed_on
            case _:
                self.differs(f"event {position} is of a payout that was never sent")

    def add_up(self) -> None:
        """Add up payouts at the end, and hold gifts against what was paid for them."""
        drawn: set[tuple[str, str]] = set()
        for payout_id, payout in self.payouts.items():
            self.add_up_payout(payout_id, payout)
            for line in payout.lines:
                key = (line.kind, line.source_id)
                if key in drawn:
                    self.differs(f"payout {payout_id} pays {line.kind} {line.source_id} again")
                drawn.add(key)
        self.add_up_gifts()

    def add_up_gifts(self) -> None:
        """Hold the gifts of each payment against what was paid and has not gone back."""
        before = datetime.now(UTC) - FOLLOWS_WITHIN
        gifts = dict(self.gifts)
        for payment_id, paid in self.payments.items():
            if paid.purpose == "statement":
                continue
            again = [uuid5(payment_id, f"{source} again") for source in self.sources[payment_id]]
            given = [gifts.pop(one) for one in (payment_id, *again) if one in gifts]
            kept = max(0, paid.cents - self.gone_cents(payment_id))
            if sum(given) != kept and self.changed_at[payment_id] < before:
                self.differs(f"payment {payment_id} kept {kept} cents, its gifts {sum(given)}")
        for donation_id in gifts:
            self.differs(f"gift {donation_id} is said to be paid by card, and no payment is its")

    def given_twice(self) -> dict[UUID, int]:
        """Give, below zero, what statements lost by card beyond what was paid for them."""
        found: dict[UUID, int] = defaultdict(int)
        for payment_id, paid in self.payments.items():
            if paid.purpose == "statement" and paid.purpose_id is not None:
                found[paid.purpose_id] += min(0, self.left[payment_id])
        return found

    def gone_cents(self, payment_id: UUID) -> int:
        """Give what a donor has got back: refunds, and disputes that are lost with their money."""
        sources = self.sources[payment_id]
        refunded = sum(self.refunds.get(one, 0) for one in sources)
        return refunded + sum(self.disputes.get(one, 0) for one in sources if self.lost.get(one))

    def add_up_payout(self, payout_id: UUID, payout: Payout) -> None:
        lines = payout.lines
        what = f"payout {payout_id}"
        banked_cents = self.allocations.got["payout", payout_id]
        if not min(0, payout.paid.cents) <= banked_cents <= max(0, payout.paid.cents):
            self.differs(f"{what} is of {payout.paid.cents} cents and has {banked_cents} banked")
        if len(lines) != payout.paid.lines:
            self.differs(f"{what} has {len(lines)} lines and says {payout.paid.lines}")
        net_cents = sum(line.net_cents for line in lines)
        if net_cents != payout.paid.cents and not payout.paid.by_hand:
            self.differs(f"{what} is of {payout.paid.cents} cents; its lines come to {net_cents}")
        for line in lines:
            if line.net_cents != line.gross_cents - line.fee_cents:
                self.differs(f"{what} has a line whose fee is not the difference")
            if line.kind == "charge" and self.charges.get(line.source_id) != line.gross_cents:
                self.differs(f"{what} pays a charge that no payment has, or another sum of it")
