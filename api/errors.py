"""The pages that say what went wrong, in the visitor's language."""

from typing import Literal

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api.i18n import language_of
from api.pages import PRIVATE, Address, render

Problem = Literal["not_found", "foreign_form", "busy", "failed"]
STATUS: dict[Problem, int] = {"not_found": 404, "foreign_form": 403, "busy": 503, "failed": 500}
RETRY_SECONDS = 2


def page_not_found(request: Request) -> Response:
    return problem_page(request, "not_found")


def page_failed(request: Request) -> Response:
    return problem_page(request, "failed")


def page_busy(request: Request) -> Response:
    """Answer when the ledger takes no more gifts for a moment: nothing was recorded."""
    response = problem_page(request, "busy")
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def problem_page(request: Request, problem: Problem) -> Response:
    """Answer without the database, the session or anything else that may be what failed."""
    content = render("problem.html", language_of(request), {"problem": problem}, Address("/"))
    return HTMLResponse(content, STATUS[problem], PRIVATE)
