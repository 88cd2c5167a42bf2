"""The vault: what is known of people, sealed for each of them, and erased for good.

Each person's fields are sealed under a data key of her own. Data keys are wrapped by the
key-encryption key, a file outside PostgreSQL: whoever holds only the database reads nothing.
"""

import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.errors import UniqueViolation
from psycopg.rows import tuple_row
from psycopg_pool import ConnectionPool

from ledger.decider import Refused
from ledger.keyring import KEY_BYTES
from ledger.vault.keys import Kek, VaultTampered, open_kek, read_kek, seal, unseal

CURRENT = "SELECT fingerprint, version FROM keyring WHERE purpose = 'vault'"
# Holds the key-encryption key still until the transaction ends: a rotation waits.
HOLD = f"{CURRENT} FOR SHARE"
FIELDS = """
SELECT version, wrapped, field, sealed FROM vault_key JOIN vault_field USING (subject_id)
WHERE subject_id = %(subject)s AND (%(field)s::text IS NULL OR field = %(field)s)
"""
FIELD_OF_ALL = """
SELECT subject_id, version, wrapped, sealed FROM vault_key JOIN vault_field USING (subject_id)
WHERE subject_id = ANY(%(subjects)s::uuid[]) AND field = %(field)s
"""
DATA_KEY = "SELECT wrapped FROM vault_key WHERE subject_id = %(subject)s FOR UPDATE"
NEW_DATA_KEY = """
INSERT INTO vault_key (subject_id, version, wrapped) VALUES (%(subject)s, %(version)s, %(wrapped)s)
ON CONFLICT (subject_id) DO NOTHING
"""
PUT = """
INSERT INTO vault_field (subject_id, field, sealed) VALUES (%(subject)s, %(field)s, %(sealed)s)
ON CONFLICT (subject_id, field) DO UPDATE SET sealed = excluded.sealed
"""
PUT_INDEX = """
INSERT INTO vault_index (field, mac, subject_id) VALUES (%(field)s, %(mac)s, %(subject)s)
ON CONFLICT (subject_id, field) DO UPDATE SET mac = excluded.mac
"""
FIND = """
SELECT version, (SELECT subject_id FROM vault_index WHERE field = %(field)s AND mac = %(mac)s)
FROM keyring WHERE purpose = 'vault'
"""
NEW_DATA_KEYS = """
INSERT INTO vault_key (subject_id, version, wrapped)
SELECT n.subject_id, %(version)s, n.wrapped
FROM unnest(%(subjects)b::uuid[], %(wrapped)b::bytea[]) AS n (subject_id, wrapped)
WHERE NOT EXISTS (SELECT FROM vault_erasure AS e WHERE e.subject_id = n.subject_id)
ON CONFLICT (subject_id) DO NOTHING
RETURNING subject_id
"""
PUT_ALL = """
INSERT INTO vault_field (subject_id, field, sealed)
SELECT n.subject_id, %(field)s, n.sealed
FROM unnest(%(subjects)b::uuid[], %(sealed)b::bytea[]) AS n (subject_id, sealed)
"""
ERASED = "SELECT FROM vault_erasure WHERE subject_id = %(subject)s"
ERASE = "DELETE FROM vault_key WHERE subject_id = %(subject)s"
NOTE_ERASURE = """
INSERT INTO vault_erasure (subject_id) VALUES (%(subject)s) ON CONFLICT (subject_id) DO NOTHING
"""
PENDING = "SELECT count(*) FROM vault_erasure WHERE complete_at IS NULL"


class SubjectErased(Refused):
    """This person was erased: nothing may be kept of her again under the same id."""


class FieldTaken(Refused):
    """Somebody else is found by this already."""


class Vault:
    """Reads and writes what is known of people. Safe to share between threads."""

    def __init__(self, pool: ConnectionPool[Any], home: Path) -> None:
        """Open the key file of a home, made when new.

        Raises KeyMissing, KeyDiffers or KeyMalformed. A rotation that was interrupted is finished.
        """
        self._pool = pool
        self._folder = home / "keys"
        self._lock = threading.Lock()
        with pool.connection() as connection:
            self._kek = open_kek(connection, self._folder)

    def put(self, subject_id: UUID, field: str, text: str, *, sought: bool = False) -> None:
        """Keep one field of a person; with `sought`, she can be found by it, and nobody else.

        Raises SubjectErased, FieldTaken.
        """
        with self._writing() as (cursor, kek):
            about: dict[str, Any] = {"subject": subject_id, "field": field}
            if cursor.execute(ERASED, about).fetchone() is not None:
                raise SubjectErased(subject_id=subject_id)
            key = data_key(cursor, kek, subject_id)
            sealed = seal(key, text.encode(), place(subject_id, field))
            cursor.execute(PUT, about | {"sealed": sealed})
            if sought:
                try:
                    cursor.execute(PUT_INDEX, about | {"mac": kek.mac(field, text)})
                except UniqueViolation:
                    raise FieldTaken(field=field) from None

    def put_all(self, field: str, texts: Mapping[UUID, str]) -> int:
        """Keep a first field of many at once; give of how many.

        Whoever is known already keeps what is known, and whoever was erased stays so.
        """
        with self._writing() as (cursor, kek):
            keys = {subject_id: secrets.token_bytes(KEY_BYTES) for subject_id in texts}
            wrapped = [kek.wrap(subject_id, key) for subject_id, key in keys.items()]
            asked = {"subjects": list(keys), "wrapped": wrapped, "version": kek.version}
            new = [row[0] for row in cursor.execute(NEW_DATA_KEYS, asked).fetchall()]
            sealed = [
                seal(keys[subject_id], texts[subject_id].encode(), place(subject_id, field))
                for subject_id in new
            ]
            cursor.execute(PUT_ALL, {"subjects": new, "sealed": sealed, "field": field})
        return len(new)

    def get_all(self, field: str, subject_ids: Sequence[UUID]) -> dict[UUID, str]:
        """Give one field of many; those of whom it is not known are left out."""
        while True:
            kek = self._kek
            asked = {"subjects": list(subject_ids), "field": field}
            with self._pool.connection() as connection:
                cursor = connection.cursor(row_factory=tuple_row)
                rows = cursor.execute(FIELD_OF_ALL, asked).fetchall()
                if all(row[1] == kek.version for row in rows):
                    break
                self._follow(connection)
        return {
            subject_id: opened(
                kek.unwrap(subject_id, bytes(wrapped)), subject_id, field, bytes(sealed)
            )
            for subject_id, _, wrapped, sealed in rows
        }

    def get(self, subject_id: UUID, field: str) -> str | None:
        """Give one field of a person, None when it is not known. Raises VaultTampered."""
        return self._read(subject_id, field).get(field)

    def fields(self, subject_id: UUID) -> dict[str, str]:
        """Give all that is known of a person. Raises VaultTampered."""
        return self._read(subject_id, None)

    def find(self, field: str, text: str) -> UUID | None:
        """Give the person whose sought field holds exactly this text."""
        while True:
            kek = self._kek
            about = {"field": field, "mac": kek.mac(field, text)}
            with self._pool.connection() as connection:
                row = connection.cursor(row_factory=tuple_row).execute(FIND, about).fetchone()
                if row is not None and row[0] == kek.version:
                    subject_id: UUID | None = row[1]
                    return subject_id
                self._follow(connection)

    def mac(self, purpose: str, text: str) -> bytes:
        """Give a keyed hash by which a text is recognised until the next rotation."""
        return self._kek.mac(purpose, text)

    def erase(self, subject_id: UUID) -> None:
        """Delete all that is known of a person, and the key that opens any old copy of it.

        The erasure is complete after the next rotation: until then both stand in old copies of
        the table files and logs of PostgreSQL.
        """
        with self._writing() as (cursor, _):
            cursor.execute(ERASE, {"subject": subject_id})
            cursor.execute(NOTE_ERASURE, {"subject": subject_id})

    def is_erased(self, subject_id: UUID) -> bool:
        """Tell whether this person was erased; it may wait for a rotation to be complete."""
        with self._pool.connection() as connection:
            return connection.execute(ERASED, {"subject": subject_id}).fetchone() is not None

    def erasures_pending(self) -> int:
        """Count the erasures that wait for a rotation to be complete."""
        with self._pool.connection() as connection:
            row = connection.cursor(row_factory=tuple_row).execute(PENDING).fetchone()
        return 0 if row is None else int(row[0])

    def _read(self, subject_id: UUID, field: str | None) -> dict[str, str]:
        while True:
            kek = self._kek
            with self._pool.connection() as connection:
                cursor = connection.cursor(row_factory=tuple_row)
                rows = cursor.execute(FIELDS, {"subject": subject_id, "field": field}).fetchall()
                if not rows or rows[0][0] == kek.version:
                    break
                self._follow(connection)
        if not rows:
            return {}
        key = kek.unwrap(subject_id, bytes(rows[0][1]))
        return {name: opened(key, subject_id, name, bytes(sealed)) for *_, name, sealed in rows}

    def _follow(self, connection: Connection[Any]) -> None:
        """Take up the key that a rotation elsewhere put in place of ours, and forget ours."""
        row = connection.cursor(row_factory=tuple_row).execute(CURRENT).fetchone()
        self._take(row)

    def _take(self, row: tuple[str, int] | None) -> Kek:
        if row is None:
            raise VaultTampered("the keyring no longer knows the vault's key")
        with self._lock:
            if self._kek.version != row[1]:
                self._kek = read_kek(self._folder, *row)
            return self._kek

    @contextmanager
    def _writing(self) -> Iterator[tuple[Cursor[Any], Kek]]:
        with self._pool.connection() as connection, connection.transaction():
            cursor = connection.cursor(row_factory=tuple_row)
            yield cursor, self._take(cursor.execute(HOLD).fetchone())


def data_key(cursor: Cursor[Any], kek: Kek, subject_id: UUID) -> bytes:
    """Give the data key of a person, made when she is new."""
    fresh = kek.wrap(subject_id, secrets.token_bytes(KEY_BYTES))
    new = {"subject": subject_id, "version": kek.version, "wrapped": fresh}
    cursor.execute(NEW_DATA_KEY, new)
    (wrapped,) = cursor.execute(DATA_KEY, new).fetchone() or (fresh,)
    return kek.unwrap(subject_id, bytes(wrapped))


def opened(key: bytes, subject_id: UUID, field: str, sealed: bytes) -> str:
    text = unseal(key, sealed, place(subject_id, field))
    if text is None:
        raise VaultTampered(f"field {field} of subject {subject_id} was altered or moved")
    return text.decode()


def place(subject_id: UUID, field: str) -> bytes:
    """Give what a sealed text is bound to: moved to another person or field it does not open."""
    return subject_id.bytes + field.encode()
