from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from ledger.donations import (
    DonationEvent,
    RecordDonation,
    Recorded,
    ReverseDonation,
    donation,
)
from ledger.foundation import FOUNDATION_ID
from ledger.payments.events import PaymentEvent
from ledger.payments.payments import payment
from ledger.payments.state import Succeeded
from ledger.reactions import ONLINE_TILL_ID, GiftCommand, gift_commands
from tests.ledger.payments.told import (
    LOST,
    NOON,
    OPENED,
    PAID,
    PAYMENT,
    PROJECT,
    REFUND_FAILED,
    REFUNDED,
    REINSTATED,
    SHOP,
    STATEMENT,
    WITHDRAWN,
    WON,
)


def commands(*events: PaymentEvent) -> list[GiftCommand]:
    state = payment.fold(events)
    assert isinstance(state, Succeeded)
    return list(gift_commands(state, NOON + timedelta(days=7)))


def left(*events: PaymentEvent) -> dict[UUID, int]:
    """Carry the commands out on donations, twice, and give what is left of each gift."""
    asked = commands(*events)
    streams: dict[UUID, list[DonationEvent]] = {}
    for command in (*asked, *asked):
        stream = streams.setdefault(command.donation_id, [])
        stream += donation.decide(command, donation.fold(stream))
    states = {one: donation.fold(stream) for one, stream in streams.items()}
    return {
        one: state.remaining_cents for one, state in states.items() if isinstance(state, Recorded)
    }


def test_a_payment_is_a_gift_at_the_foundations_own_till() -> None:
    (given,) = commands(PAID)
    assert isinstance(given, RecordDonation)
    assert given.donation_id == PAYMENT
    assert (given.partner_id, given.till_id) == (FOUNDATION_ID, ONLINE_TILL_ID)
    assert (given.amount_cents, given.project_id) == (1_040, PROJECT)
    assert given.source == "customer"


def test_a_gift_is_never_of_the_future() -> None:
    (given,) = commands(PAID.model_copy(update={"succeeded_at": NOON + timedelta(hours=3)}))
    assert isinstance(given, RecordDonation)
    assert given.occurred_at == NOON


def test_a_statement_that_is_paid_is_no_gift() -> None:
    told = {"purpose": "statement", "purpose_id": STATEMENT, "partner_id": SHOP}
    assert commands(PAID.model_copy(update=told)) == []


def test_a_refund_gives_a_part_back() -> None:
    _, back = commands(PAID, REFUNDED)
    assert isinstance(back, ReverseDonation)
    assert (back.amount_cents, back.reason) == (300, "refunded")
    assert back.reversed_on == REFUNDED.refunded_on


def test_a_refund_that_failed_is_a_gift_again_and_the_reversal_stands() -> None:
    remaining = left(PAID, REFUNDED, REFUND_FAILED)
    assert remaining.pop(PAYMENT) == 740
    assert list(remaining.values()) == [300]


@pytest.mark.parametrize(
    "events", [(OPENED,), (OPENED, WITHDRAWN), (OPENED, WITHDRAWN, REINSTATED, WON)]
)
def test_a_gift_stands_as_long_as_its_dispute_is_not_lost(events: list[PaymentEvent]) -> None:
    assert left(PAID, *events) == {PAYMENT: 1_040}


def test_a_lost_dispute_takes_what_a_refund_left() -> None:
    assert left(PAID, REFUNDED, OPENED, WITHDRAWN, LOST) == {PAYMENT: 0}


def test_a_dispute_that_is_won_after_all_is_a_gift_again() -> None:
    remaining = left(PAID, OPENED, WITHDRAWN, LOST, REINSTATED, WON)
    assert remaining.pop(PAYMENT) == 0
    assert list(remaining.values()) == [1_040]


def test_a_refund_that_is_noted_late_between_a_loss_and_a_win_is_not_forgotten() -> None:
    """The dispute had taken all there was when the refund was noted, and then gave it back."""
    remaining = left(PAID, OPENED, WITHDRAWN, LOST, REFUNDED, REINSTATED, WON)
    assert sum(remaining.values()) == 740


def test_a_refund_that_fails_after_the_whole_was_lost_brings_nothing_back() -> None:
    remaining = left(PAID, REFUNDED, OPENED, WITHDRAWN, LOST, REFUND_FAILED)
    assert sum(remaining.values()) == max(0, PAID.cents - OPENED.cents)


def test_what_came_back_can_be_given_back_again() -> None:
    second = REFUNDED.model_copy(update={"refund_id": "re_2", "cents": 1_040})
    remaining = left(PAID, REFUNDED, REFUND_FAILED, second)
    assert sum(remaining.values()) == 0


REFUND_STEPS = [
    event.model_copy(update={"refund_id": f"re_{number}", "recorded_at": NOON + timedelta(number)})
    for number in range(1, 4)
    for event in (REFUNDED, REFUND_FAILED)
]


@for_all(st.integers(0, len(REFUND_STEPS)), st.booleans())
def test_no_cent_is_given_back_twice_or_lost(count: int, lost: bool) -> None:
    """What is left of all gifts of a payment is what is left of the payment."""
    events: list[PaymentEvent] = [PAID, *REFUND_STEPS[:count]]
    if lost:
        events += [OPENED, WITHDRAWN, LOST]
    moved: Counter[str] = Counter()
    for event in REFUND_STEPS[:count]:
        moved[event.refund_id] += 300 if isinstance(event, type(REFUNDED)) else -300
    paid_back = sum(moved.values())
    expected = 0 if lost else 1_040 - paid_back
    assert sum(left(*events).values()) == expected
