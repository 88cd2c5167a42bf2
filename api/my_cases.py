"""What a partner asks of the foundation, with its papers: certification, renewal, an appeal."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from api import evidence
from api.auth import Actor
from api.deps import Context, context_of
from api.forms import MULTIPART, form_of
from api.home import PAGE
from api.my import Manager, attempted, check_own, file_of, shop_of, shop_page, today_here
from api.pages import go
from ledger.decider import Refused
from ledger.partners.certifications.commands import (
    AddEvidence,
    CaseNotFound,
    CertificationCommand,
    FileAppeal,
    FileApplication,
    WithdrawApplication,
)
from ledger.partners.certifications.decider import certification
from ledger.partners.certifications.file import Case, CertificationFile
from ledger.partners.checklists import CHECKLISTS
from ledger.partners.deadlines import APPEAL_WITHIN
from ledger.partners.words import Evidence, in_form

router = APIRouter(prefix="/my/shops/{partner_id}", include_in_schema=False)

# A form without script has so many places for papers; more are added by sending it again.
PAPERS: Final = (1, 2, 3)


class PaperMissing(Refused):
    """At least one paper is sent."""


class PaperMalformed(Refused):
    """A paper has a title, and a date that is not to come."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper as it was sent, checked but not kept yet."""

    evidence: Evidence
    content: bytes


async def papers_of(request: Request) -> list[Paper]:
    """Read the papers of a form.

    Raises PaperMissing, PaperMalformed, PaperTooLarge, PaperKindUnknown.
    """
    if not request.headers.get("content-type", "").startswith(MULTIPART):
        raise PaperMissing  # Such a form has no files, and its body was read already.
    form, found = await request.form(), []
    for number in PAPERS:
        sent = form.get(f"file_{number}")
        if not isinstance(sent, UploadFile) or not sent.filename:
            continue
        content = await sent.read(evidence.PAPER_BYTES_MAX + 1)
        title, dated_on = form.get(f"title_{number}"), form.get(f"dated_on_{number}")
        found.append(Paper(paper(str(title or ""), str(dated_on or ""), content), content))
    if not found:
        raise PaperMissing
    return found


def paper(title: str, dated_on: str, content: bytes) -> Evidence:
    digest = evidence.digest_of(content)
    try:
        day = date.fromisoformat(dated_on)
        made = in_form(Evidence(title=" ".join(title.split()), sha256=digest, dated_on=day))
    except (ValueError, ValidationError):
        raise PaperMalformed from None
    if day > today_here():
        raise PaperMalformed
    return made


def carry_out(
    context: Context, partner_id: UUID, command: CertificationCommand, papers: list[Paper]
) -> None:
    """Keep the papers, then record what they are for; nothing is kept of what is refused."""
    certification.decide(command, file_of(context, partner_id))
    for one in papers:
        evidence.keep(context.settings.home, one.content)
    context.ledger.handle(certification, partner_id, command)


def appealable(file: CertificationFile, today: date) -> list[Case]:
    """Give the cases whose decision the partner may still appeal."""
    appealed = {one.against_case_id for one in file.cases.values()}
    return [
        case
        for case in file.cases.values()
        if case.outcome is not None
        and case.outcome.measure in {"refuse", "suspend", "revoke"}
        and case.case_id not in appealed
        and today <= case.outcome.decided_on + APPEAL_WITHIN
    ]


async def case_page(
    request: Request, page: str, partner_id: UUID, refusal: Refused | None = None
) -> Response:
    context = context_of(request)

    def read() -> dict[str, Any]:
        with context.pool.connection() as connection:
            shop = shop_of(connection, partner_id)
        file = file_of(context, partner_id)
        return shop | {
            "file": file,
            "cases": sorted(file.cases.values(), key=lambda one: one.opened_on, reverse=True),
            "appealable": appealable(file, today_here()),
            "appeal_within": APPEAL_WITHIN,
            "checklist": CHECKLISTS[-1],
            "new_id": uuid4(),
            "places": PAPERS,
            "megabytes_max": evidence.PAPER_BYTES_MAX // 1_048_576,
        }

    return shop_page(request, page, await run_in_threadpool(read), refusal)


@router.api_route("/application", **PAGE)
async def application(request: Request, actor: Manager, partner_id: UUID) -> Response:
    check_own(actor, partner_id)
    return await case_page(request, "application", partner_id)


def case_id_of(text: str) -> UUID:
    """Read the id that a form carries. Raises CaseNotFound."""
    try:
        return UUID(text)
    except ValueError:
        raise CaseNotFound(case_id=text) from None


@router.post("/application")
async def apply(request: Request, actor: Manager, partner_id: UUID) -> Response:
    """File an application or a renewal."""

    def command(
        case_id: UUID, told: tuple[Evidence, ...], asked: dict[str, Any]
    ) -> FileApplication:
        return FileApplication(application_id=case_id, evidence=told, **asked)

    return await file_papers(request, actor, partner_id, "application", command)


@router.post("/papers")
async def add_papers(request: Request, actor: Manager, partner_id: UUID) -> Response:
    """Add papers to the application that is open."""

    def command(case_id: UUID, told: tuple[Evidence, ...], asked: dict[str, Any]) -> AddEvidence:
        return AddEvidence(application_id=case_id, evidence=told, **asked)

    return await file_papers(request, actor, partner_id, "application", command)


@router.api_route("/appeal", **PAGE)
async def ask_appeal(request: Request, actor: Manager, partner_id: UUID) -> Response:
    check_own(actor, partner_id)
    return await case_page(request, "appeal", partner_id)


@router.post("/appeal")
async def appeal(request: Request, actor: Manager, partner_id: UUID) -> Response:
    """Appeal a refusal or a sanction; the same papers are its grounds."""
    against = (await form_of(request)).get("against", "")

    def command(case_id: UUID, told: tuple[Evidence, ...], asked: dict[str, Any]) -> FileAppeal:
        return FileAppeal(
            appeal_id=case_id, against_case_id=case_id_of(against), grounds=told, **asked
        )

    return await file_papers(request, actor, partner_id, "appeal", command)


async def file_papers(
    request: Request,
    actor: Actor,
    partner_id: UUID,
    page: str,
    command_of: Callable[[UUID, tuple[Evidence, ...], dict[str, Any]], CertificationCommand],
) -> Response:
    """Do what a form with papers asks, and lead back to its page or say there why not."""
    check_own(actor, partner_id)
    fields, context = await form_of(request), context_of(request)
    asked = {"at": datetime.now(UTC), "actor": str(actor), "partner_id": partner_id}
    try:
        papers = await papers_of(request)
        told = tuple(one.evidence for one in papers)
        command = command_of(case_id_of(fields.get("case_id", "")), told, asked)
    except Refused as refusal:
        return await case_page(request, page, partner_id, refusal)
    problem = await attempted(lambda: carry_out(context, partner_id, command, papers))
    if problem is not None:
        return await case_page(request, page, partner_id, problem)
    return go(f"/my/shops/{partner_id}/{page}")


@router.post("/withdrawal")
async def withdraw(request: Request, actor: Manager, partner_id: UUID) -> Response:
    """Take the open application back."""
    check_own(actor, partner_id)
    fields, context = await form_of(request), context_of(request)

    def act() -> None:
        command = WithdrawApplication(
            at=datetime.now(UTC),
            actor=str(actor),
            partner_id=partner_id,
            application_id=case_id_of(fields.get("case_id", "")),
        )
        context.ledger.handle(certification, partner_id, command)

    refusal = await attempted(act)
    if refusal is not None:
        return await case_page(request, "application", partner_id, refusal)
    return go(f"/my/shops/{partner_id}/application")
