"""From what became of a card payment to the gifts that it is: events become commands here only.

All of a payment's commands are made anew from its whole stream each time, under ids made of its
own: whoever was stopped in the middle does them again, and those that were done change nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from ledger.calendar import civil_day
from ledger.donations import RecordDonation, ReverseDonation
from ledger.foundation import FOUNDATION_ID
from ledger.payments.state import Change, Succeeded

# Gifts by card come in at one till of the foundation's, whose key nobody has.
ONLINE_TILL_ID: Final = uuid5(FOUNDATION_ID, "online")
ACTOR: Final = "cards"

GiftCommand = RecordDonation | ReverseDonation


@dataclass(slots=True)
class Gift:
    """A gift of a payment, and what is left of it: the first one, and those that came back."""

    donation_id: UUID
    remaining_cents: int


def gift_commands(payment: Succeeded, at: datetime) -> Iterator[GiftCommand]:
    """Give what the ledger of gifts is asked for one payment, in order; nothing for a statement.

    A refund that failed, or a dispute won after it was lost, makes a gift of its own: what was
    given back stays so, as it was published. A bank may contest the whole of a payment of which a
    part was given back: no more is taken than is left, however refunds and disputes then end.
    """
    paid = payment.paid
    if paid.purpose == "statement":
        return
    gifts = [Gift(paid.payment_id, paid.cents)]
    # Stripe's clock may run ahead of ours: no gift is of the future.
    yield given(payment, gifts[0], min(paid.succeeded_at, paid.recorded_at), at)
    back_cents = 0
    for change in payment.changes:
        back_cents += change.cents if change.kind == "back" else -change.cents
        # What is left is what the money says at this point, whichever was noted first.
        surplus = sum(gift.remaining_cents for gift in gifts) - max(0, paid.cents - back_cents)
        if surplus > 0:
            yield from given_back(change, surplus, gifts, at)
        elif surplus < 0:
            gift = Gift(uuid5(paid.payment_id, f"{change.source_id} again"), -surplus)
            gifts.append(gift)
            yield given(payment, gift, change.at, at)


def given(payment: Succeeded, gift: Gift, occurred_at: datetime, at: datetime) -> RecordDonation:
    paid = payment.paid
    return RecordDonation(
        at=at,
        actor=ACTOR,
        donation_id=gift.donation_id,
        partner_id=FOUNDATION_ID,
        till_id=ONLINE_TILL_ID,
        source="customer",
        amount_cents=gift.remaining_cents,
        occurred_at=occurred_at,
        occurred_on=civil_day(occurred_at),
        project_id=paid.purpose_id if paid.purpose == "project" else None,
        partner_standing="active",
    )


def given_back(
    change: Change, wanted: int, gifts: list[Gift], at: datetime
) -> Iterator[ReverseDonation]:
    """Take an amount back from a payment's gifts, the oldest first."""
    for gift in gifts:
        cents = min(wanted, gift.remaining_cents)
        if not cents:
            continue
        wanted -= cents
        gift.remaining_cents -= cents
        yield ReverseDonation(
            at=at,
            actor=ACTOR,
            donation_id=gift.donation_id,
            reversal_id=uuid5(gift.donation_id, f"{change.source_id} {change.at.isoformat()}"),
            partner_id=FOUNDATION_ID,
            till_id=ONLINE_TILL_ID,
            amount_cents=cents,
            reason=change.reason,
            reversed_on=change.on,
        )
