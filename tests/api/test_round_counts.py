"""A round closed and counted from the office: who may, how far it is, and what dies on the way."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from api import clock, counting
from ledger.rounds import round_
from ledger.rounds.state import Closed, Opened
from tests.api import round_office
from tests.api.round_office import Office, done, state_of
from tests.api.served import Served
from tests.api.shops import Shop
from tests.ledger.processes import eventually
from tests.rounds import open_round

office = round_office.office


def test_nobody_closes_or_counts_too_early(office: Office, shop: Shop) -> None:
    round_id = office.opened()
    here = f"/office/rounds/{round_id}"
    office.says(office.officer.post(f"{here}/close"), "never closed before its deadline")
    office.says(office.officer.post(f"{here}/count"), "Only a round that is closed")
    cancel = office.first.post(f"{here}/cancellation", {"reason": "irregular"})
    office.says(cancel, "cancelled before it opens")
    result = {"result_sha256": "0" * 64}
    office.says(office.first.post(f"{here}/adoption", result), "does not wait for a decision")
    office.says(office.officer.post(f"{here}/awards"), "not adopted yet")


def test_a_count_under_way_shows_how_far_it_is_and_a_dead_one_begins_again(
    office: Office, shop: Shop
) -> None:
    round_id = office.opened()
    office.votes(shop, round_id, 6)
    office.closes(round_id)
    here = f"/office/rounds/{round_id}"
    with office.served.context.pool.connection() as connection:
        connection.execute(counting.BEGIN, {"round_id": round_id, "total": 90})
        moved = {"round_id": round_id, "done": 30, "failed": None}
        connection.execute(counting.MOVE, moved)
    assert "30 of 90 entries read" in office.officer.get(here).text
    done(office.officer.post(f"{here}/count"))
    assert isinstance(state_of(office.served, round_id), Closed)
    with office.served.context.pool.connection() as connection:
        connection.execute("UPDATE round_count SET moved_at = now() - interval '2 minutes'")
    assert "A count stopped before its end" in office.officer.get(here).text
    office.counts(round_id)


def test_a_count_runs_in_a_process_of_its_own(
    office: Office, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def here(*_: object) -> None:
        raise AssertionError("counted where voters wait")

    monkeypatch.setattr(counting, "tally_round", here)
    round_id = office.opened()
    office.votes(shop, round_id, 6)
    office.closes(round_id)
    office.counts(round_id)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"rule": "directed"}, "published whole, its cents rounded down"),
        ({"rule": "quadratic"}, "its cents rounded down to a multiple of 5"),
        (
            {"rule": "greedy", "greedy.by": "weight", "greedy.misfit": "skip"},
            "published whole, its cents rounded down",
        ),
    ],
)
def test_the_page_says_how_rare_choices_were_published(
    office: Office, shop: Shop, rule: dict[str, Any], words: str
) -> None:
    more = {
        "greedy": {"greedy.support_min": "1"},
        "quadratic": {"quadratic.match_cap_percent": "30"},
    }
    round_id = office.opened(**rule, **more.get(rule["rule"], {}))
    office.votes(shop, round_id, 9)
    office.closes(round_id)
    office.counts(round_id)
    page = office.served.client.get(f"/rounds/{round_id}", headers={"Accept-Language": "en"}).text
    assert "made a choice that fewer than 3 tickets share" in page
    assert words in page


def test_a_count_whose_process_dies_says_so_and_can_begin_again(
    office: Office, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_id = office.opened()
    office.votes(shop, round_id, 6)
    office.closes(round_id)
    context = office.served.context
    with monkeypatch.context() as dying:
        dying.setattr(counting, "MODULE", "api.no_such_module")
        assert counting.begin(context, "console:a", round_id)
    with context.pool.connection() as connection:
        progress = counting.progress_of(connection, round_id)
    assert progress is not None
    assert progress.failed == "unavailable"
    office.counts(round_id)


def test_steps_that_would_take_too_long_to_count_are_refused_by_name(office: Office) -> None:
    parameters = {"completion": "add1", "start": "exact", "stop": "over_budget", "then": "nothing"}
    asked = {**parameters, "increment": "1", "increment_per": "11"}
    rule: dict[str, Any] = {f"equal_shares.{name}": value for name, value in asked.items()}
    answer = office.drafts(rule="equal_shares", **rule)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "at least ten cents for each euro" in answer.text


def test_the_clock_closes_what_is_due(served: Served, conninfo: str) -> None:
    at = datetime.now(UTC) - timedelta(days=2)
    due = open_round(served.context.ledger, at=at, closes_at=at + timedelta(days=1))
    other = {"sources": ["shop"], "last_on": date(2100, 1, 1)}
    later = open_round(served.context.ledger, pot=other)
    stopping = threading.Event()
    ticking = threading.Thread(target=clock.run, args=(served.context.settings, conninfo, stopping))
    ticking.start()
    try:
        eventually(lambda: isinstance(state_of(served, due.round_id), Closed))
    finally:
        stopping.set()
        ticking.join()
    assert isinstance(state_of(served, later.round_id), Opened)
    closed = served.context.ledger.history(round_, due.round_id)[-1].event
    assert closed.actor == "clock"
