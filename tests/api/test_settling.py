"""Statements as the clock and officers close them: which lines, which money, which standing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from api import dunning, settling, statement_lines, write_offs
from ledger.decider import Refused
from ledger.foundation import FOUNDATION_ID
from ledger.money import AMOUNT_CENTS_MAX
from ledger.partners.standing import Status
from ledger.remittances import ReturnRemittance, remittance
from ledger.settlements.commands import StatementEmpty
from ledger.settlements.events import StatementClosed
from ledger.settlements.lines import digest_of
from projections import dues, standings, statements
from projections.statements import Statement
from tests.api.banking import approve_account
from tests.api.served import Served
from tests.api.settlements import (
    ANNE,
    BRUNO,
    catch_up,
    found_foundation,
    give_back,
    give_on,
    last_month,
    remit,
    today,
)
from tests.api.shops import Shop, open_shop
from tests.projections.village import following


@pytest.fixture
def founded(served: Served, conninfo: str) -> Iterator[Served]:
    """A foundation that named its account, whose read models follow."""
    found_foundation(served.context.ledger)
    with following(conninfo):
        yield served


def now(**later: int) -> datetime:
    return datetime.now(UTC) + timedelta(**later)


def months_ahead(count: int) -> datetime:
    """Give the noon of the fifth of a month to come: what was given before is due by then."""
    month = today().year * 12 + today().month - 1 + count
    return datetime(month // 12, month % 12 + 1, 5, 12, tzinfo=UTC)


def of_shop(served: Served, conninfo: str, shop: Shop) -> list[Statement]:
    catch_up(conninfo)
    with served.context.pool.connection() as connection:
        return statements.of_partner(connection, shop.partner_id)


def csv_of(served: Served, conninfo: str, closed: StatementClosed) -> list[str]:
    catch_up(conninfo)
    with served.context.pool.connection() as connection:
        found = statements.one(connection, closed.statement_id)
        assert found is not None
        csv = statement_lines.csv_of_statement(connection, found)
    assert digest_of(csv) == closed.lines_sha256
    return csv.decode().splitlines()[1:]


def close_due(served: Served, conninfo: str, at: datetime | None = None) -> list[StatementClosed]:
    catch_up(conninfo)
    return settling.close_due(served.context, at)


class TestByTheClock:
    def test_nothing_is_asked_for_before_an_account_is_named(
        self, served: Served, shop: Shop, conninfo: str
    ) -> None:
        give_on(served.context.ledger, shop, last_month(), 500)
        assert close_due(served, conninfo) == []
        found_foundation(served.context.ledger)
        assert len(close_due(served, conninfo)) == 1

    def test_nothing_is_asked_for_by_nobody(
        self, served: Served, shop: Shop, conninfo: str
    ) -> None:
        approve_account(served.context.ledger)
        give_on(served.context.ledger, shop, last_month(), 500)
        assert close_due(served, conninfo) == []
        with pytest.raises(settling.FoundationNotNamed):
            settling.close_now(served.context, ANNE, shop.partner_id)

    def test_a_period_that_is_over_is_closed_once(
        self, founded: Served, shop: Shop, conninfo: str
    ) -> None:
        ledger = founded.context.ledger
        gift = give_on(ledger, shop, last_month(), 500)
        give_on(ledger, shop, last_month().replace(day=1), 40, "shop")
        give_on(ledger, shop, last_month() + timedelta(days=1), 70)
        (closed,) = close_due(founded, conninfo)
        assert (closed.owed_cents, closed.lines, closed.number) == (540, 2, 1)
        assert (closed.first_on, closed.last_on) == (last_month().replace(day=1), last_month())
        assert closed.due_on == today() + timedelta(days=30)
        assert [(part.source, part.regime) for part in closed.parts] == [
            ("customer", "mandate"),
            ("shop", "mandate"),
        ]
        first, _ = csv_of(founded, conninfo, closed)
        assert first.split(",")[1:] == [
            "gift",
            str(last_month()),
            str(last_month()),
            str(gift),
            "customer",
            "mandate",
            "500",
        ]
        assert close_due(founded, conninfo) == []
        with founded.context.pool.connection() as connection:
            (left,) = dues.open_of(connection, shop.partner_id)
        assert (left.lines, left.cents, left.last_on) == (1, 70, last_month())

    def test_late_gifts_come_next_with_their_true_day(
        self, founded: Served, shop: Shop, conninfo: str
    ) -> None:
        ledger = founded.context.ledger
        give_on(ledger, shop, last_month(), 500)
        close_due(founded, conninfo)
        give_on(ledger, shop, last_month(), 120)
        (closed,) = close_due(founded, conninfo, months_ahead(1))
        assert (closed.number, closed.owed_cents) == (2, 120)
        assert closed.first_on == last_month() + timedelta(days=1)
        assert [(one.day, one.cents) for one in closed.days] == [(last_month(), 120)]

    def test_what_is_given_back_later_is_on_the_next(
        self, founded: Served, shop: Shop, conninfo: str
    ) -> None:
        ledger = founded.context.ledger
        gift = give_on(ledger, shop, last_month(), 500)
        (first,) = close_due(founded, conninfo)
        give_back(ledger, shop, gift, 120)
        give_on(ledger, shop, today(), 1_000)
        (second,) = close_due(founded, conninfo, months_ahead(1))
        assert second.owed_cents == 880
        lines = csv_of(founded, conninfo, second)
        back = next(line for line in lines if ",reversal," in line)
        assert back.split(",")[2:] == [
            str(today()),
            str(last_month()),
            str(gift),
            "customer",
            "mandate",
            "-120",
        ]
        # The first statement stays as it was frozen.
        assert len(csv_of(founded, conninfo, first)) == 1

    def test_what_is_too_little_waits_for_the_next(
        self, founded: Served, shop: Shop, conninfo: str
    ) -> None:
        ledger = founded.context.ledger
        give_on(ledger, shop, last_month(), 99)
        assert close_due(founded, conninfo) == []
        give_on(ledger, shop, today(), 1)
        (closed,) = close_due(founded, conninfo, months_ahead(1))
        assert (closed.owed_cents, closed.first_on) == (100, last_month())

    def test_what_gifts_do_not_outweigh_stays_open(
        self, founded: Served, shop: Shop, conninfo: str
    ) -> None:
        ledger = founded.context.ledger
        gift = give_on(ledger, shop, last_month(), 500)
        close_due(founded, conninfo)
        give_back(ledger, shop, gift, 500)
        assert close_due(founded, conninfo, months_ahead(1)) == []
        give_on(ledger, shop, today(), 700)
        (closed,) = close_due(founded, conninfo, months_ahead(1))
        assert closed.owed_cents == 200

    def test_each_month_that_was_missed_has_its_own(
        self, founded: Served, shop: Shop, conninfo: str
    ) -> None:
        ledger = founded.context.ledger
        before = last_month().replace(day=1) - timedelta(days=1)
        give_on(ledger, shop, before, 300)
        give_on(ledger, shop, last_month(), 400)
        closed = close_due(founded, conninfo)
        assert [(one.number, one.owed_cents, one.last_on) for one in closed] == [
            (1, 300, before),
            (2, 400, last_month()),
        ]
        assert [one.cents for one in closed[1].days] == [400]

    def test_gifts_by_card_are_not_the_shops(
        self, founded: Served, shop: Shop, conninfo: str
    ) -> None:
        online = Shop(FOUNDATION_ID, shop.till_id, shop.key)
        give_on(founded.context.ledger, online, last_month(), 5_000)
        assert close_due(founded, conninfo) == []
        with founded.context.pool.connection() as connection:
            assert dues.open_of(connection) == []

    def test_two_clocks_close_it_once(self, founded: Served, shop: Shop, conninfo: str) -> None:
        for cents in (500, 600):
            give_on(founded.context.ledger, shop, last_month(), cents)
        catch_up(conninfo)
        with ThreadPoolExecutor(4) as clocks:
            asked = [clocks.submit(settling.close_due, founded.context, now()) for _ in range(4)]
        closed = [one for clock in asked for one in clock.result()]
        assert {one.number for one in closed} == {1}
        (kept,) = of_shop(founded, conninfo, shop)
        assert kept.owed_cents == 1_100

    def test_one_shop_that_fails_stops_no_other(
        self, founded: Served, shop: Shop, conninfo: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = open_shop(founded.context.ledger, 2)
        for one in (shop, other):
            give_on(founded.context.ledger, one, last_month(), 500)
        close = settling.close_periods

        def refusing(context: Any, closer: settling.Closer, *rest: Any) -> list[StatementClosed]:
            if closer.partner_id == shop.partner_id:
                raise StatementEmpty(partner_id=shop.partner_id)
            return close(context, closer, *rest)

        monkeypatch.setattr(settling, "close_periods", refusing)
        assert [one.partner_id for one in close_due(founded, conninfo)] == [other.partner_id]


class TestByHand:
    def test_an_officer_closes_up_to_today(
        self, founded: Served, shop: Shop, conninfo: str
    ) -> None:
        give_on(founded.context.ledger, shop, today(), 40)
        catch_up(conninfo)
        closed = settling.close_now(founded.context, ANNE, shop.partner_id)
        assert (closed.owed_cents, closed.closed_by, closed.actor) == (40, "officer", ANNE)
        catch_up(conninfo)
        with pytest.raises(StatementEmpty):
            settling.close_now(founded.context, ANNE, shop.partner_id)

    def test_what_is_in_the_shops_favour_is_a_credit(
        self, founded: Served, shop: Shop, conninfo: str
    ) -> None:
        gift = give_on(founded.context.ledger, shop, last_month(), 500)
        (paid,) = close_due(founded, conninfo)
        remit(founded.context.ledger, shop, paid.statement_id, 500)
        give_back(founded.context.ledger, shop, gift, 200)
        catch_up(conninfo)
        settling.close_now(founded.context, ANNE, shop.partner_id)
        newest, _ = of_shop(founded, conninfo, shop)
        assert (newest.outstanding_cents, newest.settled_on) == (-200, today())
        with founded.context.pool.connection() as connection:
            assert statements.credits_of(connection) == {shop.partner_id: 200}
            assert statements.outstanding(connection) == []

    def test_it_waits_for_the_figures(self, founded: Served, shop: Shop, conninfo: str) -> None:
        give_on(founded.context.ledger, shop, today(), 40)
        with ThreadPoolExecutor(1) as other:
            asked = other.submit(settling.close_now, founded.context, ANNE, shop.partner_id)
            catch_up(conninfo)
            assert asked.result().owed_cents == 40

    @pytest.mark.parametrize(
        ("partner_id", "name"),
        [(UUID(int=1), "PartnerNotRegistered"), (FOUNDATION_ID, "PartnerNotRegistered")],
    )
    def test_only_shops_have_statements(self, founded: Served, partner_id: UUID, name: str) -> None:
        with pytest.raises(Refused) as refused:
            settling.close_now(founded.context, ANNE, partner_id)
        assert type(refused.value).__name__ == name

    def test_an_account_comes_first(self, served: Served, shop: Shop) -> None:
        with pytest.raises(settling.AccountNotNamed):
            settling.close_now(served.context, ANNE, shop.partner_id)


@pytest.fixture
def closed(founded: Served, shop: Shop, conninfo: str) -> StatementClosed:
    """A statement of 5 euros."""
    give_on(founded.context.ledger, shop, last_month(), 500)
    (found,) = close_due(founded, conninfo)
    return found


class TestMoney:
    def test_it_is_settled_on_the_day_of_its_last_cent(
        self, founded: Served, shop: Shop, conninfo: str, closed: StatementClosed
    ) -> None:
        ledger = founded.context.ledger
        assert of_shop(founded, conninfo, shop)[0].outstanding_cents == 500
        remit(ledger, shop, closed.statement_id, 200, today() - timedelta(days=3))
        (partly,) = of_shop(founded, conninfo, shop)
        assert (partly.outstanding_cents, partly.settled_on) == (300, None)
        remit(ledger, shop, closed.statement_id, 300, today() - timedelta(days=1))
        (wholly,) = of_shop(founded, conninfo, shop)
        assert (wholly.outstanding_cents, wholly.settled_on) == (0, today() - timedelta(days=1))
        remit(ledger, shop, closed.statement_id, 10)
        (over,) = of_shop(founded, conninfo, shop)
        assert (over.outstanding_cents, over.settled_on) == (-10, today() - timedelta(days=1))

    def test_what_the_bank_took_back_is_owed_again(
        self, founded: Served, shop: Shop, conninfo: str, closed: StatementClosed
    ) -> None:
        cheque = remit(founded.context.ledger, shop, closed.statement_id, 500)
        back = ReturnRemittance(at=now(), actor=ANNE, remittance_id=cheque, returned_on=today())
        founded.context.ledger.handle(remittance, cheque, back)
        (found,) = of_shop(founded, conninfo, shop)
        assert (found.outstanding_cents, found.settled_on) == (500, None)
        with founded.context.pool.connection() as connection:
            money = statements.money_of(connection, closed.statement_id)
        assert [(one.means, one.cents) for one in money] == [
            ("remittance", 500),
            ("remittance", -500),
        ]

    def test_a_debt_grows_old(
        self, founded: Served, conninfo: str, closed: StatementClosed
    ) -> None:
        catch_up(conninfo)
        buckets = {
            "not_due_cents": (-30, -1),
            "to_30_cents": (0, 30),
            "to_60_cents": (31, 60),
            "to_90_cents": (61, 90),
            "over_90_cents": (91, 4_000),
        }
        assert {name: buckets[name] for name in statements.AGES} == statements.AGES
        with founded.context.pool.connection() as connection:
            for bucket, days in ((name, one) for name, found in buckets.items() for one in found):
                (row,) = statements.ageing(connection, closed.due_on + timedelta(days=days))
                held = {name for name in buckets if getattr(row, name)}
                assert (held, row.cents) == ({bucket}, 500)


class TestStanding:
    def status(self, served: Served, conninfo: str, shop: Shop, on: date) -> Status:
        catch_up(conninfo)
        with served.context.pool.connection() as connection:
            found = standings.on_day(connection, shop.partner_id, on)
        assert found is not None
        return found.status

    def test_what_is_owed_for_too_long_suspends_until_it_is_paid(
        self, founded: Served, shop: Shop, conninfo: str, closed: StatementClosed
    ) -> None:
        day_after, noon = closed.due_on + timedelta(days=1), timedelta(days=31)
        catch_up(conninfo)
        assert dunning.note_overdue(founded.context, now() + noon - timedelta(days=1)) == 0
        assert dunning.note_overdue(founded.context, now() + noon) == 1
        catch_up(conninfo)
        assert dunning.note_overdue(founded.context, now() + noon) == 0
        assert self.status(founded, conninfo, shop, day_after) == "active"
        late = closed.due_on + timedelta(days=31)
        assert self.status(founded, conninfo, shop, late) == "suspended"

        paid_on = today()
        remit(founded.context.ledger, shop, closed.statement_id, 500, paid_on)
        catch_up(conninfo)
        assert dunning.note_overdue(founded.context, now() + noon) == 1
        # It was paid in time: only the news came late.
        assert self.status(founded, conninfo, shop, late) == "active"
        catch_up(conninfo)
        assert dunning.note_overdue(founded.context, now() + noon) == 0

    def test_what_is_settled_in_time_is_never_noted(
        self, founded: Served, shop: Shop, conninfo: str, closed: StatementClosed
    ) -> None:
        remit(founded.context.ledger, shop, closed.statement_id, 500)
        catch_up(conninfo)
        assert dunning.note_overdue(founded.context, now(days=90)) == 0


def test_an_absurd_debt_stops_no_statement_and_is_reminded_of_and_forgiven(
    founded: Served, conninfo: str, shop: Shop
) -> None:
    context, other = founded.context, open_shop(founded.context.ledger, 2)
    for _ in range(3):
        give_on(context.ledger, shop, last_month(), AMOUNT_CENTS_MAX)
    give_on(context.ledger, other, last_month(), 500)
    catch_up(conninfo)
    settling.close_due(context)
    assert [one.owed_cents for one in of_shop(founded, conninfo, other)] == [500]
    (absurd,) = of_shop(founded, conninfo, shop)
    assert absurd.owed_cents == 3 * AMOUNT_CENTS_MAX
    assert dunning.remind(context, settling.CLOCK, [absurd], now(days=200)) == 1
    written = UUID(int=5)
    write_offs.propose(
        context, ANNE, absurd.statement_id, written, cents=AMOUNT_CENTS_MAX, reason="mistake"
    )
    write_offs.approve(context, BRUNO, absurd.statement_id, written, AMOUNT_CENTS_MAX)
    (absurd,) = of_shop(founded, conninfo, shop)
    assert absurd.outstanding_cents == 2 * AMOUNT_CENTS_MAX
