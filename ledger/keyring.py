"""The secrets kept beside the database: one key file, and what is derived from it.

Whoever reads the database without this file can make no ticket code and match no sale.
Whoever loses the file can honour no ticket: it is backed up apart from the database.
"""

import os
import secrets
from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path

from psycopg import Connection

KEY_BYTES = 32


class KeyMissing(Exception):
    """The database was made with a key that is not in the key file any more."""


class KeyDiffers(Exception):
    """The key file holds another key than the one the database was made with."""


class KeyMalformed(Exception):
    """The key file does not hold 64 hexadecimal digits."""


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """Keys for one purpose each, so that none can stand in for another."""

    tickets: bytes
    sale_refs: bytes
    imports: bytes
    fingerprint: str

    @classmethod
    def of(cls, secret: bytes) -> "Keyring":
        """Derive every key from the secret of the key file."""

        def derived(purpose: bytes) -> bytes:
            return blake2b(b"don-positif", key=secret, person=purpose, digest_size=32).digest()

        return cls(
            tickets=derived(b"ticket"),
            sale_refs=derived(b"sale-ref"),
            imports=derived(b"import"),
            fingerprint=derived(b"fingerprint").hex()[:16],
        )

    def sale_ref_mac(self, partner_id: bytes, sale_ref: str) -> str:
        """Give what is kept of a shop's sale reference: it matches again, it tells nothing."""
        mac = blake2b(partner_id + sale_ref.encode(), key=self.sale_refs, digest_size=16)
        return mac.hexdigest()


def open_keyring(home: Path, connection: Connection) -> Keyring:
    """Read the key file of this home, making it when both it and the ledger are new.

    Raises KeyMissing, KeyDiffers or KeyMalformed; the database then stays as it is.
    """
    path = home / "keys" / "tickets.key"
    with connection.transaction():
        connection.execute("LOCK TABLE keyring IN EXCLUSIVE MODE")
        row = connection.execute(
            "SELECT fingerprint FROM keyring WHERE purpose = 'tickets'"
        ).fetchone()
        if not path.exists():
            if row is not None:
                raise KeyMissing(f"bring back {path} from its backup: tickets depend on it")
            create(path)
        keyring = Keyring.of(read(path))
        if row is None:
            connection.execute(
                "INSERT INTO keyring (purpose, fingerprint) VALUES ('tickets', %s)",
                (keyring.fingerprint,),
            )
        elif row[0] != keyring.fingerprint:
            raise KeyDiffers(f"{path} is not the key that this ledger's tickets were made with")
    return keyring


def create(path: Path) -> None:
    """Write a new secret that only its owner can read, durably, before anything uses it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def read(path: Path) -> bytes:
    try:
        secret = bytes.fromhex(path.read_text().strip())
    except ValueError as malformed:
        raise KeyMalformed(f"{path} holds no hexadecimal key") from malformed
    if len(secret) != KEY_BYTES:
        raise KeyMalformed(f"{path} holds {len(secret)} bytes, not {KEY_BYTES}")
    return secret


def new_till_key() -> str:
    """Make a till's key: 256 random bits behind a prefix that secret scanners can know."""
    return "dpt_" + secrets.token_urlsafe(KEY_BYTES)


def till_key_hash(key: str) -> str:
    """Give what the ledger keeps of a till's key. A plain hash is enough for 256 random bits."""
    return sha256(key.encode()).hexdigest()
