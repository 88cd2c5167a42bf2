"""The village's calendar: which civil day a moment falls on."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

VILLAGE = ZoneInfo("Europe/Paris")


def civil_day(moment: datetime) -> date:
    """Give the day that a calendar on the village's wall shows at a moment."""
    return moment.astimezone(VILLAGE).date()
