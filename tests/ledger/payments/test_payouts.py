from datetime import date
from typing import Any
from uuid import UUID

from ledger.payments.commands import ObservePayout, ObserveSubscription, PayoutDiffers
from ledger.payments.events import (
    PayoutFailed,
    PayoutLine,
    PayoutListed,
    PayoutPaid,
    SubscriptionEnded,
)
from ledger.payments.observed import ObservedPayout, ObservedSubscription
from ledger.payments.payouts import LINES_AN_EVENT, payout
from ledger.payments.subscriptions import subscription
from tests.ledger.payments.told import LATER, MONTHLY, NOON, TODAY
from tests.spec import given

PAYOUT = UUID(int=7)
WHO: dict[str, Any] = {"recorded_at": NOON, "actor": "cards", "payout_id": PAYOUT}


def lines(count: int) -> tuple[PayoutLine, ...]:
    return tuple(
        PayoutLine(
            kind="charge", source_id=f"ch_{number}", gross_cents=100, fee_cents=27, net_cents=73
        )
        for number in range(count)
    )


def observe(**changes: Any) -> ObservePayout:
    told: dict[str, Any] = {
        "payout_id": PAYOUT,
        "stripe_id": "po_1",
        "status": "paid",
        "cents": 146,
        "arrival_on": LATER,
        "lines": lines(2),
        "livemode": False,
    }
    return ObservePayout(at=NOON, actor="cards", seen=ObservedPayout(**told | changes))


PAID = PayoutPaid(**WHO, stripe_id="po_1", cents=146, arrival_on=LATER, lines=2, livemode=False)
LISTED = PayoutListed(**WHO, first_line=0, lines=lines(2))
FAILED = PayoutFailed(**WHO, failed_on=TODAY)


class TestPayout:
    def test_one_on_its_way_is_not_noted_yet(self) -> None:
        given(payout).when(observe(status="on_its_way")).then()

    def test_it_is_paid_with_its_lines(self) -> None:
        given(payout).when(observe()).then(PAID, LISTED)

    def test_of_one_made_by_hand_no_line_is_known(self) -> None:
        by_hand = PAID.model_copy(update={"lines": 0, "by_hand": True})
        given(payout).when(observe(lines=(), by_hand=True)).then(by_hand)

    def test_many_lines_come_in_several_events(self) -> None:
        many = lines(LINES_AN_EVENT + 1)
        given(payout).when(observe(lines=many)).then(
            PAID.model_copy(update={"lines": len(many)}),
            PayoutListed(**WHO, first_line=0, lines=many[:-1]),
            PayoutListed(**WHO, first_line=LINES_AN_EVENT, lines=many[-1:]),
        )

    def test_one_without_lines_is_noted_all_the_same(self) -> None:
        given(payout).when(observe(lines=())).then(PAID.model_copy(update={"lines": 0}))

    def test_it_fails_after_it_was_paid(self) -> None:
        given(payout, PAID, LISTED).when(observe(status="failed")).then(FAILED)

    def test_one_that_failed_before_it_was_noted_still_says_what_it_held(self) -> None:
        given(payout).when(observe(status="failed")).then(PAID, LISTED, FAILED)

    def test_older_news_change_nothing(self) -> None:
        given(payout, PAID, LISTED, FAILED).when(observe()).then()

    def test_another_amount_is_refused(self) -> None:
        other = observe(cents=147)
        given(payout, PAID, LISTED).when(other).then_refused(PayoutDiffers, cents=146)


class TestSubscription:
    ENDED = SubscriptionEnded(
        recorded_at=NOON, actor="cards", subscription_id=MONTHLY, ended_on=TODAY
    )

    def see(self, ended_on: date | None) -> ObserveSubscription:
        seen = ObservedSubscription(subscription_id=MONTHLY, ended_on=ended_on)
        return ObserveSubscription(at=NOON, actor="cards", seen=seen)

    def test_one_that_goes_on_is_nothing_new(self) -> None:
        given(subscription).when(self.see(None)).then()

    def test_it_ends_once(self) -> None:
        given(subscription).when(self.see(TODAY)).then(self.ENDED)

    def test_older_news_do_not_revive_it(self) -> None:
        given(subscription, self.ENDED).when(self.see(None)).then()
