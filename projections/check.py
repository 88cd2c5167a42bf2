"""Checking the ledger a second way: every event read one by one, every sum added up plainly.

This path shares no code with the feed's pages or the folds of the read models, save the public
form of an event, so that a mistake in one of them shows as a difference. It reads at one moment
and runs beside a working service.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, get_args
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from ledger.ambassadors import AmbassadorEvent, CreditGiven
from ledger.ballots import BallotEvent
from ledger.calendar import civil_day
from ledger.closes import DayClosed
from ledger.decider import Event
from ledger.donations import DonationRecorded, DonationReversed
from ledger.events import AnyEvent, Undecodable, decode
from ledger.ids import stream_of
from ledger.partners.agreements import AgreementEvent
from ledger.partners.certifications.events import CertificationEvent
from ledger.partners.complaints import ComplaintEvent
from ledger.partners.register import (
    PartnerRegistered,
    PublicationConsented,
    PublicationConsentWithdrawn,
    RegisterEvent,
)
from ledger.people import AccountDisabled, AccountEnabled, AccountOpened, RolesChanged
from ledger.projects.idea_events import IdeaEvent
from ledger.projects.project_events import ProjectEvent
from ledger.rounds.events import RoundEvent
from ledger.tills import (
    EnrolmentOffered,
    GapExplained,
    TillEnrolled,
    TillKeyRotated,
    TillRevoked,
)
from ledger.wallets import GiftAdded, WalletEvent
from projections.check_money import MONEY_OF_A_PARTNER, Money, Whereabouts, money_stream
from projections.check_standings import Standings
from projections.check_tills import Tills
from projections.feed import without_nul
from projections.follow import positions
from projections.journal import position_of, public
from projections.sql import queries

SQL = queries("check.sql")
PAGE_EVENTS = 10_000
# After so many the picture is clear enough.
DIFFERENCES_MAX = 100
POSITION_MAX = 2**63 - 1

# Events of partner life: the category of their streams, and the field that names the stream.
PARTNER_LIFE: dict[type[Event], tuple[str, str]] = {
    kind: (category, field)
    for union, category, field in (
        (RegisterEvent, "partner", "partner_id"),
        (AgreementEvent, "agreement", "agreement_id"),
        (CertificationEvent, "certification", "partner_id"),
        (ComplaintEvent, "complaint", "complaint_id"),
    )
    for kind in get_args(union)
}

# The same of what concerns no partner: ideas, projects, ambassadors, rounds, ballots, wallets.
PROJECT_LIFE: dict[type[Event], tuple[str, str]] = {
    kind: (category, field)
    for kinds, category, field in (
        (get_args(IdeaEvent), "idea", "idea_id"),
        (get_args(ProjectEvent), "project", "project_id"),
        (get_args(AmbassadorEvent), "ambassador", "ambassador_id"),
        ((CreditGiven,), "credit", "credit_id"),
        (get_args(RoundEvent), "round", "round_id"),
        (get_args(BallotEvent), "ballot", "ballot_id"),
        (get_args(WalletEvent), "wallet", "wallet_id"),
        ((GiftAdded,), "walletgift", "donation_id"),
    )
    for kind in kinds
}
# Of these the partner must be a registered one.
OF_A_PARTNER: tuple[type[Event], ...] = (*PARTNER_LIFE, *MONEY_OF_A_PARTNER)

Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Checked:
    """The result: how many events were read, in words whatever differs, and where the cents are."""

    events: int
    differences: list[str]
    whereabouts: Whereabouts = field(default=Whereabouts(), compare=False)

    @property
    def ok(self) -> bool:
        return not self.differences


@dataclass(slots=True)
class Reading:
    """What one reading of all events gives: plain sums, who exists, and what is wrong."""

    reached: dict[str, int]
    standings: Standings
    tills_told: Tills
    sums: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    partners: dict[UUID, int] = field(default_factory=dict)
    tills: dict[UUID, UUID] = field(default_factory=dict)
    publishing: set[UUID] = field(default_factory=set)
    reversed_cents: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))
    events: int = 0
    differences: list[str] = field(default_factory=list)

    def differs(self, what: str) -> None:
        if len(self.differences) < DIFFERENCES_MAX:
            self.differences.append(what)

    def take(self, position: int, stream_id: UUID, event: Event) -> None:
        """Note one event."""
        self.standings.take(position, event)
        self.tills_told.take(position, event)
        match event:
            case PublicationConsented(partner_id=partner_id):
                self.publishing.add(partner_id)
            case PublicationConsentWithdrawn(partner_id=partner_id):
                self.publishing.discard(partner_id)
            case _:
                pass
        self.place(position, stream_id, event)

    def place(self, position: int, stream_id: UUID, event: Event) -> None:
        """Look whether an event stands where it belongs, and count it."""
        match event:
            case DonationRecorded():
                self.belongs(position, stream_id, "donation", event.donation_id)
                self.knows(position, event.partner_id, event.till_id)
                month = event.occurred_on.isoformat()[:7]
                self.count(position, (str(event.partner_id), event.source, month), 0, event)
            case DonationReversed():
                self.belongs(position, stream_id, "donation", event.donation_id)
                self.knows(position, event.partner_id, event.till_id)
                self.reversed_cents[stream_id] += event.amount_cents
                month = event.reversed_on.isoformat()[:7]
                self.count(position, (str(event.partner_id), event.source, month), 2, event)
            case PartnerRegistered(partner_id=partner_id):
                self.belongs(position, stream_id, "partner", partner_id)
                self.partners[partner_id] = position
            case TillEnrolled(till_id=till_id, partner_id=partner_id):
                self.belongs(position, stream_id, "till", till_id)
                self.knows(position, partner_id)
                self.tills[till_id] = partner_id
            case EnrolmentOffered(till_id=till_id, partner_id=partner_id):
                self.belongs(position, stream_id, "till", till_id)
                self.knows(position, partner_id)
            case TillKeyRotated() | TillRevoked() | GapExplained():
                self.belongs(position, stream_id, "till", event.till_id)
                self.knows(position, event.partner_id, event.till_id)
            case DayClosed():
                self.belongs(position, stream_id, "close", event.close_id)
                self.knows(position, event.partner_id, event.till_id)
            case AccountOpened() | RolesChanged() | AccountDisabled() | AccountEnabled():
                self.belongs(position, stream_id, "account", event.account_id)
            case _ if (stream := stream_named(event)) is not None:
                self.belongs(position, stream_id, *stream)
                if isinstance(event, OF_A_PARTNER):
                    self.knows(position, event.partner_id)  # type: ignore[attr-defined]
            case _:
                self.differs(f"event {position} is of a type this check does not know")

    def belongs(self, position: int, stream_id: UUID, category: str, subject_id: UUID) -> None:
        if stream_of(category, subject_id) != stream_id:
            self.differs(f"event {position} stands in a stream that is not of its {category}")

    def knows(self, position: int, partner_id: UUID, till_id: UUID | None = None) -> None:
        if partner_id not in self.partners:
            self.differs(f"event {position} names a partner that was never registered")
        if till_id is not None and till_id not in self.tills:
            self.differs(f"event {position} names a till that was never enrolled")
        elif till_id is not None and self.tills[till_id] != partner_id:
            self.differs(f"event {position} names a till of another partner")

    def count(
        self,
        position: int,
        key: tuple[str, str, str],
        column: int,
        event: DonationRecorded | DonationReversed,
    ) -> None:
        if position <= self.reached["balances"]:
            row = self.sums.setdefault(key, [0, 0, 0, 0])
            row[column] += 1
            row[column + 1] += event.amount_cents


def stream_named(event: Event) -> tuple[str, UUID] | None:
    """Give the category and the subject of an event's stream, where its type alone says both."""
    named = PROJECT_LIFE.get(type(event)) or PARTNER_LIFE.get(type(event))
    return money_stream(event) if named is None else (named[0], getattr(event, named[1]))


def check(connection: Connection[Any], progress: Progress = lambda _: None) -> Checked:
    """Compare the read models with what the events say, and look for faults in the events.

    `progress` is told how many events were read since it was last told.
    """
    with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        reached = defaultdict(int, positions(connection))
        tills = Tills(reached["tills"], reached["gaps"])
        reading = Reading(reached, Standings(reached["standings"]), tills)
        money = Money.of(cursor, reached, reading.differs)
        journal = Journal(journal_lines(connection))
        for rows in stored_events(cursor):
            for position, stream_id, topic, state in rows:
                reading.events += 1
                try:
                    event = decode(topic, without_nul(bytes(state)))
                except Undecodable as undecodable:
                    reading.differs(f"event {position} cannot be decoded: {undecodable}")
                    continue
                reading.take(position, stream_id, event)
                money.take(position, event)
                if position <= reading.reached["journal"]:
                    journal_agrees(reading, position, event, journal.line_at(position))
            progress(len(rows))
        journal.line_at(POSITION_MAX)
        for line in journal.foreign[:DIFFERENCES_MAX]:
            reading.differs(f"journal: no readable event has the line {line[:80]}")
        for compare in (balances_agree, partners_agree, streams_hold):
            compare(cursor, reading)
        reading.standings.agree(cursor, reached["partners"], reading.differs)
        reading.tills_told.agree(cursor, reading.differs)
        whereabouts = money.agree(cursor)
    return Checked(reading.events, reading.differences, whereabouts)


def stored_events(cursor: Cursor[Any]) -> Iterator[list[tuple[int, UUID, str, bytes]]]:
    after = 0
    while rows := cursor.execute(SQL["events"], {"after": after, "limit": PAGE_EVENTS}).fetchall():
        yield rows
        after = rows[-1][0]


def balances_agree(cursor: Cursor[Any], reading: Reading) -> None:
    told = {tuple(row[:3]): list(row[3:]) for row in cursor.execute(SQL["balances"]).fetchall()}
    for key in sorted(told.keys() | reading.sums.keys()):
        derived = reading.sums.get(key, [0, 0, 0, 0])
        if told.get(key, [0, 0, 0, 0]) != derived:
            place = f"partner {key[0]}, source {key[1]}, month {key[2]}"
            reading.differs(
                f"balance of {place}: the read model says {told.get(key)}, the events {derived}"
                " (gifts, given cents, reversals, reversed cents)"
            )


def partners_agree(cursor: Cursor[Any], reading: Reading) -> None:
    told = {row[0] for row in cursor.execute(SQL["partners"]).fetchall()}
    reached = reading.reached["partners"]
    derived = {partner for partner, position in reading.partners.items() if position <= reached}
    for partner_id in sorted(told ^ derived):
        where = "the read model" if partner_id in told else "the events"
        reading.differs(f"partner {partner_id} is only in {where}")


@dataclass(slots=True)
class Journal:
    """The journal's lines, walked through beside the events; `foreign` are those no event has."""

    lines: Iterator[str]
    ahead: str | None = None
    foreign: list[str] = field(default_factory=list)

    def line_at(self, position: int) -> str | None:
        """Give the line of an event, passing over the lines before it."""
        while True:
            line = self.ahead or next(self.lines, None)
            self.ahead = None
            if line is None:
                return None
            at = position_of(line)
            if at == position:
                return line
            if at > position:
                self.ahead = line
                return None
            self.foreign.append(line)


def journal_lines(connection: Connection[Any]) -> Iterator[str]:
    """Give the journal's lines in the order of the feed, a few blocks at a time."""
    after = -1
    with connection.cursor(row_factory=tuple_row) as cursor:
        while rows := cursor.execute(SQL["journal"], {"after": after}).fetchall():
            for block, lines in rows:
                after = block
                yield from lines.splitlines()


def journal_agrees(reading: Reading, position: int, event: AnyEvent, line: str | None) -> None:
    """Compare a line with what its event says, written anew the long way."""
    derived = {
        "position": position,
        "kind": type(event).__name__,
        "recorded_on": civil_day(event.recorded_at).isoformat(),
        **public(event, named=getattr(event, "partner_id", None) in reading.publishing),
    }
    try:
        told = None if line is None else json.loads(line)
    except ValueError:
        told = line
    if told != derived:
        reading.differs(f"journal: the line of event {position} is {told}, not {derived}")


def streams_hold(cursor: Cursor[Any], reading: Reading) -> None:
    """Look for gaps in versions, reversals without a gift, and more given back than given."""
    for stream_id, events, first, last in cursor.execute(SQL["broken_versions"]).fetchall():
        reading.differs(f"stream {stream_id} has {events} events from version {first} to {last}")
    rows = cursor.execute(SQL["firsts"], {"streams": list(reading.reversed_cents)}).fetchall()
    given = {stream_id: given_cents(topic, bytes(state)) for stream_id, topic, state in rows}
    for stream_id, cents in reading.reversed_cents.items():
        if cents > given.get(stream_id, 0):
            gift = f"a gift of {given.get(stream_id, 0)}"
            reading.differs(f"stream {stream_id} gives back {cents} cents of {gift}")


def given_cents(topic: str, state: bytes) -> int:
    """Give the cents of a stream's first event, 0 when it is no gift that can be read."""
    try:
        event = decode(topic, state)
    except Undecodable:
        return 0
    return event.amount_cents if isinstance(event, DonationRecorded) else 0
