"""How an ambassador without account comes to her own page: letters, and her browser’s mark."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal
from uuid import UUID, uuid4

from psycopg.rows import class_row
from starlette.requests import Request
from starlette.responses import Response

from api.ambassadors import EMAIL_FIELD, NAME_FIELD, enrolled, new_code, read_all
from api.deps import Context
from api.mail import letter
from api.sessions import TOKEN_BYTES, hash_of, secure
from ledger.ambassadors import AmbassadorNotFound, EnrolAmbassador, ambassador, ambassador_id_of

Kind = Literal["enrolment", "link", "browser"]
LETTER: Final = timedelta(days=3)
BROWSER: Final = timedelta(days=400)
# What the vault keeps while an officer has not decided whether her name is published.
WISH_FIELD, WISHED = "naming", "asked"

KEEP = """
INSERT INTO ambassador_link (token_sha256, kind, code, subject_id, expires_at)
VALUES (%(token)s, %(kind)s, %(code)s, %(subject_id)s, %(expires_at)s)
"""
READ = """
SELECT kind, code, subject_id FROM ambassador_link
WHERE token_sha256 = %(token)s AND expires_at > %(now)s
"""
USED = "DELETE FROM ambassador_link WHERE token_sha256 = %(token)s"
FORGET = "DELETE FROM ambassador_link WHERE code = %(code)s"
EXPIRED = "DELETE FROM ambassador_link WHERE expires_at <= %(now)s RETURNING kind, code, subject_id"


@dataclass(frozen=True, slots=True)
class Link:
    kind: Kind
    code: str
    subject_id: UUID


def give(context: Context, kind: Kind, code: str, subject_id: UUID) -> str:
    """Keep a link or a mark; give its token, which is kept nowhere."""
    token, lifetime = secrets.token_urlsafe(TOKEN_BYTES), BROWSER if kind == "browser" else LETTER
    row = {
        "token": hash_of(token),
        "kind": kind,
        "code": code,
        "subject_id": subject_id,
        "expires_at": datetime.now(UTC) + lifetime,
    }
    with context.pool.connection() as connection:
        connection.execute(KEEP, row)
    return token


def read(context: Context, token: str) -> Link | None:
    about = {"token": hash_of(token), "now": datetime.now(UTC)}
    with context.pool.connection() as connection:
        return connection.cursor(row_factory=class_row(Link)).execute(READ, about).fetchone()


def forget_expired(context: Context) -> None:
    """Drop what is too old, and erase whoever never confirmed that she wants to be enrolled."""
    with context.pool.connection() as connection:
        cursor = connection.cursor(row_factory=class_row(Link))
        gone = cursor.execute(EXPIRED, {"now": datetime.now(UTC)}).fetchall()
    for one in gone:
        if one.kind == "enrolment" and not is_enrolled(context, one.code):
            context.vault.erase(one.subject_id)


def forget(context: Context, code: str) -> None:
    """Drop every link and mark of an ambassador."""
    with context.pool.connection() as connection:
        connection.execute(FORGET, {"code": code})


def is_enrolled(context: Context, code: str) -> bool:
    try:
        return not enrolled(context, ambassador_id_of(code)).retired
    except AmbassadorNotFound:
        return False


def code_of_address(context: Context, email: str) -> tuple[str, UUID] | None:
    """Give the code and subject of the ambassador who has an address, None when nobody does."""
    for one in read_all(context):
        known = context.vault.get(one.subject_id, EMAIL_FIELD)
        if one.retired_on is None and known == email:
            return one.code, one.subject_id
    return None


def send_link(context: Context, email: str, code: str, subject_id: UUID) -> None:
    """Send a one-time link to an ambassador's own page. Raises MailFailed."""
    token = give(context, "link", code, subject_id)
    link = f"{context.settings.public_url}/ambassadors/link/{token}"
    context.mail.send(letter(email, "ambassador.txt", link=link, code=code))


def ask(context: Context, name: str, email: str, *, to_be_named: bool) -> None:
    """Keep what somebody wrote who wants to be an ambassador, and send her the link that enrols.

    Who is one already is sent the link to her page: the answer is the same. Raises MailFailed.
    """
    forget_expired(context)
    known = code_of_address(context, email)
    if known is not None:
        send_link(context, email, *known)
        return
    code, subject_id = new_code(), uuid4()
    context.vault.put(subject_id, NAME_FIELD, name)
    context.vault.put(subject_id, EMAIL_FIELD, email)
    if to_be_named:
        context.vault.put(subject_id, WISH_FIELD, WISHED)
    token = give(context, "enrolment", code, subject_id)
    link = f"{context.settings.public_url}/ambassadors/link/{token}"
    context.mail.send(letter(email, "ambassador_new.txt", link=link))


def take(context: Context, token: str) -> str | None:
    """Use a one-time link: enrol who asked for it; give the mark of her browser.

    Gives None when the link opens nothing. The event comes first: stopped half way, the same link
    completes it.
    """
    found = read(context, token)
    if found is None or found.kind == "browser":
        return None
    if found.kind == "enrolment":
        email = context.vault.get(found.subject_id, EMAIL_FIELD)
        holder = context.vault.find(EMAIL_FIELD, email) if email else None
        ambassador_id = ambassador_id_of(found.code)
        command = EnrolAmbassador(
            at=datetime.now(UTC),
            actor="public",
            ambassador_id=ambassador_id,
            subject_id=found.subject_id,
            code=found.code,
            account_id=None if holder is None else context.credentials.account_of(holder),
        )
        context.ledger.handle(ambassador, ambassador_id, command)
    mark = give(context, "browser", found.code, found.subject_id)
    with context.pool.connection() as connection:
        connection.execute(USED, {"token": hash_of(token)})
    return mark


def cookie_name(request: Request) -> str:
    return "__Host-ambassador" if secure(request) else "ambassador"


def code_here(context: Context, request: Request) -> str | None:
    """Give the code of the ambassador whose browser this is, None when it is nobody's. Blocks."""
    token = request.cookies.get(cookie_name(request))
    found = None if token is None else read(context, token)
    return None if found is None or found.kind != "browser" else found.code


def mark_browser(request: Request, response: Response, mark: str) -> Response:
    name, safe, seconds = cookie_name(request), secure(request), int(BROWSER.total_seconds())
    response.set_cookie(name, mark, seconds, secure=safe, httponly=True, samesite="lax")
    return response


def unmark_browser(request: Request, response: Response) -> Response:
    name, safe = cookie_name(request), secure(request)
    response.delete_cookie(name, secure=safe, httponly=True, samesite="lax")
    return response
