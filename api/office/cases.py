"""One case of a partner: its papers, its history, and what this person may do with it now."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import admin
from api.auth import Actor
from api.deps import Context, context_of
from api.home import PAGE
from api.office.desk import (
    Form,
    Judge,
    Member,
    Officer,
    Reader,
    committee_people,
    disabled_people,
    named,
    now,
    partner_people,
    refusal_of,
)
from api.office.page import OfficePage
from ledger.partners.certifications.commands import (
    WITH_REASON,
    ApproveDecision,
    CaseNotFound,
    CertificationCommand,
    DeclareConflict,
    Judgement,
    ProposeDecision,
    RecordReview,
    RejectDecision,
)
from ledger.partners.certifications.decider import certification
from ledger.partners.certifications.decisions import MEASURES, reject
from ledger.partners.certifications.events import (
    CertificationEvent,
    ConflictDeclared,
    Finding,
    Measure,
)
from ledger.partners.certifications.file import Case, CertificationFile
from ledger.partners.certifications.judges import impartial, may_decide
from ledger.partners.checklists import CHECKLISTS, checklist
from ledger.partners.register import Registered
from ledger.people import Role

router = APIRouter(prefix="/office/partners/{partner_id}/cases/{case_id}", include_in_schema=False)

Step = Literal["review", "propose", "approve"]
WHO: dict[Step, Role] = {"review": "officer", "propose": "committee", "approve": "committee"}
NAMES_OF_CASE = ("application_id", "case_id", "appeal_id", "against_case_id", "lifted_case_id")
# The order in which a form offers the measures of a case, and no machine's.
ORDER: tuple[Measure, ...] = (
    "grant",
    "refuse",
    "suspend",
    "reinstate",
    "revoke",
    "accept_appeal",
    "dismiss_appeal",
)


@dataclass(frozen=True, slots=True)
class Known:
    """A case within the file of its partner, and the events of its history."""

    partner_id: UUID
    shop: Registered
    file: CertificationFile
    case: Case
    history: list[CertificationEvent]

    @property
    def step(self) -> Step | None:
        """What the case waits for, None when it is closed."""
        if not self.case.open:
            return None
        if self.case.kind in {"application", "renewal"} and self.case.review is None:
            return "review"
        return "propose" if self.case.proposal is None else "approve"


def known(context: Context, partner_id: UUID, case_id: UUID) -> Known:
    """Read a case. Raises PartnerNotRegistered, CaseNotFound."""
    shop = admin.registered(context.ledger, partner_id)
    events = [one.event for one in context.ledger.history(certification, partner_id)]
    file = certification.fold(events)
    if case_id not in file.cases:
        raise CaseNotFound(case_id=case_id)
    history = [event for event in events if concerns(event, case_id)]
    return Known(partner_id, shop, file, file.cases[case_id], history)


def concerns(event: CertificationEvent, case_id: UUID) -> bool:
    """Tell whether an event belongs to the history of a case; a conflict belongs to all."""
    named_there = (getattr(event, name, None) for name in NAMES_OF_CASE)
    return isinstance(event, ConflictDeclared) or case_id in named_there


def hindrance(context: Context, actor: Actor, found: Known) -> str | None:
    """Ask the ledger whether this person may take the next step; give the name of why not."""
    case, step = found.case, found.step
    judged: dict[str, Any] = {
        "at": now(),
        "actor": str(actor),
        "partner_id": found.partner_id,
        "partner_people": partner_people(context, found.partner_id),
        "committee": committee_people(context),
        "disabled": disabled_people(context),
        "declaration": "no_conflict",
    }
    if step == "review":
        return refusal_of(lambda: impartial(Judgement(**judged), found.file))
    if step == "propose":
        proposed = ProposeDecision(case_id=case.case_id, measure="dismiss_appeal", **judged)
        return refusal_of(lambda: may_decide(proposed, found.file, case))
    rejected = RejectDecision(case_id=case.case_id, number=case.numbered, **judged)
    return refusal_of(lambda: reject(rejected, found.file))


def unsound(context: Context, found: Known) -> bool:
    """Tell whether a pending proposal can only be rejected: its proposer decides no more."""
    proposal = found.case.proposal
    if proposal is None:
        return False
    members, disabled = committee_people(context), disabled_people(context)
    return proposal.actor in disabled or proposal.actor not in members


def measures_of(case: Case) -> list[Measure]:
    """Give what a member may propose: no certification that the review speaks against."""
    against = case.review is not None and case.review.recommendation == "refuse"
    fitting = (one for one in ORDER if one in MEASURES[case.kind])
    return [one for one in fitting if not (against and one == "grant")]


def path_of(partner_id: UUID, case_id: UUID) -> str:
    return f"/office/partners/{partner_id}/cases/{case_id}"


def gathered(context: Context, actor: Actor, partner_id: UUID, case_id: UUID) -> dict[str, Any]:
    """Gather what the page of a case shows."""
    found = known(context, partner_id, case_id)
    case, step = found.case, found.step
    mine = step is not None and actor.has(WHO[step])
    version = CHECKLISTS[-1].version if case.review is None else case.review.checklist_version
    actors = [one.actor for one in found.history]
    actors += [one.proposed_by for one in found.history if hasattr(one, "proposed_by")]
    return {
        "partner_id": partner_id,
        "shop": found.shop,
        "case": case,
        "file": found.file,
        "history": [(type(one).__name__, one) for one in found.history],
        "names": named(context, actors),
        "step": step,
        "mine": mine,
        "unsound": unsound(context, found),
        "hindrance": hindrance(context, actor, found) if mine else None,
        "conflicted": str(actor) in found.file.conflicts,
        "checklist": checklist(version),
        "measures": measures_of(case),
    }


def case_page(actor: Actor, partner_id: UUID, case_id: UUID) -> OfficePage:
    gather = partial(gathered, actor=actor, partner_id=partner_id, case_id=case_id)
    return OfficePage("office/case.html", path_of(partner_id, case_id), gather)


@router.api_route("", **PAGE)
async def show(request: Request, actor: Reader, partner_id: UUID, case_id: UUID) -> Response:
    return await case_page(actor, partner_id, case_id).show(request)


async def carry_out(  # noqa: PLR0913 - whose form, about which case, and what it asks.
    request: Request,
    actor: Actor,
    partner_id: UUID,
    case_id: UUID,
    command_of: Callable[[Form, dict[str, Any]], CertificationCommand],
    *,
    done: str,
) -> Response:
    """Hand the command of a form to the ledger, and lead back to the case or say why not."""

    def act(context: Context, form: Form) -> None:
        known(context, partner_id, case_id)
        asked = {"at": now(), "actor": str(actor), "partner_id": partner_id}
        context.ledger.handle(certification, partner_id, command_of(form, asked))

    return await case_page(actor, partner_id, case_id).carry_out(request, done, act)


def judging(context: Context, form: Form, asked: dict[str, Any]) -> dict[str, Any]:
    """Add what every judgement carries: who may not judge, and the judge's declaration."""
    return asked | {
        "partner_people": partner_people(context, asked["partner_id"]),
        "committee": committee_people(context),
        "disabled": disabled_people(context),
        "declaration": form.declaration(),
    }


@router.post("/review")
async def review(request: Request, actor: Officer, partner_id: UUID, case_id: UUID) -> Response:
    def command(form: Form, asked: dict[str, Any]) -> RecordReview:
        version = form.number("checklist_version")
        published = checklist(version)
        keys = () if published is None else published.keys
        answered = [(key, form.word(f"finding_{key}")) for key in keys]
        return RecordReview(
            application_id=case_id,
            checklist_version=version,
            findings=tuple(Finding(requirement=key, answer=said) for key, said in answered if said),
            recommendation=form.word("recommendation"),
            **judging(context_of(request), form, asked),
        )

    return await carry_out(request, actor, partner_id, case_id, command, done="reviewed")


@router.post("/proposal")
async def propose(request: Request, actor: Member, partner_id: UUID, case_id: UUID) -> Response:
    def command(form: Form, asked: dict[str, Any]) -> ProposeDecision:
        return proposal_of(form, case_id, judging(context_of(request), form, asked))

    return await carry_out(request, actor, partner_id, case_id, command, done="proposed")


def proposal_of(form: Form, case_id: UUID, judged: dict[str, Any]) -> ProposeDecision:
    """Read a proposal; the reason is dropped where the measure has none."""
    measure = form.word("measure")
    return ProposeDecision(
        case_id=case_id,
        measure=measure,
        reason=form.word("reason") if measure in WITH_REASON else None,
        first_on=form.day_or_none("first_on"),
        last_on=form.day_or_none("last_on"),
        **judged,
    )


@router.post("/approval")
async def approve(request: Request, actor: Member, partner_id: UUID, case_id: UUID) -> Response:
    def command(form: Form, asked: dict[str, Any]) -> ApproveDecision:
        judged = judging(context_of(request), form, asked)
        return ApproveDecision(case_id=case_id, number=form.number("number"), **judged)

    return await carry_out(request, actor, partner_id, case_id, command, done="approved")


@router.post("/rejection")
async def refuse_proposal(
    request: Request, actor: Member, partner_id: UUID, case_id: UUID
) -> Response:
    def command(form: Form, asked: dict[str, Any]) -> RejectDecision:
        judged = judging(context_of(request), form, asked)
        return RejectDecision(case_id=case_id, number=form.number("number"), **judged)

    return await carry_out(request, actor, partner_id, case_id, command, done="rejected")


@router.post("/conflict")
async def declare(request: Request, actor: Judge, partner_id: UUID, case_id: UUID) -> Response:
    """Note that this person has an interest in the partner: she judges it no more."""
    return await carry_out(
        request,
        actor,
        partner_id,
        case_id,
        lambda _, asked: DeclareConflict(**asked),
        done="declared",
    )
