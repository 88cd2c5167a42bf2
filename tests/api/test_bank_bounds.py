"""What the bank's money may not do to what it is for, whoever says so and in whatever order."""

from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from api.bank_matching import Said, match_by_hand, match_certain, unmatch
from ledger.bank.transactions import TargetFull, TargetLacks
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
