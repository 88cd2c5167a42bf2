"""A round's life: drafted, approved by two, opened, closed, tallied, adopted by two, awarded.

A result is never edited: it is adopted, or sent back with a public reason and counted again under
the same frozen rule, or the round is cancelled by two people.
"""

from datetime import timedelta
from typing import assert_never

from ledger.actors import ACCOUNT
from ledger.decider import Decider
from ledger.rounds import outcome
from ledger.rounds.commands import (
    ApproveResult,
    ApproverHasInterest,
    ApproveRound,
    ApproverWithoutAccount,
    CancelRound,
    CandidateUnknown,
    CarriedDiffers,
    CarryLeftover,
    CloseRound,
    CompleteAwards,
    DeadlineTooSoon,
    DefinitionDiffers,
    DrafterApproves,
    DraftRound,
    OpenRound,
    OutcomeCommand,
    PotsOverlap,
    ProjectNotAbandoned,
    RecordFailure,
    RecordTally,
    ReleaseLeftover,
    RoundCommand,
    RoundIsFrozen,
    RoundNotApproved,
    RoundNotDue,
    RoundNotFound,
    RoundNotOpened,
    SendBack,
    StrikeProject,
)
from ledger.rounds.events import (
    ProjectStruck,
    RoundApproved,
    RoundClosed,
    RoundDrafted,
    RoundEvent,
    RoundOpened,
)
from ledger.rounds.state import AnyRound, Closed, Drafted, Opened, Undrafted, evolve

APPROVERS = 2
# A ballot taken before the deadline may still be on its way to the disk: the close waits for it,
# and whoever confirms a ballot does so well within this time or not at all.
CLOSE_AFTER = timedelta(seconds=60)


def decide(command: RoundCommand, known: AnyRound) -> list[RoundEvent]:
    if isinstance(command, DraftRound):
        return draft(command, known)
    if isinstance(known, Undrafted):
        raise RoundNotFound(round_id=command.round_id)
    match command:
        case ApproveRound():
            return approve(command, known)
        case OpenRound():
            return open_round(command, known)
        case StrikeProject():
            return strike(command, known)
        case CloseRound():
            return close(command, known)
        case _:
            return after_close(command, known)


def after_close(command: OutcomeCommand, known: AnyRound) -> list[RoundEvent]:
    match command:
        case RecordTally():
            return outcome.record(command, known)
        case RecordFailure():
            return outcome.record_failure(command, known)
        case ApproveResult():
            person(command.actor)
            disinterested(command)
            return outcome.approve(command, known)
        case SendBack():
            person(command.actor)
            disinterested(command)
            return outcome.send_back(command, known)
        case CancelRound():
            person(command.actor)
            disinterested(command)
            return outcome.cancel(command, known)
        case CarryLeftover():
            return outcome.carry(command, known)
        case ReleaseLeftover():
            return outcome.release(command, known)
        case CompleteAwards():
            return outcome.complete(command, known)
        case _:
            assert_never(command)


def person(actor: str) -> None:
    """Refuse whoever could be two people, or none."""
    if ACCOUNT.fullmatch(actor) is None:
        raise ApproverWithoutAccount(actor=actor)


def disinterested(command: ApproveRound | ApproveResult | SendBack | CancelRound) -> None:
    """Refuse whoever put forward a project of the round, or declared an interest in one."""
    if command.actor in command.interested:
        raise ApproverHasInterest(round_id=command.round_id)


def draft(command: DraftRound, known: AnyRound) -> list[RoundEvent]:
    definition = command.definition
    if not isinstance(known, Undrafted | Drafted):
        if known.definition.sha256 == definition.sha256:
            return []
        raise RoundIsFrozen(round_id=definition.round_id)
    if isinstance(known, Drafted) and known.definition.sha256 == definition.sha256:
        return []
    return [
        RoundDrafted(
            recorded_at=command.at,
            actor=command.actor,
            round_id=definition.round_id,
            definition=definition.canonical().decode(),
            definition_sha256=definition.sha256,
        )
    ]


def approve(command: ApproveRound, known: AnyRound) -> list[RoundEvent]:
    person(command.actor)
    disinterested(command)
    if not isinstance(known, Drafted):
        raise RoundIsFrozen(round_id=command.round_id)
    if command.definition_sha256 != known.definition.sha256:
        raise DefinitionDiffers(definition_sha256=known.definition.sha256)
    if command.actor == known.drafted_by:
        raise DrafterApproves(actor=command.actor)
    if command.actor in known.approved_by:
        return []
    return [
        RoundApproved(
            recorded_at=command.at,
            actor=command.actor,
            round_id=command.round_id,
            definition_sha256=command.definition_sha256,
        )
    ]


def open_round(command: OpenRound, known: AnyRound) -> list[RoundEvent]:
    if isinstance(known, Opened):
        return []
    if not isinstance(known, Drafted):
        raise RoundIsFrozen(round_id=command.round_id)
    definition = known.definition
    approvals = len(set(known.approved_by).difference(command.lapsed))
    if approvals < APPROVERS:
        raise RoundNotApproved(approvals=approvals)
    if definition.closes_at <= command.at:
        raise DeadlineTooSoon(closes_at=definition.closes_at)
    if any(definition.pot.overlaps(pot) for pot in command.open_pots):
        raise PotsOverlap(round_id=command.round_id)
    expected = sum(one.cents for one in definition.pot.carried)
    if expected != command.carried_cents:
        raise CarriedDiffers(expected_cents=expected, carried_cents=command.carried_cents)
    return [
        RoundOpened(
            recorded_at=command.at,
            actor=command.actor,
            round_id=command.round_id,
            definition_sha256=definition.sha256,
            closes_at=definition.closes_at,
            sealed=definition.sealed,
        )
    ]


def strike(command: StrikeProject, known: AnyRound) -> list[RoundEvent]:
    if not isinstance(known, Opened | Closed):
        raise RoundNotOpened(round_id=command.round_id)
    if isinstance(known, Closed) and known.sent_back:
        # Whoever knows a result must not be able to choose another one.
        raise RoundIsFrozen(round_id=command.round_id)
    if command.project_id not in known.definition.project_ids:
        raise CandidateUnknown(project_id=command.project_id)
    if command.project_id in known.struck:
        return []
    if (command.ended, command.reason) != ("abandoned", "abandoned"):
        raise ProjectNotAbandoned(project_id=command.project_id)
    return [
        ProjectStruck(
            recorded_at=command.at,
            actor=command.actor,
            round_id=command.round_id,
            project_id=command.project_id,
            reason=command.reason,
        )
    ]


def close(command: CloseRound, known: AnyRound) -> list[RoundEvent]:
    if isinstance(known, Drafted):
        raise RoundNotOpened(round_id=command.round_id)
    if not isinstance(known, Opened):
        return []
    closes_at = known.definition.closes_at
    if command.at < closes_at + CLOSE_AFTER:
        raise RoundNotDue(closes_at=closes_at)
    return [
        RoundClosed(
            recorded_at=command.at,
            actor=command.actor,
            round_id=command.round_id,
            closes_at=closes_at,
        )
    ]


round_: Decider[RoundCommand, AnyRound, RoundEvent] = Decider(
    category="round", initial=Undrafted(), decide=decide, evolve=evolve
)
