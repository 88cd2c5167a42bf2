from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError

from ledger.decider import Refused
from ledger.partners.register import (
    ContactNamed,
    ContactRemoved,
    ContactUnknown,
    DescribePartner,
    NameContact,
    PartnerActivated,
    PartnerDescribed,
    PartnerDiffers,
    PartnerNotRegistered,
    PartnerRegistered,
    PartnerSuspended,
    PublicationConsented,
    PublicationConsentWithdrawn,
    RegisterCommand,
    Registered,
    RegisterEvent,
    RegisterPartner,
    RemoveContact,
    SetPublicationConsent,
    partner,
)
from tests.spec import given

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SHOP, JEANNE, ACCOUNT = UUID(int=1), UUID(int=2), UUID(int=3)
SIRET = "73282932000074"
WHO: dict[str, Any] = {"actor": "console:anne", "partner_id": SHOP}
PLACE: dict[str, Any] = {
    "trade_name": "Boulangerie du Bassin",
    "legal_name": "SARL Bassin",
    "place": "Velleron",
    "sector": "food",
}
MANAGER: dict[str, Any] = {"subject_id": JEANNE, "role": "manager", "account_id": ACCOUNT}


def register(name: str = "Boulangerie du Bassin", siret: str = SIRET) -> RegisterPartner:
    return RegisterPartner(at=NOON, name=name, siret=siret, **WHO)


def consent(consented: bool = True) -> SetPublicationConsent:
    return SetPublicationConsent(at=NOON, consented=consented, **WHO)


DESCRIBE = DescribePartner(at=NOON, **PLACE, **WHO)
NAME = NameContact(at=NOON, **MANAGER, **WHO)
REMOVE = RemoveContact(at=NOON, subject_id=JEANNE, **WHO)

REGISTERED = PartnerRegistered(recorded_at=NOON, name="Boulangerie du Bassin", siret=SIRET, **WHO)
DESCRIBED = PartnerDescribed(recorded_at=NOON, **PLACE, **WHO)
NAMED = ContactNamed(recorded_at=NOON, **MANAGER, **WHO)
REMOVED = ContactRemoved(recorded_at=NOON, subject_id=JEANNE, **WHO)
CONSENTED = PublicationConsented(recorded_at=NOON, **WHO)
WITHDRAWN = PublicationConsentWithdrawn(recorded_at=NOON, **WHO)


def registered(*history: RegisterEvent) -> Registered:
    found = partner.fold([REGISTERED, *history])
    assert isinstance(found, Registered)
    return found


class TestUnregistered:
    def test_a_partner_is_registered(self) -> None:
        given(partner).when(register()).then(REGISTERED)

    def test_a_siret_may_be_typed_with_spaces(self) -> None:
        given(partner).when(register(siret="732 829 320 00074")).then(REGISTERED)

    @pytest.mark.parametrize("siret", ["73282932000075", "732829320", "", "7328293200007X"])
    def test_a_wrong_siret_cannot_be_registered(self, siret: str) -> None:
        with pytest.raises(ValidationError):
            register(siret=siret)

    def test_a_siret_is_not_right_because_its_siren_is(self) -> None:
        with pytest.raises(ValidationError):
            register(siret="732829321" + SIRET[9:])

    def test_the_post_office_has_a_siret_of_its_own_form(self) -> None:
        assert register(siret="35600000009075").siret == "35600000009075"

    @pytest.mark.parametrize("name", ["", " ", " Bassin", "Bassin ", "x" * 121])
    def test_a_blank_or_endless_name_is_malformed(self, name: str) -> None:
        with pytest.raises(ValidationError):
            register(name=name)

    @pytest.mark.parametrize("command", [DESCRIBE, NAME, REMOVE, consent()])
    def test_nothing_else_is_done(self, command: RegisterCommand) -> None:
        given(partner).when(command).then_refused(PartnerNotRegistered)


class TestRegistered:
    def test_the_same_again_is_a_repeat(self) -> None:
        given(partner, REGISTERED).when(register()).then()

    def test_it_stays_a_repeat_after_the_shop_took_another_name(self) -> None:
        renamed = DESCRIBED.model_copy(update={"trade_name": "Le Fournil"})
        given(partner, REGISTERED, renamed).when(register()).then()

    def test_another_name_under_the_same_id_is_refused(self) -> None:
        given(partner, REGISTERED).when(register("Autre")).then_refused(PartnerDiffers)

    def test_it_is_described(self) -> None:
        given(partner, REGISTERED).when(DESCRIBE).then(DESCRIBED)

    def test_its_siren_is_part_of_its_siret(self) -> None:
        assert registered().siren == "732829320"

    def test_a_contact_is_named_by_ids_alone(self) -> None:
        given(partner, REGISTERED).when(NAME).then(NAMED)

    def test_nobody_is_removed_who_was_never_a_contact(self) -> None:
        given(partner, REGISTERED).when(REMOVE).then_refused(ContactUnknown)

    def test_it_consents_to_publication(self) -> None:
        given(partner, REGISTERED).when(consent()).then(CONSENTED)

    def test_consent_that_was_never_given_is_not_withdrawn(self) -> None:
        given(partner, REGISTERED).when(consent(False)).then()


class TestWithContactAndConsent:
    HISTORY = (REGISTERED, NAMED, CONSENTED)

    def test_a_contact_is_removed(self) -> None:
        given(partner, *self.HISTORY).when(REMOVE).then(REMOVED)

    def test_a_contact_takes_another_role(self) -> None:
        owner = NAME.model_copy(update={"role": "owner"})
        changed = NAMED.model_copy(update={"role": "owner"})
        given(partner, *self.HISTORY).when(owner).then(changed)

    def test_consent_is_withdrawn(self) -> None:
        given(partner, *self.HISTORY).when(consent(False)).then(WITHDRAWN)

    def test_whoever_spoke_for_it_once_never_judges_it(self) -> None:
        assert registered(NAMED).people == (f"account:{ACCOUNT}",)
        assert registered(NAMED, REMOVED).people == (f"account:{ACCOUNT}",)
        assert registered(NAMED, REMOVED).contacts == ()


def test_what_was_stored_before_certifications_changes_nothing() -> None:
    activated = PartnerActivated(recorded_at=NOON, valid_from=NOON.date(), **WHO)
    suspended = PartnerSuspended(recorded_at=NOON, reason="bordereaux", **WHO)
    assert registered(activated, suspended) == registered()


commands: st.SearchStrategy[Any] = st.sampled_from(
    [register(), register("Autre"), DESCRIBE, NAME, REMOVE, consent(), consent(False)]
)


@for_all(st.lists(commands, max_size=12))
def test_a_command_carried_out_can_be_repeated(commands: list[RegisterCommand]) -> None:
    history: list[RegisterEvent] = []
    for command in commands:
        try:
            history += partner.decide(command, partner.fold(history))
        except Refused:
            continue
        assert not partner.decide(command, partner.fold(history))
