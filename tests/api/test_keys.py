"""Who may record: the holder of a till's key, as long as it is the till's."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import product
from uuid import uuid4

import httpx

from api.admin import revoke_till, rotate_till_key
from ledger.store import open_ledger
from tests.api.served import Served
from tests.api.shops import ACTOR, Shop, gift, reversal, shop_in
from tests.api.stored import gifts, stored
from tests.ledger.processes import eventually

PATHS = (
    "/api/v1/donations",
    "/api/v1/donations/batch",
    f"/api/v1/donations/{uuid4()}/reversals",
)


def assert_refused(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["error"]["name"]) == (401, "key_refused")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["cache-control"] == "no-store"


def test_no_key_and_no_known_key_are_refused_before_the_body_is_looked_at(
    served: Served, shop: Shop, conninfo: str
) -> None:
    wrong = (
        *(None, "", "Bearer", "Basic eDp5", shop.key, f"Bearer{shop.key}"),
        *("Bearer dpt_unknown", f"Bearer {shop.key}x", f"Bearer {shop.key} {shop.key}"),
        f"Bearer {shop.key.swapcase()}",
        f"Digest {shop.key}",
        "Bearer \N{LATIN SMALL LETTER E WITH ACUTE}",
    )
    for path, header in product(PATHS, wrong):
        headers = {} if header is None else {b"Authorization": header.encode("latin-1")}
        assert_refused(served.client.post(path, json=gift(), headers=headers))
        assert_refused(served.client.post(path, content=b"{", headers=headers))
    assert gifts(conninfo) == []


def test_the_scheme_may_be_written_in_any_case(served: Served, shop: Shop) -> None:
    """RFC 9110, 11.1: the name of an authentication scheme is case-insensitive."""
    headers = {"Authorization": f"bearer {shop.key}"}
    assert served.client.post(PATHS[0], json=gift(), headers=headers).status_code == 201


def test_many_unknown_keys_at_once_hold_up_nobody(served: Served, shop: Shop) -> None:
    def guess(number: int) -> int:
        headers = {"Authorization": f"Bearer dpt_{number % 7}"} if number % 5 else shop.bearer
        with httpx.Client(base_url=served.url, timeout=20) as client:
            answers = [client.post(PATHS[0], json=gift(), headers=headers) for _ in range(40)]
        (status,) = {answer.status_code for answer in answers}
        return status

    with ThreadPoolExecutor(32) as tills:
        statuses = list(tills.map(guess, range(32)))
    assert statuses == [401 if number % 5 else 201 for number in range(32)]


def test_a_till_enrolled_elsewhere_works_at_once(served: Served, conninfo: str) -> None:
    for number in range(1, 6):
        shop = shop_in(conninfo, number)
        answer = served.client.post(PATHS[0], json=gift(), headers=shop.bearer)
        assert answer.status_code == 201


def test_a_key_rotated_elsewhere_ends_within_a_second(
    served: Served, shop: Shop, conninfo: str
) -> None:
    with open_ledger(conninfo) as elsewhere:
        key = rotate_till_key(elsewhere, ACTOR, shop.till_id).key
    new = {"Authorization": f"Bearer {key}"}
    assert served.client.post(PATHS[0], json=gift(), headers=new).status_code == 201
    assert_refused(served.client.post(PATHS[0], json=gift(), headers=shop.bearer))


def test_a_till_revoked_elsewhere_ends_within_a_second(
    served: Served, shop: Shop, conninfo: str
) -> None:
    assert served.client.post(PATHS[0], json=gift(), headers=shop.bearer).status_code == 201
    with open_ledger(conninfo) as elsewhere:
        revoke_till(elsewhere, ACTOR, shop.till_id, "stolen")

    def refused() -> bool:
        answer = served.client.post(PATHS[0], json=gift(), headers=shop.bearer)
        return answer.status_code == 401

    eventually(refused)
    revoked_at = stored(conninfo, "TillRevoked")[0].state["recorded_at"]
    last = gifts(conninfo)[-1].state["recorded_at"]
    delay = datetime.fromisoformat(last) - datetime.fromisoformat(revoked_at)
    assert delay < timedelta(seconds=1)
    assert_refused(
        served.client.post(
            f"/api/v1/donations/{uuid4()}/reversals", json=reversal(), headers=shop.bearer
        )
    )
