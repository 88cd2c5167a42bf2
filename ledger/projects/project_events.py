"""What happens to a project, and what may be asked of it."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from ledger.decider import Command, Event
from ledger.projects.sheet import IfAbandoned, Sheet
from ledger.projects.words import Key, Sha256

WhyLeft = Literal["not_funded", "round_cancelled", "round_redrafted"]

# Events. These names and fields are what is stored: add a new version, never edit.


class ProjectDrafted(Event):
    project_id: UUID
    idea_ids: tuple[UUID, ...]
    drafted_on: date


class SheetWritten(Event):
    """`number` counts the versions of the sheet, from 1."""

    project_id: UUID
    number: int
    sheet: Sheet
    written_on: date


class ProjectPublished(Event):
    project_id: UUID
    number: int
    document_sha256: str
    published_on: date


class RoundEntered(Event):
    """`goal_cents` is what the project asks of the round: its goal less what it was granted."""

    project_id: UUID
    round_id: UUID
    goal_cents: int
    entered_on: date


class GrantAwarded(Event):
    """`result_sha256` names the adopted result that awards it."""

    project_id: UUID
    round_id: UUID
    amount_cents: int
    result_sha256: str
    awarded_on: date


class RoundLeft(Event):
    """The project got nothing from a round, by its result or because it never came to one."""

    project_id: UUID
    round_id: UUID
    why: WhyLeft
    result_sha256: str | None = None
    left_on: date


class ProjectStarted(Event):
    project_id: UUID
    started_on: date


class MilestoneMet(Event):
    project_id: UUID
    milestone: str
    met_on: date
    words_sha256: str | None = None


class MilestoneChanged(Event):
    """Due on another day, or given up when there is none; `words_sha256` names why."""

    project_id: UUID
    milestone: str
    due_on: date | None = None
    words_sha256: str
    changed_on: date


class ProjectCompleted(Event):
    """`results_sha256` names what the project tells of its results."""

    project_id: UUID
    results_sha256: str
    completed_on: date


class AbandonmentProposed(Event):
    """Somebody wants to abandon a project; another person must agree."""

    project_id: UUID
    words_sha256: str
    proposed_on: date


class ProjectAbandoned(Event):
    """`if_abandoned` is the rule its sheet declared for the money it was granted."""

    project_id: UUID
    words_sha256: str
    if_abandoned: IfAbandoned | None = None
    granted_cents: int
    round_ids: tuple[UUID, ...] = ()
    abandoned_on: date


ProjectEvent = (
    ProjectDrafted
    | SheetWritten
    | ProjectPublished
    | RoundEntered
    | GrantAwarded
    | RoundLeft
    | ProjectStarted
    | MilestoneMet
    | MilestoneChanged
    | ProjectCompleted
    | AbandonmentProposed
    | ProjectAbandoned
)

# Commands.


class DraftProject(Command):
    project_id: UUID
    idea_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=50)]


class ProjectAct(Command):
    """What a person does with a project; `interested` are the actors who may not.

    They put forward an idea that it comes from, or declared an interest in one.
    """

    interested: tuple[str, ...] = ()


class WriteSheet(ProjectAct):
    project_id: UUID
    sheet: Sheet


class PublishProject(ProjectAct):
    project_id: UUID


class EnterRound(Command):
    """Asked by the round when it opens with this project in its list.

    `sheet_number` is the version of the sheet that its definition names, if it names one.
    """

    project_id: UUID
    round_id: UUID
    sheet_number: int | None = None


class AwardGrant(ProjectAct):
    """Asked for every project of a round whose result was adopted; 0 when it got nothing."""

    project_id: UUID
    round_id: UUID
    amount_cents: Annotated[int, Field(ge=0, le=100_000_000_000)]
    result_sha256: Sha256


class LeaveRound(Command):
    """Asked when a round is cancelled, or drafted anew without the project."""

    project_id: UUID
    round_id: UUID
    why: Literal["round_cancelled", "round_redrafted"] = "round_cancelled"


class StartProject(ProjectAct):
    project_id: UUID


class MeetMilestone(ProjectAct):
    project_id: UUID
    milestone: Key
    met_on: date
    words_sha256: Sha256 | None = None


class ChangeMilestone(ProjectAct):
    project_id: UUID
    milestone: Key
    due_on: date | None = None
    words_sha256: Sha256


class CompleteProject(ProjectAct):
    project_id: UUID
    results_sha256: Sha256


class AbandonProject(ProjectAct):
    """Propose to abandon a project."""

    project_id: UUID
    words_sha256: Sha256


class AgreeToAbandon(ProjectAct):
    """Agree to what somebody else proposed; `words_sha256` names her words.

    `lapsed` are the actors who may not propose it any more: their accounts lost the role for it.
    """

    project_id: UUID
    words_sha256: Sha256
    lapsed: tuple[str, ...] = ()


ProjectCommand = (
    DraftProject
    | WriteSheet
    | PublishProject
    | EnterRound
    | AwardGrant
    | LeaveRound
    | StartProject
    | MeetMilestone
    | ChangeMilestone
    | CompleteProject
    | AbandonProject
    | AgreeToAbandon
)
