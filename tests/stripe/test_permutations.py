"""In whatever order, how often and how late Stripe's announcements come: the same ledger.

Acts happen at Stripe while some announcements arrive and others wait; in the end each has come at
least once, or was found by the daily listing. Then our events must say what Stripe's money says,
which a second model reads off Stripe's objects.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from api import card_reconciling, card_worker
from api.checkouts import Wish, begin
from ledger import inbox
from tests.api.cards import Cards, payment_id_of, taking_cards
from tests.api.stored import Stored, stored
from tests.stripe.account import Object
from tests.stripe.story import Story, Worth

ACTS_MAX = 14
GIFT = Wish(
    purpose="foundation",
    purpose_id=None,
    partner_id=None,
    cents=10_000,
    fee_cover_cents=0,
    interval="once",
    words="Don",
    language="fr",
    cancel_path="/give",
)
OF_A_PAYMENT = (
    "PaymentSucceeded",
    "PaymentRefunded",
    "RefundFailed",
    "DisputeOpened",
    "DisputeFundsWithdrawn",
    "DisputeFundsReinstated",
    "DisputeClosed",
)
OF_A_PAYOUT = ("PayoutPaid", "PayoutListed", "PayoutFailed")


@pytest.fixture
def cards(tmp_path: Path, conninfo: str) -> Iterator[Cards]:
    with taking_cards(tmp_path / "home", conninfo) as taking:
        yield taking


@dataclass
class Held:
    """What our events say of one payment, added up."""

    paid: int = 0
    given_back: dict[str, int] = field(default_factory=dict)
    disputes: dict[str, list[Any]] = field(default_factory=dict)
    left: int = 0

    def worth(self) -> Worth:
        disputes = frozenset((name, told[0], told[1]) for name, told in self.disputes.items())
        return Worth(self.paid, frozenset(self.given_back.items()), disputes, self.left)


def held(events: list[Stored], payment_id: str) -> Held:
    """Add up the events of one payment; every gift since it began is one of its own."""
    found = Held()
    for _, topic, state in events:
        match topic:
            case "DonationRecorded":
                found.left += state["amount_cents"]
            case "DonationReversed":
                found.left -= state["amount_cents"]
            case _ if topic in OF_A_PAYMENT:
                assert state["payment_id"] == payment_id
                step(found, topic, state)
            case _:
                pass
    return found


def step(found: Held, topic: str, state: dict[str, Any]) -> None:
    match topic:
        case "PaymentSucceeded":
            assert found.paid == 0, "the same money was recorded twice"
            found.paid = state["cents"]
        case "PaymentRefunded":
            assert state["refund_id"] not in found.given_back
            found.given_back[state["refund_id"]] = state["cents"]
        case "RefundFailed":
            assert found.given_back.pop(state["refund_id"]) == state["cents"]
        case "DisputeOpened":
            assert state["dispute_id"] not in found.disputes
            found.disputes[state["dispute_id"]] = [None, 0]
        case "DisputeFundsWithdrawn":
            found.disputes[state["dispute_id"]][1] -= state["cents"]
        case "DisputeFundsReinstated":
            found.disputes[state["dispute_id"]][1] += state["cents"]
        case "DisputeClosed":
            found.disputes[state["dispute_id"]][0] = state["outcome"]
        case _:
            raise AssertionError(topic)


def payouts_held(events: list[Stored]) -> Counter[tuple[str, int, int, bool]]:
    """Give each payout as our events say it: what it is, what its lines are, if it failed."""
    found: dict[str, list[Any]] = {}
    for _, topic, state in events:
        if topic == "PayoutPaid":
            found[state["payout_id"]] = [state["stripe_id"], state["cents"], 0, False]
        elif topic == "PayoutListed":
            found[state["payout_id"]][2] += sum(one["net_cents"] for one in state["lines"])
        elif topic == "PayoutFailed":
            found[state["payout_id"]][3] = True
    return Counter((one[0], one[1], one[2], one[3]) for one in found.values())


def payouts_told(payouts: list[Object]) -> Counter[tuple[str, int, int, bool]]:
    return Counter(
        (one["id"], one["amount"], one["amount"], one["status"] == "failed")
        for one in payouts
        if one["status"] in ("paid", "failed")
    )


def unfold(cards: Cards, story: Story, data: st.DataObject) -> None:
    """Let acts happen, with some of what they announce arriving in between."""
    for _ in range(data.draw(st.integers(1, ACTS_MAX))):
        possible = story.possible()
        if not possible:
            return
        chosen = data.draw(st.sampled_from(sorted(possible)))
        note(chosen)
        possible[chosen]()
        waiting = cards.deliveries.waiting
        if not waiting or not data.draw(st.booleans()):
            continue
        for event in data.draw(st.lists(st.sampled_from(waiting), min_size=1, max_size=3)):
            note(f"  {event['type']}")
            assert cards.deliveries.send(event).status_code == 200
        work_off(cards)


# An example takes a part of a second, so that shrinking one would take minutes.
UNSHRUNK = settings(
    max_examples=25,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def begun(cards: Cards) -> Story:
    """Begin a payment at an account where nothing happened yet."""
    cards.double.account.forget()
    cards.deliveries.waiting.clear()
    begin(cards.served.context, uuid4(), GIFT)
    (session,) = cards.double.account.all("checkout.session")
    return Story(cards.double.account, session)


def assert_agrees(story: Story, recorded: list[Stored]) -> None:
    """Our events since the payment began say what the money says."""
    assert held(recorded, str(payment_id_of(story.session))).worth() == story.worth()
    assert payouts_held(recorded) == payouts_told(list(story.account.all("payout")))


@UNSHRUNK
@given(data=st.data())
def test_any_order_and_number_of_announcements_ends_in_the_same_ledger(
    cards: Cards, data: st.DataObject
) -> None:
    before = last_position(cards)
    story = begun(cards)
    unfold(cards, story, data)
    events = list(cards.deliveries.waiting)
    again = data.draw(st.lists(st.sampled_from(events), max_size=4)) if events else []
    cards.deliveries.deliver(data.draw(st.permutations([*events, *again])))
    work_off(cards)
    recorded = recorded_after(cards, before)
    assert_agrees(story, recorded)
    # Once everything is known, all of it once more changes nothing.
    cards.deliveries.deliver(events)
    work_off(cards)
    assert recorded_after(cards, before) == recorded


@settings(UNSHRUNK, max_examples=10)
@given(data=st.data())
def test_what_never_arrives_is_found_and_ends_in_the_same_ledger(
    cards: Cards, data: st.DataObject
) -> None:
    before = last_position(cards)
    story = begun(cards)
    unfold(cards, story, data)
    cards.deliveries.drop()
    card_reconciling.reconcile(cards.served.context)
    work_off(cards)
    assert_agrees(story, recorded_after(cards, before))


def recorded_after(cards: Cards, position: int) -> list[Stored]:
    return [one for one in stored(cards.conninfo) if one.position > position]


def work_off(cards: Cards) -> None:
    """Act upon all that arrived; no read model is needed for that."""
    context = cards.served.context
    card_worker.work_off(context)
    with context.pool.connection() as connection:
        assert inbox.failing(connection) == []


def last_position(cards: Cards) -> int:
    return max((one.position for one in stored(cards.conninfo)), default=0)
