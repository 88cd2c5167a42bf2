"""Payouts: what Stripe sends to the bank, and which movements of the balance each holds."""

from tests.stripe.account import Account, Object, act
from tests.stripe.money import DAY_SECONDS, moved

ARRIVES_AFTER = 2 * DAY_SECONDS


def unpaid(account: Account) -> list[Object]:
    """Movements that no payout holds yet, the oldest first."""
    free = [one for one in account.all("balance_transaction") if one["id"] not in account.paid_by]
    return free[::-1]


@act
def pay_out(account: Account) -> Object:
    """Send all that the balance holds to the bank: an automatic payout, on its way."""
    held = unpaid(account)
    cents = sum(one["net"] for one in held)
    assert cents > 0, "nothing can be paid out of an empty balance"
    payout = account.add(
        "payout",
        amount=cents,
        arrival_date=account.now + ARRIVES_AFTER,
        automatic=True,
        currency="eur",
        method="standard",
        reconciliation_status="in_progress",
        source_type="card",
        status="in_transit",
        type="bank_account",
    )
    sent = moved(account, payout, "payout", "payout", -cents)
    payout["balance_transaction"] = sent
    # Stripe lists the payout's own movement among those that it holds.
    account.paid_by |= dict.fromkeys([sent, *(one["id"] for one in held)], payout["id"])
    for one in held:
        one["status"] = "available"
    account.emit("payout.created", payout)
    payout["reconciliation_status"] = "completed"
    account.emit("payout.reconciliation_completed", payout)
    return payout


@act
def pay_out_by_hand(account: Account, cents: int) -> Object:
    """Send an amount that somebody chose: Stripe does not say what it is made of."""
    payout = account.add(
        "payout",
        amount=cents,
        arrival_date=account.now + ARRIVES_AFTER,
        automatic=False,
        currency="eur",
        method="standard",
        reconciliation_status="not_applicable",
        source_type="card",
        status="pending",
        type="bank_account",
    )
    payout["balance_transaction"] = moved(account, payout, "payout", "payout", -cents)
    account.emit("payout.created", payout)
    return payout


@act
def arrive(account: Account, payout_id: str) -> None:
    payout = account.get("payout", payout_id)
    payout["status"] = "paid"
    account.emit("payout.paid", payout)


@act
def fail_payout(account: Account, payout_id: str) -> None:
    """Let the bank send a payout back, even days after it was told to be paid."""
    payout = account.get("payout", payout_id)
    payout |= {
        "status": "failed",
        "failure_code": "account_closed",
        "failure_message": "The bank account has been closed.",
    }
    payout["failure_balance_transaction"] = moved(
        account, payout, "payout_failure", "payout_reversal", payout["amount"]
    )
    account.emit("payout.failed", payout)
