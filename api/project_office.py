"""Projects in the office: the sheet, its publication, milestones, results, an end."""

from functools import partial
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from api import project_sheet, sheet_versions, wordings
from api.auth import Actor
from api.deps import Context
from api.forms import MULTIPART
from api.home import PAGE
from api.interests import interested_in_project, lapsed
from api.office.desk import (
    Form,
    Judge,
    Officer,
    Reader,
    named,
    now,
)
from api.office.page import OfficePage
from api.pictures import FILE_BYTES_MAX
from api.projects import history_of, milestones_of, words_of
from ledger.projects.idea_events import DeclareIdeaConflict
from ledger.projects.ideas import idea
from ledger.projects.project_events import (
    AbandonmentProposed,
    AbandonProject,
    AgreeToAbandon,
    ChangeMilestone,
    CompleteProject,
    MeetMilestone,
    ProjectCommand,
    PublishProject,
    StartProject,
    WriteSheet,
)
from ledger.projects.projects import project
from ledger.projects.sheet import IF_ABANDONED, Sheet
from ledger.projects.state import Drafted
from ledger.projects.words import THEMES
from ledger.territory import NEWEST, place_name
from projections import projects

router = APIRouter(prefix="/office/projects", include_in_schema=False)

WORDS_MAX: Final = 4_000
# Whose proposal to abandon a project holds: who may propose it.
ROLES: Final = ("officer",)
UNWRITTEN: Final = "0" * 64


def listed(context: Context) -> dict[str, Any]:
    with context.pool.connection() as connection:
        return {"projects": projects.listed(connection, drafts=True, limit=None)}


@router.api_route("", **PAGE)
async def show_all(request: Request, _: Reader) -> Response:
    return await OfficePage("project/office_projects.html", router.prefix, listed).show(request)


def gathered(context: Context, actor: Actor, project_id: UUID) -> dict[str, Any]:
    """Gather a project as the ledger holds it, so that what was just done shows."""
    state, history = history_of(context, project_id)
    sheet = state.sheet
    digest = None if sheet is None else sheet.document_sha256
    responsible = {} if sheet is None else context.vault.fields(sheet.responsible_id)
    with context.pool.connection() as connection:
        documents = sheet_versions.documents_of(connection, history)
        words = words_of(connection, history)
    document = documents.get(digest or "", {})
    barred = interested_in_project(context, project_id)
    conflicted = str(actor) in barred
    return {
        "project_id": project_id,
        "state": state,
        "proposed": proposed(context, state, barred),
        "document": document,
        "kept": project_sheet.fields_of_sheet(state, document, responsible),
        "steps": milestones_of(state, document),
        "history": [(type(one).__name__, one) for one in history],
        "names": named(context, [one.actor for one in history]),
        "interested": barred,
        "conflicted": conflicted,
        "officer": actor.has("officer") and not conflicted,
        "agrees": actor.has("officer", "committee") and not conflicted,
        "versions": sheet_versions.versions(documents, history),
        "place_name": place_name,
        "words": words,
        "themes": THEMES,
        "places": NEWEST.places,
        "rules": IF_ABANDONED,
        "lines": range(1, project_sheet.LINES + 1),
        "milestones": range(1, project_sheet.MILESTONES + 1),
    }


def proposed(
    context: Context, state: Drafted, barred: tuple[str, ...]
) -> AbandonmentProposed | None:
    """Give the proposal to abandon a project that still holds."""
    first = state.abandoning
    if first is None or first.actor in {*barred, *lapsed(context, [first.actor], *ROLES)}:
        return None
    return first


def office_page(actor: Actor, project_id: UUID) -> OfficePage:
    gather = partial(gathered, actor=actor, project_id=project_id)
    return OfficePage("project/office_project.html", f"{router.prefix}/{project_id}", gather)


@router.api_route("/{project_id}", **PAGE)
async def show(request: Request, actor: Reader, project_id: UUID) -> Response:
    return await office_page(actor, project_id).show(request)


def asked_by(context: Context, actor: Actor, project_id: UUID) -> dict[str, Any]:
    """Give what every command says, with who leaves this project to others. Blocks."""
    barred = interested_in_project(context, project_id)
    return {"at": now(), "actor": str(actor), "project_id": project_id, "interested": barred}


def handle(context: Context, command: ProjectCommand) -> None:
    context.ledger.handle(project, command.project_id, command)


def refused_beforehand(context: Context, command: ProjectCommand) -> None:
    """Raise what the ledger would refuse, before any words are kept for it."""
    history = context.ledger.history(project, command.project_id)
    project.decide(command, project.fold(one.event for one in history))


def keep(context: Context, words: str) -> str:
    with context.pool.connection() as connection:
        return wordings.keep(connection, words)


async def file_of(request: Request) -> bytes:
    """Read the picture of a form, empty when none was sent."""
    if not request.headers.get("content-type", "").startswith(MULTIPART):
        return b""
    sent = (await request.form()).get("picture")
    if not isinstance(sent, UploadFile) or not sent.filename:
        return b""
    return await sent.read(FILE_BYTES_MAX + 1)


@router.post("/{project_id}/sheet")
async def write_sheet(request: Request, actor: Officer, project_id: UUID) -> Response:
    sent = await file_of(request)

    def act(context: Context, form: Form) -> None:
        state, _ = history_of(context, project_id)
        digest = None if state.sheet is None else state.sheet.document_sha256
        with context.pool.connection() as connection:
            before = projects.document_of(wordings.read(connection, digest).get(digest or ""))
            read = project_sheet.typed(connection, form, state, before, sent)
        unwritten = Sheet(document_sha256=UNWRITTEN, **read.held)
        asked = asked_by(context, actor, project_id)
        refused_beforehand(context, WriteSheet(sheet=unwritten, **asked))
        handle(context, WriteSheet(sheet=project_sheet.kept(context, read), **asked))

    return await office_page(actor, project_id).carry_out(request, "written", act)


@router.post("/{project_id}/publication")
async def publish(request: Request, actor: Officer, project_id: UUID) -> Response:
    def act(context: Context, _: Form) -> None:
        handle(context, PublishProject(**asked_by(context, actor, project_id)))

    return await office_page(actor, project_id).carry_out(request, "published", act)


@router.post("/{project_id}/start")
async def start(request: Request, actor: Officer, project_id: UUID) -> Response:
    def act(context: Context, _: Form) -> None:
        handle(context, StartProject(**asked_by(context, actor, project_id)))

    return await office_page(actor, project_id).carry_out(request, "started", act)


@router.post("/{project_id}/conflict")
async def declare(request: Request, actor: Judge, project_id: UUID) -> Response:
    """Note an interest in every idea that the project comes from: others go on with it."""

    def act(context: Context, _: Form) -> None:
        for idea_id in history_of(context, project_id)[0].idea_ids:
            command = DeclareIdeaConflict(at=now(), actor=str(actor), idea_id=idea_id)
            context.ledger.handle(idea, idea_id, command)

    return await office_page(actor, project_id).carry_out(request, "declared", act)


@router.post("/{project_id}/milestones/{milestone}/met")
async def meet(request: Request, actor: Officer, project_id: UUID, milestone: str) -> Response:
    def act(context: Context, form: Form) -> None:
        met_on = form.day("met_on")
        asked = asked_by(context, actor, project_id) | {"milestone": milestone, "met_on": met_on}
        refused_beforehand(context, MeetMilestone(**asked))
        digest = keep(context, form.long_text("words", WORDS_MAX)) if form.text("words") else None
        handle(context, MeetMilestone(words_sha256=digest, **asked))

    return await office_page(actor, project_id).carry_out(request, "met", act)


@router.post("/{project_id}/milestones/{milestone}/change")
async def change(request: Request, actor: Officer, project_id: UUID, milestone: str) -> Response:
    """Move a milestone to another day, or give it up where no day is typed."""

    def act(context: Context, form: Form) -> None:
        due_on, words = form.day_or_none("due_on"), form.long_text("words", WORDS_MAX)
        asked = asked_by(context, actor, project_id) | {"milestone": milestone, "due_on": due_on}
        refused_beforehand(context, ChangeMilestone(words_sha256=UNWRITTEN, **asked))
        handle(context, ChangeMilestone(words_sha256=keep(context, words), **asked))

    return await office_page(actor, project_id).carry_out(request, "changed", act)


@router.post("/{project_id}/completion")
async def complete(request: Request, actor: Officer, project_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        results, asked = form.long_text("words", WORDS_MAX), asked_by(context, actor, project_id)
        refused_beforehand(context, CompleteProject(results_sha256=UNWRITTEN, **asked))
        handle(context, CompleteProject(results_sha256=keep(context, results), **asked))

    return await office_page(actor, project_id).carry_out(request, "completed", act)


@router.post("/{project_id}/abandonment")
async def abandon(request: Request, actor: Officer, project_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        words, asked = form.long_text("words", WORDS_MAX), asked_by(context, actor, project_id)
        refused_beforehand(context, AbandonProject(words_sha256=UNWRITTEN, **asked))
        handle(context, AbandonProject(words_sha256=keep(context, words), **asked))

    return await office_page(actor, project_id).carry_out(request, "abandoned", act)


@router.post("/{project_id}/abandonment/agreement")
async def agree_to_abandon(request: Request, actor: Judge, project_id: UUID) -> Response:
    """Agree, as a second person, to abandon a project."""

    def act(context: Context, form: Form) -> None:
        asked = asked_by(context, actor, project_id)
        first = history_of(context, project_id)[0].abandoning
        asked["lapsed"] = () if first is None else lapsed(context, [first.actor], *ROLES)
        handle(context, AgreeToAbandon(words_sha256=form.text("words_sha256"), **asked))

    return await office_page(actor, project_id).carry_out(request, "abandoned", act)
