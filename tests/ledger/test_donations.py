from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError

from ledger.decider import Refused
from ledger.devices import FIRST, DeviceLink
from ledger.donations import (
    DonationCommand,
    DonationDiffers,
    DonationEvent,
    DonationNotFound,
    DonationRecorded,
    DonationReversed,
    OccurredInFuture,
    RecordDonation,
    ReversalDiffers,
    ReversalExceedsGift,
    ReverseDonation,
    donation,
)
from tests.spec import given

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
GIFT, SHOP, OTHER_SHOP, TILL, BACK, BACK_TOO = (UUID(int=number) for number in range(1, 7))


def record(**changes: Any) -> RecordDonation:
    terms: dict[str, Any] = {
        "at": NOON,
        "actor": "till:4",
        "donation_id": GIFT,
        "partner_id": SHOP,
        "till_id": TILL,
        "source": "customer",
        "amount_cents": 40,
        "occurred_at": NOON - timedelta(minutes=1),
        "occurred_on": NOON.date(),
        "purchase_cents": 1_260,
        "ask_id": "round-up",
        "partner_standing": "active",
    }
    return RecordDonation(**terms | changes)


def recorded(**changes: Any) -> DonationRecorded:
    terms: dict[str, Any] = {
        "recorded_at": NOON,
        "actor": "till:4",
        "donation_id": GIFT,
        "partner_id": SHOP,
        "till_id": TILL,
        "source": "customer",
        "amount_cents": 40,
        "occurred_at": NOON - timedelta(minutes=1),
        "occurred_on": NOON.date(),
        "purchase_cents": 1_260,
        "ask_id": "round-up",
    }
    return DonationRecorded(**terms | changes)


def reverse(amount_cents: int = 40, **changes: Any) -> ReverseDonation:
    terms: dict[str, Any] = {
        "at": NOON,
        "actor": "till:4",
        "donation_id": GIFT,
        "reversal_id": BACK,
        "partner_id": SHOP,
        "till_id": TILL,
        "amount_cents": amount_cents,
        "reason": "sale_returned",
        "reversed_on": NOON.date(),
    }
    return ReverseDonation(**terms | changes)


def was_reversed(amount_cents: int = 40, **changes: Any) -> DonationReversed:
    terms: dict[str, Any] = {
        "recorded_at": NOON,
        "actor": "till:4",
        "donation_id": GIFT,
        "reversal_id": BACK,
        "partner_id": SHOP,
        "till_id": TILL,
        "source": "customer",
        "amount_cents": amount_cents,
        "reason": "sale_returned",
        "reversed_on": NOON.date(),
    }
    return DonationReversed(**terms | changes)


LINK = DeviceLink(number=7, previous="a" * 64, hash="b" * 64)
LINKED: dict[str, Any] = {
    "device_number": 7,
    "device_previous": "a" * 64,
    "device_hash": "b" * 64,
}


class TestNotRecorded:
    def test_a_gift_is_recorded(self) -> None:
        given(donation).when(record()).then(recorded())

    def test_a_till_whose_clock_runs_ten_minutes_ahead_is_believed(self) -> None:
        ahead = NOON + timedelta(minutes=10)
        given(donation).when(record(occurred_at=ahead)).then(recorded(occurred_at=ahead))

    def test_a_gift_dated_further_ahead_is_refused(self) -> None:
        ahead = NOON + timedelta(minutes=10, microseconds=1)
        given(donation).when(record(occurred_at=ahead)).then_refused(OccurredInFuture)

    def test_its_place_in_the_chain_of_its_device_is_kept_and_not_judged(self) -> None:
        given(donation).when(record(device=LINK)).then(recorded(**LINKED))

    def test_nothing_is_reversed(self) -> None:
        given(donation).when(reverse()).then_refused(DonationNotFound)

    @pytest.mark.parametrize(
        ("changes", "flag"),
        [
            ({"occurred_at": NOON - timedelta(days=30, microseconds=1)}, "late"),
            ({"partner_standing": "lapsed"}, "partner_not_active"),
            ({"partner_standing": "suspended"}, "partner_not_active"),
            ({"amount_cents": 50_001, "purchase_cents": None}, "large_amount"),
            ({"amount_cents": 1_261}, "exceeds_purchase"),
        ],
    )
    def test_what_deserves_a_look_is_recorded_and_flagged(
        self, changes: dict[str, Any], flag: str
    ) -> None:
        kept = {name: value for name, value in changes.items() if name != "partner_standing"}
        given(donation).when(record(**changes)).then(recorded(**kept, flags=(flag,)))

    @pytest.mark.parametrize(
        "changes",
        [
            {"occurred_at": NOON - timedelta(days=30)},
            {"amount_cents": 50_000, "purchase_cents": None},
            {"amount_cents": 1_260},
        ],
    )
    def test_what_is_just_within_bounds_is_not_flagged(self, changes: dict[str, Any]) -> None:
        given(donation).when(record(**changes)).then(recorded(**changes))

    @pytest.mark.parametrize(
        "changes",
        [
            {"amount_cents": 0},
            {"amount_cents": -1},
            {"amount_cents": 0.4},
            {"amount_cents": 10**11 + 1},
            {"source": "town"},
            {"ask_id": "Round up!"},
            {"occurred_at": datetime(2026, 11, 23, 12)},  # noqa: DTZ001 - naive on purpose.
        ],
    )
    def test_a_malformed_command_cannot_be_made(self, changes: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            record(**changes)


class TestRecordedByADevice:
    def test_the_same_link_again_is_a_repeat(self) -> None:
        given(donation, recorded(**LINKED)).when(record(device=LINK)).then()

    @pytest.mark.parametrize(
        "device",
        [None, *(LINK.model_copy(update=one) for one in ({"number": 8}, {"previous": FIRST}))],
    )
    def test_another_link_is_a_contradiction(self, device: DeviceLink | None) -> None:
        again = record(device=device)
        given(donation, recorded(**LINKED)).when(again).then_refused(DonationDiffers)


class TestRecorded:
    def test_the_same_gift_again_is_a_repeat_whenever_it_comes(self) -> None:
        later = record(at=NOON + timedelta(days=400), partner_standing="lapsed")
        given(donation, recorded()).when(later).then()

    @pytest.mark.parametrize(
        "changes",
        [
            {"partner_id": OTHER_SHOP},
            {"till_id": OTHER_SHOP},
            {"source": "shop"},
            {"amount_cents": 41},
            {"occurred_at": NOON},
            {"purchase_cents": 1_261},
            {"purchase_cents": None},
            {"sale_ref_mac": "ab"},
            {"ask_id": None},
            {"project_id": SHOP},
        ],
    )
    def test_another_gift_under_its_id_is_refused(self, changes: dict[str, Any]) -> None:
        given(donation, recorded()).when(record(**changes)).then_refused(
            DonationDiffers, donation_id=GIFT
        )

    def test_the_whole_gift_is_given_back(self) -> None:
        given(donation, recorded()).when(reverse()).then(was_reversed())

    def test_a_part_is_given_back(self) -> None:
        given(donation, recorded()).when(reverse(15)).then(was_reversed(15))

    def test_no_more_is_given_back_than_was_given(self) -> None:
        given(donation, recorded()).when(reverse(41)).then_refused(
            ReversalExceedsGift, remaining_cents=40
        )

    def test_another_shop_hears_that_there_is_no_such_gift(self) -> None:
        given(donation, recorded()).when(reverse(partner_id=OTHER_SHOP)).then_refused(
            DonationNotFound
        )

    def test_another_till_of_the_shop_gives_back(self) -> None:
        given(donation, recorded()).when(reverse(till_id=OTHER_SHOP)).then(
            was_reversed(till_id=OTHER_SHOP)
        )


class TestPartlyReversed:
    def test_the_rest_is_given_back(self) -> None:
        rest = {"reversal_id": BACK_TOO, "reason": "mistake"}
        given(donation, recorded(), was_reversed(15)).when(reverse(25, **rest)).then(
            was_reversed(25, **rest)
        )

    def test_no_more_than_the_rest_is_given_back(self) -> None:
        given(donation, recorded(), was_reversed(15)).when(
            reverse(26, reversal_id=BACK_TOO)
        ).then_refused(ReversalExceedsGift, remaining_cents=25)

    def test_the_same_reversal_again_is_a_repeat(self) -> None:
        given(donation, recorded(), was_reversed(15)).when(reverse(15)).then()

    @pytest.mark.parametrize("changes", [{"amount_cents": 16}, {"reason": "mistake"}])
    def test_another_reversal_under_its_id_is_refused(self, changes: dict[str, Any]) -> None:
        command = reverse(**{"amount_cents": 15} | changes)
        given(donation, recorded(), was_reversed(15)).when(command).then_refused(ReversalDiffers)

    def test_the_gift_again_is_a_repeat(self) -> None:
        given(donation, recorded(), was_reversed(15)).when(record()).then()


records = st.builds(
    record, amount_cents=st.integers(1, 60), source=st.sampled_from(["customer", "shop"])
)
reversals = st.builds(
    lambda amount, number, shop: reverse(amount, reversal_id=UUID(int=number), partner_id=shop),
    st.integers(1, 60),
    st.integers(10, 14),
    st.sampled_from([SHOP, SHOP, OTHER_SHOP]),
)


@for_all(st.lists(records | reversals, max_size=20))
def test_every_command_can_be_repeated_and_never_more_is_given_back_than_given(
    commands: list[DonationCommand],
) -> None:
    history: list[DonationEvent] = []
    for command in commands:
        try:
            history += donation.decide(command, donation.fold(history))
        except Refused:
            continue
        assert not donation.decide(command, donation.fold(history))
    given_cents = sum(e.amount_cents for e in history if isinstance(e, DonationRecorded))
    reversed_cents = sum(e.amount_cents for e in history if isinstance(e, DonationReversed))
    assert reversed_cents <= given_cents
    assert sum(isinstance(e, DonationRecorded) for e in history) <= 1
