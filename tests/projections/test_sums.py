"""The sums that a batch adds to figures."""

from projections.feed import Gift, Reversal
from projections.sums import Sums

DAY, AT = "2026-11-23", "2026-11-23T10:00:00Z"


def gift(cents: int) -> Gift:
    return Gift("d", "p", "t", "customer", cents, DAY, AT)


def reversal(cents: int) -> Reversal:
    return Reversal("d", "p", "t", "customer", cents, "mistake", DAY, AT)


def test_rows_are_told_in_the_order_of_their_keys() -> None:
    sums = Sums()
    sums.give(("b", "2026-11"), gift(40))
    sums.give_back(("a", "2026-12"), reversal(15))
    sums.give(("b", "2026-11"), gift(2))
    sums.give_back(("b", "2026-11"), reversal(1))
    assert sums.columns("whose", "month") == {
        "whose": ["a", "b"],
        "month": ["2026-12", "2026-11"],
        "gifts": [0, 2],
        "given_cents": [0, 42],
        "reversals": [1, 1],
        "reversed_cents": [15, 1],
    }


def test_a_batch_without_gifts_adds_nothing() -> None:
    assert Sums().columns("whose", "month") == {}
