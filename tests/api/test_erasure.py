"""Who speaks for a shop no more is erased, unless she has an account; an account is by command."""

from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest

from api import erasure, people
from api.admin import registered
from ledger.partners.register import RemoveContact, partner
from ledger.vault import rotate
from tests.api.people import Browser, Person, browser_of, person, signed_in
from tests.api.served import Served
from tests.api.shops import Shop
from tests.api.stored import every_byte, stored

LUCIE = {"name": "Lucie Bonnet", "email": "lucie@exemple.fr", "phone": "", "role": "owner"}


@pytest.fixture
def officer(served: Served) -> Browser:
    return browser_of(served, "officer")


@pytest.fixture
def here(shop: Shop) -> str:
    return f"/office/partners/{shop.partner_id}"


def contact(served: Served, shop: Shop) -> UUID:
    """Give the subject id of the shop's newest contact."""
    return registered(served.context.ledger, shop.partner_id).contacts[-1].subject_id


def named(officer: Browser, here: str, **asked: str) -> None:
    answer = officer.post(f"{here}/contacts", asked)
    assert answer.status_code == httpx.codes.SEE_OTHER, answer.text


def removed(officer: Browser, here: str, subject_id: UUID) -> None:
    answer = officer.post(f"{here}/contacts/{subject_id}/removal")
    assert answer.status_code == httpx.codes.SEE_OTHER, answer.text


def rotated(served: Served) -> int:
    with served.context.pool.connection() as connection:
        return rotate(connection, served.context.settings.home, lambda _: None).erasures


class TestContact:
    def test_a_removed_one_is_erased_and_a_rotation_completes_it(
        self, served: Served, shop: Shop, officer: Browser, here: str
    ) -> None:
        named(officer, here, **LUCIE)
        subject_id = contact(served, shop)
        removed(officer, here, subject_id)
        assert served.context.vault.fields(subject_id) == {}
        assert served.context.vault.is_erased(subject_id)
        assert rotated(served) == 1
        assert served.context.vault.erasures_pending() == 0

    def test_an_erasure_that_was_interrupted_is_done_when_asked_again(
        self, served: Served, shop: Shop, officer: Browser, here: str
    ) -> None:
        named(officer, here, **LUCIE)
        subject_id = contact(served, shop)
        half = RemoveContact(
            at=datetime.now(UTC), actor="test", partner_id=shop.partner_id, subject_id=subject_id
        )
        served.context.ledger.handle(partner, shop.partner_id, half)
        assert served.context.vault.get(subject_id, "name") == LUCIE["name"]
        removed(officer, here, subject_id)
        assert served.context.vault.fields(subject_id) == {}

    def test_one_with_an_account_keeps_it(
        self, served: Served, shop: Shop, officer: Browser, here: str
    ) -> None:
        manager = person(served, "partner_manager", partner_ids=(shop.partner_id,))
        named(officer, here, account=str(manager.account_id), role="manager")
        subject_id = contact(served, shop)
        removed(officer, here, subject_id)
        assert served.context.vault.get(subject_id, "email") == manager.email
        erasure.erase_account(served.context, "test", manager.account_id)
        assert served.context.vault.fields(subject_id) == {}


class TestAccount:
    @pytest.fixture
    def erased(self, served: Served, shop: Shop, officer: Browser, here: str) -> Person:
        """A manager who speaks for the shop, and was erased."""
        manager = person(served, "partner_manager", partner_ids=(shop.partner_id,))
        named(officer, here, account=str(manager.account_id), role="manager")
        erasure.erase_account(served.context, "test", manager.account_id)
        return manager

    def test_pages_show_nobody_in_its_place(
        self, served: Served, erased: Person, officer: Browser, here: str
    ) -> None:
        assert erased.email not in officer.get(here).text
        assert "a person who was erased" in officer.get(here).text
        admin = browser_of(served, "administrator")
        assert erased.email not in admin.get("/office/accounts").text
        page = admin.get(f"/office/accounts/{erased.account_id}")
        assert page.status_code == httpx.codes.NOT_FOUND

    def test_a_session_made_up_for_it_opens_nothing(self, served: Served, erased: Person) -> None:
        assert signed_in(served, erased.account_id).get("/my").status_code != httpx.codes.OK

    def test_nothing_of_her_is_left_but_random_ids(
        self, served: Served, erased: Person, conninfo: str
    ) -> None:
        rotated(served)
        assert erased.email.encode() not in every_byte(conninfo)
        (opened,) = (
            event
            for event in stored(conninfo, "AccountOpened")
            if event.state["account_id"] == str(erased.account_id)
        )
        assert opened.state.keys() >= {"account_id", "subject_id", "roles"}

    def test_she_judges_her_former_shop_no_more_than_before(
        self, served: Served, shop: Shop, erased: Person
    ) -> None:
        """That she once spoke for it stays known, though who she was does not."""
        assert people.opened(served.context, erased.account_id).enabled is False
        state = registered(served.context.ledger, shop.partner_id)
        assert f"account:{erased.account_id}" in state.people
