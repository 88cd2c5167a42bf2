"""How people get in and out: signing in, one-time links, their own account and password."""

from collections.abc import Callable
from typing import Annotated, Final, TypeVar
from urllib.parse import urlencode

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import people
from api.auth import Actor, actor_here, person_page, public, require
from api.credentials import PASSWORD_MIN, PasswordRefused, TooManyAttempts
from api.deps import Context, context_of
from api.forms import foreign, form_of
from api.home import PAGE
from api.pages import HERE, Address, Values, go, private_page
from api.refusals import FormForeign, SignInNeeded, name_of, status_of
from api.sessions import give_cookie, take_cookie, token_of
from ledger.decider import Refused

router = APIRouter(include_in_schema=False)

HOME: Final = "/account"
# Hashing a password takes a core and 64 MiB for a moment: gifts are recorded meanwhile.
HASHING: Final = CapacityLimiter(2)

SignedIn = Annotated[Actor, require()]
T = TypeVar("T")


async def hashing(work: Callable[[], T]) -> T:
    """Do in a thread what hashes a password, a few at a time."""
    return await to_thread.run_sync(work, limiter=HASHING)


def is_ours(path: str) -> bool:
    """Tell whether a path leads to a page of ours, and nowhere else."""
    return path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()


def let_in(request: Request, token: str, path: str = HOME) -> Response:
    """Lead on with a new session; the one that the browser held before is over."""
    before = token_of(request)
    if before is not None:
        context_of(request).sessions.end(before)
    response = go(path)
    give_cookie(request, response, token)
    return response


def answer_barred(request: Request, refusal: Refused) -> Response:
    """Answer on a page whoever may not see it: with the way in, or with the reason."""
    if isinstance(refusal, SignInNeeded):
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        back = {"next": asked} if request.method == "GET" else {}
        return go(f"/login?{urlencode(back)}" if back else "/login")
    return barred(request, refusal)


def barred(request: Request, refusal: Refused) -> Response:
    values = {"problem": name_of(refusal)}
    return private_page(
        request, "account/barred.html", values, Address("/"), status=status_of(refusal)
    )


def secret(response: Response) -> Response:
    """The address holds a one-time link: no other site may learn it from ours."""
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@router.api_route("/login", **PAGE)
@public()
async def ask_password(request: Request) -> Response:
    """Ask for address and password, unless somebody is signed in."""
    following = request.query_params.get("next", "")
    if await actor_here(request) is not None:
        return go(following if is_ours(following) else HOME)
    return login_form(request, {"next": following})


def login_form(request: Request, known: dict[str, str], refusal: Refused | None = None) -> Response:
    problem = None if refusal is None else name_of(refusal)
    values: Values = {
        "email": known.get("email", ""),
        "next": known.get("next", ""),
        "problem": problem,
        "minutes": 0 if refusal is None else refusal.fields.get("retry_minutes", 0),
    }
    status = {None: 200, "too_many_attempts": 429}.get(problem, 422)
    back = {"next": values["next"]} if values["next"] else {}
    return private_page(
        request, "account/login.html", values, Address("/login", back), status=status
    )


class PasswordWrong(Refused):
    """No account has this address and this password."""


@router.post("/login")
@public()
async def sign_in(request: Request) -> Response:
    """Open a session, a new one each time."""
    if foreign(request):
        return barred(request, FormForeign())
    form = await form_of(request)
    context, address = context_of(request), address_of(request)
    email, password = form.get("email", ""), form.get("password", "")
    try:
        token = await hashing(lambda: people.sign_in(context, email, password, address))
    except TooManyAttempts as refusal:
        return login_form(request, form, refusal)
    if token is None:
        return login_form(request, form, PasswordWrong())
    following = form.get("next", "")
    path = following if is_ours(following) else HOME
    return await run_in_threadpool(let_in, request, token, path)


def address_of(request: Request) -> str:
    return request.client.host if request.client is not None else ""


@router.post("/logout")
async def sign_out(request: Request, _: SignedIn) -> Response:
    token = token_of(request)
    if token is not None:
        await run_in_threadpool(context_of(request).sessions.end, token)
    response = go("/login")
    take_cookie(request, response)
    return response


@router.api_route("/account", **PAGE)
async def my_account(request: Request, actor: SignedIn) -> Response:
    return await account_page(request, actor)


async def account_page(
    request: Request, actor: Actor, *, problem: str | None = None, status: int = 200
) -> Response:
    one = await run_in_threadpool(people.person, context_of(request), actor.account_id)
    values = {
        "person": one,
        "problem": problem,
        "password_min": PASSWORD_MIN,
        "changed": request.query_params.get("changed") == "1",
    }
    return person_page(request, "account/account.html", values, Address(HOME), status=status)


@router.post("/account/password")
async def change_password(request: Request, actor: SignedIn) -> Response:
    """Change the password; every other session ends."""
    form = await form_of(request)
    context, account_id = context_of(request), actor.account_id
    current, new = form.get("current", ""), form.get("password", "")
    try:
        token = await hashing(lambda: people.change_password(context, account_id, current, new))
    except (TooManyAttempts, PasswordRefused) as refusal:
        return await account_page(request, actor, problem=name_of(refusal), status=422)
    if token is None:
        return await account_page(request, actor, problem="password_wrong", status=422)
    return await run_in_threadpool(let_in, request, token, f"{HOME}?changed=1")


@router.api_route("/account/forgotten", **PAGE)
@public()
async def ask_address(request: Request) -> Response:
    return private_page(request, "account/forgotten.html", {"sent": False, "problem": None})


@router.post("/account/forgotten")
@public()
async def send_reset(request: Request) -> Response:
    """Answer the same at once, whether the account exists; the letter is sent afterwards."""
    if foreign(request):
        return barred(request, FormForeign())
    context, email = context_of(request), (await form_of(request)).get("email", "")
    page, here = "account/forgotten.html", Address("/account/forgotten")
    try:
        origins = {"address": address_of(request), "account": email.strip().lower()}
        await run_in_threadpool(context.credentials.attempt, "reset", origins, people.now())
    except TooManyAttempts as refusal:
        values = {"sent": False, "problem": name_of(refusal)}
        return private_page(request, page, values, here, status=429)
    response = private_page(request, page, {"sent": True, "problem": None}, here)
    response.background = BackgroundTask(run_in_threadpool, mail_reset, context, email)
    return response


def mail_reset(context: Context, email: str) -> None:
    try:
        people.send_reset(context, people.account_of_email(context, email))
    except Refused:
        return  # No such account, or a disabled one: whoever asked is not told.


@router.api_route("/account/link/{token}", **PAGE)
@public()
async def ask_new_password(request: Request, token: str) -> Response:
    """Ask for a password when the link still opens something. Looking at it does not use it."""
    credentials = context_of(request).credentials
    account_id = await run_in_threadpool(credentials.account_of_link, token, people.now())
    return link_page(request, known=account_id is not None)


def link_page(request: Request, *, known: bool, problem: str | None = None) -> Response:
    values = {"known": known, "problem": problem, "password_min": PASSWORD_MIN}
    status = 404 if not known else 422 if problem else 200
    return secret(private_page(request, "account/link.html", values, HERE, status=status))


@router.post("/account/link/{token}")
@public()
async def set_password(request: Request, token: str) -> Response:
    """Set the password and sign in. A form of another site could bring a link of its own."""
    if foreign(request):
        return secret(barred(request, FormForeign()))
    context = context_of(request)
    password = (await form_of(request)).get("password", "")
    try:
        session = await hashing(lambda: people.set_password_by_link(context, token, password))
    except PasswordRefused as refusal:
        return link_page(request, known=True, problem=name_of(refusal))
    if session is None:
        return link_page(request, known=False)
    return secret(await run_in_threadpool(let_in, request, session))
