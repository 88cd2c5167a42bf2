"""Who has an interest in an idea, or in a project made of ideas, and leaves it to others."""

from collections.abc import Iterable
from uuid import UUID

from api import people
from api.deps import Context
from ledger.decider import Refused
from ledger.people import Role, actor_of
from ledger.projects.ideas import Standing, idea
from ledger.projects.projects import project
from ledger.projects.state import Drafted
from projections import ideas

# Under which name the vault keeps the address of who put an idea forward, or is responsible.
EMAIL_FIELD = "email"


def authors_of(context: Context, state: Standing) -> tuple[str, ...]:
    """Give the accounts of who put an idea forward, known by her address."""
    return accounts_of(context, state.proposal.subject_id)


def accounts_of(context: Context, subject_id: UUID) -> tuple[str, ...]:
    """Give the accounts that have the address of a person in the vault."""
    email = context.vault.get(subject_id, EMAIL_FIELD)
    try:
        return () if not email else (actor_of(people.account_of_email(context, email)),)
    except Refused:
        return ()


def interested(context: Context, idea_ids: Iterable[UUID]) -> tuple[str, ...]:
    """Give the actors who put one of these ideas forward, or declared an interest in one.

    An idea that was merged into one of them, however late and over however many steps, is one too.
    """
    found: set[str] = set()
    with context.pool.connection() as connection:
        whole = ideas.with_merged(connection, idea_ids)
    for idea_id in whole:
        state = idea.fold(one.event for one in context.ledger.history(idea, idea_id))
        if isinstance(state, Standing):
            found |= {*state.conflicts, *authors_of(context, state)}
    return tuple(sorted(found))


def lapsed(context: Context, actors: Iterable[str], *roles: Role) -> tuple[str, ...]:
    """Give the actors whose accounts may not do any more what they did in one of these roles.

    They are disabled today, or have none of the roles. What acts without an account has none.
    """
    known = {actor_of(one): state for one, state in context.roster.accounts().items()}
    holding = set(map(actor_of, context.roster.holding(*roles)))
    return tuple(sorted({actor for actor in actors if actor in known and actor not in holding}))


def interested_in_project(context: Context, project_id: UUID) -> tuple[str, ...]:
    """Give the actors who leave a project to others.

    By the ideas that it comes from, or because its sheet names them as responsible for it.
    """
    state = project.fold(one.event for one in context.ledger.history(project, project_id))
    if not isinstance(state, Drafted):
        return ()
    sheet = state.sheet
    responsible = () if sheet is None else accounts_of(context, sheet.responsible_id)
    return tuple(sorted({*interested(context, state.idea_ids), *responsible}))
