"""Checkout at Stripe: sessions that our program starts, links, and what donors do on them."""

from typing import Any

from tests.stripe.account import Account, Object, act
from tests.stripe.catalogue import make_lines, without
from tests.stripe.money import DAY_SECONDS, Method, charge, fail, intend, succeed
from tests.stripe.requests import Refused
from tests.stripe.subscriptions import subscribe

CENTS_MIN = 50
SESSION_ID = "{CHECKOUT_SESSION_ID}"
# Kept with a session, as Stripe keeps it, until the donor pays; it shows in no answer.
KEPT = ("line_items", "payment_intent_data", "subscription_data", "expand")
# Taken as it comes: what a donor sees, which the double shows nobody.
LOOKS = (
    "custom_text",
    "custom_fields",
    "consent_collection",
    "payment_method_options",
    "phone_number_collection",
    "invoice_creation",
    "name_collection",
    "automatic_tax",
    "tax_id_collection",
    "after_expiration",
    "branding_settings",
    "adaptive_pricing",
    "payment_method_data",
    "saved_payment_method_options",
    "customer_update",
    "wallet_options",
)


@act
def start(account: Account, told: dict[str, Any]) -> Object:
    """Open a session for what our program asks."""
    mode = told.get("mode", "payment")
    if not told.get("line_items"):
        raise Refused("Missing required param: line_items.", param="line_items")
    if told.get("ui_mode", "hosted_page") == "hosted_page" and "success_url" not in told:
        raise Refused("You must provide `success_url`.", param="success_url")
    for part, needed in (("payment_intent_data", "payment"), ("subscription_data", "subscription")):
        if part in told and mode != needed:
            raise Refused(f"You can not pass `{part}` in `{mode}` mode.", param=part)
    expires_at = told.get("expires_at", account.now + DAY_SECONDS)
    if not account.now + 1_790 <= expires_at <= account.now + DAY_SECONDS + 10:
        message = "The `expires_at` timestamp must be between 30 minutes and 24 hours from now."
        raise Refused(message, param="expires_at")
    lines = make_lines(account, told["line_items"])
    recurring = any(line["price"]["type"] == "recurring" for line in lines)
    if recurring != (mode == "subscription"):
        raise Refused(f"`{mode}` mode does not fit these prices.", param="mode")
    cents = sum(line["amount_total"] for line in lines)
    if cents < CENTS_MIN:
        message = "The total amount due must add up to at least €0.50 eur."
        raise Refused(message, code="amount_too_small", param="line_items")
    return open_session(account, told, lines, mode, expires_at)


def open_session(
    account: Account, told: dict[str, Any], lines: list[Object], mode: str, expires_at: int
) -> Object:
    cents = sum(line["amount_total"] for line in lines)
    session = account.add(
        "checkout.session",
        **{
            "payment_method_types": ["card", "sepa_debit"],
            "submit_type": None,
            **without(told, *KEPT, *LOOKS),
            "mode": mode,
            "status": "open",
            "payment_status": "unpaid",
            "amount_subtotal": cents,
            "amount_total": cents,
            "currency": lines[0]["currency"],
            "ui_mode": "hosted_page",
            "redirect_on_completion": "always",
            "expires_at": expires_at,
        },
    )
    session["url"] = f"{account.pages_url}/pay/{session['id']}"
    account.kept[session["id"]] = {name: told[name] for name in KEPT if name in told} | {
        "lines": lines
    }
    return session


@act
def expire(account: Account, session_id: str) -> Object:
    """End a session that nobody paid, by our program or because its day is over."""
    session = account.get("checkout.session", session_id, "session")
    if session["status"] != "open":
        message = 'Only Checkout Sessions with a status in ["open"] can be expired.'
        raise Refused(message, param="session")
    session |= {"status": "expired", "url": None}
    account.emit("checkout.session.expired", session)
    return session


@act
def pay(
    account: Account, session_id: str, method: Method = "card", email: str = "don@example.org"
) -> Object:
    """Let a donor pay. A card's money is there at once; a debit's is on its way for days."""
    session = opened(account, session_id)
    kept = account.kept[session_id]
    session["customer_details"] = {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": "Une donatrice",
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }
    if session["mode"] == "subscription":
        intent = subscribe(account, session, kept["lines"], kept.get("subscription_data", {}))
    else:
        intent = intent_of(account, session, kept)
    session |= {"status": "complete", "url": None}
    if method == "card":
        succeed(account, intent, "card")
        session["payment_status"] = "paid"
    else:
        intent["status"] = "processing"
        charge(account, intent, method, "pending")
        account.emit("charge.pending", account.objects[intent["latest_charge"]])
        account.emit("payment_intent.processing", intent)
    account.session_of[intent["id"]] = session_id
    if session["mode"] == "subscription" and method == "card":
        account.on_paid[intent["id"]](intent)
    account.emit("checkout.session.completed", session)
    return session


def opened(account: Account, session_id: str) -> Object:
    session = account.get("checkout.session", session_id, "session")
    assert session["status"] == "open", f"a donor cannot pay a session that is {session['status']}"
    return session


def intent_of(account: Account, session: Object, kept: dict[str, Any]) -> Object:
    """Give the intent of a session: a card that was declined before leaves one to try again."""
    if session["payment_intent"] is not None:
        return account.get("payment_intent", session["payment_intent"])
    wanted = kept.get("payment_intent_data", {})
    intent = intend(
        account,
        session["amount_total"],
        dict(wanted.get("metadata", {})),
        session["currency"],
        customer=session["customer"],
        **({"description": wanted["description"]} if "description" in wanted else {}),
    )
    session["payment_intent"] = intent["id"]
    return intent


@act
def decline(account: Account, session_id: str, code: str = "card_declined") -> None:
    """Let a donor's card be declined; the session stays open for another try."""
    session = opened(account, session_id)
    assert session["mode"] == "payment", "a subscription's first card is tried before it exists"
    fail(account, intent_of(account, session, account.kept[session_id]), "card", code)


@act
def settle_debit(account: Account, intent_id: str) -> None:
    """Let the money of a SEPA debit arrive."""
    intent = account.get("payment_intent", intent_id)
    assert intent["status"] == "processing"
    succeed(account, intent, "sepa_debit")
    if intent_id in account.on_paid:
        account.on_paid[intent_id](intent)
    tell_session(account, intent_id, "paid", "checkout.session.async_payment_succeeded")


@act
def fail_debit(account: Account, intent_id: str) -> None:
    """Let the donor's bank refuse a SEPA debit, days after she was thanked for it."""
    intent = account.get("payment_intent", intent_id)
    assert intent["status"] == "processing"
    fail(account, intent, "sepa_debit", "insufficient_funds")
    tell_session(account, intent_id, "unpaid", "checkout.session.async_payment_failed")


def tell_session(account: Account, intent_id: str, payment_status: str, kind: str) -> None:
    session_id = account.session_of.get(intent_id)
    if session_id is not None:
        session = account.objects[session_id]
        session["payment_status"] = payment_status
        account.emit(kind, session)


@act
def make_link(account: Account, told: dict[str, Any]) -> Object:
    """Make a link that anybody may pay, again and again, as by a QR code at a stand."""
    lines = make_lines(account, told["line_items"])
    after = told.get("after_completion", {"type": "hosted_confirmation"})
    if after["type"] == "hosted_confirmation":
        after = {"type": after["type"], "hosted_confirmation": {"custom_message": None}}
    intent_data = told.get("payment_intent_data")
    link = account.add(
        "payment_link",
        **{
            **without(told, *KEPT, *LOOKS, "after_completion", "restrictions"),
            "active": True,
            "after_completion": after,
            "currency": lines[0]["currency"],
            "payment_intent_data": intent_data and {**BLANK_INTENT_DATA, **intent_data},
        },
    )
    link["url"] = f"{account.pages_url}/link/{link['id']}"
    account.kept[link["id"]] = {name: told[name] for name in KEPT if name in told} | {
        "lines": lines
    }
    return link


BLANK_INTENT_DATA: dict[str, Any] = {
    "capture_method": None,
    "description": None,
    "metadata": {},
    "setup_future_usage": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "transfer_group": None,
}


@act
def visit_link(account: Account, link_id: str, cents: int | None = None) -> Object:
    """Let somebody open a link, and choose the amount where it is hers: a session begins."""
    link = account.get("payment_link", link_id)
    assert link["active"], "a link that was ended cannot be paid"
    kept = account.kept[link_id]
    lines = [dict(line) for line in kept["lines"]]
    for line in lines:
        if line["price"]["custom_unit_amount"] is not None:
            assert cents is not None, "the donor chooses the amount of this link"
            line |= {"amount_subtotal": cents, "amount_total": cents}
    asked = {
        **without(kept, "lines"),
        "payment_link": link_id,
        "metadata": dict(link["metadata"]),
        "submit_type": link["submit_type"],
    }
    mode = (
        "subscription" if any(one["price"]["type"] == "recurring" for one in lines) else "payment"
    )
    return open_session(account, asked, lines, mode, account.now + DAY_SECONDS)
