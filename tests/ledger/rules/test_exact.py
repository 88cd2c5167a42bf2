from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.rules.exact import read_exact, written


@given(st.fractions())
def test_a_number_is_written_as_python_does_and_read_back(value: Fraction) -> None:
    assert written(value) == str(value)
    assert read_exact(written(value)) == value


def test_no_number_is_too_long() -> None:
    value = Fraction(3**20_000, 2**20_000)
    assert len(written(value)) > 15_000
    assert read_exact(written(value)) == value


@pytest.mark.parametrize("text", ["", "a", "1/b", "1.5", "1/2/3", "NaN", "1e9", "--1"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no whole number"):
        read_exact(text)
