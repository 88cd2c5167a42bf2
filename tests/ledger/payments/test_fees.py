import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from ledger.payments.fees import cover_cents, fee_cents


@pytest.mark.parametrize(("paid", "fee"), [(1_000, 40), (100, 27), (500, 33), (5_000, 100)])
def test_a_fee_is_the_rate_and_a_fixed_part(paid: int, fee: int) -> None:
    assert fee_cents(paid) == fee


@for_all(st.integers(1, 10**9))
def test_a_covered_gift_arrives_whole_and_not_a_cent_more_is_asked(cents: int) -> None:
    cover = cover_cents(cents)
    assert cents + cover - fee_cents(cents + cover) >= cents
    assert cents + (cover - 1) - fee_cents(cents + cover - 1) < cents
