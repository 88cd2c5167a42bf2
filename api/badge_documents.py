"""The badge's documents, made of what the read models know and signed with the ledger's key.

Nothing of a badge is stored: the same events give the same badge, on every worker and for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

import msgspec
from psycopg import Connection

from api.deps import Context
from api.pages import environment
from api.refusals import BadgeNotGranted, PartnerNotFound
from ledger.badge.credential import credential
from ledger.badge.did import did_document, did_of
from ledger.badge.facts import PURPOSES, Grant, Purpose, Wording
from ledger.badge.keys import BadgeKey
from ledger.badge.proofs import with_proofs
from ledger.badge.status import encoded, status_list
from ledger.calendar import civil_day
from ledger.keyring import badge_keys, open_badge_key
from ledger.partners.facts import AgreementFacts
from projections import badges, partners, standings

GRANTS = UUID("5b2d6f0e-6a3e-5d38-9a6a-8f5a0c9e1d27")
BADGES_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Shop:
    """What a partner is on a day, for its badge's page and picture.

    `agreement` is the one in force, else the last, and `valid_until` the last day on which both
    it and the certification hold; None when there is none. `why` names what decides that it is
    not active.
    """

    partner_id: UUID
    name: str
    status: str
    why: str | None
    since: date | None
    agreement: str | None
    valid_until: date | None
    granted: bool

    @property
    def is_partner(self) -> bool:
        return self.status == "active"


def shop_on(connection: Connection[Any], partner_id: UUID, on: date) -> Shop:
    """Say what a partner is on a day. Raises PartnerNotFound."""
    partner = partners.one(connection, partner_id)
    if partner is None:
        raise PartnerNotFound(partner_id=partner_id)
    stay = standings.on_day(connection, partner_id, on)
    certificate = standings.certificate(connection, partner_id, on)
    lasts = [] if stay is None else [one.until for one in stay.reasons if one.until is not None]
    return Shop(
        partner_id=partner_id,
        name=partner.name,
        status="registered" if stay is None else stay.status,
        why="not_registered_yet" if stay is None else stay.why,
        since=None if stay is None else stay.since_on,
        agreement=None if certificate is None else certificate.agreement_number,
        valid_until=min(lasts, default=None),
        granted=badges.of_partner(connection, partner_id, on) is not None,
    )


def grant_of(connection: Connection[Any], partner_id: UUID, today: date) -> Grant:
    """Give the grant that a partner's badge speaks of; it is good no longer than its agreement.

    Raises PartnerNotFound or BadgeNotGranted.
    """
    partner = partners.one(connection, partner_id)
    if partner is None:
        raise PartnerNotFound(partner_id=partner_id)
    granted = badges.of_partner(connection, partner_id, today)
    if granted is None:
        raise BadgeNotGranted(partner_id=partner_id)
    # Before its first day and after its last one it speaks of the agreement of that day.
    day = min(max(today, granted.valid_from), granted.valid_until)
    facts = standings.facts(connection, partner_id)
    agreement = None if facts is None else standings.agreement_on(facts, day)
    if agreement is None:
        raise BadgeNotGranted(partner_id=partner_id)
    valid_until = min(granted.valid_until, last_day(agreement, day) or date.max)
    return Grant(
        grant_id=uuid5(GRANTS, f"{granted.position} {agreement.number} {valid_until}"),
        partner_id=partner_id,
        partner_name=partner.name,
        agreement=agreement.number,
        valid_from=granted.valid_from,
        valid_until=valid_until,
        granted_at=granted.granted_at,
        position=granted.position,
        place=granted.place,
    )


def last_day(agreement: AgreementFacts, day: date) -> date | None:
    """Give the last day of an agreement as its terms were on a day; None when it has none."""
    return [span for span in agreement.spans if span.first <= day][-1].last


def wording_of(grant: Grant) -> Wording:
    """Write a badge's sentences in French, the foundation's language."""
    words = environment("fr").get_template("badge/_words.html").module

    def say(name: str, *facts: Any) -> str:
        # A macro gives markup; a JSON document has none.
        return str(getattr(words, name)(*facts).unescape())

    return Wording(
        issuer=say("issuer"),
        title=say("title"),
        description=say("description"),
        criteria=say("criteria"),
        statement=say("statement", grant.partner_name, grant.agreement, grant.valid_until),
        evidence=say("evidence", grant.position),
    )


@dataclass(frozen=True, slots=True)
class Desk:
    """Where badges are signed: one key, one public address.

    `multikeys` are the public halves of the keys this issuer stands by, that of its own first.
    """

    public_url: str
    key: BadgeKey
    multikeys: tuple[str, ...]
    did: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "did", did_of(self.public_url))

    def did_json(self) -> bytes:
        return msgspec.json.encode(did_document(self.did, self.multikeys))

    def badge(self, connection: Connection[Any], partner_id: UUID, today: date) -> bytes:
        """Sign a partner's badge. Raises PartnerNotFound or BadgeNotGranted."""
        return signed_badge(self, grant_of(connection, partner_id, today))

    def status_list(self, connection: Connection[Any], purpose: Purpose, at: datetime) -> bytes:
        """Sign the list of the badges that are revoked, or suspended, at a moment."""
        places = tuple(badges.withdrawn(connection, purpose, civil_day(at)))
        # One signature a minute is enough while the list does not change.
        return signed_list(self, purpose, places, at.replace(second=0, microsecond=0))

    def bits(self, connection: Connection[Any], at: datetime) -> Mapping[Purpose, str]:
        """Give the lists as their bits alone, for our own judge."""
        today = civil_day(at)
        return {
            purpose: encoded(badges.withdrawn(connection, purpose, today)) for purpose in PURPOSES
        }


@lru_cache(maxsize=BADGES_MAX)
def signed_badge(desk: Desk, grant: Grant) -> bytes:
    document = credential(grant, wording_of(grant), desk.did, desk.public_url)
    return msgspec.json.encode(with_proofs(document, desk.did, desk.key, grant.granted_at))


@lru_cache(maxsize=len(PURPOSES) * 2)
def signed_list(desk: Desk, purpose: Purpose, places: tuple[int, ...], at: datetime) -> bytes:
    document = status_list(desk.did, desk.public_url, purpose, places, at)
    return msgspec.json.encode(with_proofs(document, desk.did, desk.key, at))


def open_desk(context: Context, known: Desk | None) -> Desk:
    """Open the signing key of this home, making it for a new ledger.

    A desk that is `known` is given again, unless its keys were rotated meanwhile.
    """
    with context.pool.connection() as connection, connection.transaction():
        multikeys = badge_keys(connection)
        if known is not None and known.multikeys == multikeys:
            return known
        key = open_badge_key(context.settings.home, connection)
        return Desk(context.settings.public_url, key, badge_keys(connection))
