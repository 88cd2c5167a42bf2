"""A shop pays its statement by card: the statement has got it, and loses it again with a refund."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from api import bank_matching, settling
from api.bank_matching import Said
from ledger.payments.state import Succeeded
from ledger.settlements.events import StatementClosed
from projections import bank, statements
from tests.api.banking import OFFICER, imports
from tests.api.cards import Cards, charge_of, payment_id_of, taking_cards, text_of
from tests.api.people import Browser, browser_of
from tests.api.settlements import catch_up, found_foundation, give_on, last_month
from tests.api.shops import Shop, open_shop
from tests.ledger.bank.camt_files import Line, Sheet, camt
from tests.stripe import checkout, money
from tests.stripe.account import Object

OK, SEE_OTHER, NOT_FOUND, CONFLICT, REFUSED = 200, 303, 404, 409, 422


@pytest.fixture
def cards(tmp_path: Path, conninfo: str) -> Iterator[Cards]:
    with taking_cards(tmp_path / "home", conninfo) as taking:
        found_foundation(taking.served.context.ledger)
        yield taking


@pytest.fixture
def shop(cards: Cards) -> Shop:
    return open_shop(cards.served.context.ledger)


@pytest.fixture
def closed(cards: Cards, shop: Shop) -> StatementClosed:
    give_on(cards.served.context.ledger, shop, last_month(), 1_234)
    catch_up(cards.conninfo)
    (found,) = settling.close_due(cards.served.context)
    catch_up(cards.conninfo)
    return found


@pytest.fixture
def manager(cards: Cards, shop: Shop) -> Browser:
    return browser_of(cards.served, "partner_manager", partner_ids=(shop.partner_id,))


def path_of(closed: StatementClosed) -> str:
    return f"/my/shops/{closed.partner_id}/statements/{closed.number}/card"


def outstanding(cards: Cards, closed: StatementClosed) -> int:
    with cards.served.context.pool.connection() as connection:
        found = statements.one(connection, closed.statement_id)
    assert found is not None
    return found.outstanding_cents


def begun(cards: Cards, manager: Browser, closed: StatementClosed) -> Object:
    answer = manager.post(path_of(closed))
    assert answer.status_code == SEE_OTHER, answer.text
    return cards.double.account.objects[answer.headers["location"].rsplit("/", 1)[1]]


def test_what_is_paid_by_card_settles_the_statement(
    cards: Cards, manager: Browser, closed: StatementClosed
) -> None:
    page = manager.get(path_of(closed))
    assert page.status_code == OK
    assert cards.double.url in page.headers["content-security-policy"]
    session = begun(cards, manager, closed)
    assert session["amount_total"] == 1_234
    checkout.pay(cards.double.account, session["id"])
    cards.work()
    state = cards.state(session)
    assert isinstance(state, Succeeded)
    assert state.paid.purpose_id == closed.statement_id
    assert outstanding(cards, closed) == 0
    assert all(one.gift.partner_id == closed.partner_id for one in cards.gifts())
    assert "It shows on the statement" in text_of(cards.returned(session))
    assert manager.post(path_of(closed)).status_code == REFUSED


def test_what_is_given_back_is_owed_again(
    cards: Cards, manager: Browser, closed: StatementClosed
) -> None:
    session = begun(cards, manager, closed)
    checkout.pay(cards.double.account, session["id"])
    cards.work()
    money.refund(cards.double.account, charge_of(cards, session), 234)
    cards.work()
    assert outstanding(cards, closed) == 234
    doubt = money.dispute(cards.double.account, charge_of(cards, session))
    money.withdraw(cards.double.account, doubt["id"])
    cards.work()
    assert outstanding(cards, closed) == 1_234
    money.close_dispute(cards.double.account, doubt["id"], "won")
    cards.work()
    assert outstanding(cards, closed) == 234


def test_what_was_sent_back_by_hand_is_not_given_back_by_card(
    cards: Cards, manager: Browser, closed: StatementClosed
) -> None:
    session = begun(cards, manager, closed)
    checkout.pay(cards.double.account, session["id"])
    cards.work()
    context = cards.served.context
    imports(context, camt(Sheet([Line(-1_000, family="ICDT")])))
    with context.pool.connection() as connection:
        (sent,) = bank.open_transactions(connection)
    said = Said("", closed.reference)
    bank_matching.match_by_hand(context, OFFICER, sent.transaction_id, "1", said)
    officer = browser_of(cards.served, "officer")
    here = f"/office/cards/payments/{payment_id_of(session)}/refund"
    form = {"confirmed": "yes", "form_id": str(uuid4())}
    refused = officer.post(here, form | {"amount": "2,35"})
    assert refused.status_code == CONFLICT
    assert "undo that match first" in text_of(refused)
    assert not list(cards.double.account.all("refund"))
    assert officer.post(here, form | {"amount": "2,34"}).status_code == SEE_OTHER
    cards.work()
    assert outstanding(cards, closed) == 1_234


def test_what_is_on_its_way_is_not_paid_twice(
    cards: Cards, manager: Browser, closed: StatementClosed
) -> None:
    session = begun(cards, manager, closed)
    checkout.pay(cards.double.account, session["id"], "sepa_debit")
    cards.work()
    page = manager.get(path_of(closed))
    assert "is on its way for this statement" in text_of(page)
    assert f'action="{path_of(closed)}"' not in page.text
    statement = manager.get(path_of(closed).removesuffix("/card"))
    assert "is on its way for this statement" in text_of(statement)
    assert f'href="{path_of(closed)}"' not in statement.text
    refused = manager.post(path_of(closed))
    assert refused.status_code == REFUSED
    assert "is on its way for this statement" in text_of(refused)
    assert len(list(cards.double.account.all("checkout.session"))) == 1
    checkout.fail_debit(cards.double.account, session["payment_intent"])
    cards.work()
    assert f'action="{path_of(closed)}"' in manager.get(path_of(closed)).text


def test_nobody_pays_for_another_shop(cards: Cards, closed: StatementClosed) -> None:
    other = open_shop(cards.served.context.ledger, 2)
    catch_up(cards.conninfo)
    stranger = browser_of(cards.served, "partner_manager", partner_ids=(other.partner_id,))
    assert stranger.get(path_of(closed)).status_code == NOT_FOUND
    assert stranger.post(path_of(closed)).status_code == NOT_FOUND
