"""A till: one device of a partner, offered by a short-lived code, known by a key it alone holds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Literal, assert_never, get_args
from uuid import UUID

from pydantic import AwareDatetime, Field

from ledger.decider import Command, Decider, Event, Refused
from ledger.devices import DeviceNumber
from ledger.text import ONE_LINE

# Long enough to walk to the stall and type it; a code that is found later opens nothing.
OFFER_LIFETIME = timedelta(minutes=15)
GapReason = Literal["device_lost", "device_wiped", "never_made", "other"]
GAP_REASONS: tuple[GapReason, ...] = get_args(GapReason)

# Events. These names and fields are what is stored: add a new version, never edit.


class EnrolmentOffered(Event):
    till_id: UUID
    partner_id: UUID
    name: str
    code_mac: str
    expires_at: AwareDatetime


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


class GapExplained(Event):
    till_id: UUID
    partner_id: UUID
    first_number: int
    last_number: int
    reason: GapReason


TillEvent = EnrolmentOffered | TillEnrolled | TillKeyRotated | TillRevoked | GapExplained

# Commands.

Name = Annotated[str, Field(min_length=1, max_length=80, pattern=ONE_LINE)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Mac = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class OfferEnrolment(Command):
    """Let the device that shows a code become this till, a new one or one that lost its device."""

    till_id: UUID
    partner_id: UUID
    name: Name
    code_mac: Mac


class AcceptEnrolment(Command):
    till_id: UUID
    code_mac: Mac
    key_sha256: Sha256


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


class ExplainGap(Command):
    """`partner_id` is the partner that explains: only the one whose till it is may."""

    till_id: UUID
    partner_id: UUID
    first_number: DeviceNumber
    last_number: DeviceNumber
    reason: GapReason


TillCommand = OfferEnrolment | AcceptEnrolment | EnrolTill | RotateTillKey | RevokeTill | ExplainGap

# State: only what the rules below need.


@dataclass(frozen=True, slots=True)
class Unknown:
    pass


@dataclass(frozen=True, slots=True)
class Offered:
    """A code was given out; no device has shown it yet."""

    offer: EnrolmentOffered


@dataclass(frozen=True, slots=True)
class Enrolled:
    partner_id: UUID
    name: str
    key_sha256: str
    offer: EnrolmentOffered | None = None
    explained: frozenset[tuple[int, int, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Revoked:
    partner_id: UUID
    explained: frozenset[tuple[int, int, str]] = frozenset()


Till = Unknown | Offered | Enrolled | Revoked


class TillNotEnrolled(Refused):
    """No such till is enrolled, or it belongs to another partner."""


class TillAlreadyEnrolled(Refused):
    """The same till id was enrolled before, for another partner or with another key."""


class TillIsRevoked(Refused):
    """A revoked till never comes back: enrol a new one."""


class EnrolmentNotOffered(Refused):
    """No till waits for this code: it is mistyped, was used, or was replaced by another."""


class EnrolmentExpired(Refused):
    """The code is too old: ask for another one."""


class GapReversed(Refused):
    """The last number of a gap lies before its first."""


def evolve(till: Till, event: TillEvent) -> Till:
    match event:
        case EnrolmentOffered():
            return replace(till, offer=event) if isinstance(till, Enrolled) else Offered(event)
        case TillEnrolled(partner_id=partner_id, name=name, key_sha256=key_sha256):
            return Enrolled(partner_id, name, key_sha256)
        case TillKeyRotated(key_sha256=key_sha256):
            assert isinstance(till, Enrolled)  # noqa: S101 - what was stored says so.
            return replace(till, key_sha256=key_sha256, offer=None)
        case TillRevoked(partner_id=partner_id):
            assert isinstance(till, Enrolled)  # noqa: S101 - the same.
            return Revoked(partner_id, till.explained)
        case GapExplained():
            assert isinstance(till, Enrolled | Revoked)  # noqa: S101 - the same.
            gap = (event.first_number, event.last_number, event.reason)
            return replace(till, explained=till.explained | {gap})
        case _:
            assert_never(event)


def decide(command: TillCommand, till: Till) -> Sequence[TillEvent]:
    match command:
        case OfferEnrolment():
            return offer(command, till)
        case AcceptEnrolment():
            return accept(command, till)
        case EnrolTill():
            return enrol(command, till)
        case RotateTillKey():
            return rotate(command, till)
        case RevokeTill():
            return revoke(command, till)
        case ExplainGap():
            return explain(command, till)
        case _:
            assert_never(command)


def offer(command: OfferEnrolment, till: Till) -> list[TillEvent]:
    """Give out a code; it replaces the one before."""
    match till:
        case Unknown():
            return [offered(command)]
        case Offered(offer=before):
            if (before.partner_id, before.name) != (command.partner_id, command.name):
                raise TillAlreadyEnrolled(till_id=command.till_id)
        case Enrolled(partner_id, name, offer=before):
            if (partner_id, name) != (command.partner_id, command.name):
                raise TillAlreadyEnrolled(till_id=command.till_id)
        case Revoked():
            raise TillIsRevoked(till_id=command.till_id)
        case _:
            assert_never(till)
    if before is not None and before.code_mac == command.code_mac:
        return []
    return [offered(command)]


def offered(command: OfferEnrolment) -> EnrolmentOffered:
    return EnrolmentOffered(
        recorded_at=command.at,
        actor=command.actor,
        till_id=command.till_id,
        partner_id=command.partner_id,
        name=command.name,
        code_mac=command.code_mac,
        expires_at=command.at + OFFER_LIFETIME,
    )


def accept(command: AcceptEnrolment, till: Till) -> list[TillEvent]:
    """Give the till to the device that shows its code, and to no other any more."""
    match till:
        case Unknown():
            raise EnrolmentNotOffered(till_id=command.till_id)
        case Enrolled(key_sha256=key_sha256) if key_sha256 == command.key_sha256:
            return []
        case Offered(offer=offer) | Enrolled(offer=offer):
            if offer is None or offer.code_mac != command.code_mac:
                raise EnrolmentNotOffered(till_id=command.till_id)
            if command.at > offer.expires_at:
                raise EnrolmentExpired(till_id=command.till_id, expired_at=offer.expires_at)
        case Revoked():
            raise TillIsRevoked(till_id=command.till_id)
        case _:
            assert_never(till)
    if isinstance(till, Enrolled):
        return [rotated(command, till)]
    return [
        TillEnrolled(
            recorded_at=command.at,
            actor=command.actor,
            till_id=command.till_id,
            partner_id=offer.partner_id,
            name=offer.name,
            key_sha256=command.key_sha256,
        )
    ]


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
        case Offered():
            raise TillAlreadyEnrolled(till_id=command.till_id)
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
        case Unknown() | Offered():
            raise TillNotEnrolled(till_id=command.till_id)
        case Enrolled(key_sha256=key_sha256) if key_sha256 == command.key_sha256:
            return []
        case Enrolled():
            return [rotated(command, till)]
        case Revoked():
            raise TillIsRevoked(till_id=command.till_id)
        case _:
            assert_never(till)


def rotated(command: RotateTillKey | AcceptEnrolment, till: Enrolled) -> TillKeyRotated:
    return TillKeyRotated(
        recorded_at=command.at,
        actor=command.actor,
        till_id=command.till_id,
        partner_id=till.partner_id,
        key_sha256=command.key_sha256,
    )


def revoke(command: RevokeTill, till: Till) -> list[TillEvent]:
    match till:
        case Unknown() | Offered():
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


def explain(command: ExplainGap, till: Till) -> list[TillEvent]:
    """Say why numbers are missing. Which are is told by a read model; gifts that come fill them."""
    match till:
        case Unknown() | Offered():
            raise TillNotEnrolled(till_id=command.till_id)
        case Enrolled() | Revoked():
            if till.partner_id != command.partner_id:
                raise TillNotEnrolled(till_id=command.till_id)
        case _:
            assert_never(till)
    if command.last_number < command.first_number:
        raise GapReversed(first_number=command.first_number, last_number=command.last_number)
    if (command.first_number, command.last_number, command.reason) in till.explained:
        return []
    return [
        GapExplained(
            recorded_at=command.at,
            actor=command.actor,
            till_id=command.till_id,
            partner_id=till.partner_id,
            first_number=command.first_number,
            last_number=command.last_number,
            reason=command.reason,
        )
    ]


till: Decider[TillCommand, Till, TillEvent] = Decider(
    category="till", initial=Unknown(), decide=decide, evolve=evolve
)
