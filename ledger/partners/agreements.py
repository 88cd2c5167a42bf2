"""An agreement (convention): signed with a partner for some time, amended, ended."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal, Self, assert_never
from uuid import UUID, uuid5

from pydantic import Field, model_validator

from ledger.calendar import Day, civil_day
from ledger.decider import Command, Decider, Event, Refused
from ledger.giving import Regime
from ledger.partners.words import in_order

Commitment = Literal["round_up", "add_on", "share_of_sales", "amount_per_item"]
Number = Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9/._-]{0,31}$")]
EndedBy = Literal["partner", "foundation", "both"]

# A number names one agreement: signing it twice meets the same stream.
NUMBER_NAMESPACE = UUID("c7b0a3de-3c6f-5f0b-9a55-6d2f6c0a5b1e")

# Events. These names and fields are what is stored: add a new version, never edit.


class AgreementSigned(Event):
    agreement_id: UUID
    partner_id: UUID
    number: str
    regime: Regime
    commitment: Commitment
    basis_points: int | None = None
    cents_per_item: int | None = None
    charter_version: int
    signed_on: date
    valid_from: date
    valid_until: date | None = None
    debt_public: bool | None = None


class AgreementAmended(Event):
    """All its terms as they are from `amended_on`."""

    agreement_id: UUID
    partner_id: UUID
    regime: Regime
    commitment: Commitment
    basis_points: int | None = None
    cents_per_item: int | None = None
    charter_version: int
    amended_on: date
    valid_until: date | None = None
    debt_public: bool | None = None


class AgreementEnded(Event):
    """`ended_on` is the first day it is not in force."""

    agreement_id: UUID
    partner_id: UUID
    ended_on: date
    ended_by: EndedBy


AgreementEvent = AgreementSigned | AgreementAmended | AgreementEnded

# Commands.


class Terms(Command):
    """What both sides promise; a share or an amount only where the commitment has one.

    With `debt_public` the partner agrees that what it owes for too long is published. It is absent
    where it does not, as from all that was signed before it could be asked.
    """

    agreement_id: UUID
    partner_id: UUID
    regime: Regime
    commitment: Commitment
    basis_points: Annotated[int, Field(gt=0, le=10_000)] | None = None
    cents_per_item: Annotated[int, Field(gt=0, le=100_000)] | None = None
    charter_version: Annotated[int, Field(ge=1)]
    valid_until: Day | None = None
    debt_public: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if (self.basis_points is not None) != (self.commitment == "share_of_sales"):
            raise ValueError("basis_points belong to a share of sales, and to nothing else")
        if (self.cents_per_item is not None) != (self.commitment == "amount_per_item"):
            raise ValueError("cents_per_item belong to an amount per item, and to nothing else")
        return self


class SignAgreement(Terms):
    number: Number
    signed_on: Day
    valid_from: Day


class AmendAgreement(Terms):
    amended_on: Day


class EndAgreement(Command):
    agreement_id: UUID
    partner_id: UUID
    ended_on: Day
    ended_by: EndedBy


AgreementCommand = SignAgreement | AmendAgreement | EndAgreement

# State: only what the rules below need.


@dataclass(frozen=True, slots=True)
class Unsigned:
    pass


@dataclass(frozen=True, slots=True)
class Signed:
    signature: AgreementSigned
    amendments: tuple[AgreementAmended, ...] = ()

    @property
    def valid_until(self) -> date | None:
        """The last day as the newest amendment leaves it."""
        return (self.amendments[-1] if self.amendments else self.signature).valid_until


@dataclass(frozen=True, slots=True)
class Ended:
    signature: AgreementSigned
    end: AgreementEnded


Agreement = Unsigned | Signed | Ended


class AgreementNotSigned(Refused):
    """No agreement with this partner has this id."""


class AgreementDiffers(Refused):
    """This number was signed before with another partner or other terms."""


class AgreementIsEnded(Refused):
    """An agreement that was ended never comes back: sign a new one."""


class SignedInFuture(Refused):
    """What is dated after today is not signed yet."""


class AmendedInDisorder(Refused):
    """An amendment takes effect within the agreement, and after the one before it."""


def agreement_id_of(number: str) -> UUID:
    """Give the id of the agreement with a number."""
    return uuid5(NUMBER_NAMESPACE, number)


def evolve(agreement: Agreement, event: AgreementEvent) -> Agreement:
    match event:
        case AgreementSigned():
            return Signed(event)
        case AgreementAmended():
            assert isinstance(agreement, Signed)  # noqa: S101 - what was stored says so.
            return Signed(agreement.signature, (*agreement.amendments, event))
        case AgreementEnded():
            assert not isinstance(agreement, Unsigned)  # noqa: S101 - what was stored says so.
            return Ended(agreement.signature, event)
        case _:
            assert_never(event)


def decide(command: AgreementCommand, agreement: Agreement) -> list[AgreementEvent]:
    if isinstance(command, SignAgreement):
        return sign(command, agreement)
    if isinstance(agreement, Unsigned) or agreement.signature.partner_id != command.partner_id:
        raise AgreementNotSigned(agreement_id=command.agreement_id)
    match command:
        case AmendAgreement():
            return amend(command, agreement)
        case EndAgreement():
            return end(command, agreement)
        case _:
            assert_never(command)


def sign(command: SignAgreement, agreement: Agreement) -> list[AgreementEvent]:
    in_order(command.signed_on, command.valid_from)
    in_order(command.valid_from, command.valid_until)
    if command.signed_on > civil_day(command.at):
        raise SignedInFuture(signed_on=command.signed_on)
    terms = command.model_dump(exclude={"at", "actor"})
    signed = AgreementSigned(recorded_at=command.at, actor=command.actor, **terms)
    if isinstance(agreement, Unsigned):
        return [signed]
    if agreement.signature.model_dump(exclude={"recorded_at", "actor"}) != terms:
        raise AgreementDiffers(agreement_id=command.agreement_id, number=command.number)
    return []


def amend(command: AmendAgreement, agreement: Signed | Ended) -> list[AgreementEvent]:
    if isinstance(agreement, Ended):
        raise AgreementIsEnded(agreement_id=command.agreement_id)
    terms = command.model_dump(exclude={"at", "actor"})
    newest = agreement.amendments[-1:]
    if any(one.model_dump(exclude={"recorded_at", "actor"}) == terms for one in newest):
        return []
    in_order(command.amended_on, command.valid_until)
    earliest = max([agreement.signature.valid_from, *(one.amended_on for one in newest)])
    if command.amended_on < earliest:
        raise AmendedInDisorder(amended_on=command.amended_on, earliest_on=earliest)
    return [AgreementAmended(recorded_at=command.at, actor=command.actor, **terms)]


def end(command: EndAgreement, agreement: Signed | Ended) -> list[AgreementEvent]:
    asked = (command.ended_on, command.ended_by)
    if isinstance(agreement, Ended):
        if (agreement.end.ended_on, agreement.end.ended_by) != asked:
            raise AgreementIsEnded(agreement_id=command.agreement_id)
        return []
    in_order(agreement.signature.valid_from, command.ended_on)
    return [
        AgreementEnded(
            recorded_at=command.at,
            actor=command.actor,
            agreement_id=command.agreement_id,
            partner_id=command.partner_id,
            ended_on=command.ended_on,
            ended_by=command.ended_by,
        )
    ]


agreement: Decider[AgreementCommand, Agreement, AgreementEvent] = Decider(
    category="agreement", initial=Unsigned(), decide=decide, evolve=evolve
)
