"""The pages of Stripe that a donor sees: as plain as can be, enough for a browser to pay on."""

from html import escape
from urllib.parse import parse_qs

from tests.stripe import checkout
from tests.stripe.account import Account, Object

Page = tuple[int, dict[str, str], str]
HTML = {"content-type": "text/html; charset=utf-8"}
BUTTONS = (("card", "Pay by card"), ("sepa_debit", "Pay by debit"), ("decline", "Be declined"))


def page(account: Account, method: str, path: str, form: str) -> Page:
    """Show a session or a link, or do what its visitor chose."""
    _, kind, object_id = (*path.split("/", 2), "", "")[:3]
    if object_id not in account.objects:
        return 404, HTML, "<!doctype html><title>Not found</title>"
    if kind == "link":
        link = account.get("payment_link", object_id)
        chooses = account.kept[object_id]["lines"][0]["price"]["custom_unit_amount"] is not None
        session = checkout.visit_link(account, link["id"], 1_000 if chooses else None)
        return 303, {"location": session["url"]}, ""
    session = account.get("checkout.session", object_id)
    if method == "GET":
        return 200, HTML, shown(session)
    chosen = parse_qs(form)["choose"][0]
    if chosen == "decline":
        checkout.decline(account, object_id)
        return 303, {"location": path}, ""
    checkout.pay(account, object_id, "card" if chosen == "card" else "sepa_debit")
    back = session["success_url"] or account.pages_url
    return 303, {"location": back.replace(checkout.SESSION_ID, object_id)}, ""


def shown(session: Object) -> str:
    buttons = "".join(
        f'<button name="choose" value="{value}">{text}</button>' for value, text in BUTTONS
    )
    cancel = escape(session["cancel_url"] or "")
    return (
        '<!doctype html><html lang="en"><title>Checkout</title>'
        f"<h1>{session['amount_total']} cents</h1>"
        f'<form method="post">{buttons}</form><a href="{cancel}">Back</a></html>'
    )
