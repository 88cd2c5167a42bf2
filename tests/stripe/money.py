"""Money at Stripe: intents, charges, refunds, disputes, and each movement of the balance."""

from typing import Any, Literal

from tests.stripe.account import Account, Object, act
from tests.stripe.requests import Refused

Method = Literal["card", "sepa_debit"]
DAY_SECONDS = 86_400
AVAILABLE_AFTER = 2 * DAY_SECONDS
EVIDENCE_WITHIN = 14 * DAY_SECONDS
DISPUTE_FEE = 2_000
# Disputes that await evidence, and what they are once it was submitted.
OPEN = {
    "needs_response": "under_review",
    "warning_needs_response": "warning_under_review",
}
CLOSED = ("won", "lost", "warning_closed", "prevented")
CARD = {"exp_month": 12, "exp_year": 2030, "brand": "visa", "last4": "4242", "country": "FR"}
DEBIT = {"bank_code": "30006", "country": "FR", "last4": "3000"}


def fee_of(method: str, cents: int) -> int:
    """What Stripe keeps in Europe: 1.5 % and 25 cents of a card, 35 cents of a debit."""
    return cents * 15 // 1_000 + 25 if method == "card" else 35


def moved(
    account: Account, source: Object, kind: str, category: str, cents: int, *, fee: int = 0
) -> str:
    """Note one movement of the balance, in euros at par; give its id."""
    details = [
        {
            "amount": fee,
            "application": None,
            "currency": "eur",
            "description": None,
            "type": "stripe_fee",
        }
    ]
    return str(
        account.add(
            "balance_transaction",
            type=kind,
            reporting_category=category,
            source=source["id"],
            amount=cents,
            fee=fee,
            net=cents - fee,
            fee_details=details if fee else [],
            currency="eur",
            balance_type="payments",
            available_on=account.now + AVAILABLE_AFTER,
            status="pending",
        )["id"]
    )


def intend(
    account: Account, cents: int, metadata: dict[str, str], currency: str = "eur", **told: Any
) -> Object:
    """Make an intent, to which nobody has given a means to pay yet."""
    intent = account.add(
        "payment_intent",
        amount=cents,
        amount_received=0,
        amount_capturable=0,
        currency=currency,
        capture_method="automatic_async",
        confirmation_method="automatic",
        payment_method_types=["card", "sepa_debit"],
        status="requires_payment_method",
        metadata=metadata,
        **told,
    )
    intent["client_secret"] = f"{intent['id']}_secret_{account.new_id('')}"
    account.emit("payment_intent.created", intent)
    return intent


def charge(account: Account, intent: Object, method: Method, status: str) -> Object:
    """Take money for an intent. What is no card is a `py_`, and moves the balance as a payment."""
    details: dict[str, Any] = {"type": method, method: CARD if method == "card" else DEBIT}
    prefix = "ch_" if method == "card" else "py_"
    taken = account.add(
        "charge",
        id=account.new_id(prefix),
        amount=intent["amount"],
        amount_captured=intent["amount"],
        captured=True,
        currency=intent["currency"],
        customer=intent["customer"],
        metadata=dict(intent["metadata"]),
        paid=status != "failed",
        payment_intent=intent["id"],
        payment_method_details=details,
        status=status,
        outcome={
            "advice_code": None,
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "approved_by_network",
            "reason": None,
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
    )
    intent["latest_charge"] = taken["id"]
    return taken


def succeed(account: Account, intent: Object, method: Method) -> Object:
    """Let the money of an intent arrive, by a new charge or by the debit that was on its way."""
    taken = account.objects.get(intent["latest_charge"] or "")
    if taken is None or taken["status"] != "pending":
        taken = charge(account, intent, method, "succeeded")
    taken |= {"status": "succeeded", "paid": True}
    cents = taken["amount"]
    kind = "charge" if method == "card" else "payment"
    taken["balance_transaction"] = moved(
        account, taken, kind, "charge", cents, fee=fee_of(method, cents)
    )
    intent |= {"status": "succeeded", "amount_received": cents, "last_payment_error": None}
    account.emit("charge.succeeded", taken)
    account.emit("payment_intent.succeeded", intent)
    return taken


def fail(account: Account, intent: Object, method: Method, code: str) -> None:
    """Let a charge of an intent fail: at once for a card, days later for a debit."""
    taken = account.objects.get(intent["latest_charge"] or "")
    if taken is None or taken["status"] != "pending":
        taken = charge(account, intent, method, "failed")
    told = "The payment failed."
    taken |= {
        "status": "failed",
        "paid": False,
        "captured": False,
        "amount_captured": 0,
        "failure_code": code,
        "failure_message": told,
    }
    intent["status"] = "requires_payment_method"
    intent["last_payment_error"] = {
        "type": "card_error",
        "code": code,
        "message": told,
        "charge": taken["id"],
    }
    account.emit("charge.failed", taken)
    account.emit("payment_intent.payment_failed", intent)


@act
def refund(
    account: Account, charge_id: str, cents: int | None = None, reason: str | None = None
) -> Object:
    """Give money back, as somebody does in the dashboard or our program by the API."""
    taken = account.get("charge", charge_id, "charge")
    left = taken["amount_captured"] - taken["amount_refunded"]
    cents = left if cents is None else cents
    if taken["status"] != "succeeded":
        raise Refused("This charge has not succeeded.", code="charge_not_refundable")
    if any(one["charge"] == charge_id for one in blocking(account)):
        raise Refused("This charge is disputed.", code="charge_disputed", param="charge")
    if left == 0:
        message = f"Charge {charge_id} has already been refunded."
        raise Refused(message, code="charge_already_refunded")
    if not 0 < cents <= left:
        message = f"Refund amount ({cents}) is greater than unrefunded amount on charge ({left})"
        raise Refused(message, param="amount")
    method = taken["payment_method_details"]["type"]
    given = account.add(
        "refund",
        id=account.new_id("re_" if method == "card" else "pyr_"),
        amount=cents,
        charge=charge_id,
        payment_intent=taken["payment_intent"],
        currency=taken["currency"],
        reason=reason,
        status="succeeded" if method == "card" else "pending",
        destination_details={"type": method},
    )
    kind = "refund" if method == "card" else "payment_refund"
    given["balance_transaction"] = moved(account, given, kind, "refund", -cents)
    taken["amount_refunded"] += cents
    taken["refunded"] = taken["amount_refunded"] == taken["amount_captured"]
    account.emit("refund.created", given)
    account.emit("charge.refunded", taken)
    return given


@act
def settle_refund(account: Account, refund_id: str) -> None:
    """Let a refund that was on its way arrive."""
    given = account.get("refund", refund_id)
    given["status"] = "succeeded"
    account.emit("refund.updated", given)
    account.emit("charge.refund.updated", given)


@act
def fail_refund(account: Account, refund_id: str) -> None:
    """Let the donor's bank send a refund back: the money is in our balance again."""
    given = account.get("refund", refund_id)
    taken = account.get("charge", given["charge"])
    given |= {"status": "failed", "failure_reason": "lost_or_stolen_card"}
    kind = "refund_failure" if taken["id"].startswith("ch_") else "payment_failure_refund"
    given["failure_balance_transaction"] = moved(
        account, given, kind, "refund_failure", given["amount"]
    )
    taken["amount_refunded"] -= given["amount"]
    taken["refunded"] = False
    account.emit("refund.failed", given)
    account.emit("refund.updated", given)
    account.emit("charge.refund.updated", given)


@act
def dispute(
    account: Account,
    charge_id: str,
    cents: int | None = None,
    reason: str = "fraudulent",
    *,
    inquiry: bool = False,
) -> Object:
    """Let a donor's bank contest a charge, or only ask: its money goes by an act of its own."""
    taken = account.get("charge", charge_id)
    cents = taken["amount"] - taken["amount_refunded"] if cents is None else cents
    contested = account.add(
        "dispute",
        amount=cents,
        charge=charge_id,
        payment_intent=taken["payment_intent"],
        currency=taken["currency"],
        reason=reason,
        status="warning_needs_response" if inquiry else "needs_response",
        is_charge_refundable=inquiry,
    )
    contested["evidence_details"] |= {"due_by": account.now + EVIDENCE_WITHIN}
    taken["disputed"] = True
    account.emit("charge.dispute.created", contested)
    return contested


def blocking(account: Account) -> list[Object]:
    """Give the disputes while which nothing can be given back, so that no money goes twice."""
    return [one for one in account.all("dispute") if not one["is_charge_refundable"]]


def move_dispute(account: Account, contested: Object, category: str, cents: int, fee: int) -> None:
    transaction_id = moved(account, contested, "adjustment", category, cents, fee=fee)
    contested["balance_transactions"].append(account.objects[transaction_id])


@act
def withdraw(account: Account, dispute_id: str) -> None:
    contested = account.get("dispute", dispute_id)
    move_dispute(account, contested, "dispute", -contested["amount"], DISPUTE_FEE)
    account.emit("charge.dispute.funds_withdrawn", contested)


@act
def send_evidence(
    account: Account, dispute_id: str, evidence: dict[str, Any], *, submit: bool
) -> Object:
    """Evidence is kept, and goes to the bank once it is submitted: then nothing can be added."""
    contested = account.get("dispute", dispute_id)
    if contested["status"] not in OPEN:
        raise Refused("This dispute is not awaiting a response.", code="dispute_closed")
    contested["evidence"] |= evidence
    contested["evidence_details"]["has_evidence"] = True
    if submit:
        contested["evidence_details"]["submission_count"] += 1
        contested["status"] = OPEN[contested["status"]]
    account.emit("charge.dispute.updated", contested)
    return contested


@act
def close_dispute(
    account: Account, dispute_id: str, outcome: Literal["won", "lost", "warning_closed"]
) -> None:
    """Let the bank decide; funds that were withdrawn come back to whoever won."""
    contested = account.get("dispute", dispute_id)
    if contested["status"] in CLOSED:
        raise Refused("This dispute is closed.", code="dispute_closed")
    assert contested["status"].startswith("warning") == outcome.startswith("warning")
    contested["status"] = outcome
    if outcome == "won":
        reinstate(account, contested)
    account.emit("charge.dispute.closed", contested)


def reinstate(account: Account, contested: Object) -> None:
    """Give us back what a dispute took, if it took it; the charge can be refunded again."""
    contested["is_charge_refundable"] = True
    if contested["balance_transactions"]:
        move_dispute(account, contested, "dispute_reversal", contested["amount"], 0)
        account.emit("charge.dispute.funds_reinstated", contested)


@act
def overturn(account: Account, dispute_id: str) -> None:
    """Let a dispute that was lost be won after all, as happens once banks have spoken again."""
    contested = account.get("dispute", dispute_id)
    assert contested["status"] == "lost"
    contested["status"] = "won"
    reinstate(account, contested)
    account.emit("charge.dispute.closed", contested)
