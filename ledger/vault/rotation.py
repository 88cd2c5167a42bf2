"""The end of an erasure: a new key-encryption key for those who stay, the old one destroyed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import tuple_row

from ledger.keyring import LOCK, create, read
from ledger.vault.keys import Kek, next_path, open_kek
from ledger.vault.vault import opened

BATCH = 1_000
SURVIVORS = "SELECT count(*) FROM vault_key"
KEYS = """
SELECT subject_id, wrapped FROM vault_key WHERE version < %(version)s
ORDER BY subject_id LIMIT %(limit)s
"""
REWRAP = """
UPDATE vault_key AS k SET wrapped = n.wrapped, version = %(version)s
FROM unnest(%(subjects)s::uuid[], %(wrapped)s::bytea[]) AS n (subject_id, wrapped)
WHERE k.subject_id = n.subject_id
"""
SOUGHT = """
SELECT subject_id, field, sealed FROM vault_index JOIN vault_field USING (subject_id, field)
WHERE subject_id = ANY(%(subjects)s)
"""
REINDEX = """
UPDATE vault_index SET mac = %(mac)s WHERE subject_id = %(subject)s AND field = %(field)s
"""
REMEMBER = """
UPDATE keyring SET fingerprint = %(fingerprint)s, version = %(version)s WHERE purpose = 'vault'
"""
ENDS = "UPDATE vault_erasure SET version = %(version)s WHERE complete_at IS NULL"
COMPLETED = "SELECT count(*) FROM vault_erasure WHERE version = %(version)s"


@dataclass(frozen=True, slots=True)
class Rotated:
    """A finished rotation: the new key's version, the people kept, the erasures it completed."""

    version: int
    survivors: int
    erasures: int


def survivors(connection: Connection[Any]) -> int:
    """Count the people whose data keys a rotation wraps anew."""
    row = connection.cursor(row_factory=tuple_row).execute(SURVIVORS).fetchone()
    return 0 if row is None else int(row[0])


def rotate(connection: Connection[Any], home: Path, advance: Callable[[int], object]) -> Rotated:
    """Wrap every data key anew under a new key-encryption key, then destroy the old one.

    Stopped anywhere, it leaves a vault that opens: before the commit with the old key, after it
    with the new one, and the next start destroys the old. `settle` says what destroying cannot do.
    """
    folder = home / "keys"
    with connection.transaction():
        cursor = connection.cursor(row_factory=tuple_row)
        cursor.execute(LOCK)
        old = open_kek(connection, folder)
        create(next_path(folder))
        new = Kek.of(read(next_path(folder)), old.version + 1)
        kept = wrap_anew(cursor, old, new, advance)
        cursor.execute(REMEMBER, {"fingerprint": new.fingerprint, "version": new.version})
        cursor.execute(ENDS, {"version": new.version})
    open_kek(connection, folder)
    row = cursor.execute(COMPLETED, {"version": new.version}).fetchone()
    return Rotated(new.version, kept, 0 if row is None else int(row[0]))


def wrap_anew(cursor: Cursor[Any], old: Kek, new: Kek, advance: Callable[[int], object]) -> int:
    kept = 0
    while rows := cursor.execute(KEYS, {"version": new.version, "limit": BATCH}).fetchall():
        keys: dict[UUID, bytes] = {
            subject_id: old.unwrap(subject_id, bytes(wrapped)) for subject_id, wrapped in rows
        }
        wrapped = [new.wrap(subject_id, key) for subject_id, key in keys.items()]
        batch = {"subjects": list(keys), "wrapped": wrapped, "version": new.version}
        cursor.execute(REWRAP, batch)
        for subject_id, field, sealed in cursor.execute(SOUGHT, batch).fetchall():
            text = opened(keys[subject_id], subject_id, field, bytes(sealed))
            mac = new.mac(field, text)
            cursor.execute(REINDEX, {"subject": subject_id, "field": field, "mac": mac})
        kept += len(rows)
        advance(len(rows))
    return kept
