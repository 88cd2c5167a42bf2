"""Reading the fields of a form, and telling whether our own page sent it."""

from typing import Final
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request

from api.bodies import body_of
from api.refusals import BodyTooLarge

FORM_BYTES_MAX: Final = 65_536
UPLOAD_BYTES_MAX: Final = 8_388_608
MULTIPART: Final = "multipart/form-data"

Fields = dict[str, list[str]]


def foreign(request: Request) -> bool:
    """Tell whether another site sent this form (beside the cookie, which is SameSite)."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


async def fields_of(request: Request) -> Fields:
    """Read the fields of a form, once for each request; `request.form()` gives its files."""
    if not hasattr(request.state, "fields"):
        request.state.fields = await read_fields(request)
    fields: Fields = request.state.fields
    return fields


async def read_fields(request: Request) -> Fields:
    if not request.headers.get("content-type", "").startswith(MULTIPART):
        body = await body_of(request, FORM_BYTES_MAX)
        return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    if int(request.headers.get("content-length", UPLOAD_BYTES_MAX + 1)) > UPLOAD_BYTES_MAX:
        raise BodyTooLarge(bytes_max=UPLOAD_BYTES_MAX)
    fields: Fields = {}
    for name, value in (await request.form()).multi_items():
        if isinstance(value, str):
            fields.setdefault(name, []).append(value)
    return fields


async def form_of(request: Request) -> dict[str, str]:
    """Read a form's fields, the first of each name."""
    return {name: values[0] for name, values in (await fields_of(request)).items()}
