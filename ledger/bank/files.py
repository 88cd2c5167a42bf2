"""A statement of a bank file: read once, and known again by its bytes."""

from dataclasses import dataclass
from typing import Annotated, assert_never
from uuid import UUID

from pydantic import Field

from ledger.bank.events import BankFileRead
from ledger.calendar import Day
from ledger.decider import Command, Decider, Refused

Count = Annotated[int, Field(ge=0)]

# Commands.


class ReadFile(Command):
    """Asked once all of its entries are booked, so that what stands as read is whole."""

    file_id: UUID
    account_id: UUID
    format: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    sequence: int | None
    opening_on: Day
    opening_cents: int
    closing_on: Day
    closing_cents: int
    entries: Count
    credit_cents: Count
    debit_cents: Count


# State: only what the rules below need.


@dataclass(frozen=True, slots=True)
class Unread:
    pass


@dataclass(frozen=True, slots=True)
class FileRead:
    read: BankFileRead


BankFile = Unread | FileRead


class BankFileDiffers(Refused):
    """The same statement was read before with other balances."""


def evolve(_: BankFile, event: BankFileRead) -> BankFile:
    return FileRead(event)


def decide(command: ReadFile, file: BankFile) -> list[BankFileRead]:
    said = command.model_dump(exclude={"at", "actor"})
    match file:
        case Unread():
            return [BankFileRead(recorded_at=command.at, actor=command.actor, **said)]
        case FileRead(read=read):
            if said != read.model_dump(exclude={"recorded_at", "actor"}):
                raise BankFileDiffers(file_id=command.file_id)
            return []
        case _:
            assert_never(file)


bank_file: Decider[ReadFile, BankFile, BankFileRead] = Decider(
    category="bankfile", initial=Unread(), decide=decide, evolve=evolve
)
