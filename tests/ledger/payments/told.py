"""What Stripe may say of one payment, for the specs of what the ledger makes of it."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from ledger.payments.commands import ObservePayment, StartCheckout
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
    RefundFailed,
)
from ledger.payments.observed import Charge, Dispute, ObservedPayment, Refund, Terms

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = date(2026, 11, 23)
LATER = date(2026, 11, 30)
PAYMENT, PROJECT, SHOP, STATEMENT, MONTHLY = (UUID(int=number) for number in range(1, 6))
BASIS: dict[str, Any] = {"recorded_at": NOON, "actor": "cards", "payment_id": PAYMENT}
CHARGE = Charge(charge_id="ch_1", cents=1_040, method="card", succeeded_at=NOON)
TERMS = Terms(purpose="project", purpose_id=PROJECT)

STARTED = CheckoutStarted(
    recorded_at=NOON,
    actor="public",
    payment_id=PAYMENT,
    purpose="project",
    purpose_id=PROJECT,
    cents=1_000,
    fee_cover_cents=40,
    interval="once",
    livemode=False,
)
PROCESSING = PaymentProcessing(**BASIS)
PAID = PaymentSucceeded(
    **BASIS,
    purpose="project",
    purpose_id=PROJECT,
    charge_id="ch_1",
    cents=1_040,
    method="card",
    succeeded_at=NOON,
    livemode=False,
)
FAILED = PaymentFailed(**BASIS, reason="declined")
REFUNDED = PaymentRefunded(**BASIS, refund_id="re_1", cents=300, refunded_on=TODAY)
REFUND_FAILED = RefundFailed(**BASIS, refund_id="re_1", cents=300, failed_on=LATER)
OPENED = DisputeOpened(**BASIS, dispute_id="du_1", cents=1_040, reason="fraudulent")
WITHDRAWN = DisputeFundsWithdrawn(**BASIS, dispute_id="du_1", cents=1_040, withdrawn_on=TODAY)
REINSTATED = DisputeFundsReinstated(**BASIS, dispute_id="du_1", cents=1_040, reinstated_on=LATER)
WON = DisputeClosed(**BASIS, dispute_id="du_1", outcome="won")
LOST = DisputeClosed(**BASIS, dispute_id="du_1", outcome="lost")

REFUND = Refund(refund_id="re_1", cents=300, refunded_on=TODAY)
BACK = REFUND.model_copy(update={"failed": True, "failed_on": LATER})
DISPUTE = Dispute(dispute_id="du_1", cents=1_040, reason="fraudulent")
TAKEN = DISPUTE.model_copy(update={"withdrawn_cents": 1_040, "withdrawn_on": TODAY})
GIVEN = TAKEN.model_copy(update={"reinstated_cents": 1_040, "reinstated_on": LATER})


def start(**changes: Any) -> StartCheckout:
    told = STARTED.model_dump(exclude={"recorded_at", "actor"}) | changes
    return StartCheckout(at=NOON, actor="public", **told)


def observe(status: Any = "succeeded", **changes: Any) -> ObservePayment:
    told: dict[str, Any] = {"payment_id": PAYMENT, "status": status, "livemode": False} | changes
    if status == "succeeded":
        told = {"charge": CHARGE, **told}
    return ObservePayment(at=NOON, actor="cards", seen=ObservedPayment(**told))
