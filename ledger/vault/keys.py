"""The vault's key-encryption key: a file, its fingerprint in the database, and its versions."""

import os
import secrets
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import Connection
from psycopg.rows import tuple_row

from ledger.keyring import (
    LOCK,
    KeyDiffers,
    KeyMalformed,
    KeyMissing,
    create,
    read,
    sync_folder,
)

NONCE_BYTES = 12
CURRENT = "SELECT fingerprint, version FROM keyring WHERE purpose = 'vault'"
REMEMBER = "INSERT INTO keyring (purpose, fingerprint) VALUES ('vault', %s)"
COMPLETE = """
UPDATE vault_erasure SET complete_at = now() WHERE complete_at IS NULL AND version <= %(version)s
"""


class VaultTampered(Exception):
    """What is stored was altered or moved outside of this program; it does not open."""


@dataclass(frozen=True, slots=True, repr=False)
class Kek:
    """One version of the key-encryption key, as keys for one purpose each."""

    version: int
    fingerprint: str
    wrapping: bytes
    index: bytes

    @classmethod
    def of(cls, secret: bytes, version: int) -> "Kek":
        def derived(purpose: bytes) -> bytes:
            return blake2b(b"vault", key=secret, person=purpose, digest_size=32).digest()

        return cls(version, derived(b"fingerprint").hex()[:16], derived(b"wrap"), derived(b"index"))

    def wrap(self, subject_id: UUID, key: bytes) -> bytes:
        return seal(self.wrapping, key, subject_id.bytes)

    def unwrap(self, subject_id: UUID, wrapped: bytes) -> bytes:
        """Give a data key. Raises VaultTampered."""
        key = unseal(self.wrapping, wrapped, subject_id.bytes)
        if key is None:
            raise VaultTampered(f"the data key of subject {subject_id} was altered or moved")
        return key

    def mac(self, purpose: str, text: str) -> bytes:
        """Give a keyed hash of a text; `purpose` holds no NUL."""
        said = f"{purpose}\0{text}".encode()
        return blake2b(said, key=self.index, digest_size=16).digest()


def seal(key: bytes, text: bytes, place: bytes) -> bytes:
    """Encrypt by AES-256-GCM under a fresh nonce, bound to a place: nonce, then ciphertext."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, text, place)


def unseal(key: bytes, sealed: bytes, place: bytes) -> bytes | None:
    """Undo `seal`; None when the text, its place or the key is not the one it was sealed with."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
    except (InvalidTag, ValueError):
        return None


def key_path(folder: Path) -> Path:
    return folder / "vault.key"


def next_path(folder: Path) -> Path:
    """Where a rotation keeps the new key until the old one is destroyed."""
    return folder / "vault.next.key"


def open_kek(connection: Connection[Any], folder: Path) -> Kek:
    """Give the key this database was made with, making it when new; finish what was interrupted.

    Raises KeyMissing, KeyDiffers or KeyMalformed; the database then stays as it is.
    """
    path = key_path(folder)
    with connection.transaction():
        cursor = connection.cursor(row_factory=tuple_row)
        cursor.execute(LOCK)
        row = cursor.execute(CURRENT).fetchone()
        if row is None:
            if not path.exists():
                create(path)
            kek = Kek.of(read(path), 1)
            cursor.execute(REMEMBER, (kek.fingerprint,))
            return kek
        kek = read_kek(folder, *row)
        settle(folder, kek)
        cursor.execute(COMPLETE, {"version": kek.version})
    return kek


def read_kek(folder: Path, fingerprint: str, version: int) -> Kek:
    """Find the key of a fingerprint: in its file, or beside it while a rotation ends."""
    malformed: KeyMalformed | None = None
    found = False
    # A rotation may move the second file to the first between our two looks: so three.
    for path in (key_path(folder), next_path(folder), key_path(folder)):
        try:
            kek = Kek.of(read(path), version)
        except FileNotFoundError:
            continue
        except KeyMalformed as error:
            malformed = error
            continue
        found = True
        if kek.fingerprint == fingerprint:
            return kek
    if found:
        raise KeyDiffers(f"{key_path(folder)} is not the key that this vault was sealed with")
    if malformed is not None:
        raise malformed
    raise KeyMissing(f"bring back {key_path(folder)} from its backup: personal data depend on it")


def settle(folder: Path, kek: Kek) -> None:
    """Leave one key file, which holds this key; destroy the key that a rotation replaced.

    The old key is overwritten in place and unlinked. That is all a program can do: a disk that
    writes elsewhere (flash, copy-on-write, snapshots) and every backup of the file may keep it.
    """
    path, following = key_path(folder), next_path(folder)
    if not following.exists():
        return
    if Kek.of(read(following), kek.version).fingerprint != kek.fingerprint:
        return  # It is of a rotation that never was: the next one writes over it.
    if path.exists():
        overwrite(path)
    following.rename(path)
    sync_folder(folder)


def overwrite(path: Path) -> None:
    """Replace what a file holds by noise, on the disk, before its name goes."""
    with path.open("r+b") as file:
        length = file.seek(0, os.SEEK_END)
        file.seek(0)
        file.write(secrets.token_bytes(length))
        file.flush()
        os.fsync(file.fileno())
