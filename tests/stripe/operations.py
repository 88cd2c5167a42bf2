"""What each call that changes something does; what is only read needs no line here."""

from collections.abc import Callable
from typing import Any

from tests.stripe import catalogue, checkout, money, payouts, subscriptions
from tests.stripe.account import Account, Object
from tests.stripe.answers import kept_lines
from tests.stripe.requests import Refused

Told = dict[str, Any]
Named = dict[str, str]
# The cards that Stripe has for tests, as far as this double has them.
DECLINED = frozenset({"pm_card_chargeDeclined", "pm_card_visa_chargeDeclined"})
DISPUTED = frozenset({"pm_card_createDispute", "pm_card_createDisputeInquiry"})
CARDS = DECLINED | DISPUTED | {"pm_card_visa", "pm_card_bypassPending"}
Perform = Callable[[Account, Named, Told], Object]


def refund(account: Account, _: Named, told: Told) -> Object:
    charge_id = told.get("charge")
    if charge_id is None:
        intent = account.get("payment_intent", told.get("payment_intent"), "payment_intent")
        charge_id = intent["latest_charge"]
    given = money.refund(account, charge_id, told.get("amount"), told.get("reason"))
    given["metadata"] = told.get("metadata", {})
    return given


def change_dispute(account: Account, named: Named, told: Told) -> Object:
    evidence, submit = told.get("evidence", {}), told.get("submit", True)
    doubt = money.send_evidence(account, named["dispute"], evidence, submit=submit)
    doubt["metadata"] |= told.get("metadata", {})
    return doubt


def close_dispute(account: Account, named: Named, _: Told) -> Object:
    money.close_dispute(account, named["dispute"], "lost")
    return account.get("dispute", named["dispute"])


def change_link(account: Account, named: Named, told: Told) -> Object:
    link = account.get("payment_link", named["payment_link"], "payment_link")
    link["metadata"] |= told.get("metadata", {})
    link["active"] = told.get("active", link["active"])
    return link


def intend(account: Account, _: Named, told: Told) -> Object:
    intent = money.intend(account, told["amount"], told.get("metadata", {}), told["currency"])
    intent["description"] = told.get("description")
    if "payment_method" in told:
        intent["status"] = "requires_confirmation"
    if told.get("confirm"):
        confirm(account, {"intent": intent["id"]}, told)
    return intent


def confirm(account: Account, named: Named, told: Told) -> Object:
    """Confirm with one of the cards that Stripe has for tests."""
    intent = account.get("payment_intent", named["intent"], "intent")
    if intent["status"] in ("succeeded", "canceled", "processing"):
        message = f"You cannot confirm this PaymentIntent: its status is {intent['status']}."
        raise Refused(message, code="payment_intent_unexpected_state")
    card = told.get("payment_method", "pm_card_visa")
    assert card in CARDS, f"the double has no test card {card}"
    if card in DECLINED:
        money.fail(account, intent, "card", "card_declined")
        raise Refused("Your card was declined.", 402, "card_error", code="card_declined")
    taken = money.succeed(account, intent, "card")
    if card in DISPUTED:
        inquiry = card == "pm_card_createDisputeInquiry"
        contested = money.dispute(account, taken["id"], inquiry=inquiry)
        if not inquiry:
            money.withdraw(account, contested["id"])
    return intent


def cancel_intent(account: Account, named: Named, told: Told) -> Object:
    intent = account.get("payment_intent", named["intent"], "intent")
    if intent["status"] in ("succeeded", "canceled", "processing"):
        message = f"You cannot cancel this PaymentIntent: its status is {intent['status']}."
        raise Refused(message, code="payment_intent_unexpected_state")
    intent |= {
        "status": "canceled",
        "canceled_at": account.now,
        "cancellation_reason": told.get("cancellation_reason"),
    }
    account.emit("payment_intent.canceled", intent)
    return intent


def lines_of(kind: str) -> Perform:
    def lines(account: Account, named: Named, _: Told) -> Object:
        (object_id,) = named.values()
        one = account.get(kind, object_id)
        url = f"/v1/{kind.replace('.', '/')}s/{object_id}/line_items"
        return {"object": "list", "url": url, "has_more": False, "data": kept_lines(account, one)}

    return lines


def own_account(account: Account, _: Named, __: Told) -> Object:
    return {
        "id": account.id,
        "object": "account",
        "charges_enabled": True,
        "payouts_enabled": True,
        "details_submitted": True,
        "country": "FR",
        "default_currency": "eur",
        "email": "tresor@example.org",
        "type": "standard",
    }


def balance(account: Account, _: Named, __: Told) -> Object:
    free = [one for one in account.all("balance_transaction") if one["id"] not in account.paid_by]
    amount = {"amount": sum(one["net"] for one in free), "currency": "eur"}
    return {
        "object": "balance",
        "livemode": account.livemode,
        "available": [{"amount": 0, "currency": "eur", "source_types": {"card": 0}}],
        "pending": [{**amount, "source_types": {"card": amount["amount"]}}],
    }


OPERATIONS: dict[str, Perform] = {
    "DeleteSubscriptionsSubscriptionExposedId": lambda account, named, _: subscriptions.cancel(
        account, named["subscription_exposed_id"]
    ),
    "GetAccount": own_account,
    "GetBalance": balance,
    "GetCheckoutSessionsSessionLineItems": lines_of("checkout.session"),
    "GetPaymentLinksPaymentLinkLineItems": lines_of("payment_link"),
    "PostCheckoutSessions": lambda account, _, told: checkout.start(account, told),
    "PostCheckoutSessionsSessionExpire": lambda account, named, _: checkout.expire(
        account, named["session"]
    ),
    "PostDisputesDispute": change_dispute,
    "PostDisputesDisputeClose": close_dispute,
    "PostPaymentIntents": intend,
    "PostPaymentIntentsIntentCancel": cancel_intent,
    "PostPaymentIntentsIntentConfirm": confirm,
    "PostPaymentLinks": lambda account, _, told: checkout.make_link(account, told),
    "PostPaymentLinksPaymentLink": change_link,
    "PostPayouts": lambda account, _, told: payouts.pay_out_by_hand(account, told["amount"]),
    "PostPrices": lambda account, _, told: catalogue.make_price(account, told),
    "PostProducts": lambda account, _, told: catalogue.make_product(account, told),
    "PostRefunds": refund,
    "PostSubscriptionsSubscriptionExposedId": lambda account, named, told: subscriptions.change(
        account, named["subscription_exposed_id"], told
    ),
}
