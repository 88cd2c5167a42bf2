"""The identities of the ledger, and the stream each one is written to."""

from hashlib import blake2b
from typing import NewType
from uuid import UUID

PartnerId = NewType("PartnerId", UUID)
TillId = NewType("TillId", UUID)
DonationId = NewType("DonationId", UUID)
StreamId = NewType("StreamId", UUID)


def stream_of(category: str, subject_id: UUID) -> StreamId:
    """Give the stream that holds the events of one subject.

    The id is hashed with its category, so that an id chosen by a till can neither meet a
    stream of another category nor cluster in the index. `category` is at most 16 ASCII letters.
    """
    return StreamId(UUID(bytes=stream_bytes(category, subject_id)))


def stream_bytes(category: str, subject_id: UUID) -> bytes:
    """Give the sixteen bytes of a stream id, for those who need no UUID made of them."""
    return blake2b(subject_id.bytes, digest_size=16, person=category.encode()).digest()
