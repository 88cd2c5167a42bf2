"""What everybody may read of money on its way: statements, bank, cards, cheques, pledges.

Cents and days are told, and which kind of debt they went to. Never told are accounts, references,
names and ids of the bank or of the card processor, nor which partner is late or paid: a debt is
published elsewhere, after its grace and by agreement. Proposals stay without their content.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import assert_never

from ledger.allocations import Allocation
from ledger.bank.events import (
    BankEvent,
    BankFileRead,
    BankTransactionBooked,
    TransactionMatched,
    TransactionUnmatched,
)
from ledger.calendar import civil_day
from ledger.foundation import (
    CollectionAccountApproved,
    CollectionAccountDiscarded,
    CollectionAccountProposed,
    FoundationDescribed,
    FoundationEvent,
    SettlementTerms,
    SettlementTermsSet,
)
from ledger.partners.overdue import OverdueCleared, OverdueEvent, StatementFellOverdue
from ledger.payments.events import (
    CheckoutStarted,
    DisputeClosed,
    DisputeFundsReinstated,
    DisputeFundsWithdrawn,
    DisputeOpened,
    PaymentEvent,
    PaymentFailed,
    PaymentProcessing,
    PaymentRefunded,
    PaymentSucceeded,
    PayoutEvent,
    PayoutFailed,
    PayoutListed,
    PayoutPaid,
    RefundFailed,
    SubscriptionEnded,
)
from ledger.payments.fees import CardFeeSet
from ledger.pledges import PledgeCalled, PledgeEvent, PledgeMade, PledgeUsed, PledgeWithdrawn
from ledger.remittances import (
    RemittanceApproved,
    RemittanceDeclared,
    RemittanceDiscarded,
    RemittanceEvent,
    RemittanceReturned,
)
from ledger.settlements.events import (
    CreditSetOff,
    SetOffTakenBack,
    SettlementEvent,
    StatementClosed,
    StatementReminded,
    WriteOffApproved,
    WriteOffDiscarded,
    WriteOffProposed,
)

Public = dict[str, str | int | None]
MoneyEvent = (
    FoundationEvent
    | CardFeeSet
    | SettlementEvent
    | OverdueEvent
    | BankEvent
    | RemittanceEvent
    | PledgeEvent
    | PaymentEvent
    | SubscriptionEnded
    | PayoutEvent
)


def public_of_money(event: MoneyEvent) -> Public:
    """Give the public form of an event of money that is owed, comes or goes."""
    if isinstance(event, FoundationEvent | CardFeeSet):
        return of_foundation(event)
    if isinstance(event, SettlementEvent | OverdueEvent):
        return of_settlement(event)
    if isinstance(event, BankEvent):
        return of_bank(event)
    if isinstance(event, RemittanceEvent):
        return of_remittance(event)
    if isinstance(event, PledgeEvent):
        return {"pledge_id": str(event.pledge_id)} | of_pledge(event)
    if isinstance(event, PayoutEvent):
        return of_payout(event)
    return of_payment(event)


def by_target(allocations: Iterable[Allocation]) -> Public:
    """Add up what went to each kind of target, never to which one."""
    cents: dict[str, int] = defaultdict(int)
    for one in allocations:
        cents[f"{one.target}_cents"] += one.cents
    return dict(sorted(cents.items()))


def of_foundation(event: FoundationEvent | CardFeeSet) -> Public:
    match event:
        case FoundationDescribed():
            return {"name": event.name, "siret": event.siret}
        case CollectionAccountProposed() | CollectionAccountDiscarded():
            return {"proposal_id": str(event.proposal_id)}
        case CollectionAccountApproved():
            return {"proposal_id": str(event.proposal_id)}
        case SettlementTermsSet(terms=terms):
            return of_terms(terms)
        case CardFeeSet(fee=fee):
            return {
                "in_force_from": fee.in_force_from.isoformat(),
                "rate_per_10_000": fee.rate_per_10_000,
                "fixed_cents": fee.fixed_cents,
            }
        case _:
            assert_never(event)


def of_terms(terms: SettlementTerms) -> Public:
    return {
        "in_force_from": terms.in_force_from.isoformat(),
        "period": terms.period,
        "close_after_days": terms.close_after_days,
        "due_after_days": terms.due_after_days,
        "owed_min_cents": terms.owed_min_cents,
        "reminder_after_days": " ".join(map(str, terms.reminder_after_days)),
        "public_after_days": terms.public_after_days,
    }


def of_settlement(event: SettlementEvent | OverdueEvent) -> Public:
    match event:
        case StatementClosed():
            return {
                "partner_id": str(event.partner_id),
                "statement_id": str(event.statement_id),
                "number": event.number,
                "first_on": event.first_on.isoformat(),
                "last_on": event.last_on.isoformat(),
                "lines": event.lines,
                "lines_sha256": event.lines_sha256,
                "owed_cents": event.owed_cents,
                "due_on": event.due_on.isoformat(),
            }
        case StatementReminded():
            return {"level": event.level, "reminded_on": event.reminded_on.isoformat()}
        case WriteOffProposed() | WriteOffDiscarded():
            return {}
        case WriteOffApproved():
            on = event.approved_on.isoformat()
            return {"cents": event.cents, "reason": event.reason, "approved_on": on}
        case CreditSetOff():
            return {"cents": event.cents, "set_off_on": event.set_off_on.isoformat()}
        case SetOffTakenBack():
            return {"cents": event.cents, "taken_back_on": event.taken_back_on.isoformat()}
        case StatementFellOverdue():
            return {"due_on": event.due_on.isoformat()}
        case OverdueCleared():
            return {"cleared_on": event.cleared_on.isoformat()}
        case _:
            assert_never(event)


def of_bank(event: BankEvent) -> Public:
    match event:
        case BankFileRead():
            return {
                "opening_on": event.opening_on.isoformat(),
                "closing_on": event.closing_on.isoformat(),
                "entries": event.entries,
                "credit_cents": event.credit_cents,
                "debit_cents": event.debit_cents,
            }
        case BankTransactionBooked():
            on = event.booked_on.isoformat()
            return {"booked_on": on, "cents": event.cents, "kind": event.kind}
        case TransactionMatched():
            told = by_target(event.allocations)
            return told | {"rule": event.rule, "booked_on": event.booked_on.isoformat()}
        case TransactionUnmatched():
            told = by_target(event.allocations)
            return told | {"reason": event.reason, "unmatched_on": event.unmatched_on.isoformat()}
        case _:
            assert_never(event)


def of_remittance(event: RemittanceEvent) -> Public:
    match event:
        case RemittanceDeclared() | RemittanceDiscarded():
            return {}
        case RemittanceApproved():
            told = by_target(event.allocations)
            return told | {"means": event.means, "received_on": event.received_on.isoformat()}
        case RemittanceReturned():
            return by_target(event.allocations) | {"returned_on": event.returned_on.isoformat()}
        case _:
            assert_never(event)


def of_pledge(event: PledgeEvent) -> Public:
    match event:
        case PledgeMade():
            round_id = None if event.round_id is None else str(event.round_id)
            on = event.pledged_on.isoformat()
            return {"cents": event.cents, "pledged_on": on, "round_id": round_id}
        case PledgeCalled():
            return {"cents": event.cents, "due_on": event.due_on.isoformat()}
        case PledgeUsed():
            return {"cents": event.cents, "round_id": str(event.round_id)}
        case PledgeWithdrawn():
            return {"cents": event.cents, "withdrawn_on": event.withdrawn_on.isoformat()}
        case _:
            assert_never(event)


def of_payment(event: PaymentEvent | SubscriptionEnded) -> Public:
    """Tell what reached us or was taken back: what a donor tried and gave up stays inside."""
    match event:
        case CheckoutStarted() | PaymentProcessing() | PaymentFailed():
            return {}
        case PaymentSucceeded():
            on = civil_day(event.succeeded_at).isoformat()
            return {"purpose": event.purpose, "cents": event.cents, "succeeded_on": on}
        case PaymentRefunded():
            return {"cents": event.cents, "refunded_on": event.refunded_on.isoformat()}
        case RefundFailed():
            return {"cents": event.cents, "failed_on": event.failed_on.isoformat()}
        case DisputeOpened():
            return {"cents": event.cents}
        case DisputeFundsWithdrawn():
            return {"cents": event.cents, "withdrawn_on": event.withdrawn_on.isoformat()}
        case DisputeFundsReinstated():
            return {"cents": event.cents, "reinstated_on": event.reinstated_on.isoformat()}
        case DisputeClosed():
            return {"outcome": event.outcome}
        case SubscriptionEnded():
            return {"ended_on": event.ended_on.isoformat()}
        case _:
            assert_never(event)


def of_payout(event: PayoutEvent) -> Public:
    match event:
        case PayoutPaid():
            on = event.arrival_on.isoformat()
            return {"cents": event.cents, "arrival_on": on, "lines": event.lines}
        case PayoutListed(lines=lines):
            return {
                "first_line": event.first_line,
                "lines": len(lines),
                "gross_cents": sum(line.gross_cents for line in lines),
                "fee_cents": sum(line.fee_cents for line in lines),
                "net_cents": sum(line.net_cents for line in lines),
            }
        case PayoutFailed():
            return {"failed_on": event.failed_on.isoformat()}
        case _:
            assert_never(event)
