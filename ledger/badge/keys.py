"""The key that signs badges, and the public halves of those that signed before it."""

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.badge.multibase import ED25519, decoded, multikey


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class BadgeKey:
    """An Ed25519 key; `multikey` is its public half as documents write it."""

    private: Ed25519PrivateKey
    multikey: str

    @classmethod
    def of(cls, secret: bytes) -> "BadgeKey":
        """Make the key of a secret of 32 bytes."""
        private = Ed25519PrivateKey.from_private_bytes(secret)
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return cls(private, multikey(public))

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


def signed(multikey: str, message: bytes, signature: bytes) -> bool:
    """Tell whether a signature of a message is that of the key with this public half."""
    public = Ed25519PublicKey.from_public_bytes(decoded(multikey).removeprefix(ED25519))
    try:
        public.verify(signature, message)
    except InvalidSignature:
        return False
    return True
