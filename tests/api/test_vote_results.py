"""What a ticket shows once its round is closed, counted and adopted."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.round_steps import approve_result
from api.tally import tally_round
from ledger.rounds.definition import Definition
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api import citizens
from tests.api.citizens import Citizen, finished, said
from tests.api.served import Served
from tests.api.shops import Shop, reversal
from tests.api.test_ballots import give
from tests.rounds import (
    BIKES,
    BRUNO,
    CHLOE,
    CHOIR,
    OVEN,
    SHADE,
    close_round,
    open_round,
    strike_dead,
)

read_models = citizens.read_models
spring = citizens.spring
gift = citizens.gift
citizen = citizens.citizen


class TestAfterTheClose:
    def test_the_deadline_is_told_before_the_clock_ran(
        self, served: Served, citizen: Citizen
    ) -> None:
        at = datetime.now(UTC) - timedelta(days=2)
        made = open_round(served.context.ledger, at=at, closes_at=at + timedelta(days=1))
        assert "its ballots are being counted" in said(citizen.get())
        refused = citizen.post("/ballot", round=str(made.round_id), pick=[str(BIKES)])
        assert (refused.status_code, "closed in the meantime" in said(refused)) == (409, True)

    def test_the_result_and_what_the_cents_did(
        self, served: Served, citizen: Citizen, spring: Definition
    ) -> None:
        citizen.votes(spring, BIKES, SHADE)
        close_round(served.context.ledger, spring)
        served.context.rounds.refresh()
        assert "its ballots are being counted" in said(citizen.get())
        digest = tally_round(served.context, spring.round_id, "clock").result_sha256
        served.context.rounds.refresh()
        page = said(citizen.get())
        assert "Your €0.40 followed your choice:" in page
        assert page.count("got €0.20 of €100.00") == 2
        assert page.count("€0.20 of your gift went to it.") == 2
        assert "Money from elsewhere" not in page
        assert "once two members of the committee have adopted it" in page
        for member in (BRUNO, CHLOE):
            approve_result(served.context, member, spring.round_id, digest)
        served.context.rounds.refresh()
        page = said(citizen.get())
        assert "got €0.20 of €100.00" in page
        assert "have adopted it" not in page

    @pytest.mark.parametrize(
        ("excess", "words"), [("next_round", "to the next round"), ("foundation", "the foundation")]
    )
    def test_her_own_cents_follow_the_published_count(
        self, served: Served, shop: Shop, citizen: Citizen, excess: str, words: str
    ) -> None:
        goals = {BIKES: 10, SHADE: 10_000, CHOIR: 15, OVEN: 10_000}
        projects = [{"project_id": one, "goal_cents": cents} for one, cents in goals.items()]
        made = open_round(served.context.ledger, projects=projects, excess=excess)
        for picks in ((BIKES, SHADE), (BIKES, SHADE), (CHOIR,), (OVEN, CHOIR)):
            Citizen(served, give(served, shop)["code"]).votes(made, *picks)
        citizen.votes(made, BIKES, SHADE)
        alone = Citizen(served, give(served, shop)["code"])
        alone.votes(made, CHOIR)
        give(served, shop)
        finished(served, made)
        # Three chose the bikes and the shade. The bikes took a seventh of what came to them.
        hers = said(citizen.get())
        assert "got all it asked for: €0.10 €0.03 of your gift went to it." in hers
        assert "€0.37 of your gift went to it." in hers
        assert "shared as the count shared those of all gifts that chose the same" in hers
        # The choir takes too little, and whoever chose nothing else has no other pick.
        page = said(alone.get())
        assert re.search(r"€0\.\d\d of your gift found no place", page)
        assert words in page
        told = [round(100 * float(one)) for one in re.findall(r"€([\d.]+) of your gift", page)]
        assert sum(told) == 40
        assert "Money from elsewhere followed the choices too" in page

    def test_what_was_for_a_project_that_ended_is_told(
        self, served: Served, citizen: Citizen
    ) -> None:
        made = open_round(served.context.ledger, dead_project="next_round")
        citizen.votes(made, BIKES, OVEN)
        strike_dead(served.context.ledger, made, OVEN)
        finished(served, made)
        page = said(citizen.get())
        assert page.count("€0.20 of your gift went to it.") == 1
        assert "€0.20 of your gift was for a project that ended" in page

    def test_a_choice_of_nothing_but_what_ended_counts_as_unused(
        self, served: Served, citizen: Citizen, spring: Definition
    ) -> None:
        citizen.votes(spring, OVEN)
        strike_dead(served.context.ledger, spring, OVEN)
        finished(served, spring)
        page = said(citizen.get())
        assert "What this ticket chose is not there any more" in page
        assert "of your gift" not in page

    def test_a_ticket_that_nobody_used(
        self, served: Served, citizen: Citizen, spring: Definition
    ) -> None:
        finished(served, spring)
        assert "its money followed the choices of the others" in said(citizen.get())

    def test_void_ballots_were_received_and_are_not_counted(
        self, served: Served, shop: Shop, gift: dict[str, Any], spring: Definition, conninfo: str
    ) -> None:
        citizen = Citizen(served, gift["code"])
        citizen.votes(spring, BIKES)
        path = f"/api/v1/donations/{gift['donation_id']}/reversals"
        served.client.post(path, json=reversal(amount_cents=40), headers=shop.bearer)
        catch_up(conninfo, READ_MODELS)
        rounds = said(served.client.get("/rounds", headers=citizen.headers))
        assert "1 ballot received" in rounds
        finished(served, spring)
        catch_up(conninfo, READ_MODELS)
        rounds = said(served.client.get("/rounds", headers={"Accept-Language": "fr"}))
        assert "aucun don ne restait dans sa cagnotte" in rounds
        page = said(served.client.get(f"/rounds/{spring.round_id}", headers=citizen.headers))
        assert "there was nothing to share out" in page
        assert "ballots counted 0" in page

    def test_what_is_given_back_after_the_close_was_counted(
        self, served: Served, shop: Shop, citizen: Citizen, gift: dict[str, Any], spring: Definition
    ) -> None:
        citizen.votes(spring, BIKES)
        finished(served, spring)
        path = f"/api/v1/donations/{gift['donation_id']}/reversals"
        served.client.post(path, json=reversal(amount_cents=40), headers=shop.bearer)
        page = said(citizen.get())
        assert "given back in full" in page
        assert "Your €0.40 followed your choice:" in page
