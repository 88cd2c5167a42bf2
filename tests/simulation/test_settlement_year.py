"""Twelve months of a foundation's money against a second, simple model: no cent is unexplained."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api import dunning
from api.deps import Context, open_context
from ledger.foundation import (
    FOUNDATION_ID,
    ApproveCollectionAccount,
    DescribeFoundation,
    ProposeCollectionAccount,
    foundation,
)
from ledger.pledges import CallPledge, MakePledge, call_reference, pledge
from projections import bank, bank_chain, dues, pledges, statements
from projections.check import check
from projections.every import READ_MODELS
from projections.follow import catch_up
from projections.rebuild import rebuild
from tests.api.served import settings_in
from tests.api.shops import open_shop, siret
from tests.api.stored import stored
from tests.ledger.bank.camt_files import IBAN
from tests.projections.village import following
from tests.simulation.money_model import Want
from tests.simulation.settlement_bank import Account
from tests.simulation.settlement_cards import Cards
from tests.simulation.settlement_payers import WAYS, Payers
from tests.simulation.settlement_year import DAY, MONEY, OFFICER, OTHER_OFFICER, Moment, Year

SEED = int(os.environ.get("DONPOSITIF_YEAR_SEED", "84800"))
# The whole village is simulated where this says 200; the suite makes do with a street.
PARTNERS = int(os.environ.get("DONPOSITIF_YEAR_PARTNERS", "12"))
PLEDGE_CENTS = 500_000
# What an act waits for until it is up to date.
FOLLOWED = {name: MONEY[name] for name in ("dues", "standings", "statements")}
FRIDAY, LAST_DAY_OF_EVERY_MONTH = 4, 28
CLOSING_DAYS = (4, 12)


@pytest.fixture
def context(tmp_path: Path, conninfo: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Context]:
    """An open ledger whose api lives in the time of the simulation."""
    for name, module in list(sys.modules.items()):
        if name.startswith("api.") and getattr(module, "datetime", None) is datetime:
            monkeypatch.setattr(module, "datetime", Moment)
    with open_context(settings_in(tmp_path / "home"), conninfo) as opened:
        yield opened


def found(year: Year) -> None:
    """Describe the foundation; two people name its account."""
    who: dict[str, Any] = {"at": year.at, "actor": OFFICER}
    handle = year.context.ledger.handle
    name = DescribeFoundation(name="Fondation du Bourg", siret=siret(9_000), **who)
    handle(foundation, FOUNDATION_ID, name)
    account: dict[str, Any] = {"proposal_id": year.some_id(), "iban": IBAN}
    proposed = ProposeCollectionAccount(holder="Fondation du Bourg", **account, **who)
    handle(foundation, FOUNDATION_ID, proposed)
    approved = ApproveCollectionAccount(**account, **who | {"actor": OTHER_OFFICER})
    handle(foundation, FOUNDATION_ID, approved)


def promise(account: Account) -> None:
    """Let a sponsor promise money, and pay the half that is called, in two transfers."""
    year, pledge_id, call_id = account.year, account.year.some_id(), account.year.some_id()
    who: dict[str, Any] = {"at": year.at, "actor": OFFICER, "pledge_id": pledge_id}
    made = MakePledge(sponsor="mairie", cents=PLEDGE_CENTS, pledged_on=year.today, **who)
    year.context.ledger.handle(pledge, pledge_id, made)
    half = PLEDGE_CENTS // 2
    call = CallPledge(call_id=call_id, cents=half, due_on=year.today, **who)
    year.context.ledger.handle(pledge, pledge_id, call)
    for cents in (half // 3, half - half // 3):
        wants: list[Want] = [("pledge", pledge_id, cents)]
        account.book(cents, wants, reference=call_reference(call_id), iban=None)


def agree(account: Account) -> None:
    """Hold what the ledger says of every debt and of the bank against the model."""
    year, books = account.year, account.year.books
    year.catch_up()
    with year.context.pool.connection() as connection:
        told = statements.newest(connection, 10**6)
        waiting = {one.partner_id: (one.lines, one.cents) for one in dues.open_of(connection)}
        sums = bank.open_sums(connection)
        banked = {one.pledge_id: one.banked_cents for one in pledges.every(connection)}
    assert {
        (one.partner_id, one.number): (
            one.owed_cents,
            one.banked_cents,
            one.written_off_cents,
            one.set_off_cents,
            one.due_on,
        )
        for one in told
    } == {
        key: (claim.owed, claim.got, claim.written_off, claim.set_off, claim.due_on)
        for key, claim in books.claims.items()
    }
    assert waiting == {
        whose: (len(lines), sum(cents for _, cents in lines))
        for whose, lines in books.waiting.items()
        if lines
    }
    assert (sums.credit_cents, sums.debit_cents) == (0, 0)
    assert {key: cents for key, cents in banked.items() if cents} == books.pledged


def overdue_agree(year: Year) -> None:
    dunning.note_overdue(year.context, year.at)
    year.catch_up("statements")
    with year.context.pool.connection() as connection:
        told = statements.newest(connection, 10**6)
    noted = {(one.partner_id, one.number) for one in told if one.overdue_noted}
    claims = year.books.claims.items()
    assert noted == {key for key, claim in claims if claim.left > 0 and claim.due_on < year.today}


def assert_checks_out(conninfo: str, year: Year) -> None:
    catch_up(conninfo, READ_MODELS)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        checked = check(connection)
    assert checked.differences == []
    told, known = checked.whereabouts, year.books.totals()
    assert told.unexplained_cents == 0
    assert told.by_card_cents == sum(year.books.by_card.values())
    for name in ("open", "on_statements", "credit", "banked", "written_off"):
        assert getattr(told, f"{name}_cents") == known[name], name


def sort_out(account: Account) -> None:
    """Do a treasurer's work: read the bank's file, match what is certain, look at the rest."""
    account.read()
    account.match()
    account.sort_out()


def live_through(account: Account, payers: Payers, cards: Cards) -> None:
    """Let days pass until nothing is due any more."""
    year = account.year
    reads_on = year.today
    for day in year.days():
        if day.day == 3:
            cents = -700 - day.month
            account.book(cents, [("charge", None, cents)], how="charge", iban=None)
        if year.is_on and year.dice.random() < 0.4:
            cards.give()
        if day.weekday() == FRIDAY:
            cards.pay_out()
        if day >= reads_on:
            sort_out(account)
            overdue_agree(year)
            reads_on = day + year.dice.randint(5, 14) * DAY
        if day.day in CLOSING_DAYS:
            for key in year.close_due():
                payers.settle(key)
        if day.day == LAST_DAY_OF_EVERY_MONTH:
            cards.reconcile()
            agree(account)


def finish(account: Account, payers: Payers, cards: Cards) -> None:
    """Close the last cents by hand, and go on until every debt is settled."""
    year = account.year
    for key in year.close_the_rest():
        payers.settle(key)
    while True:
        live_through(account, payers, cards)
        newest = max(day for day, _ in account.movements)
        if newest >= year.today:
            year.after((newest - year.today).days + 1, year.catch_up)
            continue
        sort_out(account)
        if payers.clear():
            break
        year.after(1, year.catch_up)
    cards.reconcile()


def test_a_year_ends_without_an_unexplained_cent(context: Context, conninfo: str) -> None:
    print(f"seed {SEED}, {PARTNERS} partners")
    year = Year(SEED, context, conninfo)
    account = Account(year)
    found(year)
    for number in range(PARTNERS):
        shop = open_shop(context.ledger, number, since=year.first_on)
        account.sirets[shop.partner_id] = siret(number)
        year.shops.append(shop)
    year.catch_up()
    cards = Cards(account)
    payers = Payers(account, cards)
    year.after(100, partial(promise, account))
    with following(conninfo, FOLLOWED):
        live_through(account, payers, cards)
        assert_checks_out(conninfo, year)
        assert year.books.totals()["on_statements"] >= 0
        finish(account, payers, cards)
    assert_settled(account)
    assert_checks_out(conninfo, year)
    rebuild(conninfo, READ_MODELS)
    agree(account)
    assert_checks_out(conninfo, year)
    set_offs = Counter(one.topic for one in stored(conninfo, "CreditSetOff", "SetOffTakenBack"))
    print(dict(payers.ways), dict(account.sorted_out), dict(set_offs), year.books.totals())
    assert min(set_offs["CreditSetOff"], set_offs["SetOffTakenBack"]) > 0
    assert set(payers.ways) == set(WAYS)
    assert set(account.sorted_out) >= {"hand", "amount_and_iban", "payout", "put right"}


def assert_settled(account: Account) -> None:
    """Nothing is owed, nothing is open at the bank, and its balance is the file's."""
    year, context = account.year, account.year.context
    agree(account)
    totals = year.books.totals()
    assert [totals[name] for name in ("open", "on_statements", "credit")] == [0, 0, 0]
    assert totals["banked"] + totals["written_off"] == year.books.given - year.books.reversed
    with context.pool.connection() as connection:
        assert statements.outstanding(connection) == []
        assert dues.open_of(connection) == []
        assert bank.open_transactions(connection) == []
        assert bank_chain.differing(bank_chain.chain(connection)) == []
        newest = bank.files(connection)[-1]
    assert newest.ledger_cents == account.balance_before(year.today)
