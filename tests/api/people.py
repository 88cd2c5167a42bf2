"""People who signed in, as browsers: a session's cookie, and forms sent from our own pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx

from api.people import AccountIn, open_account
from api.sessions import csrf_of
from ledger.people import Role
from tests.api.served import Served

COOKIE = "__Host-session"
PASSWORD = "quatre roues à aubes"


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser on the service; the service is told to be https, so cookies are sent by hand."""

    served: Served
    token: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        cookie = {} if self.token is None else {"Cookie": f"{COOKIE}={self.token}"}
        return {"Sec-Fetch-Site": "same-origin", "Accept-Language": "en"} | cookie

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.served.client.get(path, headers=self.headers | headers)

    def post(
        self, path: str, fields: Mapping[str, str | Sequence[str]] | None = None, **headers: str
    ) -> httpx.Response:
        """Send a form as our page would, with its session's token in it."""
        csrf = {} if self.token is None else {"csrf": csrf_of(self.token)}
        data = csrf | dict(fields or {})
        return self.served.client.post(path, data=data, headers=self.headers | headers)


@dataclass(frozen=True, slots=True)
class Person:
    """An account with its address, and the path of the link that sets its password."""

    account_id: UUID
    email: str
    link: str


def person(served: Served, *roles: Role, partner_ids: tuple[UUID, ...] = ()) -> Person:
    """Open an account, as the command line does."""
    email = f"{uuid4().hex}@exemple.fr"
    asked = AccountIn(email, "Anne Fabre", roles, partner_ids)
    made = open_account(served.context, "test", asked)
    return Person(
        made.account_id, email, made.link.removeprefix(served.context.settings.public_url)
    )


def with_password(served: Served, *roles: Role) -> Person:
    """Open an account and set its password by its link."""
    one = person(served, *roles)
    answer = Browser(served).post(one.link, {"password": PASSWORD})
    assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
    return one


def signed_in(served: Served, account_id: UUID) -> Browser:
    """Give a browser with a session of an account, opened without the form."""
    return Browser(served, served.context.sessions.open(account_id, datetime.now(UTC)))


def browser_of(served: Served, *roles: Role, partner_ids: tuple[UUID, ...] = ()) -> Browser:
    """Open an account with some roles and sign it in."""
    return signed_in(served, person(served, *roles, partner_ids=partner_ids).account_id)


def session_of(answer: httpx.Response) -> str:
    """Give the session that an answer hands to the browser."""
    for line in answer.headers.get_list("set-cookie"):
        name, _, value = line.partition(";")[0].partition("=")
        if name == COOKIE and value.strip('"'):
            return value
    raise AssertionError(answer.headers)


def enter(served: Served, one: Person, password: str = PASSWORD, **fields: str) -> httpx.Response:
    """Send the form of the login page."""
    return Browser(served).post("/login", {"email": one.email, "password": password} | fields)


def is_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == httpx.codes.OK
