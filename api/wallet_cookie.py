"""The wallet that a browser holds: its code in a cookie that no script can read."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from api.sessions import secure
from ledger.tickets import MalformedCode
from ledger.wallet_codes import parse

COOKIE_SECONDS: Final = 400 * 24 * 3600


def cookie_name(request: Request) -> str:
    """Give the cookie's name; over https its prefix keeps other hosts from setting it."""
    return "__Host-wallet" if secure(request) else "wallet"


def wallet_here(request: Request) -> str | None:
    """Give the code of the wallet that a browser holds, None when it holds none."""
    try:
        return parse(request.cookies.get(cookie_name(request), ""))
    except MalformedCode:
        return None


def give_wallet(request: Request, response: Response, code: str) -> Response:
    """Hand the browser a wallet for as long as browsers keep any cookie."""
    name, safe = cookie_name(request), secure(request)
    response.set_cookie(name, code, COOKIE_SECONDS, secure=safe, httponly=True, samesite="lax")
    return response


def take_wallet(request: Request, response: Response) -> Response:
    name, safe = cookie_name(request), secure(request)
    response.delete_cookie(name, secure=safe, httponly=True, samesite="lax")
    return response
