"""What an operator does to partners and tills from the command line."""

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid4, uuid5

from ledger.keyring import new_till_key, till_key_hash
from ledger.partners.register import (
    DescribePartner,
    PartnerNotRegistered,
    Registered,
    RegisterPartner,
    Sector,
    Unregistered,
    partner,
)
from ledger.store import Ledger
from ledger.tills import EnrolTill, RevokeTill, RotateTillKey, till

# A SIRET names one partner: adding it twice meets the same stream.
SIRET_NAMESPACE = UUID("6f0c6c52-8b5e-5d0e-9d5e-3f6c1a2b4d10")


class EnrolledTill(NamedTuple):
    """A new key of a till. It is shown once: the ledger keeps only its hash."""

    till_id: UUID
    key: str


def now() -> datetime:
    return datetime.now(UTC)


def add_partner(  # noqa: PLR0913 - each is a field of the register.
    ledger: Ledger,
    actor: str,
    name: str,
    siret: str,
    *,
    legal_name: str | None = None,
    place: str | None = None,
    sector: Sector | None = None,
    at: datetime | None = None,
) -> UUID:
    """Register a partner; adding it again changes nothing. It is not active by that alone.

    Its place and its sector belong together; its legal name is its name when none is given.
    """
    at = at or now()
    digits = "".join(siret.split())
    partner_id = uuid5(SIRET_NAMESPACE, digits)
    register = RegisterPartner(at=at, actor=actor, partner_id=partner_id, name=name, siret=digits)
    ledger.handle(partner, partner_id, register)
    if (place is None) != (sector is None):
        raise ValueError("a place and a sector are given together")
    if place is not None and sector is not None:
        describe = DescribePartner(
            at=at,
            actor=actor,
            partner_id=partner_id,
            trade_name=name,
            legal_name=legal_name or name,
            place=place,
            sector=sector,
        )
        ledger.handle(partner, partner_id, describe)
    return partner_id


def people_of(ledger: Ledger, partner_id: UUID) -> tuple[str, ...]:
    """Give the actors who speak for a partner or did, for the commands that judge it."""
    return registered(ledger, partner_id).people


def registered(ledger: Ledger, partner_id: UUID) -> Registered:
    """Give a partner as the register holds it. Raises PartnerNotRegistered."""
    history = ledger.history(partner, partner_id)
    found = partner.fold(recorded.event for recorded in history)
    if isinstance(found, Unregistered):
        raise PartnerNotRegistered(partner_id=partner_id)
    return found


def enrol_till(ledger: Ledger, actor: str, partner_id: UUID, name: str) -> EnrolledTill:
    """Enrol a new till of a registered partner and give its key."""
    registered(ledger, partner_id)
    enrolled = EnrolledTill(uuid4(), new_till_key())
    command = EnrolTill(
        at=now(),
        actor=actor,
        till_id=enrolled.till_id,
        partner_id=partner_id,
        name=name,
        key_sha256=till_key_hash(enrolled.key),
    )
    ledger.handle(till, enrolled.till_id, command)
    return enrolled


def rotate_till_key(ledger: Ledger, actor: str, till_id: UUID) -> EnrolledTill:
    """Give a till a new key; the old one stops working at once."""
    key = new_till_key()
    command = RotateTillKey(at=now(), actor=actor, till_id=till_id, key_sha256=till_key_hash(key))
    ledger.handle(till, till_id, command)
    return EnrolledTill(till_id, key)


def revoke_till(ledger: Ledger, actor: str, till_id: UUID, reason: str) -> None:
    """Refuse whatever a till sends from now on."""
    ledger.handle(till, till_id, RevokeTill(at=now(), actor=actor, till_id=till_id, reason=reason))
