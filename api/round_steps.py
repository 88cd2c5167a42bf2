"""What people do to a round, step by step: the ledger decides, this brings it what it must know."""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from api import pledges
from api.deps import Context
from api.interests import interested_in_project
from api.round_judges import approvers, judged_by, judges_of
from api.turns import one_at_a_time
from ledger.decider import Refused
from ledger.events import Undecodable
from ledger.projects.project_events import AwardGrant, EnterRound, LeaveRound
from ledger.projects.projects import project
from ledger.projects.state import ActorHasInterest, Drafted, Project, ProjectHasEnded
from ledger.rounds import round_
from ledger.rounds.commands import (
    ApproveResult,
    ApproveRound,
    CancelRound,
    CarryLeftover,
    CloseRound,
    CompleteAwards,
    DraftRound,
    GoalDiffers,
    OpenRound,
    RecordFailure,
    ReleaseLeftover,
    ResultNotAdopted,
    ResultStands,
    RoundNotClosed,
    RoundNotFound,
    SendBack,
    StrikeProject,
)
from ledger.rounds.definition import Candidate, Definition, definition_of
from ledger.rounds.events import (
    Award,
    CancelReason,
    RoundDrafted,
    RoundOpened,
    SentBackReason,
    StruckReason,
)
from ledger.rounds.life import CLOSE_AFTER
from ledger.rounds.state import (
    Adopted,
    AnyRound,
    Cancelled,
    Closed,
    Opened,
    Round,
    Tallied,
    Undrafted,
)
from ledger.rounds.state import Drafted as DraftedRound

LOG = logging.getLogger("donpositif.rounds")


def now() -> datetime:
    return datetime.now(UTC)


def round_of(context: Context, round_id: UUID) -> AnyRound:
    """Read a round from its stream. Raises RoundNotFound."""
    history = context.ledger.history(round_, round_id)
    known = round_.fold(recorded.event for recorded in history)
    if isinstance(known, Undrafted):
        raise RoundNotFound(round_id=round_id)
    return known


def draft(context: Context, actor: str, definition: Definition) -> str:
    """Draft a round, or draft it anew, and give the hash to approve.

    What an opening that was killed half-way took for an earlier draft is given free again.
    """
    round_id = definition.round_id
    command = DraftRound(at=now(), actor=actor, definition=definition)
    with one_at_a_time(context.pool):
        handled = context.ledger.handle(round_, round_id, command)
        history = [one.event for one in handled.history]
        if isinstance(round_.fold(history), DraftedRound):
            earlier = drafts_in(history)
            release(context, actor, round_id, earlier)
            leave(context, actor, round_id, earlier, keep=definition.project_ids)
    return definition.sha256


def drafts_in(history: Iterable[object]) -> list[Definition]:
    """Give every definition that a round ever had."""
    return [definition_of(one.definition) for one in history if isinstance(one, RoundDrafted)]


def release(
    context: Context, actor: str, round_id: UUID, definitions: Iterable[Definition]
) -> None:
    """Take back what earlier rounds set aside for a round that does not use it."""
    for earlier in {one.round_id for made in definitions for one in made.pot.carried}:
        command = ReleaseLeftover(at=now(), actor=actor, round_id=earlier, to_round_id=round_id)
        context.ledger.handle(round_, earlier, command)


def leave(
    context: Context,
    actor: str,
    round_id: UUID,
    definitions: Iterable[Definition],
    keep: frozenset[UUID] | None = None,
) -> None:
    """Take projects out of a round that is cancelled, or that was drafted anew with `keep`."""
    why: Literal["round_cancelled", "round_redrafted"]
    why = "round_cancelled" if keep is None else "round_redrafted"
    ever = {project_id for made in definitions for project_id in made.project_ids}
    for project_id in sorted(ever - (keep or frozenset())):
        state = project_of(context, project_id)
        if isinstance(state, Drafted) and round_id in state.rounds:
            command = LeaveRound(
                at=now(), actor=actor, project_id=project_id, round_id=round_id, why=why
            )
            context.ledger.handle(project, project_id, command)


def approve(context: Context, actor: str, round_id: UUID, definition_sha256: str) -> None:
    command = ApproveRound(
        at=now(),
        actor=actor,
        round_id=round_id,
        definition_sha256=definition_sha256,
        **judges_of(context, round_of(context, round_id)),
    )
    context.ledger.handle(round_, round_id, command)


def open_round(context: Context, actor: str, round_id: UUID) -> None:
    """Open an approved round: set aside what earlier rounds left to it, and enter its projects.

    All is asked before anything is done, so that who may not open a round changes nothing. Each
    part can be repeated: a failure in the middle is mended by asking again, by another draft or by
    cancelling. The round opens last: before that, no ballot is taken.
    """
    with one_at_a_time(context.pool):
        known = round_of(context, round_id)
        if isinstance(known, Opened):
            return
        assert not isinstance(known, Undrafted)  # noqa: S101 - it was found.
        command = opening(context, actor, known)
        round_.decide(command, known)
        enters = [
            EnterRound(
                at=command.at,
                actor=actor,
                project_id=one.project_id,
                round_id=round_id,
                sheet_number=one.sheet_number,
            )
            for one in known.definition.projects
        ]
        for candidate, enter in zip(known.definition.projects, enters, strict=True):
            state = project_of(context, candidate.project_id)
            project.decide(enter, state)
            asks(state, candidate)
        for one in known.definition.pot.carried:
            context.ledger.handle(round_, one.round_id, carrying(actor, one.round_id, round_id))
        for enter in enters:
            context.ledger.handle(project, enter.project_id, enter)
        context.ledger.handle(round_, round_id, command)


def opening(context: Context, actor: str, known: Round) -> OpenRound:
    """Give the command to open a round, with the pots of open ones and what is left to it."""
    round_id = known.definition.round_id
    context.rounds.refresh()
    pots = tuple(
        one.definition.pot for one in context.rounds.opened() if one.definition.round_id != round_id
    )
    carried = sum(left_to(context, one.round_id, round_id) for one in known.definition.pot.carried)
    counting = approvers(context, known)
    return OpenRound(
        at=now(),
        actor=actor,
        round_id=round_id,
        lapsed=tuple(one for one in judged_by(known) if one not in counting),
        open_pots=pots,
        carried_cents=carried,
    )


def carrying(actor: str, round_id: UUID, to_round_id: UUID) -> CarryLeftover:
    return CarryLeftover(at=now(), actor=actor, round_id=round_id, to_round_id=to_round_id)


def left_to(context: Context, round_id: UUID, to_round_id: UUID) -> int:
    """Tell how much a round leaves to another one, if it may; nothing is given yet."""
    known = round_of(context, round_id)
    round_.decide(carrying("", round_id, to_round_id), known)
    return known.left_cents if isinstance(known, Adopted) else 0


def asks(state: Project, candidate: Candidate) -> None:
    """Raise GoalDiffers unless a project asks for what the definition says."""
    if isinstance(state, Drafted) and state.missing_cents != candidate.goal_cents:
        raise GoalDiffers(project_id=candidate.project_id, asked_cents=state.missing_cents)


def project_of(context: Context, project_id: UUID) -> Project:
    history = context.ledger.history(project, project_id)
    return project.fold(recorded.event for recorded in history)


def strike(
    context: Context, actor: str, round_id: UUID, project_id: UUID, reason: StruckReason
) -> None:
    """Take a project out of a round, if its own record says that it was abandoned."""
    state = project_of(context, project_id)
    command = StrikeProject(
        at=now(),
        actor=actor,
        round_id=round_id,
        project_id=project_id,
        reason=reason,
        ended=state.ended if isinstance(state, Drafted) else None,
    )
    context.ledger.handle(round_, round_id, command)


def strike_dead(context: Context, actor: str, round_id: UUID) -> None:
    """Strike the projects that were abandoned before any result of the round was known."""
    known = round_of(context, round_id)
    if not isinstance(known, Opened | Closed) or (isinstance(known, Closed) and known.sent_back):
        return
    for one in known.definition.projects:
        state = project_of(context, one.project_id)
        if isinstance(state, Drafted) and state.ended == "abandoned":
            strike(context, actor, round_id, one.project_id, "abandoned")


def close(context: Context, actor: str, round_id: UUID, at: datetime | None = None) -> None:
    """Close a round that is due, its dead projects struck first: the count then knows them."""
    strike_dead(context, actor, round_id)
    command = CloseRound(at=at or now(), actor=actor, round_id=round_id)
    context.ledger.handle(round_, round_id, command)


def close_due(context: Context, actor: str = "clock") -> list[UUID]:
    """Close each open round whose deadline is over, and tell which."""
    context.rounds.refresh()
    at = now()
    due = [
        one.definition.round_id
        for one in context.rounds.opened()
        if at >= one.terms.closes_at + CLOSE_AFTER
    ]
    return [round_id for round_id in due if closes(context, actor, round_id, at)]


def closes(context: Context, actor: str, round_id: UUID, at: datetime) -> bool:
    """Close one of several rounds; what stops one of them must not keep the others open."""
    try:
        close(context, actor, round_id, at)
    except (Refused, Undecodable) as why:
        LOG.warning("round %s is due and cannot be closed: %r", round_id, why)
        return False
    return True


def closed_round(context: Context, round_id: UUID) -> Closed:
    """Give a round that waits for its count. Raises RoundNotFound, RoundNotClosed, ResultStands."""
    known = round_of(context, round_id)
    if isinstance(known, Tallied | Adopted):
        raise ResultStands(result_sha256=known.tally.result_sha256)
    if not isinstance(known, Closed):
        raise RoundNotClosed(round_id=round_id)
    return known


def note_failure(context: Context, actor: str, round_id: UUID, why: str) -> None:
    """Note that a round could not be counted: only then two people may cancel it for that."""
    command = RecordFailure(at=now(), actor=actor, round_id=round_id, why=why)
    context.ledger.handle(round_, round_id, command)


def approve_result(context: Context, actor: str, round_id: UUID, result_sha256: str) -> bool:
    """Approve a result; tell whether it is adopted by that. Awards are made by `award`.

    What a sponsor adds to it is taken from the sponsor's pledges at once, and by the clock later
    where this is cut short or nothing was promised yet.
    """
    command = ApproveResult(
        at=now(),
        actor=actor,
        round_id=round_id,
        result_sha256=result_sha256,
        **judges_of(context, round_of(context, round_id)),
    )
    handled = context.ledger.handle(round_, round_id, command)
    adopted = isinstance(round_.fold(recorded.event for recorded in handled.history), Adopted)
    if adopted:
        pledges.use(context, actor, round_id)
    return adopted


def send_back(  # noqa: PLR0913, PLR0917 - each is a field of the command.
    context: Context,
    actor: str,
    round_id: UUID,
    result_sha256: str,
    reason: SentBackReason,
    words_sha256: str | None = None,
) -> None:
    command = SendBack(
        at=now(),
        actor=actor,
        round_id=round_id,
        result_sha256=result_sha256,
        reason=reason,
        words_sha256=words_sha256,
        **judges_of(context, round_of(context, round_id)),
    )
    context.ledger.handle(round_, round_id, command)


def cancel(context: Context, actor: str, round_id: UUID, reason: CancelReason) -> bool:
    """Propose or agree to cancel; tell whether it is cancelled. Its projects then leave it.

    Money that earlier rounds left to it is theirs again: if it never opened, or where its own
    gifts go to the next round too.
    """
    command = CancelRound(
        at=now(),
        actor=actor,
        round_id=round_id,
        reason=reason,
        **judges_of(context, round_of(context, round_id)),
    )
    with one_at_a_time(context.pool):
        handled = context.ledger.handle(round_, round_id, command)
        history = [one.event for one in handled.history]
        known = round_.fold(history)
        if not isinstance(known, Cancelled):
            return False
        definitions = drafts_in(history)
        leave(context, actor, round_id, definitions)
        opened = any(isinstance(one, RoundOpened) for one in history)
        if not opened or known.definition.cancelled == "next_round":
            release(context, actor, round_id, definitions)
    return True


def award(context: Context, actor: str, round_id: UUID) -> tuple[Award, ...]:
    """Make the grants of an adopted result; give those withheld because their project ended.

    Repeatable: killed in the middle, asking again makes the rest.
    """
    known = round_of(context, round_id)
    if not isinstance(known, Adopted):
        raise ResultNotAdopted(round_id=round_id)
    barred = {
        one.project_id: interested_in_project(context, one.project_id)
        for one in known.definition.projects
    }
    # None is awarded before whoever acts may award them all.
    if any(actor in actors for actors in barred.values()):
        raise ActorHasInterest(round_id=round_id)
    cents = {one.project_id: one.cents for one in known.tally.awards}
    withheld: list[Award] = []
    for one in known.definition.projects:
        command = AwardGrant(
            at=now(),
            actor=actor,
            project_id=one.project_id,
            round_id=round_id,
            amount_cents=cents.get(one.project_id, 0),
            result_sha256=known.tally.result_sha256,
            interested=barred[one.project_id],
        )
        try:
            context.ledger.handle(project, one.project_id, command)
        except ProjectHasEnded:
            withheld.append(Award(project_id=one.project_id, cents=cents[one.project_id]))
    command_done = CompleteAwards(
        at=now(), actor=actor, round_id=round_id, withheld=tuple(withheld)
    )
    context.ledger.handle(round_, round_id, command_done)
    return tuple(withheld)
