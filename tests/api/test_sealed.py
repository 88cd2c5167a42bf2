"""A sealed round tells nobody how it stands: two ledgers that differ in picks alone look alike."""

import io
import logging
import re
import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from fastapi.routing import APIRoute
from psycopg.conninfo import make_conninfo

from api import badge, ballots
from api.ballots import PATH
from ledger import tickets
from ledger.people import ROLES, Role
from ledger.rounds.definition import Definition
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.people import Browser, person
from tests.api.served import Served, serving, settings_in
from tests.api.shops import Shop, open_shop
from tests.api.who_may import MAY, PARAMETER, routes
from tests.conftest import created
from tests.rounds import BIKES, CHOIR, OVEN, SHADE, close_round, open_round

CHOICES = ((BIKES,), (BIKES, SHADE), (OVEN,), (BIKES,), (CHOIR, OVEN, SHADE))
OTHERS = ((CHOIR,), (OVEN, CHOIR), (SHADE,), (CHOIR,), (OVEN, BIKES, SHADE))
WHEN = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROUND = UUID(int=99)
# Two forms offer a random id, and one address leads to one, so that sending a form twice is one;
# nothing else is left out.
OFFERED = re.compile(
    rb'name="(?:case|complaint|form|pledge|proposal|remittance)_id" value="[0-9a-f-]{36}"'
)
ANEW = "/office/rounds/new"


@dataclass
class Town:
    """A ledger that is served, and everything that was said of it."""

    served: Served
    conninfo: str
    shop: Shop
    round: Definition
    gifts: list[dict[str, Any]]
    people: dict[Role, UUID] = field(default_factory=dict)
    sessions: dict[Role, str] = field(default_factory=dict)
    log: io.StringIO = field(default_factory=io.StringIO)

    def vote(self, number: int, picks: tuple[UUID, ...]) -> httpx.Response:
        body = {"code": self.gifts[number]["code"], "picks": [str(pick) for pick in picks]}
        return self.served.client.post(PATH, json=body)

    def caught_up(self) -> None:
        catch_up(self.conninfo, READ_MODELS)
        time.sleep(0.06)  # Answers are kept this long without a look at the read models.

    def addresses(self) -> list[str]:
        """Give every address that answers a GET, with ids of this ledger put in."""
        known = {
            "round_id": str(ROUND),
            "partner_id": str(self.shop.partner_id),
            "project_id": str(BIKES),
            "account_id": str(self.people.get("auditor", BIKES)),
            "name": "result.json",
            "purpose": "revocation",
            "language": "fr",
            "digest": "0" * 64,
            "width": "480",
            "token": "0" * 43,
        }
        # The same parameter stands for different things in the addresses of pages.
        texts = {
            "/g/": tickets.parse("2222-2222-2222"),
            "/partners/": str(self.shop.partner_id),
            "/badges/": str(self.shop.partner_id),
            "/projects/": str(BIKES),
            "/rules/": "directed",
            "/till/tickets/": self.gifts[0]["donation_id"] if self.gifts else "",
        }
        found: set[str] = set()
        for route in routes(self.served.app.routes):
            if isinstance(route, APIRoute) and "GET" in (route.methods or set()):
                begins = route.path.partition("{")[0]
                ids = known | {"text": texts.get(begins, str(ROUND))}
                if begins == "/rules/":
                    ids["name"] = texts[begins]
                found.add(filled(route.path, ids))
        return [*sorted(found), "/openapi.json"]


def filled(path: str, ids: dict[str, str]) -> str:
    """Put ids into an address, one of nothing where no other is known."""

    def put(part: re.Match[str]) -> str:
        return ids.get(part[0].strip("{}").partition(":")[0], str(UUID(int=7)))

    return PARAMETER.sub(put, path)


@pytest.fixture
def towns(
    maintenance: psycopg.Connection[Any],
    migrated_template: str,
    server: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[list[Town]]:
    """One ledger, copied with its keys, ids, codes and sessions: only what is picked will differ.

    Even the moment of a ballot is the same in both, and the minute of a signed list of badges.
    """
    monkeypatch.setattr(ballots, "datetime", Standing)
    moment = datetime.now(UTC)
    monkeypatch.setattr(badge, "now", lambda: moment)
    with ExitStack() as stack:
        template = stack.enter_context(created(maintenance, migrated_template))
        home = tmp_path / "first"
        with serving(settings_in(home), make_conninfo(server, dbname=template)) as served:
            first = begun(served, make_conninfo(server, dbname=template))
        made: list[Town] = []
        for name in ("one", "two"):
            shutil.copytree(home, tmp_path / name)
            database = stack.enter_context(created(maintenance, template))
            conninfo = make_conninfo(server, dbname=database)
            copied = stack.enter_context(serving(settings_in(tmp_path / name), conninfo))
            parts = (first.shop, first.round, first.gifts, first.people, first.sessions)
            made.append(Town(copied, conninfo, *parts))
        yield made


class Standing(datetime):
    """A clock that stands still, for what ballots read of the time."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Standing":
        return cls(2026, 11, 21, 9, tzinfo=tz)


def begun(served: Served, conninfo: str) -> Town:
    """Open a shop and a round, give as many gifts as there are choices, sign everybody in."""
    shop = open_shop(served.context.ledger)
    closes_at = datetime(2099, 1, 1, tzinfo=UTC)
    spring = open_round(served.context.ledger, round_id=ROUND, closes_at=closes_at)
    gifts = [
        served.client.post(
            "/api/v1/donations",
            json={
                "donation_id": str(UUID(int=1_000 + number)),
                "occurred_at": WHEN.isoformat(),
                "amount_cents": 40 + number,
                "source": "customer",
            },
            headers=shop.bearer,
        ).json()
        for number in range(len(CHOICES))
    ]
    town = Town(served, conninfo, shop, spring, gifts)
    for role in ROLES:
        ids = (shop.partner_id,) if role == "partner_manager" else ()
        town.people[role] = person(served, role, partner_ids=ids).account_id
        sessions = served.context.sessions
        town.sessions[role] = sessions.open(town.people[role], datetime.now(UTC))
    catch_up(conninfo, READ_MODELS)
    # The keys that sign badges are made when they are first needed.
    assert served.client.get(f"/badges/{shop.partner_id}.json").status_code == httpx.codes.OK
    return town


def answers(town: Town, role: Role | None) -> dict[str, tuple[Any, ...]]:
    """Give all that is served to somebody: status, headers and bytes of every address."""
    browser = Browser(town.served, None if role is None else town.sessions[role])
    town.caught_up()
    found: dict[str, tuple[Any, ...]] = {}
    for address in town.addresses():
        # A connection each: what one address does must not show at the next.
        answer = browser.get(address, Connection="close")
        by_chance = {"date", "location"} if address == ANEW else {"date"}
        headers = {name: value for name, value in answer.headers.items() if name not in by_chance}
        content = OFFERED.sub(b"", answer.content)
        found[address] = (answer.status_code, headers, content)
    return found


def test_every_address_is_looked_at(towns: list[Town]) -> None:
    served = {line.partition(" ")[2] for line in MAY if line.startswith("GET ")}
    assert len(towns[0].addresses()) >= len(served)


def test_nothing_that_is_served_tells_the_picks(towns: list[Town]) -> None:
    for town, choices in zip(towns, (CHOICES, OTHERS), strict=True):
        for number, picks in enumerate(choices):
            assert town.vote(number, picks).status_code == httpx.codes.CREATED
        assert town.vote(0, choices[1]).status_code == httpx.codes.CREATED
    for role in (None, *ROLES):
        told = [answers(town, role) for town in towns]
        assert told[0].keys() == told[1].keys()
        different = [path for path in told[0] if told[0][path] != told[1][path]]
        assert (role, different) == (role, [])


def median_seconds(towns: list[Town], ask: Any, times: int = 60) -> list[float]:
    """Ask in turns, so that whatever else the machine does slows both alike."""
    taken: list[list[float]] = [[] for _ in towns]
    for number in range(times):
        for place, town in enumerate(towns):
            begun_at = time.perf_counter()
            ask(town, number)
            taken[place].append(time.perf_counter() - begun_at)
    return [statistics.median(one) for one in taken]


def test_no_answer_takes_longer_for_what_was_picked(towns: list[Town]) -> None:
    for town, picks in zip(towns, ((BIKES,), (CHOIR,)), strict=True):
        for number in range(len(CHOICES)):
            town.vote(number, picks)
        town.caught_up()
    for path in (f"/api/v1/rounds/{ROUND}", "/api/v1/rounds"):
        one, two = median_seconds(towns, lambda town, _, path=path: town.served.client.get(path))
        assert abs(one - two) < max(0.003, min(one, two))


def test_a_code_that_nobody_has_takes_as_long_wherever_it_lies(towns: list[Town]) -> None:
    town = towns[0]
    beside = town.gifts[0]["code"].replace("-", "")[:10]
    made_up = [
        tickets.grouped(beside + letter + tickets.ALPHABET[tickets.check_value(beside + letter)])
        for letter in tickets.ALPHABET
    ]
    beside_a_gift = [code for code in made_up if code != town.gifts[0]["code"]]
    elsewhere = [town.served.context.tickets.code(uuid4()) for _ in beside_a_gift]

    def look(codes: list[str]) -> Any:
        return lambda _, number: ballots.read_ticket(
            town.served.context, codes[number % len(codes)]
        )

    slow, quick = (
        statistics.median(median_seconds([town], look(codes), 200))
        for codes in (beside_a_gift, elsewhere)
    )
    assert abs(slow - quick) < max(0.002, min(slow, quick))


def test_no_answer_and_no_etag_changes_with_a_changed_pick(towns: list[Town]) -> None:
    town = towns[0]
    for number, picks in enumerate(CHOICES):
        town.vote(number, picks)
    address = f"/api/v1/rounds/{town.round.round_id}"
    town.caught_up()
    before = town.served.client.get(address)
    listed = town.served.client.get("/api/v1/rounds")
    assert town.vote(0, (OVEN,)).status_code == httpx.codes.CREATED
    town.caught_up()
    after = town.served.client.get(address)
    # All that moves is how far the journal is read, which it says of itself.
    moved = re.compile(rb'"as_of_position":\d+')
    assert moved.sub(b"", before.content) == moved.sub(b"", after.content)
    again = town.served.client.get("/api/v1/rounds")
    assert moved.sub(b"", listed.content) == moved.sub(b"", again.content)


def test_the_journal_and_the_read_models_hold_no_picks(towns: list[Town]) -> None:
    town = towns[0]
    for number, picks in enumerate(CHOICES):
        town.vote(number, picks)
    town.vote(0, (SHADE,))
    town.caught_up()
    lines = town.served.client.get("/api/v1/journal?limit=1000").json()["entries"]
    ballots = [line for line in lines if line["kind"].startswith("Ballot")]
    assert len(ballots) == len(CHOICES) + 1
    assert all(line.keys() == {"position", "kind", "recorded_on", "round_id"} for line in ballots)
    with psycopg.connect(town.conninfo) as connection:
        row = connection.execute("SELECT count(*) FROM live_pick").fetchone()
    assert row == (0,)


def test_no_log_line_tells_a_pick_or_a_code(
    towns: list[Town], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    town = towns[0]
    for number, picks in enumerate(CHOICES):
        town.vote(number, picks)
    town.vote(0, (BIKES, SHADE, CHOIR, OVEN))
    town.caught_up()
    assert not [record for record in caplog.records if str(BIKES) in record.getMessage()]
    codes = [one["code"] for one in town.gifts]
    assert not [one for one in caplog.records if any(code in one.getMessage() for code in codes)]


def test_a_live_round_tells_how_it_stands(served: Served, shop: Shop, conninfo: str) -> None:
    spring = open_round(served.context.ledger, tallies="live")
    body = {
        "occurred_at": WHEN.isoformat(),
        "donation_id": str(UUID(int=5)),
        "amount_cents": 40,
        "source": "customer",
    }
    given = served.client.post("/api/v1/donations", json=body, headers=shop.bearer).json()
    town = Town(served, conninfo, shop, spring, [given])
    town.vote(0, (BIKES, SHADE))
    town.vote(0, (SHADE, OVEN))
    town.caught_up()
    told = served.client.get(f"/api/v1/rounds/{spring.round_id}").json()
    assert told["picks"] == {str(SHADE): 1, str(OVEN): 1}
    assert told["ballots"] == 1


def test_before_the_count_there_is_no_file(towns: list[Town]) -> None:
    town = towns[0]
    town.vote(0, CHOICES[0])
    close_round(town.served.context.ledger, town.round)
    town.caught_up()
    answer = town.served.client.get(f"/api/v1/rounds/{town.round.round_id}/files/result.json")
    assert (answer.status_code, answer.json()["error"]["name"]) == (404, "round_not_counted")
