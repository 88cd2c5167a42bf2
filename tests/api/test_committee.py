"""Somebody joins the committee: members and auditors of before hear of it, and who named her."""

from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from api import letters, people
from api.committee_letters import told
from api.mail import Letter, MailFailed
from ledger.people import Role
from tests.api.people import Browser, Person, browser_of, person
from tests.api.served import Served
from tests.ledger.processes import eventually

SEEN = 303


@dataclass
class Post:
    """A mail server that takes letters, or does not."""

    down: bool = False
    taken: list[Letter] = field(default_factory=list)

    def send(self, letter: Letter) -> None:
        if self.down:
            raise MailFailed("SMTPServerDisconnected")
        self.taken.append(letter)


@pytest.fixture
def post(served: Served) -> Post:
    made = Post()
    served.context.mail = made
    return made


@pytest.fixture
def watching(served: Served) -> set[str]:
    """The addresses of whoever is to hear of it; an officer is not, nor who was disabled."""
    person(served, "officer")
    gone = person(served, "committee", "auditor")
    people.disable(served.context, "test", gone.account_id)
    return {person(served, role).email for role in ("committee", "auditor")}


@pytest.fixture
def admin(served: Served) -> Browser:
    return browser_of(served, "administrator")


def opens(admin: Browser, *roles: Role) -> str:
    """Open an account by the form; give its address."""
    email = f"{uuid4().hex}@exemple.fr"
    fields = {"email": email, "name": "Luc Roux", "role": list(roles)}
    assert admin.post("/office/accounts", fields).status_code == SEEN
    return email


def said(served: Served, post: Post) -> list[Letter]:
    """Wait until no letter waits; give those about the committee."""
    served.context.sender.submit(lambda: None).result()
    return [one for one in post.taken if "/account/link/" not in one.text]


def test_it_is_told_who_joined_and_by_whose_hand(
    served: Served, post: Post, watching: set[str], admin: Browser
) -> None:
    new = opens(admin, "committee")
    heard = said(served, post)
    assert {one.to for one in heard} == watching | {new}
    for one in heard:
        lines = [line for line in one.text.splitlines() if line.startswith("- ")]
        assert new in lines[0]
        assert "named by Anne Fabre" in one.text  # As every account of these tests is called.
        assert "named by the operator" in one.text
        assert len(lines) == 4  # Two members, in two languages.


def test_a_new_member_s_link_that_fails_does_not_keep_it_from_the_others(
    served: Served, post: Post, watching: set[str], admin: Browser
) -> None:
    post.down = True
    fields = {"email": "luc@exemple.fr", "name": "Luc Roux", "role": "committee"}
    assert "the letter could not be sent" in admin.post("/office/accounts", fields).text
    eventually(lambda: len(letters.unsent(served.context, ("committee",))) == len(watching) + 1)


def test_another_role_is_told_nobody(
    served: Served, post: Post, watching: set[str], admin: Browser
) -> None:
    assert watching
    opens(admin, "officer")
    assert said(served, post) == []


def test_a_new_auditor_alone_is_told_of_the_members_there_are(
    served: Served, post: Post, watching: set[str], admin: Browser
) -> None:
    assert watching
    new = opens(admin, "auditor")
    assert [one.to for one in said(served, post)] == [new]


def test_without_a_committee_there_is_nothing_to_tell(
    served: Served, post: Post, admin: Browser
) -> None:
    opens(admin, "auditor")
    assert said(served, post) == []
    assert letters.unsent(served.context) == []


def test_a_role_that_is_given_later_is_told_once(
    served: Served, post: Post, watching: set[str], admin: Browser
) -> None:
    one = person(served, "officer")
    for _ in range(2):
        answer = admin.post(f"/office/accounts/{one.account_id}/roles", {"role": "committee"})
        assert answer.status_code == SEEN
    heard = [letter.to for letter in said(served, post)]
    assert sorted(heard) == sorted(watching | {one.email})


def test_a_member_who_is_let_in_again_is_told(
    served: Served, post: Post, watching: set[str], admin: Browser
) -> None:
    one = person(served, "committee")
    for form in ("disable", "enable"):
        admin.post(f"/office/accounts/{one.account_id}/{form}")
    assert {letter.to for letter in said(served, post)} == watching | {one.email}


def test_an_auditor_who_was_kept_out_meanwhile_is_told_when_she_is_let_in(
    served: Served, post: Post, admin: Browser
) -> None:
    one = person(served, "auditor")
    admin.post(f"/office/accounts/{one.account_id}/disable")
    new = opens(admin, "committee")
    assert [letter.to for letter in said(served, post)] == [new]
    admin.post(f"/office/accounts/{one.account_id}/enable")
    assert [letter.to for letter in said(served, post)] == [new, one.email]
    assert new in post.taken[-1].text


def test_a_letter_that_fails_is_an_officer_s_matter_and_not_an_administrator_s(
    served: Served, post: Post, admin: Browser
) -> None:
    member: Person = person(served, "committee")
    officer = browser_of(served, "officer")
    post.down = True
    with told(served.context):
        person(served, "officer", "committee")
    eventually(lambda: len(letters.unsent(served.context)) == 2)
    page = officer.get("/office/letters").text
    assert "news of the committee" in page
    assert member.email in page
    assert member.email not in admin.get("/office/letters").text
    post.down = False
    fields = {"kind": "committee", "about_id": str(member.account_id)}
    assert officer.post("/office/letters", fields).status_code == SEEN
    assert [one.to for one in post.taken] == [member.email]
    (other,) = letters.unsent(served.context)
    assert other.about_id != member.account_id


def test_who_left_meanwhile_is_not_told(served: Served, post: Post, watching: set[str]) -> None:
    post.down = True
    with told(served.context):
        person(served, "committee")
    eventually(lambda: len(letters.unsent(served.context)) == len(watching) + 1)
    auditor = next(one for one in people.people(served.context) if one.roles == ("auditor",))
    people.disable(served.context, "test", auditor.account_id)
    post.down = False
    officer = browser_of(served, "officer")
    fields = {"kind": "committee", "about_id": str(auditor.account_id)}
    assert officer.post("/office/letters", fields).status_code == SEEN
    assert post.taken == []
    assert len(letters.unsent(served.context)) == len(watching)
