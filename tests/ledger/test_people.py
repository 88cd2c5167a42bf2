from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import ValidationError

from ledger.decider import Refused
from ledger.people import (
    AccountDiffers,
    AccountDisabled,
    AccountEnabled,
    AccountNotOpened,
    AccountOpened,
    ChangeRoles,
    DisableAccount,
    EnableAccount,
    OpenAccount,
    OwnAccount,
    PeopleCommand,
    PeopleEvent,
    Role,
    RolesChanged,
    RolesContradict,
    account,
    actor_of,
)
from tests.spec import given

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANNE, SUBJECT, SHOP = UUID(int=1), UUID(int=2), UUID(int=3)
WHO: dict[str, Any] = {"actor": actor_of(UUID(int=9)), "account_id": ANNE}
MANAGER: tuple[Role, ...] = ("partner_manager",)


def open_account(**changes: Any) -> OpenAccount:
    terms: dict[str, Any] = {"at": NOON, "subject_id": SUBJECT, "roles": ("officer",)}
    return OpenAccount(**WHO | terms | changes)


def change_roles(roles: tuple[Role, ...] = ("committee",), *partner_ids: UUID) -> ChangeRoles:
    return ChangeRoles(at=NOON, roles=roles, partner_ids=partner_ids, **WHO)


DISABLE = DisableAccount(at=NOON, **WHO)
ENABLE = EnableAccount(at=NOON, **WHO)
OPENED = AccountOpened(recorded_at=NOON, subject_id=SUBJECT, roles=("officer",), **WHO)
CHANGED = RolesChanged(recorded_at=NOON, roles=("committee",), **WHO)
DISABLED = AccountDisabled(recorded_at=NOON, **WHO)
ENABLED = AccountEnabled(recorded_at=NOON, **WHO)


class TestUnopened:
    def test_an_account_is_opened(self) -> None:
        given(account).when(open_account()).then(OPENED)

    def test_roles_are_kept_once_and_in_one_order(self) -> None:
        roles = ("administrator", "officer", "officer")
        kept = OPENED.model_copy(update={"roles": ("officer", "administrator")})
        given(account).when(open_account(roles=roles)).then(kept)

    def test_a_manager_acts_for_a_partner(self) -> None:
        command = open_account(roles=MANAGER, partner_ids=(SHOP, SHOP))
        kept = OPENED.model_copy(update={"roles": MANAGER, "partner_ids": (SHOP,)})
        given(account).when(command).then(kept)

    @pytest.mark.parametrize(("roles", "partner_ids"), [(MANAGER, ()), (("officer",), (SHOP,))])
    def test_managers_and_nobody_else_act_for_partners(
        self, roles: tuple[Role, ...], partner_ids: tuple[UUID, ...]
    ) -> None:
        command = open_account(roles=roles, partner_ids=partner_ids)
        given(account).when(command).then_refused(RolesContradict, account_id=ANNE)

    @pytest.mark.parametrize("command", [change_roles(), DISABLE, ENABLE])
    def test_nothing_else_is_done(self, command: PeopleCommand) -> None:
        given(account).when(command).then_refused(AccountNotOpened)


class TestOpened:
    def test_the_same_again_is_a_repeat(self) -> None:
        given(account, OPENED).when(open_account()).then()

    @pytest.mark.parametrize("changes", [{"subject_id": SHOP}, {"roles": ("auditor",)}])
    def test_another_person_under_its_id_is_refused(self, changes: dict[str, Any]) -> None:
        given(account, OPENED).when(open_account(**changes)).then_refused(AccountDiffers)

    def test_its_roles_change(self) -> None:
        given(account, OPENED).when(change_roles()).then(CHANGED)

    def test_its_own_roles_again_change_nothing(self) -> None:
        given(account, OPENED).when(change_roles(("officer",))).then()

    def test_a_manager_needs_a_partner(self) -> None:
        given(account, OPENED).when(change_roles(MANAGER)).then_refused(RolesContradict)

    def test_it_is_disabled(self) -> None:
        given(account, OPENED).when(DISABLE).then(DISABLED)

    def test_it_is_enabled_already(self) -> None:
        given(account, OPENED).when(ENABLE).then()

    @pytest.mark.parametrize("command", [change_roles(), DISABLE, ENABLE])
    def test_nobody_decides_about_herself(self, command: PeopleCommand) -> None:
        own = command.model_copy(update={"actor": actor_of(ANNE)})
        given(account, OPENED).when(own).then_refused(OwnAccount)


class TestDisabled:
    def test_it_is_enabled_again(self) -> None:
        given(account, OPENED, DISABLED).when(ENABLE).then(ENABLED)

    def test_disabling_it_again_is_a_repeat(self) -> None:
        given(account, OPENED, DISABLED).when(DISABLE).then()

    def test_its_roles_still_change(self) -> None:
        given(account, OPENED, DISABLED).when(change_roles()).then(CHANGED)


@pytest.mark.parametrize("roles", [(), ("emperor",)])
def test_a_role_is_one_of_the_known_ones(roles: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        open_account(roles=roles)


@for_all(
    st.lists(
        st.sampled_from(
            [open_account(), change_roles(), change_roles(MANAGER, SHOP), DISABLE, ENABLE]
        ),
        max_size=12,
    )
)
def test_a_command_carried_out_can_be_repeated(commands: list[PeopleCommand]) -> None:
    history: list[PeopleEvent] = []
    for command in commands:
        try:
            history += account.decide(command, account.fold(history))
        except Refused:
            continue
        assert not account.decide(command, account.fold(history))
