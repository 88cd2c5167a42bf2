import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ledger import inbox
from ledger.inbox import Counts
from tests.api.cards import Cards, payment_id_of, taking_cards
from tests.api.served import Served
from tests.stripe.deliveries import PATH, SECRET, signature

OK, REFUSED, OFF, TOO_LARGE = 200, 400, 404, 413
NEXT_SECRET = "whsec_next"
MINUTES = 60


@pytest.fixture
def cards(tmp_path: Path, conninfo: str) -> Iterator[Cards]:
    secrets = f"{SECRET},{NEXT_SECRET}"
    with taking_cards(tmp_path / "home", conninfo, STRIPE_WEBHOOK_SECRETS=secrets) as taking:
        yield taking


def counts(cards: Cards) -> Counts:
    with cards.served.context.pool.connection() as connection:
        return inbox.counts(connection)


def name_of(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["name"])


def test_what_stripe_signs_is_stored_once(cards: Cards) -> None:
    cards.session()
    event = cards.double.account.events[0]
    for _ in range(3):
        answer = cards.deliveries.send(event)
        assert (answer.status_code, answer.json()) == (OK, {"stored": True})
    assert counts(cards).waiting == 1


def test_nothing_is_acted_upon_before_the_worker_takes_it_up(cards: Cards) -> None:
    session = cards.paid()
    cards.deliveries.deliver()
    assert cards.gift(payment_id_of(session)) is None
    cards.work_off()
    assert cards.gift(payment_id_of(session)) is not None
    assert counts(cards).waiting == 0


def test_both_secrets_hold_while_one_is_replaced(cards: Cards) -> None:
    cards.session()
    event = cards.double.account.events[0]
    for secrets in ([SECRET], [NEXT_SECRET], ["whsec_other", NEXT_SECRET]):
        assert cards.deliveries.send(event, secrets=secrets).status_code == OK
    refused = cards.deliveries.send(event, secrets=["whsec_other"])
    assert (refused.status_code, name_of(refused)) == (REFUSED, "signature_refused")


def test_an_old_or_a_future_signature_is_refused(cards: Cards) -> None:
    cards.session()
    event, now = cards.double.account.events[0], int(time.time())
    for at in (now - 4 * MINUTES, now + 4 * MINUTES):
        assert cards.deliveries.send(event, at=at).status_code == OK
    for at in (now - 6 * MINUTES, now + 6 * MINUTES, now + 10**9, 0):
        refused = cards.deliveries.send(event, at=at)
        assert (refused.status_code, name_of(refused)) == (REFUSED, "signature_refused"), at


def test_a_body_or_a_header_that_was_changed_is_refused(cards: Cards) -> None:
    payload = json.dumps({"object": "event"}).encode()
    now = int(time.time())
    good = signature(payload, [SECRET], now)
    changed = [
        (payload + b" ", good),
        (payload, good.replace("v1=", "v0=")),
        (payload, f"t={now}"),
        (payload, f"t=x,{good.partition(',')[2]}"),
        (payload, f"t={now},v1="),
        (payload, signature(payload, [""], now)),
        (payload, ""),
        (payload, None),
        (b"\xff" + payload, good),
        (payload, f"t={now},v1=\xe9"),
    ]
    for body, header in changed:
        refused = cards.deliveries.post_signed(body, header)
        assert (refused.status_code, name_of(refused)) == (REFUSED, "signature_refused"), header
    assert counts(cards).waiting == 0


def test_what_is_signed_and_is_no_event_is_refused(cards: Cards) -> None:
    for payload in (
        b"",
        b"[]",
        b"{",
        b'{"object": "event"}',
        b'{"object": "charge", "id": "ch_1"}',
    ):
        refused = cards.deliveries.post(payload)
        assert (refused.status_code, name_of(refused)) == (REFUSED, "announcement_malformed")


@pytest.mark.parametrize(
    "odd",
    [
        {"created": 10**18},
        {"created": -1},
        {"id": ""},
        {"id": "evt_a\x00b"},
        {"id": "evt_" + "a" * 300},
        {"type": "charge\x00"},
        {"data": {"object": {"object": "charge", "id": "ch\x00"}}},
        {"account": "acct\x00"},
    ],
)
def test_what_could_not_be_stored_is_refused(cards: Cards, odd: dict[str, object]) -> None:
    cards.session()
    refused = cards.deliveries.send(cards.double.account.events[0] | odd)
    assert (refused.status_code, name_of(refused)) == (REFUSED, "announcement_malformed")


def test_real_payments_are_not_mixed_with_tests(cards: Cards) -> None:
    cards.session()
    event = cards.double.account.events[0] | {"livemode": True}
    refused = cards.deliveries.send(event)
    assert (refused.status_code, name_of(refused)) == (REFUSED, "mode_refused")


def test_a_body_beyond_any_honest_one_is_refused(cards: Cards) -> None:
    refused = cards.deliveries.post(b" " * 600_000)
    assert (refused.status_code, name_of(refused)) == (TOO_LARGE, "body_too_large")


def test_a_connected_account_is_ignored_and_noted(cards: Cards) -> None:
    session = cards.paid()
    events = [one | {"account": "acct_elsewhere"} for one in cards.double.account.events]
    cards.deliveries.deliver(events)
    cards.work_off()
    assert cards.gift(payment_id_of(session)) is None
    found = counts(cards)
    assert (found.waiting, found.connected) == (0, len(events))


def test_only_which_object_it_is_about_is_kept(cards: Cards, conninfo: str) -> None:
    cards.paid()
    assert any("donatrice" in json.dumps(one) for one in cards.double.account.events)
    cards.deliveries.deliver()
    with cards.served.context.pool.connection() as connection:
        rows = connection.execute("SELECT inbox::text FROM inbox").fetchall()
    assert rows
    assert "donatrice" not in str(rows)
    assert "don@example.org" not in str(rows)


def test_without_a_key_nothing_is_taken(served: Served) -> None:
    refused = served.client.post(PATH, content=b"{}")
    assert (refused.status_code, name_of(refused)) == (OFF, "cards_off")


def test_without_a_secret_nothing_is_believed(tmp_path: Path, conninfo: str) -> None:
    with taking_cards(tmp_path / "home", conninfo, STRIPE_WEBHOOK_SECRETS="") as cards:
        cards.session()
        for secrets in ([SECRET], [""], []):
            refused = cards.deliveries.send(cards.double.account.events[0], secrets=secrets)
            assert (refused.status_code, name_of(refused)) == (OFF, "cards_off")
