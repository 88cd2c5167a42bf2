"""What happens to an idea, and what may be asked of it."""

from datetime import date
from typing import Annotated, Literal, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from ledger.decider import Command, Event
from ledger.projects.words import Key, Sha256, Theme
from ledger.territory import Tie

Reason = Literal[
    "duplicate", "unclear", "not_common_good", "commercial", "unlawful", "insulting", "not_here"
]
REASONS: tuple[Reason, ...] = get_args(Reason)
Verdict = Literal["retained", "not_retained"]


class Score(BaseModel):
    """The points that one evaluator gives for one criterion."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    criterion: Key
    points: Annotated[int, Field(ge=0, le=100)]


# Events. These names and fields are what is stored: add a new version, never edit.


class IdeaProposed(Event):
    """The author's address was confirmed. Who she is, and her words, are in the vault."""

    idea_id: UUID
    subject_id: UUID
    theme: Theme
    place: str
    territory_version: int
    tie: Tie
    proposed_on: date


class IdeaAccepted(Event):
    """A moderator lets the idea be published, in the words named by `text_sha256`."""

    idea_id: UUID
    text_sha256: str
    accepted_on: date


class IdeaRefused(Event):
    """`words_sha256` names what the moderator wrote about the reason."""

    idea_id: UUID
    reason: Reason
    words_sha256: str | None = None
    refused_on: date


class IdeaConflictDeclared(Event):
    """Whoever acts has an interest in the idea: her scores do not count, nor any later ones."""

    idea_id: UUID


class IdeaScored(Event):
    """`named`: the evaluator lets her name be published beside her scores."""

    idea_id: UUID
    criteria_version: int
    scores: tuple[Score, ...]
    named: bool
    scored_on: date


class IdeaEvaluated(Event):
    """`points` of `points_max` were given by `evaluators`, all of them without an interest."""

    idea_id: UUID
    criteria_version: int
    evaluators: tuple[str, ...]
    points: int
    points_max: int
    verdict: Verdict
    evaluated_on: date


class IdeaEvaluationVoided(Event):
    """An evaluator who counted has declared an interest: the idea is evaluated anew."""

    idea_id: UUID


class IdeaMerged(Event):
    idea_id: UUID
    into_idea_id: UUID
    merged_on: date


class IdeaTurnedIntoProject(Event):
    idea_id: UUID
    project_id: UUID
    turned_on: date


class IdeaTextWithheld(Event):
    """Its words told too much of a person: they are kept nowhere any more."""

    idea_id: UUID
    text_sha256: str


IdeaEvent = (
    IdeaProposed
    | IdeaAccepted
    | IdeaRefused
    | IdeaConflictDeclared
    | IdeaScored
    | IdeaEvaluated
    | IdeaEvaluationVoided
    | IdeaMerged
    | IdeaTurnedIntoProject
    | IdeaTextWithheld
)

# Commands.


class ProposeIdea(Command):
    idea_id: UUID
    subject_id: UUID
    theme: Theme
    place: Key
    territory_version: int
    tie: Tie


class AcceptIdea(Command):
    idea_id: UUID
    text_sha256: Sha256


class RefuseIdea(Command):
    idea_id: UUID
    reason: Reason
    words_sha256: Sha256 | None = None


class DeclareIdeaConflict(Command):
    idea_id: UUID


class ScoreIdea(Command):
    """`authors` are the accounts of who put forward the idea, or one that was merged into it.

    Nobody scores her own idea, nor one that holds it.
    """

    idea_id: UUID
    criteria_version: int
    scores: Annotated[tuple[Score, ...], Field(max_length=50)]
    named: bool = False
    authors: tuple[str, ...] = ()


class CloseEvaluation(Command):
    """`authors` put it forward, or an idea merged into it since they scored: they do not count."""

    idea_id: UUID
    authors: tuple[str, ...] = ()


class MergeIdea(Command):
    """`into_stands`: the other idea was read, and is neither refused nor merged itself."""

    idea_id: UUID
    into_idea_id: UUID
    into_stands: bool


class TurnIntoProject(Command):
    idea_id: UUID
    project_id: UUID


class WithholdIdeaText(Command):
    idea_id: UUID


IdeaCommand = (
    ProposeIdea
    | AcceptIdea
    | RefuseIdea
    | DeclareIdeaConflict
    | ScoreIdea
    | CloseEvaluation
    | MergeIdea
    | TurnIntoProject
    | WithholdIdeaText
)
