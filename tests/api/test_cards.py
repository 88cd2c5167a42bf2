import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from api import card_reconciling, card_worker
from api.card_reconciling import newest
from ledger import inbox
from ledger.payments.names import payout_id_of
from ledger.payments.state import Succeeded
from ledger.stripe_gateway import StripeUnavailable
from projections import payments, payouts
from tests.api.cards import Cards, charge_of, payment_id_of, taking_cards, text_of
from tests.api.office import follow_up
from tests.api.people import Browser, browser_of
from tests.api.served import PUBLIC_URL, Served
from tests.stripe import checkout, money, operations
from tests.stripe import payouts as at_stripe
from tests.stripe.account import Object
from tests.stripe.double import broken, lost

OK, SEE_OTHER, NOT_FOUND, FORBIDDEN, REFUSED, UNAVAILABLE = 200, 303, 404, 403, 422, 503
OFFICE = "/office/cards"
SURE = {"confirmed": "yes"}
# A payment that somebody asked for in Stripe's own pages.
ELSEWHERE = {
    "amount": 700,
    "currency": "eur",
    "confirm": True,
    "payment_method": "pm_card_visa",
}


@pytest.fixture
def cards(tmp_path: Path, conninfo: str) -> Iterator[Cards]:
    with taking_cards(tmp_path / "home", conninfo) as taking:
        yield taking


@pytest.fixture
def officer(cards: Cards) -> Browser:
    return browser_of(cards.served, "officer")


def page(browser: Browser, path: str = OFFICE) -> str:
    answer = browser.get(path)
    assert answer.status_code == OK, answer.text
    return text_of(answer)


def in_inbox(cards: Cards) -> inbox.Counts:
    with cards.served.context.pool.connection() as connection:
        return inbox.counts(connection)


def differences(cards: Cards, days_later: int = 0) -> list[str]:
    at = datetime.now(UTC) + timedelta(days=days_later)
    with cards.served.context.pool.connection() as connection:
        return [one.name for one in payouts.differences(connection, at)]


class TestRefund:
    def test_an_officer_gives_a_part_back(self, cards: Cards, officer: Browser) -> None:
        session = cards.paid()
        cards.work()
        here = f"{OFFICE}/payments/{payment_id_of(session)}"
        form = SURE | {"amount": "4,00", "form_id": str(uuid4())}
        for _ in range(2):  # Sent twice, it is given back once.
            assert officer.post(f"{here}/refund", form).status_code == SEE_OTHER
        cards.work()
        gift = cards.gift(payment_id_of(session))
        assert gift is not None
        assert gift.remaining_cents == 600
        assert "given back in part" in page(officer, here)

    def test_sent_again_while_stripe_was_away_it_is_given_back_once(
        self, cards: Cards, officer: Browser
    ) -> None:
        session = cards.paid()
        cards.work()
        here = f"{OFFICE}/payments/{payment_id_of(session)}/refund"
        form = SURE | {"amount": "4,00", "form_id": str(uuid4())}
        # It is given back, and nobody hears of it: neither now nor when it is asked for again.
        cards.double.troubles += [lost] * 3
        answer = officer.post(here, form)
        assert answer.status_code == UNAVAILABLE
        (shown,) = re.findall(r'name="form_id" value="([^"]*)"', answer.text)
        assert officer.post(here, form | {"form_id": shown}).status_code == SEE_OTHER
        assert [one["amount"] for one in cards.double.account.all("refund")] == [400]
        # Another amount is another refund, of the same form too.
        assert officer.post(here, form | {"amount": "1,00"}).status_code == SEE_OTHER
        refunds = [one["amount"] for one in cards.double.account.all("refund")]
        assert sorted(refunds) == [100, 400]

    def test_it_is_confirmed_and_of_what_is_left(self, cards: Cards, officer: Browser) -> None:
        session = cards.paid()
        cards.work()
        here = f"{OFFICE}/payments/{payment_id_of(session)}/refund"
        form = {"amount": "4,00", "form_id": str(uuid4())}
        refusals = [form, SURE | form | {"amount": "0"}, SURE | form | {"amount": "10,01"}]
        for fields in refusals:
            assert officer.post(here, fields).status_code >= 400, fields
        assert not list(cards.double.account.all("refund"))

    def test_only_officers_give_back(self, cards: Cards) -> None:
        here = f"{OFFICE}/payments/{uuid4()}/refund"
        for role in ("committee", "auditor"):
            browser = browser_of(cards.served, role)
            assert browser.post(here, SURE).status_code == FORBIDDEN

    def test_one_that_failed_makes_a_gift_of_its_own(self, cards: Cards) -> None:
        session = cards.paid()
        cards.work()
        given = money.refund(cards.double.account, charge_of(cards, session), 400)
        cards.work()
        money.fail_refund(cards.double.account, given["id"])
        cards.work()
        assert sorted(one.remaining_cents for one in cards.gifts()) == [400, 600]
        first = cards.gift(payment_id_of(session))
        assert first is not None
        assert first.remaining_cents == 600


class TestDispute:
    def disputed(self, cards: Cards) -> tuple[Object, Object]:
        session = cards.paid()
        doubt = money.dispute(cards.double.account, charge_of(cards, session))
        money.withdraw(cards.double.account, doubt["id"])
        cards.work()
        return session, doubt

    def test_its_evidence_is_sent_from_the_office(self, cards: Cards, officer: Browser) -> None:
        _, doubt = self.disputed(cards)
        assert "Evidence is due by" in page(officer)
        here = f"{OFFICE}/disputes/{doubt['id']}/evidence"
        words = {"words": "Elle a choisi un projet avec son ticket."}
        assert officer.post(here, words).status_code == 409
        assert officer.post(here, SURE | words).status_code == SEE_OTHER
        evidence = cards.double.account.objects[doubt["id"]]["evidence"]
        assert evidence["uncategorized_text"] == words["words"]
        assert officer.post(f"{OFFICE}/disputes/du_other/evidence", SURE | words).status_code == 409

    def test_a_gift_stands_until_it_is_lost(self, cards: Cards) -> None:
        session, doubt = self.disputed(cards)
        before = cards.gift(payment_id_of(session))
        assert before is not None
        assert before.remaining_cents == 1_000
        money.close_dispute(cards.double.account, doubt["id"], "lost")
        cards.work()
        after = cards.gift(payment_id_of(session))
        assert after is not None
        assert after.remaining_cents == 0
        assert [one.reason for one in after.reversals] == ["disputed"]

    def test_a_won_one_leaves_the_gift_as_it_was(self, cards: Cards) -> None:
        session, doubt = self.disputed(cards)
        money.close_dispute(cards.double.account, doubt["id"], "won")
        cards.work()
        assert [one.remaining_cents for one in cards.gifts()] == [1_000]
        with cards.served.context.pool.connection() as connection:
            found = payments.one(connection, payment_id_of(session))
        assert found is not None
        assert found.remaining_cents == 1_000


class TestPayout:
    def test_its_lines_explain_it_to_the_cent(self, cards: Cards, officer: Browser) -> None:
        first, second = cards.paid(), cards.paid(choice="2000")
        money.refund(cards.double.account, charge_of(cards, first), 300)
        payout = at_stripe.pay_out(cards.double.account)
        at_stripe.arrive(cards.double.account, payout["id"])
        cards.work()
        with cards.served.context.pool.connection() as connection:
            found = payouts.one(connection, payout_id_of(payout["id"]))
            lines = payouts.lines(connection, payout_id_of(payout["id"]))
            assert payouts.of_charge(connection, charge_of(cards, second)) == found
        assert found is not None
        assert (found.cents, found.listed_cents) == (payout["amount"], payout["amount"])
        assert sorted(one.kind for one in lines) == ["charge", "charge", "refund"]
        assert differences(cards) == []
        assert differences(cards, days_later=30) == ["payout_not_banked"]
        assert "not seen in the bank" in page(officer, f"{OFFICE}/payouts/{found.payout_id}")

    def test_one_on_its_way_is_not_told_as_paid(self, cards: Cards) -> None:
        cards.paid()
        at_stripe.pay_out(cards.double.account)
        cards.work()
        with cards.served.context.pool.connection() as connection:
            assert payouts.every(connection) == []

    def test_one_that_the_bank_sends_back_is_told_so(self, cards: Cards, officer: Browser) -> None:
        cards.paid()
        payout = at_stripe.pay_out(cards.double.account)
        at_stripe.arrive(cards.double.account, payout["id"])
        cards.work()
        at_stripe.fail_payout(cards.double.account, payout["id"])
        cards.work()
        assert "sent back by the bank" in page(officer)

    def test_what_the_ledger_does_not_know_is_a_named_difference(
        self, cards: Cards, officer: Browser
    ) -> None:
        cards.paid()
        account = cards.double.account
        operations.intend(account, {}, ELSEWHERE)
        payout = at_stripe.pay_out(account)
        at_stripe.arrive(account, payout["id"])
        cards.work()
        assert differences(cards) == ["charge_unknown"]
        assert "Stripe paid out a payment that the ledger does not know" in page(officer)


class TestReconciliation:
    def test_webhooks_that_never_came_are_found_and_applied(self, cards: Cards) -> None:
        session = cards.paid()
        cards.deliveries.drop()
        found = card_reconciling.reconcile(cards.served.context)
        assert found.missing == found.events == len(cards.double.account.events)
        cards.work_off()
        assert isinstance(cards.state(session), Succeeded)
        again = card_reconciling.reconcile(cards.served.context)
        assert again.missing == 0
        assert len(cards.gifts()) == 1

    def test_a_payout_that_was_never_announced_is_read(self, cards: Cards) -> None:
        cards.paid()
        payout = at_stripe.pay_out(cards.double.account)
        at_stripe.arrive(cards.double.account, payout["id"])
        cards.deliveries.drop()
        cards.double.account.events.clear()
        for event in list(cards.double.account.all("event")):
            del cards.double.account.objects[event["id"]]
        assert card_reconciling.reconcile(cards.served.context).payouts == 1
        cards.work_off()
        with cards.served.context.pool.connection() as connection:
            (found,) = payouts.every(connection)
        assert found.cents == payout["amount"]

    def test_it_runs_once_a_day_and_sooner_after_a_failure(self, cards: Cards) -> None:
        context = cards.served.context
        assert card_reconciling.due(context)
        cards.double.troubles += [broken] * 3
        with pytest.raises(StripeUnavailable):
            card_reconciling.reconcile(context)
        failed = newest(context)
        assert failed is not None
        assert failed.failure is not None
        assert not card_reconciling.due(context)
        card_reconciling.reconcile(context)
        assert newest(context, whole=True) == newest(context)
        assert not card_reconciling.due(context)

    def test_an_officer_starts_it(self, cards: Cards, officer: Browser) -> None:
        cards.paid()
        cards.deliveries.drop()
        assert officer.post(f"{OFFICE}/reconciliation").status_code == SEE_OTHER
        assert len(cards.gifts()) == 1
        assert "Last reconciled" in page(officer)


class TestFailures:
    def test_what_fails_is_tried_again_and_seen_until_then(
        self, cards: Cards, officer: Browser
    ) -> None:
        session = cards.paid()
        cards.deliveries.deliver()
        cards.double.troubles += [broken] * 30
        with pytest.raises(StripeUnavailable):
            card_worker.work(cards.served.context)
        assert in_inbox(cards).failing > 0
        assert "StripeUnavailable" in page(officer)
        cards.double.troubles.clear()
        assert officer.post(f"{OFFICE}/retry").status_code == SEE_OTHER
        cards.work_off()
        found = in_inbox(cards)
        assert (found.failing, found.waiting) == (0, 0)
        assert cards.gift(payment_id_of(session)) is not None

    def test_what_stripe_knows_no_more_is_noted_and_not_asked_for_ever(self, cards: Cards) -> None:
        session = cards.session()
        checkout.decline(cards.double.account, session["id"])
        del cards.double.account.objects[session["payment_intent"]]
        cards.work()
        found = in_inbox(cards)
        assert found.unknown > 0
        assert found.waiting == 0

    def test_money_that_is_none_of_ours_is_no_gift(self, cards: Cards) -> None:
        operations.intend(cards.double.account, {}, ELSEWHERE)
        cards.work()
        assert cards.gifts() == []
        assert in_inbox(cards).not_ours > 0

    def test_money_that_is_not_in_euros_is_noted_and_no_gift(self, cards: Cards) -> None:
        foreign = {"currency": "chf", "metadata": {"purpose": "foundation"}}
        operations.intend(cards.double.account, {}, ELSEWHERE | foreign)
        cards.work()
        assert cards.gifts() == []
        found = in_inbox(cards)
        assert found.foreign_currency > 0
        assert found.failing == 0


class TestLink:
    def test_a_code_at_a_stand_leads_to_a_gift_and_its_ticket(
        self, cards: Cards, officer: Browser
    ) -> None:
        form = {"for": "foundation", "form_id": str(uuid4())}
        for _ in range(2):  # The same form makes one.
            assert officer.post(f"{OFFICE}/links", form).status_code == SEE_OTHER
        (link,) = cards.double.account.all("payment_link")
        assert "<svg" in officer.get(f"{OFFICE}/links").text
        session = checkout.visit_link(cards.double.account, link["id"], 1_500)
        checkout.pay(cards.double.account, session["id"])
        back = link["after_completion"]["redirect"]["url"]
        path = back.replace(checkout.SESSION_ID, session["id"]).removeprefix(PUBLIC_URL)
        answer = Browser(cards.served).get(path)
        assert answer.status_code == SEE_OTHER, answer.text
        ticket = page(Browser(cards.served), answer.headers["location"])
        assert "Thank you" in ticket
        cards.work()
        (gift,) = cards.gifts()
        assert gift.gift.amount_cents == 1_500
        assert officer.post(f"{OFFICE}/links/{link['id']}/end").status_code == SEE_OTHER
        assert not cards.double.account.objects[link["id"]]["active"]

    def test_nobody_learns_anything_by_a_made_up_session(self, cards: Cards) -> None:
        for session in ("cs_test_unknown", "", "../../x", "a" * 300):
            answer = Browser(cards.served).get(f"/give/paid?session={session}")
            assert answer.status_code == NOT_FOUND


def test_without_a_key_the_office_says_that_cards_are_off(served: Served, conninfo: str) -> None:
    follow_up(conninfo)
    officer = browser_of(served, "officer")
    assert "Payments by card are off" in page(officer)
    assert officer.post(f"{OFFICE}/reconciliation").status_code == NOT_FOUND


def test_who_may_only_read_is_shown_no_form(cards: Cards) -> None:
    cards.paid()
    cards.work()
    auditor = browser_of(cards.served, "auditor")
    shown = auditor.get(OFFICE).text
    forms = re.findall(r'<form[^>]* action="([^"]+)"', shown)
    assert {urlsplit(one).path for one in forms} == {"/logout"}
