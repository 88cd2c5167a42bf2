from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from ledger.decider import Refused
from ledger.keyring import new_till_key, till_key_hash
from ledger.tills import (
    EnrolTill,
    RevokeTill,
    RotateTillKey,
    TillAlreadyEnrolled,
    TillCommand,
    TillEnrolled,
    TillEvent,
    TillIsRevoked,
    TillKeyRotated,
    TillNotEnrolled,
    TillRevoked,
    till,
)
from tests.spec import given

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SHOP, TILL = UUID(int=1), UUID(int=2)
KEY, NEW_KEY = till_key_hash("one"), till_key_hash("two")
WHO: dict[str, Any] = {"actor": "console:anne", "till_id": TILL}


def enrol(**changes: Any) -> EnrolTill:
    terms: dict[str, Any] = {"at": NOON, "partner_id": SHOP, "name": "Caisse 1", "key_sha256": KEY}
    return EnrolTill(**WHO | terms | changes)


def rotate(key: str = NEW_KEY) -> RotateTillKey:
    return RotateTillKey(at=NOON, key_sha256=key, **WHO)


REVOKE = RevokeTill(at=NOON, reason="volée", **WHO)
ENROLLED = TillEnrolled(recorded_at=NOON, partner_id=SHOP, name="Caisse 1", key_sha256=KEY, **WHO)
ROTATED = TillKeyRotated(recorded_at=NOON, partner_id=SHOP, key_sha256=NEW_KEY, **WHO)
REVOKED = TillRevoked(recorded_at=NOON, partner_id=SHOP, reason="volée", **WHO)


class TestUnknown:
    def test_a_till_is_enrolled(self) -> None:
        given(till).when(enrol()).then(ENROLLED)

    @pytest.mark.parametrize("command", [rotate(), REVOKE])
    def test_nothing_else_is_done(self, command: TillCommand) -> None:
        given(till).when(command).then_refused(TillNotEnrolled)


class TestEnrolled:
    def test_the_same_again_is_a_repeat(self) -> None:
        given(till, ENROLLED).when(enrol()).then()

    @pytest.mark.parametrize(
        "changes", [{"partner_id": TILL}, {"name": "Caisse 2"}, {"key_sha256": NEW_KEY}]
    )
    def test_another_enrolment_under_its_id_is_refused(self, changes: dict[str, Any]) -> None:
        given(till, ENROLLED).when(enrol(**changes)).then_refused(TillAlreadyEnrolled)

    def test_its_key_is_rotated(self) -> None:
        given(till, ENROLLED).when(rotate()).then(ROTATED)

    def test_its_own_key_again_changes_nothing(self) -> None:
        given(till, ENROLLED).when(rotate(KEY)).then()

    def test_it_is_revoked(self) -> None:
        given(till, ENROLLED).when(REVOKE).then(REVOKED)


class TestRevoked:
    @pytest.mark.parametrize("command", [enrol(), rotate()])
    def test_it_never_comes_back(self, command: TillCommand) -> None:
        given(till, ENROLLED, REVOKED).when(command).then_refused(TillIsRevoked)

    def test_revoking_it_again_is_a_repeat(self) -> None:
        given(till, ENROLLED, REVOKED).when(REVOKE).then()


def test_keys_are_long_distinct_and_kept_as_hashes() -> None:
    keys = {new_till_key() for _ in range(1_000)}
    assert len(keys) == 1_000
    assert all(key.startswith("dpt_") and len(key) == 47 for key in keys)
    assert all(key not in till_key_hash(key) for key in keys)


@for_all(st.lists(st.sampled_from([enrol(), rotate(), rotate(KEY), REVOKE]), max_size=12))
def test_a_command_carried_out_can_be_repeated(commands: list[TillCommand]) -> None:
    history: list[TillEvent] = []
    for command in commands:
        try:
            history += till.decide(command, till.fold(history))
        except Refused:
            continue
        assert not till.decide(command, till.fold(history))
