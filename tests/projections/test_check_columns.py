"""The check holds every column of every read model of money against the events."""

from collections import defaultdict
from datetime import UTC, date, datetime
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Composed, Identifier

from ledger.events import decode
from ledger.payments.commands import ObservePayment, ObserveSubscription, StartCheckout
from ledger.payments.observed import (
    Charge,
    Dispute,
    ObservedPayment,
    ObservedSubscription,
    Refund,
    Terms,
)
from ledger.payments.payments import payment
from ledger.payments.subscriptions import subscription
from ledger.settlements.commands import ProposeWriteOff
from ledger.settlements.decider import settlement
from ledger.store import Ledger
from projections.bank import bank
from projections.check import stored_events
from projections.check_money import Money
from projections.dues import dues
from projections.every import READ_MODELS
from projections.follow import catch_up, positions
from projections.payments import payments
from projections.payouts import payouts
from projections.pledges import pledges
from projections.remittances import remittances
from projections.statements import statements
from tests.projections import test_check_money
from tests.projections.money import Settled, who
from tests.projections.test_check import checked
from tests.rounds import open_round

settled = test_check_money.settled
conninfo = test_check_money.conninfo
village = test_check_money.village

TODAY = date(2026, 11, 2)
MODELS = (dues, statements, bank, remittances, pledges, payments, payouts)
# By the type of a column: another value than it has.
OTHER: dict[str, LiteralString] = {
    "uuid": "gen_random_uuid()",
    "bigint": "coalesce({0}, 0) + 1000",
    "integer": "coalesce({0}, 0) + 1000",
    "date": "coalesce({0}, date '2026-01-01') + 400",
    "text": "coalesce({0}, '') || 'x'",
    "boolean": "NOT {0}",
    "timestamp with time zone": "coalesce({0}, now()) - interval '1 second'",
    "ARRAY": "{0} || ARRAY['RF18539007547034']",
    "bytea": "set_byte({0}, 7, (get_byte({0}, 7) + 1) % 256)",
}
PARTS: LiteralString = """'[{{"cents": 0}}]'::jsonb"""
COLUMNS = """
SELECT table_name, column_name, data_type FROM information_schema.columns
WHERE table_name = ANY(%s) AND is_generated = 'NEVER' ORDER BY table_name, ordinal_position
"""


def by_card(ledger: Ledger, terms: Terms, **changes: Any) -> None:
    payment_id, at = uuid4(), datetime.now(UTC)
    charge = Charge(charge_id="ch_contested", cents=900, method="card", succeeded_at=at)
    seen = ObservedPayment(
        payment_id=payment_id,
        status="succeeded",
        terms=terms,
        charge=charge,
        livemode=False,
        **changes,
    )
    ledger.handle(payment, payment_id, ObservePayment(seen=seen, **who("cards")))


def fill(ledger: Ledger, village: Settled) -> None:
    """Let there be a row of everything that the village has none of."""
    owing = village.statements[2]
    terms = Terms(purpose="statement", purpose_id=owing.statement_id, partner_id=owing.partner_id)
    back = Refund(refund_id="re_failed", cents=5, refunded_on=TODAY)
    contested = Dispute(
        dispute_id="du_1",
        cents=700,
        reason="fraudulent",
        withdrawn_cents=700,
        withdrawn_on=TODAY,
        outcome="lost",
    )
    by_card(ledger, terms, refunds=(back,), disputes=(contested,))
    begun = StartCheckout(
        payment_id=uuid4(),
        purpose="foundation",
        cents=500,
        fee_cover_cents=20,
        interval="once",
        livemode=False,
        **who("public"),
    )
    ledger.handle(payment, begun.payment_id, begun)
    ended = ObservedSubscription(subscription_id=uuid4(), ended_on=TODAY)
    command = ObserveSubscription(seen=ended, **who("cards"))
    ledger.handle(subscription, ended.subscription_id, command)
    forgive = ProposeWriteOff(
        partner_id=owing.partner_id,
        statement_id=owing.statement_id,
        write_off_id=uuid4(),
        cents=1,
        reason="too_small",
        outstanding_cents=1,
        **who(),
    )
    ledger.handle(settlement, owing.partner_id, forgive)
    matching = {"sponsor": "mairie", "cents_per_euro": 100, "cap_cents": 1_000}
    open_round(ledger, pot={"sources": ["customer"], "last_on": TODAY, "matching": matching})


def read(cursor: psycopg.Cursor[Any], said: list[str]) -> Money:
    """Read all events as the check does."""
    reached = defaultdict(int, positions(cursor.connection))
    money = Money.of(cursor, reached, said.append)
    for rows in stored_events(cursor):
        for position, _, topic, state in rows:
            money.take(position, decode(topic, bytes(state)))
    return money


def other_value(table: str, column: str, kind: str) -> Composed:
    """Change a column of one row."""
    value = SQL(PARTS if kind == "jsonb" else OTHER[kind]).format(Identifier(column))
    change = SQL("UPDATE {0} SET {1} = {2} WHERE ctid = (SELECT max(ctid) FROM {0})")
    return change.format(Identifier(table), Identifier(column), value)


def test_every_column_of_money_is_held_against_the_events(
    village: Settled, ledger: Ledger, conninfo: str
) -> None:
    fill(ledger, village)
    catch_up(conninfo, READ_MODELS)
    assert checked(conninfo).differences == []
    tables = [table for model in MODELS for table in model.tables]
    unnoticed, empty = set[str](), set[str]()
    with (
        psycopg.connect(conninfo) as connection,
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        said: list[str] = []
        money = read(cursor, said)
        for table, column, kind in cursor.execute(COLUMNS, [tables]).fetchall():
            said.clear()
            with connection.transaction(force_rollback=True):
                if not cursor.execute(other_value(table, column, kind)).rowcount:
                    empty.add(table)
                    continue
                money.models.agree(cursor, said.append)
            if not said:
                unnoticed.add(f"{table}.{column}")
        for table in set(tables) - empty:
            said.clear()
            with connection.transaction(force_rollback=True):
                cursor.execute(SQL("DELETE FROM {}").format(Identifier(table)))
                money.models.agree(cursor, said.append)
            if not said:
                unnoticed.add(table)
    assert unnoticed == set()
    # Only a round that was counted uses a pledge.
    assert empty == {"pledge_use"}
