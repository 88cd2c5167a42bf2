"""What the public page of debts is made of: delays weighed by cents, and who may be named."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from ledger.allocations import Allocation
from ledger.bank.events import TransactionMatched, TransactionUnmatched
from ledger.decider import Event
from ledger.events import encode
from ledger.partners.agreements import AgreementAmended, AgreementEnded, AgreementSigned
from ledger.partners.register import PartnerRegistered
from ledger.settlements.events import CreditSetOff, DaySum, StatementClosed, WriteOffApproved
from projections.every import READ_MODELS
from projections.follow import catch_up
from projections.owed import Delay, Owed, delay, owed
from tests.projections.village import insert_raw

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
CLOSED_ON, DUE_ON = date(2026, 11, 2), date(2026, 12, 2)
SHOP, OTHER = UUID(int=1), UUID(int=2)
AGREEMENT = UUID(int=3)
WHO: dict[str, Any] = {"recorded_at": NOON, "actor": f"account:{UUID(int=9)}"}
GRACE = 60


def statement_id(number: int, partner_id: UUID = SHOP) -> UUID:
    return UUID(int=1000 * partner_id.int + number)


def closed(
    number: int, days: dict[date, int], partner_id: UUID = SHOP, due_on: date = DUE_ON
) -> StatementClosed:
    return StatementClosed(
        **WHO,
        partner_id=partner_id,
        statement_id=statement_id(number, partner_id),
        number=number,
        first_on=min(days),
        last_on=max(days),
        through_position=number,
        lines=len(days),
        lines_sha256="0" * 64,
        parts=(),
        days=tuple(DaySum(day=day, cents=cents) for day, cents in days.items()),
        owed_cents=sum(days.values()),
        reference=f"RF{partner_id.int}{number}",
        due_on=due_on,
        closed_by="officer",
    )


def paid(cents: int, on: date, number: int = 1, partner_id: UUID = SHOP) -> TransactionMatched:
    allocation = Allocation(
        target="statement",
        target_id=statement_id(number, partner_id),
        partner_id=partner_id,
        cents=cents,
    )
    return TransactionMatched(
        **WHO,
        transaction_id=uuid4(),
        match_id=uuid4(),
        allocations=(allocation,),
        rule="reference",
        booked_on=on,
    )


def undone(payment: TransactionMatched, on: date) -> TransactionUnmatched:
    told = payment.model_dump(exclude={"rule", "booked_on"})
    return TransactionUnmatched(**told, reason="returned", unmatched_on=on)


REGISTERED = PartnerRegistered(**WHO, partner_id=SHOP, name="Le Moulin", siret="73282932000074")


def signed(*, debt_public: bool) -> AgreementSigned:
    return AgreementSigned(
        **WHO,
        partner_id=SHOP,
        agreement_id=AGREEMENT,
        number="2026-1",
        regime="mandate",
        commitment="round_up",
        charter_version=1,
        signed_on=CLOSED_ON,
        valid_from=CLOSED_ON,
        debt_public=debt_public or None,
    )


@pytest.fixture
def connection(conninfo: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(conninfo, autocommit=True) as opened:
        yield opened


def told(
    conninfo: str, connection: psycopg.Connection, *events: Event, on: date = CLOSED_ON
) -> Owed:
    for event in events:
        insert_raw(conninfo, *encode(event), stream=uuid4())
    catch_up(conninfo, READ_MODELS)
    return owed(connection, on, lambda _: GRACE)


def test_an_empty_ledger_owes_nothing(conninfo: str, connection: psycopg.Connection) -> None:
    found = told(conninfo, connection)
    assert (found.open_cents, found.totals.closed_cents, found.debts) == (0, 0, ())
    assert (found.to_owed, found.to_banked, found.open_since) == (None, None, None)


def test_every_cent_of_statements_is_in_one_sum(
    conninfo: str, connection: psycopg.Connection
) -> None:
    day = date(2026, 10, 1)
    given_up = WriteOffApproved(
        **WHO,
        partner_id=SHOP,
        statement_id=statement_id(2),
        write_off_id=uuid4(),
        cents=30,
        reason="too_small",
        approved_on=CLOSED_ON,
    )
    events: list[Event] = [closed(1, {day: 500}), closed(2, {day: 300}, due_on=CLOSED_ON)]
    events += [closed(1, {day: 200}, partner_id=OTHER)]
    events += [paid(350, CLOSED_ON), paid(250, CLOSED_ON, partner_id=OTHER), given_up]
    sums = told(conninfo, connection, *events, on=CLOSED_ON + timedelta(days=1)).totals
    assert sums.closed_cents == 1_000
    assert (sums.not_due_cents, sums.overdue_cents) == (150, 270)
    assert (sums.banked_cents, sums.written_off_cents, sums.credit_cents) == (600, 30, 50)
    assert sums.closed_cents == 150 + 270 + 600 + 30 - 50
    assert (sums.overdue_statements, sums.overdue_partners) == (1, 1)


def test_what_falls_due_today_is_not_overdue(conninfo: str, connection: psycopg.Connection) -> None:
    statement = closed(1, {date(2026, 10, 1): 500})
    assert told(conninfo, connection, statement, on=DUE_ON).totals.overdue_cents == 0
    assert told(conninfo, connection, on=DUE_ON + timedelta(days=1)).totals.overdue_cents == 500


def test_delays_are_weighed_by_cents(conninfo: str, connection: psycopg.Connection) -> None:
    days = {CLOSED_ON - timedelta(days=40): 10, CLOSED_ON - timedelta(days=5): 90}
    payments = paid(60, date(2026, 11, 12)), paid(40, date(2026, 12, 2))
    found = told(conninfo, connection, closed(1, days), *payments)
    assert found.to_owed == Delay(cents=100, median_days=5, worst_days=40)
    assert found.to_banked == Delay(cents=100, median_days=10, worst_days=30)


def test_money_that_was_taken_back_shortens_no_delay(
    conninfo: str, connection: psycopg.Connection
) -> None:
    early, late = paid(100, date(2026, 11, 7)), paid(100, date(2026, 12, 12))
    back = undone(early, date(2026, 11, 20))
    statement = closed(1, {date(2026, 10, 1): 100})
    found = told(conninfo, connection, statement, early, back)
    assert found.to_banked is None
    found = told(conninfo, connection, late)
    assert found.to_banked == Delay(cents=100, median_days=40, worst_days=40)


def test_old_statements_do_not_count_for_ever(
    conninfo: str, connection: psycopg.Connection
) -> None:
    statement, payment = closed(1, {date(2026, 10, 1): 100}), paid(100, CLOSED_ON)
    found = told(conninfo, connection, statement, payment, on=CLOSED_ON + timedelta(days=366))
    assert (found.to_owed, found.to_banked) == (None, None)
    assert found.totals.banked_cents == 100


def set_off(cents: int, giver: int, taker: int, on: date = CLOSED_ON) -> CreditSetOff:
    return CreditSetOff(
        **WHO,
        partner_id=SHOP,
        statement_id=statement_id(taker),
        from_statement_id=statement_id(giver),
        cents=cents,
        set_off_on=on,
    )


def test_what_is_set_off_is_owed_no_more_and_came_in_once(
    conninfo: str, connection: psycopg.Connection
) -> None:
    day = date(2026, 10, 1)
    events: list[Event] = [closed(1, {day: 100}), paid(150, date(2026, 11, 12))]
    events += [closed(2, {day: 80}), set_off(50, 1, 2)]
    found = told(conninfo, connection, *events, on=DUE_ON + timedelta(days=1))
    sums = found.totals
    assert (sums.overdue_cents, sums.overdue_statements, sums.credit_cents) == (30, 1, 0)
    assert sums.closed_cents == 180 == 30 + sums.banked_cents
    assert found.to_banked == Delay(cents=150, median_days=10, worst_days=10)


class TestNaming:
    """A shop is named after the grace, while its agreement says so, and never else."""

    LATE = DUE_ON + timedelta(days=GRACE + 1)
    OWING = (REGISTERED, closed(1, {date(2026, 10, 1): 500}))

    def names(self, conninfo: str, connection: psycopg.Connection, on: date) -> list[UUID]:
        return [one.partner_id for one in told(conninfo, connection, on=on).debts]

    def test_with_its_consent(self, conninfo: str, connection: psycopg.Connection) -> None:
        found = told(conninfo, connection, *self.OWING, signed(debt_public=True), on=self.LATE)
        (debt,) = found.debts
        assert (debt.partner_id, debt.cents, debt.due_on) == (SHOP, 500, DUE_ON)

    def test_not_within_the_grace(self, conninfo: str, connection: psycopg.Connection) -> None:
        told(conninfo, connection, *self.OWING, signed(debt_public=True))
        assert self.names(conninfo, connection, self.LATE - timedelta(days=1)) == []
        assert self.names(conninfo, connection, self.LATE) == [SHOP]

    def test_not_without_its_consent(self, conninfo: str, connection: psycopg.Connection) -> None:
        found = told(conninfo, connection, *self.OWING, signed(debt_public=False), on=self.LATE)
        assert found.debts == ()
        assert found.totals.overdue_cents == 500

    def test_not_without_an_agreement(self, conninfo: str, connection: psycopg.Connection) -> None:
        assert told(conninfo, connection, *self.OWING, on=self.LATE).debts == ()

    def test_not_once_it_paid(self, conninfo: str, connection: psycopg.Connection) -> None:
        payment = paid(500, self.LATE)
        events = (*self.OWING, signed(debt_public=True), payment)
        assert told(conninfo, connection, *events, on=self.LATE).debts == ()

    def test_only_for_what_is_beyond_its_credit(
        self, conninfo: str, connection: psycopg.Connection
    ) -> None:
        day = date(2026, 10, 2)
        credit = closed(2, {day: -600}, due_on=self.LATE)
        events = (*self.OWING, signed(debt_public=True), credit)
        found = told(conninfo, connection, *events, on=self.LATE)
        assert (found.debts, found.totals.overdue_cents) == ((), 500)
        # What fell due first is offset first: 100 cents of the credit are left for the next.
        found = told(conninfo, connection, closed(3, {day: 130}), on=self.LATE)
        (debt,) = found.debts
        assert (debt.cents, debt.due_on) == (30, DUE_ON)

    def test_not_while_a_set_off_is_still_to_be_taken_back(
        self, conninfo: str, connection: psycopg.Connection
    ) -> None:
        day = date(2026, 10, 2)
        cheque = paid(600, CLOSED_ON)
        events = (*self.OWING, signed(debt_public=True), cheque)
        second = closed(2, {day: 100}, due_on=self.LATE)
        given = told(conninfo, connection, *events, second, set_off(100, 1, 2), on=self.LATE)
        assert given.debts == ()
        # The first statement gave what it has not got: whose debt is old is not known yet.
        part = paid(500, CLOSED_ON)
        found = told(conninfo, connection, undone(cheque, DUE_ON), part, on=self.LATE)
        assert found.debts == ()
        assert found.totals.overdue_cents == 100

    def test_not_at_once_when_what_stood_for_it_is_taken_back(
        self, conninfo: str, connection: psycopg.Connection
    ) -> None:
        cheque = paid(500, CLOSED_ON)
        events = (*self.OWING, signed(debt_public=True), cheque, undone(cheque, self.LATE))
        assert told(conninfo, connection, *events, on=self.LATE).debts == ()
        later = self.LATE + timedelta(days=GRACE + 1)
        (debt,) = told(conninfo, connection, on=later).debts
        assert (debt.cents, debt.due_on) == (500, self.LATE)

    def test_not_once_it_took_its_consent_back(
        self, conninfo: str, connection: psycopg.Connection
    ) -> None:
        amended = AgreementAmended(
            **WHO,
            partner_id=SHOP,
            agreement_id=AGREEMENT,
            regime="mandate",
            commitment="round_up",
            charter_version=1,
            amended_on=DUE_ON,
        )
        events = (*self.OWING, signed(debt_public=True), amended)
        assert told(conninfo, connection, *events, on=self.LATE).debts == ()

    def test_not_once_the_agreement_ended(
        self, conninfo: str, connection: psycopg.Connection
    ) -> None:
        ended = AgreementEnded(
            **WHO,
            partner_id=SHOP,
            agreement_id=AGREEMENT,
            ended_on=DUE_ON,
            ended_by="partner",
        )
        events = (*self.OWING, signed(debt_public=True), ended)
        assert told(conninfo, connection, *events, on=self.LATE).debts == ()


TAKEN = st.dictionaries(st.integers(0, 400), st.integers(1, 1_000), max_size=20)


@for_all(TAKEN)
def test_half_of_the_cents_took_at_most_the_median(taken: dict[int, int]) -> None:
    found = delay(sorted(taken.items()))
    if not taken:
        assert found is None
        return
    assert found is not None
    one_by_one = sorted(days for days, cents in taken.items() for _ in range(cents))
    assert found.cents == len(one_by_one)
    assert found.median_days == one_by_one[(len(one_by_one) - 1) // 2]
    assert found.worst_days == one_by_one[-1]
