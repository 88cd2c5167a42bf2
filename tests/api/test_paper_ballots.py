"""Ballots on paper, entered by two officers."""

import re
from uuid import UUID

import httpx

from ledger.rounds.definition import Definition
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api import citizens
from tests.api.citizens import Citizen, finished, said
from tests.api.people import Browser, browser_of
from tests.api.served import Served
from tests.api.stored import stored
from tests.rounds import BIKES, OVEN, SHADE

read_models = citizens.read_models
spring = citizens.spring
gift = citizens.gift
citizen = citizens.citizen


class TestPaper:
    PATH = "/office/ballots"

    def enters(self, officer: Browser, made: Definition, code: str, *picks: UUID) -> httpx.Response:
        fields = {"code": code, "round": str(made.round_id), "pick": [str(one) for one in picks]}
        return officer.post(f"{self.PATH}/entries", fields)

    def test_two_officers_enter_the_same_paper(
        self, served: Served, citizen: Citizen, spring: Definition, conninfo: str
    ) -> None:
        anne, bruno = browser_of(served, "officer"), browser_of(served, "officer")
        form = anne.post(self.PATH, {"code": citizen.code})
        assert form.text.count('type="checkbox"') == len(spring.projects)
        first = self.enters(anne, spring, citizen.code, BIKES)
        assert "done=entered" in first.headers["location"]
        catch_up(conninfo, READ_MODELS)
        queue = bruno.get(first.headers["location"])
        reference = first.headers["location"].partition("ref=")[2]
        assert reference in said(queue)
        assert "Void the entry" in said(queue)
        assert stored(conninfo, "BallotCast") == []
        second = self.enters(bruno, spring, citizen.code, BIKES)
        assert "done=counted" in second.headers["location"]
        catch_up(conninfo, READ_MODELS)
        assert "Nothing waits." in said(anne.get(self.PATH))
        assert stored(conninfo, "BallotCast")[0].state["channel"] == "counter"

    def test_an_entry_that_nobody_confirmed_in_time_is_told(
        self, served: Served, citizen: Citizen, spring: Definition, conninfo: str
    ) -> None:
        officer = browser_of(served, "officer")
        self.enters(officer, spring, citizen.code, BIKES)
        catch_up(conninfo, READ_MODELS)
        desk = said(officer.get(f"/office/rounds/{spring.round_id}"))
        assert "1 paper ballot waits for its second entry" in desk
        assert "An entry that still waits" in said(officer.get(self.PATH))
        public = f"/rounds/{spring.round_id}"
        finished(served, spring)
        catch_up(conninfo, READ_MODELS)
        told = said(citizen.served.client.get(public, headers=citizen.headers))
        assert "1 paper ballot was entered by one officer only before the close" in told

    def test_a_difference_is_shown_and_nothing_is_merged(
        self, served: Served, citizen: Citizen, spring: Definition, conninfo: str
    ) -> None:
        anne, bruno = browser_of(served, "officer"), browser_of(served, "officer")
        self.enters(anne, spring, citizen.code, BIKES, OVEN)
        page = self.enters(bruno, spring, citizen.code, SHADE, OVEN)
        assert page.status_code == httpx.codes.CONFLICT
        assert said(page).count("ticked by you, not in the first entry") == 1
        assert said(page).count("ticked in the first entry, not by you") == 1
        assert stored(conninfo, "BallotCast") == []
        catch_up(conninfo, READ_MODELS)
        (path,) = re.findall(r'action="(/office/ballots/[0-9a-f-]{36}/discard)"', page.text)
        assert "done=discarded" in bruno.post(path).headers["location"]
        catch_up(conninfo, READ_MODELS)
        assert "Nothing waits." in said(anne.get(self.PATH))
        assert "This entry waits no more." in said(bruno.post(path))

    def test_a_wrong_code_is_explained(self, served: Served, citizen: Citizen) -> None:
        officer = browser_of(served, "officer")
        wrong = officer.post(self.PATH, {"code": citizen.code[:-1]})
        assert (wrong.status_code, "You typed 11" in said(wrong)) == (422, True)
        closed = officer.post(self.PATH, {"code": citizen.code})
        assert (closed.status_code, "No open round takes this gift" in said(closed)) == (409, True)
