"""A partner in the register: which shop it is, who speaks for it, what it lets be published.

Being registered makes nobody active: that takes a certification and an agreement in force.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, assert_never, get_args
from uuid import UUID

from ledger.decider import Command, Decider, Event, Refused
from ledger.partners.words import Name
from ledger.siret import Siret

Sector = Literal[
    "antiques",
    "craft",
    "culture",
    "farming",
    "food",
    "health",
    "lodging",
    "market",
    "restaurant",
    "retail",
    "services",
    "other",
]
SECTORS: tuple[Sector, ...] = get_args(Sector)
Role = Literal["owner", "manager", "accountant", "till"]

# Events. These names and fields are what is stored: add a new version, never edit.


class PartnerRegistered(Event):
    partner_id: UUID
    name: str
    siret: str


class PartnerActivated(Event):
    """Stored before certifications were earned; it makes nobody active any more."""

    partner_id: UUID
    valid_from: date
    valid_until: date | None = None


class PartnerSuspended(Event):
    """Stored before sanctions took two people; it says nothing about today any more."""

    partner_id: UUID
    reason: str


class PartnerDescribed(Event):
    """`legal_name` may be a sole trader's own: it is not told in the journal."""

    partner_id: UUID
    trade_name: str
    legal_name: str
    place: str
    sector: Sector


class ContactNamed(Event):
    """`subject_id` leads to the person in the vault, `account_id` to what she does here."""

    partner_id: UUID
    subject_id: UUID
    role: Role
    account_id: UUID | None = None


class ContactRemoved(Event):
    partner_id: UUID
    subject_id: UUID


class PublicationConsented(Event):
    """The partner lets its own figures be published, not only its share of the village's."""

    partner_id: UUID


class PublicationConsentWithdrawn(Event):
    partner_id: UUID


RegisterEvent = (
    PartnerRegistered
    | PartnerActivated
    | PartnerSuspended
    | PartnerDescribed
    | ContactNamed
    | ContactRemoved
    | PublicationConsented
    | PublicationConsentWithdrawn
)

# Commands.


class RegisterPartner(Command):
    partner_id: UUID
    name: Name
    siret: Siret


class DescribePartner(Command):
    partner_id: UUID
    trade_name: Name
    legal_name: Name
    place: Name
    sector: Sector


class NameContact(Command):
    partner_id: UUID
    subject_id: UUID
    role: Role
    account_id: UUID | None = None


class RemoveContact(Command):
    partner_id: UUID
    subject_id: UUID


class SetPublicationConsent(Command):
    partner_id: UUID
    consented: bool


RegisterCommand = (
    RegisterPartner | DescribePartner | NameContact | RemoveContact | SetPublicationConsent
)

# State: only what the rules below need.


@dataclass(frozen=True, slots=True)
class Unregistered:
    pass


@dataclass(frozen=True, slots=True)
class Description:
    trade_name: str
    legal_name: str
    place: str
    sector: Sector


@dataclass(frozen=True, slots=True)
class Contact:
    subject_id: UUID
    role: Role
    account_id: UUID | None


@dataclass(frozen=True, slots=True)
class Registered:
    """`name` is the one it was registered under; what it is called now is in its description."""

    name: str
    siret: str
    description: Description | None = None
    contacts: tuple[Contact, ...] = ()
    former: tuple[Contact, ...] = ()
    consented: bool = False

    @property
    def sign(self) -> str:
        """The name on the sign, else the one it was registered under."""
        return self.name if self.description is None else self.description.trade_name

    @property
    def siren(self) -> str:
        """The number of the business; the SIRET adds the one of its premises."""
        return self.siret[:9]

    @property
    def people(self) -> tuple[str, ...]:
        """The actors who spoke for this partner, now or before: none of them judges it."""
        accounts = {one.account_id for one in (*self.contacts, *self.former)}
        return tuple(sorted(f"account:{account}" for account in accounts if account))


Partner = Unregistered | Registered


class PartnerNotRegistered(Refused):
    """No partner is registered under this id."""


class PartnerDiffers(Refused):
    """The same partner id was registered before with another name or SIRET."""


class ContactUnknown(Refused):
    """This person is no contact of the partner."""


def evolve(partner: Partner, event: RegisterEvent) -> Partner:
    match event:
        case PartnerRegistered(name=name, siret=siret):
            return Registered(name, siret)
        case PartnerActivated() | PartnerSuspended():
            return partner
        case _:
            assert isinstance(partner, Registered)  # noqa: S101 - what was stored says so.
            return evolve_registered(partner, event)


def evolve_registered(
    partner: Registered,
    event: PartnerDescribed
    | ContactNamed
    | ContactRemoved
    | PublicationConsented
    | PublicationConsentWithdrawn,
) -> Registered:
    match event:
        case PartnerDescribed():
            told = Description(event.trade_name, event.legal_name, event.place, event.sector)
            return replace(partner, description=told)
        case ContactNamed():
            named = Contact(event.subject_id, event.role, event.account_id)
            left = without(partner, event.subject_id)
            return replace(left, contacts=(*left.contacts, named))
        case ContactRemoved(subject_id=subject_id):
            return without(partner, subject_id)
        case PublicationConsented():
            return replace(partner, consented=True)
        case PublicationConsentWithdrawn():
            return replace(partner, consented=False)
        case _:
            assert_never(event)


def without(partner: Registered, subject_id: UUID) -> Registered:
    """Move what a person was to the partner among its former contacts."""
    gone = tuple(one for one in partner.contacts if one.subject_id == subject_id)
    stay = tuple(one for one in partner.contacts if one.subject_id != subject_id)
    return replace(partner, contacts=stay, former=(*partner.former, *gone))


def decide(command: RegisterCommand, partner: Partner) -> list[RegisterEvent]:
    if isinstance(command, RegisterPartner):
        return register(command, partner)
    if isinstance(partner, Unregistered):
        raise PartnerNotRegistered(partner_id=command.partner_id)
    match command:
        case DescribePartner():
            return describe(command, partner)
        case NameContact():
            return name_contact(command, partner)
        case RemoveContact():
            return remove_contact(command, partner)
        case SetPublicationConsent():
            return set_consent(command, partner)
        case _:
            assert_never(command)


def register(command: RegisterPartner, partner: Partner) -> list[RegisterEvent]:
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
        case Registered(name, siret):
            if (name, siret) != (command.name, command.siret):
                raise PartnerDiffers(partner_id=command.partner_id, name=name, siret=siret)
            return []
        case _:
            assert_never(partner)


def describe(command: DescribePartner, partner: Registered) -> list[RegisterEvent]:
    told = Description(command.trade_name, command.legal_name, command.place, command.sector)
    if told == partner.description:
        return []
    return [
        PartnerDescribed(
            recorded_at=command.at,
            actor=command.actor,
            partner_id=command.partner_id,
            trade_name=command.trade_name,
            legal_name=command.legal_name,
            place=command.place,
            sector=command.sector,
        )
    ]


def name_contact(command: NameContact, partner: Registered) -> list[RegisterEvent]:
    if Contact(command.subject_id, command.role, command.account_id) in partner.contacts:
        return []
    return [
        ContactNamed(
            recorded_at=command.at,
            actor=command.actor,
            partner_id=command.partner_id,
            subject_id=command.subject_id,
            role=command.role,
            account_id=command.account_id,
        )
    ]


def remove_contact(command: RemoveContact, partner: Registered) -> list[RegisterEvent]:
    if all(one.subject_id != command.subject_id for one in partner.contacts):
        if any(one.subject_id == command.subject_id for one in partner.former):
            return []
        raise ContactUnknown(partner_id=command.partner_id, subject_id=command.subject_id)
    return [
        ContactRemoved(
            recorded_at=command.at,
            actor=command.actor,
            partner_id=command.partner_id,
            subject_id=command.subject_id,
        )
    ]


def set_consent(command: SetPublicationConsent, partner: Registered) -> list[RegisterEvent]:
    if command.consented == partner.consented:
        return []
    kind = PublicationConsented if command.consented else PublicationConsentWithdrawn
    return [kind(recorded_at=command.at, actor=command.actor, partner_id=command.partner_id)]


partner: Decider[RegisterCommand, Partner, RegisterEvent] = Decider(
    category="partner", initial=Unregistered(), decide=decide, evolve=evolve
)
