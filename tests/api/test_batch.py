"""Many gifts in one request: each is answered in its place as if it had come alone."""

import json
from typing import Any
from uuid import UUID

import httpx
import psycopg

from api.donations import BATCH_BYTES_MAX
from tests.api.served import Served
from tests.api.shops import Shop, gift, open_shop
from tests.api.stored import gifts

PATH = "/api/v1/donations/batch"


def send(served: Served, shop: Shop, items: list[Any]) -> httpx.Response:
    return served.client.post(PATH, json={"donations": items}, headers=shop.bearer)


def results(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def test_a_thousand_gifts_are_answered_in_order_after_a_few_commits(
    served: Served, shop: Shop, conninfo: str
) -> None:
    items = [gift(amount_cents=cents) for cents in range(1, 1_001)]
    answers = results(send(served, shop, items))
    assert [answer["status"] for answer in answers] == [201] * 1_000
    assert [answer["donation_id"] for answer in answers] == [item["donation_id"] for item in items]
    recorded = {one.position: one.state["amount_cents"] for one in gifts(conninfo)}
    assert [recorded[answer["position"]] for answer in answers] == list(range(1, 1_001))
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(
            "SELECT count(DISTINCT xmin::text) FROM ledger_events WHERE topic = 'DonationRecorded'"
        ).fetchone()
    assert row is not None
    assert row[0] <= 3


def test_an_item_is_answered_as_if_it_had_come_alone(served: Served, shop: Shop) -> None:
    body = gift(sale_ref="F-1", ask_id="round-up")
    alone = served.client.post("/api/v1/donations", json=body, headers=shop.bearer)
    (repeated,) = results(send(served, shop, [body]))
    assert repeated == {"status": 200} | alone.json()
    other = gift()
    (first,) = results(send(served, shop, [other]))
    again = served.client.post("/api/v1/donations", json=other, headers=shop.bearer)
    assert (first.pop("status"), again.status_code) == (201, 200)
    assert first == again.json()


def test_bad_items_do_not_spoil_the_others(served: Served, shop: Shop, conninfo: str) -> None:
    known = gift()
    results(send(served, shop, [known]))
    items: list[Any] = [
        gift(),
        gift(amount_cents=0),
        gift(donation_id=None),
        gift(),
        known | {"amount_cents": 41},
        gift(occurred_at="2099-01-01T00:00:00Z"),
        gift(occurred_at="2026-11-23T10:00:00"),
        *(5, None, [], "text", {}, [[[]]]),
        gift(customer="Marguerite"),
        gift(),
    ]
    answers = results(send(served, shop, items))
    statuses = [answer["status"] for answer in answers]
    assert statuses == [201, 422, 422, 201, 409, *[422] * 9, 201]
    fields = [problem["field"] for problem in answers[1]["error"]["problems"]]
    assert fields == ["amount_cents"]
    assert answers[4]["error"]["name"] == "donation_differs"
    assert answers[5]["error"]["name"] == "occurred_in_future"
    assert [one.state["donation_id"] for one in gifts(conninfo)] == [
        known["donation_id"],
        *(answer["donation_id"] for answer in answers if answer["status"] == 201),
    ]


def test_duplicates_within_a_batch_are_recorded_once(
    served: Served, shop: Shop, conninfo: str
) -> None:
    twice, contradicted = gift(), gift(donation_id=str(UUID(int=7)))
    items = [twice, contradicted, twice, contradicted | {"amount_cents": 41}, twice, gift()]
    answers = results(send(served, shop, items))
    assert [answer["status"] for answer in answers] == [201, 201, 200, 409, 200, 201]
    first, again = answers[0] | {"status": 0}, answers[2] | {"status": 0}
    assert first == again == answers[4] | {"status": 0}
    assert len(gifts(conninfo)) == 3


def test_a_thousand_contradictions_within_a_batch_record_one(
    served: Served, shop: Shop, conninfo: str
) -> None:
    items = [gift(donation_id=str(UUID(int=7)), amount_cents=cents) for cents in range(1, 1_001)]
    answers = results(send(served, shop, items))
    assert [answer["status"] for answer in answers] == [201] + [409] * 999
    assert len(gifts(conninfo)) == 1


def test_a_batch_repeated_gets_the_same_answers(served: Served, shop: Shop, conninfo: str) -> None:
    items = [gift() for _ in range(50)]
    first = results(send(served, shop, items[:30]))
    second = results(send(served, shop, items))
    assert [answer["status"] for answer in second] == [200] * 30 + [201] * 20
    assert [answer | {"status": 201} for answer in second[:30]] == first
    assert len(gifts(conninfo)) == 50


def test_another_till_cannot_repeat_a_batch(served: Served, shop: Shop) -> None:
    items = [gift() for _ in range(3)]
    results(send(served, shop, items))
    elsewhere = open_shop(served.context.ledger, 2)
    answers = results(send(served, elsewhere, items))
    assert [answer["status"] for answer in answers] == [409] * 3
    assert not any("code" in answer for answer in answers)


def test_a_batch_of_none_or_of_more_than_a_thousand_is_refused(
    served: Served, shop: Shop, conninfo: str
) -> None:
    for items in ([], [gift() for _ in range(1_001)]):
        answer = send(served, shop, items)
        assert (answer.status_code, answer.json()["error"]["name"]) == (422, "batch_too_large")
    assert gifts(conninfo) == []


def test_what_is_no_batch_is_refused(served: Served, shop: Shop, conninfo: str) -> None:
    good = json.dumps(gift())
    for content in (
        *("", "{", "[]", "null", "5", "{}", '{"donations": null}', '{"donations": {}}'),
        f'{{"donations": [{good}], "till": 1}}',
        f'{{"donations": [{good}]',
        f'{{"donations": [{good},]}}',
        f"[{good}]",
        '{"donations": [' + "[" * 100_000,
        '{"donations": [' + "[" * 100_000 + "]" * 100_000 + "]}",
    ):
        answer = served.client.post(PATH, content=content, headers=shop.bearer)
        assert answer.status_code in {200, 422}, content[:80]
        if answer.status_code == 200:
            assert [one["status"] for one in results(answer)] == [422]
        else:
            assert answer.json()["error"]["name"] == "body_malformed", content[:80]
    assert gifts(conninfo) == []


def test_a_batch_longer_than_any_honest_one_is_refused(served: Served, shop: Shop) -> None:
    content = b'{"donations": [' + b" " * BATCH_BYTES_MAX + b"]}"
    for sent in (content, iter([content])):
        answer = served.client.post(PATH, content=sent, headers=shop.bearer)
        assert (answer.status_code, answer.json()["error"]["name"]) == (413, "body_too_large")


def test_the_largest_honest_batch_fits(served: Served, shop: Shop, conninfo: str) -> None:
    items = [
        gift(
            amount_cents=100_000_000_000,
            purchase_cents=100_000_000_000,
            sale_ref="\N{GRINNING FACE}" * 100,
            ask_id="a" * 64,
            project_id=str(UUID(int=1)),
        )
        for _ in range(1_000)
    ]
    content = json.dumps({"donations": items}, ensure_ascii=False).encode()
    answer = served.client.post(PATH, content=content, headers=shop.bearer)
    assert [one["status"] for one in results(answer)] == [201] * 1_000
    assert len(gifts(conninfo)) == 1_000
