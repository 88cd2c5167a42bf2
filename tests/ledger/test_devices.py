from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError

from ledger.devices import FIRST, DeviceLink, LinkedGift, canonical, link_hash

NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
GIFT = LinkedGift(
    till_id=UUID("d5832f62-ec84-4b11-b282-6ba9446ff139"),
    number=1,
    donation_id=UUID("7d0c29a1-6a4e-4c5e-8a10-1f6b3c9d2e4a"),
    occurred_at=NOON,
    amount_cents=66,
    source="customer",
    purchase_cents=1234,
    ask_id="round-up.fr.1",
)
CANONICAL = (
    b'["d5832f62-ec84-4b11-b282-6ba9446ff139",1,"7d0c29a1-6a4e-4c5e-8a10-1f6b3c9d2e4a",'
    b'1795435200123,66,"customer",1234,"round-up.fr.1",null]'
)


def changed(**changes: Any) -> LinkedGift:
    fields = {name: getattr(GIFT, name) for name in GIFT.__slots__}
    return LinkedGift(**fields | changes)


def test_the_canonical_form_is_the_one_that_devices_make() -> None:
    assert canonical(GIFT) == CANONICAL
    assert link_hash(FIRST, GIFT) == sha256(bytes(32) + CANONICAL).hexdigest()


@pytest.mark.parametrize(
    "changes",
    [
        {"till_id": UUID(int=1)},
        {"number": 2},
        {"donation_id": UUID(int=1)},
        {"occurred_at": NOON + timedelta(milliseconds=1)},
        {"amount_cents": 67},
        {"source": "shop"},
        {"purchase_cents": None},
        {"ask_id": None},
        {"project_id": UUID(int=1)},
    ],
)
def test_every_field_counts(changes: dict[str, Any]) -> None:
    assert link_hash(FIRST, changed(**changes)) != link_hash(FIRST, GIFT)
    assert link_hash("1" * 64, GIFT) != link_hash(FIRST, GIFT)


@for_all(st.timezones(), st.integers(0, 999))
def test_a_moment_is_the_same_in_every_zone(zone: Any, microseconds: int) -> None:
    moment = NOON.replace(microsecond=123_000 + microseconds).astimezone(zone)
    assert canonical(changed(occurred_at=moment)) == CANONICAL


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 0},
        {"number": 2**53},
        {"number": True},
        {"number": 1.0},
        {"previous": "0" * 63},
        {"hash": "G" * 64},
        {"hash": ("A" * 64)},
        {"more": 1},
    ],
)
def test_a_link_has_one_form(changes: dict[str, Any]) -> None:
    link: dict[str, Any] = {"number": 1, "previous": FIRST, "hash": "a" * 64}
    DeviceLink(**link)
    with pytest.raises(ValidationError):
        DeviceLink(**link | changes)
