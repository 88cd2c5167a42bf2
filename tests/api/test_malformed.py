"""What is no gift: each field is named, no value is repeated, nothing is recorded."""

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from api.donations import ONE_BYTES_MAX
from tests.api.served import Served
from tests.api.shops import Shop, gift
from tests.api.stored import gifts

PATH = "/api/v1/donations"
BEYOND_CENTS = 100_000_000_001

WRONG: dict[str, list[Any]] = {
    "donation_id": ["", "not-a-uuid", 5, "e43eb620-9e95-4055-a828-b0be16cb7fd", []],
    "occurred_at": [
        *("", "yesterday", "2026-11-23", "2026-11-23T10:00:00", "10:00:00Z"),
        *(1_790_000_000, 1_790_000_000.5, "1790000000", "1790000000.5", True, {}),
        *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z"),
        *("9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "9000-01-01T00:00:00Z"),
        *("2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-23T25:00:00Z"),
        "2026-11-23T10:00:00+99:00",
    ],
    "amount_cents": [40.0, 40.5, "40", 0, -1, 10**12, BEYOND_CENTS, 10**400, True, [40], {}],
    "source": ["donor", "", "Customer", 1, True, ["customer"]],
    "purchase_cents": [40.0, "40", 0, -1, 10**12, BEYOND_CENTS, False],
    "sale_ref": ["", "x" * 101, 5, ["F-1"]],
    "ask_id": ["", "Round Up", "é", "x" * 65, "round-up\n", "-x", 5],
    "project_id": ["", "x", 5],
    "customer": ["Marguerite", None, 5],
}
MISSING = ("occurred_at", "amount_cents", "source")


@pytest.fixture
def sent(served: Served, shop: Shop, conninfo: str) -> Iterator["Sender"]:
    """A way to send bodies of which none may be recorded."""
    yield Sender(served, shop)
    assert gifts(conninfo) == []


class Sender:
    def __init__(self, served: Served, shop: Shop) -> None:
        self.served = served
        self.shop = shop

    def __call__(self, content: bytes | Iterator[bytes]) -> httpx.Response:
        headers = self.shop.bearer | {"Content-Type": "application/json"}
        return self.served.client.post(PATH, content=content, headers=headers)


def fields_named(answer: httpx.Response) -> list[str]:
    error = answer.json()["error"]
    return [problem["field"] for problem in error.get("problems", [])]


def test_a_malformed_field_is_named(sent: Sender) -> None:
    wrong = {}
    for field, values in WRONG.items():
        for value in values:
            answer = sent(json.dumps(gift() | {field: value}).encode())
            if answer.status_code != 422 or fields_named(answer) != [field]:
                wrong[f"{field}={str(value)[:40]!r}"] = (answer.status_code, answer.text)
    assert wrong == {}


def test_a_missing_field_is_named(sent: Sender) -> None:
    for field in MISSING:
        body = gift()
        del body[field]
        for without in (body, body | {field: None}):
            answer = sent(json.dumps(without).encode())
            assert (answer.status_code, fields_named(answer)) == (422, [field])


def test_all_problems_are_named_at_once_and_no_value_is_repeated(sent: Sender) -> None:
    body = gift(amount_cents="Marguerite", source="Bernadette") | {"phone": "0490000000"}
    answer = sent(json.dumps(body).encode())
    assert answer.json()["error"]["name"] == "body_malformed"
    assert sorted(fields_named(answer)) == ["amount_cents", "phone", "source"]
    assert not any(word in answer.text for word in ("Marguerite", "Bernadette", "0490000000"))


NO_OBJECT = (
    *(b"", b" ", b"{", b"{}x", b"null", b"[]", b"5", b'"text"', b"\xff\xfe{}", b"\x00"),
    b"[" * 10_000,
    b'{"amount_cents":' * 900,
    json.dumps(gift()).encode("utf-16"),
    b"\xef\xbb\xbf" + json.dumps(gift()).encode(),
    json.dumps(gift()).replace(" 40", " NaN").encode(),
    json.dumps(gift(sale_ref="x")).replace('"x"', '"\\ud800"').encode(),
    json.dumps([gift()]).encode(),
    b"donation_id=1&amount_cents=40",
)


def test_what_is_no_json_object_is_refused(sent: Sender) -> None:
    for content in NO_OBJECT:
        answer = sent(content)
        assert answer.status_code == 422, content[:80]
        assert answer.json()["error"]["name"] == "body_malformed"


def test_a_body_longer_than_any_honest_one_is_refused(sent: Sender) -> None:
    huge = json.dumps(gift() | {"sale_ref": "x" * ONE_BYTES_MAX}).encode()
    declared = sent(huge)
    assert (declared.status_code, declared.json()["error"]["name"]) == (413, "body_too_large")
    chunked = sent(iter([huge[:1_000], huge[1_000:]]))
    assert (chunked.status_code, chunked.json()["error"]["name"]) == (413, "body_too_large")


def test_a_length_is_judged_before_anything_is_sent(sent: Sender) -> None:
    where = urlsplit(sent.served.url)
    assert where.hostname is not None
    for length, status in (("99999999999", b"413"), ("abc", b"4"), ("-1", b"4"), ("1e3", b"4")):
        with socket.create_connection((where.hostname, where.port or 80), 20) as client:
            head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n"
            client.sendall(f"{head}Authorization: Bearer {sent.shop.key}\r\n\r\n".encode())
            assert client.recv(4_096).startswith(b"HTTP/1.1 " + status), length


def test_a_body_in_chunks_is_read_whole(served: Served, shop: Shop, conninfo: str) -> None:
    text = json.dumps(gift()).encode()
    chunks = (text[place : place + 7] for place in range(0, len(text), 7))
    assert Sender(served, shop)(chunks).status_code == 201
    assert len(gifts(conninfo)) == 1
