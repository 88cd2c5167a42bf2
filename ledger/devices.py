"""How a device numbers its gifts and links each to the one before it, so that a lost one shows.

The hash of a gift is SHA-256(previous ‖ canonical), both as bytes: `previous` is the hash of the
device's gift before it, 32 zero bytes for its first; `canonical` is the UTF-8 JSON array
`[till_id, number, donation_id, occurred_at, amount_cents, source, purchase_cents, ask_id,
project_id]` without spaces, where `occurred_at` is in whole milliseconds since 1970 and what is
absent is null. A sale's reference is left out, because the ledger keeps only its keyed hash.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Annotated
from uuid import UUID

import msgspec
from pydantic import BaseModel, ConfigDict, Field

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
# What JavaScript counts exactly: a till that gave every second would need 285 million years.
NUMBER_MAX = 2**53 - 1
FIRST = "0" * 64

DeviceNumber = Annotated[int, Field(ge=1, le=NUMBER_MAX)]
LinkHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DeviceLink(BaseModel):
    """A gift's place in the chain of its device."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    number: DeviceNumber = Field(description="1 for the device's first gift, then 2, 3 …")
    previous: LinkHash = Field(description="The hash of the gift before it; zeros for the first.")
    hash: LinkHash = Field(description="SHA-256 of the previous hash and the canonical fields.")


@dataclass(frozen=True, slots=True)
class LinkedGift:
    """What a link is made of; an id may be the text that an event holds of it."""

    till_id: UUID | str
    number: int
    donation_id: UUID | str
    occurred_at: datetime
    amount_cents: int
    source: str
    purchase_cents: int | None = None
    ask_id: str | None = None
    project_id: UUID | str | None = None


def canonical(gift: LinkedGift) -> bytes:
    """Write the fields of a gift that its device's hash covers."""
    fields = [
        gift.till_id,
        gift.number,
        gift.donation_id,
        (gift.occurred_at - EPOCH) // MILLISECOND,
        gift.amount_cents,
        gift.source,
        gift.purchase_cents,
        gift.ask_id,
        gift.project_id,
    ]
    return msgspec.json.encode(fields)


def link_hash(previous: str, gift: LinkedGift) -> str:
    """Give the hash that the device must have given this gift."""
    return sha256(bytes.fromhex(previous) + canonical(gift)).hexdigest()
