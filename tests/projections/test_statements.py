"""Dues and statements: each line once, each cent counted, and a rebuild that equals what lives."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import Connection

from ledger.decider import Event
from ledger.events import encode
from ledger.partners.agreements import AmendAgreement, agreement, agreement_id_of
from ledger.payments.events import (
    DisputeFundsReinstated,
    DisputeFundsWithdrawn,
    PaymentRefunded,
    PaymentSucceeded,
)
from ledger.remittances import ReturnRemittance, remittance
from ledger.settlements.commands import (
    ApproveWriteOff,
    CloseStatement,
    DiscardWriteOff,
    ProposeWriteOff,
    Reminder,
    RemindOfStatements,
)
from ledger.settlements.decider import settlement
from ledger.settlements.events import StatementClosed
from ledger.settlements.lines import Line, Reach, csv_of, days_of, digest_of, parts_of
from ledger.store import Ledger
from projections import dues, feed, follow, statements
from projections import rebuild as rebuilding
from projections.every import READ_MODELS
from projections.rebuild import rebuild
from tests.api.settlements import ANNE, BRUNO, catch_up, give_back, give_on, remit, today
from tests.api.shops import Shop, open_shop, siret
from tests.projections.village import insert_raw, rows

SEED = 23
OURS = {name: READ_MODELS[name] for name in ("dues", "statements")}


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def shop(ledger: Ledger) -> Shop:
    return open_shop(ledger, 1)


@pytest.fixture
def connection(conninfo: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(conninfo, autocommit=True) as opened:
        yield opened


def reach_now(conninfo: str, last_on: date | None = None) -> Reach:
    catch_up(conninfo)
    with psycopg.connect(conninfo) as connection:
        return Reach(feed.head(connection), last_on or today())


def close(
    ledger: Ledger,
    conninfo: str,
    shop: Shop,
    before: StatementClosed | None = None,
    *,
    last_on: date | None = None,
    number: int = 1,
) -> StatementClosed:
    """Close a statement of a shop's lines, whatever they come to."""
    reach = reach_now(conninfo, last_on)
    earlier = None if before is None else Reach(before.through_position, before.last_on)
    with psycopg.connect(conninfo) as connection:
        lines = dues.lines_of(connection, shop.partner_id, earlier, reach)
    command = CloseStatement(
        at=now(),
        actor=ANNE,
        partner_id=shop.partner_id,
        siret=siret(number),
        number=1 if before is None else before.number + 1,
        first_on=min(line.day for line in lines),
        last_on=reach.last_on,
        through_position=reach.through_position,
        lines=len(lines),
        lines_sha256=digest_of(csv_of(lines)),
        parts=parts_of(lines),
        days=days_of(lines),
        due_on=today() + timedelta(days=30),
        closed_by="officer",
    )
    closed = ledger.handle(settlement, shop.partner_id, command).history[-1].event
    assert isinstance(closed, StatementClosed)
    return closed


def random_gifts(ledger: Ledger, shop: Shop, dice: random.Random, count: int) -> list[UUID]:
    """Record gifts of the last days out of their order, and give some back."""
    made = []
    for _ in range(count):
        day = today() - timedelta(days=dice.randint(0, 20))
        cents = dice.randint(1, 900)
        made.append(give_on(ledger, shop, day, cents))
        if dice.random() < 0.3:
            back_on = day + timedelta(days=dice.randint(0, (today() - day).days))
            give_back(ledger, shop, made[-1], dice.randint(1, cents), back_on)
    return made


def stored(ledger: Ledger, conninfo: str, *events: Event) -> None:
    for event in events:
        insert_raw(conninfo, *encode(event))


class TestLines:
    def test_each_is_on_one_statement_and_none_is_lost(
        self, ledger: Ledger, conninfo: str, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        print(f"seed {SEED}")
        dice = random.Random(SEED)
        # Small, so that reaches end in the middle of blocks and reads take turns.
        monkeypatch.setattr(dues, "BLOCK_POSITIONS", 7)
        monkeypatch.setattr(dues, "READ_LINES", 5)
        other = open_shop(ledger, 2)
        seen: list[Line] = []
        before: Reach | None = None
        for ago in (15, 8, 8, 3, 0):
            random_gifts(ledger, shop, dice, 8)
            random_gifts(ledger, other, dice, 3)
            reach = reach_now(conninfo, today() - timedelta(days=ago))
            with psycopg.connect(conninfo) as connection:
                found = dues.lines_of(connection, shop.partner_id, before, reach)
            assert all(reach.holds(one.position, one.day) for one in found)
            assert found == sorted(found, key=lambda one: one.position)
            seen += found
            before = reach
        with psycopg.connect(conninfo) as connection:
            assert before is not None
            everything = dues.lines_of(connection, shop.partner_id, None, before)
            (left,) = dues.open_of(connection, shop.partner_id)
        assert sorted(one.position for one in seen) == [one.position for one in everything]
        assert (left.lines, left.cents) == (
            len(everything),
            sum(one.cents for one in everything),
        )
        assert [one.kind for one in everything].count("reversal") > 0

    def test_whose_money_it_is_goes_by_the_day_of_the_gift(
        self, ledger: Ledger, conninfo: str, shop: Shop, connection: Connection[Any]
    ) -> None:
        early = give_on(ledger, shop, today() - timedelta(days=10), 100)
        give_on(ledger, shop, today() - timedelta(days=1), 200)
        give_on(ledger, shop, today() - timedelta(days=500), 300)
        before = reach_now(conninfo)
        amended = AmendAgreement(
            at=now(),
            actor=ANNE,
            agreement_id=agreement_id_of("2026-001"),
            partner_id=shop.partner_id,
            regime="own_name",
            commitment="round_up",
            charter_version=1,
            amended_on=today() - timedelta(days=5),
        )
        ledger.handle(agreement, amended.agreement_id, amended)
        give_back(ledger, shop, early, 40)
        after = reach_now(conninfo)
        now_known = dues.lines_of(connection, shop.partner_id, None, after)
        assert [(one.cents, one.regime) for one in now_known] == [
            (100, "mandate"),
            (200, "own_name"),
            (300, None),
            (-40, "mandate"),
        ]
        # What was frozen before the amendment was known is told as it was known then.
        known_then = dues.lines_of(connection, shop.partner_id, None, before)
        assert [one.regime for one in known_then] == ["mandate", "mandate", None]

    def test_statements_take_from_what_is_open(
        self, ledger: Ledger, conninfo: str, shop: Shop, connection: Connection[Any]
    ) -> None:
        give_on(ledger, shop, today() - timedelta(days=3), 500)
        closed = close(ledger, conninfo, shop)
        assert closed.owed_cents == 500
        catch_up(conninfo)
        assert dues.open_of(connection) == []
        give_on(ledger, shop, today() - timedelta(days=3), 70)
        give_on(ledger, shop, today(), 30)
        catch_up(conninfo)
        (left,) = dues.open_of(connection)
        assert (left.lines, left.cents, left.last_on) == (2, 100, today())


class TestMoney:
    @pytest.fixture
    def closed(self, ledger: Ledger, conninfo: str, shop: Shop) -> StatementClosed:
        give_on(ledger, shop, today() - timedelta(days=30), 1_000)
        return close(ledger, conninfo, shop)

    def one(self, conninfo: str, closed: StatementClosed) -> statements.Statement:
        catch_up(conninfo)
        with psycopg.connect(conninfo) as connection:
            found = statements.one(connection, closed.statement_id)
        assert found is not None
        return found

    def test_what_a_card_paid_lost_and_got_back(
        self, ledger: Ledger, conninfo: str, closed: StatementClosed
    ) -> None:
        payment_id = uuid4()
        who: dict[str, Any] = {
            "recorded_at": now(),
            "actor": "stripe",
            "payment_id": payment_id,
        }
        paid = PaymentSucceeded(
            purpose="statement",
            purpose_id=closed.statement_id,
            partner_id=closed.partner_id,
            charge_id="ch_1",
            cents=1_000,
            method="card",
            succeeded_at=now(),
            livemode=False,
            **who,
        )
        refunded = PaymentRefunded(refund_id="re_1", cents=300, refunded_on=today(), **who)
        withdrawn = DisputeFundsWithdrawn(dispute_id="dp_1", cents=700, withdrawn_on=today(), **who)
        won = DisputeFundsReinstated(dispute_id="dp_1", cents=700, reinstated_on=today(), **who)
        for event, left in ((paid, 0), (refunded, 300), (withdrawn, 1_000), (won, 300)):
            stored(ledger, conninfo, event)
            assert self.one(conninfo, closed).outstanding_cents == left
        expected = rows(conninfo, OURS)
        rebuild(conninfo, OURS)
        assert rows(conninfo, OURS) == expected

    def test_a_payment_for_something_else_is_no_statements(
        self, ledger: Ledger, conninfo: str, closed: StatementClosed
    ) -> None:
        who: dict[str, Any] = {"recorded_at": now(), "actor": "stripe", "payment_id": uuid4()}
        paid = PaymentSucceeded(
            purpose="project",
            purpose_id=closed.statement_id,
            charge_id="ch_2",
            cents=1_000,
            method="card",
            succeeded_at=now(),
            livemode=False,
            **who,
        )
        refunded = PaymentRefunded(refund_id="re_2", cents=300, refunded_on=today(), **who)
        stored(ledger, conninfo, paid, refunded)
        assert self.one(conninfo, closed).outstanding_cents == 1_000

    def test_it_is_settled_since_it_never_lacked_a_cent(
        self, ledger: Ledger, conninfo: str, shop: Shop, closed: StatementClosed
    ) -> None:
        days = [today() - timedelta(days=ago) for ago in (9, 6, 4, 2)]
        first = remit(ledger, shop, closed.statement_id, 1_000, days[0])
        assert self.one(conninfo, closed).settled_on == days[0]
        back = ReturnRemittance(at=now(), actor=ANNE, remittance_id=first, returned_on=days[1])
        ledger.handle(remittance, first, back)
        assert self.one(conninfo, closed).settled_on is None
        remit(ledger, shop, closed.statement_id, 600, days[2])
        assert self.one(conninfo, closed).settled_on is None
        remit(ledger, shop, closed.statement_id, 400, days[3])
        assert self.one(conninfo, closed).settled_on == days[3]
        # News of an older cheque that was there all the time: none of it was needed later.
        remit(ledger, shop, closed.statement_id, 1_000, days[1])
        assert self.one(conninfo, closed).settled_on == days[1]

    def test_written_off_is_told_apart(
        self, ledger: Ledger, conninfo: str, shop: Shop, closed: StatementClosed
    ) -> None:
        write_off(ledger, shop, closed, 250)
        remit(ledger, shop, closed.statement_id, 700)
        found = self.one(conninfo, closed)
        assert (found.banked_cents, found.written_off_cents) == (700, 250)
        assert (found.outstanding_cents, found.write_off) == (50, None)


def write_off(ledger: Ledger, shop: Shop, closed: StatementClosed, cents: int) -> None:
    write_off_id = uuid4()
    whose: dict[str, Any] = {
        "at": now(),
        "partner_id": shop.partner_id,
        "statement_id": closed.statement_id,
        "write_off_id": write_off_id,
        "outstanding_cents": closed.owed_cents,
    }
    proposed = ProposeWriteOff(actor=ANNE, cents=cents, reason="insolvency", **whose)
    approved = ApproveWriteOff(actor=BRUNO, cents=cents, approved_on=today(), **whose)
    for command in (proposed, approved):
        ledger.handle(settlement, shop.partner_id, command)


def a_life(ledger: Ledger, conninfo: str, dice: random.Random) -> None:
    """Let two shops be settled several times, with every kind of event that statements take."""
    for number in (1, 2):
        shop = open_shop(ledger, number)
        before: StatementClosed | None = None
        for ago in (12, 6, 0):
            random_gifts(ledger, shop, dice, 5)
            give_on(ledger, shop, today() - timedelta(days=20), 5_000)
            last_on = today() - timedelta(days=ago)
            closed = close(ledger, conninfo, shop, before, last_on=last_on, number=number)
            settled_once(ledger, shop, closed)
            before = closed


def settled_once(ledger: Ledger, shop: Shop, closed: StatementClosed) -> None:
    whose: dict[str, Any] = {
        "at": now(),
        "actor": ANNE,
        "partner_id": shop.partner_id,
        "statement_id": closed.statement_id,
    }
    cheque = remit(ledger, shop, closed.statement_id, 900)
    back = ReturnRemittance(at=now(), actor=ANNE, remittance_id=cheque, returned_on=today())
    ledger.handle(remittance, cheque, back)
    first = Reminder(statement_id=closed.statement_id, level=1, outstanding_cents=closed.owed_cents)
    reminded = RemindOfStatements(
        at=now(),
        actor=ANNE,
        partner_id=shop.partner_id,
        # One letter a day: each statement of the shop has its own.
        reminded_on=closed.due_on + timedelta(days=closed.number),
        reminders=(first,),
    )
    ledger.handle(settlement, shop.partner_id, reminded)
    proposal = ProposeWriteOff(
        write_off_id=uuid4(),
        cents=100,
        reason="disputed",
        outstanding_cents=closed.owed_cents,
        **whose,
    )
    ledger.handle(settlement, shop.partner_id, proposal)
    discarded = DiscardWriteOff(write_off_id=proposal.write_off_id, **whose)
    ledger.handle(settlement, shop.partner_id, discarded)
    write_off(ledger, shop, closed, 150)
    remit(ledger, shop, closed.statement_id, closed.owed_cents - 150)


@pytest.mark.parametrize(("live", "again"), [(3, 50), (1, 7), (1_000, 2_500)])
def test_rebuilt_they_are_the_same_page_by_page_or_not(
    ledger: Ledger, conninfo: str, monkeypatch: pytest.MonkeyPatch, live: int, again: int
) -> None:
    print(f"seed {SEED}")
    monkeypatch.setattr(follow, "PAGE_EVENTS", live)
    monkeypatch.setattr(rebuilding, "PAGE_EVENTS", again)
    a_life(ledger, conninfo, random.Random(SEED))
    catch_up(conninfo)
    expected = rows(conninfo, OURS)
    assert len(expected["statement"]) == 6
    assert len(expected["statement_money"]) == 6 * 4
    rebuild(conninfo, OURS)
    assert rows(conninfo, OURS) == expected


def test_frozen_lines_are_found_again_for_ever(
    ledger: Ledger, conninfo: str, connection: Connection[Any]
) -> None:
    a_life(ledger, conninfo, random.Random(SEED + 1))
    catch_up(conninfo)
    for one in statements.newest(connection):
        before = statements.reach_before(connection, one)
        upto = Reach(one.through_position, one.last_on)
        lines = dues.lines_of(connection, one.partner_id, before, upto)
        assert digest_of(csv_of(lines)) == one.lines_sha256
        assert sum(line.cents for line in lines) == one.owed_cents
        for line in lines:
            found = statements.of_line(connection, one.partner_id, line.position, line.day)
            assert found is not None
            assert found.statement_id == one.statement_id
