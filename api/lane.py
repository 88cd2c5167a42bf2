"""The short way in for gifts and figures: the same handlers, without the framework's layers.

These are what the service is asked most, and the framework's middleware, routing and dependency
layers cost more than their answers. The routes stay declared where the OpenAPI document comes
from; the lane only shortens the way to a handler.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

Handler = Callable[[Request], Awaitable[Response]]
# The method and the path of a request.
Asked = tuple[str, str]
AnswerError = Callable[[Request, Exception], Response]


class Service(FastAPI):
    """The application, with a lane for a few exact requests."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._lane: Mapping[Asked, Handler] = {}
        self._answer_error: AnswerError | None = None

    def open_lane(self, handlers: Mapping[Asked, Handler], answer_error: AnswerError) -> None:
        """Hand these requests straight to their handlers, and their errors to one answer."""
        self._lane = handlers
        self._answer_error = answer_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = None
        if scope["type"] == "http":
            handler = self._lane.get((scope["method"], scope["path"]))
        if handler is None or self._answer_error is None:
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        request = Request(scope, receive)
        try:
            response = await handler(request)
        except Exception as error:  # noqa: BLE001 - every request is owed an answer.
            response = self._answer_error(request, error)
        await response(scope, receive, send)
