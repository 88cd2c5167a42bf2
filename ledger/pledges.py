"""A pledge: matching money that a sponsor promised, called, banked, and used against rounds.

What is banked is in the streams of the bank: here a sponsor promises, and rounds take from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import blake2b
from typing import Annotated, assert_never
from uuid import UUID

from pydantic import Field

from ledger.calendar import Day, civil_day
from ledger.decider import Command, Decider, Event, Refused
from ledger.money import Cents
from ledger.references import reference_of

# Events. These names and fields are what is stored: add a new version, never edit.


class PledgeMade(Event):
    """`sponsor` is the word that rounds name it by. For one round only where `round_id` says so."""

    pledge_id: UUID
    sponsor: str
    cents: int
    pledged_on: date
    round_id: UUID | None = None


class PledgeCalled(Event):
    """The sponsor is asked to pay `cents` of it, under a reference of its own."""

    pledge_id: UUID
    call_id: UUID
    cents: int
    reference: str
    due_on: date


class PledgeUsed(Event):
    """A round's adopted result took so much of it. A round takes from a pledge once."""

    pledge_id: UUID
    round_id: UUID
    cents: int


class PledgeWithdrawn(Event):
    """The sponsor will not pay the rest: `cents` that were neither used nor banked."""

    pledge_id: UUID
    cents: int
    withdrawn_on: date


PledgeEvent = PledgeMade | PledgeCalled | PledgeUsed | PledgeWithdrawn

# Commands.

# The word of a round's definition.
Sponsor = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


class MakePledge(Command):
    pledge_id: UUID
    sponsor: Sponsor
    cents: Cents
    pledged_on: Day
    round_id: UUID | None = None


class CallPledge(Command):
    pledge_id: UUID
    call_id: UUID
    cents: Cents
    due_on: Day


class UsePledge(Command):
    """`cents` is what an adopted result takes of this pledge: never more than is left of it."""

    pledge_id: UUID
    round_id: UUID
    cents: Cents


class WithdrawPledge(Command):
    """`banked_cents` is what the sponsor has paid, as far as the ledger knows."""

    pledge_id: UUID
    banked_cents: Annotated[int, Field(ge=0)]
    withdrawn_on: Day


PledgeCommand = MakePledge | CallPledge | UsePledge | WithdrawPledge

# State: only what the rules below need.


@dataclass(frozen=True, slots=True)
class Unmade:
    pass


@dataclass(frozen=True, slots=True)
class Made:
    made: PledgeMade
    calls: tuple[PledgeCalled, ...] = ()
    used: Mapping[UUID, int] = field(default_factory=dict)
    withdrawn_cents: int = 0

    @property
    def promised_cents(self) -> int:
        """What the sponsor still stands by, paid or not."""
        return self.made.cents - self.withdrawn_cents

    @property
    def used_cents(self) -> int:
        return sum(self.used.values())

    @property
    def free_cents(self) -> int:
        """What no round has taken."""
        return self.promised_cents - self.used_cents

    @property
    def uncalled_cents(self) -> int:
        """What the sponsor was not asked to pay yet; nothing where it withdrew what was asked."""
        return max(0, self.promised_cents - sum(one.cents for one in self.calls))


Pledge = Unmade | Made


class PledgeNotFound(Refused):
    """No pledge was made under this id."""


class PledgeDiffers(Refused):
    """The same pledge was made before with other contents."""


class PledgedInFuture(Refused):
    """A promise is dated later than today."""


class CallDiffers(Refused):
    """The same call was made before with other contents."""


class CallExceedsPledge(Refused):
    """More would be called than the sponsor promised."""


class CallDueInPast(Refused):
    """A call falls due today or later."""


class UseDiffers(Refused):
    """The round took another amount of this pledge before."""


class UseExceedsPledge(Refused):
    """More would be used than is left of the pledge."""


class PledgeOfAnotherRound(Refused):
    """The sponsor promised this for another round."""


class NothingToWithdraw(Refused):
    """All of the pledge is used or paid: there is nothing that the sponsor could keep."""


class WithdrawnInFuture(Refused):
    """A withdrawal is dated later than today."""


def evolve(pledge: Pledge, event: PledgeEvent) -> Pledge:
    if isinstance(event, PledgeMade):
        return Made(event)
    assert isinstance(pledge, Made)  # noqa: S101 - what was stored says so.
    match event:
        case PledgeCalled():
            return replace(pledge, calls=(*pledge.calls, event))
        case PledgeUsed(round_id=round_id, cents=cents):
            return replace(pledge, used={**pledge.used, round_id: cents})
        case PledgeWithdrawn(cents=cents):
            return replace(pledge, withdrawn_cents=pledge.withdrawn_cents + cents)
        case _:
            assert_never(event)


def decide(command: PledgeCommand, pledge: Pledge) -> list[PledgeEvent]:
    if isinstance(command, MakePledge):
        return make(command, pledge)
    if isinstance(pledge, Unmade):
        raise PledgeNotFound(pledge_id=command.pledge_id)
    match command:
        case CallPledge():
            return call(command, pledge)
        case UsePledge():
            return use(command, pledge)
        case WithdrawPledge():
            return withdraw(command, pledge)
        case _:
            assert_never(command)


def make(command: MakePledge, pledge: Pledge) -> list[PledgeEvent]:
    if isinstance(pledge, Made):
        told = command.model_dump(exclude={"at", "actor"})
        if pledge.made.model_dump(exclude={"recorded_at", "actor"}) != told:
            raise PledgeDiffers(pledge_id=command.pledge_id)
        return []
    if command.pledged_on > civil_day(command.at):
        raise PledgedInFuture(pledged_on=command.pledged_on)
    return [
        PledgeMade(
            recorded_at=command.at,
            actor=command.actor,
            pledge_id=command.pledge_id,
            sponsor=command.sponsor,
            cents=command.cents,
            pledged_on=command.pledged_on,
            round_id=command.round_id,
        )
    ]


def call(command: CallPledge, pledge: Made) -> list[PledgeEvent]:
    for earlier in pledge.calls:
        if earlier.call_id == command.call_id:
            if (earlier.cents, earlier.due_on) != (command.cents, command.due_on):
                raise CallDiffers(call_id=command.call_id)
            return []
    if command.cents > pledge.uncalled_cents:
        raise CallExceedsPledge(uncalled_cents=pledge.uncalled_cents)
    if command.due_on < civil_day(command.at):
        raise CallDueInPast(due_on=command.due_on)
    return [
        PledgeCalled(
            recorded_at=command.at,
            actor=command.actor,
            pledge_id=command.pledge_id,
            call_id=command.call_id,
            cents=command.cents,
            reference=call_reference(command.call_id),
            due_on=command.due_on,
        )
    ]


def use(command: UsePledge, pledge: Made) -> list[PledgeEvent]:
    if command.round_id in pledge.used:
        if pledge.used[command.round_id] != command.cents:
            raise UseDiffers(used_cents=pledge.used[command.round_id])
        return []
    if pledge.made.round_id not in {None, command.round_id}:
        raise PledgeOfAnotherRound(pledge_id=command.pledge_id)
    if command.cents > pledge.free_cents:
        raise UseExceedsPledge(free_cents=pledge.free_cents)
    return [
        PledgeUsed(
            recorded_at=command.at,
            actor=command.actor,
            pledge_id=command.pledge_id,
            round_id=command.round_id,
            cents=command.cents,
        )
    ]


def withdraw(command: WithdrawPledge, pledge: Made) -> list[PledgeEvent]:
    """Withdraw all that can be: what rounds took is owed to them, what was paid stays."""
    left_cents = pledge.promised_cents - max(pledge.used_cents, command.banked_cents)
    if left_cents <= 0:
        if pledge.withdrawn_cents:
            return []
        raise NothingToWithdraw(pledge_id=command.pledge_id)
    if command.withdrawn_on > civil_day(command.at):
        raise WithdrawnInFuture(withdrawn_on=command.withdrawn_on)
    return [
        PledgeWithdrawn(
            recorded_at=command.at,
            actor=command.actor,
            pledge_id=command.pledge_id,
            cents=left_cents,
            withdrawn_on=command.withdrawn_on,
        )
    ]


def call_reference(call_id: UUID) -> str:
    """Give the ISO 11649 reference of a call; its letter tells it from those of statements."""
    return reference_of(f"P{blake2b(call_id.bytes, digest_size=8).hexdigest().upper()}")


pledge: Decider[PledgeCommand, Pledge, PledgeEvent] = Decider(
    category="pledge", initial=Unmade(), decide=decide, evolve=evolve
)
