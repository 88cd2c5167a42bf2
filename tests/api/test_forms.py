"""Forms that come late, in pieces, or from elsewhere."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from api import people
from api.sessions import csrf_of
from tests.api.people import COOKIE, PASSWORD, Browser, browser_of, person, signed_in
from tests.api.served import Served

ASKED = {"email": "luc@exemple.fr", "name": "Luc Roux", "role": "administrator"}
NO_MULTIPART = (
    ("multipart/form-data", b"csrf=x"),
    ("multipart/form-data; boundary=x", b"no part at all"),
    ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--"),
)


class Held:
    """A request whose body is not sent yet, and which the service waits for."""

    def __init__(self, connection: socket.socket, body: bytes) -> None:
        self.connection = connection
        self.body = body

    def ends(self) -> int:
        """Send the body; give the answer's status."""
        self.connection.sendall(self.body)
        return int(self.connection.recv(4_096).split(b" ")[1])


@contextmanager
def held(served: Served, browser: Browser, path: str, fields: dict[str, str]) -> Iterator[Held]:
    """Send the head of a form and wait until the service, having let it in, asks for the rest."""
    assert browser.token is not None
    body = urlencode(fields | {"csrf": csrf_of(browser.token)}).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\n"
        f"Cookie: {COOKIE}={browser.token}\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nExpect: 100-continue\r\n\r\n"
    )
    where = urlsplit(served.url)
    with socket.create_connection((where.hostname or "", where.port or 80), 20) as connection:
        connection.sendall(head.encode())
        assert connection.recv(4_096).startswith(b"HTTP/1.1 100 ")
        yield Held(connection, body)


def names(served: Served) -> list[str]:
    return [one.name for one in people.people(served.context)]


class TestHeldBack:
    def test_it_is_carried_out_once_it_is_whole(self, served: Served) -> None:
        one = browser_of(served, "administrator")
        with held(served, one, "/office/accounts", ASKED) as request:
            assert request.ends() == httpx.codes.SEE_OTHER
        assert "Luc Roux" in names(served)

    def test_who_was_disabled_meanwhile_does_nothing_by_it(self, served: Served) -> None:
        leaving = person(served, "administrator")
        browser = signed_in(served, leaving.account_id)
        with held(served, browser, "/office/accounts", ASKED) as request:
            people.disable(served.context, "test", leaving.account_id)
            assert request.ends() == httpx.codes.SEE_OTHER  # To the way in.
        assert "Luc Roux" not in names(served)

    def test_who_lost_the_role_meanwhile_does_nothing_by_it(self, served: Served) -> None:
        leaving = person(served, "administrator")
        browser = signed_in(served, leaving.account_id)
        with held(served, browser, "/office/accounts", ASKED) as request:
            people.change_roles(served.context, "test", leaving.account_id, ("auditor",), ())
            assert request.ends() == httpx.codes.FORBIDDEN
        assert "Luc Roux" not in names(served)


class TestForeign:
    def test_no_other_site_signs_a_browser_in_by_its_own_link(self, served: Served) -> None:
        link = person(served, "officer").link
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            answer = served.client.post(link, data={"password": PASSWORD}, headers=headers)
            assert answer.status_code == httpx.codes.FORBIDDEN
            assert "set-cookie" not in answer.headers
        answer = Browser(served).post(link, {"password": PASSWORD})
        assert answer.status_code == httpx.codes.SEE_OTHER


class TestMalformed:
    @pytest.mark.parametrize(("kind", "content"), NO_MULTIPART)
    def test_what_is_no_form_is_told_so(self, kind: str, content: bytes, served: Served) -> None:
        browser = browser_of(served, "officer")
        headers = browser.headers | {"Content-Type": kind}
        answer = served.client.post("/logout", content=content, headers=headers)
        assert answer.status_code == httpx.codes.BAD_REQUEST
        assert "This form did not arrive whole" in answer.text

    def test_an_unknown_address_is_still_unknown(self, served: Served) -> None:
        answer = Browser(served).get("/nowhere")
        assert answer.status_code == httpx.codes.NOT_FOUND
        assert "There is no page here" in answer.text
