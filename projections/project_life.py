"""The public form of what happens to ideas, projects and ambassadors: ids, days, cents, points."""

from datetime import date
from typing import assert_never

from ledger.ambassadors import (
    AmbassadorEnrolled,
    AmbassadorEvent,
    AmbassadorNamingChanged,
    AmbassadorRetired,
    AmbassadorWalletDeclared,
    CreditGiven,
)
from ledger.projects.idea_events import (
    IdeaAccepted,
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
)
from ledger.projects.project_events import (
    AbandonmentProposed,
    GrantAwarded,
    MilestoneChanged,
    MilestoneMet,
    ProjectAbandoned,
    ProjectCompleted,
    ProjectDrafted,
    ProjectEvent,
    ProjectPublished,
    ProjectStarted,
    RoundEntered,
    RoundLeft,
    SheetWritten,
)

Public = dict[str, str | int | None]
ProjectLifeEvent = IdeaEvent | ProjectEvent | AmbassadorEvent | CreditGiven


def public_of_project_life(event: ProjectLifeEvent) -> Public:
    """Give what everybody may read: who wrote, scored or brought something stays inside."""
    if isinstance(event, IdeaEvent):
        return {"idea_id": str(event.idea_id)} | of_idea(event)
    if isinstance(event, ProjectEvent):
        return {"project_id": str(event.project_id)} | of_project(event)
    return {"ambassador_id": str(event.ambassador_id)} | of_ambassador(event)


def day(on: date | None) -> str | None:
    return None if on is None else on.isoformat()


def of_idea(event: IdeaEvent) -> Public:
    match event:
        case IdeaProposed():
            return {"theme": event.theme, "place": event.place, "tie": event.tie}
        case IdeaAccepted():
            return {"text_sha256": event.text_sha256}
        case IdeaRefused():
            return {"reason": event.reason}
        case IdeaScored():
            # Points stay inside until the evaluation is closed: evaluators judge by themselves.
            return {"criteria_version": event.criteria_version}
        case IdeaEvaluated():
            return {
                "criteria_version": event.criteria_version,
                "evaluators": len(event.evaluators),
                "points": event.points,
                "points_max": event.points_max,
                "verdict": event.verdict,
            }
        case IdeaMerged():
            return {"into_idea_id": str(event.into_idea_id)}
        case IdeaTurnedIntoProject():
            return {"project_id": str(event.project_id)}
        case IdeaTextWithheld() | IdeaConflictDeclared() | IdeaEvaluationVoided():
            return {}
        case _:
            assert_never(event)


def of_project(event: ProjectEvent) -> Public:  # noqa: C901, PLR0912 - a case for each event.
    match event:
        case ProjectDrafted():
            return {"idea_ids": " ".join(map(str, event.idea_ids))}
        case SheetWritten(sheet=sheet):
            return {
                "number": event.number,
                "document_sha256": sheet.document_sha256,
                "theme": sheet.theme,
                "place": sheet.place,
                "goal_cents": sheet.goal_cents,
            }
        case ProjectPublished():
            return {"number": event.number, "document_sha256": event.document_sha256}
        case RoundEntered():
            return {"round_id": str(event.round_id), "goal_cents": event.goal_cents}
        case GrantAwarded():
            return {
                "round_id": str(event.round_id),
                "amount_cents": event.amount_cents,
                "result_sha256": event.result_sha256,
            }
        case RoundLeft():
            return {"round_id": str(event.round_id), "why": event.why}
        case ProjectStarted():
            return {"started_on": day(event.started_on)}
        case MilestoneMet():
            return {"milestone": event.milestone, "met_on": day(event.met_on)}
        case MilestoneChanged():
            return {"milestone": event.milestone, "due_on": day(event.due_on)}
        case ProjectCompleted():
            return {"results_sha256": event.results_sha256}
        case AbandonmentProposed():
            return {}
        case ProjectAbandoned():
            return {"if_abandoned": event.if_abandoned, "granted_cents": event.granted_cents}
        case _:
            assert_never(event)


def of_ambassador(event: AmbassadorEvent | CreditGiven) -> Public:
    """A wallet, a ballot, a code and a name stay inside."""
    match event:
        case CreditGiven():
            return {"kind": event.kind}
        case (
            AmbassadorEnrolled()
            | AmbassadorNamingChanged()
            | AmbassadorWalletDeclared()
            | AmbassadorRetired()
        ):
            return {}
        case _:
            assert_never(event)
