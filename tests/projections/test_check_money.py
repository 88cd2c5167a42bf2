"""The check of money finds every kind of fault that is planted, and only those."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from ledger.calendar import civil_day
from ledger.foundation import FOUNDATION_ID
from ledger.ids import stream_of
from ledger.payments.observed import Dispute, Terms
from ledger.settlements.commands import DiscardWriteOff, ProposeWriteOff
from ledger.settlements.decider import settlement
from ledger.store import Ledger, open_ledger
from projections import check_cards
from projections.every import READ_MODELS
from projections.follow import catch_up
from projections.rebuild import rebuild
from tests.conftest import created
from tests.projections.money import ANNE, Bank, Settled, of, pay_by_card, settle, statement_of, who
from tests.projections.test_check import change, checked, difference
from tests.projections.village import found, give, insert_raw


@pytest.fixture(scope="module")
def settled(
    server: str, maintenance: psycopg.Connection, migrated_template: str
) -> Iterator[tuple[str, Settled]]:
    """A database with a village that every read model has followed, copied for each test."""
    with created(maintenance, template=migrated_template) as name:
        conninfo = make_conninfo(server, dbname=name)
        with open_ledger(conninfo) as ledger:
            made = settle(ledger, conninfo, found(ledger, 80))
        catch_up(conninfo, READ_MODELS)
        assert checked(conninfo).differences == []
        yield name, made


@pytest.fixture
def conninfo(
    server: str, maintenance: psycopg.Connection, settled: tuple[str, Settled]
) -> Iterator[str]:
    """The conninfo of a village of its own."""
    with created(maintenance, template=settled[0]) as name:
        yield make_conninfo(server, dbname=name)


@pytest.fixture
def village(settled: tuple[str, Settled]) -> Settled:
    return settled[1]


def stored(conninfo: str, topic: str, **fields: Any) -> tuple[UUID, dict[str, Any]]:
    """Give the stream and the state of the first event of a type with some fields."""
    with psycopg.connect(conninfo) as connection:
        rows = connection.execute(
            "SELECT originator_id, state FROM ledger_events WHERE topic = %s"
            " ORDER BY notification_id",
            [topic],
        ).fetchall()
    states = [(stream, json.loads(bytes(state))) for stream, state in rows]
    return next(one for one in states if fields.items() <= one[1].items())


def alter(conninfo: str, topic: str, changes: dict[str, Any], **fields: Any) -> None:
    """Change some fields of a stored event behind the ledger's back."""
    stream, state = stored(conninfo, topic, **fields)
    change(
        conninfo,
        "UPDATE ledger_events SET state = %s WHERE topic = %s AND originator_id = %s"
        " AND state = %s",
        json.dumps(state | changes).encode(),
        topic,
        stream,
        json.dumps(state, separators=(",", ":"), ensure_ascii=False).encode(),
    )


def append(conninfo: str, topic: str, changes: dict[str, Any], **fields: Any) -> None:
    """Record an event again with some of its fields changed, behind the ledger's back."""
    stream, state = stored(conninfo, topic, **fields)
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(
            "SELECT max(originator_version) FROM ledger_events WHERE originator_id = %s", [stream]
        ).fetchone()
    assert row is not None
    told = json.dumps(state | changes).encode()
    insert_raw(conninfo, topic, told, stream=stream, version=row[0] + 1)


def test_every_cent_is_in_one_place(village: Settled, conninfo: str) -> None:
    told = checked(conninfo).whereabouts
    assert told.unexplained_cents == 0
    assert told.by_card_cents == 1_000 - 300
    assert told.written_off_cents == 40
    first = village.statements[0]
    assert told.banked_cents == first.owed_cents - 10 + 200 + 50 - 20
    assert told.on_statements_cents == 10 + sum(
        one.owed_cents - gone for one, gone in zip(village.statements[1:], (230, 40), strict=True)
    )
    assert told.open_cents > 0
    assert told.credit_cents == 0


def test_what_comes_after_a_statement_is_on_the_next_one(
    village: Settled, ledger: Ledger, conninfo: str
) -> None:
    before = checked(conninfo).whereabouts
    give(ledger, village.shops[:1], 40, random.Random(9))
    statement_of(ledger, conninfo, village.shops[0], village.statements[0])
    catch_up(conninfo, READ_MODELS)
    result = checked(conninfo)
    assert result.differences == []
    assert result.whereabouts.open_cents == before.open_cents
    assert result.whereabouts.on_statements_cents > before.on_statements_cents


def test_read_models_of_money_that_lag_are_compared_where_they_stand(
    village: Settled, ledger: Ledger, conninfo: str
) -> None:
    give(ledger, village.shops, 20, random.Random(5))
    bank = Bank(ledger)
    bank.match(bank.book(7), of(village.statements[0], 7))
    assert checked(conninfo).differences == []
    for name in ("dues", "bank", "statements", "pledges"):
        catch_up(conninfo, {name: READ_MODELS[name]})
        assert checked(conninfo).differences == []


@pytest.mark.parametrize(
    ("topic", "changes", "said"),
    [
        ("StatementClosed", {"lines": 1}, "has other lines: it says 1"),
        ("StatementClosed", {"owed_cents": 1}, "has other owed cents: it says 1"),
        ("StatementClosed", {"lines_sha256": "0" * 64}, "has other hash of its lines"),
        ("StatementClosed", {"parts": []}, "has other parts"),
        ("StatementClosed", {"days": []}, "has other days"),
        ("StatementClosed", {"number": 2}, "which is not the next one"),
        ("StatementClosed", {"reference": "RF00123"}, "a reference that is not its own"),
        ("StatementClosed", {"through_position": 10**9}, "reaches further than it can"),
        ("StatementClosed", {"through_position": 1}, "has other lines"),
        ("StatementClosed", {"last_on": "2020-01-01"}, "reaches further than it can"),
        ("StatementClosed", {"partner_id": str(UUID(int=1))}, "was never registered"),
        ("StatementClosed", {"reference": "RF18539007547034"}, "that is not its own"),
        ("StatementClosed", {"due_on": "2031-01-01"}, "on another day than any terms say"),
        ("StatementClosed", {"recorded_at": "2020-01-01T00:00:00Z"}, "than any terms say"),
        ("StatementReminded", {"level": 2}, "a reminder out of its order"),
        ("StatementReminded", {"reminded_on": "2020-01-01"}, "a statement that is not due"),
        ("StatementReminded", {"statement_id": str(UUID(int=1))}, "its partner does not have"),
        ("StatementFellOverdue", {"due_on": "2020-01-01"}, "says an earlier day"),
        ("WriteOffApproved", {"actor": ANNE}, "a write-off by one person alone"),
        ("WriteOffApproved", {"cents": 41}, "another amount than was proposed"),
        ("WriteOffApproved", {"cents": 10**9}, "writes off more than statement"),
        ("WriteOffApproved", {"write_off_id": str(UUID(int=1))}, "that nobody proposed"),
        ("WriteOffApproved", {"actor": "clock"}, "a write-off by one person alone"),
        ("WriteOffApproved", {"reason": "mistake"}, "for another reason than was proposed"),
        ("WriteOffApproved", {"approved_on": "2020-01-01"}, "writes off before"),
        ("WriteOffApproved", {"partner_id": str(UUID(int=3))}, "that nobody proposed"),
        ("WriteOffProposed", {"write_off_id": str(UUID(int=1))}, "that nobody proposed"),
        ("RemittanceApproved", {"actor": ANNE}, "a remittance seen by one person alone"),
        ("RemittanceApproved", {"actor": "clock"}, "a remittance seen by one person alone"),
        ("RemittanceApproved", {"received_on": "2020-01-01"}, "another remittance than was"),
        ("RemittanceApproved", {"means": "other"}, "another remittance than was declared"),
        ("RemittanceApproved", {"cents": 1}, "another remittance than was declared"),
        ("RemittanceDeclared", {"cents": 1}, "more or less than was handed over"),
        ("RemittanceReturned", {"cents": 1}, "another remittance than was declared"),
        ("RemittanceReturned", {"returned_on": "2020-01-01"}, "not handed over yet"),
        ("CollectionAccountApproved", {"holder": "X"}, "that two people did not agree upon"),
        ("CollectionAccountApproved", {"actor": "console"}, "that two people did not agree upon"),
        ("BankFileRead", {"account_id": str(UUID(int=9))}, "an account that nobody approved"),
        ("BankTransactionBooked", {"account_id": str(UUID(int=9))}, "money on another account"),
        ("BankTransactionBooked", {"booked_on": "2020-01-01"}, "on another day than it was"),
        ("TransactionMatched", {"booked_on": "2020-01-01"}, "on another day than it was booked"),
        ("BankFileRead", {"closing_cents": 1}, "whose balances do not add up"),
        ("BankFileRead", {"credit_cents": 0}, "whose balances do not add up"),
        ("BankTransactionBooked", {"cents": 1}, "moved another sum than was booked"),
        ("BankTransactionBooked", {"cents": 1}, "cents of a transaction of 1"),
        ("BankTransactionBooked", {"transaction_id": str(UUID(int=1))}, "that was never booked"),
        ("TransactionMatched", {"match_id": str(UUID(int=1))}, "a match that does not hold"),
        ("TransactionUnmatched", {"allocations": []}, "a match that does not hold"),
        ("PaymentSucceeded", {"cents": 10}, "leaves -10 cents of a payment of 10"),
        ("PaymentRefunded", {"payment_id": str(UUID(int=1))}, "a payment that did not succeed"),
        ("PayoutPaid", {"lines": 2}, "has 1 lines and says 2"),
        ("PayoutPaid", {"cents": 1}, "is of 1 cents; its lines come to"),
        ("PayoutListed", {"first_line": 1}, "leaves out or repeats lines"),
        ("PayoutListed", {"lines": []}, "has 0 lines and says 1"),
        ("PledgeCalled", {"cents": 10**9}, "calls more of a pledge than was promised"),
        ("PledgeCalled", {"reference": "RF00123"}, "a reference that is not its own"),
        ("PledgeMade", {"pledge_id": str(UUID(int=1))}, "a pledge that nobody made"),
    ],
)
def test_an_event_of_money_that_was_altered_is_found(
    conninfo: str, topic: str, changes: dict[str, Any], said: str
) -> None:
    alter(conninfo, topic, changes)
    assert said in difference(conninfo)


@pytest.mark.parametrize(
    ("topic", "changes", "said"),
    [
        ("StatementClosed", {}, "under the id of another"),
        ("StatementReminded", {}, "a reminder out of its order"),
        ("StatementFellOverdue", {}, "says again what is said"),
        ("WriteOffApproved", {}, "that nobody proposed"),
        ("RemittanceDeclared", {}, "declares a remittance a second time"),
        ("RemittanceApproved", {}, "what cannot be done to it now"),
        ("RemittanceReturned", {}, "what cannot be done to it now"),
        ("BankTransactionBooked", {}, "books a transaction a second time"),
        ("TransactionMatched", {"match_id": str(UUID(int=1))}, "cents of a transaction of"),
        ("TransactionUnmatched", {}, "undoes a match that does not hold"),
        ("PaymentSucceeded", {}, "a payment that succeeded before"),
        ("PaymentRefunded", {}, "gives the same refund twice"),
        ("PayoutPaid", {}, "a payout that was sent before"),
        ("PayoutListed", {}, "leaves out or repeats lines"),
        ("PledgeMade", {}, "makes a pledge a second time"),
        ("PledgeCalled", {}, "a reference that is not its own"),
    ],
)
def test_an_event_of_money_that_was_recorded_twice_is_found(
    conninfo: str, topic: str, changes: dict[str, Any], said: str
) -> None:
    append(conninfo, topic, changes)
    assert said in difference(conninfo)


def test_what_a_refund_and_a_dispute_gave_back_twice_is_no_fault(
    village: Settled, ledger: Ledger, conninfo: str
) -> None:
    third = village.statements[2]
    terms = Terms(purpose="statement", purpose_id=third.statement_id, partner_id=third.partner_id)
    contested = Dispute(
        dispute_id="du_whole",
        cents=60,
        reason="fraudulent",
        withdrawn_cents=60,
        withdrawn_on=civil_day(datetime.now(UTC)),
    )
    pay_by_card(ledger, terms, 60, refunded=50, disputes=(contested,))
    catch_up(conninfo, READ_MODELS)
    assert checked(conninfo).differences == []
    bank = Bank(ledger)
    bank.match(bank.book(-10, "return"), of(third, -10))
    assert f"statement {third.statement_id} has got -60 cents" in difference(conninfo)


def test_two_statements_may_have_write_offs_of_one_name(
    village: Settled, ledger: Ledger, conninfo: str
) -> None:
    same, several = uuid4(), village.statements[:2]
    for one in several:
        propose = ProposeWriteOff(
            partner_id=one.partner_id,
            statement_id=one.statement_id,
            write_off_id=same,
            cents=1,
            reason="too_small",
            outstanding_cents=1,
            **who(ANNE),
        )
        ledger.handle(settlement, one.partner_id, propose)
    for one in several:
        discarded = DiscardWriteOff(
            partner_id=one.partner_id,
            statement_id=one.statement_id,
            write_off_id=same,
            **who(ANNE),
        )
        ledger.handle(settlement, one.partner_id, discarded)
        catch_up(conninfo, READ_MODELS)
        assert checked(conninfo).differences == []


def test_a_gift_that_was_taken_off_a_statement_is_found(village: Settled, conninfo: str) -> None:
    whose = {"partner_id": str(village.shops[0].partner_id)}
    _, state = stored(conninfo, "DonationRecorded", **whose)
    alter(conninfo, "DonationRecorded", {"amount_cents": state["amount_cents"] + 1}, **whose)
    assert f"statement {village.statements[0].statement_id}" in difference(conninfo)


def test_a_gift_by_card_without_its_payment_is_found(conninfo: str) -> None:
    _, state = stored(conninfo, "DonationRecorded", actor="cards")
    donation_id = uuid4()
    told = json.dumps(state | {"donation_id": str(donation_id)}).encode()
    insert_raw(conninfo, "DonationRecorded", told, stream=stream_of("donation", donation_id))
    assert f"gift {donation_id} is said to be paid by card" in difference(conninfo)


def test_a_payment_by_card_without_its_gift_is_found(
    conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(conninfo, "DELETE FROM ledger_events WHERE topic = 'DonationReversed'")
    assert "kept 700 cents, its gifts 1000" not in difference(conninfo)
    monkeypatch.setattr(check_cards, "FOLLOWS_WITHIN", timedelta(0))
    assert "kept 700 cents, its gifts 1000" in difference(conninfo)


def test_an_account_that_one_person_named_is_found(conninfo: str) -> None:
    proposal: dict[str, Any] = {
        "recorded_at": "2026-11-23T10:00:00Z",
        "actor": ANNE,
        "proposal_id": str(UUID(int=5)),
        "iban": "FR7630006000011234567890189",
        "holder": "Fondation",
    }
    stream = stream_of("foundation", FOUNDATION_ID)
    told = json.dumps(proposal).encode()
    insert_raw(conninfo, "CollectionAccountProposed", told, stream=stream, version=3)
    approved = json.dumps(proposal | {"account_id": str(UUID(int=6))}).encode()
    insert_raw(conninfo, "CollectionAccountApproved", approved, stream=stream, version=4)
    assert "that two people did not agree upon" in difference(conninfo)


@pytest.mark.parametrize("kind", ["settlement", "overdue", "banktransaction", "payment", "pledge"])
def test_an_event_of_money_in_a_stream_of_another_is_found(conninfo: str, kind: str) -> None:
    topic = {
        "settlement": "StatementReminded",
        "overdue": "StatementFellOverdue",
        "banktransaction": "BankTransactionBooked",
        "payment": "PaymentSucceeded",
        "pledge": "PledgeMade",
    }[kind]
    _, state = stored(conninfo, topic)
    insert_raw(conninfo, topic, json.dumps(state).encode(), stream=uuid4())
    assert f"stands in a stream that is not of its {kind}" in difference(conninfo)


def test_a_card_fee_stands_in_the_stream_of_fees(conninfo: str) -> None:
    fee = {"in_force_from": "2027-01-01", "rate_per_10_000": 140, "fixed_cents": 20}
    told = json.dumps({"recorded_at": "2026-11-23T10:00:00Z", "actor": ANNE, "fee": fee}).encode()
    insert_raw(conninfo, "CardFeeSet", told, stream=stream_of("cardfee", FOUNDATION_ID))
    insert_raw(conninfo, "CardFeeSet", told, stream=uuid4())
    assert difference(conninfo).count("stands in a stream that is not of its cardfee") == 1


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE due_partner SET cents = cents + 1", "open sum of partner"),
        ("UPDATE due_partner SET lines = lines + 1", "open sum of partner"),
        ("UPDATE due_block SET positions = substr(positions, 9)", "lines of partner"),
        ("DELETE FROM due_block", "lines of partner"),
        ("UPDATE statement SET owed_cents = owed_cents + 1", "statement"),
        ("UPDATE statement SET banked_cents = banked_cents + 1", "statement"),
        ("UPDATE statement SET written_off_cents = 0", "statement"),
        ("UPDATE statement SET reminders = 0", "statement"),
        ("UPDATE statement SET overdue_noted = NOT overdue_noted", "statement"),
        ("DELETE FROM statement WHERE number = 1", "the read model says None"),
        ("UPDATE statement_day SET cents = cents + 1", "days of statement"),
        ("UPDATE bank_transaction SET open_cents = 1", "bank transaction"),
        ("DELETE FROM bank_transaction WHERE cents < 0", "bank transaction"),
        ("UPDATE bank_match SET undone_at = NULL", "bank match"),
        ("DELETE FROM bank_match WHERE undone_at IS NULL", "bank match"),
        ("UPDATE bank_day SET cents = 0", "bank balance"),
        ("UPDATE remittance SET state = 'approved' WHERE state = 'returned'", "remittance"),
        ("UPDATE remittance SET deposited_cents = 0", "remittance"),
        ("UPDATE pledge SET banked_cents = 0", "pledge"),
        ("UPDATE pledge SET called_cents = 0", "pledge"),
        ("UPDATE payment SET refunded_cents = 0", "card payment"),
        ("UPDATE payout SET banked_cents = 0", "payout"),
        ("UPDATE payout SET failed_on = now()", "payout"),
        ("DELETE FROM payout_line", "payout"),
    ],
)
def test_a_read_model_of_money_that_says_otherwise_is_found(
    conninfo: str, statement: LiteralString, said: str
) -> None:
    change(conninfo, statement)
    assert said in difference(conninfo)


def test_a_rebuild_of_the_models_of_money_checks_out(conninfo: str) -> None:
    rebuild(conninfo, READ_MODELS)
    assert checked(conninfo).differences == []
