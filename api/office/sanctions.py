"""Sanctions and their end: a member of the committee opens the case by proposing one."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.deps import Context, context_of
from api.office.cases import judging, path_of, proposal_of
from api.office.desk import Form, Judge, Member, now
from api.office.partners import carry_out, partner_page
from ledger.partners.certifications.commands import DeclareConflict
from ledger.partners.certifications.decider import certification

router = APIRouter(prefix="/office/partners/{partner_id}", include_in_schema=False)


@router.post("/sanctions")
async def propose(request: Request, actor: Member, partner_id: UUID) -> Response:
    """Propose a sanction or its end; the form names the case, so that a double tap opens one."""

    def act(context: Context, form: Form) -> str:
        case_id = form.identifier("case_id")
        who: dict[str, Any] = {"at": now(), "actor": str(actor), "partner_id": partner_id}
        proposed = proposal_of(form, case_id, judging(context, form, who))
        context.ledger.handle(certification, partner_id, proposed)
        return f"{path_of(partner_id, case_id)}?done=proposed"

    return await partner_page(actor, partner_id).submit(request, act)


@router.post("/conflict")
async def declare(request: Request, actor: Judge, partner_id: UUID) -> Response:
    """Note that this person has an interest in the partner: she judges it no more."""
    context = context_of(request)

    def act(_: Form, who: dict[str, Any]) -> None:
        context.ledger.handle(certification, partner_id, DeclareConflict(**who))

    return await carry_out(request, actor, partner_id, "declared", act)
