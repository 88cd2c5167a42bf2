from datetime import date, timedelta

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from ledger.foundation import DEFAULT_TERMS, Period, SettlementTerms
from ledger.periods import ends_due, period_end

PERIODS: list[Period] = ["week", "half_month", "month", "quarter"]


@pytest.mark.parametrize(
    ("period", "day", "end"),
    [
        ("week", date(2026, 11, 28), date(2026, 11, 29)),
        ("week", date(2026, 11, 29), date(2026, 11, 29)),
        ("week", date(2026, 12, 28), date(2027, 1, 3)),
        ("half_month", date(2026, 2, 1), date(2026, 2, 15)),
        ("half_month", date(2026, 2, 15), date(2026, 2, 15)),
        ("half_month", date(2026, 2, 16), date(2026, 2, 28)),
        ("month", date(2028, 2, 1), date(2028, 2, 29)),
        ("month", date(2026, 12, 31), date(2026, 12, 31)),
        ("quarter", date(2026, 1, 1), date(2026, 3, 31)),
        ("quarter", date(2026, 5, 31), date(2026, 6, 30)),
        ("quarter", date(2026, 12, 31), date(2026, 12, 31)),
    ],
)
def test_a_period_ends_on_its_last_day(period: Period, day: date, end: date) -> None:
    assert period_end(period, day) == end


@for_all(st.sampled_from(PERIODS), st.dates(date(2000, 1, 1), date(2199, 1, 1)))
def test_periods_leave_no_day_out(period: Period, day: date) -> None:
    end = period_end(period, day)
    assert day <= end <= day + timedelta(days=91)
    assert period_end(period, end) == end
    assert period_end(period, end + timedelta(days=1)) > end


def terms(day: date) -> SettlementTerms:
    """Months until the summer, weeks from then on."""
    weeks = DEFAULT_TERMS.model_copy(update={"period": "week", "close_after_days": 0})
    return DEFAULT_TERMS if day < date(2026, 7, 1) else weeks


@pytest.mark.parametrize(
    ("today", "ends"),
    [
        (date(2026, 6, 2), []),
        (date(2026, 6, 3), [date(2026, 5, 31)]),
        (date(2026, 7, 2), [date(2026, 5, 31)]),
        (date(2026, 7, 3), [date(2026, 5, 31), date(2026, 6, 30)]),
        (date(2026, 7, 5), [date(2026, 5, 31), date(2026, 6, 30)]),
        (date(2026, 7, 6), [date(2026, 5, 31), date(2026, 6, 30), date(2026, 7, 5)]),
    ],
    ids=["tills may come in", "due", "the next waits", "due too", "not over", "over at midnight"],
)
def test_what_is_due_is_told_by_the_terms_of_each_period(today: date, ends: list[date]) -> None:
    assert list(ends_due(terms, date(2026, 5, 11), today)) == ends
