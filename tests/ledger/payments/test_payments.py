from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError

from ledger.payments.commands import (
    ChargeMissing,
    CheckoutDiffers,
    ObservePayment,
    PaymentUnknown,
    PurposeUnclear,
)
from ledger.payments.events import PaymentEvent, PaymentSucceeded
from ledger.payments.payments import payment
from ledger.payments.state import Succeeded
from tests.ledger.payments.told import (
    BACK,
    CHARGE,
    DISPUTE,
    FAILED,
    GIVEN,
    LOST,
    MONTHLY,
    OPENED,
    PAID,
    PROCESSING,
    REFUND,
    REFUND_FAILED,
    REFUNDED,
    REINSTATED,
    SHOP,
    STARTED,
    STATEMENT,
    TAKEN,
    TERMS,
    WITHDRAWN,
    WON,
    observe,
    start,
)
from tests.spec import given


class TestBeginning:
    def test_it_is_noted_that_somebody_is_about_to_pay(self) -> None:
        given(payment).when(start()).then(STARTED)

    def test_the_same_form_again_is_a_repeat(self) -> None:
        given(payment, STARTED, PROCESSING).when(start()).then()

    def test_another_amount_under_its_id_is_refused(self) -> None:
        given(payment, STARTED).when(start(cents=2_000)).then_refused(CheckoutDiffers)

    @pytest.mark.parametrize(
        "terms",
        [
            {"purpose": "foundation"},
            {"purpose_id": None},
            {"purpose": "statement", "purpose_id": STATEMENT},
            {"partner_id": SHOP},
            {"interval": "monthly"},
            {"subscription_id": MONTHLY},
            {
                "purpose": "statement",
                "purpose_id": STATEMENT,
                "partner_id": SHOP,
                "interval": "monthly",
                "subscription_id": MONTHLY,
            },
        ],
    )
    def test_it_names_what_it_is_for_and_nothing_else(self, terms: dict[str, Any]) -> None:
        given(payment).when(start(**terms)).then_refused(PurposeUnclear)

    @pytest.mark.parametrize("cents", [0, -1, 10**12])
    def test_it_is_of_a_possible_amount(self, cents: int) -> None:
        with pytest.raises(ValidationError):
            start(cents=cents)


class TestBegun:
    def test_what_may_still_be_paid_is_nothing_yet(self) -> None:
        given(payment, STARTED).when(observe("open")).then()

    def test_money_on_its_way_is_noted_as_such(self) -> None:
        given(payment, STARTED).when(observe("processing")).then(PROCESSING)

    def test_money_that_came_is_noted_with_what_our_page_said_it_is_for(self) -> None:
        said = TERMS.model_copy(update={"purpose": "foundation", "purpose_id": None})
        given(payment, STARTED).when(observe(terms=said)).then(PAID)

    def test_what_came_counts_not_what_was_asked_for(self) -> None:
        charge = CHARGE.model_copy(update={"cents": 900})
        paid = PAID.model_copy(update={"cents": 900})
        given(payment, STARTED).when(observe(charge=charge)).then(paid)

    def test_it_comes_to_nothing(self) -> None:
        given(payment, STARTED).when(observe("failed", failed_for="declined")).then(FAILED)

    def test_a_success_without_money_is_refused(self) -> None:
        given(payment, STARTED).when(observe(charge=None)).then_refused(ChargeMissing)


class TestUnbegun:
    def test_a_later_month_says_itself_what_it_is_for(self) -> None:
        given(payment).when(observe(terms=TERMS)).then(PAID)

    def test_money_that_says_nothing_is_refused_and_waits_for_somebody(self) -> None:
        given(payment).when(observe()).then_refused(PaymentUnknown)

    @pytest.mark.parametrize("status", ["open", "processing", "failed"])
    def test_what_brought_no_money_is_nothing(self, status: str) -> None:
        given(payment).when(observe(status)).then()


class TestProcessing:
    def test_it_arrives(self) -> None:
        given(payment, STARTED, PROCESSING).when(observe()).then(PAID)

    def test_it_fails_days_later(self) -> None:
        failed = observe("failed", failed_for="declined")
        given(payment, STARTED, PROCESSING).when(failed).then(FAILED)


class TestFailed:
    def test_money_that_came_all_the_same_is_recorded(self) -> None:
        given(payment, STARTED, FAILED).when(observe()).then(PAID)

    @pytest.mark.parametrize("status", ["open", "processing", "failed"])
    def test_older_news_change_nothing(self, status: str) -> None:
        given(payment, STARTED, FAILED).when(observe(status)).then()


class TestSucceeded:
    @pytest.mark.parametrize("status", ["open", "processing", "failed"])
    def test_older_news_change_nothing(self, status: str) -> None:
        given(payment, STARTED, PAID).when(observe(status)).then()

    def test_a_refund_is_noted_once(self) -> None:
        given(payment, STARTED, PAID).when(observe(refunds=(REFUND,))).then(REFUNDED)

    def test_a_refund_seen_with_the_payment_is_noted_after_it(self) -> None:
        given(payment, STARTED).when(observe(refunds=(REFUND,))).then(PAID, REFUNDED)

    def test_a_refund_that_failed_comes_back(self) -> None:
        after = given(payment, STARTED, PAID, REFUNDED)
        after.when(observe(refunds=(BACK,))).then(REFUND_FAILED)

    def test_a_refund_that_failed_before_it_was_noted_is_nothing(self) -> None:
        given(payment, STARTED, PAID).when(observe(refunds=(BACK,))).then()

    def test_older_news_of_a_failed_refund_change_nothing(self) -> None:
        after = given(payment, STARTED, PAID, REFUNDED, REFUND_FAILED)
        after.when(observe(refunds=(REFUND,))).then()

    def test_a_dispute_moves_no_money_by_itself(self) -> None:
        given(payment, STARTED, PAID).when(observe(disputes=(DISPUTE,))).then(OPENED)

    def test_a_dispute_seen_late_is_noted_step_by_step(self) -> None:
        won = GIVEN.model_copy(update={"outcome": "won"})
        after = given(payment, STARTED, PAID)
        after.when(observe(disputes=(won,))).then(OPENED, WITHDRAWN, REINSTATED, WON)

    def test_a_lost_dispute_may_be_won_later(self) -> None:
        won = GIVEN.model_copy(update={"outcome": "won"})
        after = given(payment, STARTED, PAID, OPENED, WITHDRAWN, LOST)
        after.when(observe(disputes=(won,))).then(REINSTATED, WON)

    def test_a_won_dispute_is_never_lost(self) -> None:
        lost = TAKEN.model_copy(update={"outcome": "lost"})
        after = given(payment, STARTED, PAID, OPENED, WITHDRAWN, REINSTATED, WON)
        after.when(observe(disputes=(lost,))).then()


SEEN = [
    observe("open"),
    observe("processing"),
    observe("failed"),
    observe(),
    observe(refunds=(REFUND,)),
    observe(refunds=(REFUND,), disputes=(DISPUTE,)),
    observe(refunds=(REFUND,), disputes=(TAKEN,)),
    observe(refunds=(REFUND,), disputes=(GIVEN.model_copy(update={"outcome": "won"}),)),
]


def noted(history: list[PaymentEvent], seen: ObservePayment) -> list[PaymentEvent]:
    return [*history, *payment.decide(seen, payment.fold(history))]


@for_all(st.lists(st.sampled_from(SEEN), max_size=12))
def test_any_order_and_any_repeats_end_the_same(before: list[ObservePayment]) -> None:
    """The last to be handled is handled after everything happened: it sees the whole."""
    history: list[PaymentEvent] = [STARTED]
    for seen in (*before, SEEN[-1]):
        history = noted(history, seen)
        assert not payment.decide(seen, payment.fold(history))
    state = payment.fold(history)
    assert isinstance(state, Succeeded)
    assert sum(isinstance(event, PaymentSucceeded) for event in history) == 1
    alone = payment.fold(noted([STARTED], SEEN[-1]))
    assert isinstance(alone, Succeeded)
    assert (state.paid, state.refunds, state.disputes) == (
        alone.paid,
        alone.refunds,
        alone.disputes,
    )
