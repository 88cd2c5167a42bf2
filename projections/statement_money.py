"""The money of statements, as events tell it: what came, was written off, or set off."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from ledger.events import AnyEvent
from ledger.payments.events import PaymentSucceeded
from ledger.remittances import RemittanceApproved, RemittanceReturned
from ledger.settlements.events import (
    CreditSetOff,
    SetOffEvent,
    SetOffTakenBack,
    WriteOffApproved,
)
from projections.applied import applied
from projections.feed import Other

# `set_off` pays a statement with another's credit, `credit` is what that other one gave.
Means = Literal["transfer", "remittance", "card", "write_off", "set_off", "credit"]


@dataclass(frozen=True, slots=True)
class Movement:
    """Money for a statement, at its place in the feed; negative when it was taken back.

    `other_id` is the statement on the other side of a set-off.
    """

    statement_id: UUID
    position: int
    place: int
    means: Means
    day: date
    cents: int
    other_id: UUID | None = None


def movements(other: Other) -> list[Movement]:
    """Give what an event says of the money of statements, apart from what cards lose later."""
    event, position = other.event, other.position
    if isinstance(event, WriteOffApproved):
        day = event.approved_on
        return [Movement(event.statement_id, position, 0, "write_off", day, event.cents)]
    if isinstance(event, CreditSetOff | SetOffTakenBack):
        return list(sides(position, event))
    return [
        Movement(one.target_id, position, place, means_of(event), one.on, one.cents)
        for place, one in enumerate(applied(event))
        if one.target == "statement" and one.target_id is not None
    ]


def sides(position: int, event: SetOffEvent) -> Iterator[Movement]:
    """Give what a set-off is on either statement."""
    taker, giver = event.statement_id, event.from_statement_id
    if isinstance(event, CreditSetOff):
        day, cents = event.set_off_on, event.cents
    else:
        day, cents = event.taken_back_on, -event.cents
    yield Movement(taker, position, 0, "set_off", day, cents, giver)
    yield Movement(giver, position, 1, "credit", day, -cents, taker)


def means_of(event: AnyEvent) -> Means:
    match event:
        case PaymentSucceeded():
            return "card"
        case RemittanceApproved() | RemittanceReturned():
            return "remittance"
        case _:
            return "transfer"


def columns_of(money: list[Movement]) -> dict[str, list[Any]]:
    return {
        "statement_id": [one.statement_id for one in money],
        "position": [one.position for one in money],
        "place": [one.place for one in money],
        "means": [one.means for one in money],
        "day": [one.day for one in money],
        "cents": [one.cents for one in money],
        "other_id": [one.other_id for one in money],
    }
