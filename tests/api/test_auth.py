import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from argon2 import Parameters, PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from api import people
from api.credentials import ATTEMPTS_MAX, RESET, WINDOW, TooManyAttempts
from api.sessions import IDLE, LONGEST
from tests.api.people import (
    PASSWORD,
    Browser,
    Person,
    enter,
    is_in,
    person,
    session_of,
    signed_in,
    with_password,
)
from tests.api.served import Served
from tests.api.stored import every_byte


class TestEnrolled:
    def test_the_link_sets_the_password_and_signs_in(self, served: Served) -> None:
        one = person(served, "officer")
        assert "Choose your password" in Browser(served).get(one.link).text
        answer = Browser(served).post(one.link, {"password": PASSWORD})
        assert is_in(Browser(served, session_of(answer)))
        assert is_in(Browser(served, session_of(enter(served, one))))

    def test_the_link_works_once(self, served: Served) -> None:
        one = with_password(served, "officer")
        for answer in (Browser(served).get(one.link), Browser(served).post(one.link, {})):
            assert answer.status_code in {404, 422}
        again = Browser(served).post(one.link, {"password": "another long password"})
        assert again.status_code == httpx.codes.NOT_FOUND
        assert session_of(enter(served, one))

    def test_looking_at_the_link_does_not_use_it(self, served: Served) -> None:
        one = person(served, "officer")
        for _ in range(3):
            assert Browser(served).get(one.link).status_code == httpx.codes.OK

    def test_an_old_link_opens_nothing(self, served: Served) -> None:
        one = person(served, "officer")
        credentials = served.context.credentials
        old = credentials.offer_link(one.account_id, datetime.now(UTC) - RESET, RESET)
        answer = Browser(served).post(f"/account/link/{old}", {"password": PASSWORD})
        assert answer.status_code == httpx.codes.NOT_FOUND

    @pytest.mark.parametrize("password", ["", "short", "x" * 201])
    def test_a_password_has_a_length(self, password: str, served: Served) -> None:
        one = person(served, "officer")
        answer = Browser(served).post(one.link, {"password": password})
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert Browser(served).get(one.link).status_code == httpx.codes.OK

    def test_the_link_s_page_is_kept_and_told_nowhere(self, served: Served) -> None:
        answer = Browser(served).get(person(served, "officer").link)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"

    def test_an_account_without_a_password_is_not_entered(self, served: Served) -> None:
        one = person(served, "officer")
        assert enter(served, one, "").status_code == httpx.codes.UNPROCESSABLE_ENTITY


class TestSigningIn:
    @pytest.fixture
    def one(self, served: Served) -> Person:
        return with_password(served, "officer")

    def test_the_cookie_is_for_our_pages_over_https_alone(
        self, one: Person, served: Served
    ) -> None:
        (cookie,) = enter(served, one).headers.get_list("set-cookie")
        assert cookie.startswith("__Host-session=")
        for rule in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
            assert rule in cookie
        assert "Max-Age" not in cookie

    def test_the_address_is_read_in_any_case(self, one: Person, served: Served) -> None:
        answer = Browser(served).post(
            "/login", {"email": f" {one.email.upper()} ", "password": PASSWORD}
        )
        assert session_of(answer)

    def test_each_time_gives_another_session_and_ends_the_one_before(
        self, one: Person, served: Served
    ) -> None:
        before = session_of(enter(served, one))
        fields = {"email": one.email, "password": PASSWORD}
        after = session_of(Browser(served, before).post("/login", fields))
        assert after != before
        assert not is_in(Browser(served, before))
        assert is_in(Browser(served, after))

    def test_a_wrong_password_and_an_unknown_address_get_one_answer(
        self, one: Person, served: Served
    ) -> None:
        wrong = enter(served, one, "a wrong password")
        unknown = enter(served, Person(uuid4(), "nobody@exemple.fr", ""))
        assert wrong.status_code == unknown.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert wrong.text.replace(one.email, "nobody@exemple.fr") == unknown.text

    def test_an_unknown_address_costs_the_same_hash(
        self, one: Person, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        verified: list[Parameters] = []
        verify = PasswordHasher.verify

        def watched(hasher: PasswordHasher, known: str, password: str) -> bool:
            verified.append(extract_parameters(known))
            with pytest.raises(VerifyMismatchError):
                verify(hasher, known, password)
            raise VerifyMismatchError

        monkeypatch.setattr(PasswordHasher, "verify", watched)
        for guest in (one, Person(uuid4(), "nobody@exemple.fr", "")):
            enter(served, guest, "a wrong password")
        assert verified[0] == verified[1]

    def test_it_leads_on_to_the_page_that_was_asked_for(self, one: Person, served: Served) -> None:
        asked = Browser(served).get("/office/accounts?x=1")
        assert asked.headers["location"] == "/login?next=%2Foffice%2Faccounts%3Fx%3D1"
        assert 'value="/office/accounts?x=1"' in Browser(served).get(asked.headers["location"]).text
        assert enter(served, one, next="/office/accounts?x=1").headers["location"] == (
            "/office/accounts?x=1"
        )

    @pytest.mark.parametrize(
        "path", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "/a\r\nb"]
    )
    def test_it_leads_nowhere_else(self, path: str, one: Person, served: Served) -> None:
        assert enter(served, one, next=path).headers["location"] == "/account"

    def test_a_form_of_another_site_is_refused(self, one: Person, served: Served) -> None:
        fields = {"email": one.email, "password": PASSWORD}
        answer = served.client.post("/login", data=fields, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == httpx.codes.FORBIDDEN


class TestLimited:
    @pytest.fixture
    def one(self, served: Served) -> Person:
        return with_password(served, "officer")

    def fail(self, served: Served, one: Person, times: int, address: str = "192.0.2.1") -> None:
        for _ in range(times):
            assert people.sign_in(served.context, one.email, "wrong", address) is None

    def test_an_account_takes_so_many_failures(self, one: Person, served: Served) -> None:
        self.fail(served, one, ATTEMPTS_MAX["account"])
        answer = enter(served, one)
        assert answer.status_code == httpx.codes.TOO_MANY_REQUESTS
        assert "Too many attempts" in answer.text

    def test_a_success_forgives_what_came_before(self, one: Person, served: Served) -> None:
        for _ in range(2):
            self.fail(served, one, ATTEMPTS_MAX["account"] - 1)
            assert session_of(enter(served, one))

    def test_an_address_takes_so_many_failures(
        self, one: Person, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(ATTEMPTS_MAX, "address", 3)
        for number in range(3):
            other = Person(uuid4(), f"{number}@exemple.fr", "")
            self.fail(served, other, 1)
        with pytest.raises(TooManyAttempts):
            people.sign_in(served.context, one.email, PASSWORD, "192.0.2.1")
        assert people.sign_in(served.context, one.email, PASSWORD, "192.0.2.2")

    def test_the_window_slides(
        self, one: Person, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.fail(served, one, ATTEMPTS_MAX["account"])
        later = datetime.now(UTC) + WINDOW
        monkeypatch.setattr(people, "now", lambda: later)
        assert people.sign_in(served.context, one.email, PASSWORD, "192.0.2.1")

    def test_what_is_counted_names_nobody(self, one: Person, served: Served, conninfo: str) -> None:
        self.fail(served, one, 1, "203.0.113.77")
        assert b"203.0.113.77" not in every_byte(conninfo)


class TestSignedIn:
    @pytest.fixture
    def one(self, served: Served) -> Person:
        return with_password(served, "officer")

    @pytest.fixture
    def browser(self, one: Person, served: Served) -> Browser:
        return signed_in(served, one.account_id)

    def test_only_the_hash_of_the_token_is_stored(self, browser: Browser, conninfo: str) -> None:
        assert browser.token is not None
        assert is_in(browser)
        assert browser.token.encode() not in every_byte(conninfo)

    @pytest.mark.parametrize("token", ["", "x", "x" * 43])
    def test_a_made_up_token_opens_nothing(self, token: str, served: Served) -> None:
        assert not is_in(Browser(served, token))

    def test_signing_out_ends_the_session(self, browser: Browser) -> None:
        answer = browser.post("/logout")
        assert answer.headers["location"] == "/login"
        assert "Max-Age=0" in answer.headers["set-cookie"]
        assert not is_in(browser)

    def test_an_idle_session_ends(self, one: Person, served: Served) -> None:
        sessions = served.context.sessions
        start = datetime.now(UTC)
        token = sessions.open(one.account_id, start)
        assert sessions.account_of(token, start + IDLE - timedelta(seconds=1))
        assert sessions.account_of(token, start + 2 * IDLE - timedelta(minutes=1))
        assert sessions.account_of(token, start + 4 * IDLE) is None

    def test_a_busy_session_ends_as_well(self, one: Person, served: Served) -> None:
        sessions = served.context.sessions
        start = datetime.now(UTC)
        token = sessions.open(one.account_id, start)
        at = start
        while at < start + LONGEST:
            assert sessions.account_of(token, at) == one.account_id
            at += timedelta(hours=1)
        assert sessions.account_of(token, at) is None

    def test_changing_the_password_ends_every_other_session(
        self, one: Person, browser: Browser, served: Served
    ) -> None:
        elsewhere = signed_in(served, one.account_id)
        link = served.context.credentials.offer_link(one.account_id, datetime.now(UTC), RESET)
        new = "une autre longue phrase"
        answer = browser.post("/account/password", {"current": PASSWORD, "password": new})
        assert answer.headers["location"] == "/account?changed=1"
        assert is_in(Browser(served, session_of(answer)))
        assert not is_in(elsewhere)
        assert not is_in(browser)
        assert Browser(served).get(f"/account/link/{link}").status_code == httpx.codes.NOT_FOUND
        assert session_of(enter(served, one, new))
        assert enter(served, one).status_code == httpx.codes.UNPROCESSABLE_ENTITY

    @pytest.mark.parametrize(
        "fields",
        [{"current": "wrong", "password": "une autre longue phrase"}, {"current": PASSWORD}],
    )
    def test_a_password_is_not_changed_without_the_current_one_and_a_good_new_one(
        self, fields: dict[str, str], one: Person, browser: Browser, served: Served
    ) -> None:
        answer = browser.post("/account/password", fields)
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert is_in(browser)
        assert session_of(enter(served, one))

    @pytest.mark.parametrize("csrf", [None, "", "0" * 32])
    def test_a_form_needs_its_session_s_token(
        self, csrf: str | None, browser: Browser, served: Served
    ) -> None:
        fields = {} if csrf is None else {"csrf": csrf}
        answer = served.client.post("/logout", data=fields, headers=browser.headers)
        assert answer.status_code == httpx.codes.FORBIDDEN
        assert is_in(browser)

    def test_a_form_with_the_token_of_another_session_is_refused(
        self, one: Person, browser: Browser, served: Served
    ) -> None:
        other = re.search(
            r'name="csrf" value="(\w+)"', signed_in(served, one.account_id).get("/account").text
        )
        assert other is not None
        answer = browser.post("/logout", {"csrf": other[1]})
        assert answer.status_code == httpx.codes.FORBIDDEN

    @pytest.mark.parametrize(
        "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
    )
    def test_a_form_of_another_site_is_refused(
        self, headers: dict[str, str], browser: Browser
    ) -> None:
        assert browser.post("/logout", None, **headers).status_code == httpx.codes.FORBIDDEN

    def test_an_upload_carries_the_token_among_its_parts(
        self, browser: Browser, served: Served
    ) -> None:
        page = browser.get("/account").text
        (csrf,) = set(re.findall(r'name="csrf" value="(\w+)"', page))
        parts: dict[str, Any] = {"csrf": (None, csrf), "file": ("a.csv", b"1,2")}
        answer = served.client.post("/logout", files=parts, headers=browser.headers)
        assert answer.headers["location"] == "/login"


def test_no_secret_and_no_name_reaches_events_logs_or_tables(
    served: Served, conninfo: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "donpositif")
    one = with_password(served, "officer")
    token = session_of(enter(served, one))
    enter(served, one, "a password mistyped")
    Browser(served, token).get("/account")
    secrets = [PASSWORD, "a password mistyped", token, one.email, "Anne Fabre", one.link[-43:]]
    tables = every_byte(conninfo).decode("utf-8", "replace")
    for secret in secrets:
        assert secret not in tables
        assert secret not in "".join(record.getMessage() for record in caplog.records)


@pytest.fixture
def french(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, headers={"Accept-Language": "fr"}) as client:
        yield client


@pytest.mark.parametrize("path", ["/login", "/account/forgotten", "/account/link/none"])
def test_the_pages_speak_french(path: str, french: httpx.Client) -> None:
    answer = french.get(path)
    assert '<html lang="fr">' in answer.text
    assert "Se connecter" in answer.text
    assert answer.headers["cache-control"] == "no-store"
