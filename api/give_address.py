"""The address that a donor comes back to, which tells what became of her payment: her secret."""

from hashlib import blake2b
from hmac import compare_digest
from uuid import UUID

from api.deps import Context


def return_path(context: Context, payment_id: UUID) -> str:
    """Give the page that tells what became of a payment: its address is its donor's secret."""
    return f"/give/{payment_id}/{token_of(context, payment_id)}"


def token_of(context: Context, payment_id: UUID) -> str:
    key = context.keyring.tickets
    return blake2b(payment_id.bytes, key=key, person=b"return", digest_size=16).hexdigest()


def is_token(context: Context, payment_id: UUID, token: str) -> bool:
    """Tell in constant time whether an address was given to this payment's donor."""
    return compare_digest(token_of(context, payment_id).encode(), token.encode())
