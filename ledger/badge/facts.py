"""What a badge says, as the ledger knows it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

# Why a badge may have stopped being good before its last day. Revoked is for ever.
Purpose = Literal["revocation", "suspension"]
PURPOSES: tuple[Purpose, ...] = ("revocation", "suspension")


@dataclass(frozen=True, slots=True)
class Grant:
    """One granting of a certification, or one renewal: each has a badge of its own.

    `place` counts the grants of the whole ledger before this one. It is the badge's place in the
    status lists: no two grants share it, and events are never removed, so it never changes.
    """

    grant_id: UUID
    partner_id: UUID
    partner_name: str
    agreement: str
    valid_from: date
    valid_until: date
    granted_at: datetime
    position: int
    place: int


@dataclass(frozen=True, slots=True)
class Wording:
    """The sentences of a badge, in the foundation's language."""

    issuer: str
    title: str
    description: str
    criteria: str
    statement: str
    evidence: str
