from typing import Any

import pytest

from ledger.actors import ActorWithoutAccount
from ledger.settlements.commands import (
    ProposerApprovesWriteOff,
    SettlementCommand,
    WriteOffClosed,
    WriteOffDiffers,
    WriteOffExceedsDebt,
    WriteOffNotFound,
    WriteOffPending,
    WriteOffProposerDisabled,
    WriteOffWithInterest,
)
from ledger.settlements.decider import settlement
from ledger.settlements.events import WriteOffDiscarded
from tests.ledger.settlements.papers import (
    ANNE,
    APPROVED,
    BRUNO,
    CLOSED,
    PROPOSED,
    SHOP,
    WHOSE,
    WRITE_OFF,
    approve,
    discard,
    propose,
)
from tests.spec import given

DISCARDED = WriteOffDiscarded(actor=ANNE, write_off_id=WRITE_OFF, **WHOSE)
ANOTHER = SHOP


class TestNothingProposed:
    def test_it_is_proposed(self) -> None:
        given(settlement, CLOSED).when(propose()).then(PROPOSED)

    def test_all_that_is_owed_may_be_written_off_and_not_a_cent_more(self) -> None:
        whole = PROPOSED.model_copy(update={"cents": 1_200})
        given(settlement, CLOSED).when(propose(cents=1_200)).then(whole)
        given(settlement, CLOSED).when(propose(cents=1_201)).then_refused(
            WriteOffExceedsDebt, outstanding_cents=1_200
        )

    @pytest.mark.parametrize("command", [approve(), discard()])
    def test_there_is_nothing_to_decide(self, command: SettlementCommand) -> None:
        given(settlement, CLOSED).when(command).then_refused(WriteOffNotFound)


class TestProposed:
    def test_another_person_approves_it(self) -> None:
        given(settlement, CLOSED, PROPOSED).when(approve()).then(APPROVED)

    def test_whoever_proposed_it_does_not(self) -> None:
        given(settlement, CLOSED, PROPOSED).when(approve(actor=ANNE)).then_refused(
            ProposerApprovesWriteOff, actor=ANNE
        )

    def test_what_is_approved_is_what_was_read(self) -> None:
        given(settlement, CLOSED, PROPOSED).when(approve(cents=100)).then_refused(WriteOffDiffers)

    def test_money_that_came_in_meanwhile_counts(self) -> None:
        given(settlement, CLOSED, PROPOSED).when(approve(outstanding_cents=199)).then_refused(
            WriteOffExceedsDebt, outstanding_cents=199
        )

    def test_it_is_discarded(self) -> None:
        given(settlement, CLOSED, PROPOSED).when(discard()).then(DISCARDED)

    def test_the_same_again_is_a_repeat(self) -> None:
        given(settlement, CLOSED, PROPOSED).when(propose()).then()

    def test_other_contents_under_its_id_are_refused(self) -> None:
        given(settlement, CLOSED, PROPOSED).when(propose(cents=300)).then_refused(WriteOffDiffers)

    def test_one_at_a_time(self) -> None:
        given(settlement, CLOSED, PROPOSED).when(propose(write_off_id=ANOTHER)).then_refused(
            WriteOffPending, write_off_id=WRITE_OFF
        )

    def test_no_more_is_written_off_than_its_gifts_asked_for(self) -> None:
        again = propose(write_off_id=ANOTHER, cents=1_001, outstanding_cents=5_000)
        given(settlement, CLOSED, PROPOSED, APPROVED).when(again).then_refused(
            WriteOffExceedsDebt, outstanding_cents=1_000
        )
        whole = PROPOSED.model_copy(update={"cents": 1_300})
        given(settlement, CLOSED, whole).when(
            approve(cents=1_300, outstanding_cents=5_000)
        ).then_refused(WriteOffExceedsDebt, outstanding_cents=1_200)

    def test_what_a_disabled_account_proposed_is_only_discarded(self) -> None:
        given(settlement, CLOSED, PROPOSED).when(approve(disabled=(ANNE,))).then_refused(
            WriteOffProposerDisabled
        )
        given(settlement, CLOSED, PROPOSED).when(discard()).then(DISCARDED)


class TestDecided:
    @pytest.mark.parametrize("command", [propose(), discard()])
    def test_what_was_approved_stays(self, command: SettlementCommand) -> None:
        given(settlement, CLOSED, PROPOSED, APPROVED).when(command).then_refused(WriteOffClosed)

    @pytest.mark.parametrize("command", [propose(), approve()])
    def test_what_was_discarded_stays(self, command: SettlementCommand) -> None:
        given(settlement, CLOSED, PROPOSED, DISCARDED).when(command).then_refused(WriteOffClosed)

    def test_another_one_may_follow(self) -> None:
        again = propose(write_off_id=ANOTHER, outstanding_cents=1_000)
        expected = PROPOSED.model_copy(update={"write_off_id": ANOTHER})
        given(settlement, CLOSED, PROPOSED, APPROVED).when(again).then(expected)


@pytest.mark.parametrize("actor", ["console:root", "clock", ANNE.upper(), f"{BRUNO} "])
@pytest.mark.parametrize("ask", [propose, approve, discard])
def test_only_people_with_an_account_have_a_part_in_it(ask: Any, actor: str) -> None:
    given(settlement, CLOSED, PROPOSED).when(ask(actor=actor)).then_refused(ActorWithoutAccount)


@pytest.mark.parametrize(("ask", "actor"), [(propose, ANNE), (approve, BRUNO)])
def test_nobody_forgives_a_debt_of_her_own(ask: Any, actor: str) -> None:
    command = ask(interested=(actor,))
    given(settlement, CLOSED, PROPOSED).when(command).then_refused(WriteOffWithInterest)
