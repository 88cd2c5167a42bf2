"""The secrets kept beside the database: a key file for tickets, another for badges.

Whoever reads the database without these files can make no ticket code, match no sale and sign no
badge. Whoever loses them can honour no ticket: they are backed up apart from the database.
"""

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b, sha256
from pathlib import Path

from psycopg import Connection

from ledger.badge.keys import BadgeKey

KEY_BYTES = 32
BADGE_KEYS = """
SELECT multikey FROM (
    SELECT fingerprint AS multikey, NULL AS retired_at FROM keyring WHERE purpose = 'badge'
    UNION ALL
    SELECT multikey, retired_at FROM badge_key_retired
) AS keys
ORDER BY retired_at DESC NULLS FIRST, multikey
"""
RETIRE = "INSERT INTO badge_key_retired (multikey) VALUES (%(multikey)s)"
REPLACE = "UPDATE keyring SET fingerprint = %(multikey)s WHERE purpose = 'badge'"
LOCK = "LOCK TABLE keyring IN EXCLUSIVE MODE"


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
    bank: bytes
    enrolments: bytes
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
            bank=derived(b"bank"),
            enrolments=derived(b"enrolment"),
            fingerprint=derived(b"fingerprint").hex()[:16],
        )

    def sale_ref_mac(self, partner_id: bytes, sale_ref: str) -> str:
        """Give what is kept of a shop's sale reference: it matches again, it tells nothing."""
        mac = blake2b(partner_id + sale_ref.encode(), key=self.sale_refs, digest_size=16)
        return mac.hexdigest()

    def bank_mac(self, purpose: str, text: str) -> str:
        """Give what events keep of a payer's account or own id; `purpose` tells them apart."""
        said = f"{purpose}\0{text}".encode()
        return blake2b(said, key=self.bank, digest_size=16).hexdigest()


def open_keyring(home: Path, connection: Connection) -> Keyring:
    """Open the keys of tickets, sale references and imports; see `open_secret`."""
    secret = open_secret(home, connection, "tickets", lambda secret: Keyring.of(secret).fingerprint)
    return Keyring.of(secret)


def open_badge_key(home: Path, connection: Connection) -> BadgeKey:
    """Open the key that signs badges; see `open_secret`. Its public half is its fingerprint."""
    with connection.transaction():
        connection.execute(LOCK)
        settle_badge_key(home, badge_keys(connection))
    secret = open_secret(home, connection, "badge", lambda secret: BadgeKey.of(secret).multikey)
    return BadgeKey.of(secret)


def badge_keys(connection: Connection) -> tuple[str, ...]:
    """Give the public halves of the keys of badges: the present one, then those before it."""
    rows = connection.execute(BADGE_KEYS).fetchall()
    return tuple(row[0] for row in rows)


def settle_badge_key(home: Path, known: tuple[str, ...]) -> None:
    """Put the new key in the place of the old one, if a rotation was cut short after its commit."""
    following = home / "keys" / "badge.next.key"
    if known and following.exists() and BadgeKey.of(read(following)).multikey == known[0]:
        following.rename(home / "keys" / "badge.key")
        sync_folder(following.parent)


def rotate_badge_key(home: Path, connection: Connection, *, leaked: bool) -> BadgeKey:
    """Make another key that signs badges; the secret of the old one goes.

    Badges of the old key still verify, unless it leaked: then whoever has it could go on signing.
    Stopped anywhere, it leaves the old key at work or the new one.
    """
    with connection.transaction():
        old = open_badge_key(home, connection)
        connection.execute(LOCK)
        following = home / "keys" / "badge.next.key"
        create(following)
        new = BadgeKey.of(read(following))
        if not leaked:
            connection.execute(RETIRE, {"multikey": old.multikey})
        connection.execute(REPLACE, {"multikey": new.multikey})
    return open_badge_key(home, connection)


def open_secret(
    home: Path, connection: Connection, purpose: str, fingerprint: Callable[[bytes], str]
) -> bytes:
    """Read a key file of this home, making it when both it and what it is for are new.

    Raises KeyMissing, KeyDiffers or KeyMalformed; the database then stays as it is.
    """
    path = home / "keys" / f"{purpose}.key"
    with connection.transaction():
        connection.execute(LOCK)
        row = connection.execute(
            "SELECT fingerprint FROM keyring WHERE purpose = %s", (purpose,)
        ).fetchone()
        if not path.exists():
            if row is not None:
                raise KeyMissing(f"bring back {path} from its backup: the ledger depends on it")
            create(path)
        secret = read(path)
        if row is None:
            connection.execute(
                "INSERT INTO keyring (purpose, fingerprint) VALUES (%s, %s)",
                (purpose, fingerprint(secret)),
            )
        elif row[0] != fingerprint(secret):
            raise KeyDiffers(f"{path} is not the key that this ledger was made with")
    return secret


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
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
