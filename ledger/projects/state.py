"""A project as its events leave it: only what the rules of its life need."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from uuid import UUID

from ledger.decider import Refused
from ledger.projects.project_events import AbandonmentProposed
from ledger.projects.sheet import Sheet

Ending = Literal["completed", "abandoned"]


@dataclass(frozen=True, slots=True)
class Undrafted:
    pass


@dataclass(frozen=True, slots=True)
class Step:
    """A milestone now; `due_on` is None when it was given up."""

    due_on: date | None
    met_on: date | None = None

    @property
    def open(self) -> bool:
        return self.met_on is None and self.due_on is not None

    def late(self, today: date) -> bool:
        return self.met_on is None and self.due_on is not None and self.due_on < today


@dataclass(frozen=True, slots=True)
class Drafted:
    """A project. `rounds` are those it is in now, `entered` all it ever was in."""

    idea_ids: tuple[UUID, ...]
    sheet: Sheet | None = None
    number: int = 0
    published: bool = False
    rounds: tuple[UUID, ...] = ()
    entered: tuple[UUID, ...] = ()
    left: Mapping[UUID, str | None] = field(default_factory=dict)
    grants: Mapping[UUID, tuple[int, str]] = field(default_factory=dict)
    started: bool = False
    milestones: Mapping[str, Step] = field(default_factory=dict)
    # Who wants to abandon it, and by which words; void once a round, or a grant, changed its case.
    abandoning: AbandonmentProposed | None = None
    ended: Ending | None = None
    ended_sha256: str | None = None

    @property
    def granted_cents(self) -> int:
        return sum(cents for cents, _ in self.grants.values())

    @property
    def missing_cents(self) -> int:
        """What it still asks for: never below zero, a round may give more than was asked."""
        return 0 if self.sheet is None else max(0, self.sheet.goal_cents - self.granted_cents)


Project = Undrafted | Drafted


class ProjectNotFound(Refused):
    """No project has this id."""


class ProjectDiffers(Refused):
    """The same project was drafted before from other ideas."""


class SheetMissing(Refused):
    """A project is published with its sheet."""


class SheetFrozen(Refused):
    """Goal, parties and the rule for an abandoned project stay as they were voted upon."""


class SheetInRound(Refused):
    """While a round is about a project, its sheet stays as people read it when they vote."""


class SheetDiffers(Refused):
    """The sheet was written anew since the round was approved: draft the round anew."""


class AbandonmentNotProposed(Refused):
    """Nobody who may proposed to abandon the project by these words, as it is now."""


class ProposerAgrees(Refused):
    """Whoever proposed to abandon a project is not the second person who agrees."""


class MilestonesPublished(Refused):
    """Published milestones are met or changed one by one, with a reason; a sheet may add some."""


class ProjectNotPublished(Refused):
    """Only a published project enters a round, is granted or starts."""


class ProjectHasEnded(Refused):
    """A completed or abandoned project stays as it ended."""


class ActorHasInterest(Refused):
    """Who has an interest in a project leaves its sheet, milestones, grants and end to others."""


class NothingToAskFor(Refused):
    """The project was granted its goal already."""


class ProjectInRound(Refused):
    """The project waits for a round's result: what it still asks for is not known."""


class NotInRound(Refused):
    """The project is not in this round, or has left it with another result."""


class GrantDiffers(Refused):
    """This round awarded another amount to the project, or by another result."""


class ProjectNotGranted(Refused):
    """A project gets under way once it was granted money."""


class ProjectNotUnderWay(Refused):
    """Milestones and results belong to a project that is under way."""


class MilestoneUnknown(Refused):
    """The sheet has no such milestone."""


class MilestoneDiffers(Refused):
    """This milestone was met on another day, or given up."""


class MetInFuture(Refused):
    """What is dated after today is not met yet."""


class MilestonesOpen(Refused):
    """Before it is completed, each milestone of a project is met or given up with a reason."""
