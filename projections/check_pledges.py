"""The check of pledges: a sponsor's money is used once, and by rounds that counted with it."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from ledger.decider import Event
from ledger.pledges import PledgeCalled, PledgeMade, PledgeUsed, PledgeWithdrawn
from ledger.references import is_creditor_reference
from ledger.rounds.events import RoundTallied

Differs = Callable[[str], None]


@dataclass(slots=True)
class Pledge:
    """What was promised and not withdrawn, what of it was called, and what each round took."""

    cents: int
    called_cents: int = 0
    used: dict[UUID, int] = field(default_factory=dict)


@dataclass(slots=True)
class Pledges:
    differs: Differs
    pledges: dict[UUID, Pledge] = field(default_factory=dict)
    taken: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    matched: dict[UUID, int] = field(default_factory=dict)
    references: set[str] = field(default_factory=set)

    def take(self, position: int, event: Event) -> None:
        if isinstance(event, RoundTallied):
            self.matched[event.round_id] = event.tally.matched_cents
        elif isinstance(event, PledgeMade):
            if event.pledge_id in self.pledges:
                self.differs(f"event {position} makes a pledge a second time")
            self.pledges[event.pledge_id] = Pledge(event.cents)
        elif isinstance(event, PledgeCalled | PledgeUsed | PledgeWithdrawn):
            self.change(position, event)

    def change(self, position: int, event: PledgeCalled | PledgeUsed | PledgeWithdrawn) -> None:
        known = self.pledges.get(event.pledge_id)
        if known is None:
            self.differs(f"event {position} is of a pledge that nobody made")
            return
        if isinstance(event, PledgeCalled):
            known.called_cents += event.cents
            if event.reference in self.references or not is_creditor_reference(event.reference):
                self.differs(f"event {position} calls under a reference that is not its own")
            self.references.add(event.reference)
        elif isinstance(event, PledgeUsed):
            if event.round_id in known.used:
                self.differs(f"event {position} counts a pledge twice for one round")
            known.used[event.round_id] = event.cents
            self.taken[event.round_id] += event.cents
            if self.taken[event.round_id] > self.matched.get(event.round_id, 0):
                self.differs(f"event {position} takes more for a round than its result matched")
        else:
            known.cents -= event.cents
        if sum(known.used.values()) > known.cents:
            self.differs(f"event {position} leaves more used of a pledge than was promised")
        if isinstance(event, PledgeCalled) and known.called_cents > known.cents:
            self.differs(f"event {position} calls more of a pledge than was promised")
