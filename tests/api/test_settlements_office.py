"""The office of settlements: ageing, closing by hand, reminders, write-offs by two people."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api import dunning, settling
from ledger.partners.agreements import agreement_id_of
from ledger.settlements.commands import NothingOwed, StatementNotDue
from ledger.settlements.events import StatementClosed
from projections import statements
from projections.statements import Statement
from tests.api.people import Browser, Person, browser_of, person, signed_in
from tests.api.served import Served
from tests.api.settlements import catch_up, found_foundation, give_on, last_month, remit, today
from tests.api.shops import Shop
from tests.projections.village import following

SEEN, FORBIDDEN, REFUSED, CONFLICT = 303, 403, 422, 409


@dataclass(frozen=True, slots=True)
class Office:
    """A statement of 12.34 euros, and the people who look at it."""

    served: Served
    conninfo: str
    shop: Shop
    closed: StatementClosed
    officer: Browser
    member: Browser
    auditor: Browser

    @property
    def here(self) -> str:
        return f"/office/settlements/{self.closed.statement_id}"

    @property
    def statement(self) -> Statement:
        catch_up(self.conninfo)
        with self.served.context.pool.connection() as connection:
            found = statements.one(connection, self.closed.statement_id)
        assert found is not None
        return found

    def propose(self, by: Browser | None = None, **changes: Any) -> httpx.Response:
        fields = {"write_off_id": str(uuid4()), "amount": "2.34", "reason": "too_small"}
        return (by or self.officer).post(f"{self.here}/write-off", fields | changes)

    def decide(self, browser: Browser, how: str = "approval", **changes: str) -> httpx.Response:
        waiting = self.statement.write_off
        assert waiting is not None
        fields = {"write_off_id": str(waiting.write_off_id), "cents": str(waiting.cents)}
        return browser.post(f"{self.here}/write-off/{how}", fields | changes)


@pytest.fixture
def office(served: Served, shop: Shop, conninfo: str) -> Iterator[Office]:
    found_foundation(served.context.ledger)
    give_on(served.context.ledger, shop, last_month(), 1_234)
    with following(conninfo):
        catch_up(conninfo)
        (closed,) = settling.close_due(served.context)
        catch_up(conninfo)
        yield Office(
            served,
            conninfo,
            shop,
            closed,
            browser_of(served, "officer"),
            browser_of(served, "committee"),
            browser_of(served, "auditor"),
        )


def words(answer: httpx.Response) -> str:
    return " ".join(unescape(answer.text).replace("\xa0", " ").split())


class TestPages:
    @pytest.mark.parametrize("who", ["officer", "member", "auditor"])
    def test_the_office_reads_what_is_owed(self, office: Office, who: str) -> None:
        browser: Browser = getattr(office, who)
        said = words(browser.get("/office/settlements"))
        assert "Boulangerie 1" in said
        assert "€12.34" in said
        assert "Nothing is owed on any statement." not in said
        one = words(browser.get(office.here))
        assert office.closed.lines_sha256 in one
        assert "Closed on schedule." in one
        assert ("Propose to write off" in one) is (who == "officer")
        for part in ("statement.pdf", "lines.csv"):
            assert browser.get(f"{office.here}/{part}").status_code == httpx.codes.OK

    def test_a_statement_that_is_none_is_not_found(self, office: Office) -> None:
        for part in ("", "/statement.pdf", "/lines.csv", "/receipt.pdf"):
            answer = office.officer.get(f"/office/settlements/{uuid4()}{part}")
            assert answer.status_code == httpx.codes.NOT_FOUND


class TestClosing:
    def close(self, office: Office, **changes: str) -> httpx.Response:
        fields = {"partner": str(office.shop.partner_id), "last_on": str(today())}
        return office.officer.post("/office/settlements/closing", fields | changes)

    def test_an_officer_closes_what_is_open(self, office: Office) -> None:
        give_on(office.served.context.ledger, office.shop, today(), 40)
        answer = self.close(office)
        assert answer.status_code == SEEN
        said = words(office.officer.get(answer.headers["location"]))
        assert "The statement is closed, and on its way to the shop." in said
        assert "Closed by Anne Fabre (officer of the foundation)" in said

    def test_with_nothing_to_close_it_says_so(self, office: Office) -> None:
        answer = self.close(office)
        assert answer.status_code == REFUSED
        assert "There is no gift and no return up to this day." in words(answer)

    def test_a_day_to_come_is_refused(self, office: Office) -> None:
        give_on(office.served.context.ledger, office.shop, today(), 40)
        answer = self.close(office, last_on=str(today() + timedelta(days=1)))
        assert answer.status_code == REFUSED
        assert "A statement ends today at the latest." in words(answer)

    def test_a_day_before_the_last_statement_is_refused(self, office: Office) -> None:
        give_on(office.served.context.ledger, office.shop, last_month(), 40)
        early = last_month() - timedelta(days=1)
        give_on(office.served.context.ledger, office.shop, early, 40)
        answer = self.close(office, last_on=str(early))
        assert answer.status_code == CONFLICT
        assert "The last statement reaches further than this day." in words(answer)

    @pytest.mark.parametrize("field", ["partner", "last_on"])
    def test_what_is_malformed_is_said(self, office: Office, field: str) -> None:
        assert self.close(office, **{field: "nonsense"}).status_code == REFUSED


class TestWriteOffs:
    def test_it_takes_two_people(self, office: Office) -> None:
        assert office.propose().status_code == SEEN
        assert office.statement.outstanding_cents == 1_234
        assert office.decide(office.officer).status_code == FORBIDDEN
        assert office.statement.outstanding_cents == 1_234
        assert office.decide(office.member).status_code == SEEN
        found = office.statement
        assert (found.outstanding_cents, found.written_off_cents) == (1_000, 234)
        said = words(office.auditor.get(office.here))
        assert "Anne Fabre (officer of the foundation) proposed to write off €2.34" in said
        assert "Anne Fabre (committee member) approved it: €2.34 are written off." in said

    def test_another_amount_than_was_read_is_not_approved(self, office: Office) -> None:
        office.propose()
        assert office.decide(office.member, cents="1234").status_code == CONFLICT
        assert office.statement.written_off_cents == 0

    def test_no_more_is_written_off_than_is_left(self, office: Office) -> None:
        assert office.propose(amount="12.35").status_code == CONFLICT
        assert office.propose(amount="12.34").status_code == SEEN
        remit(office.served.context.ledger, office.shop, office.closed.statement_id, 1)
        answer = office.decide(office.member)
        assert answer.status_code == CONFLICT
        assert "No more is written off than is owed." in words(answer)

    def test_it_is_discarded(self, office: Office) -> None:
        office.propose()
        assert office.decide(office.member, "discard").status_code == SEEN
        assert office.statement.write_off is None
        assert office.propose().status_code == SEEN

    def test_who_speaks_for_the_shop_has_no_part_in_it(self, office: Office) -> None:
        both = person(
            office.served, "officer", "partner_manager", partner_ids=(office.shop.partner_id,)
        )
        hers = signed_in(office.served, both.account_id)
        answer = office.propose(hers)
        assert answer.status_code == FORBIDDEN
        assert "You speak for this shop" in words(answer)
        office.propose()
        assert office.decide(hers).status_code == FORBIDDEN

    @pytest.mark.parametrize(
        "changes", [{"amount": ""}, {"amount": "0"}, {"amount": "-1"}, {"reason": "mercy"}]
    )
    def test_what_is_malformed_is_said(self, office: Office, changes: dict[str, Any]) -> None:
        assert office.propose(**changes).status_code == REFUSED

    def test_an_auditor_only_reads(self, office: Office) -> None:
        assert office.propose(office.auditor).status_code == FORBIDDEN
        office.propose()
        assert office.decide(office.auditor).status_code == FORBIDDEN


class TestReminders:
    def at(self, office: Office, days: int) -> datetime:
        due = datetime.combine(office.closed.due_on, datetime.min.time(), UTC)
        return due + timedelta(days=days, hours=12)

    def manager(self, office: Office) -> Person:
        return person(office.served, "partner_manager", partner_ids=(office.shop.partner_id,))

    def test_they_go_out_at_the_ages_of_the_terms_each_once(self, office: Office) -> None:
        self.manager(office)
        sent: list[int] = []
        for days in range(60):
            for _ in range(2):
                catch_up(office.conninfo)
                reminded = dunning.remind_due(office.served.context, self.at(office, days))
                sent += [days] * reminded
        assert sent == [7, 21, 45]
        assert office.statement.reminders == 3

    def test_a_late_clock_sends_one_a_day(self, office: Office) -> None:
        self.manager(office)
        sent = 0
        for days in (100, 101, 102, 103):
            catch_up(office.conninfo)
            sent += dunning.remind_due(office.served.context, self.at(office, days))
        assert sent == 3

    def test_nobody_is_reminded_who_cannot_be_reached(self, office: Office) -> None:
        assert dunning.remind_due(office.served.context, self.at(office, 10)) == 0
        assert office.statement.reminders == 0
        with pytest.raises(dunning.NobodyToWriteTo):
            dunning.remind_now(office.served.context, "test", office.closed.statement_id)

    def test_what_is_not_due_or_paid_is_not_reminded_of(self, office: Office) -> None:
        self.manager(office)
        with pytest.raises(StatementNotDue):
            dunning.remind_now(office.served.context, "test", office.closed.statement_id)
        remit(office.served.context.ledger, office.shop, office.closed.statement_id, 1_234)
        catch_up(office.conninfo)
        assert dunning.remind_due(office.served.context, self.at(office, 10)) == 0
        with pytest.raises(NothingOwed):
            dunning.remind(office.served.context, "test", [office.statement], self.at(office, 10))

    def test_the_button_says_that_it_is_not_overdue(self, office: Office) -> None:
        self.manager(office)
        answer = office.officer.post(f"{office.here}/reminder")
        assert answer.status_code == CONFLICT
        assert "It is not overdue yet." in words(answer)


class TestAgreement:
    def test_a_shop_may_agree_that_its_debt_is_published(self, office: Office) -> None:
        partner_id, context = office.shop.partner_id, office.served.context
        amended = {
            "amended_on": str(today()),
            "regime": "mandate",
            "commitment": "round_up",
            "charter_version": "1",
        }
        path = f"/office/partners/{partner_id}/agreements/{agreement_id_of('2026-001')}/amendment"
        told = "It agrees that what it owes for too long is published under its name."
        for sent, agreed in (({"debt_public": "yes"}, True), ({}, False)):
            assert office.officer.post(path, amended | sent).status_code == SEEN
            context.admission.refresh()
            (facts,) = context.admission.facts(partner_id).agreements
            assert facts.terms_on(today()).debt_public is agreed
            said = words(office.officer.get(f"/office/partners/{partner_id}"))
            assert (told in said) is agreed
