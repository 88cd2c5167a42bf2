"""Codes typed by customers: tickets, those who guess them, ambassadors and wallets."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest

from api import guesses, ticket_marks
from api.credentials import ATTEMPTS_MAX
from api.guesses import ADDRESS_MAX
from ledger.ambassadors import EnrolAmbassador, ambassador, ambassador_id_of
from ledger.rounds.definition import Definition
from ledger.wallet_codes import parse
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api import citizens
from tests.api.citizens import Citizen, said
from tests.api.served import Served
from tests.api.shops import Shop
from tests.api.stored import every_byte, stored
from tests.api.test_ballots import give
from tests.rounds import BIKES, CHOIR, OVEN

read_models = citizens.read_models
spring = citizens.spring
gift = citizens.gift
citizen = citizens.citizen

HERS = "ABCDEF"
# What the test's own browser logs is not ours.
CLIENT = {"httpx", "httpcore.http11", "httpcore.connection"}


def hidden(page: httpx.Response, name: str) -> str:
    """The value of a page's first field of that name."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return html.unescape(found[1])


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
