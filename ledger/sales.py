"""What a sale proposes to give."""


def round_up(purchase_cents: int) -> int:
    """Give the cents from a sale to the next whole euro: 0 when it is one already."""
    return -purchase_cents % 100
