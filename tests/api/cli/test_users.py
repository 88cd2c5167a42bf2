"""Accounts on the command line: opened, given roles, linked, disabled, enabled and erased."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from ledger.keyring import read
from tests.api.cli.outcomes import Run, add_partner, assert_refused
from tests.api.people import PASSWORD, Browser, session_of
from tests.api.served import PUBLIC_URL, Served, serving, settings_in
from tests.api.stored import every_byte, stored

EMAIL = "anne.fabre@exemple.fr"
NAME = "Anne Fabre"
NOBODY = str(uuid4())


def add_user(run: Run, *roles: str, email: str = EMAIL) -> dict[str, Any]:
    asked = [text for role in roles or ("officer",) for text in ("--role", role)]
    added = run("user", "add", "--email", email, "--name", NAME, *asked, "--json")
    assert added.code == 0, added.err
    return added.facts


def listed(run: Run) -> list[dict[str, Any]]:
    users: list[dict[str, Any]] = run("user", "list", "--json").facts["users"]
    return users


def follow_link(served: Served, link: str) -> httpx.Response:
    path = link.removeprefix(served.context.settings.public_url)
    return Browser(served).post(path, {"password": PASSWORD})


def sign_in(served: Served) -> httpx.Response:
    return Browser(served).post("/login", {"email": EMAIL, "password": PASSWORD})


@pytest.fixture(autouse=True)
def public_address(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", PUBLIC_URL)


class TestAdded:
    def test_the_link_sets_the_password_and_lets_in(
        self, run: Run, home: Path, conninfo: str
    ) -> None:
        facts = add_user(run)
        assert facts.keys() == {"account_id", "link"}
        with serving(settings_in(home), conninfo) as served:
            assert follow_link(served, facts["link"]).status_code == httpx.codes.SEE_OTHER
            assert session_of(sign_in(served))

    def test_it_is_listed_with_its_roles(self, run: Run) -> None:
        facts = add_user(run, "committee", "auditor")
        assert listed(run) == [
            {
                "account_id": facts["account_id"],
                "name": NAME,
                "email": EMAIL,
                "roles": ["committee", "auditor"],
                "partner_ids": [],
                "enabled": True,
            }
        ]
        assert f"{facts['account_id']}  committee auditor" in run("user", "list").out

    def test_the_link_is_told_once_and_stored_nowhere(self, run: Run, conninfo: str) -> None:
        added = run("user", "add", "--email", EMAIL, "--name", NAME, "--role", "officer")
        (link,) = [line for line in added.out.splitlines() if line.startswith(PUBLIC_URL)]
        assert link not in added.err
        assert link.rpartition("/")[2].encode() not in every_byte(conninfo)
        assert link not in run("user", "list").out

    def test_who_she_is_stands_in_no_event_and_no_table(self, run: Run, conninfo: str) -> None:
        add_user(run)
        kept = every_byte(conninfo)
        assert EMAIL.encode() not in kept
        assert NAME.encode() not in kept

    def test_the_account_of_the_machine_is_the_actor(self, run: Run, conninfo: str) -> None:
        add_user(run)
        (event,) = stored(conninfo, "AccountOpened")
        assert event.state["actor"].startswith("console:")

    def test_an_address_has_one_account(self, run: Run) -> None:
        add_user(run)
        again = run("user", "add", "--email", EMAIL.upper(), "--name", "B", "--role", "officer")
        assert_refused(again, "email_taken")

    @pytest.mark.parametrize(
        ("changed", "name"),
        [
            (["--email", "nobody"], "email_malformed"),
            (["--name", "a\nb"], "name_malformed"),
            (["--role", "partner_manager"], "roles_contradict"),
            (["--partner", NOBODY], "roles_contradict"),
        ],
    )
    def test_what_cannot_be_is_refused_and_keeps_nothing(
        self, run: Run, conninfo: str, changed: list[str], name: str
    ) -> None:
        asked = ["--email", EMAIL, "--name", NAME, "--role", "officer"]
        assert_refused(run("user", "add", *asked, *changed), name)
        assert stored(conninfo) == []
        assert listed(run) == []

    def test_an_unknown_role_is_wrong_usage(self, run: Run) -> None:
        asked = ("--email", EMAIL, "--name", NAME, "--role", "king")
        assert_refused(run("user", "add", *asked), "invalid choice", code=2)


class TestOpen:
    @pytest.fixture
    def account(self, run: Run) -> str:
        account_id: str = add_user(run)["account_id"]
        return account_id

    def test_its_roles_are_replaced(self, run: Run, account: str) -> None:
        partner_id = add_partner(run)
        change = ("user", "roles", "--account", account, "--role", "partner_manager")
        assert run(*change, "--partner", partner_id, "--json").code == 0
        (one,) = listed(run)
        assert (one["roles"], one["partner_ids"]) == (["partner_manager"], [partner_id])
        assert_refused(run(*change), "roles_contradict")

    def test_it_is_disabled_and_signed_out_then_enabled(
        self, run: Run, account: str, home: Path, conninfo: str
    ) -> None:
        link = run("user", "link", "--account", account, "--json").facts["link"]
        with serving(settings_in(home), conninfo) as served:
            browser = Browser(served, session_of(follow_link(served, link)))
            assert browser.get("/account").status_code == httpx.codes.OK
            assert run("user", "disable", "--account", account, "--json").code == 0
            assert browser.get("/account").status_code != httpx.codes.OK
            assert sign_in(served).status_code != httpx.codes.SEE_OTHER
            assert listed(run)[0]["enabled"] is False
            assert run("user", "enable", "--account", account, "--json").code == 0
            assert session_of(sign_in(served))

    def test_disabling_withdraws_a_link_that_was_not_used(
        self, run: Run, account: str, home: Path, conninfo: str
    ) -> None:
        link = run("user", "link", "--account", account, "--json").facts["link"]
        run("user", "disable", "--account", account)
        run("user", "enable", "--account", account)
        with serving(settings_in(home), conninfo) as served:
            assert follow_link(served, link).status_code != httpx.codes.SEE_OTHER

    def test_a_repeat_records_nothing(self, run: Run, account: str, conninfo: str) -> None:
        for verb in ("disable", "disable", "enable", "enable"):
            assert run("user", verb, "--account", account).code == 0
        kinds = [event.topic for event in stored(conninfo)]
        assert kinds == ["AccountOpened", "AccountDisabled", "AccountEnabled"]


class TestErased:
    @pytest.fixture
    def account(self, run: Run, home: Path, conninfo: str) -> str:
        """An account with a password that was erased while its holder was signed in."""
        facts = add_user(run)
        unused = run("user", "link", "--account", facts["account_id"], "--json").facts["link"]
        with serving(settings_in(home), conninfo) as served:
            browser = Browser(served, session_of(follow_link(served, facts["link"])))
            erased = run("user", "erase", "--account", facts["account_id"], "--json")
            assert erased.facts == {"account_id": facts["account_id"], "erasures_pending": 1}
            assert browser.get("/account").status_code != httpx.codes.OK
            assert sign_in(served).status_code != httpx.codes.SEE_OTHER
            assert follow_link(served, unused).status_code != httpx.codes.SEE_OTHER
        account_id: str = facts["account_id"]
        return account_id

    def test_its_random_id_stays_in_the_events(self, run: Run, account: str, conninfo: str) -> None:
        kinds = [event.topic for event in stored(conninfo)]
        assert kinds == ["AccountOpened", "AccountDisabled"]
        assert stored(conninfo)[0].state["account_id"] == account
        assert listed(run) == []

    @pytest.mark.parametrize("verb", ["enable", "link"])
    def test_nobody_acts_by_it_again(self, run: Run, account: str, verb: str) -> None:
        assert_refused(run("user", verb, "--account", account), "account_erased")
        change = ("user", "roles", "--account", account, "--role", "auditor")
        assert_refused(run(*change), "account_erased")

    def test_it_is_erased_again_without_harm(self, run: Run, account: str, conninfo: str) -> None:
        before = stored(conninfo)
        assert run("user", "erase", "--account", account).code == 0
        assert stored(conninfo) == before

    def test_its_holder_may_have_another_account(self, run: Run, account: str) -> None:
        assert add_user(run)["account_id"] != account

    def test_its_words_say_what_is_kept_and_what_is_left_to_do(self, run: Run) -> None:
        account = add_user(run)["account_id"]
        said = run("user", "erase", "--account", account).out
        assert "stays in the events" in said
        assert "donpositif vault rotate" in said


@pytest.mark.parametrize("verb", ["link", "disable", "enable", "erase"])
def test_an_unknown_account_is_named(run: Run, verb: str) -> None:
    assert_refused(run("user", verb, "--account", NOBODY), "account_not_opened")
    assert_refused(run("user", verb, "--account", "nobody"), "usage", code=2)


class TestVaultRotated:
    def test_it_completes_erasures_under_another_key(self, run: Run, home: Path) -> None:
        stays, goes = (add_user(run, email=f"{one}@exemple.fr") for one in ("a", "b"))
        old = read(home / "keys" / "vault.key")
        run("user", "erase", "--account", goes["account_id"])
        facts = run("vault", "rotate", "--json").facts
        assert facts == {"version": 2, "survivors": 1, "erasures_completed": 1}
        assert read(home / "keys" / "vault.key") != old
        assert [path.name for path in (home / "keys").glob("vault*")] == ["vault.key"]
        (one,) = listed(run)
        assert UUID(one["account_id"]) == UUID(stays["account_id"])
        assert one["email"] == "a@exemple.fr"

    def test_it_says_what_is_left_to_do_by_hand(self, run: Run) -> None:
        said = run("vault", "rotate")
        assert said.code == 0
        assert "Destroy every copy of the old vault.key" in said.out

    def test_without_the_key_it_refuses_and_changes_nothing(self, run: Run, home: Path) -> None:
        add_user(run)
        key = home / "keys" / "vault.key"
        kept = key.read_bytes()
        key.unlink()
        assert_refused(run("vault", "rotate"), "KeyMissing")
        key.write_bytes(kept)
        assert len(listed(run)) == 1
