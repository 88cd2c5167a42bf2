"""How a device becomes a till: a partner gives out a short-lived code, the device shows it."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final
from uuid import UUID, uuid4

from api.deps import Context
from ledger import tills as ledger_tills
from ledger.keyring import new_till_key, till_key_hash
from ledger.tickets import ALPHABET
from ledger.tills import (
    OFFER_LIFETIME,
    AcceptEnrolment,
    Enrolled,
    EnrolmentNotOffered,
    OfferEnrolment,
    TillEnrolled,
    TillNotEnrolled,
)
from projections import tills

# 31 to the 8: in its quarter of an hour, at fifty attempts, nobody guesses one.
CODE_LETTERS: Final = 8


@dataclass(frozen=True, slots=True)
class Offer:
    """A code given out for a till, shown once: the ledger keeps only a keyed hash of it."""

    till_id: UUID
    name: str
    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A till and its new key, which only its device keeps."""

    till_id: UUID
    partner_id: UUID
    name: str
    key: str


def letters_of(text: str) -> str:
    """Give the letters of a code as typed: any case, with or without dashes and spaces."""
    return "".join(text.upper().replace("-", " ").split())


def code_mac(context: Context, text: str) -> str:
    """Give what is kept of a code: with the database alone nobody finds the code again."""
    key = context.keyring.enrolments
    return blake2b(letters_of(text).encode(), key=key, digest_size=16).hexdigest()


def offer_till(
    context: Context, actor: str, partner_id: UUID, name: str, till_id: UUID | None = None
) -> Offer:
    """Give out a code for a new till, or for another device of one that exists."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LETTERS))
    at = datetime.now(UTC)
    subject_id = till_id or uuid4()
    command = OfferEnrolment(
        at=at,
        actor=actor,
        till_id=subject_id,
        partner_id=partner_id,
        name=name,
        code_mac=code_mac(context, letters),
    )
    context.ledger.handle(ledger_tills.till, subject_id, command)
    code = f"{letters[:4]}-{letters[4:]}"
    return Offer(subject_id, name, code, at + OFFER_LIFETIME)


def offer_again(context: Context, actor: str, partner_id: UUID, till_id: UUID) -> Offer:
    """Give out a code by which another device takes a till over. Raises TillNotEnrolled."""
    history = context.ledger.history(ledger_tills.till, till_id)
    state = ledger_tills.till.fold(recorded.event for recorded in history)
    match state:
        case Enrolled(partner_id=owner, name=name) if owner == partner_id:
            return offer_till(context, actor, partner_id, name, till_id)
        case ledger_tills.Offered(offer=offer) if offer.partner_id == partner_id:
            return offer_till(context, actor, partner_id, offer.name, till_id)
        case _:
            raise TillNotEnrolled(till_id=till_id)


def accept_code(context: Context, text: str, address: str) -> Enrolment:
    """Give the till that waits for a code its new key; the key it had stops working.

    Raises TooManyAttempts, EnrolmentNotOffered or EnrolmentExpired.
    """
    at = datetime.now(UTC)
    origins = {"address": address}
    context.credentials.attempt("enrolment", origins, at)
    mac = code_mac(context, text)
    with context.pool.connection() as connection:
        till_id = tills.offered_by_code(connection, mac)
    if till_id is None:
        raise EnrolmentNotOffered
    key = new_till_key()
    command = AcceptEnrolment(
        at=at,
        actor=f"till:{till_id}",
        till_id=till_id,
        code_mac=mac,
        key_sha256=till_key_hash(key),
    )
    handled = context.ledger.handle(ledger_tills.till, till_id, command)
    context.credentials.forgive("enrolment", origins, at)
    enrolled = next(
        recorded.event
        for recorded in reversed(handled.history)
        if isinstance(recorded.event, TillEnrolled)
    )
    return Enrolment(till_id, enrolled.partner_id, enrolled.name, key)
