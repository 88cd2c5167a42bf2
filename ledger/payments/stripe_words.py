"""From Stripe's objects, as plain dicts of its API, to our own words. Nothing here asks Stripe.

Field names and values are those of https://docs.stripe.com/api, in the version that the gateway
asks for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final, cast, get_args
from uuid import UUID

from ledger.calendar import civil_day
from ledger.payments.events import (
    DisputeOutcome,
    FailReason,
    LineKind,
    Method,
    PayoutLine,
    Purpose,
)
from ledger.payments.names import payment_id_of, payout_id_of
from ledger.payments.observed import (
    Charge,
    Dispute,
    ObservedPayment,
    ObservedPayout,
    ObservedSubscription,
    PayoutStatus,
    Refund,
    Status,
    Terms,
)

Told = Mapping[str, Any]

CURRENCY: Final = "eur"
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
# Refunds whose money left, or is about to; the others came back, or wait for the donor.
LEFT: Final = frozenset({"pending", "succeeded"})
CAME_BACK: Final = frozenset({"failed", "canceled"})
OUTCOMES: Final[Mapping[str, DisputeOutcome]] = {
    "won": "won",
    "lost": "lost",
    "warning_closed": "closed",
    "prevented": "closed",
}
LINE_KINDS: Final[Mapping[str, LineKind]] = {
    "charge": "charge",
    "refund": "refund",
    "dispute": "dispute",
    "dispute_reversal": "dispute_reversal",
    "fee": "fee",
    "network_cost": "fee",
    "tax": "fee",
}
PAYOUTS: Final[Mapping[str, PayoutStatus]] = {
    "pending": "on_its_way",
    "in_transit": "on_its_way",
    "paid": "paid",
    "failed": "failed",
    "canceled": "failed",
}
# Intents of a donor who is done that came to nothing.
REFUSED: Final = frozenset({"requires_payment_method", "canceled"})
SUBSCRIPTION_ENDS: Final = frozenset({"canceled", "unpaid", "incomplete_expired"})


@dataclass(frozen=True, slots=True)
class Giver:
    """Who gives each month: asked for when she is written to, and never kept.

    `email` is absent where Stripe has none, `language` where she began before it was noted.
    `billed_on` is the day on which the month in question began.
    """

    email: str | None = field(repr=False)
    language: str | None
    billed_on: date
    ended: bool


class ForeignCurrency(Exception):
    """Money in another currency: the ledger counts euros."""


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def day(seconds: int) -> date:
    return civil_day(moment(seconds))


def identifier(text: object) -> UUID | None:
    """Read an id that a page of ours wrote, None where somebody wrote something else."""
    try:
        return UUID(str(text)) if text else None
    except ValueError:
        return None


def in_euros(told: Told) -> None:
    """Raise ForeignCurrency unless an object's cents are of euros."""
    if told["currency"] != CURRENCY:
        raise ForeignCurrency(f"{told['id']} is in {told['currency']}")


def terms_in(metadata: Told) -> Terms | None:
    """Give what a payment is for, as our page wrote it there; None when none of ours did."""
    purpose = next((one for one in PURPOSES if one == metadata.get("purpose")), None)
    if purpose is None:
        return None
    return Terms(
        purpose=purpose,
        purpose_id=identifier(metadata.get("purpose_id")),
        partner_id=identifier(metadata.get("partner_id")),
        subscription_id=identifier(metadata.get("subscription_id")),
    )


def payment_id_in(intent: Told) -> UUID | None:
    """Give the payment of an intent: what our page named it, or one of a link's own making."""
    metadata = intent.get("metadata") or {}
    named = identifier(metadata.get("payment_id"))
    if named is not None:
        return named
    return None if terms_in(metadata) is None else payment_id_of(intent["id"])


def payment_id_of_invoice(invoice: Told) -> UUID:
    """Give the payment of a month: the first was begun on our page, others are the invoice's."""
    first = invoice.get("billing_reason") == "subscription_create"
    named = identifier(subscription_metadata(invoice).get("payment_id")) if first else None
    return named or payment_id_of(invoice["id"])


def subscription_metadata(invoice: Told) -> Told:
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    return details.get("metadata") or {}


def intent_status(intent: Told) -> tuple[Status, FailReason]:
    """Say how far an intent is. A declined card leaves it open: the donor may try another."""
    match intent["status"]:
        case "succeeded":
            return "succeeded", "other"
        case "processing":
            return "processing", "other"
        case "canceled":
            expired = intent.get("cancellation_reason") in {"abandoned", "expired"}
            return "failed", "expired" if expired else "canceled"
        case _:
            return "open", "other"


def payment_seen(
    payment_id: UUID,
    intent: Told,
    terms: Terms | None,
    refunds: Iterable[Told] = (),
    disputes: Iterable[Told] = (),
) -> ObservedPayment:
    """Say what an intent is now, its `latest_charge` in full, with its refunds and disputes."""
    in_euros(intent)
    status, failed_for = intent_status(intent)
    charge = intent.get("latest_charge")
    return ObservedPayment(
        payment_id=payment_id,
        status=status,
        failed_for=failed_for,
        terms=terms,
        charge=charge_seen(charge) if status == "succeeded" and charge else None,
        refunds=tuple(refund_seen(one) for one in in_order(refunds) if is_told(one)),
        disputes=tuple(dispute_seen(one) for one in in_order(disputes)),
        livemode=intent["livemode"],
    )


def in_order(objects: Iterable[Told]) -> list[Told]:
    """Sort objects by age: Stripe lists the newest first, and the ledger notes the oldest first."""
    return sorted(objects, key=lambda one: (one["created"], one["id"]))


def charge_seen(charge: Told) -> Charge:
    in_euros(charge)
    return Charge(
        charge_id=charge["id"],
        cents=charge["amount_captured"],
        method=method_of(charge),
        succeeded_at=moment(charge["created"]),
    )


def method_of(charge: Told) -> Method:
    kind = (charge.get("payment_method_details") or {}).get("type")
    return kind if kind in {"card", "sepa_debit"} else "other"


def is_told(refund: Told) -> bool:
    return refund["status"] in LEFT | CAME_BACK


def refund_seen(refund: Told) -> Refund:
    in_euros(refund)
    return Refund(
        refund_id=refund["id"],
        cents=refund["amount"],
        refunded_on=day(refund["created"]),
        failed=refund["status"] in CAME_BACK,
    )


def dispute_seen(dispute: Told) -> Dispute:
    """Say what a dispute is now. Its balance transactions say which money moved, and when."""
    in_euros(dispute)
    moves = in_order(dispute.get("balance_transactions") or ())
    withdrawn = next((one for one in moves if one["amount"] < 0), None)
    reinstated = next((one for one in moves if one["amount"] > 0), None)
    due_by = (dispute.get("evidence_details") or {}).get("due_by")
    return Dispute(
        dispute_id=dispute["id"],
        cents=dispute["amount"],
        reason=dispute["reason"],
        evidence_due_at=None if due_by is None else moment(due_by),
        withdrawn_cents=0 if withdrawn is None else -withdrawn["amount"],
        withdrawn_on=None if withdrawn is None else day(withdrawn["created"]),
        reinstated_cents=0 if reinstated is None else reinstated["amount"],
        reinstated_on=None if reinstated is None else day(reinstated["created"]),
        outcome=OUTCOMES.get(dispute["status"]),
    )


def as_told_by(session: Told | None, seen: ObservedPayment, intent: Told | None) -> ObservedPayment:
    """Say of an open payment what its session adds: it may be over, or wait for somebody's act.

    A donor who is done with Stripe's page may still have to pay a voucher or to confirm with her
    bank; once her intent asks for another means of payment, that came to nothing.
    """
    if session is None or seen.status != "open":
        return seen
    if session["status"] == "expired":
        return seen.model_copy(update={"status": "failed", "failed_for": "expired"})
    if session["status"] != "complete" or session["payment_status"] != "unpaid" or intent is None:
        return seen
    if intent["status"] in REFUSED:
        return seen.model_copy(update={"status": "failed", "failed_for": "declined"})
    return seen.model_copy(update={"status": "processing"})


def payout_seen(payout: Told, movements: Iterable[Told]) -> ObservedPayout:
    """Say what a payout is now; the movement of the payout itself is not one of its lines."""
    in_euros(payout)
    lines = (line_seen(one) for one in movements if one["type"] != "payout")
    return ObservedPayout(
        payout_id=payout_id_of(payout["id"]),
        stripe_id=payout["id"],
        status=PAYOUTS[payout["status"]],
        cents=payout["amount"],
        # Stripe names the day by its midnight in UTC.
        arrival_on=moment(payout["arrival_date"]).date(),
        lines=tuple(lines),
        by_hand=not payout["automatic"],
        livemode=payout["livemode"],
    )


def line_seen(movement: Told) -> PayoutLine:
    in_euros(movement)
    source = movement.get("source") or movement["id"]
    return PayoutLine(
        kind=LINE_KINDS.get(movement["reporting_category"], "adjustment"),
        source_id=cast(str, source if isinstance(source, str) else source["id"]),
        gross_cents=movement["amount"],
        fee_cents=movement["fee"],
        net_cents=movement["net"],
    )


def subscription_seen(subscription: Told) -> ObservedSubscription | None:
    """Say whether a monthly gift ended; None when it is none of ours."""
    subscription_id = identifier((subscription.get("metadata") or {}).get("subscription_id"))
    if subscription_id is None:
        return None
    ended_at = subscription.get("ended_at") or subscription.get("canceled_at")
    ended = subscription["status"] in SUBSCRIPTION_ENDS
    ended_on = day(ended_at or subscription["created"]) if ended else None
    return ObservedSubscription(subscription_id=subscription_id, ended_on=ended_on)


def subscription_in(invoice: Told) -> str:
    """Give Stripe's id of the monthly gift that an invoice is of."""
    return str(invoice["parent"]["subscription_details"]["subscription"])


def giver_seen(invoice: Told, subscription: Told) -> Giver:
    """Say who gives a month, of its invoice and its subscription with the `customer` in full."""
    return Giver(
        # A customer who was deleted has none.
        email=subscription["customer"].get("email"),
        language=(subscription.get("metadata") or {}).get("language"),
        billed_on=day(invoice["created"]),
        ended=subscription["status"] in SUBSCRIPTION_ENDS,
    )
