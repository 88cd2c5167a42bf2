"""What a sale proposes to give."""

from typing import Final

# The amounts that are offered beside the round-up; any other may be typed.
ADD_ONS_CENTS: Final = (100, 200)


def round_up(purchase_cents: int) -> int:
    """Give the cents from a sale to the next whole euro: 0 when it is one already."""
    return -purchase_cents % 100
