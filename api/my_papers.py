"""The papers that a partner sent, handed back to its managers and to nobody else's."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter
from starlette import status
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.deps import Context, context_of
from api.evidence import PaperNotKept, content_of, download
from api.home import PAGE
from api.my import Manager, check_own, file_of
from api.my_cases import case_page
from ledger.partners.certifications.commands import CaseNotFound
from ledger.partners.certifications.file import Case
from ledger.partners.words import Evidence

router = APIRouter(prefix="/my/shops/{partner_id}/cases/{case_id}", include_in_schema=False)

# What the partner itself filed. The papers of a sanction are the foundation's.
OWN_CASES: Final = frozenset({"application", "renewal", "appeal"})


def own_paper(
    context: Context, partner_id: UUID, case_id: UUID, digest: str
) -> tuple[Case, Evidence]:
    """Find a paper that the partner filed, and its case. Raises CaseNotFound."""
    case = file_of(context, partner_id).cases.get(case_id)
    if case is not None and case.kind in OWN_CASES:
        for filed in case.evidence:
            if filed.sha256 == digest:
                return case, filed
    raise CaseNotFound(case_id=case_id)


@router.api_route("/evidence/{digest}", **PAGE)
async def paper(
    request: Request, actor: Manager, partner_id: UUID, case_id: UUID, digest: str
) -> Response:
    """Give a paper back to who sent it, checked against the hash it was filed under."""
    check_own(actor, partner_id)
    context = context_of(request)
    case, filed = await run_in_threadpool(own_paper, context, partner_id, case_id, digest)
    try:
        content = await run_in_threadpool(content_of, context.settings.home, filed)
    except PaperNotKept as refusal:
        page = "appeal" if case.kind == "appeal" else "application"
        answer = await case_page(request, page, partner_id, refusal)
        answer.status_code = status.HTTP_404_NOT_FOUND
        return answer
    return download(filed, content)
