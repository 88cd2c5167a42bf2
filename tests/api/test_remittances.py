"""A shop hands over a cheque: one person declares it, another counts it, the bank may return it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from api.remittances import remittance_of
from ledger.remittances import Approved, Declared, Discarded, Returned
from projections import statements
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.owing import TODAY, owe
from tests.api.people import Browser, browser_of
from tests.api.served import Served
from tests.api.shops import Shop, open_shop

HERE = "/office/remittances"
OK, SEEN, FORBIDDEN, NOT_FOUND, CONFLICT, REFUSED = 200, 303, 403, 404, 409, 422


@dataclass(frozen=True)
class Desk:
    """Two people of the office, and a shop that owes five and three euros."""

    served: Served
    conninfo: str
    shop: Shop
    owed: tuple[UUID, UUID]
    first: Browser
    second: Browser

    def follow(self) -> None:
        catch_up(self.conninfo, READ_MODELS)

    def declares(
        self, amounts: Mapping[UUID, str], who: Browser | None = None, **changes: Any
    ) -> httpx.Response:
        told = {
            "partner_id": str(self.shop.partner_id),
            "remittance_id": str(uuid4()),
            "means": "cheque",
            "amount": "6,50",
            "received_on": TODAY.isoformat(),
        }
        fields = {f"statement_{one}": cents for one, cents in amounts.items()}
        return (who or self.first).post(HERE, told | fields | changes)

    def declared(self) -> UUID:
        answer = self.declares({self.owed[0]: "5", self.owed[1]: "1,50"})
        assert answer.status_code == SEEN, answer.text
        self.follow()
        return UUID(answer.headers["location"].rsplit("/", 1)[1].partition("?")[0])

    def approves(
        self, remittance_id: UUID, amount: str = "6,50", who: Browser | None = None
    ) -> httpx.Response:
        answer = (who or self.second).post(f"{HERE}/{remittance_id}/approval", {"amount": amount})
        self.follow()
        return answer

    def approved(self) -> UUID:
        remittance_id = self.declared()
        assert self.approves(remittance_id).status_code == SEEN
        return remittance_id

    def outstanding(self) -> list[int]:
        with psycopg.connect(self.conninfo) as connection:
            found = [statements.one(connection, one) for one in self.owed]
        return [one.outstanding_cents for one in found if one is not None]


@pytest.fixture
def desk(served: Served, conninfo: str, shop: Shop) -> Desk:
    owed = (owe(served, shop.partner_id, 500), owe(served, shop.partner_id, 300, number=2))
    catch_up(conninfo, READ_MODELS)
    people = browser_of(served, "officer"), browser_of(served, "officer")
    return Desk(served, conninfo, shop, owed, *people)


def test_it_pays_once_two_people_counted_it(desk: Desk) -> None:
    remittance_id = desk.declared()
    assert isinstance(remittance_of(desk.served.context, remittance_id), Declared)
    assert desk.outstanding() == [500, 300]
    assert desk.approves(remittance_id).status_code == SEEN
    assert isinstance(remittance_of(desk.served.context, remittance_id), Approved)
    assert desk.outstanding() == [0, 150]
    assert "Two people counted it." in desk.first.get(f"{HERE}/{remittance_id}").text


def test_the_one_who_declared_it_does_not_approve_it(desk: Desk) -> None:
    remittance_id = desk.declared()
    assert "/approval" not in desk.first.get(f"{HERE}/{remittance_id}").text
    answer = desk.approves(remittance_id, who=desk.first)
    assert answer.status_code == CONFLICT
    assert "another person counts it too" in answer.text
    assert desk.outstanding() == [500, 300]


def test_the_second_person_does_not_see_what_the_first_counted(desk: Desk) -> None:
    remittance_id = desk.declared()
    for page in (f"{HERE}/{remittance_id}", HERE):
        assert "6.50" not in desk.second.get(page).text
    answer = desk.approves(remittance_id, "6,40")
    assert answer.status_code == CONFLICT
    assert "You counted another amount" in answer.text
    assert "6.50" in desk.first.get(f"{HERE}/{remittance_id}").text


def test_who_speaks_for_the_shop_does_not_count_its_money(desk: Desk) -> None:
    both = browser_of(
        desk.served, "officer", "partner_manager", partner_ids=(desk.shop.partner_id,)
    )
    answer = desk.approves(desk.declared(), who=both)
    assert answer.status_code == FORBIDDEN
    assert "You speak for this shop" in answer.text


def test_a_form_sent_twice_declares_once(desk: Desk) -> None:
    remittance_id = str(uuid4())
    for _ in range(2):
        answer = desk.declares({desk.owed[0]: "6,50"}, remittance_id=remittance_id)
        assert answer.status_code == SEEN
    desk.follow()
    assert desk.first.get(HERE).text.count(f"{HERE}/{remittance_id}") == 1


def declared_for(desk: Desk, amounts: Mapping[UUID, str], amount: str = "6,50") -> UUID:
    answer = desk.declares(amounts, amount=amount)
    return UUID(answer.headers["location"].rsplit("/", 1)[1].partition("?")[0])


def test_more_than_is_owed_pays_the_next_statement(desk: Desk) -> None:
    remittance_id = declared_for(desk, {desk.owed[0]: "6,50"})
    assert desk.approves(remittance_id).status_code == SEEN
    assert desk.outstanding() == [0, 150]
    desk.first.post(f"{HERE}/{remittance_id}/return", {"returned_on": TODAY.isoformat()})
    desk.follow()
    assert desk.outstanding() == [500, 300]


def test_more_than_is_owed_in_all_is_a_credit(desk: Desk) -> None:
    remittance_id = declared_for(desk, {desk.owed[0]: "9"}, "9")
    assert desk.approves(remittance_id, "9").status_code == SEEN
    assert desk.outstanding() == [-100, 0]


@pytest.mark.parametrize(
    ("amounts", "changes", "words"),
    [
        ({0: "5"}, {}, "do not add up"),
        ({}, {}, "choose one of the answers"),
        ({0: "6.505"}, {}, "Type the amount"),
        ({0: "6,50"}, {"amount": "0"}, "Type the amount"),
        ({0: "6,50"}, {"received_on": "2199-01-01"}, "has not come yet"),
        ({0: "6,50"}, {"received_on": "yesterday"}, "Type a day"),
        ({0: "6,50"}, {"means": "barter"}, "choose one of the answers"),
    ],
)
def test_a_typing_error_is_said_beside_what_was_typed(
    desk: Desk, amounts: dict[int, str], changes: dict[str, Any], words: str
) -> None:
    answer = desk.declares({desk.owed[one]: typed for one, typed in amounts.items()}, **changes)
    assert answer.status_code == REFUSED
    assert words in answer.text
    assert 'role="alert"' in answer.text
    desk.follow()
    assert "Nothing was handed over yet" in desk.first.get(HERE).text


def test_a_field_for_no_statement_is_malformed(desk: Desk) -> None:
    answer = desk.declares({}, statement_x="5")
    assert answer.status_code == REFUSED
    assert "Type the amount in euros" in answer.text


def test_another_shop_s_statement_is_not_paid(desk: Desk) -> None:
    other = open_shop(desk.served.context.ledger, 2)
    foreign = owe(desk.served, other.partner_id, 650)
    desk.follow()
    answer = desk.declares({foreign: "6,50"})
    assert answer.status_code == REFUSED
    assert "one statement of this shop" in answer.text


def test_one_that_is_discarded_pays_nothing(desk: Desk) -> None:
    remittance_id = desk.declared()
    assert desk.second.post(f"{HERE}/{remittance_id}/discard").status_code == SEEN
    assert isinstance(remittance_of(desk.served.context, remittance_id), Discarded)
    assert desk.approves(remittance_id).status_code == CONFLICT
    assert desk.outstanding() == [500, 300]


def test_what_the_bank_sends_back_is_owed_again(desk: Desk) -> None:
    remittance_id = desk.approved()
    path = f"{HERE}/{remittance_id}/return"
    late = desk.first.post(path, {"returned_on": "2199-01-01"})
    assert late.status_code == REFUSED
    assert desk.first.post(path, {"returned_on": TODAY.isoformat()}).status_code == SEEN
    desk.follow()
    assert isinstance(remittance_of(desk.served.context, remittance_id), Returned)
    assert desk.outstanding() == [500, 300]


def test_the_form_asks_for_what_is_owed(desk: Desk) -> None:
    page = desk.first.get(f"{HERE}/new?partner={desk.shop.partner_id}").text
    assert "€5.00 owed" in page
    assert all(f'name="statement_{one}"' in page for one in desk.owed)


def test_the_office_sees_what_is_not_in_the_bank(desk: Desk) -> None:
    desk.approved()
    assert "is not in the bank yet, €6.50 in all" in desk.first.get(HERE).text


def test_an_auditor_reads_and_declares_nothing(desk: Desk) -> None:
    remittance_id = desk.declared()
    auditor = browser_of(desk.served, "auditor")
    page = auditor.get(f"{HERE}/{remittance_id}")
    assert page.status_code == OK
    assert "6.50" in page.text
    assert 'action="/office' not in page.text
    assert desk.declares({desk.owed[0]: "6,50"}, who=auditor).status_code == FORBIDDEN


def test_what_does_not_exist_is_not_found(desk: Desk) -> None:
    assert desk.first.get(f"{HERE}/{uuid4()}").status_code == NOT_FOUND
    assert desk.first.get(f"{HERE}/new?partner={uuid4()}").status_code == NOT_FOUND
