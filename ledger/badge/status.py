"""Which badges are revoked or suspended: a list of bits, signed (Bitstring Status List 1.0).

One request fetches the state of every badge, so nobody learns whose badge is being looked at.
"""

import gzip
import zlib
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from ledger.badge.contexts import CREDENTIALS
from ledger.badge.facts import PURPOSES, Purpose
from ledger.badge.multibase import NotMultibase, base64, decoded
from ledger.badge.times import instant

# The specification's minimum, so that a list tells little by its length. It grows by as much.
PLACES = 131_072
BYTES_MAX = 1 << 24
# How long a verifier may keep the list: a revocation shows within a minute.
KEEP_MILLISECONDS = 60_000
# An old list cannot be shown for ever in the place of a newer one.
GOOD_FOR = timedelta(days=2)


class NotAStatusList(Exception):
    """The text is not the compressed list of bits that it should be."""


def list_url(public_url: str, purpose: Purpose) -> str:
    return f"{public_url}/badges/status/{purpose}"


def entries(public_url: str, place: int) -> list[dict[str, str]]:
    """Say, in a badge, where its bits are."""
    return [
        {
            "id": f"{list_url(public_url, purpose)}#{place}",
            "type": "BitstringStatusListEntry",
            "statusPurpose": purpose,
            "statusListIndex": str(place),
            "statusListCredential": list_url(public_url, purpose),
        }
        for purpose in PURPOSES
    ]


def encoded(places: Collection[int]) -> str:
    """Compress the bits: the first place is the highest bit of the first byte."""
    length = (max(places, default=0) // PLACES + 1) * PLACES
    bits = bytearray(length // 8)
    for place in places:
        bits[place // 8] |= 0x80 >> place % 8
    return base64(gzip.compress(bytes(bits), mtime=0))


def is_set(text: str, place: int) -> bool:
    """Read one bit of a compressed list. Raises NotAStatusList."""
    try:
        reader = zlib.decompressobj(wbits=31)
        bits = reader.decompress(decoded(text), BYTES_MAX)
    except (NotMultibase, zlib.error) as failure:
        raise NotAStatusList from failure
    if not (0 <= place < len(bits) * 8) or not reader.eof:
        raise NotAStatusList
    return bool(bits[place // 8] & 0x80 >> place % 8)


def status_list(
    did: str, public_url: str, purpose: Purpose, places: Collection[int], at: datetime
) -> dict[str, Any]:
    """Write the list of one purpose as a credential, still without proofs."""
    address = list_url(public_url, purpose)
    return {
        "@context": [CREDENTIALS],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": did,
        "validFrom": instant(at),
        "validUntil": instant(at + GOOD_FOR),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": purpose,
            "encodedList": encoded(places),
            "ttl": KEEP_MILLISECONDS,
        },
    }
