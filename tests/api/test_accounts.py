"""Accounts that are opened, changed and closed, and the letters that let people in again."""

import re
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from api import people
from api.credentials import ATTEMPTS_MAX, Credentials
from api.people import AccountIn, EmailTaken
from tests.api.people import (
    Browser,
    Person,
    browser_of,
    enter,
    is_in,
    person,
    session_of,
    signed_in,
    with_password,
)
from tests.api.served import Served
from tests.api.stored import stored
from tests.ledger.processes import eventually


def letters(served: Served) -> list[Path]:
    return sorted((served.context.settings.home / "mail").glob("*.eml"))


def text_of(letter: Path) -> str:
    body = message_from_bytes(letter.read_bytes(), policy=default).get_body()
    assert body is not None
    content: str = body.get_content()
    return content


class TestForgotten:
    @pytest.fixture
    def one(self, served: Served) -> Person:
        return with_password(served, "officer")

    def ask(self, served: Served, email: str) -> str:
        answer = Browser(served).post("/account/forgotten", {"email": email})
        assert answer.status_code == httpx.codes.OK
        return answer.text

    def test_a_letter_brings_a_link_for_a_new_password(self, one: Person, served: Served) -> None:
        self.ask(served, one.email)
        eventually(lambda: len(letters(served)) == 1)
        text = text_of(letters(served)[0])
        assert "Bonjour Anne Fabre," in text
        assert "Hello Anne Fabre," in text
        link = re.search(r"https://dons\.example\.org(/account/link/\S+)", text)
        assert link is not None
        new = "une autre longue phrase"
        assert session_of(Browser(served).post(link[1], {"password": new}))
        assert session_of(enter(served, one, new))

    def test_the_answer_does_not_tell_whether_the_account_exists(
        self, one: Person, served: Served
    ) -> None:
        assert self.ask(served, one.email) == self.ask(served, "nobody@exemple.fr")
        assert self.ask(served, "not an address") == self.ask(served, "nobody@exemple.fr")
        eventually(lambda: len(letters(served)) == 1)

    def test_letters_are_limited(self, one: Person, served: Served) -> None:
        for _ in range(ATTEMPTS_MAX["account"]):
            self.ask(served, one.email)
        answer = Browser(served).post("/account/forgotten", {"email": one.email})
        assert answer.status_code == httpx.codes.TOO_MANY_REQUESTS
        assert session_of(enter(served, one))

    def test_a_letter_is_its_owner_s_alone(self, one: Person, served: Served) -> None:
        people.send_link(served.context, one.account_id, enrolment=True)
        assert letters(served)[0].stat().st_mode & 0o777 == 0o600
        assert letters(served)[0].parent.stat().st_mode & 0o777 == 0o700


class TestAdministered:
    @pytest.fixture
    def admin(self, served: Served) -> Browser:
        return browser_of(served, "administrator")

    def test_an_account_is_opened_and_its_link_is_sent(
        self, admin: Browser, served: Served, conninfo: str
    ) -> None:
        fields = {"email": "Luc@Exemple.fr", "name": "Luc Roux", "role": ["committee", "officer"]}
        answer = admin.post("/office/accounts", fields)
        assert answer.status_code == httpx.codes.SEE_OTHER
        account_id = UUID(answer.headers["location"].rpartition("/")[2].partition("?")[0])
        opened = stored(conninfo, "AccountOpened")[-1].state
        assert opened["account_id"] == str(account_id)
        assert opened["roles"] == ["officer", "committee"]
        assert re.fullmatch(r"account:[0-9a-f-]{36}", opened["actor"])
        assert any("/account/link/" in text_of(one) for one in letters(served))
        assert "Luc Roux" in admin.get("/office/accounts").text
        assert "luc@exemple.fr" in admin.get(answer.headers["location"]).text

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"email": "luc"}, "not an e-mail address"),
            ({"email": "a@b.fr\nBcc: c@d.fr"}, "not an e-mail address"),
            ({"name": " "}, "Type the person’s name"),
            ({"name": "Luc\nRoux"}, "Type the person’s name"),
            ({"role": []}, "at least one role"),
            ({"role": ["emperor"]}, "at least one role"),
            ({"role": ["partner_manager"]}, "needs at least one shop"),
            ({"partners": str(UUID(int=5))}, "No partner shop has one of these"),
            ({"partners": "not an id"}, "No partner shop has one of these"),
        ],
    )
    def test_a_malformed_account_is_refused_in_words(
        self, changes: dict[str, Any], said: str, admin: Browser, served: Served, conninfo: str
    ) -> None:
        fields = {"email": "luc@exemple.fr", "name": "Luc Roux", "role": ["officer"]} | changes
        answer = admin.post("/office/accounts", fields)
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert said in answer.text
        assert len(stored(conninfo, "AccountOpened")) == 1
        assert letters(served) == []

    def test_an_address_has_one_account(self, admin: Browser, served: Served) -> None:
        fields = {"email": person(served, "officer").email, "name": "Luc", "role": ["officer"]}
        answer = admin.post("/office/accounts", fields)
        assert "Another account has this" in answer.text

    @pytest.mark.parametrize("step", ["enrol", "account_of"])
    @pytest.mark.parametrize("persisted", [False, True])
    def test_an_opening_that_was_interrupted_is_completed(
        self, step: str, persisted: bool, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = AccountIn("luc@exemple.fr", "Luc Roux", ("officer",))
        carry_out = getattr(Credentials, step)

        def fail(*arguments: Any) -> None:
            if persisted:
                carry_out(*arguments)
            raise psycopg.OperationalError

        served.context.vault.put(uuid4(), "email", "luc@exemple.fr", sought=True)
        with monkeypatch.context() as during:
            during.setattr(Credentials, step, fail)
            with pytest.raises(psycopg.OperationalError):
                people.open_account(served.context, "test", asked)
        made = people.open_account(served.context, "test", asked)
        assert [one.account_id for one in people.people(served.context)] == [made.account_id]
        with pytest.raises(EmailTaken):
            people.open_account(served.context, "test", asked)

    def test_roles_change_at_the_next_request(self, admin: Browser, served: Served) -> None:
        one = person(served, "officer")
        browser = signed_in(served, one.account_id)
        assert browser.get("/office/accounts").status_code == httpx.codes.FORBIDDEN
        path = f"/office/accounts/{one.account_id}/roles"
        answer = admin.post(path, {"role": ["administrator"]})
        assert answer.headers["location"].endswith("?done=roles")
        assert browser.get("/office/accounts").status_code == httpx.codes.OK

    def test_a_disabled_account_is_out_at_once_and_stays_out(
        self, admin: Browser, served: Served
    ) -> None:
        one = with_password(served, "officer")
        browser = signed_in(served, one.account_id)
        link = people.new_link(served.context, one.account_id)
        admin.post(f"/office/accounts/{one.account_id}/disable")
        assert not is_in(browser)
        assert enter(served, one).status_code == httpx.codes.UNPROCESSABLE_ENTITY
        path = link.removeprefix(served.context.settings.public_url)
        assert Browser(served).get(path).status_code == httpx.codes.NOT_FOUND
        admin.post(f"/office/accounts/{one.account_id}/enable")
        assert not is_in(browser)
        assert session_of(enter(served, one))

    def test_nobody_changes_her_own_account(self, served: Served) -> None:
        one = person(served, "administrator")
        browser = signed_in(served, one.account_id)
        answer = browser.post(f"/office/accounts/{one.account_id}/disable")
        assert "ask another administrator" in answer.text
        assert is_in(browser)

    def test_an_unknown_account_is_not_found(self, admin: Browser) -> None:
        assert admin.get(f"/office/accounts/{uuid4()}").status_code == httpx.codes.NOT_FOUND
