"""The customer's way on pages: ticket, choice, confirmation, result; wallet; paper ballots."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ledger.rounds import round_
from ledger.rounds.commands import ApproveRound, DraftRound
from ledger.rounds.definition import Definition
from tests.api import citizens
from tests.api.citizens import Citizen, said
from tests.api.served import Served
from tests.api.shops import Shop, reversal
from tests.api.stored import stored
from tests.api.test_ballots import give
from tests.rounds import (
    ANNE,
    BIKES,
    BRUNO,
    CHLOE,
    CHOIR,
    OVEN,
    SHADE,
    definition,
    open_round,
    strike_dead,
)

read_models = citizens.read_models
spring = citizens.spring
gift = citizens.gift
citizen = citizens.citizen


class TestOpenRound:
    def test_a_ticket_shows_the_gift_and_the_projects(
        self, citizen: Citizen, spring: Definition
    ) -> None:
        page = citizen.get()
        assert "€0.40" in said(page)
        assert "Choose: Printemps" in said(page)
        assert page.text.count('type="checkbox"') == len(spring.projects)
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"

    def test_pick_confirm_done(self, citizen: Citizen, spring: Definition, conninfo: str) -> None:
        fields = {"round": str(spring.round_id), "pick": [str(BIKES), str(SHADE)]}
        confirm = citizen.post("/choice", **fields)
        assert "Confirm your choice" in said(confirm)
        assert stored(conninfo, "BallotCast") == []
        done = citizen.follow(citizen.post("/ballot", **fields))
        assert "Your choice counts" in said(done)
        assert f'href="/rounds/{spring.round_id}"' in done.text
        (event,) = stored(conninfo, "BallotCast")
        assert event.state["channel"] == "web"
        assert event.state["actor"] == "public"
        again = citizen.follow(citizen.post("/ballot", **fields))
        assert "Your choice counts" in said(again)
        assert len(stored(conninfo, "BallotCast", "BallotChanged")) == 1

    def test_a_choice_is_shown_and_changed(
        self, citizen: Citizen, spring: Definition, conninfo: str
    ) -> None:
        citizen.votes(spring, BIKES)
        page = citizen.get()
        assert "You have chosen:" in said(page)
        assert re.findall(r'value="([^"]+)" checked', page.text) == [str(BIKES)]
        citizen.votes(spring, CHOIR)
        (event,) = stored(conninfo, "BallotChanged")
        assert event.state["replaced"] == [str(BIKES)]

    def test_to_change_leads_back_with_the_same_ticks(
        self, citizen: Citizen, spring: Definition
    ) -> None:
        picks = [str(BIKES), str(OVEN)]
        page = citizen.post("/choice", round=str(spring.round_id), pick=picks, change="yes")
        assert page.status_code == httpx.codes.OK
        assert sorted(re.findall(r'value="([^"]+)" checked', page.text)) == sorted(picks)
        assert 'id="problem"' not in page.text

    @pytest.mark.parametrize(
        ("picks", "words"),
        [
            ([], "Choose at least one project."),
            ([BIKES, SHADE, CHOIR, OVEN], "You chose 4 projects. This round takes at most 3."),
            ([uuid4()], "not in the round any more"),
            (["bikes"], "not in the round any more"),
            ([uuid4() for _ in range(300)], "You chose 300 projects."),
        ],
    )
    def test_a_wrong_ballot_is_explained(
        self, citizen: Citizen, spring: Definition, picks: list[Any], words: str
    ) -> None:
        for path in ("/choice", "/ballot"):
            page = citizen.post(path, round=str(spring.round_id), pick=[str(one) for one in picks])
            assert page.status_code == httpx.codes.UNPROCESSABLE_ENTITY
            assert words in said(page)
            assert '<a href="#pick-1">' in page.text
            assert "autofocus" in page.text

    def test_every_ticket_has_an_order_of_its_own(
        self, served: Served, shop: Shop, spring: Definition
    ) -> None:
        first = {
            re.findall(r'name="pick" value="([^"]+)"', Citizen(served, code).get().text)[0]
            for code in [give(served, shop)["code"] for _ in range(20)]
        }
        assert len(first) > 1
        assert {str(one.project_id) for one in spring.projects} >= first

    def test_a_gift_given_back_says_so(
        self, served: Served, shop: Shop, citizen: Citizen, gift: dict[str, Any], spring: Definition
    ) -> None:
        path = f"/api/v1/donations/{gift['donation_id']}/reversals"
        served.client.post(path, json=reversal(amount_cents=40), headers=shop.bearer)
        page = citizen.get()
        assert "given back in full" in said(page)
        assert 'type="checkbox"' not in page.text
        refused = citizen.post("/ballot", round=str(spring.round_id), pick=[str(BIKES)])
        assert (refused.status_code, "nothing left to choose with" in said(refused)) == (409, True)

    def test_a_gift_outside_of_the_pot_is_told_why(self, served: Served, shop: Shop) -> None:
        pot = {"sources": ["shop"], "last_on": "2100-01-01"}
        open_round(served.context.ledger, title="Été", pot=pot)
        code = give(served, shop)["code"]
        assert "Été : it is about gifts of another kind" in said(Citizen(served, code).get())

    def test_of_several_open_rounds_one_is_chosen(
        self, served: Served, citizen: Citizen, spring: Definition
    ) -> None:
        other = open_round(served.context.ledger, title="Été")
        page = citizen.get()
        assert "Choose a round first" in said(page)
        assert f"round={spring.round_id}" in page.text
        chosen = citizen.get(f"/g/{citizen.code}?round={other.round_id}")
        assert "Choose: Été" in said(chosen)

    def test_a_dead_project_is_offered_no_more(
        self, served: Served, citizen: Citizen, spring: Definition
    ) -> None:
        strike_dead(served.context.ledger, spring, OVEN)
        served.context.rounds.refresh()
        assert str(OVEN) not in citizen.get().text


def test_a_round_may_let_no_choice_be_changed(served: Served, citizen: Citizen) -> None:
    made = open_round(served.context.ledger, changeable=False)
    assert "lets no choice be changed" in said(citizen.votes(made, BIKES))
    page = citizen.get()
    assert 'type="checkbox"' not in page.text
    refused = citizen.post("/choice", round=str(made.round_id), pick=[str(CHOIR)])
    assert (refused.status_code, "has chosen before" in said(refused)) == (409, True)


def test_without_a_round_it_says_what_will_happen(citizen: Citizen) -> None:
    assert "the choice opens with the next round" in said(citizen.get())
    assert citizen.get("/done").headers["location"] == f"/g/{citizen.code}"


def test_a_round_that_was_approved_is_announced(served: Served, citizen: Citizen) -> None:
    made, at = definition(title="Automne"), datetime.now(UTC)
    ledger = served.context.ledger
    ledger.handle(round_, made.round_id, DraftRound(at=at, actor=ANNE, definition=made))
    for member in (BRUNO, CHLOE):
        approve = ApproveRound(
            at=at, actor=member, round_id=made.round_id, definition_sha256=made.sha256
        )
        ledger.handle(round_, made.round_id, approve)
    served.context.rounds.refresh()
    assert "The round “Automne” is approved and will open soon" in said(citizen.get())
