"""What the bank's money may not do to what it is for, whoever says so and in whatever order."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from api import pledges, remittances
from api.bank_matching import Said, confirm, key_of, match_by_hand, match_certain, proposed, unmatch
from api.turns import MONEY, one_at_a_time
from ledger.allocations import Allocation
from ledger.bank.transactions import MatchTransaction, TargetFull, TargetLacks, transaction
from ledger.calendar import civil_day
from ledger.pledges import MakePledge, pledge
from projections import bank
from tests.api.banking import OFFICER, Banking, banking
from tests.api.served import Served
from tests.api.settlements import remit
from tests.ledger.bank.camt_files import DAY, OTHER_IBAN, PAYER, Line, Sheet, Tx

EARLIER = DAY - timedelta(days=40)


@pytest.fixture
def here(served: Served, conninfo: str) -> Banking:
    return banking(served.context, conninfo)


def came(
    cents: int, end_to_end: str = "E1", reference: str | None = None, iban: str = PAYER
) -> Line:
    tx = Tx(cents, end_to_end, reference, iban=iban)
    return Line(cents, ref=f"+{uuid4().hex[:8]}", txs=(tx,))


def back(cents: int, end_to_end: str = "E1", day: date = DAY, iban: str = PAYER) -> Line:
    tx = Tx(-cents, end_to_end, iban=iban, return_reason="AC04")
    ref = f"-{uuid4().hex[:8]}"
    return Line(-cents, day, ref=ref, family="ICDT", subfamily="RRTN", txs=(tx,))


def match_of(here: Banking, *, cents: int) -> tuple[UUID, UUID]:
    """Find the transaction of an amount, and its only match."""
    with here.context.pool.connection() as connection:
        (one,) = [one for one in bank.of_day(connection, DAY) if one.cents == cents]
        (match,) = bank.matches_of(connection, one.transaction_id)
    return one.transaction_id, match.match_id


class TestReturned:
    def test_a_strangers_return_takes_nothing_back(self, here: Banking) -> None:
        _, owed = here.shop_that_owes(5_000, EARLIER)
        mine = came(5_000, "VIREMENT", reference=owed.reference)
        theirs = came(5_000, "VIREMENT", iban=OTHER_IBAN)
        here.reads(Sheet([mine, theirs, back(5_000, "VIREMENT", iban=OTHER_IBAN)]))
        assert here.statement(owed).outstanding_cents == 0
        assert here.open_cents() == [-5_000, 5_000]

    def test_nor_does_one_of_an_earlier_day(self, here: Banking) -> None:
        _, owed = here.shop_that_owes(5_000, EARLIER)
        before = DAY - timedelta(days=1)
        here.reads(Sheet([back(5_000, day=before)], first=before, last=before))
        here.reads(Sheet([came(5_000, reference=owed.reference)], opening=95_000))
        assert here.statement(owed).outstanding_cents == 0
        assert here.open_cents() == [-5_000]

    def test_the_second_of_two_returns_takes_back_the_other_statements(self, here: Banking) -> None:
        shop, first = here.shop_that_owes(5_000, EARLIER)
        second = here.owes_again(shop, first, 5_000, EARLIER + timedelta(days=1))
        owed = (first, second)
        here.reads(Sheet([came(5_000, reference=one.reference) for one in owed]))
        here.reads(Sheet([back(5_000)], opening=110_000))
        (one,) = here.open_items()
        match_by_hand(here.context, OFFICER, one.transaction_id, "1", Said("", second.reference))
        here.reads(Sheet([back(5_000)], opening=105_000))
        assert [here.statement(one).outstanding_cents for one in owed] == [5_000, 5_000]
        assert here.open_cents() == []


class TestLessThanNothing:
    def test_money_that_went_out_takes_no_more_than_what_came(self, here: Banking) -> None:
        _, owed = here.shop_that_owes(5_000, EARLIER)
        here.reads(Sheet([came(1_000, reference=owed.reference), Line(-1_001, family="ICDT")]))
        (one,) = here.open_items()
        said = Said(f"statement:{owed.statement_id}")
        with pytest.raises(TargetLacks):
            match_by_hand(here.context, OFFICER, one.transaction_id, "1", said)
        assert here.statement(owed).outstanding_cents == 4_000
        part = Said(said.word, "", 1_000)
        match_by_hand(here.context, OFFICER, one.transaction_id, "2", part)
        assert here.statement(owed).outstanding_cents == 5_000

    def test_a_payment_that_came_back_is_undone_after_its_return(self, here: Banking) -> None:
        _, owed = here.shop_that_owes(5_000, EARLIER)
        here.reads(Sheet([came(5_000, reference=owed.reference), back(5_000)]))
        assert here.statement(owed).outstanding_cents == 5_000
        with pytest.raises(TargetLacks):
            unmatch(here.context, OFFICER, *match_of(here, cents=5_000), "returned")
        assert here.statement(owed).outstanding_cents == 5_000
        unmatch(here.context, OFFICER, *match_of(here, cents=-5_000), "mistake")
        unmatch(here.context, OFFICER, *match_of(here, cents=5_000), "mistake")
        assert match_certain(here.context) == 0
        assert here.open_cents() == [-5_000, 5_000]

    def test_a_return_by_itself_takes_no_more_either(self, here: Banking) -> None:
        _, owed = here.shop_that_owes(5_000, EARLIER)
        here.reads(Sheet([came(5_000, reference=owed.reference), Line(-5_000, family="ICDT")]))
        (one,) = here.open_items()
        match_by_hand(here.context, OFFICER, one.transaction_id, "1", Said("", owed.reference))
        here.reads(Sheet([back(5_000)]))
        assert here.statement(owed).outstanding_cents == 5_000
        assert here.open_cents() == [-5_000]

    def test_a_cheque_that_comes_back_takes_back_nothing_twice(self, here: Banking) -> None:
        shop, owed = here.shop_that_owes(5_000, EARLIER)
        cheque = remit(here.context.ledger, shop, owed.statement_id, 5_000, on=DAY)
        here.reads(Sheet([back(5_000)]))
        (one,) = here.open_items()
        match_by_hand(here.context, OFFICER, one.transaction_id, "1", Said("", owed.reference))
        with pytest.raises(TargetLacks):
            remittances.give_back(here.context, OFFICER, cheque, DAY)
        assert here.statement(owed).outstanding_cents == 5_000
        unmatch(here.context, OFFICER, *match_of(here, cents=-5_000), "wrong_target")
        for _ in range(2):
            remittances.give_back(here.context, OFFICER, cheque, DAY)
        assert here.statement(owed).outstanding_cents == 5_000
        assert here.open_cents() == [-5_000]


def test_a_sponsor_takes_back_nothing_that_comes_in_meanwhile(here: Banking) -> None:
    context, pledge_id, at = here.context, uuid4(), datetime.now(UTC)
    promise = MakePledge(
        at=at, actor=OFFICER, pledge_id=pledge_id, sponsor="moulins", cents=9_000, pledged_on=DAY
    )
    context.ledger.handle(pledge, pledge_id, promise)
    here.reads(Sheet([came(5_000)]))
    (one,) = here.open_items()
    with ThreadPoolExecutor(1) as other:
        with one_at_a_time(context.pool, MONEY):
            gone = other.submit(pledges.withdraw, context, OFFICER, pledge_id, civil_day(at))
            time.sleep(0.5)
            bank_match = Allocation(target="pledge", target_id=pledge_id, cents=5_000)
            matched = MatchTransaction(
                at=at,
                actor=OFFICER,
                transaction_id=one.transaction_id,
                match_id=uuid4(),
                allocations=(bank_match,),
                rule="hand",
            )
            context.ledger.handle(transaction, one.transaction_id, matched)
        here.caught_up()
        gone.result()
    assert pledges.pledge_of(context, pledge_id).promised_cents == 5_000


def test_a_proposal_that_was_undone_is_confirmed_again(here: Banking) -> None:
    shop, first = here.shop_that_owes(1_000, EARLIER)
    here.reads(Sheet([came(1_000, "E1", first.reference)]))
    second = here.owes_again(shop, first, 2_000, EARLIER + timedelta(days=1))
    here.reads(Sheet([came(2_000, "E2")], opening=101_000))
    (one,) = here.open_items()

    def key() -> str:
        here.caught_up()
        with here.context.pool.connection() as connection:
            (offered,) = proposed(here.context, connection, [one])[one.transaction_id]
        return key_of(offered)

    for _ in range(2):
        confirm(here.context, OFFICER, one.transaction_id, key())
        assert here.statement(second).outstanding_cents == 0
        (match_id,) = here.booked(one.transaction_id).matches
        unmatch(here.context, OFFICER, one.transaction_id, match_id, "mistake")
        assert here.statement(second).outstanding_cents == 2_000


def test_what_is_left_of_a_transfer_pays_again_what_is_owed_again(here: Banking) -> None:
    _, owed = here.shop_that_owes(10_000, EARLIER)
    here.reads(Sheet([came(5_000, "E1", reference=owed.reference)]))
    here.reads(Sheet([came(9_000, "E2", reference=owed.reference)], opening=105_000))
    assert here.open_cents() == [4_000]
    here.reads(Sheet([back(5_000, "E1"), came(1_000, "E4", reference=owed.reference)]))
    match_certain(here.context)
    left = here.statement(owed).outstanding_cents
    assert (left, here.open_cents()) == (0, [])


def test_cheques_reach_the_bank_once(here: Banking) -> None:
    shop, owed = here.shop_that_owes(5_000, EARLIER)
    remittance_id = remit(here.context.ledger, shop, owed.statement_id, 5_000, on=DAY)
    here.reads(Sheet([Line(5_000, ref="A"), Line(900, ref="B")]))
    word = f"remittance:{remittance_id}"
    one, other = sorted(here.open_items(), key=lambda one: -one.cents)
    match_by_hand(here.context, OFFICER, one.transaction_id, "1", Said(word, "", 4_500))
    with pytest.raises(TargetFull):
        match_by_hand(here.context, OFFICER, other.transaction_id, "2", Said(word))
    match_by_hand(here.context, OFFICER, other.transaction_id, "3", Said(word, "", 500))
    assert here.open_cents() == [400, 500]
