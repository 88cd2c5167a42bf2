"""Who may ask for what: the whole table, against what each route says and what it does."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from api.auth import ANYBODY, PUBLIC, TILL_KEY, demand_of
from ledger.keyring import new_till_key, till_key_hash
from ledger.people import ROLES
from ledger.tills import EnrolTill, till
from projections import follow
from projections.every import READ_MODELS
from tests.api.people import Browser, browser_of, person, signed_in
from tests.api.served import Served
from tests.api.who_may import MAY, PARAMETER, routes

# The framework's own description of the API, and the files of the pages.
UNGUARDED = {"/openapi.json", "/static"}
NOBODY = "nobody"
TILL = "a till"
VISITORS = (NOBODY, TILL, *ROLES)


def demands(of: Iterable[BaseRoute]) -> dict[str, str | None]:
    """Read from each route, for each method, what it demands."""
    return {
        f"{method} {route.path}": demand_of(route)
        for route in routes(of)
        if isinstance(route, APIRoute)
        for method in (route.methods or set()) - {"HEAD"}
    }


def test_every_route_says_who_may_and_says_what_the_table_says(served: Served) -> None:
    assert demands(served.app.routes) == MAY


def test_nothing_else_is_served(served: Served) -> None:
    others = {
        getattr(route, "path", None)
        for route in routes(served.app.routes)
        if not isinstance(route, APIRoute)
    }
    assert others == UNGUARDED


def may(line: str, visitor: str) -> bool:
    whom = MAY[line]
    if whom == PUBLIC:
        return True
    if whom == TILL_KEY:
        return visitor == TILL
    if whom == ANYBODY:
        return visitor in ROLES
    return visitor in whom.split()


@pytest.fixture(autouse=True)
def read_models(conninfo: str) -> None:
    with follow.connected(conninfo) as connection:
        follow.prepare(connection, READ_MODELS)


@pytest.fixture
def bearer(served: Served) -> dict[str, str]:
    """Enrol a till, and give the header by which it is known."""
    key, till_id = new_till_key(), uuid4()
    enrol = EnrolTill(
        at=datetime.now(UTC),
        actor="test",
        till_id=till_id,
        partner_id=uuid4(),
        name="Caisse 1",
        key_sha256=till_key_hash(key),
    )
    served.context.ledger.handle(till, till_id, enrol)
    return {"Authorization": f"Bearer {key}"}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: with an account, with a till's key in the headers, or with neither."""

    served: Served
    account_id: UUID | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, line: str) -> httpx.Response:
        """Ask for a route in a session of its own, with made-up ids and an empty form."""
        method, _, path = line.partition(" ")
        address = PARAMETER.sub(str(uuid4()), path)
        browser = Browser(self.served)
        if self.account_id is not None:
            browser = signed_in(self.served, self.account_id)
        if method == "GET":
            return browser.get(address, **self.headers)
        return browser.post(address, None, **self.headers)


@pytest.fixture
def visitors(served: Served, bearer: dict[str, str]) -> dict[str, Visitor]:
    found = {NOBODY: Visitor(served), TILL: Visitor(served, headers=bearer)}
    for role in ROLES:
        partner_ids = (uuid4(),) if role == "partner_manager" else ()
        one = person(served, role, partner_ids=partner_ids)
        found[role] = Visitor(served, one.account_id)
    return found


def is_barred(answer: httpx.Response) -> bool:
    """Tell whether the answer is that this visitor may not, whatever else would be wrong."""
    led_away = answer.is_redirect and answer.headers["location"].startswith("/login")
    return led_away or answer.status_code in {401, 403}


@pytest.mark.parametrize("visitor", VISITORS)
def test_each_visitor_gets_in_where_the_table_says_and_nowhere_else(
    visitor: str, visitors: dict[str, Visitor]
) -> None:
    wrong: list[str] = []
    for line in MAY:
        answer = visitors[visitor].ask(line)
        # Signing out leads to the page where one signs in, and is no bar.
        barred = is_barred(answer) and not (line == "POST /logout" and visitor in ROLES)
        if barred == may(line, visitor) or answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            wrong.append(f"{line}: {answer.status_code} {answer.headers.get('location', '')}")
    assert wrong == []


def test_a_person_with_two_roles_may_what_either_may(served: Served) -> None:
    browser = browser_of(served, "auditor", "administrator")
    assert browser.get("/office/accounts").status_code == httpx.codes.OK


def test_a_barred_program_is_told_by_name(served: Served) -> None:
    answer = served.client.post("/api/v1/donations", json={})
    assert answer.status_code == httpx.codes.UNAUTHORIZED
    assert answer.json()["error"]["name"] == "key_refused"


def test_a_route_that_says_nothing_is_found(served: Served) -> None:
    @served.app.get("/forgotten")
    def forgotten() -> None: ...

    assert demands(served.app.routes)["GET /forgotten"] is None
