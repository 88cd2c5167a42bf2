"""What a card payment costs, as an estimate shown to whoever may cover it.

What it really cost is in the payout. A donor who covers it adds so much that, by the estimate in
force on that day, the amount she chose is what arrives.
"""

from datetime import date
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict

from ledger.calendar import FIRST_DAY, LAST_DAY, civil_day
from ledger.decider import Command, Decider, Event, Refused

WHOLE: Final = 10_000
RATE_PER_10_000_MAX: Final = 1_000
FIXED_CENTS_MAX: Final = 500

# Events. These names and fields are what is stored: add a new version, never edit.


class CardFee(BaseModel):
    """What the card processor asks of a payment from a day on: a rate of it, and a fixed part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    in_force_from: date
    rate_per_10_000: int
    fixed_cents: int


class CardFeeSet(Event):
    fee: CardFee


# What holds until the foundation sets another: Stripe's price for cards of the European Economic
# Area, 1.5 % and 25 cents.
DEFAULT_FEE: Final = CardFee(in_force_from=FIRST_DAY, rate_per_10_000=150, fixed_cents=25)


def _in_bounds(fee: CardFee) -> CardFee:
    """Refuse a fee that is a typing error."""
    if not 0 <= fee.rate_per_10_000 <= RATE_PER_10_000_MAX:
        raise ValueError("a rate out of bounds")
    if not 0 <= fee.fixed_cents <= FIXED_CENTS_MAX:
        raise ValueError("an amount out of bounds")
    if not FIRST_DAY <= fee.in_force_from <= LAST_DAY:
        raise ValueError("a day out of bounds")
    return fee


class SetCardFee(Command):
    fee: Annotated[CardFee, AfterValidator(_in_bounds)]


class CardFeeInPast(Refused):
    """A card fee starts today or later: what was asked of donors before stays as it was."""


# Every fee that was ever set, in that order.
CardFees = tuple[CardFee, ...]


def evolve(fees: CardFees, event: CardFeeSet) -> CardFees:
    return (*fees, event.fee)


def decide(command: SetCardFee, fees: CardFees) -> list[CardFeeSet]:
    if fees and fees[-1] == command.fee:
        return []
    if command.fee.in_force_from < civil_day(command.at):
        raise CardFeeInPast(in_force_from=command.fee.in_force_from)
    return [CardFeeSet(recorded_at=command.at, actor=command.actor, fee=command.fee)]


card_fees: Decider[SetCardFee, CardFees, CardFeeSet] = Decider(
    category="cardfee", initial=(), decide=decide, evolve=evolve
)


def fee_on(fees: CardFees, day: date) -> CardFee:
    """Give the fee in force on a day; of two from the same day, the one that was set last."""
    in_force = DEFAULT_FEE
    for fee in fees:
        if in_force.in_force_from <= fee.in_force_from <= day:
            in_force = fee
    return in_force


def fee_cents(fee: CardFee, paid_cents: int) -> int:
    """Give the fee of a payment, to the nearest cent, halves up."""
    return (paid_cents * fee.rate_per_10_000 + WHOLE // 2) // WHOLE + fee.fixed_cents


def cover_cents(fee: CardFee, cents: int) -> int:
    """Give the least that is added to an amount so that it arrives whole.

    Each step asks the fee of what the step before would let her pay: it rises to the least cover
    that suffices, and never beyond it.
    """
    cover = 0
    while (asked := fee_cents(fee, cents + cover)) > cover:
        cover = asked
    return cover
