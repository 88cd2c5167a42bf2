"""A mail server that answers slowly keeps its own letters waiting, and nothing else."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from api import letters, people
from api.deps import READ_CONNECTIONS_MAX
from api.letters import LEASE, PATIENCE_SECONDS, UNDER_WAY
from api.mail import Letter, MailFailed
from tests.api.office import follow_up
from tests.api.people import Browser, Person, browser_of, person
from tests.api.served import Served
from tests.ledger.processes import eventually

DEADLINE_SECONDS = 60


class SlowPost:
    """A mail server that keeps each letter until it is told to go on."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.down = False
        self.taken: list[Letter] = []
        self.at_once = self.at_once_most = 0

    def send(self, letter: Letter) -> None:
        if self.down:
            raise MailFailed("SMTPServerDisconnected")
        self.at_once += 1
        self.at_once_most = max(self.at_once, self.at_once_most)
        gone_on = self.goes_on.wait(DEADLINE_SECONDS)
        self.at_once -= 1
        if not gone_on:
            raise MailFailed("TimeoutError")
        self.taken.append(letter)


@pytest.fixture
def slow(served: Served) -> Iterator[SlowPost]:
    post = SlowPost()
    served.context.mail = post
    yield post
    post.goes_on.set()


@pytest.fixture
def asking(served: Served, slow: SlowPost) -> list[Person]:
    """More people than the service has connections, each asking for a new password."""
    found = [person(served, "officer") for _ in range(READ_CONNECTIONS_MAX + 2)]
    for one in found:
        answer = Browser(served).post("/account/forgotten", {"email": one.email})
        assert answer.status_code == httpx.codes.OK
    eventually(lambda: slow.at_once == 1)
    return found


def connections_held(served: Served) -> int:
    stats = served.context.pool.get_stats()
    return stats["pool_size"] - stats["pool_available"]


def test_pages_are_answered_meanwhile(
    served: Served, slow: SlowPost, asking: list[Person], conninfo: str
) -> None:
    follow_up(conninfo)
    eventually(lambda: connections_held(served) == 0)
    for path in ("/", "/partners"):
        assert served.client.get(path).status_code == httpx.codes.OK
    assert browser_of(served, "officer").get("/account").status_code == httpx.codes.OK
    slow.goes_on.set()
    eventually(lambda: len(slow.taken) == len(asking))
    assert slow.at_once_most == 1
    assert {one.to for one in slow.taken} == {one.email for one in asking}


def test_an_office_waits_a_moment_and_no_longer(
    served: Served, slow: SlowPost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "PATIENCE_SECONDS", 0.1)
    assert PATIENCE_SECONDS < DEADLINE_SECONDS
    one, admin = person(served, "officer"), browser_of(served, "administrator")
    answer = admin.post(f"/office/accounts/{one.account_id}/link")
    assert answer.headers["location"].endswith("?done=sent")
    assert slow.taken == []
    slow.goes_on.set()
    eventually(lambda: len(slow.taken) == 1)


def test_a_letter_that_is_held_is_nobody_else_s_until_its_time_is_over(
    served: Served, slow: SlowPost
) -> None:
    context, one = served.context, person(served, "officer")
    people.send_reset(context, one.account_id)
    eventually(lambda: slow.at_once == 1)
    letters.deliver(context, "reset", one.account_id, lambda: Letter(one.email, "again", ""))
    assert slow.taken == []
    later = {"due_at": datetime.now(UTC) - UNDER_WAY - timedelta(seconds=1)}
    with context.pool.connection() as connection:
        connection.execute("UPDATE letter_due SET due_at = %(due_at)s", later)
    assert letters.unsent(context) == []
    with context.pool.connection() as connection:
        connection.execute("UPDATE letter_due SET held_until = held_until - %(l)s", {"l": LEASE})
    (cut,) = letters.unsent(context)
    assert (cut.about_id, cut.failure) == (one.account_id, None)


def test_a_failure_after_its_time_is_not_noted_over_another_attempt(
    served: Served, slow: SlowPost
) -> None:
    context, one = served.context, person(served, "officer")
    letters.note(context, "reset", one.account_id)

    def overtaken() -> Letter:
        with context.pool.connection() as connection:
            connection.execute("UPDATE letter_due SET held_until = now() + interval '1 hour'")
        return Letter(one.email, "", "")

    slow.down = True
    with pytest.raises(MailFailed):
        letters.deliver(context, "reset", one.account_id, overtaken)
    assert letters.unsent(context) == []
