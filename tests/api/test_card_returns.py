"""What a donor sees who comes back: by a link, after a refund, each month, while Stripe is slow."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Semaphore
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest

from api.asking import PLACES_MAX
from api.guesses import ADDRESS_MAX
from ledger.payments.state import Begun, Failed, Processing, Succeeded
from ledger.payments.subscriptions import Ended, subscription
from tests.api.cards import Cards, charge_of, payment_id_of, taking_cards, text_of
from tests.api.people import Browser
from tests.api.served import PUBLIC_URL
from tests.stripe import checkout, money, subscriptions
from tests.stripe.account import Object
from tests.stripe.double import Answer, Asked

OK, SEE_OTHER, NOT_FOUND, TOO_MANY, AWAY = 200, 303, 404, 429, 503
BACK = f"{PUBLIC_URL}/give/paid?session={checkout.SESSION_ID}"


@pytest.fixture
def cards(tmp_path: Path, conninfo: str) -> Iterator[Cards]:
    with taking_cards(tmp_path / "home", conninfo) as taking:
        yield taking


def visited(cards: Cards, reference: str | None = None) -> Object:
    """Open a link at a stand; whoever does may add a reference to its address."""
    gateway = cards.served.context.gateway
    assert gateway is not None
    link = gateway.make_link("Don", {"purpose": "foundation"}, BACK, str(uuid4()))
    session = checkout.visit_link(cards.double.account, link, 1_500)
    session["client_reference_id"] = reference
    return session


def back(cards: Cards, session: Object) -> httpx.Response:
    return Browser(cards.served).get(f"/give/paid?session={session['id']}")


def here(session: Object) -> str:
    """Give the page of a payment without its session."""
    return urlsplit(session["success_url"]).path


class TestLink:
    def test_a_copied_reference_opens_nothing(self, cards: Cards) -> None:
        victim = cards.paid(interval="monthly")
        cards.work()
        copied = str(payment_id_of(victim))
        assert back(cards, visited(cards, copied)).status_code == NOT_FOUND
        paid = visited(cards, copied)
        checkout.pay(cards.double.account, paid["id"])
        answer = back(cards, paid)
        assert answer.status_code == SEE_OTHER
        assert copied not in answer.headers["location"]

    def test_a_copied_reference_marks_nothing_failed(self, cards: Cards) -> None:
        victim = cards.session()
        session = visited(cards, str(payment_id_of(victim)))
        checkout.expire(cards.double.account, session["id"])
        cards.work()
        assert isinstance(cards.state(victim), Begun)

    def test_a_session_of_ours_is_no_links(self, cards: Cards) -> None:
        assert back(cards, cards.paid()).status_code == NOT_FOUND

    def test_a_debit_on_its_way_is_told_as_such(self, cards: Cards) -> None:
        session = visited(cards)
        checkout.pay(cards.double.account, session["id"], "sepa_debit")
        answer = back(cards, session)
        assert answer.status_code == SEE_OTHER
        path = answer.headers["location"]
        page = Browser(cards.served).get(path)
        assert page.status_code == OK
        assert "is on its way" in text_of(page)
        checkout.settle_debit(cards.double.account, session["payment_intent"])
        assert "Thank you" in text_of(Browser(cards.served).get(path))

    def test_a_debit_that_failed_is_told_as_such(self, cards: Cards) -> None:
        session = visited(cards)
        checkout.pay(cards.double.account, session["id"], "sepa_debit")
        checkout.fail_debit(cards.double.account, session["payment_intent"])
        page = Browser(cards.served).get(back(cards, session).headers["location"])
        assert "Nothing was paid" in text_of(page)

    def test_money_in_another_currency_is_none_of_ours(self, cards: Cards) -> None:
        session = visited(cards)
        checkout.pay(cards.double.account, session["id"])
        cards.double.account.objects[session["payment_intent"]]["currency"] = "usd"
        assert back(cards, session).status_code == NOT_FOUND


class TestPatience:
    def test_pages_that_ask_do_not_hold_up_the_others(
        self, cards: Cards, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answer, going_on, asked = cards.double.answer, Event(), Semaphore(0)

        def slow(question: Asked) -> Answer | None:
            asked.release()
            going_on.wait(30)
            return answer(question)

        monkeypatch.setattr(cards.double, "answer", slow)
        path = "/give/paid?session=cs_test_unknown"
        with ThreadPoolExecutor(PLACES_MAX) as asking:
            first = [asking.submit(Browser(cards.served).get, path) for _ in range(PLACES_MAX)]
            assert all(asked.acquire(timeout=20) for _ in first)
            others = Browser(cards.served)
            assert [others.get(path).status_code for _ in range(3)] == [AWAY] * 3
            assert others.get("/partners").status_code == OK
            # Who asked first gets what Stripe says, or waited too long for it.
            going_on.set()
            assert {one.result().status_code for one in first} <= {NOT_FOUND, AWAY}
        assert others.get(path).status_code == NOT_FOUND

    def test_what_is_no_session_is_not_even_asked_for(self, cards: Cards) -> None:
        for odd in ("nope", "cs_nope", "cs_test_", "cs_test_a-b", "cs_test_a_b", "pi_1"):
            answer = Browser(cards.served).get(f"/give/paid?session={odd}")
            assert answer.status_code == NOT_FOUND, odd
        assert not cards.double.asked

    def test_whoever_tries_many_sessions_is_held_back(self, cards: Cards) -> None:
        browser = Browser(cards.served)
        statuses = [
            browser.get(f"/give/paid?session=cs_test_{number}").status_code
            for number in range(ADDRESS_MAX + 1)
        ]
        assert statuses == [NOT_FOUND] * ADDRESS_MAX + [TOO_MANY]


class TestTold:
    def test_what_the_donor_must_still_confirm_is_on_its_way(self, cards: Cards) -> None:
        session = cards.paid("sepa_debit")
        intent = cards.double.account.objects[session["payment_intent"]]
        intent |= {"status": "requires_action", "next_action": None, "latest_charge": None}
        assert "is on its way" in text_of(cards.returned(session))
        assert isinstance(cards.state(session), Processing)

    @pytest.mark.parametrize("status", ["requires_payment_method", "canceled"])
    def test_what_asks_for_another_means_came_to_nothing(self, cards: Cards, status: str) -> None:
        session = cards.paid("sepa_debit")
        intent = cards.double.account.objects[session["payment_intent"]]
        intent |= {"status": status, "latest_charge": None}
        assert "Nothing was paid" in text_of(cards.returned(session))
        assert isinstance(cards.state(session), Failed)

    def test_what_was_given_back_is_told(self, cards: Cards) -> None:
        session = cards.paid()
        cards.work()
        money.refund(cards.double.account, charge_of(cards, session), 400)
        cards.work()
        page = text_of(cards.returned(session))
        assert "€4.00 went back to you: €6.00 remain given" in page
        assert "Thank you" in page
        money.refund(cards.double.account, charge_of(cards, session))
        cards.work()
        page = text_of(cards.returned(session))
        assert "nothing of it remains given" in page
        assert "Thank you" not in page


class TestMonthly:
    def test_every_month_has_its_ticket_on_the_page(self, cards: Cards) -> None:
        session = cards.paid(interval="monthly")
        cards.work()
        subscriptions.renew(cards.double.account, session["subscription"])
        cards.work()
        page = cards.returned(session).text
        gifts = cards.gifts()
        assert len(gifts) == 2
        for one in gifts:
            assert f"/g/{cards.served.context.tickets.code(one.gift.donation_id)}" in page

    @pytest.mark.parametrize("failed", [False, True])
    def test_it_is_ended_before_its_first_debit_came(self, cards: Cards, failed: bool) -> None:
        session = cards.paid("sepa_debit", interval="monthly")
        cards.work()
        if failed:
            (intent,) = cards.double.account.all("payment_intent")
            checkout.fail_debit(cards.double.account, intent["id"])
            cards.work()
            assert isinstance(cards.state(session), Failed)
        assert f'action="{here(session)}/end"' in cards.returned(session).text
        browser = Browser(cards.served)
        answer = browser.post(f"{here(session)}/end", {"session": session["id"]})
        assert answer.status_code == SEE_OTHER
        assert cards.double.account.objects[session["subscription"]]["status"] == "canceled"
        page = browser.get(answer.headers["location"])
        assert "This monthly gift has ended" in text_of(page)
        assert "/end" not in page.text
        state = cards.state(session)
        assert isinstance(state, Processing | Failed)
        assert state.checkout.subscription_id is not None
        ledger = cards.served.context.ledger
        history = ledger.history(subscription, state.checkout.subscription_id)
        assert isinstance(subscription.fold(one.event for one in history), Ended)

    def test_the_session_of_another_ends_nothing(self, cards: Cards) -> None:
        mine = cards.paid("sepa_debit", interval="monthly")
        other = cards.paid(interval="monthly")
        cards.work()
        browser = Browser(cards.served)
        for form in ({"session": other["id"]}, {}):
            assert browser.post(f"{here(mine)}/end", form).status_code == NOT_FOUND
        assert cards.double.account.objects[other["subscription"]]["status"] == "active"
        assert isinstance(cards.state(other), Succeeded)
