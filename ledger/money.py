"""Integer cents of euros: their bounds, and exact splits."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

# A billion euros: absurd for one gift, so still recorded below it, and small enough that
# a bigint holds the sum of ninety million of them.
AMOUNT_CENTS_MAX = 100_000_000_000

Cents = Annotated[int, Field(gt=0, le=AMOUNT_CENTS_MAX, strict=True)]


def split(total_cents: int, weights: Sequence[int]) -> list[int]:
    """Share a total in proportion to weights by largest remainder, to the cent.

    Equal remainders go to the earlier weight. The shares always add up to the total.
    Raises ValueError when the total or a weight is negative or every weight is zero.
    """
    if total_cents < 0 or min(weights, default=0) < 0 or sum(weights) == 0:
        raise ValueError("a split needs a total of at least 0 and a positive weight")
    whole = sum(weights)
    shares = [total_cents * weight // whole for weight in weights]
    by_remainder = sorted(
        range(len(weights)), key=lambda index: (-(total_cents * weights[index] % whole), index)
    )
    for index in by_remainder[: total_cents - sum(shares)]:
        shares[index] += 1
    return shares
