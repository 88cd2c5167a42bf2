"""People who act: an account is opened with roles, its roles change, it is disabled and enabled.

Who a person is, is in the vault under `subject_id`; the password's hash is in a table of its own.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Literal, assert_never, get_args
from uuid import UUID

from pydantic import Field

from ledger.decider import Command, Decider, Event, Refused

Role = Literal["officer", "committee", "auditor", "partner_manager", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)

# Events. These names and fields are what is stored: add a new version, never edit.


class AccountOpened(Event):
    account_id: UUID
    subject_id: UUID
    roles: tuple[Role, ...]
    partner_ids: tuple[UUID, ...] = ()


class RolesChanged(Event):
    account_id: UUID
    roles: tuple[Role, ...]
    partner_ids: tuple[UUID, ...] = ()


class AccountDisabled(Event):
    account_id: UUID


class AccountEnabled(Event):
    account_id: UUID


PeopleEvent = AccountOpened | RolesChanged | AccountDisabled | AccountEnabled

# Commands.

Roles = Annotated[tuple[Role, ...], Field(min_length=1, max_length=len(ROLES))]
PartnerIds = Annotated[tuple[UUID, ...], Field(max_length=200)]


class OpenAccount(Command):
    """`partner_ids` are the partners that a partner manager acts for."""

    account_id: UUID
    subject_id: UUID
    roles: Roles
    partner_ids: PartnerIds = ()


class ChangeRoles(Command):
    account_id: UUID
    roles: Roles
    partner_ids: PartnerIds = ()


class DisableAccount(Command):
    account_id: UUID


class EnableAccount(Command):
    account_id: UUID


PeopleCommand = OpenAccount | ChangeRoles | DisableAccount | EnableAccount

# State: only what the rules below need.


@dataclass(frozen=True, slots=True)
class Unopened:
    pass


@dataclass(frozen=True, slots=True)
class Opened:
    subject_id: UUID
    roles: tuple[Role, ...]
    partner_ids: tuple[UUID, ...]
    enabled: bool = True


Account = Unopened | Opened


class AccountNotOpened(Refused):
    """No account has this id."""


class AccountDiffers(Refused):
    """The same account id was opened before for another person or with other roles."""


class RolesContradict(Refused):
    """Partner managers, and nobody else, act for at least one partner."""


class OwnAccount(Refused):
    """Nobody changes the roles of, disables or enables their own account."""


def actor_of(account_id: UUID) -> str:
    """Give the actor that the commands of a person carry."""
    return f"account:{account_id}"


def evolve(account: Account, event: PeopleEvent) -> Account:
    match event:
        case AccountOpened(subject_id=subject_id, roles=roles, partner_ids=partner_ids):
            return Opened(subject_id, roles, partner_ids)
        case RolesChanged(roles=roles, partner_ids=partner_ids):
            assert isinstance(account, Opened)  # noqa: S101 - what was stored says so.
            return replace(account, roles=roles, partner_ids=partner_ids)
        case AccountDisabled() | AccountEnabled():
            assert isinstance(account, Opened)  # noqa: S101 - what was stored says so.
            return replace(account, enabled=isinstance(event, AccountEnabled))
        case _:
            assert_never(event)


def decide(command: PeopleCommand, account: Account) -> list[PeopleEvent]:
    match command:
        case OpenAccount():
            return open_account(command, account)
        case ChangeRoles():
            return change_roles(command, existing(command, account))
        case DisableAccount():
            return disable(command, existing(command, account))
        case EnableAccount():
            return enable(command, existing(command, account))
        case _:
            assert_never(command)


def open_account(command: OpenAccount, account: Account) -> list[PeopleEvent]:
    roles, partner_ids = settled(command)
    match account:
        case Unopened():
            return [
                AccountOpened(
                    recorded_at=command.at,
                    actor=command.actor,
                    account_id=command.account_id,
                    subject_id=command.subject_id,
                    roles=roles,
                    partner_ids=partner_ids,
                )
            ]
        case Opened():
            if (account.subject_id, account.roles, account.partner_ids) != (
                command.subject_id,
                roles,
                partner_ids,
            ):
                raise AccountDiffers(account_id=command.account_id)
            return []
        case _:
            assert_never(account)


def change_roles(command: ChangeRoles, account: Opened) -> list[PeopleEvent]:
    roles, partner_ids = settled(command)
    if (roles, partner_ids) == (account.roles, account.partner_ids):
        return []
    return [
        RolesChanged(
            recorded_at=command.at,
            actor=command.actor,
            account_id=command.account_id,
            roles=roles,
            partner_ids=partner_ids,
        )
    ]


def disable(command: DisableAccount, account: Opened) -> list[PeopleEvent]:
    if not account.enabled:
        return []
    return [
        AccountDisabled(recorded_at=command.at, actor=command.actor, account_id=command.account_id)
    ]


def enable(command: EnableAccount, account: Opened) -> list[PeopleEvent]:
    if account.enabled:
        return []
    return [
        AccountEnabled(recorded_at=command.at, actor=command.actor, account_id=command.account_id)
    ]


def existing(command: ChangeRoles | DisableAccount | EnableAccount, account: Account) -> Opened:
    if isinstance(account, Unopened):
        raise AccountNotOpened(account_id=command.account_id)
    if command.actor == actor_of(command.account_id):
        raise OwnAccount(account_id=command.account_id)
    return account


def settled(command: OpenAccount | ChangeRoles) -> tuple[tuple[Role, ...], tuple[UUID, ...]]:
    """Give the roles and partners in one order, each once, so that a repeat is seen as one."""
    roles = tuple(role for role in ROLES if role in command.roles)
    partner_ids = tuple(sorted(set(command.partner_ids)))
    if ("partner_manager" in roles) != bool(partner_ids):
        raise RolesContradict(account_id=command.account_id)
    return roles, partner_ids


account: Decider[PeopleCommand, Account, PeopleEvent] = Decider(
    category="account", initial=Unopened(), decide=decide, evolve=evolve
)
