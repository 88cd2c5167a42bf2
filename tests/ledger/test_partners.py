from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError

from ledger.decider import Refused
from ledger.partners import (
    ActivatePartner,
    PartnerActivated,
    PartnerCommand,
    PartnerDiffers,
    PartnerEvent,
    PartnerNotActive,
    PartnerNotRegistered,
    PartnerRegistered,
    PartnerSuspended,
    RegisterPartner,
    SuspendPartner,
    ValidityReversed,
    partner,
    standing,
)
from tests.spec import given

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = NOON.date()
SHOP = UUID(int=1)
SIRET = "73282932000074"
WHO: dict[str, Any] = {"actor": "console:anne", "partner_id": SHOP}


def register(name: str = "Boulangerie du Bassin", siret: str = SIRET) -> RegisterPartner:
    return RegisterPartner(at=NOON, name=name, siret=siret, **WHO)


def activate(until: date | None = None, since: date = TODAY) -> ActivatePartner:
    return ActivatePartner(at=NOON, valid_from=since, valid_until=until, **WHO)


def suspend(reason: str = "bordereaux en retard") -> SuspendPartner:
    return SuspendPartner(at=NOON, reason=reason, **WHO)


REGISTERED = PartnerRegistered(recorded_at=NOON, name="Boulangerie du Bassin", siret=SIRET, **WHO)
ACTIVATED = PartnerActivated(recorded_at=NOON, valid_from=TODAY, **WHO)
SUSPENDED = PartnerSuspended(recorded_at=NOON, reason="bordereaux en retard", **WHO)


class TestUnregistered:
    def test_a_partner_is_registered(self) -> None:
        given(partner).when(register()).then(REGISTERED)

    def test_a_siret_may_be_typed_with_spaces(self) -> None:
        given(partner).when(register(siret="732 829 320 00074")).then(REGISTERED)

    @pytest.mark.parametrize("siret", ["73282932000075", "732829320", "", "7328293200007X"])
    def test_a_wrong_siret_cannot_be_registered(self, siret: str) -> None:
        with pytest.raises(ValidationError):
            register(siret=siret)

    def test_the_post_office_has_a_siret_of_its_own_form(self) -> None:
        assert register(siret="35600000009075").siret == "35600000009075"

    @pytest.mark.parametrize("name", ["", " ", " Bassin", "Bassin ", "x" * 121])
    def test_a_blank_or_endless_name_is_malformed(self, name: str) -> None:
        with pytest.raises(ValidationError):
            register(name=name)

    @pytest.mark.parametrize("command", [activate(), suspend()])
    def test_nothing_else_is_done(self, command: PartnerCommand) -> None:
        given(partner).when(command).then_refused(PartnerNotRegistered)


class TestRegistered:
    def test_the_same_again_is_a_repeat(self) -> None:
        given(partner, REGISTERED).when(register()).then()

    def test_another_name_under_the_same_id_is_refused(self) -> None:
        given(partner, REGISTERED).when(register("Autre")).then_refused(PartnerDiffers)

    def test_it_becomes_active(self) -> None:
        given(partner, REGISTERED).when(activate()).then(ACTIVATED)

    def test_it_is_not_suspended_before_it_was_active(self) -> None:
        given(partner, REGISTERED).when(suspend()).then_refused(PartnerNotActive)

    def test_the_last_day_does_not_come_before_the_first(self) -> None:
        until = TODAY - timedelta(days=1)
        given(partner, REGISTERED).when(activate(until)).then_refused(ValidityReversed)


class TestActive:
    def test_it_is_suspended(self) -> None:
        given(partner, REGISTERED, ACTIVATED).when(suspend()).then(SUSPENDED)

    def test_its_last_day_is_set(self) -> None:
        until = TODAY + timedelta(days=365)
        longer = ACTIVATED.model_copy(update={"valid_until": until})
        given(partner, REGISTERED, ACTIVATED).when(activate(until)).then(longer)


class TestSuspended:
    def test_it_becomes_active_again(self) -> None:
        given(partner, REGISTERED, ACTIVATED, SUSPENDED).when(activate()).then(ACTIVATED)

    def test_it_is_suspended_for_another_reason(self) -> None:
        other = SUSPENDED.model_copy(update={"reason": "plainte"})
        given(partner, REGISTERED, ACTIVATED, SUSPENDED).when(suspend("plainte")).then(other)


@pytest.mark.parametrize(
    ("history", "days", "expected"),
    [
        ([], 0, "registered"),
        ([REGISTERED], 0, "registered"),
        ([REGISTERED, ACTIVATED], 0, "active"),
        ([REGISTERED, ACTIVATED], -1, "registered"),
        ([REGISTERED, ACTIVATED.model_copy(update={"valid_until": TODAY})], 0, "active"),
        ([REGISTERED, ACTIVATED.model_copy(update={"valid_until": TODAY})], 1, "lapsed"),
        ([REGISTERED, ACTIVATED, SUSPENDED], 0, "suspended"),
        ([REGISTERED, ACTIVATED, SUSPENDED, ACTIVATED], 0, "active"),
    ],
)
def test_what_a_partner_is_depends_on_the_day(
    history: list[PartnerEvent], days: int, expected: str
) -> None:
    assert standing(partner.fold(history), TODAY + timedelta(days=days)) == expected


commands: st.SearchStrategy[Any] = st.sampled_from(
    [register(), register("Autre"), activate(), activate(TODAY), suspend(), suspend("plainte")]
)


@for_all(st.lists(commands, max_size=12))
def test_a_command_carried_out_can_be_repeated(commands: list[PartnerCommand]) -> None:
    history: list[PartnerEvent] = []
    for command in commands:
        try:
            history += partner.decide(command, partner.fold(history))
        except Refused:
            continue
        assert not partner.decide(command, partner.fold(history))
