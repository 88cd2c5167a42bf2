"""A foundation that settles: its account, gifts of past days, and money as a bank brings it."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from ledger.allocations import Allocation
from ledger.calendar import VILLAGE, civil_day
from ledger.donations import RecordDonation, ReverseDonation, donation
from ledger.foundation import (
    DEFAULT_TERMS,
    FOUNDATION_ID,
    ApproveCollectionAccount,
    DescribeFoundation,
    ProposeCollectionAccount,
    SetSettlementTerms,
    foundation,
)
from ledger.giving import Source
from ledger.remittances import ApproveRemittance, DeclareRemittance, remittance
from ledger.store import Ledger
from projections import follow
from projections.every import READ_MODELS
from tests.api.shops import ACTOR, Shop

IBAN, BIC, HOLDER = "FR7630006000011234567890189", "AGRIFRPP", "Fondation Don positif"
ANNE, BRUNO = (f"account:{UUID(int=number)}" for number in (11, 12))


def today() -> date:
    return civil_day(datetime.now(UTC))


def last_month() -> date:
    """Give the last day of the month before this one, or before that where it is not closed yet.

    The terms wait three days for offline tills: a test on the second of a month waits with them.
    """
    end = today().replace(day=1) - timedelta(days=1)
    if today() < end + timedelta(days=DEFAULT_TERMS.close_after_days):
        end = end.replace(day=1) - timedelta(days=1)
    return end


def found_foundation(ledger: Ledger, **terms: Any) -> None:
    """Describe the foundation, and let two people name its account."""
    who: dict[str, Any] = {"at": datetime.now(UTC), "actor": ANNE}
    proposal = uuid4()
    described = DescribeFoundation(name="Fondation Don positif", siret="73282932000074", **who)
    proposed = ProposeCollectionAccount(
        proposal_id=proposal, iban=IBAN, bic=BIC, holder=HOLDER, **who
    )
    approved = ApproveCollectionAccount(proposal_id=proposal, iban=IBAN, **who | {"actor": BRUNO})
    for command in (described, proposed, approved):
        ledger.handle(foundation, FOUNDATION_ID, command)
    if terms:
        changed = DEFAULT_TERMS.model_copy(update={"in_force_from": today(), **terms})
        ledger.handle(foundation, FOUNDATION_ID, SetSettlementTerms(terms=changed, **who))


def give_on(
    ledger: Ledger, shop: Shop, day: date, cents: int = 40, source: Source = "customer"
) -> UUID:
    """Record a gift of some day, as a till that was offline since then would."""
    donation_id = uuid4()
    command = RecordDonation(
        at=datetime.now(UTC),
        actor=ACTOR,
        donation_id=donation_id,
        partner_id=shop.partner_id,
        till_id=shop.till_id,
        source=source,
        amount_cents=cents,
        occurred_at=datetime.combine(day, time(0, 30), tzinfo=VILLAGE),
        occurred_on=day,
        partner_standing="active",
    )
    ledger.handle(donation, donation_id, command)
    return donation_id


def give_back(
    ledger: Ledger, shop: Shop, donation_id: UUID, cents: int, on: date | None = None
) -> None:
    command = ReverseDonation(
        at=datetime.now(UTC),
        actor=ACTOR,
        donation_id=donation_id,
        reversal_id=uuid4(),
        partner_id=shop.partner_id,
        till_id=shop.till_id,
        amount_cents=cents,
        reason="sale_returned",
        reversed_on=on or today(),
    )
    ledger.handle(donation, donation_id, command)


def remit(
    ledger: Ledger, shop: Shop, statement_id: UUID, cents: int, on: date | None = None
) -> UUID:
    """Let two people note a cheque for a statement."""
    remittance_id = uuid4()
    target = Allocation(
        target="statement", target_id=statement_id, partner_id=shop.partner_id, cents=cents
    )
    who: dict[str, Any] = {"at": datetime.now(UTC), "actor": ANNE, "remittance_id": remittance_id}
    declared = DeclareRemittance(
        partner_id=shop.partner_id,
        means="cheque",
        cents=cents,
        received_on=on or today(),
        allocations=(target,),
        **who,
    )
    ledger.handle(remittance, remittance_id, declared)
    approved = ApproveRemittance(cents=cents, **who | {"actor": BRUNO})
    ledger.handle(remittance, remittance_id, approved)
    return remittance_id


def catch_up(conninfo: str) -> None:
    follow.catch_up(conninfo, READ_MODELS)
