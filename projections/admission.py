"""Who may record a gift, held in memory: tills by the hash of their key, partners by id.

Every worker folds the few events of partners and tills for itself, straight from the feed, so
that a till enrolled a moment ago is known even where no follower runs. Before it is used the
memory is at most STALE_SECONDS old: within that time a revoked key stops working everywhere.
"""

import logging
import threading
import time
from dataclasses import dataclass, field
from datetime import date
from typing import Any, get_args
from uuid import UUID

from psycopg.rows import tuple_row
from psycopg_pool import ConnectionPool

from ledger import partners
from ledger.decider import Event
from ledger.events import Undecodable, decode
from ledger.keyring import till_key_hash
from ledger.partners import (
    Partner,
    PartnerActivated,
    PartnerEvent,
    PartnerRegistered,
    PartnerSuspended,
)
from ledger.tills import TillEnrolled, TillEvent, TillKeyRotated, TillRevoked
from projections.sql import queries

SQL = queries("admission.sql")
LOG = logging.getLogger("donpositif.admission")
STALE_SECONDS = 0.25
TOPICS = [kind.__name__ for kind in get_args(PartnerEvent | TillEvent)]


@dataclass(frozen=True, slots=True)
class AdmittedTill:
    """An enrolled till whose key was shown."""

    till_id: UUID
    partner_id: UUID
    name: str


@dataclass(slots=True)
class Admission:
    """The tills and partners as the newest events leave them; safe to share between threads."""

    pool: ConnectionPool[Any]
    _position: int = 0
    read_at: float = 0.0
    _tills: dict[UUID, tuple[str, AdmittedTill]] = field(default_factory=dict)
    _by_key_hash: dict[str, AdmittedTill] = field(default_factory=dict)
    _partners: dict[UUID, Partner] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def stale(self) -> bool:
        """Tell whether `refresh` must run before the next answer."""
        return time.monotonic() - self.read_at > STALE_SECONDS

    def refresh(self) -> None:
        """Read the news from the feed. Blocks for one short query."""
        with self._lock:
            read_at = time.monotonic()
            with self.pool.connection() as connection:
                cursor = connection.cursor(row_factory=tuple_row)
                news = {"after": self._position, "topics": TOPICS}
                rows = cursor.execute(SQL["news"], news).fetchall()
            for position, topic, state in rows:
                try:
                    self._apply(decode(topic, bytes(state)))
                except Undecodable as undecodable:
                    # One spoilt event must not close every till of the village.
                    LOG.warning(
                        "event %s cannot be decoded and is passed over: %s", position, undecodable
                    )
                self._position = position
            self.read_at = read_at

    def till_of(self, key: str) -> AdmittedTill | None:
        """Give the till that holds this key, None when none does any more."""
        return self._by_key_hash.get(till_key_hash(key))

    def till(self, till_id: UUID) -> AdmittedTill | None:
        """Give an enrolled till by its id."""
        held = self._tills.get(till_id)
        return None if held is None else held[1]

    def standing(self, partner_id: UUID, on: date) -> str:
        """Say what a partner is on a day: `registered`, `active`, `lapsed` or `suspended`."""
        return partners.standing(self._partners.get(partner_id, partners.Unregistered()), on)

    def partner_name(self, partner_id: UUID) -> str:
        """Give a partner's name, empty when it is not registered."""
        partner = self._partners.get(partner_id, partners.Unregistered())
        return "" if isinstance(partner, partners.Unregistered) else partner.name

    def _apply(self, event: Event) -> None:
        match event:
            case PartnerRegistered() | PartnerActivated() | PartnerSuspended():
                before = self._partners.get(event.partner_id, partners.Unregistered())
                self._partners[event.partner_id] = partners.evolve(before, event)
            case TillEnrolled(till_id=till_id, partner_id=partner_id, name=name):
                self._admit(event.key_sha256, AdmittedTill(till_id, partner_id, name))
            case TillKeyRotated(till_id=till_id):
                self._admit(event.key_sha256, self._forget(till_id))
            case TillRevoked(till_id=till_id):
                self._forget(till_id)
            case _:
                pass

    def _admit(self, key_hash: str, till: AdmittedTill) -> None:
        self._tills[till.till_id] = (key_hash, till)
        self._by_key_hash[key_hash] = till

    def _forget(self, till_id: UUID) -> AdmittedTill:
        key_hash, till = self._tills.pop(till_id)
        self._by_key_hash.pop(key_hash, None)
        return till
