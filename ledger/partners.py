"""A partner: a shop registered with its SIRET, active until a day, perhaps suspended."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, assert_never
from uuid import UUID

from pydantic import AfterValidator, Field
from stdnum.exceptions import ValidationError
from stdnum.fr import siret as siret_standard

from ledger.decider import Command, Decider, Event, Refused

# Events. These names and fields are what is stored: add a new version, never edit.


class PartnerRegistered(Event):
    partner_id: UUID
    name: str
    siret: str


class PartnerActivated(Event):
    partner_id: UUID
    valid_from: date
    valid_until: date | None = None


class PartnerSuspended(Event):
    partner_id: UUID
    reason: str


PartnerEvent = PartnerRegistered | PartnerActivated | PartnerSuspended

# Commands.


def _siret(text: str) -> str:
    """Give the 14 digits of a SIRET, checked by both its control digits (INSEE)."""
    try:
        return siret_standard.validate(text)
    except ValidationError as invalid:
        raise ValueError("not a SIRET: 14 digits with a valid control digit") from invalid


Siret = Annotated[str, AfterValidator(_siret)]
Name = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^\S(.*\S)?$")]
Reason = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$")]


class RegisterPartner(Command):
    partner_id: UUID
    name: Name
    siret: Siret


class ActivatePartner(Command):
    partner_id: UUID
    valid_from: date
    valid_until: date | None = None


class SuspendPartner(Command):
    partner_id: UUID
    reason: Reason


PartnerCommand = RegisterPartner | ActivatePartner | SuspendPartner

# State: only what the rules below need.


@dataclass(frozen=True, slots=True)
class Unregistered:
    pass


@dataclass(frozen=True, slots=True)
class Registered:
    name: str
    siret: str


@dataclass(frozen=True, slots=True)
class Active:
    name: str
    siret: str
    valid_from: date
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class Suspended:
    name: str
    siret: str
    reason: str


Partner = Unregistered | Registered | Active | Suspended


class PartnerNotRegistered(Refused):
    pass


class PartnerDiffers(Refused):
    """The same partner id was registered before with another name or SIRET."""


class ValidityReversed(Refused):
    """The last day of validity is before the first."""


class PartnerNotActive(Refused):
    """Only an active partner can be suspended."""


def evolve(partner: Partner, event: PartnerEvent) -> Partner:
    match event:
        case PartnerRegistered(name=name, siret=siret):
            return Registered(name, siret)
        case PartnerActivated(valid_from=valid_from, valid_until=valid_until):
            assert not isinstance(partner, Unregistered)  # noqa: S101 - what was stored says so.
            return Active(partner.name, partner.siret, valid_from, valid_until)
        case PartnerSuspended(reason=reason):
            assert not isinstance(partner, Unregistered)  # noqa: S101 - what was stored says so.
            return Suspended(partner.name, partner.siret, reason)
        case _:
            assert_never(event)


def decide(command: PartnerCommand, partner: Partner) -> list[PartnerEvent]:
    match command:
        case RegisterPartner():
            return register(command, partner)
        case ActivatePartner():
            return activate(command, partner)
        case SuspendPartner():
            return suspend(command, partner)
        case _:
            assert_never(command)


def register(command: RegisterPartner, partner: Partner) -> list[PartnerEvent]:
    match partner:
        case Unregistered():
            return [
                PartnerRegistered(
                    recorded_at=command.at,
                    actor=command.actor,
                    partner_id=command.partner_id,
                    name=command.name,
                    siret=command.siret,
                )
            ]
        case Registered(name, siret) | Active(name, siret) | Suspended(name, siret):
            if (name, siret) != (command.name, command.siret):
                raise PartnerDiffers(partner_id=command.partner_id, known_as=name, siret=siret)
            return []
        case _:
            assert_never(partner)


def activate(command: ActivatePartner, partner: Partner) -> list[PartnerEvent]:
    if command.valid_until is not None and command.valid_until < command.valid_from:
        raise ValidityReversed(valid_from=command.valid_from, valid_until=command.valid_until)
    match partner:
        case Unregistered():
            raise PartnerNotRegistered(partner_id=command.partner_id)
        case Active(valid_from=valid_from, valid_until=valid_until) if (
            valid_from,
            valid_until,
        ) == (command.valid_from, command.valid_until):
            return []
        case Registered() | Active() | Suspended():
            return [
                PartnerActivated(
                    recorded_at=command.at,
                    actor=command.actor,
                    partner_id=command.partner_id,
                    valid_from=command.valid_from,
                    valid_until=command.valid_until,
                )
            ]
        case _:
            assert_never(partner)


def suspend(command: SuspendPartner, partner: Partner) -> list[PartnerEvent]:
    match partner:
        case Unregistered():
            raise PartnerNotRegistered(partner_id=command.partner_id)
        case Registered():
            raise PartnerNotActive(partner_id=command.partner_id)
        case Suspended(reason=reason) if reason == command.reason:
            return []
        case Active() | Suspended():
            return [
                PartnerSuspended(
                    recorded_at=command.at,
                    actor=command.actor,
                    partner_id=command.partner_id,
                    reason=command.reason,
                )
            ]
        case _:
            assert_never(partner)


def standing(partner: Partner, on: datetime | date) -> str:
    """Say what a partner is on a day: `registered`, `active`, `lapsed` or `suspended`."""
    day = on.date() if isinstance(on, datetime) else on
    match partner:
        case Active(valid_from=valid_from, valid_until=valid_until):
            if day < valid_from:
                return "registered"
            return "lapsed" if valid_until is not None and day > valid_until else "active"
        case Suspended():
            return "suspended"
        case Registered() | Unregistered():
            return "registered"
        case _:
            assert_never(partner)


partner: Decider[PartnerCommand, Partner, PartnerEvent] = Decider(
    category="partner", initial=Unregistered(), decide=decide, evolve=evolve
)
