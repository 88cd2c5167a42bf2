"""The papers of a case, handed to whoever judges it."""

from uuid import UUID

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.deps import context_of
from api.evidence import PaperNotKept, content_of, download
from api.home import PAGE
from api.office.cases import case_page, known
from api.office.desk import Problem, Reader
from api.refusals import name_of
from ledger.partners.certifications.commands import CaseNotFound

router = APIRouter(prefix="/office/partners/{partner_id}/cases/{case_id}", include_in_schema=False)


@router.api_route("/evidence/{digest}", **PAGE)
async def paper(
    request: Request, actor: Reader, partner_id: UUID, case_id: UUID, digest: str
) -> Response:
    """Give a paper of the case, checked against the hash it was filed under."""
    context = context_of(request)
    found = await run_in_threadpool(known, context, partner_id, case_id)
    filed = next((one for one in found.case.evidence if one.sha256 == digest), None)
    if filed is None:
        raise CaseNotFound(case_id=case_id)
    try:
        content = await run_in_threadpool(content_of, context.settings.home, filed)
    except PaperNotKept as refusal:
        page = case_page(actor, partner_id, case_id)
        return await page.show(request, Problem(name_of(refusal), 404))
    return download(filed, content)
