"""Ideas in the office: moderated, scored, their evaluation closed, merged, turned into projects."""

from functools import partial
from typing import Any, Final
from uuid import UUID, uuid5

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import wordings
from api.auth import Actor
from api.deps import Context
from api.home import PAGE
from api.idea_form import EMAIL_FIELD, NAME_FIELD, TEXT, TEXT_MAX, TITLE, TITLE_MAX
from api.ideas import history_of, idea_page, known
from api.interests import interested
from api.mail import letter
from api.office.desk import (
    FieldMalformed,
    Form,
    Judge,
    Officer,
    Reader,
    named,
    now,
    refusal_of,
    today_here,
)
from api.office.page import OfficePage
from ledger.projects.evaluation import newest
from ledger.projects.idea_events import (
    REASONS,
    AcceptIdea,
    CloseEvaluation,
    DeclareIdeaConflict,
    IdeaCommand,
    MergeIdea,
    RefuseIdea,
    Score,
    ScoreIdea,
    TurnIntoProject,
    WithholdIdeaText,
)
from ledger.projects.ideas import IdeaNotFound, idea, may_evaluate
from ledger.projects.project_events import DraftProject
from ledger.projects.projects import project
from projections import ideas, projects

router = APIRouter(prefix="/office/ideas", include_in_schema=False)

REASON_WORDS_MAX: Final = 1_000


def waiting(context: Context) -> dict[str, Any]:
    """Gather what waits: to be moderated, to be evaluated, to become a project."""
    with context.pool.connection() as connection:
        proposed = ideas.listed(connection, stages=("proposed",), limit=None)
        found = {
            "accepted": ideas.listed(connection, stages=("accepted",), limit=None),
            "evaluated": ideas.listed(connection, stages=("evaluated",), limit=None),
            "unknown_named": projects.gifts_naming_unknown(connection),
        }
    titles = [context.vault.get(one.subject_id, TITLE) or "" for one in proposed]
    return found | {"proposed": list(zip(proposed, titles, strict=True))}


@router.api_route("", **PAGE)
async def show_queue(request: Request, _: Reader) -> Response:
    return await OfficePage("project/office_ideas.html", router.prefix, waiting).show(request)


def gathered(context: Context, actor: Actor, idea_id: UUID) -> dict[str, Any]:
    """Gather an idea with what the vault knows of it; only officers read who wrote it."""
    read = known(context, idea_id)
    state, history = read.state, read.history
    told = {TITLE: "", TEXT: "", NAME_FIELD: "", EMAIL_FIELD: ""}
    told |= context.vault.fields(state.proposal.subject_id)
    if not actor.has("officer"):
        told |= {NAME_FIELD: "", EMAIL_FIELD: ""}
    closing = CloseEvaluation(
        at=now(), actor=str(actor), idea_id=idea_id, authors=interested(context, [idea_id])
    )
    with context.pool.connection() as connection:
        others = ideas.listed(connection, stages=("accepted", "evaluated", "project"), limit=None)
        values = idea_page(connection, read)
    return values | {
        "told": told,
        "names": named(context, [one.actor for one in history]),
        "criteria_now": newest(today_here()),
        "mine": state.scores.get(str(actor)),
        "hindrance": refusal_of(lambda: may_evaluate(closing, state)),
        "conflicted": str(actor) in state.conflicts,
        "others": [one for one in others if one.idea_id != idea_id and one.title],
        "reasons": REASONS,
        "title_max": TITLE_MAX,
        "text_max": TEXT_MAX,
    }


def office_page(actor: Actor, idea_id: UUID) -> OfficePage:
    gather = partial(gathered, actor=actor, idea_id=idea_id)
    return OfficePage("project/office_idea.html", f"{router.prefix}/{idea_id}", gather)


@router.api_route("/{idea_id}", **PAGE)
async def show(request: Request, actor: Reader, idea_id: UUID) -> Response:
    return await office_page(actor, idea_id).show(request)


def asked_by(actor: Actor, idea_id: UUID) -> dict[str, Any]:
    return {"at": now(), "actor": str(actor), "idea_id": idea_id}


def handle(context: Context, command: IdeaCommand) -> bool:
    """Hand a command to the ledger; tell whether it was more than a repeat."""
    return bool(context.ledger.handle(idea, command.idea_id, command).fresh)


def refused_beforehand(context: Context, command: IdeaCommand) -> None:
    """Raise what the ledger would refuse, before any words are kept for it."""
    history = context.ledger.history(idea, command.idea_id)
    idea.decide(command, idea.fold(one.event for one in history))


def tell_author(context: Context, idea_id: UUID, template: str, **values: Any) -> None:
    """Write to whoever put the idea forward. Raises MailFailed."""
    state, _ = history_of(context, idea_id)
    email = context.vault.get(state.proposal.subject_id, EMAIL_FIELD)
    if email:
        link = f"{context.settings.public_url}/ideas/{idea_id}"
        context.mail.send(letter(email, template, link=link, **values))


@router.post("/{idea_id}/acceptance")
async def accept(request: Request, actor: Officer, idea_id: UUID) -> Response:
    """Publish an idea in the words of the form: the moderator takes names of persons out."""

    def act(context: Context, form: Form) -> None:
        title, text = form.text("title"), form.long_text("text", TEXT_MAX)
        if not 0 < len(title) <= TITLE_MAX:
            raise FieldMalformed(field="title")
        asked = asked_by(actor, idea_id)
        refused_beforehand(context, AcceptIdea(text_sha256="0" * 64, **asked))
        with context.pool.connection() as connection:
            digest = wordings.keep_document(connection, {"title": title, "text": text})
        if handle(context, AcceptIdea(text_sha256=digest, **asked)):
            tell_author(context, idea_id, "idea_accepted.txt", title=title)

    return await office_page(actor, idea_id).carry_out(request, "accepted", act)


@router.post("/{idea_id}/refusal")
async def refuse(request: Request, actor: Officer, idea_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        asked = asked_by(actor, idea_id)
        words = form.text("words")[:REASON_WORDS_MAX]
        reason = form.word("reason")
        refused_beforehand(context, RefuseIdea(reason=reason, words_sha256=None, **asked))
        digest = None
        if words:
            with context.pool.connection() as connection:
                digest = wordings.keep(connection, words)
        if handle(context, RefuseIdea(reason=reason, words_sha256=digest, **asked)):
            tell_author(context, idea_id, "idea_refused.txt", reason=reason, words=words)

    return await office_page(actor, idea_id).carry_out(request, "idea_refused", act)


@router.post("/{idea_id}/scores")
async def score(request: Request, actor: Judge, idea_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        keys = newest(today_here()).keys
        command = ScoreIdea(
            criteria_version=form.number("criteria_version"),
            scores=tuple(Score(criterion=key, points=form.number(key)) for key in keys),
            named=form.text("named") == "yes",
            authors=interested(context, [idea_id]),
            **asked_by(actor, idea_id),
        )
        form.declaration()
        handle(context, command)

    return await office_page(actor, idea_id).carry_out(request, "scored", act)


@router.post("/{idea_id}/evaluation")
async def close(request: Request, actor: Judge, idea_id: UUID) -> Response:
    def act(context: Context, _: Form) -> None:
        authors = interested(context, [idea_id])
        handle(context, CloseEvaluation(authors=authors, **asked_by(actor, idea_id)))

    return await office_page(actor, idea_id).carry_out(request, "evaluated", act)


@router.post("/{idea_id}/conflict")
async def declare(request: Request, actor: Judge, idea_id: UUID) -> Response:
    def act(context: Context, _: Form) -> None:
        handle(context, DeclareIdeaConflict(**asked_by(actor, idea_id)))

    return await office_page(actor, idea_id).carry_out(request, "idea_declared", act)


@router.post("/{idea_id}/merger")
async def merge(request: Request, actor: Officer, idea_id: UUID) -> Response:
    def act(context: Context, form: Form) -> None:
        into = form.identifier("into")
        try:
            stage = history_of(context, into)[0].stage
        except IdeaNotFound:
            raise FieldMalformed(field="into") from None
        stands = stage in {"accepted", "evaluated", "project"}
        asked = asked_by(actor, idea_id)
        handle(context, MergeIdea(into_idea_id=into, into_stands=stands, **asked))

    return await office_page(actor, idea_id).carry_out(request, "merged", act)


@router.post("/{idea_id}/project")
async def turn(request: Request, actor: Officer, idea_id: UUID) -> Response:
    """Turn an idea into a project, with the ideas that were merged into it. Can be repeated."""
    project_id = uuid5(idea_id, "project")
    there = f"/office/projects/{project_id}"

    def act(context: Context, _: Form) -> str:
        handle(context, TurnIntoProject(project_id=project_id, **asked_by(actor, idea_id)))
        if context.ledger.history(project, project_id):
            return there
        with context.pool.connection() as connection:
            merged = ideas.listed(connection, into_id=idea_id, limit=None)
        origins = (idea_id, *sorted(one.idea_id for one in merged))
        asked: dict[str, Any] = {"at": now(), "actor": str(actor), "project_id": project_id}
        context.ledger.handle(project, project_id, DraftProject(idea_ids=origins, **asked))
        return there

    return await office_page(actor, idea_id).submit(request, act)


@router.post("/{idea_id}/withholding")
async def withhold(request: Request, actor: Officer, idea_id: UUID) -> Response:
    """Forget the published words of an idea, which told too much of a person."""

    def act(context: Context, _: Form) -> None:
        command = WithholdIdeaText(**asked_by(actor, idea_id))
        refused_beforehand(context, command)
        digest = history_of(context, idea_id)[0].text_sha256
        # The words go first: no page can be made of them once the ledger says they are withheld.
        with context.pool.connection() as connection:
            wordings.withhold(connection, digest or "")
        handle(context, command)

    return await office_page(actor, idea_id).carry_out(request, "withheld", act)
