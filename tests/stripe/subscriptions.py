"""Monthly gifts at Stripe: a subscription, an invoice each month, and the intent that pays it.

Since the version "basil" an intent does not name its invoice, nor an invoice its intent: an invoice
payment stands between them.
"""

from typing import Any

from tests.stripe.account import Account, Object, act
from tests.stripe.money import DAY_SECONDS, Method, charge, fail, intend, succeed
from tests.stripe.requests import Refused

MONTH_SECONDS = 30 * DAY_SECONDS


def subscribe(
    account: Account, session: Object, lines: list[Object], told: dict[str, Any]
) -> Object:
    """Begin a subscription with its first invoice; give the intent that is to pay it."""
    customer = account.add(
        "customer", email=session["customer_details"]["email"], invoice_prefix="DBL"
    )
    account.emit("customer.created", customer)
    subscription = account.add(
        "subscription",
        customer=customer["id"],
        status="incomplete",
        currency="eur",
        collection_method="charge_automatically",
        billing_cycle_anchor=account.now,
        start_date=account.now,
        metadata=dict(told.get("metadata", {})),
        description=told.get("description"),
        billing_mode={"type": "flexible", "flexible": None},
    )
    subscription["items"]["data"] = [
        account.add(
            "subscription_item",
            subscription=subscription["id"],
            price=line["price"],
            quantity=line["quantity"],
            current_period_start=account.now,
            current_period_end=account.now + MONTH_SECONDS,
        )
        for line in lines
    ]
    account.emit("customer.subscription.created", subscription)
    intent = bill(account, subscription, "subscription_create")
    session |= {
        "customer": customer["id"],
        "subscription": subscription["id"],
        "invoice": subscription["latest_invoice"],
    }
    return intent


def bill(account: Account, subscription: Object, why: str) -> Object:
    """Make the invoice of a month and the intent that is to pay it; give the intent."""
    cents = sum(
        one["price"]["unit_amount"] * one["quantity"] for one in subscription["items"]["data"]
    )
    intent = intend(account, cents, {}, customer=subscription["customer"])
    invoice = account.add(
        "invoice",
        customer=subscription["customer"],
        amount_due=cents,
        amount_remaining=cents,
        subtotal=cents,
        total=cents,
        currency="eur",
        billing_reason=why,
        collection_method="charge_automatically",
        status="open",
        issuer={"type": "self"},
        period_start=account.now,
        period_end=account.now,
        parent={
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {
                "subscription": subscription["id"],
                "metadata": dict(subscription["metadata"]),
            },
        },
    )
    subscription["latest_invoice"] = invoice["id"]
    payment = account.add(
        "invoice_payment",
        invoice=invoice["id"],
        amount_requested=cents,
        currency="eur",
        is_default=True,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="open",
    )
    account.emit("invoice.created", invoice)
    account.emit("invoice.finalized", invoice)

    def paid(_: Object) -> None:
        settle(account, subscription, invoice, payment)

    account.on_paid[intent["id"]] = paid
    return intent


def settle(account: Account, subscription: Object, invoice: Object, payment: Object) -> None:
    cents = invoice["amount_due"]
    invoice |= {"status": "paid", "amount_paid": cents, "amount_remaining": 0, "attempted": True}
    invoice["status_transitions"]["paid_at"] = account.now
    payment |= {"status": "paid", "amount_paid": cents}
    payment["status_transitions"]["paid_at"] = account.now
    subscription["status"] = "active"
    account.emit("invoice_payment.paid", payment)
    account.emit("invoice.paid", invoice)
    account.emit("invoice.payment_succeeded", invoice)
    account.emit("customer.subscription.updated", subscription)


@act
def renew(account: Account, subscription_id: str, method: Method = "card") -> Object:
    """Let a month begin and be paid: by card at once, by a debit that is then on its way."""
    intent = next_month(account, subscription_id)
    if method == "card":
        succeed(account, intent, method)
        account.on_paid[intent["id"]](intent)
    else:
        intent["status"] = "processing"
        account.emit("charge.pending", charge(account, intent, method, "pending"))
        account.emit("payment_intent.processing", intent)
    return intent


@act
def fail_renewal(account: Account, subscription_id: str) -> Object:
    """Let the card of a month be declined: the gift of that month does not come."""
    intent = next_month(account, subscription_id)
    subscription = account.objects[subscription_id]
    fail(account, intent, "card", "card_declined")
    subscription["status"] = "past_due"
    invoice = account.objects[subscription["latest_invoice"]]
    invoice |= {"attempted": True, "attempt_count": 1}
    account.emit("invoice.payment_failed", invoice)
    account.emit("customer.subscription.updated", subscription)
    return intent


def next_month(account: Account, subscription_id: str) -> Object:
    subscription = account.get("subscription", subscription_id)
    assert subscription["status"] in ("active", "past_due"), subscription["status"]
    for one in subscription["items"]["data"]:
        one["current_period_start"] = one["current_period_end"]
        one["current_period_end"] += MONTH_SECONDS
    return bill(account, subscription, "subscription_cycle")


@act
def cancel(account: Account, subscription_id: str) -> Object:
    """End a subscription now, by our program, in the dashboard, or because no card answers."""
    subscription = account.get("subscription", subscription_id, "id")
    if subscription["status"] == "canceled":
        message = f"No such subscription: '{subscription_id}'"
        raise Refused(message, status=404, code="resource_missing", param="id")
    subscription |= {
        "status": "canceled",
        "canceled_at": account.now,
        "ended_at": account.now,
        "cancel_at_period_end": False,
    }
    account.emit("customer.subscription.deleted", subscription)
    return subscription


@act
def change(account: Account, subscription_id: str, told: dict[str, Any]) -> Object:
    """Change what our program may change: whether it ends with its month, and its metadata."""
    subscription = account.get("subscription", subscription_id, "id")
    if subscription["status"] == "canceled":
        raise Refused("A canceled subscription can only update its cancellation_details.")
    ends = told.get("cancel_at_period_end", subscription["cancel_at_period_end"])
    until = subscription["items"]["data"][0]["current_period_end"]
    subscription |= {
        "cancel_at_period_end": ends,
        "cancel_at": until if ends else None,
        "canceled_at": account.now if ends else None,
        "metadata": subscription["metadata"] | told.get("metadata", {}),
    }
    account.emit("customer.subscription.updated", subscription)
    return subscription
