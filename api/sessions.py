"""Sessions of people who signed in: a random token in a cookie, and its hash in the database."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b, sha256
from typing import Any, Final
from uuid import UUID

from psycopg.rows import tuple_row
from psycopg_pool import ConnectionPool
from starlette.requests import Request
from starlette.responses import Response

TOKEN_BYTES: Final = 32
# A desk left alone closes within two hours, and every day begins with the password.
IDLE: Final = timedelta(hours=2)
LONGEST: Final = timedelta(hours=12)
# A page a second must not be a write a second.
NOTED_EVERY: Final = timedelta(minutes=1)

SWEEP = "DELETE FROM session WHERE expires_at <= %(now)s OR seen_at <= %(idle_since)s"
OPEN = """
INSERT INTO session (token_sha256, account_id, seen_at, expires_at)
VALUES (%(hash)s, %(account)s, %(now)s, %(expires_at)s)
"""
HELD = """
SELECT account_id, seen_at FROM session
WHERE token_sha256 = %(hash)s AND expires_at > %(now)s AND seen_at > %(idle_since)s
"""
NOTE = "UPDATE session SET seen_at = %(now)s WHERE token_sha256 = %(hash)s"
END = "DELETE FROM session WHERE token_sha256 = %(hash)s"
END_ALL = "DELETE FROM session WHERE account_id = %(account)s"


@dataclass(frozen=True, slots=True)
class Sessions:
    """The open sessions of every worker; all are in the database."""

    pool: ConnectionPool[Any]

    def open(self, account_id: UUID, now: datetime) -> str:
        """Open a session and give its token, which is kept nowhere but in the cookie."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        row = {"hash": hash_of(token), "account": account_id, "expires_at": now + LONGEST}
        with self.pool.connection() as connection, connection.transaction():
            connection.execute(SWEEP, moments(now))
            connection.execute(OPEN, row | moments(now))
        return token

    def account_of(self, token: str, now: datetime) -> UUID | None:
        """Give the account whose open session has this token, and note that it was used."""
        about = {"hash": hash_of(token)} | moments(now)
        with self.pool.connection() as connection:
            row = connection.cursor(row_factory=tuple_row).execute(HELD, about).fetchone()
            if row is None:
                return None
            account_id, seen_at = row
            if now - seen_at > NOTED_EVERY:
                connection.execute(NOTE, about)
        found: UUID = account_id
        return found

    def end(self, token: str) -> None:
        with self.pool.connection() as connection:
            connection.execute(END, {"hash": hash_of(token)})

    def end_all(self, account_id: UUID) -> None:
        """End every session of an account, on every device."""
        with self.pool.connection() as connection:
            connection.execute(END_ALL, {"account": account_id})


def moments(now: datetime) -> dict[str, datetime]:
    return {"now": now, "idle_since": now - IDLE}


def hash_of(token: str) -> bytes:
    """Give what is kept of a token. A plain hash is enough for 256 random bits."""
    return sha256(token.encode()).digest()


def csrf_of(token: str) -> str:
    """Give what every form of a session carries: only who holds the cookie's page can know it."""
    return blake2b(token.encode(), person=b"form", digest_size=16).hexdigest()


def secure(request: Request) -> bool:
    """Tell whether people reach the service over https."""
    public_url: str = request.app.state.context.settings.public_url
    return public_url.startswith("https:")


def cookie_name(request: Request) -> str:
    """Give the cookie's name; over https its prefix keeps other hosts from setting it."""
    return "__Host-session" if secure(request) else "session"


def token_of(request: Request) -> str | None:
    return request.cookies.get(cookie_name(request))


def give_cookie(request: Request, response: Response, token: str) -> None:
    """Hand the browser a session's token, until the browser or the session ends."""
    response.set_cookie(
        cookie_name(request), token, secure=secure(request), httponly=True, samesite="lax"
    )


def take_cookie(request: Request, response: Response) -> None:
    response.delete_cookie(
        cookie_name(request), secure=secure(request), httponly=True, samesite="lax"
    )
