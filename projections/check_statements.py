"""The check of statements: which gifts each one holds, gathered, summed and hashed a second way."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from struct import Struct
from typing import NamedTuple
from uuid import UUID

from ledger.actors import ACCOUNT
from ledger.calendar import civil_day
from ledger.decider import Event
from ledger.donations import DonationRecorded, DonationReversed
from ledger.foundation import (
    DEFAULT_TERMS,
    FOUNDATION_ID,
    SettlementTerms,
    SettlementTermsSet,
)
from ledger.giving import SOURCES
from ledger.partners.agreements import (
    AgreementAmended,
    AgreementEnded,
    AgreementEvent,
    AgreementSigned,
)
from ledger.partners.facts import AgreementFacts, facts_of
from ledger.partners.overdue import OverdueCleared, StatementFellOverdue
from ledger.partners.register import PartnerRegistered
from ledger.references import reference_of
from ledger.settlements.events import (
    StatementClosed,
    StatementReminded,
    WriteOffApproved,
    WriteOffDiscarded,
    WriteOffProposed,
)

Differs = Callable[[str], None]
# Says on which day some gifts were given.
Given = Callable[[Sequence[UUID]], dict[UUID, date]]

# Position, day, donation, source, cents: what a line takes while it waits for its statement.
PACKED = Struct("<qi16sBq")
# The read model of dues keeps lines by blocks of so many positions.
BLOCK_POSITIONS = 10_000
# Who has a part in a write-off.
PEOPLE = 2
HEADER = "position,kind,day,given_on,donation_id,source,regime,cents\n"


class Line(NamedTuple):
    """A gift, or a reversal where the cents are negative."""

    position: int
    day: date
    donation_id: UUID
    source: str
    cents: int


class Owed(NamedTuple):
    """A line as a statement tells it: with its gift's own day and regime."""

    line: Line
    given_on: date
    regime: str | None


@dataclass(slots=True)
class Block:
    """The lines of a partner in one block of the feed, as the sums that tell them."""

    lines: int = 0
    positions: int = 0
    cents: int = 0
    last_on: int = 0


@dataclass(slots=True)
class Statements:
    """The lines that wait for a statement, and what was closed, written off and reminded of.

    A line waits as a few bytes and is forgotten once its statement was seen: a million gifts fit.
    """

    given_on: Given
    differs: Differs
    waiting: dict[UUID, bytearray] = field(default_factory=lambda: defaultdict(bytearray))
    lines: dict[UUID, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    blocks: dict[tuple[UUID, int], Block] = field(default_factory=lambda: defaultdict(Block))
    first_on: dict[UUID, int] = field(default_factory=dict)
    agreements: dict[UUID, list[tuple[int, AgreementEvent]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    closed: dict[UUID, StatementClosed] = field(default_factory=dict)
    last: dict[UUID, StatementClosed] = field(default_factory=dict)
    references: set[str] = field(default_factory=set)
    sirets: dict[UUID, str] = field(default_factory=dict)
    terms: list[SettlementTerms] = field(default_factory=lambda: [DEFAULT_TERMS])
    reminders: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    reminded_on: dict[UUID, date] = field(default_factory=dict)
    proposed: dict[tuple[UUID, UUID], WriteOffProposed] = field(default_factory=dict)
    written_off: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    # By statement: where in the feed, on which day, how much.
    forgiven: dict[UUID, list[tuple[int, date, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    overdue: set[UUID] = field(default_factory=set)
    given_cents: int = 0
    reversed_cents: int = 0

    def take(self, position: int, event: Event) -> None:
        match event:
            case DonationRecorded(occurred_on=day, amount_cents=cents):
                self.given_cents += cents
                self.wait(position, event, day, cents)
            case DonationReversed(reversed_on=day, amount_cents=cents):
                self.reversed_cents += cents
                self.wait(position, event, day, -cents)
            case AgreementSigned() | AgreementAmended() | AgreementEnded():
                self.agreements[event.partner_id].append((position, event))
            case PartnerRegistered():
                self.sirets[event.partner_id] = event.siret
            case SettlementTermsSet():
                self.terms.append(event.terms)
            case StatementClosed():
                self.close(position, event)
            case StatementReminded():
                self.remind(position, event)
            case WriteOffProposed() | WriteOffApproved() | WriteOffDiscarded():
                self.write_off(position, event)
            case StatementFellOverdue() | OverdueCleared():
                self.note_overdue(position, event)
            case _:
                pass

    def wait(
        self, position: int, event: DonationRecorded | DonationReversed, day: date, cents: int
    ) -> None:
        """Keep a line for its statement. Gifts by card are on none: payouts settle them."""
        if event.partner_id != FOUNDATION_ID:
            source = SOURCES.index(event.source)
            packed = PACKED.pack(position, day.toordinal(), event.donation_id.bytes, source, cents)
            self.waiting[event.partner_id] += packed
            sums = self.lines[event.partner_id]
            sums[:] = sums[0] + 1, sums[1] + cents
            number = day.toordinal()
            block = self.blocks[event.partner_id, position // BLOCK_POSITIONS]
            block.lines += 1
            block.positions += position
            block.cents += cents
            block.last_on = max(block.last_on, number)
            self.first_on[event.partner_id] = min(
                number, self.first_on.get(event.partner_id, number)
            )

    def open_cents(self) -> int:
        return sum(line.cents for whose in self.waiting for line in self.open_lines(whose))

    def open_lines(self, partner_id: UUID) -> Iterator[Line]:
        for position, day, donation_id, source, cents in PACKED.iter_unpack(
            bytes(self.waiting[partner_id])
        ):
            on = date.fromordinal(day)
            yield Line(position, on, UUID(bytes=donation_id), SOURCES[source], cents)

    def close(self, position: int, told: StatementClosed) -> None:
        """Take the lines that a statement must hold, and compare with what it says."""
        self.in_order(position, told)
        held: list[Line] = []
        left = bytearray()
        size = PACKED.size
        waiting = self.waiting[told.partner_id]
        for number, line in enumerate(self.open_lines(told.partner_id)):
            if line.position <= told.through_position and line.day <= told.last_on:
                held.append(line)
            else:
                left += waiting[number * size : (number + 1) * size]
        self.waiting[told.partner_id] = left
        where = f"statement {told.statement_id} of event {position}"
        owed = self.with_regimes(told, held)
        for what, said, derived in (
            ("lines", told.lines, len(held)),
            ("owed cents", told.owed_cents, sum(line.cents for line in held)),
            ("hash of its lines", told.lines_sha256, hash_of(owed)),
            ("parts", parts_told(told), parts_of(owed)),
            ("days", [(one.day, one.cents) for one in told.days], days_of(held)),
        ):
            if said != derived:
                self.differs(f"{where} has other {what}: it says {said}, the events {derived}")

    def in_order(self, position: int, told: StatementClosed) -> None:
        """Look whether a statement follows the one before, under an id and reference of its own."""
        before = self.last.get(told.partner_id)
        what = f"event {position} closes statement {told.number} of partner {told.partner_id}"
        if told.number != (1 if before is None else before.number + 1):
            self.differs(f"{what}, which is not the next one")
        if before is not None and (
            told.through_position < before.through_position or told.last_on < before.last_on
        ):
            self.differs(f"{what}, which reaches less far than the one before")
        if told.through_position >= position or told.first_on > told.last_on:
            self.differs(f"{what}, which reaches further than it can")
        if told.statement_id in self.closed:
            self.differs(f"{what} under the id of another")
        siret = self.sirets.get(told.partner_id)
        own = None if siret is None else reference_of(f"{siret}{told.number:04d}")
        if told.reference in self.references or told.reference != own:
            self.differs(f"{what} under a reference that is not its own")
        if (told.due_on - civil_day(told.recorded_at)).days not in self.due_after(told.last_on):
            self.differs(f"{what}, which is due on another day than any terms say")
        self.closed[told.statement_id] = self.last[told.partner_id] = told
        self.references.add(told.reference)

    def with_regimes(self, told: StatementClosed, held: Sequence[Line]) -> list[Owed]:
        """Give each line with the day of its gift, and whose the money was on that day.

        Agreements are as they were known where the statement ends in the feed.
        """
        back = [line.donation_id for line in held if line.cents < 0]
        given_on = self.given_on(back) if back else {}
        events = self.agreements[told.partner_id]
        known = facts_of([one for one in events if one[0] <= told.through_position]).agreements
        regimes: dict[date, str | None] = {}
        found: list[Owed] = []
        for line in held:
            day = given_on.get(line.donation_id, line.day) if line.cents < 0 else line.day
            if day not in regimes:
                regimes[day] = regime_on(known, day)
            found.append(Owed(line, day, regimes[day]))
        return found

    def remind(self, position: int, event: StatementReminded) -> None:
        self.reminders[event.statement_id] += 1
        self.reminded_on[event.statement_id] = event.reminded_on
        told = self.of_partner(position, event.statement_id, event.partner_id)
        if told is None:
            return
        if event.level != self.reminders[event.statement_id]:
            self.differs(f"event {position} is a reminder out of its order")
        if event.reminded_on <= told.due_on:
            self.differs(f"event {position} reminds of a statement that is not due")

    def write_off(
        self, position: int, event: WriteOffProposed | WriteOffApproved | WriteOffDiscarded
    ) -> None:
        told = self.of_partner(position, event.statement_id, event.partner_id)
        if isinstance(event, WriteOffProposed):
            self.proposed[event.statement_id, event.write_off_id] = event
            return
        proposal = self.proposed.pop((event.statement_id, event.write_off_id), None)
        if proposal is None or proposal.partner_id != event.partner_id:
            self.differs(f"event {position} decides upon a write-off that nobody proposed")
        if isinstance(event, WriteOffDiscarded):
            return
        if proposal is not None:
            self.approve(position, proposal, event)
        self.written_off[event.statement_id] += event.cents
        moved = position, event.approved_on, event.cents
        self.forgiven[event.statement_id].append(moved)
        if told is not None and self.written_off[event.statement_id] > told.owed_cents:
            self.differs(f"event {position} writes off more than statement {told.statement_id} is")

    def approve(self, position: int, proposal: WriteOffProposed, event: WriteOffApproved) -> None:
        """Hold what was approved against what was proposed, and by whom."""
        people = {proposal.actor, event.actor}
        if len(people) != PEOPLE or not all(map(ACCOUNT.fullmatch, people)):
            self.differs(f"event {position} is a write-off by one person alone")
        if proposal.cents != event.cents:
            self.differs(f"event {position} writes off another amount than was proposed")
        if proposal.reason != event.reason:
            self.differs(f"event {position} writes off for another reason than was proposed")
        if event.approved_on < civil_day(proposal.recorded_at):
            self.differs(f"event {position} writes off before that was proposed")

    def due_after(self, last_on: date) -> set[int]:
        """Give after how many days a statement may be due; terms may be set while it is closed."""
        return {one.due_after_days for one in self.terms if one.in_force_from <= last_on}

    def note_overdue(self, position: int, event: StatementFellOverdue | OverdueCleared) -> None:
        told = self.of_partner(position, event.statement_id, event.partner_id)
        fell = isinstance(event, StatementFellOverdue)
        if fell == (event.statement_id in self.overdue):
            self.differs(f"event {position} says again what is said of an overdue statement")
        # One that falls overdue again, because its money went back, does so on a later day.
        too_early = isinstance(event, StatementFellOverdue) and told and event.due_on < told.due_on
        if too_early:
            self.differs(f"event {position} says an earlier day than its statement is due on")
        (self.overdue.add if fell else self.overdue.discard)(event.statement_id)

    def of_partner(
        self, position: int, statement_id: UUID, partner_id: UUID
    ) -> StatementClosed | None:
        told = self.closed.get(statement_id)
        if told is None or told.partner_id != partner_id:
            self.differs(f"event {position} names a statement that its partner does not have")
            return None
        return told


def regime_on(agreements: Sequence[AgreementFacts], day: date) -> str | None:
    in_force = [one for one in agreements if any(span.covers(day) for span in one.spans)]
    return in_force[0].terms_on(day).regime if in_force else None


def hash_of(lines: Sequence[Owed]) -> str:
    """Hash the CSV of a statement's lines, written here on its own."""
    text = [HEADER]
    for line, given_on, regime in lines:
        kind = "reversal" if line.cents < 0 else "gift"
        fields = (line.position, kind, line.day, given_on, line.donation_id, line.source)
        text.append(",".join(map(str, (*fields, regime or "", line.cents))) + "\n")
    return sha256("".join(text).encode()).hexdigest()


def parts_told(told: StatementClosed) -> dict[tuple[str, str | None], list[int]]:
    return {
        (one.source, one.regime): [
            one.gifts,
            one.given_cents,
            one.reversals,
            one.reversed_cents,
        ]
        for one in told.parts
    }


def parts_of(lines: Sequence[Owed]) -> dict[tuple[str, str | None], list[int]]:
    """Count and sum lines by source and regime."""
    sums: dict[tuple[str, str | None], list[int]] = {}
    for line, _, regime in lines:
        row = sums.setdefault((line.source, regime), [0, 0, 0, 0])
        first = 2 if line.cents < 0 else 0
        row[first] += 1
        row[first + 1] += abs(line.cents)
    return sums


def days_of(held: Sequence[Line]) -> list[tuple[date, int]]:
    sums: dict[date, int] = defaultdict(int)
    for line in held:
        sums[line.day] += line.cents
    return sorted(sums.items())
