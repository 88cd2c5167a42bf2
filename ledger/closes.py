"""A day's close: what a till counted on a day, beside what the ledger had counted by then."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID, uuid5

from pydantic import Field

from ledger import calendar
from ledger.decider import Command, Decider, Event, Refused
from ledger.devices import DeviceNumber
from ledger.money import AMOUNT_CENTS_MAX

# Events. These names and fields are what is stored: add a new version, never edit.


class DayClosed(Event):
    """The ledger's figures are those of the feed up to `ledger_position`."""

    close_id: UUID
    till_id: UUID
    partner_id: UUID
    day: date
    gifts: int
    cents: int
    first_number: int | None = None
    last_number: int | None = None
    ledger_gifts: int
    ledger_cents: int
    ledger_position: int
    agrees: bool


# Commands.

Count = Annotated[int, Field(ge=0, le=1_000_000)]
Sum = Annotated[int, Field(ge=0, le=AMOUNT_CENTS_MAX)]


class CloseDay(Command):
    """`ledger_gifts` and `ledger_cents` are facts: no bound of what a till may say holds them."""

    till_id: UUID
    partner_id: UUID
    day: calendar.Day
    gifts: Count
    cents: Sum
    first_number: DeviceNumber | None = None
    last_number: DeviceNumber | None = None
    ledger_gifts: Annotated[int, Field(ge=0)]
    ledger_cents: Annotated[int, Field(ge=0)]
    ledger_position: int


# State: only what the rules below need.


@dataclass(frozen=True, slots=True)
class Open:
    pass


@dataclass(frozen=True, slots=True)
class Closed:
    newest: DayClosed


Day = Open | Closed


class DayNotBegun(Refused):
    """A day cannot be closed before it begins."""


class NumbersReversed(Refused):
    """A day has both a first and a last number, in this order, or neither."""


def close_id_of(till_id: UUID, day: date) -> UUID:
    """Give the subject of a till's day: one for each till and day."""
    return uuid5(till_id, day.isoformat())


def evolve(_: Day, event: DayClosed) -> Day:
    return Closed(event)


def decide(command: CloseDay, day: Day) -> list[DayClosed]:
    """Close a day, again when the till or the ledger counts otherwise than before."""
    if command.day > calendar.civil_day(command.at):
        raise DayNotBegun(day=command.day)
    if not in_order(command.first_number, command.last_number):
        raise NumbersReversed(first=str(command.first_number), last=str(command.last_number))
    closed = closed_by(command)
    if isinstance(day, Closed) and figures(day.newest) == figures(closed):
        return []
    return [closed]


def in_order(first: int | None, last: int | None) -> bool:
    if first is None or last is None:
        return first is last
    return first <= last


def closed_by(command: CloseDay) -> DayClosed:
    agrees = (command.gifts, command.cents) == (command.ledger_gifts, command.ledger_cents)
    return DayClosed(
        recorded_at=command.at,
        actor=command.actor,
        close_id=close_id_of(command.till_id, command.day),
        till_id=command.till_id,
        partner_id=command.partner_id,
        day=command.day,
        gifts=command.gifts,
        cents=command.cents,
        first_number=command.first_number,
        last_number=command.last_number,
        ledger_gifts=command.ledger_gifts,
        ledger_cents=command.ledger_cents,
        ledger_position=command.ledger_position,
        agrees=agrees,
    )


def figures(closed: DayClosed) -> tuple[int | None, ...]:
    """Give all that a close says, without when and at which position of the feed it was said."""
    return (
        closed.gifts,
        closed.cents,
        closed.first_number,
        closed.last_number,
        closed.ledger_gifts,
        closed.ledger_cents,
    )


close: Decider[CloseDay, Day, DayClosed] = Decider(
    category="close", initial=Open(), decide=decide, evolve=evolve
)
