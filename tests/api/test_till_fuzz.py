"""Whatever a device sends to the addresses of the till is answered by name, never by a fault."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example
from hypothesis import given as for_all
from hypothesis import settings as effort
from hypothesis import strategies as st

from ledger.devices import NUMBER_MAX
from ledger.money import AMOUNT_CENTS_MAX
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.served import Served
from tests.api.shops import Shop, gift
from tests.projections.village import following

PATHS = ("closes", "tickets", "enrolments")
FIELDS = ("day", "gifts", "cents", "first_number", "last_number", "count", "code")
ODD: tuple[Any, ...] = (
    *(None, True, False, "", "0", "-0", 0.0, -1, 1.5, 1e300, [], {}, [0], "\x00", "é", "𝔸"),
    *(0, 1, NUMBER_MAX, NUMBER_MAX + 1, 2**63, 2**64, -(2**63), 10**40),
    *("0001-01-01", "9999-12-31", "2026-02-30", "2026-11-23T00:00:00", "2026-11-23Z", "٢٠٢٦-١١-٢٣"),
    *("1970-01-01", "-001-01-01", "10000-01-01", "K7QM-2XWD", "ﬀ" * 13, "ß" * 40, " " * 40),
)
# What no JSON writer makes, and some clients send.
RAW = (
    b'{"day": NaN, "gifts": Infinity, "cents": -Infinity}',
    b'{"day": 1e400, "gifts": -0, "cents": 1E2}',
    b'{"day": "2026-01-01", "gifts": ' + b"9" * 3_000 + b', "cents": 0}',
    b'{"code": "\\ud800"}',
    b'{"count": 1, "count": 2}',
    b'{"day": "2026-01-01", "gifts": 1, "cents": 1, "gifts": 2}',
    b"[" * 2_000,
    b"\xff\xfe{}",
    b"",
)
odd_values = st.sampled_from(ODD) | st.integers() | st.text(max_size=50) | st.dates().map(str)
odd_bodies = st.dictionaries(st.sampled_from(FIELDS), odd_values, max_size=len(FIELDS))
closes = st.fixed_dictionaries(
    {"day": odd_values, "gifts": odd_values, "cents": odd_values},
    optional={"first_number": odd_values, "last_number": odd_values},
)


@pytest.fixture(autouse=True)
def follower(conninfo: str) -> Iterator[None]:
    catch_up(conninfo, READ_MODELS)  # The tables are there before the first request.
    with following(conninfo):
        yield


def send(served: Served, shop: Shop, path: str, content: bytes) -> httpx.Response:
    headers = shop.bearer | {"Content-Type": "application/json"}
    return served.client.post(f"/api/v1/till/{path}", content=content, headers=headers)


def check_answered(answer: httpx.Response, sent: bytes) -> None:
    told = (answer.status_code, sent[:200], answer.text[:400])
    assert answer.status_code in {200, 201, 404, 409, 422, 429}, told
    if answer.status_code >= httpx.codes.BAD_REQUEST:
        assert answer.json()["error"]["name"], told


@effort(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(path=st.sampled_from(PATHS), body=odd_bodies | closes)
@example("closes", {"day": 0, "gifts": 0, "cents": 0})
@example("closes", {"day": "0001-01-01", "gifts": 0, "cents": 0})
@example("closes", {"day": "1970-01-01", "gifts": 0, "cents": 0, "first_number": NUMBER_MAX})
@example("enrolments", {"code": "ﬀ" * 40})
def test_odd_fields_are_answered(
    served: Served, shop: Shop, path: str, body: dict[str, Any]
) -> None:
    content = json.dumps(body).encode()
    check_answered(send(served, shop, path, content), content)


@pytest.mark.parametrize("path", PATHS)
def test_odd_documents_are_answered(served: Served, shop: Shop, path: str) -> None:
    for content in RAW:
        check_answered(send(served, shop, path, content), content)


def test_a_day_on_which_the_ledger_counts_more_than_a_till_may_say_is_closed(
    served: Served, shop: Shop
) -> None:
    """Each gift is within its bound; their sum need not be, and the close tells the difference."""
    noon = "2026-01-15T12:00:00+01:00"
    for _ in range(2):
        body = gift(amount_cents=AMOUNT_CENTS_MAX, occurred_at=noon)
        served.client.post("/api/v1/donations", json=body, headers=shop.bearer)
    claim = {"day": "2026-01-15", "gifts": 2, "cents": AMOUNT_CENTS_MAX}
    answer = send(served, shop, "closes", json.dumps(claim).encode())
    assert answer.status_code == httpx.codes.CREATED, answer.text
    told = answer.json()
    assert (told["ledger_cents"], told["agrees"]) == (2 * AMOUNT_CENTS_MAX, False)
