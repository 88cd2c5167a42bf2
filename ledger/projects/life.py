"""What happens to a published project: rounds, grants, milestones, its end."""

from typing import Any

from ledger.calendar import civil_day
from ledger.projects.project_events import (
    AbandonmentProposed,
    AbandonProject,
    AgreeToAbandon,
    AwardGrant,
    ChangeMilestone,
    CompleteProject,
    EnterRound,
    GrantAwarded,
    LeaveRound,
    MeetMilestone,
    MilestoneChanged,
    MilestoneMet,
    ProjectAbandoned,
    ProjectCommand,
    ProjectCompleted,
    ProjectEvent,
    ProjectStarted,
    RoundEntered,
    RoundLeft,
    StartProject,
)
from ledger.projects.state import (
    AbandonmentNotProposed,
    Drafted,
    GrantDiffers,
    MetInFuture,
    MilestoneDiffers,
    MilestonesOpen,
    MilestoneUnknown,
    NothingToAskFor,
    NotInRound,
    ProjectHasEnded,
    ProjectInRound,
    ProjectNotGranted,
    ProjectNotPublished,
    ProjectNotUnderWay,
    ProposerAgrees,
    SheetDiffers,
    Step,
)


def recorded(command: ProjectCommand) -> dict[str, Any]:
    return {"recorded_at": command.at, "actor": command.actor, "project_id": command.project_id}


def alive(command: ProjectCommand, project: Drafted) -> None:
    """Raise ProjectHasEnded, ProjectNotPublished."""
    if project.ended is not None:
        raise ProjectHasEnded(project_id=command.project_id, ended=project.ended)
    if not project.published:
        raise ProjectNotPublished(project_id=command.project_id)


def enter_round(command: EnterRound, project: Drafted) -> list[ProjectEvent]:
    stays = command.round_id in project.rounds or command.round_id in project.grants
    if stays or project.left.get(command.round_id) is not None:
        return []
    alive(command, project)
    if project.rounds:
        # In two rounds at once it could be paid its goal twice.
        raise ProjectInRound(project_id=command.project_id, round_ids=project.rounds)
    if not project.missing_cents:
        raise NothingToAskFor(project_id=command.project_id)
    if command.sheet_number not in {None, project.number}:
        raise SheetDiffers(project_id=command.project_id, number=project.number)
    return [
        RoundEntered(
            **recorded(command),
            round_id=command.round_id,
            goal_cents=project.missing_cents,
            entered_on=civil_day(command.at),
        )
    ]


def award(command: AwardGrant, project: Drafted) -> list[ProjectEvent]:
    """Note what a round's adopted result gives, and to a project that ended nothing.

    What was meant for a project that ended meanwhile follows the round's declared rule.
    """
    told = (command.amount_cents, command.result_sha256)
    granted = project.grants.get(command.round_id)
    if granted is not None:
        if granted != told:
            raise GrantDiffers(project_id=command.project_id, round_id=command.round_id)
        return []
    if command.round_id not in project.rounds:
        if project.left.get(command.round_id) == told[1] and not command.amount_cents:
            return []
        raise NotInRound(project_id=command.project_id, round_id=command.round_id)
    day, common = civil_day(command.at), recorded(command) | {"round_id": command.round_id}
    if not command.amount_cents:
        return [
            RoundLeft(**common, why="not_funded", result_sha256=command.result_sha256, left_on=day)
        ]
    if project.ended is not None:
        raise ProjectHasEnded(project_id=command.project_id, ended=project.ended)
    return [
        GrantAwarded(
            **common,
            amount_cents=command.amount_cents,
            result_sha256=command.result_sha256,
            awarded_on=day,
        )
    ]


def leave_round(command: LeaveRound, project: Drafted) -> list[ProjectEvent]:
    round_id = command.round_id
    if round_id not in project.rounds:
        if round_id in project.left and project.left[round_id] is None:
            return []
        raise NotInRound(project_id=command.project_id, round_id=round_id)
    day = civil_day(command.at)
    return [RoundLeft(**recorded(command), round_id=round_id, why=command.why, left_on=day)]


def start(command: StartProject, project: Drafted) -> list[ProjectEvent]:
    if project.started:
        return []
    alive(command, project)
    if not project.granted_cents:
        raise ProjectNotGranted(project_id=command.project_id)
    return [ProjectStarted(**recorded(command), started_on=civil_day(command.at))]


def step_of(command: MeetMilestone | ChangeMilestone, project: Drafted) -> Step:
    if command.milestone not in project.milestones:
        raise MilestoneUnknown(milestone=command.milestone)
    return project.milestones[command.milestone]


def meet(command: MeetMilestone, project: Drafted) -> list[ProjectEvent]:
    step = step_of(command, project)
    if step.met_on == command.met_on:
        return []
    alive(command, project)
    if not project.started:
        raise ProjectNotUnderWay(project_id=command.project_id)
    if not step.open:
        raise MilestoneDiffers(milestone=command.milestone)
    if command.met_on > civil_day(command.at):
        raise MetInFuture(met_on=command.met_on)
    return [
        MilestoneMet(
            **recorded(command),
            milestone=command.milestone,
            met_on=command.met_on,
            words_sha256=command.words_sha256,
        )
    ]


def change(command: ChangeMilestone, project: Drafted) -> list[ProjectEvent]:
    step = step_of(command, project)
    if step.met_on is None and step.due_on == command.due_on:
        return []
    alive(command, project)
    if step.met_on is not None:
        raise MilestoneDiffers(milestone=command.milestone)
    return [
        MilestoneChanged(
            **recorded(command),
            milestone=command.milestone,
            due_on=command.due_on,
            words_sha256=command.words_sha256,
            changed_on=civil_day(command.at),
        )
    ]


def complete(command: CompleteProject, project: Drafted) -> list[ProjectEvent]:
    """Complete a project, once no round is about it: what that one awards would be withheld."""
    if project.ended == "completed" and project.ended_sha256 == command.results_sha256:
        return []
    alive(command, project)
    if project.rounds:
        raise ProjectInRound(project_id=command.project_id, round_ids=project.rounds)
    if not project.started:
        raise ProjectNotUnderWay(project_id=command.project_id)
    still = sorted(key for key, step in project.milestones.items() if step.open)
    if still:
        raise MilestonesOpen(milestones=still)
    day = civil_day(command.at)
    results = command.results_sha256
    return [ProjectCompleted(**recorded(command), results_sha256=results, completed_on=day)]


def abandon(command: AbandonProject, project: Drafted) -> list[ProjectEvent]:
    """Propose to abandon a project: nobody ends what others proposed, voted for or paid alone."""
    if project.ended == "abandoned" and project.ended_sha256 == command.words_sha256:
        return []
    if project.ended is not None:
        raise ProjectHasEnded(project_id=command.project_id, ended=project.ended)
    first = project.abandoning
    if first is not None and (first.actor, first.words_sha256) == (
        command.actor,
        command.words_sha256,
    ):
        return []
    words, day = command.words_sha256, civil_day(command.at)
    return [AbandonmentProposed(**recorded(command), words_sha256=words, proposed_on=day)]


def agree_to_abandon(command: AgreeToAbandon, project: Drafted) -> list[ProjectEvent]:
    if project.ended == "abandoned" and project.ended_sha256 == command.words_sha256:
        return []
    if project.ended is not None:
        raise ProjectHasEnded(project_id=command.project_id, ended=project.ended)
    first = project.abandoning
    if first is None or first.words_sha256 != command.words_sha256:
        raise AbandonmentNotProposed(project_id=command.project_id)
    if first.actor == command.actor:
        raise ProposerAgrees(project_id=command.project_id)
    if first.actor in {*command.lapsed, *command.interested}:
        raise AbandonmentNotProposed(project_id=command.project_id)
    return [
        ProjectAbandoned(
            **recorded(command),
            words_sha256=command.words_sha256,
            if_abandoned=None if project.sheet is None else project.sheet.if_abandoned,
            granted_cents=project.granted_cents,
            round_ids=project.rounds,
            abandoned_on=civil_day(command.at),
        )
    ]
