"""A ballot: one gift's choice in one round, cast once, perhaps changed until the round closes.

A paper ballot is entered twice, by two people: the first entry waits for the second one, which
must be the same. What a ballot weighs is decided at the count, by what is left of its gift.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Literal, assert_never
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ledger.actors import ACCOUNT
from ledger.decider import Command, Decider, Event, Refused

Channel = Literal["web", "api", "counter"]
Standing = Literal["not_open", "open", "closed"]
Ineligible = Literal["not_in_pot", "taken", "given_back", "purchase_not_attested"]

# No honest ballot names more; how many count is the round's to say.
PICKS_TYPED_MAX = 200
# Whoever wavers changes a few times; beyond it, somebody fills the ledger with one ticket.
CHANGES_MAX = 20

# Events. These names and fields are what is stored: add a new version, never edit.


class BallotCast(Event):
    """`picks` are in the order of their ids: no pick comes before another."""

    ballot_id: UUID
    round_id: UUID
    donation_id: UUID
    picks: tuple[UUID, ...]
    channel: Channel


class BallotChanged(Event):
    """`replaced` are the picks until then."""

    ballot_id: UUID
    round_id: UUID
    donation_id: UUID
    picks: tuple[UUID, ...]
    replaced: tuple[UUID, ...]
    channel: Channel


class BallotEntered(Event):
    """A paper ballot, entered by one person: it counts once a second one entered the same."""

    ballot_id: UUID
    round_id: UUID
    donation_id: UUID
    picks: tuple[UUID, ...]


class EntryDiscarded(Event):
    """An entry that waited for a second one was wrong, and is void."""

    ballot_id: UUID
    round_id: UUID


BallotEvent = BallotCast | BallotChanged | BallotEntered | EntryDiscarded

# Commands.

Picks = Annotated[tuple[UUID, ...], Field(max_length=PICKS_TYPED_MAX)]


class Terms(BaseModel):
    """What the ballot form of a round is, and how the round stands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    round_id: UUID
    standing: Standing
    closes_at: AwareDatetime
    project_ids: frozenset[UUID]
    picks_max: int
    changeable: bool


class CastBallot(Command):
    """`ineligible` says why the gift has no ballot in this round, if it has none."""

    ballot_id: UUID
    donation_id: UUID
    terms: Terms
    ineligible: Ineligible | None = None
    picks: Picks
    channel: Channel


class DiscardEntry(Command):
    ballot_id: UUID
    terms: Terms


BallotCommand = CastBallot | DiscardEntry

# State: only what the rules below need.


@dataclass(frozen=True, slots=True)
class Blank:
    pass


@dataclass(frozen=True, slots=True)
class Entered:
    """Waits for its second entry; `earlier` is the ballot that counts until then."""

    by: str
    picks: tuple[UUID, ...]
    earlier: "Cast | None" = None


@dataclass(frozen=True, slots=True)
class Cast:
    picks: tuple[UUID, ...]
    # The two people of a paper ballot, to know a repeat of theirs.
    entered_by: tuple[str, ...] = ()
    changes: int = 0


Ballot = Blank | Entered | Cast


class RoundNotOpen(Refused):
    """The round takes no ballots yet, or was cancelled."""


class RoundIsClosed(Refused):
    """The round's deadline has passed."""


class UnknownProject(Refused):
    """A pick is no project of this round."""


class TooManyPicks(Refused):
    """The ballot names more projects than the round allows."""


class NoPicks(Refused):
    """The ballot names no project."""


class BallotNotChangeable(Refused):
    """This gift has its ballot already, and the round lets none be changed."""


class TooManyChanges(Refused):
    """The ballot was changed as often as one may be: the choice that stands counts."""


class GiftNotEligible(Refused):
    """This gift has no ballot in this round."""


class CounterNeedsAccount(Refused):
    """Paper ballots are entered by people with accounts of their own."""


class CounterBallotDiffers(Refused):
    """The first entry of this paper ballot is another one; `picks_differ` are in one of them."""


class NothingEntered(Refused):
    """No entry of this ballot waits for a second one."""


def ballot_id_of(key: bytes, round_id: UUID, donation_id: UUID) -> UUID:
    """Give the ballot of a gift in a round: without the key, nobody can tell whose it is."""
    digest = blake2b(
        round_id.bytes + donation_id.bytes, key=key, person=b"ballot", digest_size=16
    ).digest()
    return UUID(bytes=digest)


def evolve(ballot: Ballot, event: BallotEvent) -> Ballot:
    match event:
        case BallotEntered(picks=picks, actor=actor):
            return Entered(actor, picks, standing_of(ballot))
        case EntryDiscarded():
            return standing_of(ballot) or Blank()
        case BallotCast(picks=picks) | BallotChanged(picks=picks):
            before = standing_of(ballot)
            changes = 0 if before is None else before.changes + 1
            if isinstance(ballot, Entered) and event.channel == "counter":
                return Cast(picks, (ballot.by, event.actor), changes)
            return Cast(picks, changes=changes)
        case _:
            assert_never(event)


def standing_of(ballot: Ballot) -> Cast | None:
    """Give the ballot that counts at this moment."""
    match ballot:
        case Blank():
            return None
        case Entered(earlier=earlier):
            return earlier
        case Cast():
            return ballot
        case _:
            assert_never(ballot)


def decide(command: BallotCommand, ballot: Ballot) -> list[BallotEvent]:
    match command:
        case CastBallot():
            return cast_ballot(command, ballot)
        case DiscardEntry():
            return discard(command, ballot)
        case _:
            assert_never(command)


def cast_ballot(command: CastBallot, ballot: Ballot) -> list[BallotEvent]:
    in_time(command)
    picks = picks_of(command)
    if command.ineligible is not None:
        raise GiftNotEligible(reason=command.ineligible)
    before = standing_of(ballot)
    if command.channel == "counter":
        return enter(command, ballot, picks)
    if before is not None and before.picks == picks:
        return []
    return [counted(command, picks, before)]


def in_time(command: BallotCommand) -> None:
    """Refuse a ballot outside of its round's time, whether or not its close is recorded yet."""
    terms = command.terms
    if terms.standing == "not_open":
        raise RoundNotOpen(round_id=terms.round_id)
    if terms.standing == "closed" or command.at >= terms.closes_at:
        raise RoundIsClosed(round_id=terms.round_id, closes_at=terms.closes_at)


def picks_of(command: CastBallot) -> tuple[UUID, ...]:
    """Give the picks once each, in the order of their ids."""
    picks = tuple(sorted(set(command.picks)))
    terms = command.terms
    if not picks:
        raise NoPicks(picks_max=terms.picks_max)
    for pick in picks:
        if pick not in terms.project_ids:
            raise UnknownProject(project_id=pick)
    if len(picks) > terms.picks_max:
        raise TooManyPicks(picks=len(picks), picks_max=terms.picks_max)
    return picks


def counted(command: CastBallot, picks: tuple[UUID, ...], before: Cast | None) -> BallotEvent:
    """Give the event by which a ballot counts, or counts otherwise than before."""
    if before is None:
        return BallotCast(
            recorded_at=command.at,
            actor=command.actor,
            ballot_id=command.ballot_id,
            round_id=command.terms.round_id,
            donation_id=command.donation_id,
            picks=picks,
            channel=command.channel,
        )
    may_change(command, before)
    return BallotChanged(
        recorded_at=command.at,
        actor=command.actor,
        ballot_id=command.ballot_id,
        round_id=command.terms.round_id,
        donation_id=command.donation_id,
        picks=picks,
        replaced=before.picks,
        channel=command.channel,
    )


def may_change(command: CastBallot, before: Cast) -> None:
    """Refuse a change of the ballot that counts, where there is one too many."""
    if not command.terms.changeable:
        raise BallotNotChangeable(round_id=command.terms.round_id)
    if before.changes >= CHANGES_MAX:
        raise TooManyChanges(changes_max=CHANGES_MAX)


def enter(command: CastBallot, ballot: Ballot, picks: tuple[UUID, ...]) -> list[BallotEvent]:
    """Enter a paper ballot: first by one person, then the same by another."""
    if ACCOUNT.fullmatch(command.actor) is None:
        raise CounterNeedsAccount(actor=command.actor)
    before = standing_of(ballot)
    if before is not None and before.picks == picks and command.actor in before.entered_by:
        return []
    if before is not None:
        may_change(command, before)
    if isinstance(ballot, Entered) and ballot.by != command.actor:
        if ballot.picks != picks:
            differing = sorted(set(ballot.picks) ^ set(picks))
            raise CounterBallotDiffers(picks_differ=[str(pick) for pick in differing])
        return [counted(command, picks, before)]
    if isinstance(ballot, Entered) and ballot.picks == picks:
        return []
    return [
        BallotEntered(
            recorded_at=command.at,
            actor=command.actor,
            ballot_id=command.ballot_id,
            round_id=command.terms.round_id,
            donation_id=command.donation_id,
            picks=picks,
        )
    ]


def discard(command: DiscardEntry, ballot: Ballot) -> list[BallotEvent]:
    """Void an entry that waits, so that two people can begin again."""
    if ACCOUNT.fullmatch(command.actor) is None:
        raise CounterNeedsAccount(actor=command.actor)
    in_time(command)
    if not isinstance(ballot, Entered):
        raise NothingEntered(ballot_id=command.ballot_id)
    return [
        EntryDiscarded(
            recorded_at=command.at,
            actor=command.actor,
            ballot_id=command.ballot_id,
            round_id=command.terms.round_id,
        )
    ]


ballot: Decider[BallotCommand, Ballot, BallotEvent] = Decider(
    category="ballot", initial=Blank(), decide=decide, evolve=evolve
)
