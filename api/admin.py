"""What an operator does to partners and tills from the command line."""

from datetime import UTC, date, datetime
from typing import NamedTuple
from uuid import UUID, uuid4, uuid5

from ledger.calendar import civil_day
from ledger.keyring import new_till_key, till_key_hash
from ledger.partners import (
    ActivatePartner,
    PartnerNotRegistered,
    RegisterPartner,
    SuspendPartner,
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
    valid_from: date | None = None,
    valid_until: date | None = None,
) -> UUID:
    """Register a partner and make it active; adding it again changes nothing."""
    at = now()
    digits = "".join(siret.split())
    partner_id = uuid5(SIRET_NAMESPACE, digits)
    register = RegisterPartner(at=at, actor=actor, partner_id=partner_id, name=name, siret=digits)
    registered = ledger.handle(partner, partner_id, register)
    first_day = civil_day(registered.history[0].event.recorded_at)
    activate = ActivatePartner(
        at=at,
        actor=actor,
        partner_id=partner_id,
        valid_from=valid_from or first_day,
        valid_until=valid_until,
    )
    if registered.fresh or valid_from or valid_until:
        ledger.handle(partner, partner_id, activate)
    return partner_id


def suspend_partner(ledger: Ledger, actor: str, partner_id: UUID, reason: str) -> None:
    """Suspend an active partner: its gifts are recorded and flagged from now on."""
    command = SuspendPartner(at=now(), actor=actor, partner_id=partner_id, reason=reason)
    ledger.handle(partner, partner_id, command)


def reinstate_partner(
    ledger: Ledger, actor: str, partner_id: UUID, valid_until: date | None
) -> None:
    """Make a partner active from today, until a day or until further notice."""
    at = now()
    command = ActivatePartner(
        at=at,
        actor=actor,
        partner_id=partner_id,
        valid_from=civil_day(at),
        valid_until=valid_until,
    )
    ledger.handle(partner, partner_id, command)


def enrol_till(ledger: Ledger, actor: str, partner_id: UUID, name: str) -> EnrolledTill:
    """Enrol a new till of a registered partner and give its key."""
    history = ledger.history(partner, partner_id)
    if isinstance(partner.fold(recorded.event for recorded in history), Unregistered):
        raise PartnerNotRegistered(partner_id=partner_id)
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
