"""A wallet: gifts that a customer keeps together under a secret of her own, without an account.

Her standing choice holds for each of its gifts that has no ballot of its own when a round closes.
The ledger keeps only a hash of the secret: the wallet's id.
"""

from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Annotated, assert_never
from uuid import UUID

from pydantic import Field

from ledger.decider import Command, Decider, Event, Refused

PICKS_MAX = 10

# Events. These names and fields are what is stored: add a new version, never edit.


class WalletOpened(Event):
    wallet_id: UUID


class StandingChoiceMade(Event):
    """`picks` are in the customer's order: a round that allows fewer takes the first ones."""

    wallet_id: UUID
    picks: tuple[UUID, ...]


class StandingChoiceWithdrawn(Event):
    wallet_id: UUID


class GiftAdded(Event):
    """In the stream of the gift, so that no gift can be in two wallets."""

    donation_id: UUID
    wallet_id: UUID


WalletEvent = WalletOpened | StandingChoiceMade | StandingChoiceWithdrawn

# Commands.


class OpenWallet(Command):
    wallet_id: UUID


class MakeStandingChoice(Command):
    wallet_id: UUID
    picks: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=PICKS_MAX)]


class WithdrawStandingChoice(Command):
    wallet_id: UUID


class AddGift(Command):
    donation_id: UUID
    wallet_id: UUID


WalletCommand = OpenWallet | MakeStandingChoice | WithdrawStandingChoice

# State: only what the rules below need.


@dataclass(frozen=True, slots=True)
class Unopened:
    pass


@dataclass(frozen=True, slots=True)
class Opened:
    picks: tuple[UUID, ...] = ()


Wallet = Unopened | Opened


@dataclass(frozen=True, slots=True)
class Loose:
    pass


@dataclass(frozen=True, slots=True)
class Kept:
    wallet_id: UUID


Place = Loose | Kept


class WalletUnknown(Refused):
    """No wallet has this secret."""


class ChoiceNotPublished(Refused):
    """A standing choice names projects that are published, and that later rounds may be about."""


class GiftInAnotherWallet(Refused):
    """This gift is in another wallet."""


def wallet_id_of(secret: str) -> UUID:
    """Give the wallet of a secret. A plain hash is enough for 113 random bits."""
    return UUID(bytes=blake2b(secret.encode(), digest_size=16, person=b"wallet").digest())


def evolve(wallet: Wallet, event: WalletEvent) -> Wallet:
    match event:
        case WalletOpened():
            return Opened()
        case StandingChoiceMade(picks=picks):
            assert isinstance(wallet, Opened)  # noqa: S101 - what was stored says so.
            return replace(wallet, picks=picks)
        case StandingChoiceWithdrawn():
            assert isinstance(wallet, Opened)  # noqa: S101 - what was stored says so.
            return replace(wallet, picks=())
        case _:
            assert_never(event)


def decide(command: WalletCommand, wallet: Wallet) -> list[WalletEvent]:
    if isinstance(command, OpenWallet):
        return open_wallet(command, wallet)
    if isinstance(wallet, Unopened):
        raise WalletUnknown
    match command:
        case MakeStandingChoice():
            return choose(command, wallet)
        case WithdrawStandingChoice():
            return withdraw(command, wallet)
        case _:
            assert_never(command)


def open_wallet(command: OpenWallet, wallet: Wallet) -> list[WalletEvent]:
    if isinstance(wallet, Opened):
        return []
    return [WalletOpened(recorded_at=command.at, actor=command.actor, wallet_id=command.wallet_id)]


def choose(command: MakeStandingChoice, wallet: Opened) -> list[WalletEvent]:
    picks = tuple(dict.fromkeys(command.picks))
    if picks == wallet.picks:
        return []
    return [
        StandingChoiceMade(
            recorded_at=command.at, actor=command.actor, wallet_id=command.wallet_id, picks=picks
        )
    ]


def withdraw(command: WithdrawStandingChoice, wallet: Opened) -> list[WalletEvent]:
    if not wallet.picks:
        return []
    return [
        StandingChoiceWithdrawn(
            recorded_at=command.at, actor=command.actor, wallet_id=command.wallet_id
        )
    ]


def keep(_: Place, event: GiftAdded) -> Place:
    return Kept(event.wallet_id)


def add(command: AddGift, place: Place) -> list[GiftAdded]:
    if isinstance(place, Kept):
        if place.wallet_id != command.wallet_id:
            raise GiftInAnotherWallet
        return []
    return [
        GiftAdded(
            recorded_at=command.at,
            actor=command.actor,
            donation_id=command.donation_id,
            wallet_id=command.wallet_id,
        )
    ]


wallet: Decider[WalletCommand, Wallet, WalletEvent] = Decider(
    category="wallet", initial=Unopened(), decide=decide, evolve=evolve
)
place: Decider[AddGift, Place, GiftAdded] = Decider(
    category="walletgift", initial=Loose(), decide=add, evolve=keep
)
