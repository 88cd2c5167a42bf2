"""The page where anybody checks a badge: in the browser, or by the server where no script runs."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, get_args
from uuid import UUID

from fastapi import APIRouter
from psycopg import Connection
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from api.auth import public
from api.badge import desk_of
from api.deps import context_of
from api.forms import MULTIPART, form_of
from api.home import PAGE
from api.pages import Address, private_page, public_page
from api.refusals import BadgeNotGranted, BodyTooLarge, PartnerNotFound
from ledger.badge.verdict import Verdict, judge
from ledger.calendar import civil_day

router = APIRouter(include_in_schema=False)

BADGE_BYTES_MAX: Final = 65_536
SIGNED: Final = frozenset({"genuine", "revoked", "suspended", "expired", "not_yet"})
# What the page can say. Only a browser finds the lists unreachable.
VERDICTS: Final = (*get_args(Verdict), "unreachable", "missing")


@dataclass(frozen=True, slots=True)
class Said:
    """What a badge says that is shown, once its signatures hold."""

    shop: str
    agreement: str
    valid_from: date
    valid_until: date

    @classmethod
    def by(cls, document: dict[str, Any]) -> "Said":
        subject = document["credentialSubject"]
        return cls(
            shop=subject["name"],
            agreement=subject["licenseNumber"],
            valid_from=civil_day(datetime.fromisoformat(document["validFrom"])),
            valid_until=civil_day(datetime.fromisoformat(document["validUntil"])),
        )


@router.api_route("/verify", **PAGE)
@public()
async def verify_page(request: Request) -> Response:
    """Ask for a badge; that of the partner in the query is filled in."""
    desk = await run_in_threadpool(desk_of, request)
    wanted = request.query_params.get("partner", "")

    def gather(connection: Connection[Any]) -> dict[str, Any]:
        typed = ""
        try:
            today = civil_day(datetime.now(UTC))
            typed = desk.badge(connection, UUID(wanted), today).decode()
        except (ValueError, PartnerNotFound, BadgeNotGranted):
            pass
        return {"typed": typed, "verdict": None, "badge": None, "verdicts": VERDICTS}

    return await public_page(request, "badge/verify.html", gather, Address("/verify"))


@router.post("/verify")
@public()
async def verify(request: Request) -> Response:
    """Judge a badge that was sent as a text or as a file. It is kept nowhere."""
    text = await text_sent(request)
    if not text.strip():
        return answer(request, text, "missing", None)
    document = parsed(text)
    verdict = await run_in_threadpool(judged, request, document)
    badge = Said.by(document) if verdict in SIGNED else None
    return answer(request, text, verdict, badge)


def judged(request: Request, document: Any) -> Verdict:
    desk = desk_of(request)
    at = datetime.now(UTC)
    with context_of(request).pool.connection() as connection:
        bits = desk.bits(connection, at)
    return judge(document, desk.public_url, desk.multikeys, bits, at)


async def text_sent(request: Request) -> str:
    """Read the badge from the form. Raises BodyTooLarge."""
    try:
        text = (await form_of(request)).get("badge", "")
        if request.headers.get("content-type", "").startswith(MULTIPART):
            file = (await request.form()).get("file")
            if isinstance(file, UploadFile) and file.size:
                text = (await file.read(BADGE_BYTES_MAX + 1)).decode("utf-8", "replace")
    finally:
        await request.close()
    if len(text) > BADGE_BYTES_MAX:
        raise BodyTooLarge(bytes_max=BADGE_BYTES_MAX)
    return text


def parsed(text: str) -> Any:
    """Read a JSON document; None for what is none, or is nested beyond reason."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def answer(request: Request, typed: str, verdict: str, badge: Said | None) -> Response:
    values = {"typed": typed, "verdict": verdict, "badge": badge, "verdicts": VERDICTS}
    status = 422 if verdict == "missing" else 200
    return private_page(request, "badge/verify.html", values, Address("/verify"), status=status)
