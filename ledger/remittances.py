"""A remittance declared by hand: a cheque or cash that a shop handed over, seen by two people."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal, assert_never, get_args
from uuid import UUID

from pydantic import Field

from ledger.actors import person
from ledger.allocations import Allocation
from ledger.calendar import Day, civil_day
from ledger.decider import Command, Decider, Event, Refused
from ledger.money import Cents

Means = Literal["cheque", "cash", "other"]
MEANS: tuple[Means, ...] = get_args(Means)

# Events. These names and fields are what is stored: add a new version, never edit.


class RemittanceDeclared(Event):
    remittance_id: UUID
    partner_id: UUID
    means: Means
    cents: int
    received_on: date
    allocations: tuple[Allocation, ...]


class RemittanceApproved(Event):
    """From now on its allocations hold; its deposit in the bank is matched with it alone."""

    remittance_id: UUID
    partner_id: UUID
    means: Means
    cents: int
    received_on: date
    allocations: tuple[Allocation, ...]


class RemittanceDiscarded(Event):
    remittance_id: UUID
    partner_id: UUID


class RemittanceReturned(Event):
    """The bank did not honour it: its allocations hold no more."""

    remittance_id: UUID
    partner_id: UUID
    cents: int
    returned_on: date
    allocations: tuple[Allocation, ...]


RemittanceEvent = RemittanceDeclared | RemittanceApproved | RemittanceDiscarded | RemittanceReturned

# Commands.

ALLOCATIONS_MAX = 100


class DeclareRemittance(Command):
    """`allocations` name statements of this partner, and add up to all that was handed over."""

    remittance_id: UUID
    partner_id: UUID
    means: Means
    cents: Cents
    received_on: Day
    allocations: Annotated[tuple[Allocation, ...], Field(min_length=1, max_length=ALLOCATIONS_MAX)]


class ApproveRemittance(Command):
    """`cents` is what the second person counted; `partner_people` speak for the partner."""

    remittance_id: UUID
    cents: Cents
    partner_people: tuple[str, ...] = ()


class DiscardRemittance(Command):
    remittance_id: UUID


class ReturnRemittance(Command):
    remittance_id: UUID
    returned_on: Day


RemittanceCommand = DeclareRemittance | ApproveRemittance | DiscardRemittance | ReturnRemittance
Decision = ApproveRemittance | DiscardRemittance | ReturnRemittance

# State: only what the rules below need.


@dataclass(frozen=True, slots=True)
class Undeclared:
    pass


@dataclass(frozen=True, slots=True)
class Declared:
    declared: RemittanceDeclared


@dataclass(frozen=True, slots=True)
class Approved:
    declared: RemittanceDeclared


@dataclass(frozen=True, slots=True)
class Discarded:
    declared: RemittanceDeclared


@dataclass(frozen=True, slots=True)
class Returned:
    declared: RemittanceDeclared
    returned_on: date


Known = Declared | Approved | Discarded | Returned
Remittance = Undeclared | Known


class RemittanceNotFound(Refused):
    """No remittance was declared under this id."""


class RemittanceDiffers(Refused):
    """The same remittance was declared before with other contents."""


class ReceivedInFuture(Refused):
    """What was handed over is dated later than today."""


class AllocationsDiffer(Refused):
    """The amounts for the statements do not add up to what was handed over."""


class AllocationForeign(Refused):
    """A remittance pays statements of its own partner, each of them once, and nothing else."""


class CountDiffers(Refused):
    """The second person counted another amount than was declared."""


class DeclarerApproves(Refused):
    """Whoever declared a remittance cannot approve it: another person counts it too."""


class ApproverSpeaksForPartner(Refused):
    """Whoever speaks for the partner cannot say that the foundation got its money."""


class RemittanceClosed(Refused):
    """This remittance was decided upon before: approved, or discarded."""


class RemittanceNotApproved(Refused):
    """Only a remittance that two people saw can come back from the bank."""


class ReturnedBeforeReceived(Refused):
    """The bank can only return later, and not in the future, what was handed over before."""


def evolve(remittance: Remittance, event: RemittanceEvent) -> Remittance:
    if isinstance(event, RemittanceDeclared):
        return Declared(event)
    assert not isinstance(remittance, Undeclared)  # noqa: S101 - what was stored says so.
    match event:
        case RemittanceApproved():
            return Approved(remittance.declared)
        case RemittanceDiscarded():
            return Discarded(remittance.declared)
        case RemittanceReturned(returned_on=returned_on):
            return Returned(remittance.declared, returned_on)
        case _:
            assert_never(event)


def decide(command: RemittanceCommand, remittance: Remittance) -> list[RemittanceEvent]:
    if isinstance(command, DeclareRemittance):
        return declare(command, remittance)
    if isinstance(remittance, Undeclared):
        raise RemittanceNotFound(remittance_id=command.remittance_id)
    match command:
        case ApproveRemittance():
            return approve(command, remittance)
        case DiscardRemittance():
            return discard(command, remittance)
        case ReturnRemittance():
            return give_back(command, remittance)
        case _:
            assert_never(command)


def declare(command: DeclareRemittance, remittance: Remittance) -> list[RemittanceEvent]:
    person(command.actor)
    told = command.model_dump(exclude={"at", "actor"})
    if not isinstance(remittance, Undeclared):
        if remittance.declared.model_dump(exclude={"recorded_at", "actor"}) != told:
            raise RemittanceDiffers(remittance_id=command.remittance_id)
        return []
    if command.received_on > civil_day(command.at):
        raise ReceivedInFuture(received_on=command.received_on)
    sound(command)
    return [
        RemittanceDeclared(
            recorded_at=command.at,
            actor=command.actor,
            remittance_id=command.remittance_id,
            partner_id=command.partner_id,
            means=command.means,
            cents=command.cents,
            received_on=command.received_on,
            allocations=command.allocations,
        )
    ]


def sound(command: DeclareRemittance) -> None:
    """Raise AllocationForeign or AllocationsDiffer unless each cent has one statement of hers."""
    for one in command.allocations:
        of_partner = one.target == "statement" and one.partner_id == command.partner_id
        if not of_partner or one.target_id is None or one.cents <= 0:
            raise AllocationForeign(partner_id=command.partner_id)
    if len({one.target_id for one in command.allocations}) < len(command.allocations):
        raise AllocationForeign(partner_id=command.partner_id)
    allocated_cents = sum(one.cents for one in command.allocations)
    if allocated_cents != command.cents:
        raise AllocationsDiffer(cents=command.cents, allocated_cents=allocated_cents)


def approve(command: ApproveRemittance, remittance: Known) -> list[RemittanceEvent]:
    person(command.actor)
    declared = remittance.declared
    match remittance:
        case Approved():
            return []
        case Discarded() | Returned():
            raise RemittanceClosed(remittance_id=command.remittance_id)
        case Declared():
            pass
        case _:
            assert_never(remittance)
    if command.actor == declared.actor:
        raise DeclarerApproves(actor=command.actor)
    if command.actor in command.partner_people:
        raise ApproverSpeaksForPartner(partner_id=declared.partner_id)
    if command.cents != declared.cents:
        raise CountDiffers(counted_cents=command.cents)
    return [
        RemittanceApproved(
            recorded_at=command.at,
            actor=command.actor,
            remittance_id=command.remittance_id,
            partner_id=declared.partner_id,
            means=declared.means,
            cents=declared.cents,
            received_on=declared.received_on,
            allocations=declared.allocations,
        )
    ]


def discard(command: DiscardRemittance, remittance: Known) -> list[RemittanceEvent]:
    match remittance:
        case Discarded():
            return []
        case Approved() | Returned():
            raise RemittanceClosed(remittance_id=command.remittance_id)
        case Declared(declared=declared):
            return [
                RemittanceDiscarded(
                    recorded_at=command.at,
                    actor=command.actor,
                    remittance_id=command.remittance_id,
                    partner_id=declared.partner_id,
                )
            ]
        case _:
            assert_never(remittance)


def give_back(command: ReturnRemittance, remittance: Known) -> list[RemittanceEvent]:
    declared = remittance.declared
    if isinstance(remittance, Returned) and remittance.returned_on == command.returned_on:
        return []
    if not isinstance(remittance, Approved):
        raise RemittanceNotApproved(remittance_id=command.remittance_id)
    if not declared.received_on <= command.returned_on <= civil_day(command.at):
        raise ReturnedBeforeReceived(received_on=declared.received_on)
    return [
        RemittanceReturned(
            recorded_at=command.at,
            actor=command.actor,
            remittance_id=command.remittance_id,
            partner_id=declared.partner_id,
            cents=declared.cents,
            returned_on=command.returned_on,
            allocations=declared.allocations,
        )
    ]


remittance: Decider[RemittanceCommand, Remittance, RemittanceEvent] = Decider(
    category="remittance", initial=Undeclared(), decide=decide, evolve=evolve
)
