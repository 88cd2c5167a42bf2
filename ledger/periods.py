"""The periods of statements: weeks, half months, months or quarters of the village's calendar."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import assert_never

from ledger.calendar import days_after
from ledger.foundation import Period, SettlementTerms

DECEMBER, HALF_MONTH_DAY, QUARTER_MONTHS = 12, 15, 3


def period_end(period: Period, day: date) -> date:
    """Give the last day of the period that a day lies in."""
    match period:
        case "week":
            return days_after(day, 6 - day.weekday())
        case "half_month":
            half = day.replace(day=HALF_MONTH_DAY)
            return half if day <= half else month_end(day.year, day.month)
        case "month":
            return month_end(day.year, day.month)
        case "quarter":
            return month_end(day.year, day.month + -day.month % QUARTER_MONTHS)
        case _:
            assert_never(period)


def month_end(year: int, month: int) -> date:
    following = date(year + 1, 1, 1) if month == DECEMBER else date(year, month + 1, 1)
    return following - timedelta(days=1)


def ends_due(
    terms_on: Callable[[date], SettlementTerms], first_on: date, today: date
) -> Iterator[date]:
    """Give the last days of the periods from a day on that are to be closed by today.

    Each period is one of the terms in force on its first day, and waits for offline tills as long
    as they say.
    """
    while True:
        terms = terms_on(first_on)
        end = period_end(terms.period, first_on)
        # The last day itself is never over before its midnight.
        if days_after(end, max(1, terms.close_after_days)) > today:
            return
        yield end
        first_on = days_after(end)
