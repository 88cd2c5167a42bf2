"""What lets people in: passwords, one-time links, and a limit on how often one may try."""

import ipaddress
import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from psycopg.rows import tuple_row
from psycopg_pool import ConnectionPool

from api.sessions import TOKEN_BYTES, hash_of
from ledger.decider import Refused
from ledger.vault import Vault

PASSWORD_MIN: Final = 12
# Beyond it a password is an attack on the hash, not a secret.
PASSWORD_MAX: Final = 200
ENROLMENT: Final = timedelta(days=7)
RESET: Final = timedelta(hours=1)
WINDOW: Final = timedelta(minutes=15)
# Each is counted apart: who mistypes a till's code can still sign in.
Purpose = Literal[
    "sign_in",
    "password",
    "reset",
    "enrolment",
    "complaint",
    "idea",
    "ambassador",
    "wallet",
    "standing_choice",
    "give",
]
# A shop's whole team may share an address; nobody types one account's password ten times.
ATTEMPTS_MAX: Final = {"account": 10, "address": 50}

ENROL = """
INSERT INTO account (account_id, subject_id) VALUES (%(account)s, %(subject)s)
ON CONFLICT DO NOTHING
"""
OF_SUBJECT = "SELECT account_id, password_argon2 FROM account WHERE subject_id = %(subject)s"
SET_PASSWORD = "UPDATE account SET password_argon2 = %(hash)s WHERE account_id = %(account)s"  # noqa: S105
OFFER = """
INSERT INTO one_time_link (token_sha256, account_id, expires_at)
VALUES (%(hash)s, %(account)s, %(expires_at)s)
"""
OFFERED = (
    "SELECT account_id FROM one_time_link WHERE token_sha256 = %(hash)s AND expires_at > %(now)s"
)
# A link that was used withdraws every other link of the account.
WITHDRAW = "DELETE FROM one_time_link WHERE account_id = %(account)s OR expires_at <= %(now)s"
FORGET_LINKS = "DELETE FROM one_time_link WHERE account_id = %(account)s"
LOCK = "SELECT pg_advisory_xact_lock(('x' || encode(%(origin)s, 'hex'))::bit(64)::bigint)"
FORGET_OLD = "DELETE FROM login_attempt WHERE attempted_at <= %(since)s"
RECENT = """
SELECT count(*), min(attempted_at) FROM login_attempt
WHERE origin = %(origin)s AND attempted_at > %(since)s
"""
ATTEMPT = "INSERT INTO login_attempt (origin, attempted_at) VALUES (%(origin)s, %(now)s)"
FORGIVE = "DELETE FROM login_attempt WHERE origin = %(origin)s"
TAKE_BACK = """
DELETE FROM login_attempt WHERE ctid = (
    SELECT ctid FROM login_attempt WHERE origin = %(origin)s AND attempted_at = %(now)s LIMIT 1
)
"""
# One household or shop gets a whole network of this size, and every address in it.
IPV6_PREFIX: Final = 64


class TooManyAttempts(Refused):
    """Too many attempts failed from this address or on this account: wait a while."""


class PasswordRefused(Refused):
    """The password is too short or too long."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The secrets of accounts, as hashes. Safe to share between threads; hashing takes a while."""

    pool: ConnectionPool[Any]
    vault: Vault
    hasher: PasswordHasher = field(default_factory=PasswordHasher)

    def enrol(self, account_id: UUID, subject_id: UUID) -> None:
        with self.pool.connection() as connection:
            connection.execute(ENROL, {"account": account_id, "subject": subject_id})

    def account_of(self, subject_id: UUID) -> UUID | None:
        row = self._of(subject_id)
        return None if row is None else row[0]

    def set_password(self, account_id: UUID, password: str) -> None:
        """Raises PasswordRefused."""
        if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
            raise PasswordRefused(length_min=PASSWORD_MIN, length_max=PASSWORD_MAX)
        hashed = self.hasher.hash(password)
        with self.pool.connection() as connection:
            connection.execute(SET_PASSWORD, {"account": account_id, "hash": hashed})

    def forget(self, account_id: UUID) -> None:
        """Forget an account's password and links. Its row of two random ids stays."""
        about = {"account": account_id, "hash": None}
        with self.pool.connection() as connection, connection.transaction():
            connection.execute(SET_PASSWORD, about)
            connection.execute(FORGET_LINKS, about)

    def check(self, subject_id: UUID | None, password: str) -> UUID | None:
        """Give the account of a person whose password this is; takes as long when it is not."""
        row = None if subject_id is None else self._of(subject_id)
        account_id, known = row or (None, None)
        try:
            self.hasher.verify(known or decoy(self.hasher), password[: PASSWORD_MAX + 1])
        except (VerificationError, InvalidHashError):
            return None
        return account_id if known else None

    def offer_link(self, account_id: UUID, now: datetime, lifetime: timedelta) -> str:
        """Make a link that sets the account's password once, and give its token."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        row = {"hash": hash_of(token), "account": account_id, "expires_at": now + lifetime}
        with self.pool.connection() as connection:
            connection.execute(OFFER, row)
        return token

    def account_of_link(self, token: str, now: datetime) -> UUID | None:
        """Give the account that a link still opens."""
        about = {"hash": hash_of(token), "now": now}
        with self.pool.connection() as connection:
            row = connection.cursor(row_factory=tuple_row).execute(OFFERED, about).fetchone()
        return None if row is None else row[0]

    def use_link(self, token: str, password: str, now: datetime) -> UUID | None:
        """Set the password by a link, which then opens nothing any more. Raises PasswordRefused."""
        if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
            raise PasswordRefused(length_min=PASSWORD_MIN, length_max=PASSWORD_MAX)
        hashed = self.hasher.hash(password)
        about = {"hash": hash_of(token), "now": now}
        with self.pool.connection() as connection, connection.transaction():
            cursor = connection.cursor(row_factory=tuple_row)
            row = cursor.execute(f"{OFFERED} FOR UPDATE", about).fetchone()
            if row is None:
                return None
            account_id: UUID = row[0]
            cursor.execute(WITHDRAW, {"account": account_id, "now": now})
            cursor.execute(SET_PASSWORD, {"account": account_id, "hash": hashed})
        return account_id

    def withdraw_links(self, account_id: UUID, now: datetime) -> None:
        with self.pool.connection() as connection:
            connection.execute(WITHDRAW, {"account": account_id, "now": now})

    def attempt(self, purpose: Purpose, origins: dict[str, str], now: datetime) -> None:
        """Count an attempt against each origin. Raises TooManyAttempts, and then counts nothing.

        `origins` are by kind, as in ATTEMPTS_MAX; they are kept as keyed hashes for the window.
        """
        since = now - WINDOW
        hashed = sorted((self._origin(purpose, *one), one[0]) for one in origins.items())
        with self.pool.connection() as connection, connection.transaction():
            cursor = connection.cursor(row_factory=tuple_row)
            cursor.execute(FORGET_OLD, {"since": since})
            for origin, kind in hashed:
                about = {"origin": origin, "since": since}
                cursor.execute(LOCK, about)
                count, first = cursor.execute(RECENT, about).fetchone() or (0, now)
                if count >= ATTEMPTS_MAX[kind]:
                    wait = first + WINDOW - now
                    raise TooManyAttempts(retry_minutes=max(1, -(-wait.seconds // 60)))
            for origin, _ in hashed:
                cursor.execute(ATTEMPT, {"origin": origin, "now": now})

    def forgive(self, purpose: Purpose, origins: dict[str, str], now: datetime) -> None:
        """Forget the attempts on an account, for the one counted at `now` was right.

        From an address only that one is forgotten: an account of one's own opens no other.
        """
        with self.pool.connection() as connection:
            for kind, text in origins.items():
                about = {"origin": self._origin(purpose, kind, text), "now": now}
                connection.execute(FORGIVE if kind == "account" else TAKE_BACK, about)

    def _of(self, subject_id: UUID) -> tuple[UUID, str | None] | None:
        with self.pool.connection() as connection:
            cursor = connection.cursor(row_factory=tuple_row)
            row = cursor.execute(OF_SUBJECT, {"subject": subject_id}).fetchone()
        return None if row is None else (row[0], row[1])

    def _origin(self, purpose: Purpose, kind: str, text: str) -> bytes:
        counted = network_of(text) if kind == "address" else text
        return self.vault.mac(f"{purpose} {kind}", counted)


def network_of(address: str) -> str:
    """Give what one client can choose from: an IPv4 address, or a network of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:  # noqa: PLR2004 - the protocol's own number.
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found.packed, IPV6_PREFIX), strict=False))


def decoy(hasher: PasswordHasher) -> str:
    """Make a hash that no password has, but that takes as long to check as any other."""

    def noise(length: int) -> str:
        return b64encode(secrets.token_bytes(length)).decode().rstrip("=")

    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${costs}${noise(hasher.salt_len)}${noise(hasher.hash_len)}"
