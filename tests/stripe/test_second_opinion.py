"""Payment intents and refunds, asked in the same words of our double and of other people's.

Localstripe gives back more than was paid when asked to, so only what can be given back is asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stripe.double import Double, doubled
from tests.stripe.second_opinion import Localstripe

GOOD, DECLINED = "4242424242424242", "4000000000000341"
CARDS = {GOOD: "pm_card_visa", DECLINED: "pm_card_chargeDeclined"}


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody says became of a payment, in the words that both have."""

    status_code: int
    status: str | None = None
    received: int | None = None
    given_back: int | None = None
    refunded: bool | None = None
    refunds: tuple[tuple[int, str], ...] = ()
    moved: tuple[tuple[str, int], ...] = ()


@pytest.fixture(scope="module")
def ours() -> Iterator[httpx.Client]:
    with doubled() as double, asking(double) as client:
        yield client


def asking(double: Double) -> httpx.Client:
    key = double.account.secret_key
    return httpx.Client(base_url=double.url, headers={"authorization": f"Bearer {key}"})


def opinion(client: httpx.Client, method: str, cents: int, back: list[int]) -> Opinion:
    """Pay, give back in parts, and ask what there is."""
    form = {"amount": cents, "currency": "eur", "payment_method": method, "confirm": "true"}
    paid = client.post("/v1/payment_intents", data=form)
    if paid.status_code != httpx.codes.OK:
        return Opinion(paid.status_code)
    intent_id = paid.json()["id"]
    for part in back:
        form = {"payment_intent": intent_id, "amount": part}
        client.post("/v1/refunds", data=form).raise_for_status()
    intent = client.get(f"/v1/payment_intents/{intent_id}").json()
    charge: Any = intent["latest_charge"]
    charge_id = charge if isinstance(charge, str) else charge["id"]
    charge = client.get(f"/v1/charges/{charge_id}").json()
    refunds = client.get("/v1/refunds", params={"charge": charge_id}).json()["data"]
    moved = [one["balance_transaction"] for one in (charge, *refunds)]
    moves = [client.get(f"/v1/balance_transactions/{one}").json() for one in moved]
    return Opinion(
        status_code=paid.status_code,
        status=intent["status"],
        received=charge["amount"] if charge["paid"] else 0,
        given_back=charge["amount_refunded"],
        refunded=charge["refunded"],
        refunds=tuple(sorted((one["amount"], one["status"]) for one in refunds)),
        moved=tuple(sorted((one["reporting_category"], one["amount"]) for one in moves)),
    )


@pytest.fixture(scope="module")
def cards(localstripe: Localstripe) -> dict[str, str]:
    """The same cards, as localstripe knows them: by their numbers."""
    made = {}
    for number in CARDS:
        card = {"number": number, "exp_month": 12, "exp_year": 2030, "cvc": "123"}
        form = {"type": "card", **{f"card[{name}]": value for name, value in card.items()}}
        answer = localstripe.client.post("/v1/payment_methods", data=form)
        made[number] = answer.raise_for_status().json()["id"]
    return made


PARTS = st.lists(st.integers(1, 20_000), max_size=5)


# Two servers are asked a dozen things for each example.
@settings(max_examples=25)
@given(parts=PARTS, kept=st.integers(0, 10_000))
def test_both_say_the_same_of_a_payment_given_back_in_parts(
    parts: list[int],
    kept: int,
    ours: httpx.Client,
    localstripe: Localstripe,
    cards: dict[str, str],
) -> None:
    cents = max(50, sum(parts) + kept)
    here = opinion(ours, CARDS[GOOD], cents, parts)
    assert here == opinion(localstripe.client, cards[GOOD], cents, parts)
    assert here.given_back == sum(parts)


def test_both_decline_the_same_card(
    ours: httpx.Client, localstripe: Localstripe, cards: dict[str, str]
) -> None:
    here = opinion(ours, CARDS[DECLINED], 1_500, [])
    assert here == opinion(localstripe.client, cards[DECLINED], 1_500, []) == Opinion(402)


@pytest.mark.parametrize("path", ["/v1/refunds/re_unknown", "/v1/payment_intents/pi_unknown"])
def test_both_know_no_such_object(ours: httpx.Client, localstripe: Localstripe, path: str) -> None:
    told = [client.get(path) for client in (ours, localstripe.client)]
    assert [one.status_code for one in told] == [404, 404]
