from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError

from ledger.decider import Refused
from ledger.partners.agreements import (
    AgreementAmended,
    AgreementCommand,
    AgreementDiffers,
    AgreementEnded,
    AgreementEvent,
    AgreementIsEnded,
    AgreementNotSigned,
    AgreementSigned,
    AmendedInDisorder,
    SignedInFuture,
    agreement,
    agreement_id_of,
)
from ledger.partners.words import ValidityReversed
from tests.ledger.partners.papers import NOON, TERMS, agreed, amend, on, sign, terminate, when
from tests.spec import given

SIGNED = AgreementSigned(
    recorded_at=NOON,
    number="2026-014",
    signed_on=on(0),
    valid_from=on(0),
    valid_until=on(100),
    **TERMS,
)
AMENDED = AgreementAmended(recorded_at=when(5), amended_on=on(5), valid_until=on(400), **TERMS)
ENDED = AgreementEnded(
    recorded_at=when(9),
    actor=TERMS["actor"],
    agreement_id=TERMS["agreement_id"],
    partner_id=TERMS["partner_id"],
    ended_on=on(9),
    ended_by="both",
)


class TestUnsigned:
    def test_it_is_signed(self) -> None:
        given(agreement).when(sign(0, 100)).then(SIGNED)

    def test_one_number_names_one_agreement(self) -> None:
        assert agreement_id_of("2026-014") == agreement_id_of("2026-014")
        assert agreement_id_of("2026-014") != agreement_id_of("2026-015")

    @pytest.mark.parametrize(
        "terms",
        [
            {"commitment": "share_of_sales", "basis_points": 100},
            {"commitment": "amount_per_item", "cents_per_item": 5},
            {"commitment": "add_on"},
        ],
    )
    def test_each_commitment_has_its_own_measure(self, terms: dict[str, Any]) -> None:
        sign(0, 100, **terms)
        for other in ({"basis_points": 7}, {"cents_per_item": 7}):
            if not other.keys() & terms.keys():
                with pytest.raises(ValidationError):
                    sign(0, 100, **terms | other)

    @pytest.mark.parametrize("commitment", ["share_of_sales", "amount_per_item"])
    def test_a_commitment_without_its_measure_is_malformed(self, commitment: str) -> None:
        with pytest.raises(ValidationError):
            sign(0, 100, commitment=commitment)

    def test_its_days_follow_each_other(self) -> None:
        given(agreement).when(sign(0, -1)).then_refused(ValidityReversed)
        given(agreement).when(sign(0, valid_from=on(-1))).then_refused(ValidityReversed)

    def test_nothing_is_signed_tomorrow(self) -> None:
        late = sign(5, signed_on=on(1))
        given(agreement).when(late).then_refused(SignedInFuture, signed_on=on(1))

    @pytest.mark.parametrize("command", [amend(1), terminate(1)])
    def test_nothing_else_is_done(self, command: AgreementCommand) -> None:
        given(agreement).when(command).then_refused(AgreementNotSigned)


@pytest.mark.parametrize("day", [date.min, date(1999, 12, 31), date(2201, 1, 1), date.max])
@pytest.mark.parametrize(
    ("command", "names"),
    [
        (sign(0, 100), ("signed_on", "valid_from", "valid_until")),
        (amend(5, 400), ("amended_on", "valid_until")),
        (terminate(9), ("ended_on",)),
    ],
)
def test_no_command_takes_a_day_outside_of_the_calendar(
    command: AgreementCommand, names: tuple[str, ...], day: date
) -> None:
    for name in names:
        with pytest.raises(ValidationError):
            type(command)(**command.model_dump() | {name: day})


class TestSigned:
    def test_the_same_again_is_a_repeat(self) -> None:
        given(agreement, SIGNED).when(sign(0, 100)).then()

    @pytest.mark.parametrize(
        "changes", [{"partner_id": UUID(int=9)}, {"regime": "own_name"}, {"charter_version": 2}]
    )
    def test_other_terms_under_its_number_are_refused(self, changes: dict[str, Any]) -> None:
        given(agreement, SIGNED).when(sign(0, 100, **changes)).then_refused(AgreementDiffers)

    def test_it_is_amended(self) -> None:
        given(agreement, SIGNED).when(amend(5, 400)).then(AMENDED)

    def test_an_amendment_does_not_reach_back_before_the_agreement(self) -> None:
        before = amend(5, 400, amended_on=on(-1))
        given(agreement, SIGNED).when(before).then_refused(AmendedInDisorder, earliest_on=on(0))

    def test_an_amendment_does_not_reach_back_before_another(self) -> None:
        before = amend(4, 300)
        given(agreement, SIGNED, AMENDED).when(before).then_refused(AmendedInDisorder)

    def test_it_is_ended(self) -> None:
        given(agreement, SIGNED).when(terminate(9)).then(ENDED)

    @pytest.mark.parametrize("command", [amend, terminate])
    def test_another_partner_does_not_touch_it(self, command: Any) -> None:
        foreign = command(5, partner_id=UUID(int=9))
        given(agreement, SIGNED).when(foreign).then_refused(AgreementNotSigned)


class TestEnded:
    def test_the_same_end_again_is_a_repeat(self) -> None:
        given(agreement, SIGNED, ENDED).when(terminate(9)).then()

    @pytest.mark.parametrize("command", [amend(10, 400), terminate(10)])
    def test_it_never_comes_back_nor_ends_otherwise(self, command: AgreementCommand) -> None:
        given(agreement, SIGNED, ENDED).when(command).then_refused(AgreementIsEnded)


commands: st.SearchStrategy[Any] = st.sampled_from(
    [sign(0, 100), sign(1), amend(5, 400), amend(6), terminate(9), terminate(10)]
)


@for_all(st.lists(commands, max_size=12))
def test_a_command_carried_out_can_be_repeated(commands: list[AgreementCommand]) -> None:
    history: list[AgreementEvent] = []
    for command in commands:
        try:
            history += agreement.decide(command, agreement.fold(history))
        except Refused:
            continue
        assert not agreement.decide(command, agreement.fold(history))


def test_the_papers_of_a_life_are_in_order() -> None:
    assert agreed(sign(0, 100), amend(5, 400), terminate(9)) == [SIGNED, AMENDED, ENDED]
