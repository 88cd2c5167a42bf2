"""What no test card does: clocks that differ, payments that share a name, dollars, an outage."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api import card_reconciling, card_worker
from ledger import inbox
from ledger.inbox import Counts
from ledger.stripe_gateway import StripeUnavailable
from tests.api.cards import Cards, charge_of, payment_id_of, taking_cards
from tests.api.stored import stored
from tests.stripe import money, operations, payouts
from tests.stripe.command_line import CommandLine
from tests.stripe.conftest import CLI, skip_without_cli
from tests.stripe.double import broken, limited, lost

DAY_SECONDS = 86_400
REVERSED = "DonationReversed"


@pytest.fixture
def cards(tmp_path: Path, conninfo: str) -> Iterator[Cards]:
    with taking_cards(tmp_path / "home", conninfo) as taking:
        yield taking


@pytest.fixture
def line(cards: Cards, tmp_path: Path) -> CommandLine:
    """Stripe's own command line, in the hands of whoever has our account's key."""
    skip_without_cli()
    return CommandLine(CLI, cards.double, tmp_path)


def counts(cards: Cards) -> Counts:
    with cards.served.context.pool.connection() as connection:
        return inbox.counts(connection)


def moved(cards: Cards) -> list[tuple[str, int]]:
    """Give the gifts and what was given back of them, as they are stored."""
    recorded = stored(cards.conninfo, "DonationRecorded", REVERSED)
    return [(one.topic, one.state["amount_cents"]) for one in recorded]


class TestClocks:
    @pytest.mark.parametrize("ahead", [-DAY_SECONDS, DAY_SECONDS])
    def test_what_never_came_is_found_whatever_time_it_is_at_stripe(
        self, cards: Cards, ahead: int
    ) -> None:
        account = cards.double.account
        account.clock = lambda: time.time() + ahead
        for _ in range(2):  # The second listing begins where the first one ended.
            session = cards.paid()
            lost_events = cards.deliveries.drop()
            found = card_reconciling.reconcile(cards.served.context)
            assert found.missing == len(lost_events)
            cards.work_off()
            assert cards.gift(payment_id_of(session)) is not None

    def test_no_gift_is_of_the_future(self, cards: Cards) -> None:
        cards.double.account.clock = lambda: time.time() + DAY_SECONDS
        session = cards.paid()
        cards.work()
        gift = cards.gift(payment_id_of(session))
        assert gift is not None
        assert gift.gift.occurred_at <= datetime.now(UTC)

    def test_a_refund_dated_before_its_gift_is_noted(self, cards: Cards) -> None:
        session = cards.paid()
        cards.double.account.clock = lambda: time.time() - DAY_SECONDS
        money.refund(cards.double.account, charge_of(cards, session), 300)
        cards.work()
        assert moved(cards) == [("DonationRecorded", 1_000), (REVERSED, 300)]


class TestSharedName:
    """Somebody copies the metadata of a payment of ours to another one, at Stripe."""

    def copied(self, cards: Cards) -> Any:
        session = cards.paid()
        cards.work()
        intent = cards.double.account.objects[session["payment_intent"]]
        told = {"currency": "eur", "confirm": True, "payment_method": "pm_card_visa"}
        terms = {"amount": 500, "metadata": intent["metadata"]}
        return operations.intend(cards.double.account, {}, told | terms)

    def test_its_refund_is_none_of_the_first(self, cards: Cards) -> None:
        other = self.copied(cards)
        money.refund(cards.double.account, other["latest_charge"])
        cards.work()
        assert moved(cards) == [("DonationRecorded", 1_000)]

    def test_its_dispute_is_none_of_the_first(self, cards: Cards) -> None:
        other = self.copied(cards)
        contested = money.dispute(cards.double.account, other["latest_charge"])
        money.withdraw(cards.double.account, contested["id"])
        money.close_dispute(cards.double.account, contested["id"], "lost")
        cards.work()
        assert moved(cards) == [("DonationRecorded", 1_000)]


class TestTroubles:
    @pytest.mark.parametrize("trouble", [broken, limited, lost])
    def test_nothing_is_lost_while_stripe_is_in_trouble(self, cards: Cards, trouble: Any) -> None:
        session = cards.paid()
        money.refund(cards.double.account, charge_of(cards, session), 300)
        cards.deliveries.deliver()
        cards.double.troubles += [trouble] * 12
        with pytest.raises(StripeUnavailable):
            card_worker.work_off(cards.served.context)
        assert counts(cards).waiting > 0
        cards.double.troubles.clear()
        with cards.served.context.pool.connection() as connection:
            inbox.retry_now(connection)
        cards.work_off()
        found = counts(cards)
        assert (found.waiting, found.failing) == (0, 0)
        assert moved(cards) == [("DonationRecorded", 1_000), (REVERSED, 300)]

    def test_an_inquiry_takes_nothing(self, cards: Cards) -> None:
        """A bank may only ask: that is a dispute too, whose money never goes."""
        session = cards.paid()
        account = cards.double.account
        asked = money.dispute(account, charge_of(cards, session), inquiry=True)
        cards.work()
        money.close_dispute(account, asked["id"], "warning_closed")
        cards.work()
        assert moved(cards) == [("DonationRecorded", 1_000)]

    def test_a_payout_made_by_hand_is_noted_without_lines(self, cards: Cards) -> None:
        cards.paid()
        payout = payouts.pay_out_by_hand(cards.double.account, 500)
        payouts.arrive(cards.double.account, payout["id"])
        cards.work()
        (paid,) = stored(cards.conninfo, "PayoutPaid")
        assert (paid.state["cents"], paid.state["lines"]) == (500, 0)
        assert stored(cards.conninfo, "PayoutListed") == []


class TestCommandLine:
    def test_a_refund_by_stripes_own_command_line_gives_the_gift_back(
        self, cards: Cards, line: CommandLine
    ) -> None:
        session = cards.paid()
        charge_id = charge_of(cards, session)
        line.ask("refunds", "create", "--charge", charge_id, "--amount", "300", "--confirm")
        cards.work()
        assert moved(cards) == [("DonationRecorded", 1_000), (REVERSED, 300)]

    @pytest.mark.parametrize("kind", ["charge.refunded", "charge.dispute.created"])
    def test_what_it_triggers_is_none_of_ours(
        self, cards: Cards, line: CommandLine, kind: str
    ) -> None:
        line.trigger(kind)
        cards.work()
        assert moved(cards) == []
        found = counts(cards)
        assert (found.waiting, found.failing) == (0, 0)
        assert found.not_ours + found.foreign_currency > 0

    def test_what_it_triggers_in_the_name_of_a_purpose_is_a_gift_of_ours(
        self, cards: Cards, line: CommandLine
    ) -> None:
        """An intent that says what it is for counts, though no page of ours began it."""
        line.trigger(
            "charge.refunded",
            *("--override", "payment_intent:currency=eur"),
            *("--add", "payment_intent:metadata.purpose=foundation"),
        )
        cards.work()
        assert moved(cards) == [("DonationRecorded", 100), (REVERSED, 100)]
