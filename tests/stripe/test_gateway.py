"""The gateway's questions, asked of the double, and of a real account where its key is given.

With STRIPE_TEST_KEY, a key of test mode, the same steps run at Stripe itself: no money moves, and
each run leaves one payment of two euros, given back in part, in the account's test data.
"""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import stripe

from ledger import stripe_reading
from ledger.payments.observed import ObservedPayment
from ledger.stripe_gateway import API_VERSION, Checkout, Gateway, ObjectUnknown
from tests.stripe.conftest import no_test_key, skip_without
from tests.stripe.description import description
from tests.stripe.double import doubled

CENTS = 200
BACK = "https://dons.example.org/give"


def test_the_version_asked_for_is_the_one_described() -> None:
    assert description().version == API_VERSION


class Both:
    """The gateway beside Stripe's own library, at the same account."""

    def __init__(self, key: str, api_base: str | None) -> None:
        self.gateway = Gateway(key, api_base=api_base)
        self.client = stripe.StripeClient(
            key,
            stripe_version=API_VERSION,
            base_addresses={} if api_base is None else {"api": api_base},
        )

    def paid(self, payment_id: UUID) -> str:
        """Pay with a card of Stripe's for tests, as a page of ours would have it written."""
        intent = self.client.v1.payment_intents.create(
            {
                "amount": CENTS,
                "currency": "eur",
                "payment_method": "pm_card_visa",
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                "confirm": True,
                "metadata": {"payment_id": str(payment_id), "purpose": "foundation"},
            }
        )
        return intent.id

    def seen(self, intent_id: str) -> ObservedPayment:
        found = stripe_reading.payment(self.gateway, "payment_intent", intent_id)
        assert found is not None
        return found


@pytest.fixture(params=["double", "test mode"])
def both(request: pytest.FixtureRequest) -> Iterator[Both]:
    if request.param == "double":
        with doubled() as double:
            one = Both(double.account.secret_key, double.url)
            with closing(one.gateway):
                yield one
        return
    skip_without(no_test_key(), "DONPOSITIF_REQUIRE_STRIPE")
    one = Both(request.getfixturevalue("test_key"), None)
    with closing(one.gateway):
        yield one


def test_a_payment_is_read_with_its_refund(both: Both) -> None:
    payment_id = uuid4()
    intent_id = both.paid(payment_id)
    before = both.seen(intent_id)
    assert (before.payment_id, before.status, before.livemode) == (payment_id, "succeeded", False)
    assert before.charge is not None
    assert (before.charge.cents, before.charge.method) == (CENTS, "card")
    for _ in range(2):  # The same key gives back once.
        both.gateway.refund(before.charge.charge_id, 50, "once")
    (refund,) = both.seen(intent_id).refunds
    assert (refund.cents, refund.failed) == (50, False)


def test_a_checkout_opens_once_and_is_told_open(both: Both) -> None:
    payment_id = uuid4()
    asked = Checkout(
        payment_id=payment_id,
        words="Don",
        cents=CENTS,
        interval="once",
        metadata={"payment_id": str(payment_id), "purpose": "foundation"},
        language="fr",
        return_url=f"{BACK}?session={{CHECKOUT_SESSION_ID}}",
        cancel_url=BACK,
    )
    first = both.gateway.open_checkout(asked)
    assert first.startswith("http")
    assert both.gateway.open_checkout(asked) == first


def test_events_are_listed_with_what_they_are_about(both: Both) -> None:
    since = datetime.now(UTC) - timedelta(minutes=10)
    intent_id = both.paid(uuid4())
    about = {(one.kind, one.object_id) for one in both.gateway.events_since(since)}
    assert ("payment_intent.succeeded", intent_id) in about


@pytest.mark.parametrize(
    ("kind", "object_id"),
    [("payment_intent", "pi_unknown"), ("refund", "re_unknown"), ("charge", "ch_unknown")],
)
def test_what_is_unknown_is_told_as_such(both: Both, kind: str, object_id: str) -> None:
    with pytest.raises(ObjectUnknown):
        stripe_reading.payment(both.gateway, kind, object_id)
