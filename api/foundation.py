"""The foundation as its own stream tells it, and what people change of it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from api import foundation_letters
from api.deps import Context
from ledger.calendar import civil_day
from ledger.foundation import (
    FOUNDATION_ID,
    ApproveCollectionAccount,
    DescribeFoundation,
    DiscardCollectionAccount,
    Foundation,
    FoundationCommand,
    FoundationEvent,
    ProposeCollectionAccount,
    SetSettlementTerms,
    SettlementTerms,
    foundation,
)
from ledger.payments.fees import CardFee, CardFeeSet, SetCardFee, card_fees, fee_on
from ledger.people import actor_of
from ledger.store import Handled


def foundation_of(context: Context) -> Foundation:
    """Read the foundation; what nobody said of it yet is None, its terms are the usual ones."""
    return foundation.fold(history_of(context))


def history_of(context: Context) -> list[FoundationEvent]:
    return [one.event for one in context.ledger.history(foundation, FOUNDATION_ID)]


def known(actor: str) -> dict[str, Any]:
    return {"at": datetime.now(UTC), "actor": actor}


def handle(context: Context, command: FoundationCommand) -> Handled[FoundationEvent]:
    return context.ledger.handle(foundation, FOUNDATION_ID, command)


def describe(context: Context, actor: str, name: str, siret: str) -> None:
    handle(context, DescribeFoundation(name=name, siret=siret, **known(actor)))


def propose(context: Context, actor: str, proposal_id: UUID, **account: Any) -> None:
    """Propose an account, and write to the whole office: whoever changes it takes everything."""
    command = ProposeCollectionAccount(proposal_id=proposal_id, **account, **known(actor))
    if handle(context, command).fresh:
        foundation_letters.tell(context, "account_proposed")


def approve(context: Context, actor: str, proposal_id: UUID, iban: str) -> None:
    """Approve an account by the IBAN that this person typed, and write to the whole office."""
    disabled = tuple(sorted(map(actor_of, context.roster.disabled())))
    command = ApproveCollectionAccount(
        proposal_id=proposal_id, iban=iban, disabled=disabled, **known(actor)
    )
    if handle(context, command).fresh:
        foundation_letters.tell(context, "account_approved")


def discard(context: Context, actor: str, proposal_id: UUID) -> None:
    handle(context, DiscardCollectionAccount(proposal_id=proposal_id, **known(actor)))


def set_terms(context: Context, actor: str, terms: SettlementTerms) -> None:
    handle(context, SetSettlementTerms(terms=terms, **known(actor)))


def card_fee_history(context: Context) -> list[CardFeeSet]:
    return [one.event for one in context.ledger.history(card_fees, FOUNDATION_ID)]


def card_fee_now(context: Context) -> CardFee:
    """Give what a payment by card costs today, as far as the foundation knows."""
    return fee_on(card_fees.fold(card_fee_history(context)), civil_day(datetime.now(UTC)))


def set_card_fee(context: Context, actor: str, fee: CardFee) -> None:
    context.ledger.handle(card_fees, FOUNDATION_ID, SetCardFee(fee=fee, **known(actor)))
