"""What may become of one payment at Stripe, act by act, and what it is then worth.

The second model: it looks at Stripe's objects alone, and knows nothing of our events.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.stripe import checkout, money, payouts
from tests.stripe.account import Account, Object

Acts = dict[str, Callable[[], object]]


@dataclass(frozen=True, slots=True)
class Worth:
    """A payment as the money says: what came, what went back or was taken, and what is left."""

    paid: int = 0
    given_back: frozenset[tuple[str, int]] = frozenset()
    disputes: frozenset[tuple[str, str | None, int]] = frozenset()
    left: int = 0


@dataclass
class Story:
    """One payment from its session on, in an account that other payments may share."""

    account: Account
    session: Object

    @property
    def intent(self) -> Object | None:
        return self.account.objects.get(self.session["payment_intent"] or "")

    @property
    def charge(self) -> Object | None:
        """The charge that brought money, once there is one."""
        if self.intent is None or self.intent["status"] != "succeeded":
            return None
        return self.account.objects[self.intent["latest_charge"]]

    def of(self, kind: str) -> list[Object]:
        """Give the refunds or disputes of this payment, the oldest first."""
        charge = self.charge
        if charge is None:
            return []
        return [one for one in self.account.all(kind) if one["charge"] == charge["id"]][::-1]

    def possible(self) -> Acts:
        """Name what may happen next; nothing here can be refused."""
        return self.before_paid() | self.of_refunds() | self.of_disputes() | self.of_payouts()

    def before_paid(self) -> Acts:
        account, session_id = self.account, self.session["id"]
        if self.session["status"] == "open":
            return {
                "declined": partial(checkout.decline, account, session_id),
                "paid by card": partial(checkout.pay, account, session_id),
                "paid by debit": partial(checkout.pay, account, session_id, "sepa_debit"),
            }
        if self.intent is not None and self.intent["status"] == "processing":
            intent_id = self.intent["id"]
            return {"debit arrives": partial(checkout.settle_debit, account, intent_id)}
        return {}

    def of_refunds(self) -> Acts:
        account, charge = self.account, self.charge
        if charge is None:
            return {}
        found: Acts = {}
        charge_id = charge["id"]
        left = charge["amount"] - charge["amount_refunded"]
        if left and not self.blocked:
            part = max(1, left // 3)
            found["part given back"] = partial(money.refund, account, charge_id, part)
            found["rest given back"] = partial(money.refund, account, charge_id)
        for one in self.of("refund"):
            if one["status"] == "pending":
                found["refund arrives"] = partial(money.settle_refund, account, one["id"])
            if one["status"] != "failed":
                found["refund fails"] = partial(money.fail_refund, account, one["id"])
        return found

    @property
    def blocked(self) -> bool:
        return any(not one["is_charge_refundable"] for one in self.of("dispute"))

    def of_disputes(self) -> Acts:
        account, charge = self.account, self.charge
        if charge is None:
            return {}
        disputes = self.of("dispute")
        if not disputes:
            left = charge["amount"] - charge["amount_refunded"]
            whole = {
                "all contested": partial(money.dispute, account, charge["id"], charge["amount"])
            }
            rest = {"rest contested": partial(money.dispute, account, charge["id"])}
            return {**whole, **rest} if left else {}
        (one,) = disputes
        dispute_id = one["id"]
        if one["status"] == "lost":
            return {"overturned": partial(money.overturn, account, dispute_id)}
        if one["status"] == "won":
            return {}
        if not one["balance_transactions"]:
            return {"money withdrawn": partial(money.withdraw, account, dispute_id)}
        return {
            "won": partial(money.close_dispute, account, dispute_id, "won"),
            "lost": partial(money.close_dispute, account, dispute_id, "lost"),
        }

    def of_payouts(self) -> Acts:
        account = self.account
        found: Acts = {}
        if sum(one["net"] for one in payouts.unpaid(account)) > 0:
            found["paid out"] = partial(payouts.pay_out, account)
        for one in account.all("payout"):
            if one["status"] == "in_transit":
                found["payout arrives"] = partial(payouts.arrive, account, one["id"])
            if one["status"] in ("in_transit", "paid"):
                found["payout bounces"] = partial(payouts.fail_payout, account, one["id"])
        return found

    def worth(self) -> Worth:
        charge = self.charge
        if charge is None:
            return Worth()
        refunds = [one for one in self.of("refund") if one["status"] != "failed"]
        given_back = frozenset((one["id"], one["amount"]) for one in refunds)
        left: int = charge["amount"] - sum(one["amount"] for one in refunds)
        disputes = set()
        for one in self.of("dispute"):
            moved = sum(move["amount"] for move in one["balance_transactions"])
            outcome = one["status"] if one["status"] in ("won", "lost") else None
            disputes.add((one["id"], outcome, moved))
            if outcome == "lost":
                left -= min(left, one["amount"])
        return Worth(charge["amount"], given_back, frozenset(disputes), left)
