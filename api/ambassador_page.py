"""An ambassador’s own page: how she is enrolled, her code, what she brought, and the way out."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import ambassador_links as links
from api.ambassadors import NAME_FIELD, enrolled
from api.auth import public
from api.credentials import TooManyAttempts
from api.deps import Context, context_of
from api.forms import foreign, form_of
from api.home import PAGE
from api.login import address_of, barred, secret
from api.mail import MailFailed
from api.office.desk import DeclarationMissing
from api.pages import Address, go, private_page
from api.people import NAME, EmailMalformed, NameMalformed, normal
from api.refusals import FormForeign, name_of, status_of
from ledger.ambassadors import (
    AmbassadorCommand,
    ChangeNaming,
    DeclareWallet,
    RetireAmbassador,
    ambassador,
    ambassador_id_of,
)
from ledger.decider import Refused
from ledger.wallet_codes import parse
from ledger.wallets import wallet_id_of
from projections import ambassadors

router = APIRouter(prefix="/ambassadors", include_in_schema=False)

MINE: Final = "/ambassadors/mine"


class LetterNotSent(Refused):
    """The letter with the link could not be sent: try again later."""


def form_page(
    request: Request, page: str, typed: dict[str, str], refusal: Refused | None = None
) -> Response:
    fields = {} if refusal is None else refusal.fields
    values = {
        "typed": typed,
        "problem": None if refusal is None else name_of(refusal),
        "minutes": fields.get("retry_minutes", 0),
    }
    status = 200 if refusal is None else 429 if isinstance(refusal, TooManyAttempts) else 422
    here = Address(f"/ambassadors/{page}")
    return private_page(request, f"project/ambassador_{page}.html", values, here, status=status)


async def sent(request: Request, page: str, act: Callable[[dict[str, str]], None]) -> Response:
    """Take a form that asks for a letter: whoever typed it, the answer is the same."""
    if foreign(request):
        return barred(request, FormForeign())
    form = await form_of(request)
    try:
        await run_in_threadpool(act, form)
    except (EmailMalformed, NameMalformed, DeclarationMissing, TooManyAttempts) as refusal:
        return form_page(request, page, form, refusal)
    except MailFailed:
        return form_page(request, page, form, LetterNotSent())
    return go("/ambassadors/sent")


def limited(context: Context, request: Request, email: str) -> None:
    """Count an attempt from this address, and with this e-mail. Raises TooManyAttempts."""
    origins = {"address": address_of(request), "account": email}
    context.credentials.attempt("ambassador", origins, datetime.now(UTC))


@router.api_route("/new", **PAGE)
@public()
async def ask(request: Request) -> Response:
    return form_page(request, "new", {})


@router.post("/new")
@public()
async def send(request: Request) -> Response:
    """Keep who asks to be enrolled, with her consent, and send the link that does it."""
    context = context_of(request)

    def act(form: dict[str, str]) -> None:
        name, email = " ".join(form.get("name", "").split()), normal(form.get("email", ""))
        if not NAME.fullmatch(name):
            raise NameMalformed
        if form.get("consent") != "yes":
            raise DeclarationMissing
        limited(context, request, email)
        links.ask(context, name, email, to_be_named=form.get("named") == "yes")

    return await sent(request, "new", act)


@router.api_route("/return", **PAGE)
@public()
async def ask_link(request: Request) -> Response:
    return form_page(request, "return", {})


@router.post("/return")
@public()
async def send_link(request: Request) -> Response:
    """Send an ambassador the link to her page; nobody learns whether an address is one's."""
    context = context_of(request)

    def act(form: dict[str, str]) -> None:
        email = normal(form.get("email", ""))
        limited(context, request, email)
        known = links.code_of_address(context, email)
        if known is not None:
            links.send_link(context, email, *known)

    return await sent(request, "return", act)


@router.api_route("/sent", **PAGE)
@public()
async def show_sent(request: Request) -> Response:
    values = {"days": links.LETTER.days}
    here = Address("/ambassadors/sent")
    return private_page(request, "project/ambassador_sent.html", values, here)


def link_page(request: Request, kind: str | None) -> Response:
    status = 404 if kind is None else 200
    page = "project/ambassador_link.html"
    return secret(private_page(request, page, {"kind": kind}, status=status))


@router.api_route("/link/{token}", **PAGE)
@public()
async def ask_confirmation(request: Request, token: str) -> Response:
    """Ask whether to go on. Looking at the link does not use it."""
    found = await run_in_threadpool(links.read, context_of(request), token)
    return link_page(request, None if found is None or found.kind == "browser" else found.kind)


@router.post("/link/{token}")
@public()
async def take_confirmation(request: Request, token: str) -> Response:
    """Enrol her if she is not, and mark the browser as hers. Only the letter's reader can."""
    mark = await run_in_threadpool(links.take, context_of(request), token)
    if mark is None:
        return link_page(request, None)
    return secret(links.mark_browser(request, go(MINE), mark))


def own(context: Context, code: str) -> dict[str, Any]:
    """Gather what an ambassador may know of herself. Blocks. Raises AmbassadorNotFound."""
    known = enrolled(context, ambassador_id_of(code))
    told = context.vault.fields(known.enrolment.subject_id)
    with context.pool.connection() as connection:
        counted = ambassadors.of_code(connection, code)
    return {
        "state": known,
        "code": code,
        "name": told.get(NAME_FIELD, ""),
        "asked": told.get(links.WISH_FIELD) == links.WISHED,
        "shops": 0 if counted is None else counted.shops,
        "ballots": 0 if counted is None else counted.ballots,
        "link": f"{context.settings.public_url}/g?a={code}",
    }


async def own_page(request: Request, code: str, refusal: Refused | None = None) -> Response:
    values = await run_in_threadpool(own, context_of(request), code)
    values["problem"] = None if refusal is None else name_of(refusal)
    values["done"] = request.query_params.get("done", "")
    missing = isinstance(refusal, DeclarationMissing)
    status = 200 if refusal is None else 422 if missing else status_of(refusal)
    page = "project/ambassador_mine.html"
    return private_page(request, page, values, Address(MINE), status=status)


@router.api_route("/mine", **PAGE)
@public()
async def show(request: Request) -> Response:
    """Show an ambassador her page in the browser that is hers; ask anybody else for an address."""
    code = await run_in_threadpool(links.code_here, context_of(request), request)
    return go("/ambassadors/return") if code is None else await own_page(request, code)


@router.api_route("/left", **PAGE)
@public()
async def show_left(request: Request) -> Response:
    here = Address("/ambassadors/left")
    return private_page(request, "project/ambassador_left.html", {}, here)


async def carry_out(
    request: Request, done: str, act: Callable[[str, dict[str, str]], None]
) -> Response:
    """Do what a form of her page asks, in her browser only."""
    context, form = context_of(request), await form_of(request)
    if foreign(request):
        return barred(request, FormForeign())
    code = await run_in_threadpool(links.code_here, context, request)
    if code is None:
        return go("/ambassadors/return")
    try:
        await run_in_threadpool(act, code, form)
    except Refused as refusal:
        return await own_page(request, code, refusal)
    return go(f"{MINE}?done={done}")


def asked_of(code: str) -> dict[str, Any]:
    """Give what every command of hers says. She has no account: the link was her proof."""
    now = datetime.now(UTC)
    return {"at": now, "actor": "public", "ambassador_id": ambassador_id_of(code)}


def handle(context: Context, command: AmbassadorCommand) -> None:
    context.ledger.handle(ambassador, command.ambassador_id, command)


def subject_of(context: Context, code: str) -> UUID:
    return enrolled(context, ambassador_id_of(code)).enrolment.subject_id


@router.post("/mine/naming")
@public()
async def change_naming(request: Request) -> Response:
    """Take her name away at once; ask an officer to publish it, who reads it first."""
    context = context_of(request)

    def act(code: str, form: dict[str, str]) -> None:
        wish = form.get("named") == "yes"
        context.vault.put(subject_of(context, code), links.WISH_FIELD, links.WISHED if wish else "")
        if not wish:
            handle(context, ChangeNaming(named=False, **asked_of(code)))

    return await carry_out(request, "naming", act)


@router.post("/mine/wallet")
@public()
async def declare_wallet(request: Request) -> Response:
    """Note a wallet of her own gifts: none of its ballots is credited to her."""
    context = context_of(request)

    def act(code: str, form: dict[str, str]) -> None:
        wallet_id = wallet_id_of(parse(form.get("wallet", "")))
        handle(context, DeclareWallet(wallet_id=wallet_id, **asked_of(code)))

    return await carry_out(request, "wallet", act)


@router.post("/mine/leaving")
@public()
async def leave(request: Request) -> Response:
    """Withdraw her consent: she is retired, and what is known of her is erased."""
    context = context_of(request)

    def act(code: str, form: dict[str, str]) -> None:
        if form.get("confirmed") != "yes":
            raise DeclarationMissing
        subject_id = subject_of(context, code)
        handle(context, RetireAmbassador(**asked_of(code)))
        context.vault.erase(subject_id)
        links.forget(context, code)

    answer = await carry_out(request, "left", act)
    if answer.headers.get("location") == f"{MINE}?done=left":
        return links.unmark_browser(request, go("/ambassadors/left"))
    return answer
