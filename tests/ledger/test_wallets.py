from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError

from ledger import wallet_codes
from ledger.decider import Refused
from ledger.tickets import ALPHABET, BASE, MalformedCode
from ledger.wallets import (
    PICKS_MAX,
    AddGift,
    GiftAdded,
    GiftInAnotherWallet,
    MakeStandingChoice,
    Opened,
    OpenWallet,
    StandingChoiceMade,
    StandingChoiceWithdrawn,
    WalletCommand,
    WalletEvent,
    WalletOpened,
    WalletUnknown,
    WithdrawStandingChoice,
    place,
    wallet,
    wallet_id_of,
)
from tests.rounds import BIKES, CHOIR, OVEN, SHADE
from tests.spec import given

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
WALLET, OTHER, GIFT = UUID(int=1), UUID(int=2), UUID(int=3)
ASKED: dict[str, Any] = {"at": NOON, "actor": "public"}
HERS: dict[str, Any] = {"recorded_at": NOON, "actor": "public", "wallet_id": WALLET}

OPEN = OpenWallet(wallet_id=WALLET, **ASKED)
OPENED = WalletOpened(**HERS)
WITHDRAW = WithdrawStandingChoice(wallet_id=WALLET, **ASKED)
WITHDRAWN = StandingChoiceWithdrawn(**HERS)


def choose(*picks: UUID) -> MakeStandingChoice:
    return MakeStandingChoice(wallet_id=WALLET, picks=picks, **ASKED)


def chosen(*picks: UUID) -> StandingChoiceMade:
    return StandingChoiceMade(picks=picks, **HERS)


def keep(wallet_id: UUID) -> AddGift:
    return AddGift(donation_id=GIFT, wallet_id=wallet_id, **ASKED)


KEPT = GiftAdded(donation_id=GIFT, **HERS)


class TestUnopened:
    def test_it_is_opened(self) -> None:
        given(wallet).when(OPEN).then(OPENED)

    @pytest.mark.parametrize("command", [choose(BIKES), WITHDRAW])
    def test_nothing_is_chosen_by_an_unknown_secret(self, command: WalletCommand) -> None:
        given(wallet).when(command).then_refused(WalletUnknown)


class TestOpened:
    def test_it_is_opened_once(self) -> None:
        given(wallet, OPENED).when(OPEN).then()

    def test_the_order_of_a_choice_is_kept_and_a_pick_counts_once(self) -> None:
        given(wallet, OPENED).when(choose(SHADE, BIKES, SHADE)).then(chosen(SHADE, BIKES))

    def test_without_a_choice_nothing_is_withdrawn(self) -> None:
        given(wallet, OPENED).when(WITHDRAW).then()

    @pytest.mark.parametrize("number", [0, PICKS_MAX + 1])
    def test_a_choice_has_some_picks_and_not_too_many(self, number: int) -> None:
        with pytest.raises(ValidationError):
            choose(*(UUID(int=one) for one in range(number)))


class TestChosen:
    def test_opening_it_again_keeps_the_choice(self) -> None:
        given(wallet, OPENED, chosen(BIKES)).when(OPEN).then()

    def test_another_order_is_another_choice(self) -> None:
        history = (OPENED, chosen(BIKES, SHADE))
        given(wallet, *history).when(choose(SHADE, BIKES)).then(chosen(SHADE, BIKES))

    def test_it_is_withdrawn(self) -> None:
        given(wallet, OPENED, chosen(BIKES)).when(WITHDRAW).then(WITHDRAWN)


class TestWithdrawn:
    HISTORY = (OPENED, chosen(BIKES), WITHDRAWN)

    def test_it_is_withdrawn_once(self) -> None:
        given(wallet, *self.HISTORY).when(WITHDRAW).then()

    def test_the_same_is_chosen_anew(self) -> None:
        given(wallet, *self.HISTORY).when(choose(BIKES)).then(chosen(BIKES))


class TestGift:
    def test_a_loose_one_is_kept(self) -> None:
        given(place).when(keep(WALLET)).then(KEPT)

    def test_a_kept_one_stays_where_it_is(self) -> None:
        given(place, KEPT).when(keep(WALLET)).then()
        given(place, KEPT).when(keep(OTHER)).then_refused(GiftInAnotherWallet)


PICKS = st.lists(st.sampled_from([BIKES, SHADE, CHOIR, OVEN]), min_size=1, max_size=4)


@for_all(
    st.lists(
        st.one_of(st.just(OPEN), st.just(WITHDRAW), PICKS.map(lambda picks: choose(*picks))),
        max_size=12,
    )
)
def test_the_last_choice_holds_and_a_repeat_changes_nothing(commands: list[WalletCommand]) -> None:
    history: list[WalletEvent] = []
    expected: Sequence[UUID] | None = None
    for command in commands:
        try:
            history += wallet.decide(command, wallet.fold(history))
        except Refused:
            assert expected is None
            continue
        assert not wallet.decide(command, wallet.fold(history))
        if isinstance(command, OpenWallet):
            expected = expected or ()
        else:
            expected = getattr(command, "picks", ())
        assert wallet.fold(history) == Opened(tuple(dict.fromkeys(expected)))


class TestCode:
    # A change of these values locks everybody out of her wallet.
    CODE = "3322-2222-2222-2222-2222-222W"
    WALLET_ID = UUID("1790bf8b-94b5-affc-1a13-da173722f6de")

    def test_a_code_opens_the_same_wallet_for_ever(self) -> None:
        assert wallet_codes.code_of(1 + BASE) == self.CODE
        assert wallet_id_of(self.CODE) == self.WALLET_ID

    @for_all(st.integers(0, wallet_codes.CODES - 1))
    def test_it_is_24_plain_letters_however_they_are_typed(self, number: int) -> None:
        code = wallet_codes.code_of(number)
        assert [len(group) for group in code.split("-")] == [4] * 6
        assert set(code) <= set(ALPHABET) | {"-"}
        for typed in (code, code.lower(), code.replace("-", ""), f" {code.replace('-', ' ')}\n"):
            assert wallet_codes.parse(typed) == code

    @for_all(st.integers(0, wallet_codes.CODES - 1), st.integers(0, wallet_codes.CODES - 1))
    def test_two_numbers_have_two_codes(self, one: int, other: int) -> None:
        same = wallet_codes.code_of(one) == wallet_codes.code_of(other)
        assert same == (one == other)

    @for_all(st.integers(0, wallet_codes.CODES - 1), st.integers(0, 23), st.sampled_from(ALPHABET))
    def test_one_wrong_letter_is_always_caught(self, number: int, at: int, letter: str) -> None:
        plain = wallet_codes.code_of(number).replace("-", "")
        if plain[at] != letter:
            with pytest.raises(MalformedCode) as refused:
                wallet_codes.parse(plain[:at] + letter + plain[at + 1 :])
            assert refused.value.fields["problem"] == "check"

    @for_all(st.integers(0, wallet_codes.CODES - 1), st.integers(0, 22))
    def test_two_exchanged_letters_are_always_caught(self, number: int, at: int) -> None:
        letters = list(wallet_codes.code_of(number).replace("-", ""))
        if letters[at] != letters[at + 1]:
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
            with pytest.raises(MalformedCode):
                wallet_codes.parse("".join(letters))

    @pytest.mark.parametrize(
        ("typed", "problem"),
        [
            ("", "length"),
            ("2222-2222-2222", "length"),
            ("2222-2222-2222-2222-2222-22222", "length"),
            ("2222-2222-2222-2222-2222-222O", "character"),
        ],
    )
    def test_what_is_wrong_is_named(self, typed: str, problem: str) -> None:
        with pytest.raises(MalformedCode) as refused:
            wallet_codes.parse(typed)
        assert refused.value.fields["problem"] == problem
