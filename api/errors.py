"""The pages that say what went wrong, in the visitor's language."""

from typing import Any, Final, Literal
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api.i18n import language_of
from api.pages import PRIVATE, Address, render

Problem = Literal["not_found", "foreign_form", "malformed", "too_large", "busy", "failed"]
STATUS: dict[Problem, int] = {
    "not_found": 404,
    "foreign_form": 403,
    "malformed": 400,
    "too_large": 413,
    "busy": 503,
    "failed": 500,
}
RETRY_SECONDS = 2
# A browser shows an answer only once all that it sends was taken, up to what patience allows.
DRAINED_BYTES_MAX: Final = 67_108_864


def page_not_found(request: Request) -> Response:
    return problem_page(request, "not_found")


def page_malformed(request: Request) -> Response:
    """Answer to a form that arrived in pieces, or was never one."""
    return problem_page(request, "malformed", back=came_from(request))


def page_failed(request: Request) -> Response:
    return problem_page(request, "failed")


def page_busy(request: Request) -> Response:
    """Answer when the ledger takes no more gifts for a moment: nothing was recorded."""
    response = problem_page(request, "busy")
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


async def page_too_large(request: Request, bytes_max: int) -> Response:
    """Answer to a form above the limit: what happened, and what to do."""
    await drain(request)
    return problem_page(request, "too_large", bytes_max=bytes_max, back=came_from(request))


async def drain(request: Request) -> None:
    """Take and forget the rest of a body, which is not asked for again once it has ended."""
    ended, drained = getattr(request.state, "body_ended", False), 0
    while not ended and drained < DRAINED_BYTES_MAX:
        message = await request.receive()
        drained += len(message.get("body", b""))
        ended = not message.get("more_body", False)


def came_from(request: Request) -> str:
    """Give the page of ours that a form was sent from, as far as the browser tells."""
    told = urlsplit(request.headers.get("referer", ""))
    ours = told.netloc == request.headers.get("host") and told.path.startswith("/")
    return told.path if ours and not told.path.startswith("//") else "/account"


def problem_page(request: Request, problem: Problem, **facts: Any) -> Response:
    """Answer without the database, the session or anything else that may be what failed."""
    values = {"problem": problem, **facts}
    content = render("problem.html", language_of(request), values, Address("/"))
    return HTMLResponse(content, STATUS[problem], PRIVATE)
