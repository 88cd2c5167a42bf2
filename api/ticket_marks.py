"""The mark of a ticket that opened here a moment ago, which its own forms and links carry.

Whoever guesses codes from the same address must not shut out somebody between her choice and its
confirmation: a ticket with its mark is let past the limit on guesses. A mark opens nothing by
itself, and none but the ticket it was made for.
"""

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from hmac import compare_digest
from typing import Final

from api.deps import Context

LIFETIME: Final = timedelta(hours=2)
MARK_MAX: Final = 60


def mark_of(context: Context, code: str) -> str:
    """Make the mark of a code that opened just now."""
    expires = int((datetime.now(UTC) + LIFETIME).timestamp())
    return f"{expires}-{signature(context, code, expires)}"


def is_marked(context: Context, code: str, mark: str) -> bool:
    """Tell in constant time whether a mark is of this code, and still holds."""
    text, _, signed = mark[:MARK_MAX].partition("-")
    if not (text.isascii() and text.isdigit()):
        return False
    right = compare_digest(signature(context, code, int(text)).encode(), signed.encode())
    return right and datetime.now(UTC).timestamp() < int(text)


def signature(context: Context, code: str, expires: int) -> str:
    said = f"{code} {expires}".encode()
    key = context.keyring.tickets
    return blake2b(said, key=key, person=b"mark", digest_size=16).hexdigest()
