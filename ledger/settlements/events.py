"""What happened between a partner and the foundation. These names and fields are what is stored."""

from datetime import date
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from ledger.decider import Event
from ledger.giving import Regime, Source

ClosedBy = Literal["schedule", "officer"]
WriteOffReason = Literal["shop_closed", "insolvency", "too_small", "disputed", "mistake"]


class Part(BaseModel):
    """The gifts and reversals of one source under one regime; no regime without an agreement."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Source
    regime: Regime | None = None
    gifts: int
    given_cents: int
    reversals: int
    reversed_cents: int


class DaySum(BaseModel):
    """What was given on a day, less what was given back on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    day: date
    cents: int


class StatementClosed(Event):
    """A partner's gifts and reversals, frozen.

    Its lines are all of the partner's with a position up to `through_position` and a day up to
    `last_on` that are on no earlier statement. `lines_sha256` is of the published CSV's bytes.
    """

    partner_id: UUID
    statement_id: UUID
    number: int
    first_on: date
    last_on: date
    through_position: int
    lines: int
    lines_sha256: str
    parts: tuple[Part, ...]
    days: tuple[DaySum, ...]
    owed_cents: int
    reference: str
    due_on: date
    closed_by: ClosedBy


class StatementReminded(Event):
    """`level` counts from 1; the letter itself is kept nowhere."""

    partner_id: UUID
    statement_id: UUID
    level: int
    reminded_on: date


class WriteOffProposed(Event):
    partner_id: UUID
    statement_id: UUID
    write_off_id: UUID
    cents: int
    reason: WriteOffReason


class WriteOffApproved(Event):
    """Approved by another person than proposed it."""

    partner_id: UUID
    statement_id: UUID
    write_off_id: UUID
    cents: int
    reason: WriteOffReason
    approved_on: date


class WriteOffDiscarded(Event):
    partner_id: UUID
    statement_id: UUID
    write_off_id: UUID


class CreditSetOff(Event):
    """What `from_statement_id` has beyond its debt pays `statement_id`, of the same partner.

    `set_off_on` is the day since which there were both, the credit and the debt.
    """

    partner_id: UUID
    statement_id: UUID
    from_statement_id: UUID
    cents: int
    set_off_on: date


class SetOffTakenBack(Event):
    """So many cents of what was set off go back: they are there no more, or not needed."""

    partner_id: UUID
    statement_id: UUID
    from_statement_id: UUID
    cents: int
    taken_back_on: date


SetOffEvent = CreditSetOff | SetOffTakenBack
SettlementEvent = (
    StatementClosed
    | StatementReminded
    | WriteOffProposed
    | WriteOffApproved
    | WriteOffDiscarded
    | SetOffEvent
)
