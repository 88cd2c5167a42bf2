from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError
from stdnum import iso11649

from ledger.decider import Refused
from ledger.pledges import (
    CallDiffers,
    CallDueInPast,
    CallExceedsPledge,
    CallPledge,
    Made,
    MakePledge,
    NothingToWithdraw,
    PledgeCalled,
    PledgeCommand,
    PledgeDiffers,
    PledgedInFuture,
    PledgeEvent,
    PledgeMade,
    PledgeNotFound,
    PledgeOfAnotherRound,
    PledgeUsed,
    PledgeWithdrawn,
    UseDiffers,
    UseExceedsPledge,
    UsePledge,
    WithdrawnInFuture,
    WithdrawPledge,
    call_reference,
    pledge,
)
from tests.spec import given

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = date(2026, 11, 23)
PLEDGE, CALL, OTHER_CALL = UUID(int=1), UUID(int=2), UUID(int=3)
SPRING, AUTUMN = UUID(int=4), UUID(int=5)
AT_NOON: dict[str, Any] = {"at": NOON}
WHO: dict[str, Any] = {"actor": f"account:{UUID(int=9)}", "pledge_id": PLEDGE}
CONTENTS: dict[str, Any] = {"sponsor": "mairie", "cents": 1000, "pledged_on": TODAY}
CALL_TERMS: dict[str, Any] = {"call_id": CALL, "cents": 600, "due_on": TODAY}


def make(**changes: Any) -> MakePledge:
    return MakePledge(**AT_NOON | {"round_id": None} | WHO | CONTENTS | changes)


def called(**changes: Any) -> CallPledge:
    return CallPledge(**AT_NOON | WHO | CALL_TERMS | changes)


def use(cents: int = 400, round_id: UUID = SPRING) -> UsePledge:
    return UsePledge(at=NOON, round_id=round_id, cents=cents, **WHO)


def withdraw(banked_cents: int = 0, on: date = TODAY) -> WithdrawPledge:
    return WithdrawPledge(at=NOON, banked_cents=banked_cents, withdrawn_on=on, **WHO)


MADE = PledgeMade(recorded_at=NOON, **WHO, **CONTENTS)
CALLED = PledgeCalled(
    recorded_at=NOON, **WHO, call_id=CALL, cents=600, due_on=TODAY, reference=call_reference(CALL)
)
USED = PledgeUsed(recorded_at=NOON, **WHO, round_id=SPRING, cents=400)


def withdrawn(cents: int) -> PledgeWithdrawn:
    return PledgeWithdrawn(recorded_at=NOON, **WHO, cents=cents, withdrawn_on=TODAY)


class TestUnmade:
    def test_it_is_made(self) -> None:
        given(pledge).when(make()).then(MADE)

    def test_for_one_round_only(self) -> None:
        for_spring = MADE.model_copy(update={"round_id": SPRING})
        given(pledge).when(make(round_id=SPRING)).then(for_spring)

    def test_nobody_promised_tomorrow(self) -> None:
        tomorrow = make(pledged_on=TODAY + timedelta(days=1))
        given(pledge).when(tomorrow).then_refused(PledgedInFuture)

    @pytest.mark.parametrize("changes", [{"cents": 0}, {"sponsor": "La Mairie"}, {"sponsor": ""}])
    def test_a_typing_error_is_no_command(self, changes: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            make(**changes)

    @pytest.mark.parametrize("command", [called(), use(), withdraw()])
    def test_nothing_else_is_done(self, command: PledgeCommand) -> None:
        given(pledge).when(command).then_refused(PledgeNotFound)


class TestMade:
    def test_the_same_again_is_a_repeat(self) -> None:
        given(pledge, MADE).when(make()).then()

    @pytest.mark.parametrize("changes", [{"cents": 1001}, {"round_id": SPRING}])
    def test_another_under_its_id_is_refused(self, changes: dict[str, Any]) -> None:
        given(pledge, MADE).when(make(**changes)).then_refused(PledgeDiffers)

    def test_a_part_is_called(self) -> None:
        given(pledge, MADE).when(called()).then(CALLED)

    def test_no_more_than_was_promised(self) -> None:
        too_much = called(cents=1001)
        given(pledge, MADE).when(too_much).then_refused(CallExceedsPledge, uncalled_cents=1000)

    def test_nobody_is_late_when_called(self) -> None:
        late = called(due_on=TODAY - timedelta(days=1))
        given(pledge, MADE).when(late).then_refused(CallDueInPast)

    def test_a_round_takes_of_it(self) -> None:
        given(pledge, MADE).when(use()).then(USED)

    def test_no_more_than_was_promised_to_rounds(self) -> None:
        given(pledge, MADE).when(use(1001)).then_refused(UseExceedsPledge, free_cents=1000)

    def test_only_the_round_that_it_was_promised_for(self) -> None:
        for_autumn = MADE.model_copy(update={"round_id": AUTUMN})
        given(pledge, for_autumn).when(use()).then_refused(PledgeOfAnotherRound)

    def test_its_reference_is_one_that_banks_carry(self) -> None:
        assert iso11649.is_valid(call_reference(CALL))
        assert call_reference(CALL) != call_reference(OTHER_CALL)


class TestCalled:
    def test_the_same_call_again_is_a_repeat(self) -> None:
        given(pledge, MADE, CALLED).when(called()).then()

    def test_another_amount_under_its_id_is_refused(self) -> None:
        given(pledge, MADE, CALLED).when(called(cents=601)).then_refused(CallDiffers)

    def test_the_rest_is_called(self) -> None:
        rest = CALLED.model_copy(
            update={"call_id": OTHER_CALL, "cents": 400, "reference": call_reference(OTHER_CALL)}
        )
        command = called(call_id=OTHER_CALL, cents=400)
        given(pledge, MADE, CALLED).when(command).then(rest)

    def test_and_not_a_cent_more(self) -> None:
        command = called(call_id=OTHER_CALL, cents=401)
        given(pledge, MADE, CALLED).when(command).then_refused(CallExceedsPledge)


class TestUsed:
    def test_a_round_takes_once(self) -> None:
        given(pledge, MADE, USED).when(use()).then()

    def test_and_never_another_amount(self) -> None:
        given(pledge, MADE, USED).when(use(500)).then_refused(UseDiffers, used_cents=400)

    def test_the_next_round_takes_what_is_left(self) -> None:
        next_use = USED.model_copy(update={"round_id": AUTUMN, "cents": 600})
        given(pledge, MADE, USED).when(use(600, AUTUMN)).then(next_use)

    def test_and_not_a_cent_more(self) -> None:
        given(pledge, MADE, USED).when(use(601, AUTUMN)).then_refused(UseExceedsPledge)


class TestWithdrawn:
    def test_all_of_it(self) -> None:
        given(pledge, MADE).when(withdraw()).then(withdrawn(1000))

    def test_not_what_a_round_took(self) -> None:
        given(pledge, MADE, USED).when(withdraw()).then(withdrawn(600))

    def test_nor_what_was_paid(self) -> None:
        given(pledge, MADE, USED).when(withdraw(banked_cents=700)).then(withdrawn(300))

    def test_there_is_nothing_left_to_keep(self) -> None:
        given(pledge, MADE).when(withdraw(banked_cents=1000)).then_refused(NothingToWithdraw)

    def test_nobody_withdrew_tomorrow(self) -> None:
        tomorrow = withdraw(on=TODAY + timedelta(days=1))
        given(pledge, MADE).when(tomorrow).then_refused(WithdrawnInFuture)

    @pytest.mark.parametrize(
        ("command", "refusal"),
        [(called(cents=1), CallExceedsPledge), (use(1), UseExceedsPledge)],
    )
    def test_what_is_withdrawn_is_gone(
        self, command: PledgeCommand, refusal: type[Refused]
    ) -> None:
        given(pledge, MADE, withdrawn(1000)).when(command).then_refused(refusal)


AMOUNTS = st.integers(1, 1200)
COMMANDS = st.one_of(
    st.just(make()),
    st.builds(use, AMOUNTS, st.sampled_from([SPRING, AUTUMN, UUID(int=6)])),
    st.builds(
        lambda cents, call_id: called(cents=cents, call_id=call_id),
        AMOUNTS,
        st.sampled_from([CALL, OTHER_CALL]),
    ),
    st.builds(withdraw, st.integers(0, 1200)),
)


@for_all(st.lists(COMMANDS, max_size=12))
def test_no_cent_is_used_twice_and_each_command_can_be_repeated(
    commands: list[PledgeCommand],
) -> None:
    history: list[PledgeEvent] = []
    for command in commands:
        try:
            history += pledge.decide(command, pledge.fold(history))
        except Refused:
            continue
        assert not pledge.decide(command, pledge.fold(history))
    known = pledge.fold(history)
    if isinstance(known, Made):
        used = sum(one.cents for one in history if isinstance(one, PledgeUsed))
        gone = sum(one.cents for one in history if isinstance(one, PledgeWithdrawn))
        assert known.free_cents == known.made.cents - used - gone >= 0
