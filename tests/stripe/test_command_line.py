"""Stripe's own command line asks the double what it asks Stripe.

Its triggers of completed sessions are left out: they pay on a page whose address
(`/v1/payment_pages`) Stripe's description does not have.
"""

import pytest

from tests.stripe import checkout
from tests.stripe.account import Account
from tests.stripe.asking import gift_params
from tests.stripe.command_line import CommandLine


def kinds(account: Account) -> list[str]:
    return [one["type"] for one in account.events]


@pytest.mark.parametrize(
    ("kind", "leads_to"),
    [
        ("payment_intent.succeeded", ["charge.succeeded", "payment_intent.succeeded"]),
        ("payment_intent.payment_failed", ["charge.failed", "payment_intent.payment_failed"]),
        ("charge.refunded", ["payment_intent.succeeded", "refund.created", "charge.refunded"]),
        ("charge.dispute.created", ["payment_intent.succeeded", "charge.dispute.created"]),
        (
            "checkout.session.expired",
            ["product.created", "price.created", "checkout.session.expired"],
        ),
        ("payout.created", ["payment_intent.succeeded", "payout.created"]),
    ],
)
def test_its_triggers_lead_to_the_events_that_they_are_named_after(
    cli: CommandLine, kind: str, leads_to: list[str]
) -> None:
    assert "Trigger succeeded" in cli.trigger(kind)
    told = kinds(cli.double.account)
    assert [one for one in told if one in leads_to] == leads_to


def test_a_key_of_its_own_gives_back_once(cli: CommandLine) -> None:
    account = cli.double.account
    session = checkout.pay(account, checkout.start(account, gift_params())["id"])
    charge_id = account.objects[session["payment_intent"]]["latest_charge"]
    asked = ("post", "/v1/refunds", "-d", f"charge={charge_id}", "-d", "amount=300")
    first = cli.ask(*asked, "--idempotency", "once", "--confirm")
    again = cli.ask(*asked, "--idempotency", "once", "--confirm")
    assert first == again
    assert cli.ask("get", f"/v1/charges/{charge_id}")["amount_refunded"] == 300
    told = cli.ask("events", "list", "--limit", "2")
    assert [one["type"] for one in told["data"]] == ["charge.refunded", "refund.created"]


def test_it_hears_what_is_refused(cli: CommandLine) -> None:
    told = cli.ask("get", "/v1/charges/ch_unknown")
    assert told["error"]["code"] == "resource_missing"
