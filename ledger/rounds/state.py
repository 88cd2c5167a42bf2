"""What the rules of a round need to know of it, as its events tell."""

from dataclasses import dataclass, field, replace
from typing import assert_never
from uuid import UUID

from ledger.rounds.definition import Definition, definition_of
from ledger.rounds.events import (
    Award,
    CancellationProposed,
    CountFailed,
    LeftoverCarried,
    LeftoverReleased,
    ProjectStruck,
    ResultApproved,
    ResultSentBack,
    RoundAdopted,
    RoundApproved,
    RoundAwarded,
    RoundCancelled,
    RoundClosed,
    RoundDrafted,
    RoundEvent,
    RoundOpened,
    RoundTallied,
    Tally,
)


@dataclass(frozen=True, slots=True)
class Undrafted:
    pass


@dataclass(frozen=True, slots=True)
class Round:
    """What every round has once it is drafted."""

    definition: Definition
    drafted_by: str
    # Projects that ended before the count: their votes follow the declared rule.
    struck: tuple[UUID, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Drafted(Round):
    approved_by: tuple[str, ...] = ()
    # Who wants to cancel it, and why.
    cancelling: CancellationProposed | None = None


@dataclass(frozen=True, slots=True)
class Opened(Round):
    pass


@dataclass(frozen=True, slots=True)
class Closed(Round):
    """Waits for its count, the first one or one after its result was sent back."""

    sent_back: tuple[ResultSentBack, ...] = ()
    cancelling: CancellationProposed | None = None
    # That its ballots could not be counted, as the last try says.
    failed: CountFailed | None = None


@dataclass(frozen=True, slots=True)
class Tallied(Round):
    sent_back: tuple[ResultSentBack, ...]
    tally: Tally
    approved_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Adopted(Round):
    tally: Tally
    adopted_by: tuple[str, ...]
    carried_to: UUID | None = None
    # What projects that ended did not get; None until the awards are made.
    withheld: tuple[Award, ...] | None = None

    @property
    def left_cents(self) -> int:
        """What goes to the next round."""
        return self.tally.next_round_cents + sum(one.cents for one in self.withheld or ())


@dataclass(frozen=True, slots=True)
class Cancelled(Round):
    cancelled_by: tuple[str, ...] = field(default=())


AnyRound = Undrafted | Drafted | Opened | Closed | Tallied | Adopted | Cancelled


def evolve(known: AnyRound, event: RoundEvent) -> AnyRound:
    """Give the round after an event. Fields are taken over by name, so states stay small."""
    match event:
        case RoundDrafted():
            return Drafted(definition_of(event.definition), event.actor)
        case RoundApproved():
            assert isinstance(known, Drafted)  # noqa: S101 - what was stored says so.
            return replace(known, approved_by=(*known.approved_by, event.actor))
        case RoundOpened():
            assert isinstance(known, Drafted)  # noqa: S101 - what was stored says so.
            return Opened(known.definition, known.drafted_by)
        case ProjectStruck(project_id=project_id):
            assert isinstance(known, Opened | Closed)  # noqa: S101 - what was stored says so.
            return replace(known, struck=(*known.struck, project_id))
        case RoundClosed():
            assert isinstance(known, Opened)  # noqa: S101 - what was stored says so.
            return Closed(known.definition, known.drafted_by, struck=known.struck)
        case RoundTallied() | CountFailed() | ResultApproved() | ResultSentBack() | RoundAdopted():
            return after_count(known, event)
        case CancellationProposed():
            assert isinstance(known, Drafted | Closed)  # noqa: S101 - what was stored says so.
            return replace(known, cancelling=event)
        case RoundCancelled():
            return cancelled(known, event)
        case LeftoverCarried(to_round_id=to_round_id):
            assert isinstance(known, Adopted)  # noqa: S101 - what was stored says so.
            return replace(known, carried_to=to_round_id)
        case LeftoverReleased():
            assert isinstance(known, Adopted)  # noqa: S101 - what was stored says so.
            return replace(known, carried_to=None)
        case RoundAwarded(withheld=withheld):
            assert isinstance(known, Adopted)  # noqa: S101 - what was stored says so.
            return replace(known, withheld=withheld)
        case _:
            assert_never(event)


def after_count(
    known: AnyRound,
    event: RoundTallied | CountFailed | ResultApproved | ResultSentBack | RoundAdopted,
) -> AnyRound:
    if isinstance(event, CountFailed):
        assert isinstance(known, Closed)  # noqa: S101 - what was stored says so.
        return replace(known, failed=event)
    if isinstance(event, RoundTallied):
        assert isinstance(known, Closed)  # noqa: S101 - what was stored says so.
        return Tallied(
            known.definition, known.drafted_by, known.sent_back, event.tally, struck=known.struck
        )
    assert isinstance(known, Tallied)  # noqa: S101 - what was stored says so.
    match event:
        case ResultApproved():
            return replace(known, approved_by=(*known.approved_by, event.actor))
        case ResultSentBack():
            before = (*known.sent_back, event)
            return Closed(known.definition, known.drafted_by, before, struck=known.struck)
        case RoundAdopted():
            adopters = known.approved_by
            return Adopted(
                known.definition, known.drafted_by, known.tally, adopters, struck=known.struck
            )
        case _:
            assert_never(event)


def cancelled(known: AnyRound, event: RoundCancelled) -> Cancelled:
    assert isinstance(known, Drafted | Closed)  # noqa: S101 - what was stored says so.
    first = () if known.cancelling is None else (known.cancelling.actor,)
    both = (*first, event.actor)
    return Cancelled(known.definition, known.drafted_by, both, struck=known.struck)
