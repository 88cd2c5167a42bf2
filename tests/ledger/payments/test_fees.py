from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError

from ledger.calendar import FIRST_DAY
from ledger.payments.fees import (
    DEFAULT_FEE,
    FIXED_CENTS_MAX,
    RATE_PER_10_000_MAX,
    CardFee,
    CardFeeInPast,
    CardFeeSet,
    SetCardFee,
    card_fees,
    cover_cents,
    fee_cents,
    fee_on,
)
from tests.spec import given

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = date(2026, 11, 23)
FEES = st.builds(
    CardFee,
    in_force_from=st.just(FIRST_DAY),
    rate_per_10_000=st.integers(0, RATE_PER_10_000_MAX),
    fixed_cents=st.integers(0, FIXED_CENTS_MAX),
)


def fee(**changes: Any) -> CardFee:
    known: dict[str, Any] = {"in_force_from": TODAY, "rate_per_10_000": 140, "fixed_cents": 20}
    return CardFee(**known | changes)


def set_fee(wanted: CardFee) -> SetCardFee:
    return SetCardFee(at=NOON, actor="account:anne", fee=wanted)


def fee_set(wanted: CardFee) -> CardFeeSet:
    return CardFeeSet(recorded_at=NOON, actor="account:anne", fee=wanted)


class TestEstimate:
    @pytest.mark.parametrize(("paid", "cents"), [(1_000, 40), (100, 27), (500, 33), (5_000, 100)])
    def test_a_fee_is_the_rate_and_a_fixed_part(self, paid: int, cents: int) -> None:
        assert fee_cents(DEFAULT_FEE, paid) == cents

    @for_all(FEES, st.integers(1, 10**9))
    def test_a_covered_gift_arrives_whole_and_not_a_cent_more_is_asked(
        self, known: CardFee, cents: int
    ) -> None:
        cover = cover_cents(known, cents)
        assert cents + cover - fee_cents(known, cents + cover) >= cents
        assert cover == 0 or cents + cover - 1 - fee_cents(known, cents + cover - 1) < cents


class TestSet:
    def test_a_fee_is_set(self) -> None:
        given(card_fees).when(set_fee(fee())).then(fee_set(fee()))

    def test_the_same_again_is_a_repeat(self) -> None:
        given(card_fees, fee_set(fee())).when(set_fee(fee())).then()

    def test_it_never_starts_in_the_past(self) -> None:
        late = fee(in_force_from=TODAY - timedelta(days=1))
        given(card_fees).when(set_fee(late)).then_refused(
            CardFeeInPast, in_force_from=late.in_force_from
        )

    @pytest.mark.parametrize(
        "changes",
        [
            {"rate_per_10_000": -1},
            {"rate_per_10_000": RATE_PER_10_000_MAX + 1},
            {"fixed_cents": -1},
            {"fixed_cents": FIXED_CENTS_MAX + 1},
            {"in_force_from": date(1999, 12, 31)},
        ],
    )
    def test_a_typing_error_is_no_command(self, changes: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            set_fee(fee(**changes))

    def test_the_usual_one_holds_until_the_first_day(self) -> None:
        state = card_fees.fold([fee_set(fee())])
        assert fee_on(state, TODAY - timedelta(days=1)) == DEFAULT_FEE
        assert fee_on(state, TODAY) == fee()

    def test_what_was_set_last_for_a_day_holds(self) -> None:
        state = card_fees.fold([fee_set(fee()), fee_set(fee(fixed_cents=30))])
        assert fee_on(state, TODAY).fixed_cents == 30

    def test_one_of_later_is_not_undone_by_one_before(self) -> None:
        later = fee(in_force_from=TODAY + timedelta(days=30), fixed_cents=30)
        state = card_fees.fold([fee_set(later), fee_set(fee())])
        assert fee_on(state, TODAY + timedelta(days=29)) == fee()
        assert fee_on(state, TODAY + timedelta(days=30)) == later
