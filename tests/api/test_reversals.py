"""Giving back: in part or whole, never more than was given, once for each id."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.admin import enrol_till
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.served import Served
from tests.api.shops import ACTOR, Shop, gift, open_shop, reversal
from tests.api.stored import gifts, stored

PATH = "/api/v1/donations"


@pytest.fixture
def given(served: Served, shop: Shop) -> str:
    """The id of a gift of 40 cents."""
    answer = served.client.post(PATH, json=gift(), headers=shop.bearer)
    donation_id: str = answer.json()["donation_id"]
    return donation_id


def send(served: Served, shop: Shop, donation_id: str, body: Any) -> httpx.Response:
    return served.client.post(f"{PATH}/{donation_id}/reversals", json=body, headers=shop.bearer)


def error_name(answer: httpx.Response) -> str:
    name: str = answer.json()["error"]["name"]
    return name


def reversed_cents(conninfo: str) -> list[int]:
    return [one.state["amount_cents"] for one in stored(conninfo, "DonationReversed")]


def test_parts_may_be_given_back_until_nothing_is_left(
    served: Served, shop: Shop, conninfo: str, given: str
) -> None:
    first = send(served, shop, given, reversal(amount_cents=15))
    second = send(served, shop, given, reversal(amount_cents=25, reason="sale_returned"))
    more = send(served, shop, given, reversal(amount_cents=1))
    assert [answer.status_code for answer in (first, second, more)] == [201, 201, 409]
    assert (first.json()["reversed_cents"], first.json()["remaining_cents"]) == (15, 25)
    assert (second.json()["reversed_cents"], second.json()["remaining_cents"]) == (40, 0)
    assert more.json()["error"]["remaining_cents"] == 0
    assert error_name(more) == "reversal_exceeds_gift"
    assert reversed_cents(conninfo) == [15, 25]


def test_a_reversal_is_stored_with_what_it_reverses(
    served: Served, shop: Shop, conninfo: str, given: str
) -> None:
    body = reversal(amount_cents=40, reason="duplicate")
    answer = send(served, shop, given, body)
    (event,) = stored(conninfo, "DonationReversed")
    (recorded,) = gifts(conninfo)
    assert answer.json()["position"] == event.position
    assert answer.json()["donation_id"] == given
    assert answer.headers["cache-control"] == "no-store"
    for name, value in body.items():
        assert event.state[name] == value
    for name in ("donation_id", "partner_id", "till_id", "source"):
        assert event.state[name] == recorded.state[name]


def test_more_than_was_given_is_never_given_back(
    served: Served, shop: Shop, conninfo: str, given: str
) -> None:
    answer = send(served, shop, given, reversal(amount_cents=41))
    assert (answer.status_code, error_name(answer)) == (409, "reversal_exceeds_gift")
    assert answer.json()["error"]["remaining_cents"] == 40
    assert reversed_cents(conninfo) == []


def test_the_same_again_gets_the_same_answer(
    served: Served, shop: Shop, conninfo: str, given: str
) -> None:
    body = reversal(amount_cents=15)
    first = send(served, shop, given, body)
    send(served, shop, given, reversal(amount_cents=25))
    again = send(served, shop, given, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.content == first.content
    assert reversed_cents(conninfo) == [15, 25]


def test_the_same_id_with_another_body_is_refused(
    served: Served, shop: Shop, conninfo: str, given: str
) -> None:
    body = reversal(amount_cents=15)
    send(served, shop, given, body)
    for change in ({"amount_cents": 16}, {"reason": "duplicate"}):
        answer = send(served, shop, given, body | change)
        assert (answer.status_code, error_name(answer)) == (409, "reversal_differs")
    assert reversed_cents(conninfo) == [15]


def test_what_is_not_this_partners_is_not_found(
    served: Served, shop: Shop, conninfo: str, given: str
) -> None:
    elsewhere = open_shop(served.context.ledger, 2)
    of_another = send(served, elsewhere, given, reversal())
    unknown = send(served, shop, str(uuid4()), reversal())
    for answer in (of_another, unknown):
        assert (answer.status_code, error_name(answer)) == (404, "donation_not_found")
    assert set(of_another.json()["error"]) == set(unknown.json()["error"])
    assert reversed_cents(conninfo) == []


def test_another_till_of_the_same_partner_may_give_back(
    served: Served, shop: Shop, conninfo: str, given: str
) -> None:
    beside = enrol_till(served.context.ledger, ACTOR, shop.partner_id, "Caisse 2")
    other = Shop(shop.partner_id, beside.till_id, beside.key)
    body = reversal()
    assert send(served, other, given, body).status_code == 201
    assert send(served, shop, given, body).status_code == 200
    (event,) = stored(conninfo, "DonationReversed")
    assert event.state["till_id"] == str(beside.till_id)


def test_ten_at_once_never_give_back_more_than_was_given(
    served: Served, shop: Shop, conninfo: str, given: str
) -> None:
    bodies = [reversal(amount_cents=15) for _ in range(10)]
    with ThreadPoolExecutor(10) as tills:
        answers = list(tills.map(partial(send, served, shop, given), bodies))
    assert sorted(answer.status_code for answer in answers) == [201] * 2 + [409] * 8
    assert reversed_cents(conninfo) == [15, 15]
    totals = sorted(one.json()["reversed_cents"] for one in answers if one.status_code == 201)
    assert totals == [15, 30]


def test_ten_at_once_with_one_id_give_back_once(
    served: Served, shop: Shop, conninfo: str, given: str
) -> None:
    body = reversal(amount_cents=4)
    with ThreadPoolExecutor(10) as tills:
        answers = list(tills.map(lambda _: send(served, shop, given, body), range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert len({answer.content for answer in answers}) == 1
    assert reversed_cents(conninfo) == [4]


def test_a_malformed_reversal_names_its_field(
    served: Served, shop: Shop, conninfo: str, given: str
) -> None:
    wrong: dict[str, list[Any]] = {
        "reversal_id": [None, "", "x", 5],
        "amount_cents": [None, 0, -1, 1.5, 10.0, "10", True, 10**12],
        "reason": [None, "", "other", 5],
        "comment": ["Marguerite"],
    }
    for field, values in wrong.items():
        for value in values:
            answer = send(served, shop, given, reversal() | {field: value})
            named = [problem["field"] for problem in answer.json()["error"]["problems"]]
            assert (answer.status_code, named) == (422, [field]), value
    answer = send(served, shop, "no-uuid", reversal())
    assert answer.status_code == 422
    assert reversed_cents(conninfo) == []


def test_the_ticket_says_what_was_given_back(
    served: Served, shop: Shop, given: str, conninfo: str
) -> None:
    body = gift(amount_cents=4_217)
    code = served.client.post(PATH, json=body, headers=shop.bearer).json()["code"]
    send(served, shop, body["donation_id"], reversal(amount_cents=1_739))
    catch_up(conninfo, READ_MODELS)  # Where the gift's money is, the page reads there.
    page = served.client.get(f"/g/{code}", params={"lang": "en"})
    assert "42.17" in page.text
    assert "17.39" in page.text
