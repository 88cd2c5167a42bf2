"""Reading a request's body without trusting its length."""

from typing import TypeVar, cast

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from api.refusals import BodyTooLarge, malformed

M = TypeVar("M", bound=BaseModel)


async def body_of(request: Request, bytes_max: int) -> bytes:
    """Read a body of at most `bytes_max` bytes, whatever its header says of its length.

    Raises BodyTooLarge as soon as there is more, and ClientDisconnect when the rest never comes.
    """
    declared = header_of(request, b"content-length")
    if declared.isdigit() and int(declared) > bytes_max:
        raise BodyTooLarge(bytes_max=bytes_max)
    body: bytes = b""
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > bytes_max:
            request.state.body_ended = not message.get("more_body", False)
            raise BodyTooLarge(bytes_max=bytes_max)
        if not message.get("more_body", False):
            return body


def header_of(request: Request, name: bytes) -> str:
    """Give a header by its lower-case name, empty when it was not sent."""
    for key, value in request.scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""


def parsed(model: type[M], body: bytes) -> M:
    """Validate a JSON body once, from its bytes. Raises BodyMalformed, naming each field."""
    try:
        return cast(M, model.__pydantic_validator__.validate_json(body))
    except ValidationError as error:
        raise malformed(error) from None
