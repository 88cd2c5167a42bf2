from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError

from ledger.actors import ActorWithoutAccount
from ledger.allocations import Allocation
from ledger.decider import Refused
from ledger.remittances import (
    AllocationForeign,
    AllocationsDiffer,
    ApproveRemittance,
    ApproverSpeaksForPartner,
    CountDiffers,
    DeclarerApproves,
    DeclareRemittance,
    DiscardRemittance,
    ReceivedInFuture,
    RemittanceApproved,
    RemittanceClosed,
    RemittanceCommand,
    RemittanceDeclared,
    RemittanceDiffers,
    RemittanceDiscarded,
    RemittanceEvent,
    RemittanceNotApproved,
    RemittanceNotFound,
    RemittanceReturned,
    ReturnedBeforeReceived,
    ReturnRemittance,
    remittance,
)
from tests.spec import given

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = date(2026, 11, 23)
ANNE, BRUNO, CLAIRE = (f"account:{UUID(int=number)}" for number in (1, 2, 3))
REMITTANCE, SHOP, OTHER_SHOP = UUID(int=11), UUID(int=12), UUID(int=13)
FIRST, SECOND = UUID(int=21), UUID(int=22)


def pays(statement_id: UUID | None, cents: int, **changes: Any) -> Allocation:
    told: dict[str, Any] = {"target": "statement", "target_id": statement_id, "partner_id": SHOP}
    return Allocation(**told | {"cents": cents} | changes)


AT_NOON: dict[str, Any] = {"at": NOON, "remittance_id": REMITTANCE}
CONTENTS: dict[str, Any] = {
    "partner_id": SHOP,
    "means": "cheque",
    "cents": 300,
    "received_on": TODAY,
    "allocations": (pays(FIRST, 200), pays(SECOND, 100)),
}
RECORDED: dict[str, Any] = {"recorded_at": NOON, "remittance_id": REMITTANCE}


def declare(**changes: Any) -> DeclareRemittance:
    return DeclareRemittance(**AT_NOON | {"actor": ANNE} | CONTENTS | changes)


def approve(**changes: Any) -> ApproveRemittance:
    return ApproveRemittance(**AT_NOON | {"actor": BRUNO, "cents": 300} | changes)


def returned(on: date = TODAY) -> ReturnRemittance:
    return ReturnRemittance(**AT_NOON, actor=CLAIRE, returned_on=on)


DISCARD = DiscardRemittance(**AT_NOON, actor=ANNE)
DECLARED = RemittanceDeclared(**RECORDED, **CONTENTS, actor=ANNE)
APPROVED = RemittanceApproved(**RECORDED, **CONTENTS, actor=BRUNO)
DISCARDED = RemittanceDiscarded(**RECORDED, actor=ANNE, partner_id=SHOP)
RETURNED = RemittanceReturned(
    **RECORDED,
    actor=CLAIRE,
    partner_id=SHOP,
    cents=300,
    returned_on=TODAY,
    allocations=DECLARED.allocations,
)


class TestUndeclared:
    def test_it_is_declared(self) -> None:
        given(remittance).when(declare()).then(DECLARED)

    def test_by_a_person(self) -> None:
        console = declare(actor="console:root")
        given(remittance).when(console).then_refused(ActorWithoutAccount)

    def test_nothing_is_handed_over_tomorrow(self) -> None:
        tomorrow = declare(received_on=TODAY + timedelta(days=1))
        given(remittance).when(tomorrow).then_refused(ReceivedInFuture)

    def test_its_amounts_add_up(self) -> None:
        short = declare(cents=301)
        given(remittance).when(short).then_refused(AllocationsDiffer, allocated_cents=300)

    @pytest.mark.parametrize(
        "allocation",
        [
            pays(SECOND, 100, partner_id=OTHER_SHOP),
            pays(SECOND, 100, partner_id=None),
            pays(SECOND, 100, target="other"),
            pays(SECOND, 100, target="payout"),
            pays(None, 100),
            pays(FIRST, 100),
        ],
    )
    def test_it_pays_statements_of_its_shop_each_once(self, allocation: Allocation) -> None:
        foreign = declare(allocations=(pays(FIRST, 200), allocation))
        given(remittance).when(foreign).then_refused(AllocationForeign)

    @pytest.mark.parametrize("cents", [0, -100])
    def test_it_takes_nothing_back(self, cents: int) -> None:
        allocations = (pays(FIRST, 300 - cents), pays(SECOND, cents))
        given(remittance).when(declare(allocations=allocations)).then_refused(AllocationForeign)

    @pytest.mark.parametrize("changes", [{"cents": 0}, {"means": "barter"}, {"allocations": ()}])
    def test_a_typing_error_is_no_command(self, changes: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            declare(**changes)

    @pytest.mark.parametrize("command", [approve(), DISCARD, returned()])
    def test_nothing_else_is_done(self, command: RemittanceCommand) -> None:
        given(remittance).when(command).then_refused(RemittanceNotFound)


class TestDeclared:
    def test_another_person_counts_it_too(self) -> None:
        given(remittance, DECLARED).when(approve()).then(APPROVED)

    def test_whoever_declared_it_does_not(self) -> None:
        own = approve(actor=ANNE)
        given(remittance, DECLARED).when(own).then_refused(DeclarerApproves)

    def test_nor_does_the_console(self) -> None:
        console = approve(actor="console:root")
        given(remittance, DECLARED).when(console).then_refused(ActorWithoutAccount)

    def test_nor_whoever_speaks_for_the_shop(self) -> None:
        shop = approve(partner_people=(BRUNO,))
        given(remittance, DECLARED).when(shop).then_refused(ApproverSpeaksForPartner)

    def test_the_count_must_agree(self) -> None:
        given(remittance, DECLARED).when(approve(cents=299)).then_refused(CountDiffers)

    def test_it_is_discarded(self) -> None:
        given(remittance, DECLARED).when(DISCARD).then(DISCARDED)

    def test_it_cannot_come_back_yet(self) -> None:
        given(remittance, DECLARED).when(returned()).then_refused(RemittanceNotApproved)

    def test_the_same_again_is_a_repeat(self) -> None:
        given(remittance, DECLARED).when(declare()).then()

    @pytest.mark.parametrize("changes", [{"means": "cash"}, {"partner_id": OTHER_SHOP}])
    def test_another_under_its_id_is_refused(self, changes: dict[str, Any]) -> None:
        given(remittance, DECLARED).when(declare(**changes)).then_refused(RemittanceDiffers)


class TestApproved:
    HISTORY = (DECLARED, APPROVED)

    def test_the_bank_does_not_honour_it(self) -> None:
        given(remittance, *self.HISTORY).when(returned()).then(RETURNED)

    @pytest.mark.parametrize("days", [-1, 1])
    def test_it_comes_back_after_it_came_and_before_tomorrow(self, days: int) -> None:
        command = returned(TODAY + timedelta(days=days))
        given(remittance, *self.HISTORY).when(command).then_refused(ReturnedBeforeReceived)

    def test_approving_again_is_a_repeat(self) -> None:
        given(remittance, *self.HISTORY).when(approve()).then()

    def test_it_is_not_discarded(self) -> None:
        given(remittance, *self.HISTORY).when(DISCARD).then_refused(RemittanceClosed)


class TestDiscarded:
    def test_it_is_not_approved(self) -> None:
        given(remittance, DECLARED, DISCARDED).when(approve()).then_refused(RemittanceClosed)

    def test_discarding_again_is_a_repeat(self) -> None:
        given(remittance, DECLARED, DISCARDED).when(DISCARD).then()


class TestReturned:
    HISTORY = (DECLARED, APPROVED, RETURNED)

    @pytest.mark.parametrize("command", [approve(), DISCARD])
    def test_it_is_over(self, command: RemittanceCommand) -> None:
        given(remittance, *self.HISTORY).when(command).then_refused(RemittanceClosed)

    def test_returning_again_is_a_repeat(self) -> None:
        given(remittance, *self.HISTORY).when(returned()).then()


COMMANDS = [declare(), approve(), approve(actor=ANNE), DISCARD, returned(), declare(means="cash")]


@for_all(st.lists(st.sampled_from(COMMANDS), max_size=10))
def test_a_command_carried_out_can_be_repeated(commands: list[RemittanceCommand]) -> None:
    history: list[RemittanceEvent] = []
    for command in commands:
        try:
            history += remittance.decide(command, remittance.fold(history))
        except Refused:
            continue
        assert not remittance.decide(command, remittance.fold(history))
    held = [one for one in history if isinstance(one, RemittanceApproved)]
    undone = [one for one in history if isinstance(one, RemittanceReturned)]
    assert len(held) <= 1
    assert len(undone) <= len(held)
