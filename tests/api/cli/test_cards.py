"""Cards on the command line: how they stand, and the reconciliation with Stripe."""

from collections.abc import Iterator

import pytest

from tests.api.cli.outcomes import Run, assert_refused
from tests.stripe import operations
from tests.stripe.deliveries import SECRET
from tests.stripe.double import Double, doubled

DESCRIBE = ("foundation", "describe", "--name", "Fondation du bassin", "--siret", "73282932000074")
GIFT = {
    "amount": 700,
    "currency": "eur",
    "confirm": True,
    "payment_method": "pm_card_visa",
    "metadata": {"purpose": "foundation"},
}


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    with doubled() as double:
        monkeypatch.setenv("STRIPE_SECRET_KEY", double.account.secret_key)
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRETS", SECRET)
        monkeypatch.setenv("STRIPE_API_BASE", double.url)
        yield double


def test_without_a_key_they_are_off(run: Run) -> None:
    assert run("card", "status", "--json").facts["mode"] == "off"
    assert "cards: off, no gift is taken" in run("card", "status").out
    assert_refused(run("card", "reconcile"), "cards_off")


def test_a_reconciliation_finds_what_never_came(run: Run, double: Double) -> None:
    assert run(*DESCRIBE).code == 0
    operations.intend(double.account, {}, GIFT)
    done = run("card", "reconcile", "--json")
    assert done.code == 0, done.err
    assert done.facts["missing"] == len(double.account.events)
    assert done.facts["payments"]["remaining_cents"] == 700
    again = run("card", "reconcile", "--json")
    assert again.facts["missing"] == 0
    status = run("card", "status", "--json").facts
    assert (status["mode"], status["taken"], status["differences"]) == ("test", True, [])
    assert status["reconciled_at"] is not None
    assert "paid: 1 payments, 7.00 € still here" in run("card", "status").out


def test_what_fails_is_named_and_gives_another_exit_code(run: Run, double: Double) -> None:
    operations.intend(double.account, {}, GIFT)
    done = run("card", "reconcile")
    assert done.code == 1
    assert "FoundationNotDescribed" in done.out
