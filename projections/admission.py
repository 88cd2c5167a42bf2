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
from typing import Any, cast, get_args
from uuid import UUID

from psycopg_pool import ConnectionPool

from ledger.decider import Event
from ledger.events import Undecodable, decode
from ledger.keyring import till_key_hash
from ledger.partners.facts import STANDING_EVENTS, PartnerFacts, StandingEvent, learn
from ledger.partners.register import PartnerDescribed, PartnerRegistered
from ledger.partners.standing import Status, rule_on, standing
from ledger.tills import TillEnrolled, TillEvent, TillKeyRotated, TillRevoked
from projections.feed import without_nul
from projections.news import news

LOG = logging.getLogger("donpositif.admission")
STALE_SECONDS = 0.25
TOPICS = [kind.__name__ for kind in (*STANDING_EVENTS, *get_args(TillEvent), PartnerDescribed)]


@dataclass(frozen=True, slots=True)
class AdmittedTill:
    """An enrolled till whose key was shown."""

    till_id: UUID
    partner_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a partner. News make another one, so that no standing in it is stale."""

    facts: PartnerFacts = field(default_factory=PartnerFacts)
    name: str = ""
    standings: dict[date, Status] = field(default_factory=dict)


@dataclass(slots=True)
class Admission:
    """The tills and partners as the newest events leave them; safe to share between threads."""

    pool: ConnectionPool[Any]
    _position: int = 0
    read_at: float = 0.0
    _tills: dict[UUID, tuple[str, AdmittedTill]] = field(default_factory=dict)
    _by_key_hash: dict[str, AdmittedTill] = field(default_factory=dict)
    _partners: dict[UUID, Known] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def stale(self) -> bool:
        """Tell whether `refresh` must run before the next answer."""
        return time.monotonic() - self.read_at > STALE_SECONDS

    def refresh(self) -> None:
        """Read the news from the feed. Blocks for one short query."""
        with self._lock:
            read_at = time.monotonic()
            found, head = news(self.pool, self._position, TOPICS)
            for position, topic, state in found:
                # One spoilt event, or one that nothing can be learnt from, must not close every
                # till of the village.
                try:
                    self._apply(position, decode(topic, without_nul(state)))
                except Undecodable as undecodable:
                    LOG.warning(
                        "event %s cannot be decoded and is passed over: %s", position, undecodable
                    )
                except Exception:
                    LOG.exception("event %s cannot be applied and is passed over", position)
            self._position = head
            self.read_at = read_at

    def till_of(self, key: str) -> AdmittedTill | None:
        """Give the till that holds this key, None when none does any more."""
        return self._by_key_hash.get(till_key_hash(key))

    def till(self, till_id: UUID) -> AdmittedTill | None:
        """Give an enrolled till by its id."""
        held = self._tills.get(till_id)
        return None if held is None else held[1]

    def standing(self, partner_id: UUID, on: date) -> Status:
        """Say what a partner is on a day, as the ledger knows it now."""
        known = self._partners.get(partner_id)
        if known is None:
            return "registered"
        status = known.standings.get(on)
        if status is None:
            # Gifts come by the thousand, and for few days: each day is derived once.
            status = standing(known.facts, on, rule_on(on)).status
            known.standings[on] = status
        return status

    def facts(self, partner_id: UUID) -> PartnerFacts:
        """Give all that bears on a partner's standing, as the ledger knows it now."""
        return self._partners.get(partner_id, Known()).facts

    def partner_name(self, partner_id: UUID) -> str:
        """Give a partner's name, empty when it is not registered.

        One that is not known yet is looked for in the news, which blocks for one short query.
        """
        if partner_id not in self._partners:
            self.refresh()
        known = self._partners.get(partner_id)
        return "" if known is None else known.name

    def _apply(self, position: int, event: Event) -> None:
        if isinstance(event, STANDING_EVENTS):
            self._learn(position, cast(StandingEvent, event))
            return
        match event:
            case TillEnrolled(till_id=till_id, partner_id=partner_id, name=name):
                self._admit(event.key_sha256, AdmittedTill(till_id, partner_id, name))
            case TillKeyRotated(till_id=till_id):
                self._admit(event.key_sha256, self._forget(till_id))
            case TillRevoked(till_id=till_id):
                self._forget(till_id)
            case _:
                pass

    def _learn(self, position: int, event: StandingEvent) -> None:
        known = self._partners.get(event.partner_id, Known())
        match event:
            case PartnerRegistered(name=name) | PartnerDescribed(trade_name=name):
                pass
            case _:
                name = known.name
        self._partners[event.partner_id] = Known(learn(known.facts, event, position), name)

    def _admit(self, key_hash: str, till: AdmittedTill) -> None:
        self._tills[till.till_id] = (key_hash, till)
        self._by_key_hash[key_hash] = till

    def _forget(self, till_id: UUID) -> AdmittedTill:
        key_hash, till = self._tills.pop(till_id)
        self._by_key_hash.pop(key_hash, None)
        return till
