"""Which debts a shop's standing knows: those beyond its credit, and settled on days that came."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from api import dunning, set_offs, settling, write_offs
from api import people as accounts
from api.deps import Context
from ledger.allocations import Allocation
from ledger.bank.events import TransactionMatched
from ledger.events import encode
from ledger.remittances import RemittanceReturned, ReturnRemittance, remittance
from ledger.settlements.commands import WriteOffProposerDisabled
from ledger.settlements.events import StatementClosed
from projections import standings, statements
from projections.statements import Statement
from tests.api.people import person
from tests.api.served import Served
from tests.api.settlements import ANNE, catch_up, found_foundation, give_back, give_on, remit, today
from tests.api.shops import Shop
from tests.api.stored import stored
from tests.projections.village import following, insert_raw

# Long before any terms' end, so that two statements are closed one after the other by hand.
EARLIER = today() - timedelta(days=100)
LONG_LATE = timedelta(days=200)


@pytest.fixture
def context(served: Served, conninfo: str) -> Iterator[Context]:
    found_foundation(served.context.ledger)
    with following(conninfo):
        yield served.context


def now(**later: int) -> datetime:
    return datetime.now(UTC) + timedelta(**later)


def closed_now(context: Context, conninfo: str, shop: Shop) -> StatementClosed:
    catch_up(conninfo)
    found = settling.close_now(context, ANNE, shop.partner_id)
    catch_up(conninfo)
    return found


def noted(context: Context, conninfo: str, at: datetime) -> int:
    catch_up(conninfo)
    count = dunning.note_overdue(context, at)
    catch_up(conninfo)
    return count


def statement(context: Context, closed: StatementClosed) -> Statement:
    with context.pool.connection() as connection:
        found = statements.one(connection, closed.statement_id)
    assert found is not None
    return found


class TestCredit:
    """A shop whose first statement was paid and then given back: 50 euros are in its favour."""

    @pytest.fixture
    def debt(self, context: Context, shop: Shop, conninfo: str) -> StatementClosed:
        """Give what the shop owes on a third statement: 30 euros."""
        gift = give_on(context.ledger, shop, EARLIER, 5_000)
        first = closed_now(context, conninfo, shop)
        remit(context.ledger, shop, first.statement_id, 5_000)
        give_back(context.ledger, shop, gift, 5_000)
        closed_now(context, conninfo, shop)
        give_on(context.ledger, shop, today(), 3_000)
        return closed_now(context, conninfo, shop)

    def test_it_stands_for_what_is_owed_elsewhere(
        self, context: Context, conninfo: str, debt: StatementClosed
    ) -> None:
        assert noted(context, conninfo, now() + LONG_LATE) == 0
        assert not statement(context, debt).overdue_noted

    def test_what_is_owed_beyond_it_is_overdue(
        self, context: Context, shop: Shop, conninfo: str, debt: StatementClosed
    ) -> None:
        give_on(context.ledger, shop, today(), 2_001)
        more = closed_now(context, conninfo, shop)
        assert noted(context, conninfo, now() + LONG_LATE) == 1
        # The credit pays what fell due first.
        assert not statement(context, debt).overdue_noted
        assert statement(context, more).overdue_noted
        assert noted(context, conninfo, now() + LONG_LATE) == 0
        # One cent covers the rest, though the statement itself is not settled by it.
        remit(context.ledger, shop, debt.statement_id, 1)
        assert noted(context, conninfo, now() + LONG_LATE) == 1
        found = statement(context, more)
        assert (found.overdue_noted, found.settled_on) == (False, None)


def test_what_is_paid_with_credit_is_not_overdue_when_that_goes_back(
    context: Context, shop: Shop, conninfo: str
) -> None:
    """A cheque of 15 euros pays a statement of 10, and a part of the next; 5 are taken back."""
    give_on(context.ledger, shop, EARLIER, 1_000)
    first = closed_now(context, conninfo, shop)
    remit(context.ledger, shop, first.statement_id, 1_000)
    cheque = remit(context.ledger, shop, first.statement_id, 500)
    give_on(context.ledger, shop, today(), 800)
    second = closed_now(context, conninfo, shop)
    assert statement(context, second).outstanding_cents == 300
    back = ReturnRemittance(at=now(), actor=ANNE, remittance_id=cheque, returned_on=today())
    context.ledger.handle(remittance, cheque, back)
    # The first seems to lack what it gave: nothing is said before that is put right.
    assert noted(context, conninfo, now() + LONG_LATE) == 0
    set_offs.set_off_due(context)
    assert noted(context, conninfo, now() + LONG_LATE) == 1
    assert not statement(context, first).overdue_noted
    assert statement(context, second).overdue_noted


def test_what_stood_for_a_statement_until_it_was_taken_back_was_good(
    context: Context, shop: Shop, conninfo: str
) -> None:
    """A credit covers what is due in a month, and is taken back long after that."""
    give_on(context.ledger, shop, EARLIER, 1_000)
    first = closed_now(context, conninfo, shop)
    cheque = remit(context.ledger, shop, first.statement_id, 1_800)
    give_on(context.ledger, shop, today(), 800)
    second = closed_now(context, conninfo, shop)
    assert statement(context, second).settled_on == today()
    long_after = today() + LONG_LATE
    back = RemittanceReturned(
        recorded_at=now(),
        actor=ANNE,
        remittance_id=cheque,
        partner_id=shop.partner_id,
        cents=1_800,
        returned_on=long_after,
        allocations=(whose(first, 1_800),),
    )
    insert_raw(conninfo, *encode(back), stream=uuid4())
    catch_up(conninfo)
    set_offs.set_off_due(context)
    catch_up(conninfo)
    assert statement(context, second).lacking_since == long_after
    assert noted(context, conninfo, now(days=1) + LONG_LATE) == 2
    late = {
        UUID(one.state["statement_id"]): one for one in stored(conninfo, "StatementFellOverdue")
    }
    assert {one.state["due_on"] for one in late.values()} == {str(long_after)}


def whose(closed: StatementClosed, cents: int) -> Allocation:
    return Allocation(
        target="statement",
        target_id=closed.statement_id,
        partner_id=closed.partner_id,
        cents=cents,
    )


def paid_on(conninfo: str, closed: StatementClosed, day: date) -> None:
    """Let a transfer settle a statement under a day that a bank's file said."""
    told: dict[str, Any] = {"recorded_at": now(), "actor": ANNE, "transaction_id": UUID(int=1)}
    matched = TransactionMatched(
        match_id=UUID(int=2),
        allocations=(whose(closed, closed.owed_cents),),
        rule="hand",
        booked_on=day,
        **told,
    )
    insert_raw(conninfo, *encode(matched), stream=UUID(int=1))


def test_a_day_to_come_ends_a_delay_today(context: Context, shop: Shop, conninfo: str) -> None:
    give_on(context.ledger, shop, EARLIER, 5_000)
    closed = closed_now(context, conninfo, shop)
    assert noted(context, conninfo, now() + LONG_LATE) == 1
    paid_on(conninfo, closed, date(2062, 11, 23))
    cleared = now(days=1) + LONG_LATE
    assert noted(context, conninfo, cleared) == 1
    with context.pool.connection() as connection:
        found = standings.on_day(connection, shop.partner_id, (cleared + timedelta(days=2)).date())
    assert found is not None
    assert found.status == "active"


def test_what_a_disabled_account_proposed_is_not_written_off(
    served: Served, context: Context, shop: Shop, conninfo: str
) -> None:
    give_on(context.ledger, shop, EARLIER, 5_000)
    closed = closed_now(context, conninfo, shop)
    first, second = person(served, "officer"), person(served, "committee")
    name, write_off_id = f"account:{first.account_id}", UUID(int=3)
    write_offs.propose(
        context, name, closed.statement_id, write_off_id, cents=5_000, reason="mistake"
    )
    accounts.disable(context, "console", first.account_id)
    catch_up(conninfo)
    approver = f"account:{second.account_id}"
    with pytest.raises(WriteOffProposerDisabled):
        write_offs.approve(context, approver, closed.statement_id, write_off_id, 5_000)
    write_offs.discard(context, approver, closed.statement_id, write_off_id)
