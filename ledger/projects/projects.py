"""A project: drafted from ideas, published with a sheet, in rounds, granted, done or abandoned."""

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never
from uuid import UUID

from ledger.calendar import civil_day
from ledger.decider import Decider
from ledger.projects import life
from ledger.projects.life import recorded
from ledger.projects.project_events import (
    AbandonmentProposed,
    AbandonProject,
    AgreeToAbandon,
    AwardGrant,
    ChangeMilestone,
    CompleteProject,
    DraftProject,
    EnterRound,
    GrantAwarded,
    LeaveRound,
    MeetMilestone,
    MilestoneChanged,
    MilestoneMet,
    ProjectAbandoned,
    ProjectAct,
    ProjectCommand,
    ProjectCompleted,
    ProjectDrafted,
    ProjectEvent,
    ProjectPublished,
    ProjectStarted,
    PublishProject,
    RoundEntered,
    RoundLeft,
    SheetWritten,
    StartProject,
    WriteSheet,
)
from ledger.projects.sheet import Sheet, frozen_part, sound, voted_part
from ledger.projects.state import (
    ActorHasInterest,
    Drafted,
    MilestonesPublished,
    Project,
    ProjectDiffers,
    ProjectHasEnded,
    ProjectNotFound,
    SheetFrozen,
    SheetInRound,
    SheetMissing,
    Step,
    Undrafted,
)


def evolve(  # noqa: C901, PLR0912 - a case for each event.
    project: Project, event: ProjectEvent
) -> Project:
    if isinstance(event, ProjectDrafted):
        return Drafted(event.idea_ids)
    assert isinstance(project, Drafted)  # noqa: S101 - what was stored says so.
    match event:
        case SheetWritten(sheet=sheet, number=number):
            steps = steps_of(sheet, project)
            return replace(project, sheet=sheet, number=number, milestones=steps)
        case ProjectPublished():
            return replace(project, published=True)
        case RoundEntered(round_id=round_id):
            rounds = (*without(project, round_id), round_id)
            entered = (*(one for one in project.entered if one != round_id), round_id)
            left = {one: result for one, result in project.left.items() if one != round_id}
            return replace(project, rounds=rounds, entered=entered, left=left, abandoning=None)
        case GrantAwarded(round_id=round_id, amount_cents=cents, result_sha256=result):
            grants = {**project.grants, round_id: (cents, result)}
            rounds = without(project, round_id)
            return replace(project, grants=grants, rounds=rounds, abandoning=None)
        case RoundLeft(round_id=round_id, result_sha256=result):
            left = {**project.left, round_id: result}
            rounds = without(project, round_id)
            return replace(project, left=left, rounds=rounds, abandoning=None)
        case ProjectStarted():
            return replace(project, started=True)
        case MilestoneMet(milestone=key, met_on=met_on):
            step = replace(project.milestones[key], met_on=met_on)
            return replace(project, milestones={**project.milestones, key: step})
        case MilestoneChanged(milestone=key, due_on=due_on):
            return replace(project, milestones={**project.milestones, key: Step(due_on)})
        case ProjectCompleted(results_sha256=words):
            return replace(project, ended="completed", ended_sha256=words)
        case AbandonmentProposed():
            return replace(project, abandoning=event)
        case ProjectAbandoned(words_sha256=words):
            return replace(project, ended="abandoned", ended_sha256=words)
        case _:
            assert_never(event)


def without(project: Drafted, round_id: UUID) -> tuple[UUID, ...]:
    return tuple(one for one in project.rounds if one != round_id)


def steps_of(sheet: Sheet, project: Drafted) -> Mapping[str, Step]:
    """Give the milestones of a new sheet; published ones stay as they became."""
    kept = project.milestones if project.published else {}
    return {one.key: kept.get(one.key, Step(one.due_on)) for one in sheet.milestones}


def decide(  # noqa: C901, PLR0912 - a line for each command.
    command: ProjectCommand, project: Project
) -> list[ProjectEvent]:
    if isinstance(command, DraftProject):
        return draft(command, project)
    if isinstance(project, Undrafted):
        raise ProjectNotFound(project_id=command.project_id)
    if isinstance(command, ProjectAct) and command.actor in command.interested:
        raise ActorHasInterest(project_id=command.project_id)
    match command:
        case WriteSheet():
            return write_sheet(command, project)
        case PublishProject():
            return publish(command, project)
        case EnterRound():
            return life.enter_round(command, project)
        case AwardGrant():
            return life.award(command, project)
        case LeaveRound():
            return life.leave_round(command, project)
        case StartProject():
            return life.start(command, project)
        case MeetMilestone():
            return life.meet(command, project)
        case ChangeMilestone():
            return life.change(command, project)
        case CompleteProject():
            return life.complete(command, project)
        case AbandonProject():
            return life.abandon(command, project)
        case AgreeToAbandon():
            return life.agree_to_abandon(command, project)
        case _:
            assert_never(command)


def draft(command: DraftProject, project: Project) -> list[ProjectEvent]:
    if isinstance(project, Drafted):
        if project.idea_ids != command.idea_ids:
            raise ProjectDiffers(project_id=command.project_id)
        return []
    day = civil_day(command.at)
    return [ProjectDrafted(**recorded(command), idea_ids=command.idea_ids, drafted_on=day)]


def write_sheet(command: WriteSheet, project: Drafted) -> list[ProjectEvent]:
    sheet, before = command.sheet, project.sheet
    if sheet == before:
        return []
    if project.ended is not None:
        raise ProjectHasEnded(project_id=command.project_id, ended=project.ended)
    sound(sheet)
    if before is not None and project.entered and frozen_part(sheet) != frozen_part(before):
        raise SheetFrozen(project_id=command.project_id)
    if before is not None and project.rounds and voted_part(sheet) != voted_part(before):
        raise SheetInRound(project_id=command.project_id, round_ids=project.rounds)
    if before is not None and project.published:
        planned = {one.key: one.due_on for one in sheet.milestones}
        if any(planned.get(one.key) != one.due_on for one in before.milestones):
            raise MilestonesPublished(project_id=command.project_id)
    return [
        SheetWritten(
            **recorded(command),
            number=project.number + 1,
            sheet=sheet,
            written_on=civil_day(command.at),
        )
    ]


def publish(command: PublishProject, project: Drafted) -> list[ProjectEvent]:
    if project.published:
        return []
    if project.ended is not None:
        raise ProjectHasEnded(project_id=command.project_id, ended=project.ended)
    if project.sheet is None:
        raise SheetMissing(project_id=command.project_id)
    return [
        ProjectPublished(
            **recorded(command),
            number=project.number,
            document_sha256=project.sheet.document_sha256,
            published_on=civil_day(command.at),
        )
    ]


project: Decider[ProjectCommand, Project, ProjectEvent] = Decider(
    category="project", initial=Undrafted(), decide=decide, evolve=evolve
)
