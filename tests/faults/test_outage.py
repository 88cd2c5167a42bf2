"""The service while its database is away, and once it is back."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from ledger.ids import stream_of
from ledger.store import open_ledger
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.served import Served, serving, settings_in
from tests.api.shops import Shop, gift, open_shop, reversal
from tests.api.stored import gifts
from tests.faults.servers import OwnServer
from tests.ledger.processes import eventually
from tests.projections.village import (
    following,
    found,
    give,
    insert_raw,
    is_fresh,
    plainly_summed,
    rows,
)

PATH = "/api/v1/donations"
# A customer stands at the till: by then it must know that it has to send the gift later.
PATIENCE_SECONDS = 15


@pytest.fixture
def database(mortal: OwnServer) -> str:
    """The conninfo of a migrated database with empty read models."""
    conninfo = mortal.database()
    catch_up(conninfo, READ_MODELS)
    return conninfo


@pytest.fixture
def served(database: str, tmp_path: Path) -> Iterator[Served]:
    with serving(settings_in(tmp_path / "home"), database) as running:
        yield running


@pytest.fixture
def shop(served: Served) -> Shop:
    return open_shop(served.context.ledger)


def assert_told_to_come_back(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert answer.json()["error"]["name"] in {"ledger_unavailable", "database_unavailable"}
    assert int(answer.headers["retry-after"]) > 0


def post(served: Served, shop: Shop, body: dict[str, Any]) -> httpx.Response:
    return served.client.post(PATH, json=body, headers=shop.bearer)


def is_recorded(answer: httpx.Response) -> bool:
    if answer.status_code in {200, 201}:
        return True
    assert_told_to_come_back(answer)
    return False


def test_a_gift_that_comes_while_the_database_is_away_is_told_to_come_back(
    served: Served, shop: Shop, mortal: OwnServer, database: str
) -> None:
    body = gift()
    mortal.kill()
    try:
        away = served.client.post(PATH, json=body, headers=shop.bearer, timeout=PATIENCE_SECONDS)
        assert_told_to_come_back(away)
    finally:
        mortal.start()
    eventually(lambda: is_recorded(served.client.post(PATH, json=body, headers=shop.bearer)))
    assert len(gifts(database)) == 1


def test_a_reversal_that_comes_while_the_database_is_away_is_told_to_come_back(
    served: Served, shop: Shop, mortal: OwnServer
) -> None:
    body = gift()
    served.client.post(PATH, json=body, headers=shop.bearer)
    path, back = f"{PATH}/{body['donation_id']}/reversals", reversal()
    mortal.kill()
    try:
        away = served.client.post(path, json=back, headers=shop.bearer, timeout=PATIENCE_SECONDS)
        assert_told_to_come_back(away)
    finally:
        mortal.start()
    eventually(lambda: is_recorded(served.client.post(path, json=back, headers=shop.bearer)))


def test_pages_that_are_read_while_the_database_is_away_are_no_mistake_of_ours(
    served: Served, mortal: OwnServer
) -> None:
    mortal.kill()
    try:
        with httpx.Client(base_url=served.url, timeout=PATIENCE_SECONDS) as client:
            health = client.get("/healthz")
            assert (health.status_code, health.json()["ok"]) == (503, False)
            assert_told_to_come_back(client.get("/api/v1/figures"))
            page = client.get("/")
            assert page.status_code == 503
            assert int(page.headers["retry-after"]) > 0
    finally:
        mortal.start()


def test_a_service_goes_on_by_itself_when_the_database_is_back(
    served: Served, shop: Shop, mortal: OwnServer, database: str
) -> None:
    for _ in range(2):
        assert served.client.post(PATH, json=gift(), headers=shop.bearer).status_code == 201
        mortal.kill()
        mortal.start()
        for body in (gift(), gift(), gift()):
            eventually(lambda: is_recorded(post(served, shop, body)))  # noqa: B023
        catch_up(database, READ_MODELS)
        figures = served.client.get("/api/v1/figures").json()
        assert figures["gifts"] == len(gifts(database))
    assert served.client.get("/healthz").json()["ok"] is True


def test_read_models_survive_a_restart_of_the_database(mortal: OwnServer, database: str) -> None:
    dice = random.Random(1)
    with open_ledger(database) as ledger:
        shops = found(ledger, 40)
    with following(database) as (_, thread):
        for _ in range(2):
            eventually(lambda: is_fresh(database))
            mortal.kill()
            mortal.start()
            with open_ledger(database) as ledger:
                give(ledger, shops, 40, dice)
        eventually(lambda: is_fresh(database))
        assert thread.is_alive()
    assert rows(database)["balance"] == plainly_summed(database)["balance"]


def test_an_event_of_a_newer_version_stops_no_gift(conninfo: str, tmp_path: Path) -> None:
    """What was really collected is recorded, whatever else stands in the feed."""
    settings = settings_in(tmp_path / "home")
    with serving(settings, conninfo) as served:
        shop = open_shop(served.context.ledger)
        insert_raw(conninfo, "ProjectOpened", b'{"project_id":"1"}')
        beside = open_shop(served.context.ledger, 2)
        for one in (shop, beside):
            answer = served.client.post(PATH, json=gift(), headers=one.bearer)
            assert answer.status_code == 201
    with serving(settings, conninfo) as served:
        answer = served.client.post(PATH, json=gift(), headers=shop.bearer)
        assert answer.status_code == 201


def test_an_undecodable_event_of_one_till_stops_no_other(conninfo: str, tmp_path: Path) -> None:
    with open_ledger(conninfo) as ledger:
        shops = [open_shop(ledger, number) for number in range(3)]
    with psycopg.connect(conninfo) as connection:
        connection.execute(
            "UPDATE ledger_events SET state = '{' WHERE topic = 'TillEnrolled'"
            " AND originator_id = %s",
            [stream_of("till", shops[1].till_id)],
        )
    with serving(settings_in(tmp_path / "home"), conninfo) as served:
        answers = [served.client.post(PATH, json=gift(), headers=one.bearer) for one in shops]
    assert [answer.status_code for answer in answers] == [201, 401, 201]
