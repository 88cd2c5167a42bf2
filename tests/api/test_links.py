"""Links that set a password, and accounts that are disabled."""

from datetime import UTC, datetime

import httpx
import pytest

from api import letters, people
from api.credentials import ENROLMENT
from api.people import AccountIsDisabled
from tests.api.people import PASSWORD, Browser, Person, browser_of, person
from tests.api.served import Served
from tests.api.test_letters import Post


@pytest.fixture
def post(served: Served) -> Post:
    made = Post()
    served.context.mail = made
    return made


@pytest.fixture
def off(served: Served) -> Person:
    one = person(served, "officer")
    people.disable(served.context, "test", one.account_id)
    return one


def test_a_disabled_account_is_sent_none_and_the_page_says_why(
    served: Served, post: Post, off: Person
) -> None:
    admin = browser_of(served, "administrator")
    answer = admin.post(f"/office/accounts/{off.account_id}/link")
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "enable it before you send a link" in answer.text
    assert (post.taken, letters.unsent(served.context)) == ([], [])
    with pytest.raises(AccountIsDisabled):
        people.new_link(served.context, off.account_id)


def test_a_letter_that_waits_is_not_written_once_its_account_is_disabled(
    served: Served, post: Post
) -> None:
    one, admin = person(served, "officer"), browser_of(served, "administrator")
    post.down = True
    admin.post(f"/office/accounts/{one.account_id}/link")
    people.disable(served.context, "test", one.account_id)
    post.down = False
    fields = {"kind": "enrolment", "about_id": str(one.account_id)}
    answer = admin.post("/office/letters", fields)
    assert "enable it before you send a link" in answer.text
    letters.deliver(
        served.context,
        "enrolment",
        one.account_id,
        lambda: people.link_letter(served.context, "enrolment", one.account_id),
    )
    assert post.taken == []


def test_a_link_of_before_opens_nothing_once_the_account_is_enabled(
    served: Served, off: Person
) -> None:
    credentials = served.context.credentials
    # As if it had been made in the moment of being disabled.
    token = credentials.offer_link(off.account_id, datetime.now(UTC), ENROLMENT)
    people.enable(served.context, "test", off.account_id)
    for path in (off.link, f"/account/link/{token}"):
        answer = Browser(served).post(path, {"password": PASSWORD})
        assert answer.status_code == httpx.codes.NOT_FOUND
