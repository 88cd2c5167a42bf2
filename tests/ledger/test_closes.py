from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from ledger.closes import CloseDay, DayClosed, DayNotBegun, NumbersReversed, close, close_id_of
from tests.spec import given

NIGHT = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
TODAY = date(2026, 11, 23)
SHOP, TILL = UUID(int=1), UUID(int=2)
FIGURES: dict[str, Any] = {
    "till_id": TILL,
    "partner_id": SHOP,
    "day": TODAY,
    "gifts": 10,
    "cents": 512,
    "first_number": 4,
    "last_number": 13,
    "ledger_gifts": 10,
    "ledger_cents": 512,
    "ledger_position": 99,
}


def close_day(**changes: Any) -> CloseDay:
    head: dict[str, Any] = {"at": NIGHT, "actor": f"till:{TILL}"}
    return CloseDay(**head | FIGURES | changes)


def closed(**changes: Any) -> DayClosed:
    head: dict[str, Any] = {
        "recorded_at": NIGHT,
        "actor": f"till:{TILL}",
        "close_id": close_id_of(TILL, TODAY),
    }
    return DayClosed(**head | FIGURES | {"agrees": True} | changes)


class TestOpen:
    def test_a_day_is_closed_and_agrees(self) -> None:
        given(close).when(close_day()).then(closed())

    @pytest.mark.parametrize("change", [{"ledger_gifts": 9}, {"ledger_cents": 511}])
    def test_a_day_that_was_counted_otherwise_is_closed_and_differs(
        self, change: dict[str, Any]
    ) -> None:
        given(close).when(close_day(**change)).then(closed(**change, agrees=False))

    def test_a_day_without_numbers_is_closed(self) -> None:
        change: dict[str, Any] = {"first_number": None, "last_number": None}
        given(close).when(close_day(**change)).then(closed(**change))

    @pytest.mark.parametrize("numbers", [(None, 3), (3, None), (4, 3)])
    def test_numbers_come_in_order_or_not_at_all(self, numbers: tuple[Any, Any]) -> None:
        command = close_day(first_number=numbers[0], last_number=numbers[1])
        given(close).when(command).then_refused(NumbersReversed)

    def test_tomorrow_cannot_be_closed(self) -> None:
        tomorrow = TODAY + timedelta(days=1)
        given(close).when(close_day(day=tomorrow)).then_refused(DayNotBegun, day=tomorrow)

    def test_the_village_is_an_hour_ahead_of_the_clock(self) -> None:
        at, day = NIGHT + timedelta(minutes=40), TODAY + timedelta(days=1)
        told = closed(recorded_at=at, day=day, close_id=close_id_of(TILL, day))
        given(close).when(close_day(at=at, day=day)).then(told)


class TestClosed:
    def test_the_same_again_is_a_repeat_whenever_it_comes(self) -> None:
        later = close_day(at=NIGHT + timedelta(hours=1), ledger_position=120)
        given(close, closed()).when(later).then()

    @pytest.mark.parametrize("change", [{"gifts": 11}, {"ledger_gifts": 11}, {"cents": 1}])
    def test_other_figures_close_it_anew(self, change: dict[str, Any]) -> None:
        given(close, closed()).when(close_day(**change)).then(closed(**change, agrees=False))

    def test_a_late_gift_makes_it_agree(self) -> None:
        before = closed(ledger_gifts=9, ledger_cents=500, agrees=False)
        given(close, before).when(close_day()).then(closed())
