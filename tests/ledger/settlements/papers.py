"""A partner's settlement in tests: commands as they come in, and events as they are stored."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from ledger.settlements.commands import (
    ApproveWriteOff,
    CloseStatement,
    DiscardWriteOff,
    Got,
    ProposeWriteOff,
    Reminder,
    RemindOfStatements,
    SetOffCredit,
    statement_id_of,
    statement_reference,
)
from ledger.settlements.decider import settlement
from ledger.settlements.events import (
    DaySum,
    Part,
    SettlementEvent,
    StatementClosed,
    WriteOffApproved,
    WriteOffProposed,
)

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
SHOP, WRITE_OFF = UUID(int=3), UUID(int=8)
SIRET = "73282932000074"
ANNE, BRUNO = (f"account:{UUID(int=number)}" for number in (11, 12))
FIRST = statement_id_of(SHOP, 1)
PART = Part(
    source="customer",
    regime="mandate",
    gifts=3,
    given_cents=1_250,
    reversals=1,
    reversed_cents=50,
)


def close(**changes: Any) -> CloseStatement:
    terms: dict[str, Any] = {
        "at": NOON,
        "actor": "clock",
        "partner_id": SHOP,
        "siret": SIRET,
        "number": 1,
        "first_on": date(2026, 10, 1),
        "last_on": date(2026, 10, 31),
        "through_position": 100,
        "lines": 4,
        "lines_sha256": "d" * 64,
        "parts": (PART,),
        "days": (DaySum(day=date(2026, 10, 2), cents=1_200),),
        "due_on": date(2026, 12, 3),
        "closed_by": "schedule",
    }
    return CloseStatement(**terms | changes)


def closed(number: int = 1, **changes: Any) -> StatementClosed:
    """Give the event that a close decides, as it is stored, under another number where asked."""
    event = settlement.decide(close(**changes), settlement.initial)[0]
    assert isinstance(event, StatementClosed)
    named = {
        "number": number,
        "statement_id": statement_id_of(SHOP, number),
        "reference": statement_reference(SIRET, number),
    }
    return event.model_copy(update=named)


def remind(
    statement_id: UUID = FIRST, level: int = 1, outstanding_cents: int = 1_200, **changes: Any
) -> RemindOfStatements:
    """Remind of one statement."""
    one = Reminder(statement_id=statement_id, level=level, outstanding_cents=outstanding_cents)
    terms: dict[str, Any] = {
        "at": NOON,
        "actor": "clock",
        "partner_id": SHOP,
        "reminded_on": date(2026, 12, 10),
        "reminders": (one,),
    }
    return RemindOfStatements(**terms | changes)


def set_off(banked: dict[int, int], on: date = date(2026, 12, 1), **changes: Any) -> SetOffCredit:
    """Set off what is in the shop's favour; `banked` is by a statement's number."""
    got = tuple(
        Got(statement_id=statement_id_of(SHOP, number), banked_cents=cents, as_of=on)
        for number, cents in banked.items()
    )
    terms: dict[str, Any] = {"at": NOON, "actor": "settlement", "partner_id": SHOP, "got": got}
    return SetOffCredit(**terms | changes)


def propose(**changes: Any) -> ProposeWriteOff:
    terms: dict[str, Any] = {
        "at": NOON,
        "actor": ANNE,
        "partner_id": SHOP,
        "statement_id": FIRST,
        "write_off_id": WRITE_OFF,
        "cents": 200,
        "reason": "too_small",
        "outstanding_cents": 1_200,
    }
    return ProposeWriteOff(**terms | changes)


def approve(**changes: Any) -> ApproveWriteOff:
    terms: dict[str, Any] = {
        "at": NOON,
        "actor": BRUNO,
        "partner_id": SHOP,
        "statement_id": FIRST,
        "write_off_id": WRITE_OFF,
        "cents": 200,
        "approved_on": date(2026, 12, 20),
        "outstanding_cents": 1_200,
    }
    return ApproveWriteOff(**terms | changes)


def discard(**changes: Any) -> DiscardWriteOff:
    terms: dict[str, Any] = {
        "at": NOON,
        "actor": ANNE,
        "partner_id": SHOP,
        "statement_id": FIRST,
        "write_off_id": WRITE_OFF,
    }
    return DiscardWriteOff(**terms | changes)


CLOSED = closed()
WHOSE: dict[str, Any] = {"recorded_at": NOON, "partner_id": SHOP, "statement_id": FIRST}
PROPOSED = WriteOffProposed(
    actor=ANNE, write_off_id=WRITE_OFF, cents=200, reason="too_small", **WHOSE
)
APPROVED = WriteOffApproved(
    actor=BRUNO,
    write_off_id=WRITE_OFF,
    cents=200,
    reason="too_small",
    approved_on=date(2026, 12, 20),
    **WHOSE,
)


def carried_out(history: list[SettlementEvent], command: Any) -> list[SettlementEvent]:
    return [*history, *settlement.decide(command, settlement.fold(history))]
