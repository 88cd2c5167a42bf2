"""What a card payment costs, as an estimate shown to whoever may cover it.

What it really cost is in the payout. A donor who covers it adds so much that, at these rates, the
amount she chose is what arrives.
"""

from typing import Final

# Stripe's price for cards of the European Economic Area: 1.5 % and 25 cents.
RATE_PER_10_000: Final = 150
FIXED_CENTS: Final = 25
WHOLE: Final = 10_000


def fee_cents(paid_cents: int) -> int:
    """Give the fee of a payment, to the nearest cent, halves up."""
    return (paid_cents * RATE_PER_10_000 + WHOLE // 2) // WHOLE + FIXED_CENTS


def cover_cents(cents: int) -> int:
    """Give the least that is added to an amount so that it arrives whole."""
    cover = fee_cents(cents)
    while fee_cents(cents + cover) > cover:
        cover += 1
    return cover
