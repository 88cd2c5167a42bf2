"""What is asked of a partner's settlement, and how it is refused."""

from datetime import date
from typing import Annotated
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field

from ledger.calendar import Day
from ledger.decider import Command, Refused
from ledger.money import Cents
from ledger.references import reference_of
from ledger.settlements.events import ClosedBy, DaySum, Part, WriteOffReason
from ledger.siret import Siret

# What a reference holds beside a SIRET.
NUMBER_MAX = 9_999_999
NAMESPACE = UUID("0b8a6f5e-2c1d-5e7a-9f3b-4d6c8e0a1b2f")
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, strict=True)]
# A sum of gifts is beyond the bounds of each of them.
Signed = Annotated[int, Field(strict=True)]


class CloseStatement(Command):
    """`number` is the one that its lines were gathered for, so that no other takes their place."""

    partner_id: UUID
    siret: Siret
    number: Annotated[int, Field(ge=1, le=NUMBER_MAX, strict=True)]
    first_on: Day
    last_on: Day
    through_position: Count
    lines: Count
    lines_sha256: Sha256
    parts: tuple[Part, ...]
    days: tuple[DaySum, ...]
    due_on: Day
    closed_by: ClosedBy


class Reminder(BaseModel):
    """The next reminder of a statement; `outstanding_cents` is what is owed at this moment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    statement_id: UUID
    level: Annotated[int, Field(ge=1, strict=True)]
    outstanding_cents: Signed


class RemindOfStatements(Command):
    """What one letter to a partner reminds of: there is one a day, of as many as are due."""

    partner_id: UUID
    reminded_on: Day
    reminders: Annotated[tuple[Reminder, ...], Field(min_length=1)]


class Got(BaseModel):
    """Money that came for a statement, set-offs apart.

    `as_of` is the day of the last of it, or of a write-off, or that on which it was closed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    statement_id: UUID
    banked_cents: Annotated[int, Field(strict=True)]
    as_of: Day


class SetOffCredit(Command):
    """`got` is what the ledger knows to have come in; statements that it leaves out are left."""

    partner_id: UUID
    got: tuple[Got, ...]


class ProposeWriteOff(Command):
    """`interested` are the people who speak for the partner, or declared an interest in it."""

    partner_id: UUID
    statement_id: UUID
    write_off_id: UUID
    cents: Cents
    reason: WriteOffReason
    outstanding_cents: Signed
    interested: tuple[str, ...] = ()


class ApproveWriteOff(Command):
    """`cents` is what the person who approves read, so that she approves nothing else.

    `disabled` are the actors whose account is disabled today.
    """

    partner_id: UUID
    statement_id: UUID
    write_off_id: UUID
    cents: Cents
    approved_on: Day
    outstanding_cents: Signed
    interested: tuple[str, ...] = ()
    disabled: tuple[str, ...] = ()


class DiscardWriteOff(Command):
    partner_id: UUID
    statement_id: UUID
    write_off_id: UUID


SettlementCommand = (
    CloseStatement
    | RemindOfStatements
    | SetOffCredit
    | ProposeWriteOff
    | ApproveWriteOff
    | DiscardWriteOff
)


class StatementNotFound(Refused):
    """This partner has no statement of this id."""


class StatementOutOfOrder(Refused):
    """Another statement was closed meanwhile: its lines are gathered anew."""


class StatementReachesBack(Refused):
    """A statement reaches at least as far as the one before, in days and in the feed."""


class StatementEmpty(Refused):
    """There is no gift and no reversal to put on a statement."""


class PeriodNotOver(Refused):
    """A statement ends today at the latest."""


class NothingOwed(Refused):
    """Nothing is owed: by itself no such statement is closed, and none is reminded of."""


class ReminderOutOfOrder(Refused):
    """Reminders go out one after another, each once."""


class RemindedToday(Refused):
    """The partner was written to today: one letter a day tells all that is overdue."""


class StatementNotDue(Refused):
    """The statement is not overdue."""


class WriteOffDiffers(Refused):
    """The same write-off was proposed before with other contents, or is not what was read."""


class WriteOffPending(Refused):
    """Another write-off of this statement is proposed: it is approved or discarded first."""


class WriteOffNotFound(Refused):
    """No write-off was proposed under this id."""


class WriteOffClosed(Refused):
    """This write-off was decided upon before: approved, or discarded."""


class WriteOffExceedsDebt(Refused):
    """No more is written off than is owed."""


class ProposerApprovesWriteOff(Refused):
    """Whoever proposed a write-off cannot approve it: another person does."""


class WriteOffProposerDisabled(Refused):
    """Whoever proposed it had her account disabled since: it can only be discarded."""


class WriteOffWithInterest(Refused):
    """Nobody writes off the debt of a partner for which they speak or have an interest in."""


def statement_id_of(partner_id: UUID, number: int) -> UUID:
    """Give the id of a partner's statement by its number."""
    return uuid5(NAMESPACE, f"{partner_id}/{number}")


def statement_reference(siret: str, number: int) -> str:
    """Give the reference to pay a statement under: the partner's SIRET, then its number."""
    return reference_of(f"{siret}{number:04d}")


def owed(parts: tuple[Part, ...]) -> int:
    return sum(part.given_cents - part.reversed_cents for part in parts)


def is_overdue(due_on: date, today: date) -> bool:
    return today > due_on
