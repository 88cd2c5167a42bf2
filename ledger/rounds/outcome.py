"""What becomes of a count: recorded, adopted by two, sent back, cancelled, awarded."""

from ledger.rounds.commands import (
    ApproveResult,
    CancelRound,
    CarryLeftover,
    CompleteAwards,
    CountNotTried,
    LeftoverTaken,
    NotAwarded,
    NothingLeft,
    RecordFailure,
    RecordTally,
    ReleaseLeftover,
    ResultNotAdopted,
    ResultNotPending,
    ResultStands,
    RoundNotCancellable,
    RoundNotOpened,
    SendBack,
    SentBackBefore,
    TallyDiffers,
)
from ledger.rounds.events import (
    CancellationProposed,
    CountFailed,
    LeftoverCarried,
    LeftoverReleased,
    ResultApproved,
    ResultSentBack,
    RoundAdopted,
    RoundAwarded,
    RoundCancelled,
    RoundEvent,
    RoundTallied,
    Tally,
)
from ledger.rounds.state import (
    Adopted,
    AnyRound,
    Cancelled,
    Closed,
    Drafted,
    Opened,
    Round,
    Tallied,
)


def record(command: RecordTally, known: AnyRound) -> list[RoundEvent]:
    tally = command.tally
    if isinstance(known, Tallied | Adopted):
        if known.tally == tally:
            return []
        raise ResultStands(result_sha256=known.tally.result_sha256)
    if not isinstance(known, Closed):
        raise RoundNotOpened(round_id=command.round_id)
    if not belongs(tally, known):
        raise TallyDiffers(round_id=command.round_id)
    return [
        RoundTallied(
            recorded_at=command.at, actor=command.actor, round_id=command.round_id, tally=tally
        )
    ]


def record_failure(command: RecordFailure, known: AnyRound) -> list[RoundEvent]:
    """Note a count that could not be made; where a result stands, or nothing waits, it is nothing.

    Said before of the same ballots, it is a repeat.
    """
    if isinstance(known, Drafted | Opened):
        raise RoundNotOpened(round_id=command.round_id)
    if not isinstance(known, Closed):
        return []
    if known.failed is not None and known.failed.why == command.why:
        return []
    return [
        CountFailed(
            recorded_at=command.at, actor=command.actor, round_id=command.round_id, why=command.why
        )
    ]


def belongs(tally: Tally, known: Round) -> bool:
    """Tell whether a tally is of this round as it stands, and loses and invents no cent."""
    definition = known.definition
    carried = sum(one.cents for one in definition.pot.carried)
    brought = tally.voted_cents + tally.unused_cents + tally.matched_cents + tally.carried_cents
    given = sum(award.cents for award in tally.awards)
    return (
        tally.definition_sha256 == definition.sha256
        and tally.rule_sha256 == definition.parsed_rule.sha256
        and set(tally.struck or ()) == set(known.struck)
        and tally.carried_cents == carried
        and tally.pot_cents == brought == given + tally.foundation_cents + tally.next_round_cents
        and min(tally.foundation_cents, tally.next_round_cents) >= 0
        and all(award.cents > 0 for award in tally.awards)
        and {award.project_id for award in tally.awards} <= definition.project_ids
    )


def approve(command: ApproveResult, known: AnyRound) -> list[RoundEvent]:
    """Approve a result; the second person's approval adopts it, while the first one's counts."""
    if isinstance(known, Adopted) and known.tally.result_sha256 == command.result_sha256:
        if command.actor in known.adopted_by:
            return []
        raise ResultNotPending(result_sha256=command.result_sha256)
    tallied = pending(command, known)
    others = [one for one in tallied.approved_by if one != command.actor and command.counts(one)]
    approved = ResultApproved(
        recorded_at=command.at,
        actor=command.actor,
        round_id=command.round_id,
        result_sha256=command.result_sha256,
    )
    events: list[RoundEvent] = [] if command.actor in tallied.approved_by else [approved]
    if not others:
        return events
    adopted = RoundAdopted(
        recorded_at=command.at,
        actor=command.actor,
        round_id=command.round_id,
        result_sha256=command.result_sha256,
    )
    return [*events, adopted]


def send_back(command: SendBack, known: AnyRound) -> list[RoundEvent]:
    if isinstance(known, Closed) and known.sent_back:
        last = known.sent_back[-1]
        if (last.actor, last.result_sha256, last.reason, last.words_sha256) == (
            command.actor,
            command.result_sha256,
            command.reason,
            command.words_sha256,
        ):
            return []
    tallied = pending(command, known)
    # It was counted again and came out the same: one person alone must not stop it for ever.
    for before in tallied.sent_back:
        if (before.actor, before.result_sha256) == (command.actor, command.result_sha256):
            raise SentBackBefore(result_sha256=command.result_sha256)
    return [
        ResultSentBack(
            recorded_at=command.at,
            actor=command.actor,
            round_id=command.round_id,
            result_sha256=command.result_sha256,
            reason=command.reason,
            words_sha256=command.words_sha256,
        )
    ]


def pending(command: ApproveResult | SendBack, known: AnyRound) -> Tallied:
    if not isinstance(known, Tallied) or known.tally.result_sha256 != command.result_sha256:
        raise ResultNotPending(result_sha256=command.result_sha256)
    return known


def cancel(command: CancelRound, known: AnyRound) -> list[RoundEvent]:
    """Cancel by two people: before the opening, after a result was sent back, or without one.

    Without a result it is for want of any: what cannot be counted must not hold its money for ever.
    That it cannot be counted is no opinion: a count of it was tried, and the ledger knows why not.
    """
    if isinstance(known, Cancelled):
        return []
    if not isinstance(known, Drafted | Closed):
        raise RoundNotCancellable(round_id=command.round_id)
    uncounted = isinstance(known, Closed) and known.failed is not None
    if command.reason == "count_impossible" and not uncounted:
        raise CountNotTried(round_id=command.round_id)
    if isinstance(known, Closed) and not known.sent_back and command.reason != "count_impossible":
        raise RoundNotCancellable(round_id=command.round_id)
    first = known.cancelling
    if first is not None and (first.actor, first.reason) == (command.actor, command.reason):
        return []
    agreed = first is not None and first.reason == command.reason and command.counts(first.actor)
    event = RoundCancelled if agreed else CancellationProposed
    return [
        event(
            recorded_at=command.at,
            actor=command.actor,
            round_id=command.round_id,
            reason=command.reason,
        )
    ]


def carry(command: CarryLeftover, known: AnyRound) -> list[RoundEvent]:
    if not isinstance(known, Adopted):
        raise ResultNotAdopted(round_id=command.round_id)
    if known.carried_to == command.to_round_id:
        return []
    if known.carried_to is not None:
        raise LeftoverTaken(round_id=command.round_id)
    if known.withheld is None:
        raise NotAwarded(round_id=command.round_id)
    if known.left_cents == 0:
        raise NothingLeft(round_id=command.round_id)
    return [
        LeftoverCarried(
            recorded_at=command.at,
            actor=command.actor,
            round_id=command.round_id,
            to_round_id=command.to_round_id,
            cents=known.left_cents,
        )
    ]


def release(command: ReleaseLeftover, known: AnyRound) -> list[RoundEvent]:
    if not isinstance(known, Adopted) or known.carried_to != command.to_round_id:
        return []
    return [
        LeftoverReleased(
            recorded_at=command.at,
            actor=command.actor,
            round_id=command.round_id,
            to_round_id=command.to_round_id,
            cents=known.left_cents,
        )
    ]


def complete(command: CompleteAwards, known: AnyRound) -> list[RoundEvent]:
    if not isinstance(known, Adopted):
        raise ResultNotAdopted(round_id=command.round_id)
    if known.withheld is not None:
        return []
    if not set(command.withheld) <= set(known.tally.awards):
        raise TallyDiffers(round_id=command.round_id)
    return [
        RoundAwarded(
            recorded_at=command.at,
            actor=command.actor,
            round_id=command.round_id,
            result_sha256=known.tally.result_sha256,
            withheld=command.withheld,
        )
    ]
