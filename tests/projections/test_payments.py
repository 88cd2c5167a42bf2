"""Payments and payouts as their events leave them, live and rebuilt, and what still differs."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from ledger.allocations import Allocation
from ledger.bank.events import TransactionMatched, TransactionUnmatched
from ledger.decider import Event
from ledger.events import encode
from ledger.ids import stream_of
from ledger.payments.commands import ObservePayout, ObserveSubscription
from ledger.payments.events import PayoutLine
from ledger.payments.names import payout_id_of
from ledger.payments.observed import ObservedPayout, ObservedSubscription
from ledger.payments.payments import payment
from ledger.payments.payouts import payout
from ledger.payments.subscriptions import subscription
from ledger.store import Ledger
from projections import follow, payments, payouts
from projections.every import READ_MODELS
from projections.payouts import Difference
from projections.rebuild import rebuild
from tests.ledger.payments.told import (
    BACK,
    CHARGE,
    GIVEN,
    MONTHLY,
    NOON,
    PAYMENT,
    PROJECT,
    REFUND,
    TAKEN,
    TODAY,
    observe,
    start,
)
from tests.projections.village import insert_raw, rows

MODELS = {name: READ_MODELS[name] for name in ("payments", "payouts")}
PO = payout_id_of("po_1")
OTHER = UUID(int=90)
TRANSACTION = UUID(int=91)
LATER = NOON + timedelta(days=60)


def line(kind: Any, source_id: str, gross: int, fee: int = 0) -> PayoutLine:
    return PayoutLine(
        kind=kind, source_id=source_id, gross_cents=gross, fee_cents=fee, net_cents=gross - fee
    )


LINES = (line("charge", "ch_1", 1_040, 41), line("refund", "re_1", -300))


def pays_out(ledger: Ledger, *lines: PayoutLine, stripe_id: str = "po_1", **changes: Any) -> None:
    told: dict[str, Any] = {
        "payout_id": payout_id_of(stripe_id),
        "stripe_id": stripe_id,
        "status": "paid",
        "cents": sum(one.net_cents for one in lines),
        "arrival_on": TODAY,
        "lines": lines,
        "livemode": False,
    }
    seen = ObservedPayout(**told | changes)
    ledger.handle(payout, seen.payout_id, ObservePayout(at=NOON, actor="cards", seen=seen))


def pays(ledger: Ledger, *seen: dict[str, Any]) -> None:
    ledger.handle(payment, PAYMENT, start())
    for changes in seen:
        ledger.handle(payment, PAYMENT, observe(**changes))


def banked(conninfo: str, event: Event, version: int) -> None:
    """Put an event of the bank's into the feed, where another slice would have decided it."""
    stream = stream_of("transaction", TRANSACTION)
    insert_raw(conninfo, *encode(event), stream=stream, version=version)


def matched(cents: int) -> dict[str, Any]:
    allocation = Allocation(target="payout", target_id=PO, cents=cents)
    return {
        "recorded_at": NOON,
        "actor": "bank",
        "transaction_id": TRANSACTION,
        "match_id": OTHER,
        "allocations": (allocation,),
    }


def everything(ledger: Ledger) -> None:
    """Let all happen that can happen to payments and payouts."""
    won = GIVEN.model_copy(update={"outcome": "won"})
    pays(
        ledger,
        {"status": "processing"},
        {},
        {"refunds": (REFUND,)},
        {"refunds": (BACK,), "disputes": (TAKEN,)},
        {"refunds": (BACK,), "disputes": (won,)},
    )
    ledger.handle(payment, OTHER, start(payment_id=OTHER))
    failed = observe("failed", payment_id=OTHER, failed_for="expired")
    ledger.handle(payment, OTHER, failed)
    ended = ObservedSubscription(subscription_id=MONTHLY, ended_on=TODAY)
    command = ObserveSubscription(at=NOON, actor="cards", seen=ended)
    ledger.handle(subscription, MONTHLY, command)
    pays_out(ledger, *LINES)
    pays_out(ledger, *LINES, status="failed")


def test_a_rebuild_equals_live_one_event_at_a_time(
    ledger: Ledger, conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything(ledger)
    banked(conninfo, TransactionMatched(**matched(699), rule="hand", booked_on=TODAY), 1)
    monkeypatch.setattr(follow, "PAGE_EVENTS", 1)
    follow.catch_up(conninfo, MODELS)
    live = rows(conninfo, MODELS)
    assert all(live.values()), "every table has rows"
    rebuild(conninfo, MODELS)
    assert rows(conninfo, MODELS) == live


def test_what_is_left_of_a_payment(ledger: Ledger, conninfo: str) -> None:
    pays(
        ledger,
        {"refunds": (REFUND,), "disputes": (TAKEN.model_copy(update={"withdrawn_cents": 740}),)},
    )
    follow.catch_up(conninfo, MODELS)
    with psycopg.connect(conninfo) as connection:
        found = payments.one(connection, PAYMENT)
        assert found is not None
        assert (found.cents, found.refunded_cents, found.withdrawn_cents) == (1_040, 300, 740)
        assert found.remaining_cents == 0
        assert payments.newest(connection, purpose_id=PROJECT) == [found]
        sums = payments.sums(connection)
        (dispute,) = payments.disputes(connection, open_only=True)
    assert (sums.paid_cents, sums.remaining_cents) == (1_040, 0)
    assert (dispute.payment_id, dispute.refunded_cents) == (PAYMENT, 300)


def test_a_payout_is_banked_as_far_as_the_bank_says(ledger: Ledger, conninfo: str) -> None:
    pays(ledger, {"refunds": (REFUND,)})
    pays_out(ledger, *LINES)
    banked(conninfo, TransactionMatched(**matched(699), rule="payout", booked_on=TODAY), 1)
    follow.catch_up(conninfo, MODELS)
    with psycopg.connect(conninfo) as connection:
        found = payouts.of_charge(connection, "ch_1")
        assert found is not None
        assert (found.cents, found.listed_cents, found.outstanding_cents) == (699, 699, 0)
        assert payouts.unbanked(connection) == []
        assert payouts.differences(connection, LATER) == []
    undone = TransactionUnmatched(**matched(699), reason="mistake", unmatched_on=TODAY)
    banked(conninfo, undone, 2)
    follow.catch_up(conninfo, MODELS)
    with psycopg.connect(conninfo) as connection:
        assert [one.outstanding_cents for one in payouts.unbanked(connection)] == [699]
        assert [one.name for one in payouts.differences(connection, LATER)] == ["payout_not_banked"]


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        (line("charge", "ch_2", 500, 33), ("charge_unknown", "ch_2", 500)),
        (line("charge", "ch_1", 1_000, 41), ("charge_differs", "ch_1", -40)),
        (line("refund", "re_9", -100), ("refund_unknown", "re_9", -100)),
        (line("dispute", "du_9", -100, 20), ("dispute_unknown", "du_9", -100)),
        (line("dispute_reversal", "du_9", 100), ("dispute_unknown", "du_9", 100)),
    ],
)
def test_each_difference_has_a_name(
    ledger: Ledger, conninfo: str, odd: PayoutLine, told: tuple[Any, str, int]
) -> None:
    pays(ledger, {})
    pays_out(ledger, odd)
    assert differences(conninfo) == [Difference(*told, TODAY)]


def differences(conninfo: str) -> list[Difference]:
    follow.catch_up(conninfo, MODELS)
    with psycopg.connect(conninfo) as connection:
        return payouts.differences(connection, NOON)


def test_a_payout_whose_lines_do_not_add_up_is_told(ledger: Ledger, conninfo: str) -> None:
    pays_out(ledger, cents=500)
    assert [(one.name, one.cents) for one in differences(conninfo)] == [("payout_unexplained", 500)]


def test_a_refund_that_never_left_explains_itself(ledger: Ledger, conninfo: str) -> None:
    """It failed before it was noted: Stripe's two movements cancel each other."""
    pays(ledger, {})
    pays_out(ledger, line("refund", "re_5", -200), line("adjustment", "re_5", 200), LINES[0])
    assert differences(conninfo) == []


def test_a_payment_that_no_payout_brings_is_told_after_a_while(
    ledger: Ledger, conninfo: str
) -> None:
    pays(ledger, {})
    assert differences(conninfo) == []
    with psycopg.connect(conninfo) as connection:
        (found,) = payouts.differences(connection, LATER)
    assert (found.name, found.about, found.cents) == (
        "payment_not_paid_out",
        CHARGE.charge_id,
        1_040,
    )
