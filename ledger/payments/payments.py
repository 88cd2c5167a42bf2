"""A card payment: begun, on its way, paid, given back or contested. Stripe's word is the last.

It is told the whole present state each time, and notes what is new in it.
"""

from typing import Any, assert_never

from ledger.calendar import civil_day
from ledger.decider import Decider
from ledger.payments.commands import (
    ChargeMissing,
    CheckoutDiffers,
    ObservePayment,
    PaymentCommand,
    PaymentUnknown,
    PurposeUnclear,
    StartCheckout,
)
from ledger.payments.events import (
    CheckoutStarted,
    DisputeClosed,
    DisputeFundsReinstated,
    DisputeFundsWithdrawn,
    DisputeOpened,
    PaymentEvent,
    PaymentFailed,
    PaymentProcessing,
    PaymentRefunded,
    PaymentSucceeded,
    RefundFailed,
)
from ledger.payments.observed import Dispute, Refund, Terms
from ledger.payments.state import (
    Begun,
    Disputed,
    Payment,
    Processing,
    Succeeded,
    Unbegun,
    checkout_of,
    evolve,
)


def decide(command: PaymentCommand, payment: Payment) -> list[PaymentEvent]:
    match command:
        case StartCheckout():
            return start(command, payment)
        case ObservePayment():
            return observe(command, payment)
        case _:
            assert_never(command)


def start(command: StartCheckout, payment: Payment) -> list[PaymentEvent]:
    named = command.purpose != "foundation"
    of_partner = command.purpose == "statement"
    monthly = command.interval == "monthly"
    if (
        named != (command.purpose_id is not None)
        or of_partner != (command.partner_id is not None)
        or monthly != (command.subscription_id is not None)
        or (monthly and of_partner)
    ):
        raise PurposeUnclear(payment_id=command.payment_id)
    fields = command.model_dump(exclude={"at", "actor"})
    if isinstance(payment, Unbegun):
        return [CheckoutStarted(recorded_at=command.at, actor=command.actor, **fields)]
    checkout = checkout_of(payment)
    same = checkout and checkout.model_dump(exclude={"recorded_at", "actor"}) == fields
    if not same:
        raise CheckoutDiffers(payment_id=command.payment_id)
    return []


def observe(command: ObservePayment, payment: Payment) -> list[PaymentEvent]:
    """Note what is new. What was seen before something newer was recorded adds nothing."""
    told = command.seen
    if isinstance(payment, Succeeded):
        # What became of another charge under this name is told where its payout differs.
        same = told.charge is None or told.charge.charge_id == payment.paid.charge_id
        return changes(command, payment) if same else []
    match told.status:
        case "succeeded":
            paid = success(command, payment)
            return [paid, *changes(command, Succeeded(paid, checkout_of(payment)))]
        case "processing" if isinstance(payment, Begun):
            return [PaymentProcessing(**basis(command))]
        case "failed" if isinstance(payment, Begun | Processing):
            return [PaymentFailed(reason=told.failed_for, **basis(command))]
        case "open" | "processing" | "failed":
            return []
        case _:
            assert_never(told.status)


def basis(command: ObservePayment) -> dict[str, Any]:
    """Give what every event says of whom it concerns, who noted it and when."""
    return {
        "recorded_at": command.at,
        "actor": command.actor,
        "payment_id": command.seen.payment_id,
    }


def success(command: ObservePayment, payment: Payment) -> PaymentSucceeded:
    """Money that came is recorded whatever was noted before, a failure too."""
    told = command.seen
    if told.charge is None:
        raise ChargeMissing(payment_id=told.payment_id)
    checkout = checkout_of(payment)
    terms = told.terms if checkout is None else terms_of(checkout)
    if terms is None:
        raise PaymentUnknown(payment_id=told.payment_id)
    return PaymentSucceeded(
        purpose=terms.purpose,
        purpose_id=terms.purpose_id,
        partner_id=terms.partner_id,
        subscription_id=terms.subscription_id,
        charge_id=told.charge.charge_id,
        cents=told.charge.cents,
        method=told.charge.method,
        succeeded_at=told.charge.succeeded_at,
        livemode=told.livemode,
        **basis(command),
    )


def terms_of(checkout: CheckoutStarted) -> Terms:
    """Give what a payment is for as our own page said it: nobody at Stripe can change that."""
    return Terms(
        purpose=checkout.purpose,
        purpose_id=checkout.purpose_id,
        partner_id=checkout.partner_id,
        subscription_id=checkout.subscription_id,
    )


def changes(command: ObservePayment, payment: Succeeded) -> list[PaymentEvent]:
    found: list[PaymentEvent] = []
    for refund in command.seen.refunds:
        found += refunded(command, refund, failed=payment.refunds.get(refund.refund_id))
    for dispute in command.seen.disputes:
        found += contested(command, dispute, payment.disputes.get(dispute.dispute_id))
    return found


def refunded(command: ObservePayment, refund: Refund, *, failed: bool | None) -> list[PaymentEvent]:
    """Note a refund, or that a noted one failed. One that failed before it was noted is nothing.

    `failed` says what was noted of it; None when nothing was.
    """
    terms = {"refund_id": refund.refund_id, "cents": refund.cents, **basis(command)}
    if failed is None and not refund.failed:
        return [PaymentRefunded(refunded_on=refund.refunded_on, **terms)]
    if failed is False and refund.failed:
        on = refund.failed_on or civil_day(command.at)
        return [RefundFailed(failed_on=on, **terms)]
    return []


def contested(
    command: ObservePayment, dispute: Dispute, known: Disputed | None
) -> list[PaymentEvent]:
    """Note what is new of a dispute. One that was lost may still be won, never the reverse."""
    whose = {"dispute_id": dispute.dispute_id, **basis(command)}
    found: list[PaymentEvent] = []
    if known is None:
        known = Disputed(dispute.cents)
        found.append(
            DisputeOpened(
                cents=dispute.cents,
                reason=dispute.reason,
                evidence_due_at=dispute.evidence_due_at,
                **whose,
            )
        )
    if dispute.withdrawn_on is not None and not known.withdrawn:
        cents, on = dispute.withdrawn_cents, dispute.withdrawn_on
        found.append(DisputeFundsWithdrawn(cents=cents, withdrawn_on=on, **whose))
    if dispute.reinstated_on is not None and not known.reinstated:
        cents, on = dispute.reinstated_cents, dispute.reinstated_on
        found.append(DisputeFundsReinstated(cents=cents, reinstated_on=on, **whose))
    later = known.outcome is None or (known.outcome == "lost" and dispute.outcome == "won")
    if dispute.outcome is not None and later:
        found.append(DisputeClosed(outcome=dispute.outcome, **whose))
    return found


payment: Decider[PaymentCommand, Payment, PaymentEvent] = Decider(
    category="payment", initial=Unbegun(), decide=decide, evolve=evolve
)
