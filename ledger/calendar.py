"""The village's calendar: which civil day a moment falls on, and which days may be asked for."""

from datetime import date, datetime, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import Field

VILLAGE = ZoneInfo("Europe/Paris")

# Outside of these a day is a typing error. Commands are held to them, events never: what was
# stored is told as it stands.
FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2200, 12, 31)
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]


def civil_day(moment: datetime) -> date:
    """Give the day that a calendar on the village's wall shows at a moment."""
    return moment.astimezone(VILLAGE).date()


def days_after(day: date, count: int = 1) -> date:
    """Give the day so many days later, the last one there is when it lies beyond."""
    return day + timedelta(days=min(count, (date.max - day).days))


def day_before(day: date) -> date:
    """Give the eve of a day, and the first day there is for itself."""
    return day if day == date.min else day - timedelta(days=1)
