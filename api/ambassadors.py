"""Ambassadors: what they are credited with, and the public page of what they brought."""

import secrets
from collections.abc import Collection
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter
from psycopg import Connection
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.auth import public
from api.deps import Context, context_of
from api.home import JSON, PAGE, UNCHANGED
from api.pages import public_page
from api.snapshots import snapshot
from ledger.ambassadors import (
    AmbassadorIsRetired,
    AmbassadorNotFound,
    Enrolled,
    GiveCredit,
    Kind,
    ambassador,
    ambassador_id_of,
    credit,
    credit_id_of,
    is_her_own,
)
from ledger.people import actor_of
from projections import ambassadors
from projections.ambassadors import Ambassador
from projections.read_model import as_of

router = APIRouter()

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LETTERS: Final = 6
NAME_FIELD, EMAIL_FIELD = "name", "email"


class AmbassadorOut(BaseModel):
    """What one ambassador brought; her name only if she lets it be known."""

    name: str | None
    enrolled_on: date
    shops: int
    ballots: int


class AmbassadorsOut(BaseModel):
    """Who is an ambassador now; `shops` and `ballots` were brought by former ones too."""

    ambassadors: list[AmbassadorOut]
    shops: int
    ballots: int
    as_of_position: int


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LETTERS))


def enrolled(context: Context, ambassador_id: UUID) -> Enrolled:
    """Give an ambassador as the ledger holds her. Raises AmbassadorNotFound."""
    history = context.ledger.history(ambassador, ambassador_id)
    state = ambassador.fold(one.event for one in history)
    if not isinstance(state, Enrolled):
        raise AmbassadorNotFound(ambassador_id=ambassador_id)
    return state


def give_credit(  # noqa: PLR0913 - what was brought, by whom, and what tells whether it is hers.
    context: Context,
    actor: str,
    code: str,
    kind: Kind,
    brought_id: UUID,
    *,
    caster: str = "public",
    wallet_id: UUID | None = None,
    browser_wallet_id: UUID | None = None,
    browser_code: str | None = None,
    own_shop: bool = False,
) -> None:
    """Credit the ambassador of a code with a shop or a ballot; the same again changes nothing.

    `caster` is who was signed in, `wallet_id` where the gift is, `browser_wallet_id` what the
    browser holds, `browser_code` whose page it opened: they are compared, none is written down.

    Raises AmbassadorNotFound, AmbassadorIsRetired, OwnGift, CreditedToAnother.
    """
    ambassador_id = ambassador_id_of(code.strip().upper())
    known = enrolled(context, ambassador_id)
    marked = browser_code is not None and ambassador_id_of(browser_code) == ambassador_id
    same_browser = marked or browser_wallet_id in known.wallets
    own = is_her_own(known, caster=caster, wallet_id=wallet_id, same_browser=same_browser)
    credit_id = credit_id_of(kind, brought_id)
    command = GiveCredit(
        at=datetime.now(UTC),
        actor=actor,
        credit_id=credit_id,
        ambassador_id=ambassador_id,
        kind=kind,
        brought_id=brought_id,
        enrolled=not known.retired,
        her_own=own or own_shop,
    )
    context.ledger.handle(credit, credit_id, command)


def credit_with_shop(
    context: Context, actor: str, code: str, partner_id: UUID, people: Collection[str]
) -> None:
    """Credit the ambassador of a code with a shop, unless she is one of its people.

    Raises AmbassadorNotFound, AmbassadorIsRetired, OwnGift, CreditedToAnother.
    """
    account_id = able(context, code).enrolment.account_id
    own = account_id is not None and actor_of(account_id) in people
    give_credit(context, actor, code, "shop", partner_id, caster=actor, own_shop=own)


def able(context: Context, code: str) -> Enrolled:
    """Give the ambassador of a code who may be credited.

    Raises AmbassadorNotFound, AmbassadorIsRetired.
    """
    known = enrolled(context, ambassador_id_of(code.strip().upper()))
    if known.retired:
        raise AmbassadorIsRetired(ambassador_id=known.enrolment.ambassador_id)
    return known


def names_of(context: Context, found: list[Ambassador]) -> dict[UUID, str]:
    """Give the names that the vault holds of ambassadors."""
    return {one.ambassador_id: context.vault.get(one.subject_id, NAME_FIELD) or "" for one in found}


def read_all(context: Context) -> list[Ambassador]:
    with context.pool.connection() as connection:
        return ambassadors.listed(connection)


@router.api_route("/ambassadors", **PAGE)
@public()
async def show(request: Request) -> Response:
    """Show what each ambassador brought, and the names of those who let them be known."""
    names = await run_in_threadpool(public_names, context_of(request))
    gather = partial(ambassadors_page, names=names)
    told = repr(sorted(names.items()))
    return await public_page(request, "project/ambassadors.html", gather, told=told)


@router.get("/api/v1/ambassadors", response_model=AmbassadorsOut, responses=UNCHANGED)
@public()
async def list_ambassadors(request: Request) -> Response:
    """Give what each ambassador brought, and the names of those who let them be known."""
    names = await run_in_threadpool(public_names, context_of(request))
    build = partial(ambassadors_json, names=names)
    return await snapshot(request, JSON, build, variant=repr(sorted(names.items())))


def public_names(context: Context) -> dict[UUID, str]:
    return names_of(context, [one for one in read_all(context) if one.named])


def ambassadors_json(connection: Connection[Any], names: dict[UUID, str]) -> bytes:
    """Write what the page says. No id is told: it follows from the short code."""
    page = ambassadors_page(connection, names)
    shown = [
        {
            "name": page["names"].get(one.ambassador_id) or None,
            "enrolled_on": one.enrolled_on,
            "shops": one.shops,
            "ballots": one.ballots,
        }
        for one in page["ambassadors"]
    ]
    counts = {"shops": page["shops"], "ballots": page["ballots"]}
    position = page["as_of"].position
    return msgspec.json.encode({"ambassadors": shown, **counts, "as_of_position": position})


def ambassadors_page(connection: Connection[Any], names: dict[UUID, str]) -> dict[str, Any]:
    found = ambassadors.listed(connection)
    return {
        "ambassadors": [one for one in found if one.retired_on is None],
        "shops": sum(one.shops for one in found),
        "ballots": sum(one.ballots for one in found),
        "names": {one.ambassador_id: names.get(one.ambassador_id) for one in found if one.named},
        "json_twin": "/api/v1/ambassadors",
        "as_of": as_of(connection, "ambassadors"),
    }
