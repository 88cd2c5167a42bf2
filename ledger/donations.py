"""A donation: a gift promised at a till, kept for good, perhaps reversed in part or whole."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Literal, assert_never
from uuid import UUID

from pydantic import AwareDatetime, Field

from ledger.decider import Command, Decider, Event, Refused
from ledger.devices import DeviceLink
from ledger.giving import Source
from ledger.money import Cents

TillReason = Literal["sale_returned", "mistake", "duplicate"]
# The last two are of gifts by card: given back to the donor, or taken back by her bank.
Reason = TillReason | Literal["refunded", "disputed"]
Flag = Literal["late", "partner_not_active", "large_amount", "exceeds_purchase"]
AskId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]

# A till's clock may run ahead by this much; beyond it the date is wrong, not early.
FUTURE_TOLERANCE = timedelta(minutes=10)
# An offline till comes back within days: a gift recorded later than this deserves a look.
LATE_AFTER = timedelta(days=30)
# A gift at a till is cents: one above 500 euros deserves a look.
LARGE_AMOUNT_CENTS = 50_000

# Events. These names and fields are what is stored: add a new version, never edit.


class DonationRecorded(Event):
    donation_id: UUID
    partner_id: UUID
    till_id: UUID
    source: Source
    amount_cents: int
    occurred_at: AwareDatetime
    occurred_on: date
    purchase_cents: int | None = None
    sale_ref_mac: str | None = None
    ask_id: str | None = None
    project_id: UUID | None = None
    flags: tuple[Flag, ...] = ()
    device_number: int | None = None
    device_previous: str | None = None
    device_hash: str | None = None


class DonationReversed(Event):
    donation_id: UUID
    reversal_id: UUID
    partner_id: UUID
    till_id: UUID
    source: Source
    amount_cents: int
    reason: Reason
    reversed_on: date


DonationEvent = DonationRecorded | DonationReversed

# Commands.


class RecordDonation(Command):
    """`partner_standing` is what the partner was, as far as the ledger knew, on `occurred_on`.

    `device` is taken as the till sent it: gifts come late and out of order, so whether a link
    holds is told by the read model of gaps, never a reason to lose a gift.
    """

    donation_id: UUID
    partner_id: UUID
    till_id: UUID
    source: Source
    amount_cents: Cents
    occurred_at: AwareDatetime
    occurred_on: date
    purchase_cents: Cents | None = None
    sale_ref_mac: str | None = None
    ask_id: AskId | None = None
    project_id: UUID | None = None
    device: DeviceLink | None = None
    partner_standing: str


class ReverseDonation(Command):
    """`partner_id` is the partner that asks: only the one that collected may give back."""

    donation_id: UUID
    reversal_id: UUID
    partner_id: UUID
    till_id: UUID
    amount_cents: Cents
    reason: Reason
    reversed_on: date


DonationCommand = RecordDonation | ReverseDonation

# State: only what the rules below need.


@dataclass(frozen=True, slots=True)
class Unrecorded:
    pass


@dataclass(frozen=True, slots=True)
class Recorded:
    gift: DonationRecorded
    reversals: tuple[DonationReversed, ...] = ()

    @property
    def remaining_cents(self) -> int:
        """What was given and not given back."""
        return self.gift.amount_cents - sum(r.amount_cents for r in self.reversals)


Donation = Unrecorded | Recorded


class OccurredInFuture(Refused):
    """The gift is dated further ahead than a till's clock may run."""


class DonationDiffers(Refused):
    """The same donation id was recorded before with other contents."""


class DonationNotFound(Refused):
    """No such donation, or it belongs to another partner."""


class ReversalDiffers(Refused):
    """The same reversal id was recorded before with other contents."""


class ReversalExceedsGift(Refused):
    """More would be given back than is left of the gift."""


def evolve(donation: Donation, event: DonationEvent) -> Donation:
    match event:
        case DonationRecorded():
            return Recorded(event)
        case DonationReversed():
            assert isinstance(donation, Recorded)  # noqa: S101 - what was stored says so.
            return Recorded(donation.gift, (*donation.reversals, event))
        case _:
            assert_never(event)


def decide(command: DonationCommand, donation: Donation) -> list[DonationEvent]:
    match command:
        case RecordDonation():
            return record(command, donation)
        case ReverseDonation():
            return reverse(command, donation)
        case _:
            assert_never(command)


def record(command: RecordDonation, donation: Donation) -> list[DonationEvent]:
    match donation:
        case Recorded(gift=gift):
            if not same_gift(command, gift):
                raise DonationDiffers(donation_id=command.donation_id)
            return []  # A till sends again what it is not sure of.
        case Unrecorded():
            if command.occurred_at > command.at + FUTURE_TOLERANCE:
                raise OccurredInFuture(occurred_at=command.occurred_at, now=command.at)
            device = command.device
            return [
                DonationRecorded(
                    recorded_at=command.at,
                    actor=command.actor,
                    donation_id=command.donation_id,
                    partner_id=command.partner_id,
                    till_id=command.till_id,
                    source=command.source,
                    amount_cents=command.amount_cents,
                    occurred_at=command.occurred_at,
                    occurred_on=command.occurred_on,
                    purchase_cents=command.purchase_cents,
                    sale_ref_mac=command.sale_ref_mac,
                    ask_id=command.ask_id,
                    project_id=command.project_id,
                    flags=flags(command),
                    device_number=None if device is None else device.number,
                    device_previous=None if device is None else device.previous,
                    device_hash=None if device is None else device.hash,
                )
            ]
        case _:
            assert_never(donation)


def same_gift(command: RecordDonation, gift: DonationRecorded) -> bool:
    """Tell a repeat from a contradiction: all that the till said is the same."""
    return (
        command.partner_id == gift.partner_id
        and command.till_id == gift.till_id
        and command.source == gift.source
        and command.amount_cents == gift.amount_cents
        and command.occurred_at == gift.occurred_at
        and command.purchase_cents == gift.purchase_cents
        and command.sale_ref_mac == gift.sale_ref_mac
        and command.ask_id == gift.ask_id
        and command.project_id == gift.project_id
        and link_of(command) == (gift.device_number, gift.device_previous, gift.device_hash)
    )


def link_of(command: RecordDonation) -> tuple[int, str, str] | tuple[None, None, None]:
    device = command.device
    return (None, None, None) if device is None else (device.number, device.previous, device.hash)


def flags(command: RecordDonation) -> tuple[Flag, ...]:
    """Name what deserves a look. The money was collected: it is recorded all the same."""
    found: list[Flag] = []
    if command.at - command.occurred_at > LATE_AFTER:
        found.append("late")
    if command.partner_standing != "active":
        found.append("partner_not_active")
    if command.amount_cents > LARGE_AMOUNT_CENTS:
        found.append("large_amount")
    if command.purchase_cents is not None and command.amount_cents > command.purchase_cents:
        found.append("exceeds_purchase")
    return tuple(found)


def reverse(command: ReverseDonation, donation: Donation) -> list[DonationEvent]:
    match donation:
        case Unrecorded():
            raise DonationNotFound(donation_id=command.donation_id)
        case Recorded(gift=gift) if gift.partner_id != command.partner_id:
            raise DonationNotFound(donation_id=command.donation_id)
        case Recorded(gift=gift, reversals=reversals):
            for earlier in reversals:
                if earlier.reversal_id == command.reversal_id:
                    return repeated(command, earlier)
            if command.amount_cents > donation.remaining_cents:
                raise ReversalExceedsGift(
                    donation_id=command.donation_id, remaining_cents=donation.remaining_cents
                )
            return [
                DonationReversed(
                    recorded_at=command.at,
                    actor=command.actor,
                    donation_id=command.donation_id,
                    reversal_id=command.reversal_id,
                    partner_id=gift.partner_id,
                    till_id=command.till_id,
                    source=gift.source,
                    amount_cents=command.amount_cents,
                    reason=command.reason,
                    reversed_on=command.reversed_on,
                )
            ]
        case _:
            assert_never(donation)


def repeated(command: ReverseDonation, earlier: DonationReversed) -> list[DonationEvent]:
    if (command.amount_cents, command.reason) != (earlier.amount_cents, earlier.reason):
        raise ReversalDiffers(reversal_id=command.reversal_id)
    return []


donation: Decider[DonationCommand, Donation, DonationEvent] = Decider(
    category="donation", initial=Unrecorded(), decide=decide, evolve=evolve
)
