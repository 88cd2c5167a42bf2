"""Who may ask for what: the whole table, against what each route says and what it does."""

import re
from collections.abc import Iterable, Iterator
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

READERS = "officer committee auditor"
# Route → who may. A route that is not here fails the test; so does a line without its route.
MAY: dict[str, str] = {
    "GET /": PUBLIC,
    "GET /.well-known/did.json": PUBLIC,
    "GET /accessibility": PUBLIC,
    "GET /account": ANYBODY,
    "GET /account/forgotten": PUBLIC,
    "GET /account/link/{token}": PUBLIC,
    "GET /ambassadors": PUBLIC,
    "POST /office/projects/{project_id}/conflict": "officer committee",
    "GET /api/v1/projects/{project_id}/sheets": PUBLIC,
    "GET /projects/{text}/sheets": PUBLIC,
    "GET /api/v1/criteria": PUBLIC,
    "GET /ideas/criteria": PUBLIC,
    "POST /ambassadors/mine/leaving": PUBLIC,
    "POST /ambassadors/mine/wallet": PUBLIC,
    "POST /ambassadors/mine/naming": PUBLIC,
    "POST /ambassadors/link/{token}": PUBLIC,
    "POST /ambassadors/return": PUBLIC,
    "POST /ambassadors/new": PUBLIC,
    "GET /ambassadors/link/{token}": PUBLIC,
    "GET /ambassadors/mine": PUBLIC,
    "GET /ambassadors/left": PUBLIC,
    "GET /ambassadors/sent": PUBLIC,
    "GET /ambassadors/return": PUBLIC,
    "GET /ambassadors/new": PUBLIC,
    "GET /api/v1/figures": PUBLIC,
    "GET /api/v1/healthz": PUBLIC,
    "GET /api/v1/ambassadors": PUBLIC,
    "GET /api/v1/ideas": PUBLIC,
    "GET /api/v1/ideas/{idea_id}": PUBLIC,
    "GET /api/v1/journal": PUBLIC,
    "GET /api/v1/partners": PUBLIC,
    "GET /api/v1/partners/{partner_id}": PUBLIC,
    "GET /api/v1/projects": PUBLIC,
    "GET /api/v1/projects/{project_id}": PUBLIC,
    "GET /api/v1/till": TILL_KEY,
    "GET /api/v1/rounds": PUBLIC,
    "GET /api/v1/rounds/{round_id}": PUBLIC,
    "GET /api/v1/rounds/{round_id}/files/{name}": PUBLIC,
    "GET /rounds/{round_id}/files/{name}": PUBLIC,
    "GET /rounds": PUBLIC,
    "GET /rounds/{text}": PUBLIC,
    "GET /rounds/{text}/projects/{project}": PUBLIC,
    "GET /rules": PUBLIC,
    "GET /rules/{name}": PUBLIC,
    "POST /api/v1/stripe/webhook": PUBLIC,
    "GET /give": PUBLIC,
    "POST /give": PUBLIC,
    "GET /give/paid": PUBLIC,
    "GET /give/{payment_id}/{token}": PUBLIC,
    "POST /give/{payment_id}/{token}/end": PUBLIC,
    "GET /my/shops/{partner_id}/statements/{number}/card": "partner_manager",
    "POST /my/shops/{partner_id}/statements/{number}/card": "partner_manager",
    "GET /office/cards": READERS,
    "GET /office/cards/links": READERS,
    "POST /office/cards/links": "officer",
    "POST /office/cards/links/{link_id}/end": "officer",
    "GET /office/cards/payments/{payment_id}": READERS,
    "POST /office/cards/payments/{payment_id}/refund": "officer",
    "GET /office/cards/payouts/{payout_id}": READERS,
    "POST /office/cards/reconciliation": "officer",
    "POST /office/cards/retry": "officer",
    "POST /office/cards/disputes/{dispute_id}/evidence": "officer",
    "GET /api/v1/owed": PUBLIC,
    "GET /owed": PUBLIC,
    "GET /office/foundation": READERS,
    "POST /office/foundation/name": "officer",
    "POST /office/foundation/account": "officer",
    "POST /office/foundation/account/approval": "officer committee",
    "POST /office/foundation/account/discard": "officer committee",
    "POST /office/foundation/terms": "officer",
    "GET /office/pledges": READERS,
    "GET /office/pledges/{pledge_id}": READERS,
    "POST /office/pledges": "officer",
    "POST /office/pledges/{pledge_id}/calls": "officer",
    "POST /office/pledges/{pledge_id}/withdrawal": "officer",
    "GET /office/remittances": READERS,
    "GET /office/remittances/new": "officer",
    "GET /office/remittances/{remittance_id}": READERS,
    "POST /office/remittances": "officer",
    "POST /office/remittances/{remittance_id}/approval": "officer committee",
    "POST /office/remittances/{remittance_id}/discard": "officer committee",
    "POST /office/remittances/{remittance_id}/return": "officer",
    "GET /office/rounds": READERS,
    "GET /office/rounds/new": "officer",
    "GET /office/rounds/{round_id}": READERS,
    "GET /office/rounds/{round_id}/draft": "officer",
    "POST /office/rounds/{round_id}/draft": "officer",
    "POST /office/rounds/{round_id}/approval": "committee",
    "POST /office/rounds/{round_id}/opening": "officer",
    "POST /office/rounds/{round_id}/strike": "officer",
    "POST /office/rounds/{round_id}/close": "officer",
    "POST /office/rounds/{round_id}/count": "officer",
    "POST /office/rounds/{round_id}/adoption": "committee",
    "POST /office/rounds/{round_id}/return": "committee",
    "POST /office/rounds/{round_id}/cancellation": "committee",
    "POST /office/rounds/{round_id}/awards": "officer",
    "POST /api/v1/ballots": PUBLIC,
    "POST /api/v1/wallets": PUBLIC,
    "POST /api/v1/wallets/choice": PUBLIC,
    "POST /api/v1/wallets/choice/withdrawal": PUBLIC,
    "POST /api/v1/wallets/gifts": PUBLIC,
    "POST /api/v1/wallets/look": PUBLIC,
    "GET /badges/status/{purpose}": PUBLIC,
    "GET /badges/{partner_id}.json": PUBLIC,
    "GET /badges/{partner_id}.pdf": PUBLIC,
    "GET /badges/{partner_id}.svg": PUBLIC,
    "GET /badges/{text}": PUBLIC,
    "GET /complaints/{complaint_id}": PUBLIC,
    "GET /did.json": PUBLIC,
    "GET /g": PUBLIC,
    "GET /g/{text}": PUBLIC,
    "GET /g/{text}/done": PUBLIC,
    "GET /healthz": PUBLIC,
    "GET /ideas": PUBLIC,
    "GET /ideas/confirm/{token}": PUBLIC,
    "GET /ideas/new": PUBLIC,
    "GET /ideas/sent": PUBLIC,
    "GET /ideas/{text}": PUBLIC,
    "GET /journal": PUBLIC,
    "GET /login": PUBLIC,
    "GET /my": "partner_manager",
    "GET /my/shops/{partner_id}": "partner_manager",
    "GET /my/shops/{partner_id}/appeal": "partner_manager",
    "GET /my/shops/{partner_id}/application": "partner_manager",
    "GET /my/shops/{partner_id}/cases/{case_id}/evidence/{digest}": "partner_manager",
    "GET /my/shops/{partner_id}/ending": "partner_manager",
    "GET /my/shops/{partner_id}/gifts": "partner_manager",
    "GET /my/shops/{partner_id}/statements": "partner_manager",
    "GET /my/shops/{partner_id}/statements/{number}": "partner_manager",
    "GET /my/shops/{partner_id}/statements/{number}/lines.csv": "partner_manager",
    "GET /my/shops/{partner_id}/statements/{number}/receipt.pdf": "partner_manager",
    "GET /my/shops/{partner_id}/statements/{number}/statement.pdf": "partner_manager",
    "GET /office/settlements": READERS,
    "GET /office/settlements/{statement_id}": READERS,
    "GET /office/settlements/{statement_id}/lines.csv": READERS,
    "GET /office/settlements/{statement_id}/receipt.pdf": READERS,
    "GET /office/settlements/{statement_id}/statement.pdf": READERS,
    "POST /office/settlements/closing": "officer",
    "POST /office/settlements/{statement_id}/reminder": "officer",
    "POST /office/settlements/{statement_id}/write-off": "officer",
    "POST /office/settlements/{statement_id}/write-off/approval": "officer committee",
    "POST /office/settlements/{statement_id}/write-off/discard": "officer committee",
    "GET /my/tills": "partner_manager",
    "GET /my/upload": "partner_manager",
    "GET /office": READERS,
    "GET /office/accounts": "administrator",
    "GET /office/accounts/{account_id}": "administrator",
    "GET /office/ambassadors": READERS,
    "GET /office/ballots": READERS,
    "GET /office/bank": READERS,
    "GET /office/bank/days": READERS,
    "GET /office/bank/files": READERS,
    "GET /office/bank/transactions/{transaction_id}": READERS,
    "GET /office/complaints/{complaint_id}": READERS,
    "GET /office/ideas": READERS,
    "GET /office/ideas/{idea_id}": READERS,
    "GET /office/letters": "officer administrator",
    "GET /office/partners": READERS,
    "GET /office/partners/{partner_id}": READERS,
    "GET /office/partners/{partner_id}/cases/{case_id}": READERS,
    "GET /office/partners/{partner_id}/cases/{case_id}/evidence/{digest}": READERS,
    "GET /office/projects": READERS,
    "GET /office/projects/{project_id}": READERS,
    "GET /partners": PUBLIC,
    "GET /partners/{partner_id}/complaint": PUBLIC,
    "GET /partners/{text}": PUBLIC,
    "GET /pictures/{digest}/{width}.jpg": PUBLIC,
    "GET /projects": PUBLIC,
    "GET /projects/{text}": PUBLIC,
    "GET /till": PUBLIC,
    "GET /till/app": PUBLIC,
    "GET /till/app/{language}": PUBLIC,
    "GET /till/app/{language}/manifest.webmanifest": PUBLIC,
    "GET /till/ask": PUBLIC,
    "GET /till/day": PUBLIC,
    "GET /till/tickets/{text}": PUBLIC,
    "GET /till/worker.js": PUBLIC,
    "GET /verify": PUBLIC,
    "GET /w": PUBLIC,
    "POST /account/forgotten": PUBLIC,
    "POST /account/link/{token}": PUBLIC,
    "POST /account/password": ANYBODY,
    "POST /api/v1/donations": TILL_KEY,
    "POST /api/v1/donations/batch": TILL_KEY,
    "POST /api/v1/donations/{donation_id}/reversals": TILL_KEY,
    "POST /api/v1/till/closes": TILL_KEY,
    "POST /api/v1/till/enrolments": PUBLIC,
    "POST /api/v1/till/known": TILL_KEY,
    "POST /api/v1/till/tickets": TILL_KEY,
    "POST /g": PUBLIC,
    "POST /g/{text}/ballot": PUBLIC,
    "POST /g/{text}/choice": PUBLIC,
    "POST /g/{text}/wallet": PUBLIC,
    "POST /ideas/confirm/{token}": PUBLIC,
    "POST /ideas/new": PUBLIC,
    "POST /login": PUBLIC,
    "POST /logout": ANYBODY,
    "POST /my/shops/{partner_id}/appeal": "partner_manager",
    "POST /my/shops/{partner_id}/application": "partner_manager",
    "POST /my/shops/{partner_id}/consent": "partner_manager",
    "POST /my/shops/{partner_id}/ending": "partner_manager",
    "POST /my/shops/{partner_id}/papers": "partner_manager",
    "POST /my/shops/{partner_id}/withdrawal": "partner_manager",
    "POST /my/tills": "partner_manager",
    "POST /my/tills/{till_id}/code": "partner_manager",
    "POST /my/tills/{till_id}/gaps": "partner_manager",
    "POST /my/tills/{till_id}/revoke": "partner_manager",
    "POST /my/upload": "partner_manager",
    "POST /office/accounts": "administrator",
    "POST /office/accounts/{account_id}/disable": "administrator",
    "POST /office/accounts/{account_id}/enable": "administrator",
    "POST /office/accounts/{account_id}/link": "administrator",
    "POST /office/accounts/{account_id}/roles": "administrator",
    "POST /office/ambassadors": "officer",
    "POST /office/ambassadors/credits": "officer",
    "POST /office/ambassadors/{ambassador_id}/naming": "officer",
    "POST /office/ambassadors/{ambassador_id}/retirement": "officer",
    "POST /office/ballots": "officer",
    "POST /office/bank/files": "officer",
    "POST /office/bank/matching": "officer",
    "POST /office/bank/transactions/{transaction_id}/confirmation": "officer",
    "POST /office/bank/transactions/{transaction_id}/match": "officer",
    "POST /office/bank/transactions/{transaction_id}/matches/{match_id}/undo": "officer",
    "POST /office/ballots/entries": "officer",
    "POST /office/ballots/{ballot_id}/discard": "officer",
    "POST /office/complaints/{complaint_id}/answer": "officer",
    "POST /office/complaints/{complaint_id}/close": "officer",
    "POST /office/ideas/{idea_id}/acceptance": "officer",
    "POST /office/ideas/{idea_id}/conflict": "officer committee",
    "POST /office/ideas/{idea_id}/evaluation": "officer committee",
    "POST /office/ideas/{idea_id}/merger": "officer",
    "POST /office/ideas/{idea_id}/project": "officer",
    "POST /office/ideas/{idea_id}/refusal": "officer",
    "POST /office/ideas/{idea_id}/scores": "officer committee",
    "POST /office/ideas/{idea_id}/withholding": "officer",
    "POST /office/letters": "officer administrator",
    "POST /office/partners": "officer",
    "POST /office/partners/{partner_id}/agreements": "officer",
    "POST /office/partners/{partner_id}/agreements/{agreement_id}/amendment": "officer",
    "POST /office/partners/{partner_id}/agreements/{agreement_id}/end": "officer",
    "POST /office/partners/{partner_id}/cases/{case_id}/approval": "committee",
    "POST /office/partners/{partner_id}/cases/{case_id}/conflict": "officer committee",
    "POST /office/partners/{partner_id}/cases/{case_id}/proposal": "committee",
    "POST /office/partners/{partner_id}/cases/{case_id}/rejection": "committee",
    "POST /office/partners/{partner_id}/cases/{case_id}/review": "officer",
    "POST /office/partners/{partner_id}/conflict": "officer committee",
    "POST /office/partners/{partner_id}/consent": "officer",
    "POST /office/partners/{partner_id}/contacts": "officer",
    "POST /office/partners/{partner_id}/contacts/{subject_id}/removal": "officer",
    "POST /office/partners/{partner_id}/description": "officer",
    "POST /office/partners/{partner_id}/sanctions": "committee",
    "POST /office/projects/{project_id}/abandonment": "officer",
    "POST /office/projects/{project_id}/abandonment/agreement": "officer committee",
    "POST /office/projects/{project_id}/completion": "officer",
    "POST /office/projects/{project_id}/milestones/{milestone}/change": "officer",
    "POST /office/projects/{project_id}/milestones/{milestone}/met": "officer",
    "POST /office/projects/{project_id}/publication": "officer",
    "POST /office/projects/{project_id}/sheet": "officer",
    "POST /office/projects/{project_id}/start": "officer",
    "POST /partners/{partner_id}/complaint": PUBLIC,
    "POST /till/ask": PUBLIC,
    "POST /till/day": PUBLIC,
    "POST /till/gifts": PUBLIC,
    "POST /till/key": PUBLIC,
    "POST /till/leave": PUBLIC,
    "POST /verify": PUBLIC,
    "POST /w": PUBLIC,
    "POST /w/ambassador": PUBLIC,
    "POST /w/choice": PUBLIC,
    "POST /w/choice/withdrawal": PUBLIC,
    "POST /w/leave": PUBLIC,
    "POST /w/new": PUBLIC,
    "POST /w/open": PUBLIC,
}
# The framework's own description of the API, and the files of the pages.
UNGUARDED = {"/openapi.json", "/static"}
NOBODY = "nobody"
TILL = "a till"
VISITORS = (NOBODY, TILL, *ROLES)
PARAMETER = re.compile(r"\{\w+(:\w+)?\}")


def routes(of: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """Give every route of an application, those of included routers too."""
    for route in of:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from routes(included.routes)


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
