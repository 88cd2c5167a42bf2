"""A till: one device of a partner, known by a key that only the device holds."""

from dataclasses import dataclass
from typing import Annotated, assert_never
from uuid import UUID

from pydantic import Field

from ledger.decider import Command, Decider, Event, Refused

# Events. These names and fields are what is stored: add a new version, never edit.


class TillEnrolled(Event):
    till_id: UUID
    partner_id: UUID
    name: str
    key_sha256: str


class TillKeyRotated(Event):
    till_id: UUID
    partner_id: UUID
    key_sha256: str


class TillRevoked(Event):
    till_id: UUID
    partner_id: UUID
    reason: str


TillEvent = TillEnrolled | TillKeyRotated | TillRevoked

# Commands.

Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^\S(.*\S)?$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class EnrolTill(Command):
    till_id: UUID
    partner_id: UUID
    name: Name
    key_sha256: Sha256


class RotateTillKey(Command):
    till_id: UUID
    key_sha256: Sha256


class RevokeTill(Command):
    till_id: UUID
    reason: Annotated[str, Field(min_length=1, max_length=200)]


TillCommand = EnrolTill | RotateTillKey | RevokeTill

# State: only what the rules below need.


@dataclass(frozen=True, slots=True)
class Unknown:
    pass


@dataclass(frozen=True, slots=True)
class Enrolled:
    partner_id: UUID
    name: str
    key_sha256: str


@dataclass(frozen=True, slots=True)
class Revoked:
    partner_id: UUID


Till = Unknown | Enrolled | Revoked


class TillNotEnrolled(Refused):
    pass


class TillAlreadyEnrolled(Refused):
    """The same till id was enrolled before, for another partner or with another key."""


class TillIsRevoked(Refused):
    """A revoked till never comes back: enrol a new one."""


def evolve(till: Till, event: TillEvent) -> Till:
    match event:
        case TillEnrolled(partner_id=partner_id, name=name, key_sha256=key_sha256):
            return Enrolled(partner_id, name, key_sha256)
        case TillKeyRotated(partner_id=partner_id, key_sha256=key_sha256):
            assert isinstance(till, Enrolled)  # noqa: S101 - what was stored says so.
            return Enrolled(partner_id, till.name, key_sha256)
        case TillRevoked(partner_id=partner_id):
            return Revoked(partner_id)
        case _:
            assert_never(event)


def decide(command: TillCommand, till: Till) -> list[TillEvent]:
    match command:
        case EnrolTill():
            return enrol(command, till)
        case RotateTillKey():
            return rotate(command, till)
        case RevokeTill():
            return revoke(command, till)
        case _:
            assert_never(command)


def enrol(command: EnrolTill, till: Till) -> list[TillEvent]:
    match till:
        case Unknown():
            return [
                TillEnrolled(
                    recorded_at=command.at,
                    actor=command.actor,
                    till_id=command.till_id,
                    partner_id=command.partner_id,
                    name=command.name,
                    key_sha256=command.key_sha256,
                )
            ]
        case Enrolled(partner_id, name, key_sha256):
            if (partner_id, name, key_sha256) == (
                command.partner_id,
                command.name,
                command.key_sha256,
            ):
                return []
            raise TillAlreadyEnrolled(till_id=command.till_id)
        case Revoked():
            raise TillIsRevoked(till_id=command.till_id)
        case _:
            assert_never(till)


def rotate(command: RotateTillKey, till: Till) -> list[TillEvent]:
    match till:
        case Unknown():
            raise TillNotEnrolled(till_id=command.till_id)
        case Enrolled(key_sha256=key_sha256) if key_sha256 == command.key_sha256:
            return []
        case Enrolled(partner_id):
            return [
                TillKeyRotated(
                    recorded_at=command.at,
                    actor=command.actor,
                    till_id=command.till_id,
                    partner_id=partner_id,
                    key_sha256=command.key_sha256,
                )
            ]
        case Revoked():
            raise TillIsRevoked(till_id=command.till_id)
        case _:
            assert_never(till)


def revoke(command: RevokeTill, till: Till) -> list[TillEvent]:
    match till:
        case Unknown():
            raise TillNotEnrolled(till_id=command.till_id)
        case Enrolled(partner_id):
            return [
                TillRevoked(
                    recorded_at=command.at,
                    actor=command.actor,
                    till_id=command.till_id,
                    partner_id=partner_id,
                    reason=command.reason,
                )
            ]
        case Revoked():
            return []
        case _:
            assert_never(till)


till: Decider[TillCommand, Till, TillEvent] = Decider(
    category="till", initial=Unknown(), decide=decide, evolve=evolve
)
