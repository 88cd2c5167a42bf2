"""The check of pledges: a sponsor's money is used once, and by rounds that counted with it."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from ledger.calendar import civil_day
from ledger.decider import Event
from ledger.pledges import PledgeCalled, PledgeMade, PledgeUsed, PledgeWithdrawn
from ledger.references import is_creditor_reference
from ledger.rounds.events import (
    ResultSentBack,
    RoundAdopted,
    RoundCancelled,
    RoundDrafted,
    RoundOpened,
    RoundTallied,
)

Differs = Callable[[str], None]
Step = RoundOpened | RoundTallied | ResultSentBack | RoundAdopted | RoundCancelled


@dataclass(slots=True)
class Pledge:
    """What was promised and not withdrawn, what of it was called, and what each round took."""

    made: PledgeMade
    cents: int
    called_cents: int = 0
    used: dict[UUID, int] = field(default_factory=dict)
    used_on: dict[UUID, date] = field(default_factory=dict)
    calls: list[PledgeCalled] = field(default_factory=list)


@dataclass(slots=True)
class Matched:
    """A round that a sponsor adds to."""

    title: str
    sponsor: str
    cap_cents: int
    state: str = "drafted"
    matched_cents: int | None = None


@dataclass(slots=True)
class Pledges:
    differs: Differs
    pledges: dict[UUID, Pledge] = field(default_factory=dict)
    taken: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    matched: dict[UUID, int] = field(default_factory=dict)
    references: set[str] = field(default_factory=set)
    rounds: dict[UUID, Matched] = field(default_factory=dict)

    def take(self, position: int, event: Event) -> None:
        if isinstance(event, RoundTallied):
            self.matched[event.round_id] = event.tally.matched_cents
        if isinstance(event, RoundDrafted):
            self.draft(event)
        elif isinstance(event, Step):
            self.step(event)
        elif isinstance(event, PledgeMade):
            if event.pledge_id in self.pledges:
                self.differs(f"event {position} makes a pledge a second time")
            self.pledges[event.pledge_id] = Pledge(event, event.cents)
        elif isinstance(event, PledgeCalled | PledgeUsed | PledgeWithdrawn):
            self.change(position, event)

    def draft(self, event: RoundDrafted) -> None:
        """Note what a round's definition says of its sponsor, each time it is drafted."""
        definition = json.loads(event.definition)
        matching = definition["pot"].get("matching")
        if matching is None:
            self.rounds.pop(event.round_id, None)
            return
        known = self.rounds.get(event.round_id)
        told = Matched(definition["title"], matching["sponsor"], matching["cap_cents"])
        if known is not None:
            told.state, told.matched_cents = known.state, known.matched_cents
        self.rounds[event.round_id] = told

    def step(self, event: Step) -> None:
        known = self.rounds.get(event.round_id)
        if known is None:
            return
        match event:
            case RoundOpened():
                known.state = "opened"
            case RoundTallied(tally=tally):
                known.state, known.matched_cents = "tallied", tally.matched_cents
            case ResultSentBack():
                known.state, known.matched_cents = "opened", None
            case RoundAdopted():
                known.state = "adopted"
            case RoundCancelled():
                known.state = "cancelled"

    def change(self, position: int, event: PledgeCalled | PledgeUsed | PledgeWithdrawn) -> None:
        known = self.pledges.get(event.pledge_id)
        if known is None:
            self.differs(f"event {position} is of a pledge that nobody made")
            return
        if isinstance(event, PledgeCalled):
            known.called_cents += event.cents
            known.calls.append(event)
            if event.reference in self.references or not is_creditor_reference(event.reference):
                self.differs(f"event {position} calls under a reference that is not its own")
            self.references.add(event.reference)
        elif isinstance(event, PledgeUsed):
            if event.round_id in known.used:
                self.differs(f"event {position} counts a pledge twice for one round")
            known.used[event.round_id] = event.cents
            known.used_on[event.round_id] = civil_day(event.recorded_at)
            self.belongs(position, known.made, event.round_id)
            self.taken[event.round_id] += event.cents
            if self.taken[event.round_id] > self.matched.get(event.round_id, 0):
                self.differs(f"event {position} takes more for a round than its result matched")
        else:
            known.cents -= event.cents
        if sum(known.used.values()) > known.cents:
            self.differs(f"event {position} leaves more used of a pledge than was promised")
        if isinstance(event, PledgeCalled) and known.called_cents > known.cents:
            self.differs(f"event {position} calls more of a pledge than was promised")

    def belongs(self, position: int, made: PledgeMade, round_id: UUID) -> None:
        """Look whether a round may take from a pledge: its sponsor's, for it alone or for any."""
        told = self.rounds.get(round_id)
        if made.round_id not in {None, round_id} or told is None or told.sponsor != made.sponsor:
            self.differs(f"event {position} takes a pledge for a round that it is not for")
