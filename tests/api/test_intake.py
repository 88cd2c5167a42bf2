"""A gift at a till: durable before it is answered, and answered the same for ever."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from api import deps
from api.admin import enrol_till, rotate_till_key
from ledger.committer import Committer
from ledger.donations import FUTURE_TOLERANCE
from ledger.settings import Settings
from ledger.store import open_ledger
from ledger.tickets import parse
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.served import PUBLIC_URL, Served, serving
from tests.api.shops import ACTOR, Shop, ago, gift, open_shop, shop_in, suspend
from tests.api.stored import gifts, stored
from tests.ledger.processes import eventually

PATH = "/api/v1/donations"
QUEUE_EVENTS_MAX = 8


def send(served: Served, shop: Shop, body: Any, **headers: str) -> httpx.Response:
    return served.client.post(PATH, json=body, headers=shop.bearer | headers)


def error_name(answer: httpx.Response) -> str:
    name: str = answer.json()["error"]["name"]
    return name


def waits_for_the_table(conninfo: str) -> bool:
    """Tell whether an insert stands before a table that is locked."""
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(
            "SELECT FROM pg_locks WHERE relation = 'ledger_events'::regclass AND NOT granted"
        ).fetchone()
    return row is not None


def test_201_comes_only_after_the_commit(served: Served, shop: Shop, conninfo: str) -> None:
    with ThreadPoolExecutor(1) as elsewhere, psycopg.connect(conninfo) as blocker:
        blocker.execute("LOCK TABLE ledger_events IN EXCLUSIVE MODE")
        answer = elsewhere.submit(send, served, shop, gift())
        eventually(lambda: waits_for_the_table(conninfo))
        assert not answer.done()
        assert gifts(conninfo) == []
        blocker.commit()
        assert answer.result().status_code == 201
    assert len(gifts(conninfo)) == 1


def test_a_gift_is_stored_as_the_till_sent_it(served: Served, shop: Shop, conninfo: str) -> None:
    body = gift(
        occurred_at="2020-03-29T00:30:00+01:00",
        amount_cents=66,
        source="shop",
        purchase_cents=1_234,
        ask_id="round-up",
        project_id=str(uuid4()),
    )
    answer = send(served, shop, body)
    event = gifts(conninfo)[0]
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["position"] == event.position
    for name in ("donation_id", "amount_cents", "source", "purchase_cents", "ask_id", "project_id"):
        assert event.state[name] == body[name]
    assert event.state["partner_id"] == str(shop.partner_id)
    assert event.state["till_id"] == str(shop.till_id)
    assert datetime.fromisoformat(event.state["occurred_at"]).astimezone(UTC) == datetime(
        2020, 3, 28, 23, 30, tzinfo=UTC
    )
    assert event.state["occurred_on"] == "2020-03-29"


def test_the_answer_holds_what_the_till_prints(served: Served, shop: Shop, conninfo: str) -> None:
    body = gift()
    before = datetime.now(UTC)
    answer = send(served, shop, body).json()
    assert set(answer) == {"donation_id", "recorded_at", "position", "code", "choose_url"}
    assert answer["donation_id"] == body["donation_id"]
    assert before <= datetime.fromisoformat(answer["recorded_at"]) <= datetime.now(UTC)
    assert parse(answer["code"]) == answer["code"]
    assert answer["choose_url"] == f"{PUBLIC_URL}/g/{answer['code']}"
    catch_up(conninfo, READ_MODELS)  # Where the gift's money is, the page reads there.
    assert served.client.get(f"/g/{answer['code']}").status_code == 200


def test_the_same_again_gets_the_same_answer(served: Served, shop: Shop, conninfo: str) -> None:
    body = gift(sale_ref="F-1", purchase_cents=960, ask_id="round-up")
    first = send(served, shop, body)
    repeats = [send(served, shop, body) for _ in range(3)]
    moment = datetime.fromisoformat(body["occurred_at"])
    elsewhere = moment.astimezone(timezone(timedelta(hours=11))).isoformat()
    repeats.append(send(served, shop, body | {"occurred_at": elsewhere}))
    assert first.status_code == 201
    assert [answer.status_code for answer in repeats] == [200] * 4
    assert {answer.content for answer in repeats} == {first.content}
    assert len(gifts(conninfo)) == 1


def test_the_same_again_gets_the_same_answer_from_a_service_that_restarted(
    settings: Settings, conninfo: str
) -> None:
    body = gift(sale_ref="F-1")
    with serving(settings, conninfo) as served:
        shop = open_shop(served.context.ledger)
        first = send(served, shop, body)
    with serving(settings, conninfo) as served:
        again = send(served, shop, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.content == first.content


def test_the_same_again_gets_the_same_answer_under_a_new_key(served: Served, shop: Shop) -> None:
    body = gift()
    first = send(served, shop, body)
    key = rotate_till_key(served.context.ledger, ACTOR, shop.till_id).key
    again = send(served, Shop(shop.partner_id, shop.till_id, key), body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.content == first.content


CHANGES: tuple[dict[str, Any], ...] = (
    {"amount_cents": 41},
    {"source": "match"},
    {"occurred_at": ago(minutes=2)},
    {"purchase_cents": 961},
    {"purchase_cents": None},
    {"sale_ref": "F-2"},
    {"sale_ref": None},
    {"ask_id": "add-on"},
    {"ask_id": None},
    {"project_id": str(uuid4())},
)


def test_the_same_id_with_another_body_is_refused(
    served: Served, shop: Shop, conninfo: str
) -> None:
    body = gift(sale_ref="F-1", purchase_cents=960, ask_id="round-up")
    first = send(served, shop, body)
    for change in CHANGES:
        other = send(served, shop, gift(**(body | change)))
        assert (other.status_code, error_name(other)) == (409, "donation_differs"), change
        assert other.json()["error"]["donation_id"] == body["donation_id"]
    assert len(gifts(conninfo)) == 1
    assert send(served, shop, body).content == first.content


def test_the_same_id_from_another_till_is_refused(served: Served, shop: Shop) -> None:
    body = gift()
    send(served, shop, body)
    beside = enrol_till(served.context.ledger, ACTOR, shop.partner_id, "Caisse 2")
    for other in (
        Shop(shop.partner_id, beside.till_id, beside.key),
        open_shop(served.context.ledger, 2),
    ):
        answer = send(served, other, body)
        assert (answer.status_code, error_name(answer)) == (409, "donation_differs")


def test_sixteen_at_once_with_one_id_record_one_gift(
    served: Served, shop: Shop, conninfo: str
) -> None:
    body = gift()
    with ThreadPoolExecutor(16) as tills:
        answers = list(tills.map(lambda _: send(served, shop, body), range(16)))
    assert sorted(answer.status_code for answer in answers) == [200] * 15 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert len(gifts(conninfo)) == 1


def test_sixteen_at_once_that_contradict_each_other_record_one_gift(
    served: Served, shop: Shop, conninfo: str
) -> None:
    bodies = [gift(donation_id=str(UUID(int=1)), amount_cents=cents) for cents in range(1, 17)]
    with ThreadPoolExecutor(16) as tills:
        answers = list(tills.map(partial(send, served, shop), bodies))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 15
    (only,) = gifts(conninfo)
    won = next(answer for answer in answers if answer.status_code == 201)
    assert won.json()["position"] == only.position


def test_an_idempotency_key_may_stand_for_the_id(served: Served, shop: Shop, conninfo: str) -> None:
    body = gift(donation_id=None)
    first, again, other = (
        send(served, shop, sent, **{"Idempotency-Key": "sale 17"})
        for sent in (body, body, body | {"amount_cents": 41})
    )
    assert [answer.status_code for answer in (first, again, other)] == [201, 200, 409]
    assert again.content == first.content
    elsewhere = open_shop(served.context.ledger, 2)
    assert send(served, elsewhere, body, **{"Idempotency-Key": "sale 17"}).status_code == 201
    assert send(served, shop, body, **{"Idempotency-Key": "sale 18"}).status_code == 201
    assert len(gifts(conninfo)) == 3


def test_the_id_of_the_body_comes_before_the_header(served: Served, shop: Shop) -> None:
    body = gift()
    first = send(served, shop, body, **{"Idempotency-Key": "sale 17"})
    again = send(served, shop, body, **{"Idempotency-Key": "sale 18"})
    assert first.json()["donation_id"] == body["donation_id"]
    assert (again.status_code, again.content) == (200, first.content)


def test_a_gift_that_cannot_be_told_from_its_repeat_is_refused(served: Served, shop: Shop) -> None:
    for headers in ({}, {"Idempotency-Key": ""}):
        answer = send(served, shop, gift(donation_id=None), **headers)
        assert answer.status_code == 422
        fields = [problem["field"] for problem in answer.json()["error"]["problems"]]
        assert fields == ["donation_id"]


DESERVES_A_LOOK: tuple[tuple[dict[str, Any], list[str]], ...] = (
    (gift(), []),
    (gift(occurred_at=ago(days=29)), []),
    (gift(occurred_at=ago(days=31)), ["late"]),
    (gift(amount_cents=50_000), []),
    (gift(amount_cents=50_001), ["large_amount"]),
    (gift(amount_cents=100_000_000_000), ["large_amount"]),
    (gift(amount_cents=101, purchase_cents=100), ["exceeds_purchase"]),
    (gift(occurred_at=ago(days=400)), ["late", "partner_not_active"]),
    (gift(occurred_at="1970-01-01T00:00:00Z"), ["late", "partner_not_active"]),
)


def test_what_deserves_a_look_is_recorded_and_flagged(
    served: Served, shop: Shop, conninfo: str
) -> None:
    for body, _ in DESERVES_A_LOOK:
        assert send(served, shop, body).status_code == 201, body
    recorded = [(one.state["amount_cents"], one.state.get("flags", [])) for one in gifts(conninfo)]
    assert recorded == [(body["amount_cents"], flags) for body, flags in DESERVES_A_LOOK]


def test_a_gift_of_a_lapsed_partner_is_recorded_and_flagged(served: Served, conninfo: str) -> None:
    today = datetime.now(UTC).date()
    lapsed = open_shop(served.context.ledger, until=today - timedelta(days=2))
    for occurred_at in (ago(minutes=1), ago(days=4)):
        assert send(served, lapsed, gift(occurred_at=occurred_at)).status_code == 201
    now, then = gifts(conninfo)
    assert now.state["flags"] == ["partner_not_active"]
    assert not then.state.get("flags")


def test_a_gift_of_a_suspended_partner_is_recorded_and_flagged_within_a_second(
    served: Served, shop: Shop, conninfo: str
) -> None:
    send(served, shop, gift())
    with open_ledger(conninfo) as elsewhere:
        suspend(elsewhere, shop.partner_id)
    suspended_at = stored(conninfo, "CertificationSuspended")[0].state["recorded_at"]
    eventually(lambda: send(served, shop, gift()).status_code == 201 and flagged(conninfo))
    first = next(one for one in gifts(conninfo) if one.state.get("flags"))
    delay = datetime.fromisoformat(first.state["recorded_at"]) - datetime.fromisoformat(
        suspended_at
    )
    assert delay < timedelta(seconds=1)


def flagged(conninfo: str) -> bool:
    return gifts(conninfo)[-1].state.get("flags") == ["partner_not_active"]


def test_a_clock_may_run_ahead_within_the_tolerance(
    served: Served, shop: Shop, conninfo: str
) -> None:
    soon = datetime.now(UTC) + FUTURE_TOLERANCE
    within = send(served, shop, gift(occurred_at=(soon - timedelta(seconds=20)).isoformat()))
    assert within.status_code == 201
    for beyond in (soon + timedelta(seconds=20), soon + timedelta(days=3_650)):
        answer = send(served, shop, gift(occurred_at=beyond.isoformat()))
        assert (answer.status_code, error_name(answer)) == (422, "occurred_in_future")
        assert "occurred_at" in answer.json()["error"]
    assert len(gifts(conninfo)) == 1


def test_an_idempotency_key_is_of_the_length_that_is_documented(
    served: Served, shop: Shop, conninfo: str
) -> None:
    longest = send(served, shop, gift(donation_id=None), **{"Idempotency-Key": "k" * 255})
    longer = send(served, shop, gift(donation_id=None), **{"Idempotency-Key": "k" * 256})
    assert (longest.status_code, longer.status_code) == (201, 422)
    assert len(gifts(conninfo)) == 1


@pytest.fixture
def small_queue(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Committer]:
    small = partial(Committer, waiting_events_max=QUEUE_EVENTS_MAX)
    monkeypatch.setattr(deps, "open_ledger", partial(open_ledger, committer=small))
    return small


def test_a_full_queue_says_when_to_come_back_and_keeps_what_it_took(
    small_queue: object, served: Served, conninfo: str
) -> None:
    shop = shop_in(conninfo)
    bodies = [gift() for _ in range(40)]
    with ThreadPoolExecutor(40) as tills, psycopg.connect(conninfo) as blocker:
        send(served, shop, gift())
        blocker.execute("LOCK TABLE ledger_events IN EXCLUSIVE MODE")
        waiting = [tills.submit(send, served, shop, body) for body in bodies]
        # One group stands before the table, QUEUE_EVENTS_MAX wait behind it, all others hear no.
        eventually(lambda: sum(one.done() for one in waiting) >= len(bodies) - 2 * QUEUE_EVENTS_MAX)
        assert all(one.result().status_code == 503 for one in waiting if one.done())
        blocker.commit()
        answers = [one.result() for one in waiting]
    refused = [answer for answer in answers if answer.status_code == 503]
    for answer in refused:
        assert error_name(answer) == "queue_full"
        assert int(answer.headers["retry-after"]) > 0
    taken = {answer.json()["donation_id"] for answer in answers if answer.status_code == 201}
    assert len(taken) + len(refused) == len(bodies)
    assert taken
    kept = {one.state["donation_id"] for one in gifts(conninfo)[1:]}
    assert kept == taken
    again = [send(served, shop, body).status_code for body in bodies]
    assert sorted(again) == [200] * len(taken) + [201] * len(refused)
