from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from ledger.decider import Refused
from ledger.keyring import new_till_key, till_key_hash
from ledger.tills import (
    OFFER_LIFETIME,
    AcceptEnrolment,
    EnrolmentExpired,
    EnrolmentNotOffered,
    EnrolmentOffered,
    EnrolTill,
    ExplainGap,
    GapExplained,
    GapReversed,
    OfferEnrolment,
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
CODE, NEW_CODE = "c" * 32, "d" * 32
WHO: dict[str, Any] = {"actor": "console:anne", "till_id": TILL}


def enrol(**changes: Any) -> EnrolTill:
    terms: dict[str, Any] = {"at": NOON, "partner_id": SHOP, "name": "Caisse 1", "key_sha256": KEY}
    return EnrolTill(**WHO | terms | changes)


def rotate(key: str = NEW_KEY) -> RotateTillKey:
    return RotateTillKey(at=NOON, key_sha256=key, **WHO)


def offer(**changes: Any) -> OfferEnrolment:
    terms: dict[str, Any] = {"at": NOON, "partner_id": SHOP, "name": "Caisse 1", "code_mac": CODE}
    return OfferEnrolment(**WHO | terms | changes)


def offered(code_mac: str = CODE, at: datetime = NOON) -> EnrolmentOffered:
    return EnrolmentOffered(
        recorded_at=at,
        partner_id=SHOP,
        name="Caisse 1",
        code_mac=code_mac,
        expires_at=at + OFFER_LIFETIME,
        **WHO,
    )


def accept(code_mac: str = CODE, key: str = KEY, at: datetime = NOON) -> AcceptEnrolment:
    return AcceptEnrolment(at=at, code_mac=code_mac, key_sha256=key, **WHO)


def explain(**changes: Any) -> ExplainGap:
    terms: dict[str, Any] = {
        "at": NOON,
        "partner_id": SHOP,
        "first_number": 4,
        "last_number": 6,
        "reason": "device_lost",
    }
    return ExplainGap(**WHO | terms | changes)


EXPLAINED = GapExplained(
    recorded_at=NOON,
    partner_id=SHOP,
    first_number=4,
    last_number=6,
    reason="device_lost",
    **WHO,
)
REVOKE = RevokeTill(at=NOON, reason="volée", **WHO)
ENROLLED = TillEnrolled(recorded_at=NOON, partner_id=SHOP, name="Caisse 1", key_sha256=KEY, **WHO)
ROTATED = TillKeyRotated(recorded_at=NOON, partner_id=SHOP, key_sha256=NEW_KEY, **WHO)
REVOKED = TillRevoked(recorded_at=NOON, partner_id=SHOP, reason="volée", **WHO)


class TestUnknown:
    def test_a_till_is_enrolled(self) -> None:
        given(till).when(enrol()).then(ENROLLED)

    def test_it_is_offered_by_a_code_that_soon_expires(self) -> None:
        given(till).when(offer()).then(offered())

    def test_no_code_opens_it(self) -> None:
        given(till).when(accept()).then_refused(EnrolmentNotOffered)

    @pytest.mark.parametrize("command", [rotate(), REVOKE, explain()])
    def test_nothing_else_is_done(self, command: TillCommand) -> None:
        given(till).when(command).then_refused(TillNotEnrolled)


class TestOffered:
    def test_the_code_enrols_one_device(self) -> None:
        given(till, offered()).when(accept()).then(ENROLLED)
        given(till, offered(), ENROLLED).when(accept(key=NEW_KEY)).then_refused(EnrolmentNotOffered)

    def test_until_it_expires(self) -> None:
        last = NOON + OFFER_LIFETIME
        enrolled = ENROLLED.model_copy(update={"recorded_at": last})
        given(till, offered()).when(accept(at=last)).then(enrolled)
        late = accept(at=last + timedelta(seconds=1))
        given(till, offered()).when(late).then_refused(EnrolmentExpired, expired_at=last)

    def test_another_code_does_not(self) -> None:
        given(till, offered()).when(accept(NEW_CODE)).then_refused(EnrolmentNotOffered)

    def test_another_code_replaces_it(self) -> None:
        given(till, offered()).when(offer(code_mac=NEW_CODE)).then(offered(NEW_CODE))
        history = offered(), offered(NEW_CODE)
        given(till, *history).when(accept()).then_refused(EnrolmentNotOffered)
        given(till, *history).when(accept(NEW_CODE)).then(ENROLLED)

    @pytest.mark.parametrize("change", [{"partner_id": TILL}, {"name": "Caisse 2"}])
    def test_it_is_not_offered_as_something_else(self, change: dict[str, Any]) -> None:
        given(till, offered()).when(offer(**change)).then_refused(TillAlreadyEnrolled)

    @pytest.mark.parametrize("command", [rotate(), REVOKE, explain()])
    def test_nothing_else_is_done(self, command: TillCommand) -> None:
        given(till, offered()).when(command).then_refused(TillNotEnrolled)

    def test_it_is_not_enrolled_behind_the_back_of_its_code(self) -> None:
        given(till, offered()).when(enrol()).then_refused(TillAlreadyEnrolled)


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

    def test_another_device_takes_it_over_by_a_code(self) -> None:
        given(till, ENROLLED).when(offer()).then(offered())
        given(till, ENROLLED, offered()).when(accept(key=NEW_KEY)).then(ROTATED)
        given(till, ENROLLED, offered(), ROTATED).when(accept()).then_refused(EnrolmentNotOffered)

    def test_a_rotated_key_withdraws_the_code(self) -> None:
        other = accept(key=till_key_hash("three"))
        given(till, ENROLLED, offered(), ROTATED).when(other).then_refused(EnrolmentNotOffered)

    @pytest.mark.parametrize("change", [{"partner_id": TILL}, {"name": "Caisse 2"}])
    def test_it_is_not_offered_as_something_else(self, change: dict[str, Any]) -> None:
        given(till, ENROLLED).when(offer(**change)).then_refused(TillAlreadyEnrolled)

    def test_its_gap_is_explained(self) -> None:
        given(till, ENROLLED).when(explain()).then(EXPLAINED)

    def test_a_gap_may_be_explained_otherwise(self) -> None:
        other = EXPLAINED.model_copy(update={"reason": "never_made"})
        given(till, ENROLLED, EXPLAINED).when(explain(reason="never_made")).then(other)

    def test_only_its_partner_explains(self) -> None:
        given(till, ENROLLED).when(explain(partner_id=TILL)).then_refused(TillNotEnrolled)

    def test_a_gap_has_its_numbers_in_order(self) -> None:
        given(till, ENROLLED).when(explain(last_number=3)).then_refused(GapReversed)


class TestRevoked:
    @pytest.mark.parametrize("command", [enrol(), rotate(), offer(), accept()])
    def test_it_never_comes_back(self, command: TillCommand) -> None:
        given(till, ENROLLED, REVOKED).when(command).then_refused(TillIsRevoked)

    def test_revoking_it_again_is_a_repeat(self) -> None:
        given(till, ENROLLED, REVOKED).when(REVOKE).then()

    def test_its_gap_is_explained_afterwards(self) -> None:
        given(till, ENROLLED, REVOKED).when(explain()).then(EXPLAINED)
        given(till, ENROLLED, EXPLAINED, REVOKED).when(explain()).then()


def test_keys_are_long_distinct_and_kept_as_hashes() -> None:
    keys = {new_till_key() for _ in range(1_000)}
    assert len(keys) == 1_000
    assert all(key.startswith("dpt_") and len(key) == 47 for key in keys)
    assert all(key not in till_key_hash(key) for key in keys)


COMMANDS: list[TillCommand] = [
    *(enrol(), rotate(), rotate(KEY), REVOKE),
    *(offer(), offer(code_mac=NEW_CODE), accept(), accept(NEW_CODE, NEW_KEY), explain()),
]


@for_all(st.lists(st.sampled_from(COMMANDS), max_size=12))
def test_a_command_carried_out_can_be_repeated(commands: list[TillCommand]) -> None:
    history: list[TillEvent] = []
    for command in commands:
        try:
            history += till.decide(command, till.fold(history))
        except Refused:
            continue
        assert not till.decide(command, till.fold(history))
