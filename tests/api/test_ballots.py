import asyncio
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.ballots import cast_ballot, read_ticket
from api.guesses import ADDRESS_MAX
from ledger import tickets
from ledger.ballots import CounterBallotDiffers, CounterNeedsAccount
from ledger.rounds.definition import Definition
from tests.api.served import Served
from tests.api.shops import Shop, gift, reversal
from tests.api.stored import stored
from tests.rounds import (
    ANNE,
    BIKES,
    BRUNO,
    CHOIR,
    OVEN,
    SHADE,
    close_round,
    open_round,
    strike_dead,
)

PATH = "/api/v1/ballots"


def give(served: Served, shop: Shop, **changes: Any) -> dict[str, Any]:
    answer = served.client.post("/api/v1/donations", json=gift(**changes), headers=shop.bearer)
    assert answer.status_code == httpx.codes.CREATED, answer.text
    told: dict[str, Any] = answer.json()
    return told


def vote(served: Served, code: str, *picks: object, **more: Any) -> httpx.Response:
    body = {"code": code, "picks": [str(pick) for pick in picks], **more}
    return served.client.post(PATH, json=body)


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["name"]


@pytest.fixture
def spring(served: Served) -> Definition:
    return open_round(served.context.ledger)


@pytest.fixture
def code(served: Served, shop: Shop) -> str:
    return str(give(served, shop)["code"])


@pytest.mark.usefixtures("spring")
class TestOpen:
    def test_a_ticket_chooses(
        self, served: Served, spring: Definition, code: str, conninfo: str
    ) -> None:
        answer = vote(served, code, SHADE, BIKES)
        assert answer.status_code == httpx.codes.CREATED
        assert answer.json() == {
            "round_id": str(spring.round_id),
            "picks": [str(BIKES), str(SHADE)],
            "changeable": True,
        }
        assert answer.headers["cache-control"] == "no-store"
        (event,) = stored(conninfo, "BallotCast")
        assert event.state["channel"] == "api"

    def test_the_same_again_is_a_repeat(self, served: Served, code: str, conninfo: str) -> None:
        first = vote(served, code, BIKES)
        again = vote(served, f" {code.lower().replace('-', '')} ", BIKES, BIKES)
        assert (again.status_code, again.json()) == (httpx.codes.OK, first.json())
        assert len(stored(conninfo, "BallotCast", "BallotChanged")) == 1

    def test_it_is_changed(self, served: Served, code: str, conninfo: str) -> None:
        vote(served, code, BIKES)
        assert vote(served, code, CHOIR).json()["picks"] == [str(CHOIR)]
        (event,) = stored(conninfo, "BallotChanged")
        assert event.state["replaced"] == [str(BIKES)]

    @pytest.mark.parametrize(
        ("picks", "name"),
        [
            ((), "no_picks"),
            ((BIKES, SHADE, CHOIR, OVEN), "too_many_picks"),
            ((uuid4(),), "unknown_project"),
            (("bikes",), "body_malformed"),
        ],
    )
    def test_a_wrong_ballot_is_named(
        self, served: Served, code: str, picks: tuple[object, ...], name: str
    ) -> None:
        assert refused(vote(served, code, *picks)) == (422, name)

    def test_a_gift_given_back_has_no_ballot(
        self, served: Served, spring: Definition, shop: Shop
    ) -> None:
        given = give(served, shop)
        path = f"/api/v1/donations/{given['donation_id']}/reversals"
        served.client.post(path, json=reversal(amount_cents=40), headers=shop.bearer)
        answer = vote(served, given["code"], BIKES, round_id=str(spring.round_id))
        assert refused(answer) == (409, "gift_not_eligible")
        assert answer.json()["error"]["reason"] == "given_back"

    def test_a_gift_outside_of_the_pot_has_none(
        self, served: Served, spring: Definition, shop: Shop
    ) -> None:
        code = give(served, shop, source="shop")["code"]
        assert refused(vote(served, code, BIKES)) == (409, "round_not_open")
        answer = vote(served, code, BIKES, round_id=str(spring.round_id))
        assert refused(answer) == (409, "gift_not_eligible")

    def test_a_project_that_died_takes_no_ballot(
        self, served: Served, spring: Definition, code: str
    ) -> None:
        strike_dead(served.context.ledger, spring, OVEN)
        served.context.rounds.refresh()
        assert refused(vote(served, code, OVEN)) == (422, "unknown_project")

    def test_an_unknown_round(self, served: Served, code: str) -> None:
        answer = vote(served, code, BIKES, round_id=str(uuid4()))
        assert refused(answer) == (404, "round_not_found")


def test_a_round_may_let_no_ballot_be_changed(served: Served, code: str) -> None:
    open_round(served.context.ledger, changeable=False)
    assert vote(served, code, BIKES).status_code == httpx.codes.CREATED
    assert vote(served, code, BIKES).status_code == httpx.codes.OK
    assert refused(vote(served, code, CHOIR)) == (409, "ballot_not_changeable")


def test_before_a_round_opens_none_is_taken(served: Served, code: str) -> None:
    assert refused(vote(served, code, BIKES)) == (409, "round_not_open")


def test_after_the_deadline_none_is_taken_even_before_the_clock_ran(
    served: Served, code: str
) -> None:
    at = datetime.now(UTC) - timedelta(days=2)
    made = open_round(served.context.ledger, at=at, closes_at=at + timedelta(days=1))
    answer = vote(served, code, BIKES, round_id=str(made.round_id))
    assert refused(answer) == (409, "round_is_closed")
    close_round(served.context.ledger, made)
    served.context.rounds.refresh()
    assert refused(vote(served, code, BIKES, round_id=str(made.round_id))) == refused(answer)
    assert refused(vote(served, code, BIKES)) == (409, "round_not_open")


def slowly(look: Any) -> Any:
    """Let a look-up take long enough for all others to have begun."""

    def slow(*asked: Any) -> Any:
        time.sleep(0.5)
        return look(*asked)

    return slow


@pytest.mark.usefixtures("spring")
class TestCounter:
    async def enter(self, served: Served, code: str, actor: str, *picks: Any) -> Any:
        ticket = read_ticket(served.context, tickets.parse(code))
        assert ticket is not None
        return await cast_ballot(served.context, ticket, picks, channel="counter", actor=actor)

    def run(self, served: Served, code: str, actor: str, *picks: Any) -> Any:
        return asyncio.run(self.enter(served, code, actor, *picks))

    def test_two_people_enter_the_same_paper(
        self, served: Served, code: str, conninfo: str
    ) -> None:
        assert self.run(served, code, ANNE, BIKES).waits
        assert self.run(served, code, ANNE, BIKES).waits
        assert not self.run(served, code, BRUNO, BIKES).waits
        assert not self.run(served, code, BRUNO, BIKES).fresh
        kinds = [one.topic for one in stored(conninfo, "BallotEntered", "BallotCast")]
        assert kinds == ["BallotEntered", "BallotCast"]

    def test_a_difference_is_shown(self, served: Served, code: str) -> None:
        self.run(served, code, ANNE, BIKES)
        with pytest.raises(CounterBallotDiffers) as differs:
            self.run(served, code, BRUNO, SHADE)
        assert differs.value.fields["picks_differ"] == [str(BIKES), str(SHADE)]

    def test_nobody_enters_paper_without_an_account(self, served: Served, code: str) -> None:
        with pytest.raises(CounterNeedsAccount):
            self.run(served, code, "console:root", BIKES)


@pytest.mark.usefixtures("spring")
class TestCodes:
    def test_a_code_typed_wrongly_is_caught(self, served: Served, code: str) -> None:
        wrong = ("3" if code[0] == "2" else "2") + code[1:]
        assert refused(vote(served, wrong, BIKES)) == (422, "malformed_code")

    def test_wrong_codes_are_answered_alike_and_then_no_more(
        self, served: Served, code: str
    ) -> None:
        guesses = [served.context.tickets.code(uuid4()) for _ in range(ADDRESS_MAX)]
        answers = [vote(served, guess, BIKES) for guess in guesses]
        assert {refused(answer) for answer in answers} == {(404, "ticket_unknown")}
        assert len({answer.content for answer in answers}) == 1
        # From then on a right code is not told from a wrong one.
        barred = [vote(served, tried, BIKES) for tried in (code, guesses[0])]
        assert {refused(answer) for answer in barred} == {(429, "too_many_codes")}

    def test_codes_that_come_all_at_once_are_counted_too(
        self, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("api.guesses.ADDRESS_MAX", 3)
        monkeypatch.setattr("api.ballots.read_ticket", slowly(read_ticket))
        guesses = [served.context.tickets.code(uuid4()) for _ in range(12)]
        with ThreadPoolExecutor(len(guesses)) as together:
            answers = list(together.map(lambda guess: vote(served, guess, BIKES), guesses))
        told = Counter(refused(answer) for answer in answers)
        assert told == {(404, "ticket_unknown"): 3, (429, "too_many_codes"): 9}

    def test_right_codes_are_taken_back(self, served: Served, code: str) -> None:
        for _ in range(ADDRESS_MAX + 5):
            assert vote(served, code, BIKES).status_code in {200, 201}

    def test_a_code_of_a_place_that_holds_a_gift_is_answered_as_any_other(
        self, served: Served, code: str
    ) -> None:
        other = served.context.tickets.code(uuid4())
        letters = "".join(code.split("-"))
        head = letters[:10] + next(one for one in tickets.ALPHABET if one != letters[10])
        made_up = head + tickets.ALPHABET[tickets.check_value(head)]
        first, second = vote(served, made_up, BIKES), vote(served, other, BIKES)
        assert (first.status_code, first.content) == (second.status_code, second.content)
