"""A little village whose money is in every place it can be, for the check to look at."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from api.admin import registered
from ledger.allocations import Allocation
from ledger.bank.events import Kind
from ledger.bank.files import ReadFile, bank_file
from ledger.bank.transactions import (
    BookTransaction,
    MatchTransaction,
    UnmatchTransaction,
    transaction,
)
from ledger.calendar import civil_day
from ledger.donations import donation
from ledger.foundation import (
    FOUNDATION_ID,
    ApproveCollectionAccount,
    ProposeCollectionAccount,
    account_id_of,
    foundation,
)
from ledger.partners.overdue import NoteOverdue, overdue
from ledger.partners.register import RegisterPartner, partner
from ledger.payments.commands import ObservePayment, ObservePayout
from ledger.payments.events import PayoutLine
from ledger.payments.observed import (
    Charge,
    Dispute,
    ObservedPayment,
    ObservedPayout,
    Refund,
    Terms,
)
from ledger.payments.payments import payment
from ledger.payments.payouts import payout
from ledger.pledges import CallPledge, MakePledge, pledge
from ledger.reactions import ONLINE_TILL_ID, gift_commands
from ledger.remittances import (
    ApproveRemittance,
    DeclareRemittance,
    ReturnRemittance,
    remittance,
)
from ledger.settlements.commands import (
    ApproveWriteOff,
    CloseStatement,
    ProposeWriteOff,
    Reminder,
    RemindOfStatements,
)
from ledger.settlements.decider import settlement
from ledger.settlements.events import StatementClosed
from ledger.settlements.lines import Reach, csv_of, days_of, digest_of, parts_of
from ledger.store import Ledger
from ledger.tills import EnrolTill, till
from projections import dues
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.shops import Shop, siret

ANNE, BRUNO = (f"account:00000000-0000-0000-0000-00000000000{end}" for end in "ab")
IBAN = "FR7630006000011234567890189"
ACCOUNT_ID = account_id_of(IBAN)
LATER = timedelta(days=40)


def who(actor: str = ANNE, **fields: Any) -> dict[str, Any]:
    return {"at": datetime.now(UTC), "actor": actor} | fields


def statement_of(
    ledger: Ledger, conninfo: str, shop: Shop, before: StatementClosed | None = None
) -> StatementClosed:
    """Close a statement of all that a shop has open, as an officer does."""
    catch_up(conninfo, READ_MODELS)
    reached = None if before is None else Reach(before.through_position, before.last_on)
    today = civil_day(datetime.now(UTC))
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("SELECT max(notification_id) FROM ledger_events").fetchone()
        reach = Reach(row[0] if row else 0, today)
        lines = dues.lines_of(connection, shop.partner_id, reached, reach)
    command = CloseStatement(
        partner_id=shop.partner_id,
        siret=registered(ledger, shop.partner_id).siret,
        number=1 if before is None else before.number + 1,
        first_on=min(line.day for line in lines),
        last_on=reach.last_on,
        through_position=reach.through_position,
        lines=len(lines),
        lines_sha256=digest_of(csv_of(lines)),
        parts=parts_of(lines),
        days=days_of(lines),
        due_on=today + timedelta(days=30),
        closed_by="officer",
        **who(),
    )
    closed = ledger.handle(settlement, shop.partner_id, command).history[-1].event
    assert isinstance(closed, StatementClosed)
    return closed


def name_account(ledger: Ledger) -> None:
    """Let two people name the account that the bank's statements are of."""
    proposal_id = uuid4()
    propose = ProposeCollectionAccount(
        proposal_id=proposal_id, iban=IBAN, holder="Fondation", **who()
    )
    approve = ApproveCollectionAccount(proposal_id=proposal_id, iban=IBAN, **who(BRUNO))
    for command in (propose, approve):
        ledger.handle(foundation, FOUNDATION_ID, command)


def of(statement: StatementClosed, cents: int) -> Allocation:
    return Allocation(
        target="statement",
        target_id=statement.statement_id,
        partner_id=statement.partner_id,
        cents=cents,
    )


@dataclass
class Bank:
    """An account with one statement of the bank a day, of one movement."""

    ledger: Ledger
    balance: int = 10_000

    def book(self, cents: int, kind: Kind = "transfer") -> UUID:
        """Book a movement, and the statement of the bank that holds it alone."""
        today = civil_day(datetime.now(UTC))
        whose: dict[str, Any] = {"account_id": ACCOUNT_ID, "file_id": uuid4()}
        transaction_id = uuid4()
        book = BookTransaction(
            transaction_id=transaction_id,
            entry_id=uuid4(),
            booked_on=today,
            value_on=today,
            cents=cents,
            kind=kind,
            **whose,
            **who("bank"),
        )
        self.ledger.handle(transaction, transaction_id, book)
        read = ReadFile(
            format="camt.053.001.08",
            sha256="a" * 64,
            sequence=None,
            opening_on=today,
            opening_cents=self.balance,
            closing_on=today,
            closing_cents=self.balance + cents,
            entries=1,
            credit_cents=max(0, cents),
            debit_cents=max(0, -cents),
            **whose,
            **who("bank"),
        )
        self.ledger.handle(bank_file, whose["file_id"], read)
        self.balance += cents
        return transaction_id

    def match(self, transaction_id: UUID, *allocations: Allocation) -> UUID:
        match_id = uuid4()
        command = MatchTransaction(
            transaction_id=transaction_id,
            match_id=match_id,
            allocations=allocations,
            rule="hand",
            **who(),
        )
        self.ledger.handle(transaction, transaction_id, command)
        return match_id

    def unmatch(self, transaction_id: UUID, match_id: UUID) -> None:
        command = UnmatchTransaction(
            transaction_id=transaction_id,
            match_id=match_id,
            reason="mistake",
            unmatched_on=civil_day(datetime.now(UTC)),
            **who(),
        )
        self.ledger.handle(transaction, transaction_id, command)


def hand_over(ledger: Ledger, statement: StatementClosed, cents: int, *, bounced: bool) -> UUID:
    """Hand a cheque over, as two people saw it; perhaps the bank returns it."""
    remittance_id, today = uuid4(), civil_day(datetime.now(UTC))
    declare = DeclareRemittance(
        remittance_id=remittance_id,
        partner_id=statement.partner_id,
        means="cheque",
        cents=cents,
        received_on=today,
        allocations=(of(statement, cents),),
        **who(),
    )
    ledger.handle(remittance, remittance_id, declare)
    approve = ApproveRemittance(remittance_id=remittance_id, cents=cents, **who(BRUNO))
    ledger.handle(remittance, remittance_id, approve)
    if bounced:
        back = ReturnRemittance(remittance_id=remittance_id, returned_on=today, **who())
        ledger.handle(remittance, remittance_id, back)
    return remittance_id


def grow_old(ledger: Ledger, statement: StatementClosed, cents: int) -> None:
    """Let a statement fall overdue, remind of it, and write a part of it off by two people."""
    whose: dict[str, Any] = {
        "partner_id": statement.partner_id,
        "statement_id": statement.statement_id,
    }
    later = statement.due_on + timedelta(days=8)
    note = NoteOverdue(due_on=statement.due_on, noted_on=later, **whose, **who("clock"))
    ledger.handle(overdue, statement.statement_id, note)
    settle: dict[str, Any] = whose | {"outstanding_cents": statement.owed_cents}
    first = Reminder(
        statement_id=statement.statement_id, level=1, outstanding_cents=statement.owed_cents
    )
    remind = RemindOfStatements(
        partner_id=statement.partner_id, reminded_on=later, reminders=(first,), **who("clock")
    )
    ledger.handle(settlement, statement.partner_id, remind)
    settle |= {"write_off_id": uuid4(), "cents": cents}
    propose = ProposeWriteOff(reason="too_small", **settle, **who())
    ledger.handle(settlement, statement.partner_id, propose)
    approve = ApproveWriteOff(approved_on=later, **settle, **who(BRUNO))
    ledger.handle(settlement, statement.partner_id, approve)


def take_cards(ledger: Ledger) -> None:
    """Let the foundation be a partner with a till, at which gifts by card are made."""
    registered = RegisterPartner(
        partner_id=FOUNDATION_ID, name="Fondation", siret=siret(99), **who("cards")
    )
    ledger.handle(partner, FOUNDATION_ID, registered)
    enrolled = EnrolTill(
        till_id=ONLINE_TILL_ID,
        partner_id=FOUNDATION_ID,
        name="Dons en ligne",
        key_sha256="0" * 64,
        **who("cards"),
    )
    ledger.handle(till, ONLINE_TILL_ID, enrolled)


def pay_by_card(
    ledger: Ledger,
    terms: Terms,
    cents: int,
    *,
    refunded: int = 0,
    disputes: tuple[Dispute, ...] = (),
) -> str:
    """Let a card payment succeed, with the gifts that it is; give its charge's id."""
    payment_id, at = uuid4(), datetime.now(UTC)
    charge_id = f"ch_{payment_id.hex}"
    refund = Refund(refund_id=f"re_{payment_id.hex}", cents=refunded, refunded_on=civil_day(at))
    seen = ObservedPayment(
        payment_id=payment_id,
        status="succeeded",
        terms=terms,
        charge=Charge(charge_id=charge_id, cents=cents, method="card", succeeded_at=at),
        refunds=(refund,) if refunded else (),
        disputes=disputes,
        livemode=False,
    )
    handled = ledger.handle(payment, payment_id, ObservePayment(seen=seen, **who("cards")))
    state = payment.fold(one.event for one in handled.history)
    for command in gift_commands(state, at):  # type: ignore[arg-type]
        ledger.handle(donation, command.donation_id, command)
    return charge_id


def pay_out(ledger: Ledger, charge_id: str, cents: int, fee: int) -> tuple[UUID, int]:
    """Let the card processor send one charge to the bank; give the payout and its sum."""
    payout_id = uuid4()
    line = PayoutLine(
        kind="charge",
        source_id=charge_id,
        gross_cents=cents,
        fee_cents=fee,
        net_cents=cents - fee,
    )
    seen = ObservedPayout(
        payout_id=payout_id,
        stripe_id=f"po_{payout_id.hex}",
        status="paid",
        cents=cents - fee,
        arrival_on=civil_day(datetime.now(UTC)),
        lines=(line,),
        livemode=False,
    )
    ledger.handle(payout, payout_id, ObservePayout(seen=seen, **who("cards")))
    return payout_id, cents - fee


def promise(ledger: Ledger, cents: int, called: int) -> UUID:
    """Let a sponsor promise money, and call a part of it."""
    pledge_id, today = uuid4(), civil_day(datetime.now(UTC))
    made = MakePledge(pledge_id=pledge_id, sponsor="mairie", cents=cents, pledged_on=today, **who())
    ledger.handle(pledge, pledge_id, made)
    call = CallPledge(
        pledge_id=pledge_id, call_id=uuid4(), cents=called, due_on=today + LATER, **who()
    )
    ledger.handle(pledge, pledge_id, call)
    return pledge_id


@dataclass(frozen=True)
class Settled:
    """What became of the village's money, by which a test names what it changes."""

    shops: list[Shop]
    statements: list[StatementClosed]
    transfer_id: UUID
    pledge_id: UUID
    payout_id: UUID


def settle(ledger: Ledger, conninfo: str, shops: list[Shop]) -> Settled:
    """Settle a village's gifts in every way there is; some stay open, some on statements."""
    first, second, third = (statement_of(ledger, conninfo, shop) for shop in shops[:3])
    name_account(ledger)
    bank = Bank(ledger)
    transfer_id = bank.book(first.owed_cents - 10)
    wrong = bank.match(transfer_id, of(second, 5))
    bank.unmatch(transfer_id, wrong)
    bank.match(transfer_id, of(first, first.owed_cents - 10))
    cheque = hand_over(ledger, second, 200, bounced=False)
    whose = Allocation(
        target="remittance", target_id=cheque, partner_id=second.partner_id, cents=200
    )
    bank.match(bank.book(200, "cheque"), whose)
    hand_over(ledger, second, 100, bounced=True)
    take_cards(ledger)
    by_card = Terms(
        purpose="statement", purpose_id=second.statement_id, partner_id=second.partner_id
    )
    pay_by_card(ledger, by_card, 50, refunded=20)
    grow_old(ledger, third, 40)
    charge_id = pay_by_card(ledger, Terms(purpose="foundation"), 1_000, refunded=300)
    payout_id, cents = pay_out(ledger, charge_id, 1_000, 40)
    paid = Allocation(target="payout", target_id=payout_id, cents=cents)
    bank.match(bank.book(cents), paid)
    pledge_id = promise(ledger, 50_000, 20_000)
    bank.match(bank.book(15_000), Allocation(target="pledge", target_id=pledge_id, cents=15_000))
    bank.match(bank.book(-120, "charge"), Allocation(target="charge", cents=-120))
    return Settled(shops, [first, second, third], transfer_id, pledge_id, payout_id)
