"""The customer's way on pages: ticket, choice, confirmation, result; wallet; paper ballots."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx
import pytest

from api import guesses, ticket_marks
from api.credentials import ATTEMPTS_MAX
from api.guesses import ADDRESS_MAX
from api.round_steps import approve_result
from api.tally import tally_round
from ledger.ambassadors import EnrolAmbassador, ambassador, ambassador_id_of
from ledger.rounds import round_
from ledger.rounds.commands import ApproveRound, DraftRound
from ledger.rounds.definition import Definition
from ledger.wallet_codes import parse
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.people import Browser, browser_of
from tests.api.served import Served
from tests.api.shops import Shop, reversal
from tests.api.stored import every_byte, stored
from tests.api.test_ballots import give
from tests.rounds import (
    ANNE,
    BIKES,
    BRUNO,
    CHLOE,
    CHOIR,
    OVEN,
    SHADE,
    close_round,
    definition,
    open_round,
    strike_dead,
)

HERS = "ABCDEF"
# What the test's own browser logs is not ours.
CLIENT = {"httpx", "httpcore.http11", "httpcore.connection"}


class Citizen:
    """Somebody with a ticket and a browser that keeps cookies, on plain forms."""

    def __init__(self, served: Served, code: str = "") -> None:
        self.served, self.code, self.cookie = served, code, ""

    @property
    def headers(self) -> dict[str, str]:
        own = {"Accept-Language": "en", "Sec-Fetch-Site": "same-origin"}
        return own | ({"Cookie": self.cookie} if self.cookie else {})

    def get(self, path: str = "") -> httpx.Response:
        return self._kept(self.served.client.get(self._at(path), headers=self.headers))

    def post(self, path: str, **fields: Any) -> httpx.Response:
        answer = self.served.client.post(self._at(path), data=fields, headers=self.headers)
        return self._kept(answer)

    def follow(self, answer: httpx.Response) -> httpx.Response:
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
        return self.get(answer.headers["location"])

    def votes(self, made: Definition, *picks: UUID, **more: str) -> httpx.Response:
        """Pick, confirm, and give the last page."""
        fields = {"round": str(made.round_id), "pick": [str(pick) for pick in picks], **more}
        confirm = self.post("/choice", **fields)
        assert confirm.status_code == httpx.codes.OK, said(confirm)
        return self.follow(self.post("/ballot", **fields))

    def _at(self, path: str) -> str:
        whole = path in {"/w", "/g"} or path.startswith(("/w/", "/w?", "/g/", "/g?"))
        return path if whole else f"/g/{self.code}{path}"

    def _kept(self, answer: httpx.Response) -> httpx.Response:
        for line in answer.headers.get_list("set-cookie"):
            if line.startswith("__Host-wallet="):
                self.cookie = line.partition(";")[0]
        return answer


def said(answer: httpx.Response) -> str:
    """The words of a page's content, in one line."""
    content = answer.text.partition("<main")[2]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", content)).split())


def hidden(page: httpx.Response, name: str) -> str:
    """The value of a page's first field of that name."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return html.unescape(found[1])


@pytest.fixture(autouse=True)
def read_models(conninfo: str, served: Served) -> None:
    catch_up(conninfo, READ_MODELS)


@pytest.fixture
def spring(served: Served) -> Definition:
    return open_round(served.context.ledger)


@pytest.fixture
def gift(served: Served, shop: Shop) -> dict[str, Any]:
    return give(served, shop)


@pytest.fixture
def citizen(served: Served, gift: dict[str, Any]) -> Citizen:
    return Citizen(served, gift["code"])


def finished(served: Served, made: Definition) -> str:
    close_round(served.context.ledger, made)
    tally = tally_round(served.context, made.round_id, "clock")
    served.context.rounds.refresh()
    return tally.result_sha256


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


class TestCodes:
    def test_what_is_wrong_and_where(self, citizen: Citizen) -> None:
        code = citizen.code
        for typed, words in (
            ("", "Type the code first."),
            (code[:5] + "O" + code[6:], "Character 5 cannot be right"),
            (code[:5] + "1" + code[6:], "Character 5 cannot be right"),
            (code[:-1] + "é", "Character 12 cannot be right"),
            (code[:-1], "You typed 11 letters and digits; this code has 12."),
            (code[:-1] + ("2" if code[-1] != "2" else "3"), "One letter or digit is wrong"),
        ):
            page = citizen.post("/g", code=typed)
            assert (page.status_code, words in said(page)) == (422, True), said(page)

    def test_too_many_wrong_codes_are_told_when_to_try_again(
        self, served: Served, citizen: Citizen
    ) -> None:
        unknown = [served.context.tickets.code(uuid4()) for _ in range(ADDRESS_MAX)]
        pages = [citizen.get(f"/g/{code}") for code in unknown]
        assert {page.status_code for page in pages} == {404}
        assert (
            len({page.text.replace(code, "") for page, code in zip(pages, unknown, strict=True)})
            == 1
        )
        # Now a right code is not told from a wrong one, on any of its pages, unless it opened here.
        for page in (citizen.get(), citizen.get(f"/g/{unknown[0]}"), citizen.post("/choice")):
            assert page.status_code == httpx.codes.TOO_MANY_REQUESTS
            assert "Try again in" in said(page)
            assert int(page.headers["retry-after"]) >= 60

    def test_a_ticket_that_opened_goes_on_while_others_guess(
        self, served: Served, shop: Shop, citizen: Citizen, spring: Definition
    ) -> None:
        fields = {"round": str(spring.round_id), "pick": [str(BIKES)]}
        opened = hidden(citizen.get(), "opened")
        for _ in range(ADDRESS_MAX):
            citizen.get(f"/g/{served.context.tickets.code(uuid4())}")
        confirm = citizen.post("/choice", opened=opened, **fields)
        assert "Confirm your choice" in said(confirm)
        cast = citizen.post("/ballot", opened=hidden(confirm, "opened"), **fields)
        done = citizen.follow(cast)
        assert "Your choice counts" in said(done)
        (back,) = re.findall(rf'href="(/g/{citizen.code}\?[^"]+)"', done.text)
        assert citizen.get(html.unescape(back)).status_code == httpx.codes.OK
        # Its mark opens no other ticket, and no made-up one opens it.
        other = give(served, shop)["code"]
        expires, _, signed = opened.partition("-")
        later = f"{int(expires) + 1}-{signed}"
        for code, mark in ((other, opened), (citizen.code, later), (citizen.code, "²-é")):
            answer = citizen.get(f"/g/{code}?" + urlencode({"opened": mark}))
            assert answer.status_code == httpx.codes.TOO_MANY_REQUESTS

    def test_a_mark_does_not_last(
        self, citizen: Citizen, served: Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        code, context = citizen.code, served.context
        assert ticket_marks.is_marked(context, code, ticket_marks.mark_of(context, code))
        monkeypatch.setattr(ticket_marks, "LIFETIME", timedelta(0))
        assert not ticket_marks.is_marked(context, code, ticket_marks.mark_of(context, code))

    def test_what_was_ticked_outlives_the_wait(
        self,
        served: Served,
        citizen: Citizen,
        spring: Definition,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for _ in range(ADDRESS_MAX):
            citizen.get(f"/g/{served.context.tickets.code(uuid4())}")
        fields: dict[str, Any] = {
            "round": str(spring.round_id),
            "pick": [str(BIKES), str(OVEN)],
            "a": HERS,
        }
        for barred in (citizen.post("/ballot", **fields), citizen.post("/choice", **fields)):
            assert barred.status_code == httpx.codes.TOO_MANY_REQUESTS
            assert "What you ticked is kept" in said(barred)
        kept = {
            name: hidden(citizen.post("/choice", **fields), name)
            for name in ("round", "picks", "a")
        }
        led = citizen.post("/g", code=citizen.code, **kept)
        monkeypatch.setattr(guesses, "ADDRESS_MAX", 10 * ADDRESS_MAX)
        page = citizen.follow(led).text
        ticked = re.findall(r'value="([0-9a-f-]{36})" checked', page)
        assert sorted(ticked) == sorted(fields["pick"])
        assert f'name="a" value="{HERS}"' in page

    def test_the_ambassador_of_a_link_is_carried_along(self, citizen: Citizen) -> None:
        asked = citizen.get(f"/g?a={HERS}")
        assert f'name="a" value="{HERS}"' in asked.text
        answer = citizen.post("/g", code=citizen.code, a=HERS)
        assert answer.headers["location"] == f"/g/{citizen.code}?a={HERS}"


class TestAmbassadors:
    @pytest.fixture(autouse=True)
    def enrolled(self, served: Served) -> None:
        command = EnrolAmbassador(
            at=datetime.now(UTC),
            actor="test",
            ambassador_id=ambassador_id_of(HERS),
            subject_id=uuid4(),
            code=HERS,
        )
        served.context.ledger.handle(ambassador, command.ambassador_id, command)

    def test_she_is_credited_once(
        self, citizen: Citizen, spring: Definition, conninfo: str
    ) -> None:
        assert "Credited with your ballot" in said(citizen.votes(spring, BIKES, a=HERS.lower()))
        citizen.votes(spring, CHOIR, a=HERS)
        (event,) = stored(conninfo, "CreditGiven")
        assert event.state["actor"] == "public"
        ballot = stored(conninfo, "BallotCast")[0].state
        assert event.state["brought_id"] == ballot["ballot_id"]

    def test_an_unknown_code_hinders_no_ballot(
        self, citizen: Citizen, spring: Definition, conninfo: str
    ) -> None:
        page = said(citizen.votes(spring, BIKES, a="ZZZZZZ"))
        assert "No ambassador has this code" in page
        assert len(stored(conninfo, "BallotCast")) == 1

    def test_never_for_the_gifts_of_her_own_wallet(
        self, citizen: Citizen, spring: Definition, conninfo: str
    ) -> None:
        citizen.post("/w/open", code=citizen.code)
        assert citizen.post("/w/ambassador", ambassador="ZZZZZZ").status_code == 422
        declared = citizen.post("/w/ambassador", ambassador=HERS)
        assert declared.headers["location"] == "/w?done=declared"
        page = said(citizen.votes(spring, BIKES, a=HERS))
        assert "No ambassador is credited with her own gifts" in page
        assert stored(conninfo, "CreditGiven") == []


class TestWallet:
    def opened(self, citizen: Citizen) -> str:
        page = citizen.post("/w/open", code=citizen.code)
        assert page.status_code == httpx.codes.OK
        code = re.sub(r"<[^>]+>", "", page.text.split('wallet-code">')[1].split("</p>")[0])
        assert parse(code) == code
        assert "<svg" in page.text
        return code

    def test_it_is_opened_with_a_ticket_and_shown_once(
        self, citizen: Citizen, conninfo: str
    ) -> None:
        assert "Open my wallet" in said(citizen.post("/w/new", code=citizen.code))
        code = self.opened(citizen)
        assert citizen.post("/w/open").headers["location"] == "/w"
        assert len(stored(conninfo, "WalletOpened")) == 1
        catch_up(conninfo, READ_MODELS)
        page = citizen.get("/w")
        assert "Boulangerie 1" in said(page)
        assert code not in page.text
        assert "This ticket is in your wallet" in said(citizen.get())

    def test_its_code_opens_it_elsewhere(self, served: Served, citizen: Citizen) -> None:
        code = self.opened(citizen)
        other = Citizen(served, citizen.code)
        assert "which another browser holds" in said(other.get())
        wrong = other.post("/w", wallet=code[:-1] + ("2" if code[-1] != "2" else "3"))
        assert (wrong.status_code, "One letter or digit is wrong" in said(wrong)) == (422, True)
        assert other.post("/w", wallet=f" {code.lower()} ").headers["location"] == "/w"
        assert "This ticket is in your wallet" in said(other.get())
        other.post("/w/leave")
        other.cookie = ""
        assert "The code of your wallet" in said(other.get("/w"))

    def test_a_ticket_is_added_by_its_own_page(
        self, served: Served, shop: Shop, citizen: Citizen
    ) -> None:
        self.opened(citizen)
        citizen.code = give(served, shop)["code"]
        assert "Add this ticket to my wallet" in said(citizen.get())
        assert "This ticket is in your wallet" in said(citizen.follow(citizen.post("/wallet")))
        stranger = Citizen(served, citizen.code)
        stranger.post("/w/open")
        refused = stranger.post("/wallet")
        assert (refused.status_code, "in another wallet already" in said(refused)) == (409, True)

    def test_another_site_hands_nobody_a_wallet(self, served: Served, citizen: Citizen) -> None:
        code = self.opened(citizen)
        foreign = {"Sec-Fetch-Site": "cross-site"}
        for path in ("/w", "/w/open", "/w/leave", "/w/choice", "/w/choice/withdrawal"):
            answer = served.client.post(path, data={"wallet": code}, headers=foreign)
            assert answer.status_code == httpx.codes.FORBIDDEN
            assert "set-cookie" not in answer.headers

    def test_an_unknown_code_counts_as_a_guess(self, served: Served, citizen: Citizen) -> None:
        self.opened(citizen)
        other = Citizen(served)
        unknown = "2222-2222-2222-2222-2222-2222"
        assert {other.post("/w", wallet=unknown).status_code for _ in range(ADDRESS_MAX)} == {422}
        assert other.post("/w", wallet=unknown).status_code == httpx.codes.TOO_MANY_REQUESTS

    def test_one_address_opens_only_so_many(
        self, served: Served, citizen: Citizen, conninfo: str
    ) -> None:
        for _ in range(ATTEMPTS_MAX["address"]):
            served.context.credentials.attempt(
                "wallet", {"address": "127.0.0.1"}, datetime.now(UTC)
            )
        page = citizen.post("/w/open", code=citizen.code)
        assert page.status_code == httpx.codes.TOO_MANY_REQUESTS
        assert "too often from here" in said(page)
        assert f'name="code" value="{citizen.code}"' in page.text
        assert stored(conninfo, "WalletOpened") == []

    def test_a_choice_of_nothing_is_refused(self, citizen: Citizen) -> None:
        self.opened(citizen)
        for picks in ({}, {"pick_0": str(uuid4())}, {"pick_0": "bikes"}):
            page = citizen.post("/w/choice", **picks)
            assert (page.status_code, "Choose at least one project" in said(page)) == (422, True)

    def test_the_secret_is_stored_and_logged_nowhere(
        self, citizen: Citizen, conninfo: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("DEBUG")
        code = self.opened(citizen)
        citizen.get("/w")
        assert code.encode() not in every_byte(conninfo)
        said_in_logs = [one.getMessage() for one in caplog.records if one.name not in CLIENT]
        assert not [line for line in said_in_logs if code in line or citizen.code in line]


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
