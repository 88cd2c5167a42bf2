"""A judge who is known to the partner by her address alone does not judge it."""

from uuid import UUID

import pytest

from api import people
from api.admin import registered
from api.office.desk import partner_people
from api.people import AccountIn
from ledger.people import actor_of
from projections import follow
from projections.every import READ_MODELS
from tests.api.office import FORBIDDEN, GRANT, SEEN, Office, open_office
from tests.api.people import Person, person, signed_in
from tests.api.served import Served


@pytest.fixture
def office(served: Served, conninfo: str) -> Office:
    with follow.connected(conninfo) as connection:
        follow.prepare(connection, READ_MODELS)
    made = open_office(served)
    made.reviewed()
    return made


@pytest.fixture
def member(office: Office) -> Person:
    return person(office.served, "committee")


def names(office: Office, email: str) -> UUID:
    """Name the owner, by an address and no account; give her as a contact."""
    fields = {"name": "Lucie Bonnet", "email": email, "phone": "", "role": "owner"}
    assert office.officer.post(f"{office.here}/contacts", fields).status_code == SEEN
    return registered(office.served.context.ledger, office.partner_id).contacts[-1].subject_id


def is_barred(office: Office, account_id: UUID) -> None:
    """The member of the committee with this account is on the partner's side."""
    answer = office.sends(signed_in(office.served, account_id), "proposal", GRANT)
    assert answer.status_code == FORBIDDEN, answer.text
    assert "You speak for this partner" in answer.text


def test_an_owner_with_a_judge_s_address_is_that_judge(office: Office, member: Person) -> None:
    names(office, member.email.upper())
    is_barred(office, member.account_id)
    assert office.sends(office.member, "proposal", GRANT).status_code == SEEN


def test_an_owner_who_is_given_an_account_later_is_known_too(office: Office) -> None:
    names(office, "Lucie@exemple.fr")
    asked = AccountIn("lucie@exemple.fr", "Lucie Bonnet", ("committee",))
    is_barred(office, people.open_account(office.served.context, "test", asked).account_id)


@pytest.mark.parametrize("first", ["named", "opened"])
def test_a_former_owner_is_still_one_although_her_words_are_erased(
    first: str, office: Office
) -> None:
    context = office.served.context
    asked = AccountIn("lucie@exemple.fr", "Lucie Bonnet", ("committee",))
    if first == "opened":
        people.open_account(context, "test", asked)
    subject_id = names(office, asked.email)
    if first == "named":
        people.open_account(context, "test", asked)
    removal = f"{office.here}/contacts/{subject_id}/removal"
    assert office.officer.post(removal).status_code == SEEN
    assert context.vault.fields(subject_id) == {}
    is_barred(office, people.account_of_email(context, asked.email))


def test_an_owner_without_account_bars_nobody(office: Office, member: Person) -> None:
    names(office, "")
    names(office, "nobody@exemple.fr")
    barred = partner_people(office.served.context, office.partner_id)
    assert actor_of(member.account_id) not in barred
    answer = office.sends(signed_in(office.served, member.account_id), "proposal", GRANT)
    assert answer.status_code == SEEN
