"""Days and moments as a credential writes them."""

from datetime import UTC, date, datetime, time

from ledger.calendar import VILLAGE


def instant(moment: datetime) -> str:
    """Write a moment in whole seconds of UTC: `2026-11-23T06:08:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def first_moment(day: date) -> datetime:
    return datetime.combine(day, time.min, VILLAGE)


def last_moment(day: date) -> datetime:
    """Give a day's last whole second: `validUntil` is the last moment that is still good."""
    return datetime.combine(day, time(23, 59, 59), VILLAGE)
