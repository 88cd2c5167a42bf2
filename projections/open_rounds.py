"""The rounds, held in memory: which ones take ballots, on what terms, for which gifts.

Every worker folds the few events of rounds for itself, straight from the feed, so that a round
takes ballots within a quarter of a second of its opening even where no follower runs. Its
deadline is a time, which every worker knows by itself.
"""

import logging
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast, get_args
from uuid import UUID

from psycopg_pool import ConnectionPool

from ledger.ballots import Ineligible, Standing, Terms
from ledger.events import Undecodable, decode
from ledger.rounds import round_
from ledger.rounds.claims import Claim, Claims, Gift, holder
from ledger.rounds.definition import Definition
from ledger.rounds.events import RoundCancelled, RoundClosed, RoundEvent
from ledger.rounds.state import AnyRound, Drafted, Opened, Undrafted
from projections.news import news

LOG = logging.getLogger("donpositif.rounds")
STALE_SECONDS = 0.25
TOPICS = [kind.__name__ for kind in get_args(RoundEvent)]


@dataclass(frozen=True, slots=True)
class Known:
    """A round, and the position of its close once it is recorded."""

    state: AnyRound
    terms: Terms
    closed_position: int | None = None

    @property
    def definition(self) -> Definition:
        assert not isinstance(self.state, Undrafted)  # noqa: S101 - it would not be known.
        return self.state.definition


@dataclass(slots=True)
class Rounds:
    """The rounds as the feed tells them; folded in its order."""

    known: dict[UUID, Known] = field(default_factory=dict)
    claims: Claims = field(default_factory=Claims)
    claimed: dict[UUID, Claim] = field(default_factory=dict)

    def claim_of(self, round_id: UUID) -> Claim:
        """Give what a closed round took, even if it was cancelled later."""
        return self.claimed[round_id]

    def learn(self, event: RoundEvent, position: int) -> None:
        before = self.known.get(event.round_id)
        state = round_.evolve(Undrafted() if before is None else before.state, event)
        if isinstance(state, Undrafted):
            return
        definition = state.definition
        closed = None if before is None else before.closed_position
        if isinstance(event, RoundClosed):
            closed = position
            self.claimed[event.round_id] = self.claims.closed(
                event.round_id, definition.pot, position
            )
        if isinstance(event, RoundCancelled) and definition.cancelled == "next_round":
            self.claims.released(event.round_id)
        terms = None if before is None or isinstance(state, Drafted) else before.terms
        if terms is None or terms.standing != standing_of(state) or isinstance(state, Opened):
            terms = terms_of(definition, state)
        self.known[event.round_id] = Known(state, terms, closed)


def standing_of(state: AnyRound) -> Standing:
    match state:
        case Undrafted() | Drafted():
            return "not_open"
        case Opened():
            return "open"
        case _:
            return "closed"


def terms_of(definition: Definition, state: AnyRound) -> Terms:
    """Give what a ballot must keep to. A project that died takes no more ballots."""
    struck = state.struck if isinstance(state, Opened) else ()
    return Terms(
        round_id=definition.round_id,
        standing=standing_of(state),
        closes_at=definition.closes_at,
        project_ids=definition.project_ids - set(struck),
        picks_max=definition.picks_max,
        changeable=definition.changeable,
    )


@dataclass(slots=True)
class OpenRounds:
    """The rounds as the newest events leave them; safe to share between threads."""

    pool: ConnectionPool[Any]
    read_at: float = 0.0
    _position: int = 0
    _rounds: Rounds = field(default_factory=Rounds)
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
                self._learn(position, topic, state)
            self._position = head
            self.read_at = read_at

    def _learn(self, position: int, topic: str, state: bytes) -> None:
        try:
            self._rounds.learn(cast(RoundEvent, decode(topic, state)), position)
        except (Undecodable, ValueError, AssertionError) as spoilt:
            # One spoilt event must not close every other round; nor may what its own round did
            # later, which then contradicts what is known of it.
            LOG.warning("event %s cannot be read and is passed over: %s", position, spoilt)

    def round(self, round_id: UUID) -> Known | None:
        return self._rounds.known.get(round_id)

    def every(self) -> list[Known]:
        return list(self._rounds.known.values())

    def opened(self) -> list[Known]:
        """Give the rounds that were opened and whose close is not recorded."""
        return [one for one in self.every() if isinstance(one.state, Opened)]

    def of_gift(self, gift: Gift, at: datetime) -> Known | None:
        """Give the round that takes a gift's ballot at a moment: there is at most one."""
        for one in self.opened():
            if at < one.terms.closes_at and self.ineligible(gift, one) is None:
                return one
        return None

    def ineligible(self, gift: Gift, known: Known) -> Ineligible | None:
        """Say why a gift has no ballot in a round, None when it has one."""
        if not known.definition.pot.covers(gift.source, gift.partner_id, gift.occurred_on):
            return "not_in_pot"
        held = holder(gift, self._rounds.claims.standing)
        return None if held in {None, known.definition.round_id} else "taken"

    def held_by(self, gift: Gift) -> Known | None:
        """Give the closed round that a gift belongs to, None while none has taken it."""
        round_id = holder(gift, self._rounds.claims.standing)
        return None if round_id is None else self._rounds.known[round_id]
