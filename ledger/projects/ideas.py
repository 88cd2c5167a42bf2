"""An idea: put forward by anybody, moderated, evaluated, merged or turned into a project."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, assert_never
from uuid import UUID

from ledger.calendar import civil_day
from ledger.decider import Decider, Refused
from ledger.projects.evaluation import evaluation, scored_by
from ledger.projects.idea_events import (
    AcceptIdea,
    CloseEvaluation,
    DeclareIdeaConflict,
    IdeaAccepted,
    IdeaCommand,
    IdeaConflictDeclared,
    IdeaEvaluated,
    IdeaEvaluationVoided,
    IdeaEvent,
    IdeaMerged,
    IdeaProposed,
    IdeaRefused,
    IdeaScored,
    IdeaTextWithheld,
    IdeaTurnedIntoProject,
    MergeIdea,
    ProposeIdea,
    RefuseIdea,
    ScoreIdea,
    TurnIntoProject,
    WithholdIdeaText,
)
from ledger.territory import territory

Stage = Literal["proposed", "refused", "accepted", "evaluated", "merged", "project"]

# State: only what the rules below need.


@dataclass(frozen=True, slots=True)
class Unproposed:
    pass


@dataclass(frozen=True, slots=True)
class Standing:
    """An idea as its events leave it; the newest scores of each evaluator, by her actor."""

    proposal: IdeaProposed
    stage: Stage = "proposed"
    text_sha256: str | None = None
    withheld: bool = False
    refusal: IdeaRefused | None = None
    scores: Mapping[str, IdeaScored] = field(default_factory=dict)
    conflicts: tuple[str, ...] = ()
    evaluated: IdeaEvaluated | None = None
    into_idea_id: UUID | None = None
    project_id: UUID | None = None


Idea = Unproposed | Standing


class IdeaNotFound(Refused):
    """No idea has this id."""


class IdeaDiffers(Refused):
    """The same idea id was put forward before with other contents."""


class PlaceUnknown(Refused):
    """The territory has no such place, or no such version."""


class IdeaModerated(Refused):
    """A moderator has decided on this idea already."""


class IdeaNotAccepted(Refused):
    """Only an idea that a moderator accepted, and that is not evaluated yet, is evaluated."""


class EvaluatorWithoutAccount(Refused):
    """Evaluators are named: only people with an account of their own evaluate."""


class EvaluatorHasInterest(Refused):
    """Who declared an interest in an idea neither scores it nor closes its evaluation."""


class EvaluatorIsAuthor(Refused):
    """Nobody evaluates her own idea."""


class IdeaNotRetained(Refused):
    """Only an idea that its evaluation retained becomes a project."""


class IdeaCannotMerge(Refused):
    """An idea is merged into another one that stands, and before it is a project itself."""


def evolve(idea: Idea, event: IdeaEvent) -> Idea:
    if isinstance(event, IdeaProposed):
        return Standing(event)
    assert isinstance(idea, Standing)  # noqa: S101 - what was stored says so.
    match event:
        case IdeaAccepted(text_sha256=text):
            return replace(idea, stage="accepted", text_sha256=text)
        case IdeaRefused():
            return replace(idea, stage="refused", refusal=event)
        case IdeaConflictDeclared(actor=actor):
            return replace(idea, conflicts=(*idea.conflicts, actor))
        case IdeaScored(actor=actor):
            return replace(idea, scores={**idea.scores, actor: event})
        case IdeaEvaluated():
            return replace(idea, stage="evaluated", evaluated=event)
        case IdeaEvaluationVoided():
            return replace(idea, stage="accepted", evaluated=None)
        case IdeaMerged(into_idea_id=into):
            return replace(idea, stage="merged", into_idea_id=into)
        case IdeaTurnedIntoProject(project_id=project_id):
            return replace(idea, stage="project", project_id=project_id)
        case IdeaTextWithheld():
            return replace(idea, withheld=True)
        case _:
            assert_never(event)


def decide(command: IdeaCommand, idea: Idea) -> list[IdeaEvent]:
    if isinstance(command, ProposeIdea):
        return propose(command, idea)
    if isinstance(idea, Unproposed):
        raise IdeaNotFound(idea_id=command.idea_id)
    match command:
        case AcceptIdea():
            return accept(command, idea)
        case RefuseIdea():
            return refuse(command, idea)
        case DeclareIdeaConflict():
            return declare_conflict(command, idea)
        case ScoreIdea():
            return score(command, idea)
        case CloseEvaluation():
            return close_evaluation(command, idea)
        case MergeIdea():
            return merge(command, idea)
        case TurnIntoProject():
            return turn_into_project(command, idea)
        case WithholdIdeaText():
            return withhold(command, idea)
        case _:
            assert_never(command)


def recorded(command: IdeaCommand) -> dict[str, Any]:
    return {"recorded_at": command.at, "actor": command.actor, "idea_id": command.idea_id}


def propose(command: ProposeIdea, idea: Idea) -> list[IdeaEvent]:
    told = command.model_dump(include={"subject_id", "theme", "place", "territory_version", "tie"})
    if isinstance(idea, Standing):
        before = idea.proposal.model_dump(include=set(told))
        if before != told:
            raise IdeaDiffers(idea_id=command.idea_id)
        return []
    known = territory(command.territory_version)
    if known is None or known.place(command.place) is None:
        raise PlaceUnknown(place=command.place, version=command.territory_version)
    return [IdeaProposed(**recorded(command), **told, proposed_on=civil_day(command.at))]


def accept(command: AcceptIdea, idea: Standing) -> list[IdeaEvent]:
    if idea.stage == "proposed":
        day = civil_day(command.at)
        text = command.text_sha256
        return [IdeaAccepted(**recorded(command), text_sha256=text, accepted_on=day)]
    if idea.text_sha256 == command.text_sha256:
        return []
    raise IdeaModerated(idea_id=command.idea_id)


def refuse(command: RefuseIdea, idea: Standing) -> list[IdeaEvent]:
    before = idea.refusal
    if before is not None:
        if (before.reason, before.words_sha256) != (command.reason, command.words_sha256):
            raise IdeaModerated(idea_id=command.idea_id)
        return []
    if idea.stage != "proposed":
        raise IdeaModerated(idea_id=command.idea_id)
    return [
        IdeaRefused(
            **recorded(command),
            reason=command.reason,
            words_sha256=command.words_sha256,
            refused_on=civil_day(command.at),
        )
    ]


def declare_conflict(command: DeclareIdeaConflict, idea: Standing) -> list[IdeaEvent]:
    if command.actor in idea.conflicts:
        return []
    events: list[IdeaEvent] = [IdeaConflictDeclared(**recorded(command))]
    counted = idea.evaluated is not None and command.actor in idea.evaluated.evaluators
    if counted and idea.stage == "evaluated":
        events.append(IdeaEvaluationVoided(**recorded(command)))
    return events


def may_evaluate(command: ScoreIdea | CloseEvaluation, idea: Standing) -> None:
    """Raise what speaks against this person evaluating this idea."""
    if not command.actor.startswith("account:"):
        raise EvaluatorWithoutAccount
    if command.actor in idea.conflicts:
        raise EvaluatorHasInterest(idea_id=command.idea_id)
    if command.actor in command.authors:
        raise EvaluatorIsAuthor(idea_id=command.idea_id)


def score(command: ScoreIdea, idea: Standing) -> list[IdeaEvent]:
    may_evaluate(command, idea)
    if idea.stage != "accepted":
        raise IdeaNotAccepted(idea_id=command.idea_id)
    scored_by(command)
    scores = tuple(sorted(command.scores, key=lambda one: one.criterion))
    before = idea.scores.get(command.actor)
    told = (command.criteria_version, scores, command.named)
    if before is not None and (before.criteria_version, before.scores, before.named) == told:
        return []
    return [
        IdeaScored(
            **recorded(command),
            criteria_version=command.criteria_version,
            scores=scores,
            named=command.named,
            scored_on=civil_day(command.at),
        )
    ]


def close_evaluation(command: CloseEvaluation, idea: Standing) -> list[IdeaEvent]:
    if idea.evaluated is not None:
        return []
    may_evaluate(command, idea)
    if idea.stage != "accepted":
        raise IdeaNotAccepted(idea_id=command.idea_id)
    day = civil_day(command.at)
    found = evaluation(idea.scores, (*idea.conflicts, *command.authors), day)
    return [
        IdeaEvaluated(
            **recorded(command),
            criteria_version=found.version,
            evaluators=found.evaluators,
            points=found.points,
            points_max=found.points_max,
            verdict=found.verdict,
            evaluated_on=day,
        )
    ]


def merge(command: MergeIdea, idea: Standing) -> list[IdeaEvent]:
    if idea.into_idea_id == command.into_idea_id:
        return []
    movable = idea.stage in {"accepted", "evaluated"}
    if not movable or not command.into_stands or command.into_idea_id == command.idea_id:
        raise IdeaCannotMerge(idea_id=command.idea_id, into_idea_id=command.into_idea_id)
    day = civil_day(command.at)
    into = command.into_idea_id
    return [IdeaMerged(**recorded(command), into_idea_id=into, merged_on=day)]


def turn_into_project(command: TurnIntoProject, idea: Standing) -> list[IdeaEvent]:
    if idea.project_id == command.project_id:
        return []
    retained = idea.evaluated is not None and idea.evaluated.verdict == "retained"
    if idea.stage != "evaluated" or not retained:
        raise IdeaNotRetained(idea_id=command.idea_id)
    day = civil_day(command.at)
    project_id = command.project_id
    return [IdeaTurnedIntoProject(**recorded(command), project_id=project_id, turned_on=day)]


def withhold(command: WithholdIdeaText, idea: Standing) -> list[IdeaEvent]:
    if idea.withheld:
        return []
    if idea.text_sha256 is None:
        raise IdeaNotAccepted(idea_id=command.idea_id)
    return [IdeaTextWithheld(**recorded(command), text_sha256=idea.text_sha256)]


idea: Decider[IdeaCommand, Idea, IdeaEvent] = Decider(
    category="idea", initial=Unproposed(), decide=decide, evolve=evolve
)
