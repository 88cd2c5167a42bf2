"""The foundation's account: one person proposes, another approves, and the whole office hears."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api import people
from api.foundation import card_fee_now, foundation_of
from api.mail import Letter
from ledger.calendar import civil_day
from ledger.foundation import DEFAULT_TERMS, account_id_of
from ledger.payments.fees import DEFAULT_FEE
from ledger.people import Role
from tests.api.cards import text_of
from tests.api.people import Browser, Person, browser_of, person, signed_in
from tests.api.served import Served

HERE = "/office/foundation"
IBAN, OTHER_IBAN = "FR7630006000011234567890189", "DE89370400440532013000"
SEEN, FORBIDDEN, CONFLICT, REFUSED = 303, 403, 409, 422


@dataclass
class Post:
    """A mail server that takes every letter."""

    taken: list[Letter] = field(default_factory=list)

    def send(self, letter: Letter) -> None:
        self.taken.append(letter)


@pytest.fixture
def post(served: Served) -> Post:
    made = Post()
    served.context.mail = made
    return made


@dataclass(frozen=True)
class Desk:
    """Two people of the office."""

    served: Served
    anne: Person
    bruno: Person

    @property
    def first(self) -> Browser:
        return signed_in(self.served, self.anne.account_id)

    @property
    def second(self) -> Browser:
        return signed_in(self.served, self.bruno.account_id)

    def proposes(self, proposal_id: UUID | None = None, **changes: Any) -> httpx.Response:
        account = {"iban": IBAN, "bic": "", "holder": "Fondation du bassin"} | changes
        told = {"proposal_id": str(proposal_id or uuid4())} | account
        return self.first.post(f"{HERE}/account", told)

    def approves(self, proposal_id: UUID, iban: str = IBAN) -> httpx.Response:
        told = {"proposal_id": str(proposal_id), "iban": iban}
        return self.second.post(f"{HERE}/account/approval", told)

    def heard(self, post: Post) -> list[Letter]:
        self.served.context.sender.submit(lambda: None).result()
        return post.taken


@pytest.fixture
def desk(served: Served) -> Desk:
    return Desk(served, person(served, "officer"), person(served, "committee"))


def test_two_people_name_the_account(served: Served, desk: Desk) -> None:
    proposal_id = uuid4()
    assert desk.proposes(proposal_id).status_code == SEEN
    assert foundation_of(served.context).account is None
    assert desk.approves(proposal_id, "FR76 3000 6000 0112 3456 7890 189").status_code == SEEN
    account = foundation_of(served.context).account
    assert account is not None
    assert (account.iban, account.account_id) == (IBAN, account_id_of(IBAN))
    assert "FR76 3000 6000 0112 3456 7890 189" in desk.first.get(HERE).text


def test_whoever_proposed_it_finds_no_form_and_is_refused(desk: Desk) -> None:
    proposal_id = uuid4()
    desk.proposes(proposal_id)
    assert "/account/approval" not in desk.first.get(HERE).text
    told = {"proposal_id": str(proposal_id), "iban": IBAN}
    answer = desk.first.post(f"{HERE}/account/approval", told)
    assert answer.status_code == CONFLICT
    assert "another person approves it" in answer.text


def test_whoever_approves_reads_the_number_elsewhere(served: Served, desk: Desk) -> None:
    proposal_id = uuid4()
    desk.proposes(proposal_id)
    page = desk.second.get(HERE).text
    assert "FR76 … 0189" in page
    assert IBAN not in page.replace(" ", "")
    for typed in (OTHER_IBAN, "FR76 0000", ""):
        assert desk.approves(proposal_id, typed).status_code in {CONFLICT, REFUSED}
    assert foundation_of(served.context).account is None


def test_a_stolen_account_s_proposal_dies_with_it(served: Served, desk: Desk) -> None:
    proposal_id = uuid4()
    desk.proposes(proposal_id)
    people.disable(served.context, "test", desk.anne.account_id)
    answer = desk.approves(proposal_id)
    assert answer.status_code == CONFLICT
    assert "disabled since" in answer.text
    discard = {"proposal_id": str(proposal_id)}
    assert desk.second.post(f"{HERE}/account/discard", discard).status_code == SEEN
    assert foundation_of(served.context).proposal is None


def test_the_whole_office_hears_of_both_steps(served: Served, desk: Desk, post: Post) -> None:
    roles: tuple[Role, ...] = ("officer", "committee", "auditor", "administrator")
    office = {person(served, role).email for role in roles}
    office |= {desk.anne.email, desk.bruno.email}
    manager = person(served, "partner_manager", partner_ids=(uuid4(),))
    gone = person(served, "officer")
    people.disable(served.context, "test", gone.account_id)
    proposal_id = uuid4()
    desk.proposes(proposal_id)
    proposed = list(desk.heard(post))
    assert {one.to for one in proposed} == office
    assert manager.email not in {one.to for one in proposed}
    post.taken.clear()
    desk.approves(proposal_id)
    approved = desk.heard(post)
    assert {one.to for one in approved} == office
    for one in (*proposed, *approved):
        assert "FR76 3000 6000 0112 3456 7890 189" in one.text
        assert "Anne Fabre" in one.text


def test_a_repeat_writes_to_nobody(desk: Desk, post: Post) -> None:
    proposal_id = uuid4()
    desk.proposes(proposal_id)
    before = len(desk.heard(post))
    assert desk.proposes(proposal_id).status_code == SEEN
    assert len(desk.heard(post)) == before > 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"iban": "FR7630006000011234567890188"}, "not an IBAN"),
        ({"bic": "AGRI"}, "A BIC has 8 or 11"),
        ({"holder": ""}, "holder’s name"),
    ],
)
def test_what_no_bank_takes_is_said_beside_what_was_typed(
    desk: Desk, changes: dict[str, Any], words: str
) -> None:
    answer = desk.proposes(**changes)
    assert answer.status_code == REFUSED
    assert words in answer.text
    assert 'aria-invalid="true"' in answer.text


def terms(**changes: Any) -> dict[str, Any]:
    tomorrow = civil_day(datetime.now(UTC)) + timedelta(days=1)
    return {
        "in_force_from": tomorrow.isoformat(),
        "period": "half_month",
        "close_after_days": "5",
        "due_after_days": "20",
        "owed_min": "2,50",
        "reminders": "7, 21; 45 60",
        "public_after_days": "90",
        **changes,
    }


def test_an_officer_sets_terms_for_later(served: Served, desk: Desk) -> None:
    assert desk.first.post(f"{HERE}/terms", terms()).status_code == SEEN
    state = foundation_of(served.context)
    today = civil_day(datetime.now(UTC))
    assert state.terms_on(today) == DEFAULT_TERMS
    later = state.terms_on(today + timedelta(days=1))
    assert (later.period, later.owed_min_cents) == ("half_month", 250)
    assert later.reminder_after_days == (7, 21, 45, 60)
    assert "other terms hold" in desk.first.get(HERE).text


@pytest.mark.parametrize(
    "changes",
    [
        {"in_force_from": "2020-01-01"},
        {"in_force_from": ""},
        {"period": "century"},
        {"reminders": "45, 7"},
        {"reminders": "soon"},
        {"owed_min": "-1"},
        {"due_after_days": "999"},
    ],
)
def test_terms_that_are_a_typing_error_change_nothing(
    served: Served, desk: Desk, changes: dict[str, Any]
) -> None:
    answer = desk.first.post(f"{HERE}/terms", terms(**changes))
    assert answer.status_code in {CONFLICT, REFUSED}
    assert 'id="problem"' in answer.text
    assert foundation_of(served.context).terms == ()


def fee(**changes: str) -> dict[str, str]:
    today = civil_day(datetime.now(UTC)).isoformat()
    return {"fee_from": today, "rate": "1,4 %", "fixed": "0,20"} | changes


def test_an_officer_sets_the_fee_of_the_card(served: Served, desk: Desk) -> None:
    assert card_fee_now(served.context) == DEFAULT_FEE
    assert "about 1.5% of it and €0.25" in text_of(desk.first.get(HERE))
    assert desk.first.post(f"{HERE}/card-fee", fee()).status_code == SEEN
    known = card_fee_now(served.context)
    assert (known.rate_per_10_000, known.fixed_cents) == (140, 20)
    page = text_of(desk.first.get(HERE))
    assert "about 1.4% of it and €0.20" in page
    assert "The fee of the card set to 1.4% and €0.20" in page
    french = text_of(desk.first.get(HERE, **{"Accept-Language": "fr"}))
    assert "environ 1,4 % du montant et 0,20 €" in french.replace("\xa0", " ")


def test_a_fee_of_later_is_told_and_does_not_hold_yet(served: Served, desk: Desk) -> None:
    tomorrow = civil_day(datetime.now(UTC)) + timedelta(days=1)
    told = fee(fee_from=tomorrow.isoformat())
    assert desk.first.post(f"{HERE}/card-fee", told).status_code == SEEN
    assert card_fee_now(served.context) == DEFAULT_FEE
    assert ": 1.4% and €0.20." in text_of(desk.first.get(HERE))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fee_from": "2020-01-01"}, "starts today or later"),
        ({"fee_from": "soon"}, "year-month-day"),
        ({"rate": ""}, "in percent"),
        ({"rate": "-1"}, "in percent"),
        ({"rate": "10,01"}, "at most 10 percent"),
        ({"fixed": "5,01"}, "at most 10 percent"),
        ({"fixed": "a little"}, "in euros"),
    ],
)
def test_a_fee_that_is_a_typing_error_changes_nothing(
    served: Served, desk: Desk, changes: dict[str, str], words: str
) -> None:
    answer = desk.first.post(f"{HERE}/card-fee", fee(**changes))
    assert answer.status_code == REFUSED
    assert words in text_of(answer)
    assert card_fee_now(served.context) == DEFAULT_FEE


def test_its_name_is_on_the_page(served: Served, desk: Desk) -> None:
    told = {"name": "Fondation du bassin", "siret": "732 829 320 00074"}
    assert desk.first.post(f"{HERE}/name", told).status_code == SEEN
    assert foundation_of(served.context).siret == "73282932000074"
    assert "Fondation du bassin" in desk.first.get(HERE).text


def test_an_auditor_reads_and_changes_nothing(served: Served, desk: Desk) -> None:
    auditor = browser_of(served, "auditor")
    page = auditor.get(HERE)
    assert page.status_code == httpx.codes.OK
    assert f'action="{HERE}' not in page.text
    for form in ("account", "account/approval", "account/discard", "terms", "card-fee", "name"):
        assert auditor.post(f"{HERE}/{form}", {}).status_code == FORBIDDEN
