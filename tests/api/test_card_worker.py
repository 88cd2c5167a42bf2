"""The worker of cards and the reconciliation meet what they do not know, and go on."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from api import card_reconciling, card_worker
from api.card_reconciling import newest
from ledger import inbox
from ledger.payments.names import payout_id_of
from projections import check, payouts
from projections.payouts import Payout
from tests.api.cards import Cards, charge_of, payment_id_of, taking_cards
from tests.api.people import browser_of
from tests.stripe import money
from tests.stripe import payouts as at_stripe
from tests.stripe.account import Object

SEE_OTHER = 303


@pytest.fixture
def cards(tmp_path: Path, conninfo: str) -> Iterator[Cards]:
    with taking_cards(tmp_path / "home", conninfo) as taking:
        yield taking


def arrived(cards: Cards) -> Object:
    """Pay out what one more gift brought, and let no announcement of it come."""
    cards.paid()
    payout = at_stripe.pay_out(cards.double.account)
    at_stripe.arrive(cards.double.account, payout["id"])
    return payout


def known(cards: Cards, payout: Object) -> Payout | None:
    with cards.served.context.pool.connection() as connection:
        return payouts.one(connection, payout_id_of(payout["id"]))


def forget_events(cards: Cards) -> None:
    """Let Stripe keep no event any more, so that nothing of them is listed."""
    cards.deliveries.drop()
    cards.double.account.events.clear()
    for event in list(cards.double.account.all("event")):
        del cards.double.account.objects[event["id"]]


def counts(cards: Cards) -> inbox.Counts:
    with cards.served.context.pool.connection() as connection:
        return inbox.counts(connection)


def faults(cards: Cards) -> list[str]:
    with cards.served.context.pool.connection() as connection:
        return list(check.check(connection).differences)


def differences(cards: Cards) -> list[str]:
    with cards.served.context.pool.connection() as connection:
        return [one.name for one in payouts.differences(connection, datetime.now(UTC))]


class TestOdd:
    def test_a_payout_in_another_currency_is_noted_and_the_others_read(self, cards: Cards) -> None:
        before, foreign, after = arrived(cards), arrived(cards), arrived(cards)
        foreign["currency"] = "usd"
        forget_events(cards)
        officer = browser_of(cards.served, "officer")
        assert officer.post("/office/cards/reconciliation").status_code == SEE_OTHER
        cards.work_off()
        assert known(cards, before) is not None
        assert known(cards, after) is not None
        assert known(cards, foreign) is None
        assert counts(cards).foreign_currency == 1
        last = newest(cards.served.context)
        assert last is not None
        assert last.failure is None

    def test_a_payout_that_changed_its_amount_is_seen_as_failing(self, cards: Cards) -> None:
        changed = arrived(cards)
        cards.work()
        changed["amount"] += 100
        after = arrived(cards)
        forget_events(cards)
        officer = browser_of(cards.served, "officer")
        assert officer.post("/office/cards/reconciliation").status_code == SEE_OTHER
        cards.work_off()
        assert known(cards, after) is not None
        with cards.served.context.pool.connection() as connection:
            (failing,) = inbox.failing(connection)
        assert failing.object_id == changed["id"]
        assert "PayoutDiffers" in failing.failure

    def test_the_worker_outlives_what_it_does_not_know(
        self, cards: Cards, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        twice = threading.Event()
        met: list[int] = []

        def odd(_: object) -> bool:
            met.append(1)
            if len(met) > 1:
                twice.set()
            raise KeyError("a word that Stripe never said before")

        monkeypatch.setattr(card_worker, "RETRY_SECONDS", 0.05)
        monkeypatch.setattr(card_reconciling, "due", odd)
        stopping = threading.Event()
        settings = cards.served.context.settings
        worker = threading.Thread(target=card_worker.run, args=(settings, cards.conninfo, stopping))
        worker.start()
        try:
            assert twice.wait(20)
            assert worker.is_alive()
        finally:
            stopping.set()
            worker.join(20)


class TestUnknownOnce:
    def test_what_was_unknown_once_is_found_by_the_listing(self, cards: Cards) -> None:
        session = cards.paid()
        cards.deliveries.deliver()
        objects = cards.double.account.objects
        kept = dict(objects)
        objects.clear()  # As with the key of another account.
        cards.work_off()
        assert counts(cards).unknown > 0
        assert cards.gift(payment_id_of(session)) is None
        objects.update(kept)
        assert card_reconciling.reconcile(cards.served.context).missing == 0
        cards.work_off()
        assert cards.gift(payment_id_of(session)) is not None
        assert counts(cards).unknown == 0

    def test_what_payouts_name_is_asked_for(self, cards: Cards) -> None:
        first, second = cards.paid(), cards.paid(choice="2000")
        account = cards.double.account
        money.refund(account, charge_of(cards, first), 300)
        doubt = money.dispute(account, charge_of(cards, second), 500)
        money.withdraw(account, doubt["id"])
        payout = at_stripe.pay_out(account)
        at_stripe.arrive(account, payout["id"])
        forget_events(cards)
        card_reconciling.reconcile(cards.served.context)
        cards.work_off()
        gift = cards.gift(payment_id_of(first))
        assert gift is not None
        assert gift.remaining_cents == 700
        assert cards.gift(payment_id_of(second)) is not None
        assert differences(cards) == []


class TestChecked:
    def test_a_payout_by_hand_is_no_fault(self, cards: Cards) -> None:
        cards.paid()
        cards.work()
        payout = at_stripe.pay_out_by_hand(cards.double.account, 500)
        at_stripe.arrive(cards.double.account, payout["id"])
        cards.work()
        assert known(cards, payout) is not None
        assert faults(cards) == []
        assert differences(cards) == []

    @pytest.mark.parametrize("outcome", ["won", "lost"])
    def test_a_bank_may_contest_the_whole_after_a_part_was_given_back(
        self, cards: Cards, outcome: Literal["won", "lost"]
    ) -> None:
        session = cards.paid()
        cards.work()
        account, charge_id = cards.double.account, charge_of(cards, session)
        money.refund(account, charge_id, 300)
        doubt = money.dispute(account, charge_id, 1_000)
        money.withdraw(account, doubt["id"])
        cards.work()
        assert faults(cards) == []
        money.close_dispute(account, doubt["id"], outcome)
        cards.work()
        assert faults(cards) == []
