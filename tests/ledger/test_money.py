import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import split
from ledger.sales import round_up

weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=40).filter(lambda w: sum(w) > 0)


@given(st.integers(0, 10**12), weights)
def test_a_split_loses_nothing_and_is_nowhere_a_cent_off(total: int, weights: list[int]) -> None:
    shares = split(total, weights)
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share * sum(weights) - total * weight) < sum(weights)


def test_equal_remainders_go_to_the_earlier() -> None:
    assert split(100, [1, 1, 1]) == [34, 33, 33]
    assert split(2, [1, 1, 1]) == [1, 1, 0]


@pytest.mark.parametrize(("total", "weights"), [(-1, [1]), (1, []), (1, [0, 0]), (1, [2, -1])])
def test_a_split_without_sense_is_refused(total: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match="a split needs"):
        split(total, weights)


@pytest.mark.parametrize(
    ("sale", "gift"), [(0, 0), (1, 99), (99, 1), (100, 0), (1_260, 40), (1_234_567, 33)]
)
def test_a_sale_rounds_up_to_the_next_euro(sale: int, gift: int) -> None:
    assert round_up(sale) == gift


@given(st.integers(0, 10**9))
def test_a_round_up_is_less_than_a_euro_and_makes_whole_euros(sale: int) -> None:
    assert 0 <= round_up(sale) < 100
    assert (sale + round_up(sale)) % 100 == 0
