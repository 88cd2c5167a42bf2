"""How often one may try: counted by whoever asks, behind a proxy too, and for each purpose."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from api import people
from api.credentials import ATTEMPTS_MAX, TooManyAttempts, network_of
from api.enrolment import accept_code, offer_till
from ledger.tills import EnrolmentNotOffered
from tests.api.office import follow_up
from tests.api.people import PASSWORD, Browser, Person, with_password
from tests.api.served import Served, service, serving, settings_in
from tests.api.shops import Shop

MOST = 3
HERE, ELSEWHERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ATTEMPTS_MAX, "address", MOST)


@pytest.fixture
def behind(tmp_path: Path, conninfo: str) -> Iterator[Served]:
    """A service behind a proxy on this machine, which it was told of."""
    settings = replace(settings_in(tmp_path / "home"), trusted_proxies=("127.0.0.1/32",))
    with serving(settings, conninfo) as served:
        yield served


def fails(served: Served, told: str) -> int:
    """Try a password of nobody's, through a proxy that tells an address; give the status."""
    fields = {"email": f"{uuid4().hex}@exemple.fr", "password": "wrong"}
    headers = {"X-Forwarded-For": told}
    return Browser(served).post("/login", fields, **headers).status_code


class TestBehindProxy:
    def test_one_visitor_s_failures_are_not_another_s(self, behind: Served) -> None:
        one = with_password(behind, "officer")
        for _ in range(MOST):
            assert fails(behind, HERE) == httpx.codes.UNPROCESSABLE_ENTITY
        assert fails(behind, HERE) == httpx.codes.TOO_MANY_REQUESTS
        fields = {"email": one.email, "password": PASSWORD}
        answer = Browser(behind).post("/login", fields, **{"X-Forwarded-For": ELSEWHERE})
        assert answer.status_code == httpx.codes.SEE_OTHER

    def test_what_a_visitor_tells_of_herself_is_not_believed(self, behind: Served) -> None:
        told = [f"10.0.0.{number}, {HERE}" for number in range(MOST + 1)]
        answers = [fails(behind, one) for one in told]
        assert answers[-1] == httpx.codes.TOO_MANY_REQUESTS
        assert httpx.codes.TOO_MANY_REQUESTS not in answers[:-1]

    def test_without_a_proxy_nobody_is_believed(self, served: Served) -> None:
        answers = [fails(served, f"192.0.2.{number}") for number in range(MOST + 1)]
        assert answers[-1] == httpx.codes.TOO_MANY_REQUESTS


class TestCounted:
    @pytest.fixture
    def one(self, served: Served) -> Person:
        return with_password(served, "officer")

    def test_what_succeeds_is_not_counted(
        self, one: Person, served: Served, shop: Shop, conninfo: str
    ) -> None:
        for _ in range(2 * MOST):
            assert people.sign_in(served.context, one.email, PASSWORD, HERE)
            offer = offer_till(served.context, "test", shop.partner_id, "Caisse 2")
            follow_up(conninfo)
            assert accept_code(served.context, offer.code, HERE).till_id == offer.till_id

    def test_a_success_does_not_forgive_an_address_its_failures(
        self, one: Person, served: Served
    ) -> None:
        for number in range(MOST):
            assert people.sign_in(served.context, one.email, PASSWORD, HERE)
            assert people.sign_in(served.context, f"{number}@exemple.fr", "wrong", HERE) is None
        with pytest.raises(TooManyAttempts):
            people.sign_in(served.context, one.email, PASSWORD, HERE)

    def test_each_purpose_has_a_count_of_its_own(
        self, one: Person, served: Served, conninfo: str
    ) -> None:
        follow_up(conninfo)
        for _ in range(MOST):
            with pytest.raises(EnrolmentNotOffered):
                accept_code(served.context, "ABCD-EFGH", HERE)
        with pytest.raises(TooManyAttempts):
            accept_code(served.context, "ABCD-EFGH", HERE)
        assert people.sign_in(served.context, one.email, PASSWORD, HERE)

    def test_a_network_of_ipv6_is_one_visitor(self, one: Person, served: Served) -> None:
        for number in range(MOST):
            address = f"2001:db8:1:2::{number}"
            assert people.sign_in(served.context, f"{number}@exemple.fr", "x", address) is None
        with pytest.raises(TooManyAttempts):
            people.sign_in(served.context, one.email, PASSWORD, "2001:db8:1:2:ffff::1")
        assert people.sign_in(served.context, one.email, PASSWORD, "2001:db8:1:3::1")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
        ("unknown", "unknown"),
    ],
)
def test_the_network_of_an_address(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize("proxies", ["", "127.0.0.1"])
def test_a_proxy_that_is_not_named_is_missed(proxies: str, tmp_path: Path, conninfo: str) -> None:
    set_to = {"PUBLIC_URL": "https://dons.exemple.fr", "TRUSTED_PROXIES": proxies}
    with service(tmp_path / "home", DATABASE_URL=conninfo, **set_to) as running:
        assert ("name its address in TRUSTED_PROXIES" in running.said) == (not proxies)
