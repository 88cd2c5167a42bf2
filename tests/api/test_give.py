from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from api.cards import now
from api.foundation import set_card_fee
from ledger.calendar import civil_day
from ledger.foundation import FOUNDATION_ID
from ledger.payments.fees import CardFee
from ledger.payments.state import Begun, Failed, Processing, Succeeded
from ledger.payments.subscriptions import Ended, subscription
from ledger.reactions import ONLINE_TILL_ID
from projections import partners
from tests.api.cards import Cards, charge_of, payment_id_of, taking_cards, text_of
from tests.api.people import Browser
from tests.api.served import PUBLIC_URL, Served
from tests.stripe import checkout, money, subscriptions
from tests.stripe.double import broken

OK, SEE_OTHER, NOT_FOUND, REFUSED, AWAY = 200, 303, 404, 422, 503


@pytest.fixture
def cards(tmp_path: Path, conninfo: str) -> Iterator[Cards]:
    with taking_cards(tmp_path / "home", conninfo) as taking:
        yield taking


class TestPaid:
    def test_a_gift_by_card_is_a_gift_with_a_ticket(self, cards: Cards) -> None:
        session = cards.paid()
        cards.work()
        state, gift = cards.state(session), cards.gift(payment_id_of(session))
        assert isinstance(state, Succeeded)
        assert gift is not None
        assert (gift.gift.partner_id, gift.gift.till_id) == (FOUNDATION_ID, ONLINE_TILL_ID)
        assert gift.gift.amount_cents == state.paid.cents == 1_000
        code = cards.served.context.tickets.code(payment_id_of(session))
        assert code in cards.returned(session).text
        assert Browser(cards.served).get(f"/g/{code}").status_code == OK

    def test_the_page_knows_before_anything_is_announced(self, cards: Cards) -> None:
        session = cards.paid()
        assert "Thank you" in text_of(cards.returned(session))
        assert cards.gift(payment_id_of(session)) is not None
        cards.work()
        gift = cards.gift(payment_id_of(session))
        assert gift is not None
        assert gift.remaining_cents == 1_000

    def test_a_donor_who_covers_the_fee_gives_all_that_she_pays(self, cards: Cards) -> None:
        session = cards.paid(cover="yes")
        cards.work()
        gift = cards.gift(payment_id_of(session))
        assert gift is not None
        assert gift.gift.amount_cents == 1_041
        net = cards.double.account.all("balance_transaction")
        assert [one["net"] for one in net] == [1_001]

    def test_the_fee_is_the_one_that_the_foundation_set(self, cards: Cards) -> None:
        today = civil_day(now())
        fee = CardFee(in_force_from=today, rate_per_10_000=290, fixed_cents=30)
        set_card_fee(cards.served.context, "account:anne", fee)
        page = text_of(Browser(cards.served).get("/give"))
        assert "about 2.9% of it and €0.30" in page
        assert "€10.00 (fee: €0.59)" in page
        session = cards.paid(cover="yes")
        assert session["amount_total"] == 1_061
        cards.work()
        state = cards.state(session)
        assert isinstance(state, Succeeded)
        assert state.checkout is not None
        assert (state.checkout.cents, state.checkout.fee_cover_cents) == (1_000, 61)
        # What Stripe really took is in its own movements, whatever was estimated.
        (movement,) = cards.double.account.all("balance_transaction")
        assert movement["fee"] == 40

    def test_the_foundation_is_in_no_directory_of_shops(self, cards: Cards) -> None:
        cards.paid()
        cards.work()
        with cards.served.context.pool.connection() as connection:
            assert partners.one(connection, FOUNDATION_ID) is not None
            assert partners.directory(connection) == []


class TestOnItsWay:
    def test_a_debit_is_told_as_on_its_way_and_is_no_gift(self, cards: Cards) -> None:
        session = cards.paid("sepa_debit")
        cards.work()
        assert isinstance(cards.state(session), Processing)
        page = text_of(cards.returned(session))
        assert "on its way" in page
        assert "Thank you" not in page
        assert cards.gift(payment_id_of(session)) is None

    def test_it_is_a_gift_once_it_arrives(self, cards: Cards) -> None:
        session = cards.paid("sepa_debit")
        cards.work()
        checkout.settle_debit(cards.double.account, session["payment_intent"])
        cards.work()
        gift = cards.gift(payment_id_of(session))
        assert gift is not None
        assert "Thank you" in text_of(cards.returned(session))

    def test_it_is_nothing_once_it_fails(self, cards: Cards) -> None:
        session = cards.paid("sepa_debit")
        cards.work()
        checkout.fail_debit(cards.double.account, session["payment_intent"])
        cards.work()
        assert isinstance(cards.state(session), Failed)
        assert cards.gift(payment_id_of(session)) is None
        assert "Nothing was paid" in text_of(cards.returned(session))


class TestUnpaid:
    def test_an_unpaid_session_never_shows_as_a_gift(self, cards: Cards) -> None:
        session = cards.session()
        page = text_of(cards.returned(session))
        assert "We do not see your payment yet" in page
        assert isinstance(cards.state(session), Begun)
        assert cards.gift(payment_id_of(session)) is None

    def test_a_declined_card_leaves_another_try(self, cards: Cards) -> None:
        session = cards.session()
        checkout.decline(cards.double.account, session["id"])
        cards.work()
        assert isinstance(cards.state(session), Begun)
        checkout.pay(cards.double.account, session["id"])
        cards.work()
        assert isinstance(cards.state(session), Succeeded)

    def test_a_session_that_nobody_paid_expires(self, cards: Cards) -> None:
        session = cards.session()
        checkout.expire(cards.double.account, session["id"])
        cards.work()
        state = cards.state(session)
        assert isinstance(state, Failed)
        assert state.reason == "expired"

    def test_while_stripe_is_away_the_page_says_that_it_does_not_know(self, cards: Cards) -> None:
        session = cards.paid()
        cards.double.troubles.append(broken)
        page = text_of(cards.returned(session))
        assert "we cannot say yet" in page
        assert "Thank you" not in page
        assert "Thank you" in text_of(cards.returned(session))


class TestAddress:
    def test_only_its_donor_has_the_address_of_a_payment(self, cards: Cards) -> None:
        session = cards.paid()
        other = cards.session()
        here = Browser(cards.served)
        back = session["success_url"].removeprefix(PUBLIC_URL)
        token = back.split("/")[3].split("?")[0]
        assert here.get(f"/give/{payment_id_of(other)}/{token}").status_code == NOT_FOUND
        assert here.get(f"/give/{uuid4()}/{token}").status_code == NOT_FOUND

    def test_the_session_of_another_payment_tells_nothing(self, cards: Cards) -> None:
        paid, unpaid = cards.paid(), cards.session()
        back = unpaid["success_url"].replace(checkout.SESSION_ID, paid["id"])
        page = text_of(Browser(cards.served).get(back.removeprefix(PUBLIC_URL)))
        assert "Thank you" not in page
        assert isinstance(cards.state(unpaid), Begun)
        assert isinstance(cards.state(paid), Begun)

    def test_it_is_not_told_to_other_sites(self, cards: Cards) -> None:
        answer = cards.returned(cards.paid())
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"


class TestForm:
    def test_the_same_form_twice_is_one_payment(self, cards: Cards) -> None:
        form_id = str(uuid4())
        first, second = (cards.session(form_id=form_id) for _ in range(2))
        assert first["id"] == second["id"]

    def test_another_amount_in_the_same_form_is_another_payment(self, cards: Cards) -> None:
        form_id = str(uuid4())
        first = cards.session(form_id=form_id)
        second = cards.session(form_id=form_id, choice="2000")
        assert payment_id_of(first) != payment_id_of(second)

    def test_after_a_failure_the_same_form_begins_anew(self, cards: Cards) -> None:
        form_id = str(uuid4())
        first = cards.session(form_id=form_id)
        checkout.expire(cards.double.account, first["id"])
        cards.work()
        second = cards.session(form_id=form_id)
        assert payment_id_of(first) != payment_id_of(second)

    def test_after_it_was_paid_the_same_form_leads_back_to_it(self, cards: Cards) -> None:
        form_id = str(uuid4())
        session = cards.paid(form_id=form_id)
        cards.work()
        again = cards.begin(form_id=form_id)
        assert again.headers["location"].startswith(f"/give/{payment_id_of(session)}/")

    def test_an_impossible_amount_is_named_and_nothing_begins(self, cards: Cards) -> None:
        impossible: list[dict[str, str]] = [
            {"choice": ""},
            {"choice": "other", "amount": ""},
            {"choice": "7"},
            *({"amount": typed} for typed in ("0,99", "10000,01", "-5", "ten", "1e3")),
        ]
        for typed in impossible:
            answer = cards.begin(**typed)
            assert answer.status_code == REFUSED, typed
            assert "Choose an amount" in answer.text
        assert not list(cards.double.account.all("checkout.session"))

    def test_what_cannot_be_given_to_is_refused(self, cards: Cards) -> None:
        for wanted in ("", "project", f"project:{uuid4()}", "statement", "shop"):
            assert cards.begin(**{"for": wanted}).status_code == REFUSED, wanted

    def test_a_form_of_another_site_is_refused(self, cards: Cards) -> None:
        fields = {"for": "foundation", "choice": "1000", "form_id": str(uuid4())}
        answer = Browser(cards.served).post("/give", fields, **{"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403

    def test_while_stripe_is_away_nothing_is_paid_and_the_form_stays(self, cards: Cards) -> None:
        cards.double.troubles.append(broken)
        answer = cards.begin(amount="12,50")
        assert answer.status_code == AWAY
        assert "does not answer" in answer.text
        assert 'value="12,50"' in answer.text

    def test_its_answer_may_lead_to_stripe_and_nowhere_else(self, cards: Cards) -> None:
        guard = Browser(cards.served).get("/give").headers["content-security-policy"]
        assert f"form-action 'self' {cards.double.url};" in guard
        assert "frame-ancestors 'none'" in guard

    def test_too_many_payments_from_one_address_are_held_back(self, cards: Cards) -> None:
        answers = {cards.begin(choice="500").status_code for _ in range(51)}
        assert answers == {SEE_OTHER, 429}


class TestMonthly:
    def test_each_month_that_is_paid_is_a_gift_of_its_own(self, cards: Cards) -> None:
        session = cards.paid(interval="monthly")
        cards.work()
        first = cards.gift(payment_id_of(session))
        assert first is not None
        subscriptions.renew(cards.double.account, session["subscription"])
        cards.work()
        donations = cards.gifts()
        assert len(donations) == 2
        assert {one.gift.amount_cents for one in donations} == {1_000}

    def test_a_month_whose_card_is_declined_is_no_gift(self, cards: Cards) -> None:
        session = cards.paid(interval="monthly")
        subscriptions.fail_renewal(cards.double.account, session["subscription"])
        cards.work()
        assert len(cards.gifts()) == 1

    def test_a_refund_of_a_month_finds_its_gift(self, cards: Cards) -> None:
        session = cards.paid(interval="monthly")
        intent = subscriptions.renew(cards.double.account, session["subscription"])
        cards.work()
        money.refund(cards.double.account, intent["latest_charge"], 400)
        cards.work()
        assert sorted(one.remaining_cents for one in cards.gifts()) == [600, 1_000]

    def test_its_donor_ends_it_on_the_page_of_her_payment(self, cards: Cards) -> None:
        session = cards.paid(interval="monthly")
        cards.work()
        here = session["success_url"].removeprefix(PUBLIC_URL).partition("?")[0]
        answer = Browser(cards.served).post(f"{here}/end")
        assert answer.status_code == SEE_OTHER
        assert cards.double.account.objects[session["subscription"]]["status"] == "canceled"
        page = text_of(Browser(cards.served).get(answer.headers["location"]))
        assert "This monthly gift has ended" in page
        state = cards.state(session)
        assert isinstance(state, Succeeded)
        assert state.paid.subscription_id is not None
        ledger = cards.served.context.ledger
        history = ledger.history(subscription, state.paid.subscription_id)
        assert isinstance(subscription.fold(one.event for one in history), Ended)
        assert Browser(cards.served).post(f"{here}/end").status_code == SEE_OTHER


def test_without_a_key_the_page_says_that_it_is_off(served: Served) -> None:
    answer = Browser(served).get("/give")
    assert answer.status_code == OK
    assert "not taken here yet" in answer.text
    assert "<form" not in answer.text
    assert Browser(served).post("/give", {"for": "foundation"}).status_code == REFUSED


def test_a_refund_in_stripes_dashboard_gives_the_gift_back(cards: Cards) -> None:
    session = cards.paid()
    cards.work()
    money.refund(cards.double.account, charge_of(cards, session), 250)
    money.refund(cards.double.account, charge_of(cards, session), 150)
    cards.work()
    gift = cards.gift(payment_id_of(session))
    assert gift is not None
    assert gift.remaining_cents == 600
    assert {one.reason for one in gift.reversals} == {"refunded"}
