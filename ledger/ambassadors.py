"""An ambassador: enrolled with her consent and a code, credited with what she brought, retired.

A credit is a stream of its own, named by what was brought: a shop or a ballot credits one
ambassador, once. Never her own gifts: what can be known of that is in `is_her_own`.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Any, Literal, assert_never
from uuid import UUID, uuid5

from pydantic import Field

from ledger.calendar import civil_day
from ledger.decider import Command, Decider, Event, Refused

Kind = Literal["shop", "ballot"]
# Letters and digits that nobody mistakes for another, as on tickets.
Code = Annotated[str, Field(pattern=r"^[2-9A-HJKMNP-Z]{6}$")]
# A code names one ambassador: enrolling it twice meets the same stream.
CODE_NAMESPACE = UUID("8d7d2c1c-0a5e-5c0a-9a0e-6b1f0c2f7e31")

# Events. These names and fields are what is stored: add a new version, never edit.


class AmbassadorEnrolled(Event):
    """She consented to be enrolled, on paper or by her account; `named`: and to be named."""

    ambassador_id: UUID
    subject_id: UUID
    code: str
    account_id: UUID | None = None
    named: bool
    enrolled_on: date


class AmbassadorNamingChanged(Event):
    ambassador_id: UUID
    named: bool


class AmbassadorWalletDeclared(Event):
    """A wallet of her own gifts: no ballot of it is ever credited to her."""

    ambassador_id: UUID
    wallet_id: UUID


class AmbassadorRetired(Event):
    ambassador_id: UUID
    retired_on: date


AmbassadorEvent = (
    AmbassadorEnrolled | AmbassadorNamingChanged | AmbassadorWalletDeclared | AmbassadorRetired
)


class CreditGiven(Event):
    """`brought_id` is the partner's id, or the ballot's: never a donation's."""

    credit_id: UUID
    ambassador_id: UUID
    kind: Kind
    brought_id: UUID
    credited_on: date


# Commands.


class EnrolAmbassador(Command):
    ambassador_id: UUID
    subject_id: UUID
    code: Code
    account_id: UUID | None = None
    named: bool = False


class ChangeNaming(Command):
    ambassador_id: UUID
    named: bool


class DeclareWallet(Command):
    ambassador_id: UUID
    wallet_id: UUID


class RetireAmbassador(Command):
    ambassador_id: UUID


AmbassadorCommand = EnrolAmbassador | ChangeNaming | DeclareWallet | RetireAmbassador


class GiveCredit(Command):
    """`enrolled` and `her_own` are what the ambassador's own stream says of this."""

    credit_id: UUID
    ambassador_id: UUID
    kind: Kind
    brought_id: UUID
    enrolled: bool
    her_own: bool


# State: only what the rules below need.


@dataclass(frozen=True, slots=True)
class Unknown:
    pass


@dataclass(frozen=True, slots=True)
class Enrolled:
    enrolment: AmbassadorEnrolled
    named: bool
    wallets: tuple[UUID, ...] = ()
    retired: bool = False


Ambassador = Unknown | Enrolled


@dataclass(frozen=True, slots=True)
class Uncredited:
    pass


@dataclass(frozen=True, slots=True)
class Credited:
    ambassador_id: UUID


Credit = Uncredited | Credited


class AmbassadorNotFound(Refused):
    """No ambassador has this id or code."""


class AmbassadorDiffers(Refused):
    """This code was given to somebody else before."""


class AmbassadorIsRetired(Refused):
    """A retired ambassador is credited with nothing more."""


class CreditedToAnother(Refused):
    """Another ambassador brought this."""


class OwnGift(Refused):
    """No ambassador is credited for her own gifts or her own shop."""


def ambassador_id_of(code: str) -> UUID:
    return uuid5(CODE_NAMESPACE, code)


def credit_id_of(kind: Kind, brought_id: UUID) -> UUID:
    return uuid5(brought_id, f"credit {kind}")


def is_her_own(
    ambassador: Enrolled, *, caster: str, wallet_id: UUID | None, same_browser: bool
) -> bool:
    """Tell whether a ballot is the ambassador's own, as far as can be known.

    Tickets are anonymous. Known are: who was signed in when the ballot was cast, the wallet that
    the gift is in, and whether the browser is the one that opened the ambassador's own page.
    """
    account_id = ambassador.enrolment.account_id
    signed_in = account_id is not None and caster == f"account:{account_id}"
    return signed_in or same_browser or (wallet_id is not None and wallet_id in ambassador.wallets)


def evolve(ambassador: Ambassador, event: AmbassadorEvent) -> Ambassador:
    if isinstance(event, AmbassadorEnrolled):
        return Enrolled(event, event.named)
    assert isinstance(ambassador, Enrolled)  # noqa: S101 - what was stored says so.
    match event:
        case AmbassadorNamingChanged(named=named):
            return replace(ambassador, named=named)
        case AmbassadorWalletDeclared(wallet_id=wallet_id):
            return replace(ambassador, wallets=(*ambassador.wallets, wallet_id))
        case AmbassadorRetired():
            return replace(ambassador, retired=True, named=False)
        case _:
            assert_never(event)


def decide(command: AmbassadorCommand, ambassador: Ambassador) -> list[AmbassadorEvent]:
    if isinstance(command, EnrolAmbassador):
        return enrol(command, ambassador)
    if isinstance(ambassador, Unknown):
        raise AmbassadorNotFound(ambassador_id=command.ambassador_id)
    common = recorded(command)
    match command:
        case ChangeNaming(named=named):
            if ambassador.named == named:
                return []
            if ambassador.retired:
                raise AmbassadorIsRetired(ambassador_id=command.ambassador_id)
            return [AmbassadorNamingChanged(**common, named=named)]
        case DeclareWallet(wallet_id=wallet_id):
            if wallet_id in ambassador.wallets:
                return []
            return [AmbassadorWalletDeclared(**common, wallet_id=wallet_id)]
        case RetireAmbassador():
            if ambassador.retired:
                return []
            return [AmbassadorRetired(**common, retired_on=civil_day(command.at))]
        case _:
            assert_never(command)


def recorded(command: AmbassadorCommand) -> dict[str, Any]:
    return {
        "recorded_at": command.at,
        "actor": command.actor,
        "ambassador_id": command.ambassador_id,
    }


def enrol(command: EnrolAmbassador, ambassador: Ambassador) -> list[AmbassadorEvent]:
    if isinstance(ambassador, Enrolled):
        before = ambassador.enrolment
        if (before.subject_id, before.code) != (command.subject_id, command.code):
            raise AmbassadorDiffers(code=command.code)
        return []
    return [
        AmbassadorEnrolled(
            **recorded(command),
            subject_id=command.subject_id,
            code=command.code,
            account_id=command.account_id,
            named=command.named,
            enrolled_on=civil_day(command.at),
        )
    ]


def evolve_credit(_: Credit, event: CreditGiven) -> Credit:
    return Credited(event.ambassador_id)


def decide_credit(command: GiveCredit, credit: Credit) -> list[CreditGiven]:
    match credit:
        case Credited(ambassador_id=ambassador_id):
            if ambassador_id != command.ambassador_id:
                raise CreditedToAnother(kind=command.kind)
            return []
        case Uncredited():
            if not command.enrolled:
                raise AmbassadorIsRetired(ambassador_id=command.ambassador_id)
            if command.her_own:
                raise OwnGift(ambassador_id=command.ambassador_id)
            return [
                CreditGiven(
                    recorded_at=command.at,
                    actor=command.actor,
                    credit_id=command.credit_id,
                    ambassador_id=command.ambassador_id,
                    kind=command.kind,
                    brought_id=command.brought_id,
                    credited_on=civil_day(command.at),
                )
            ]
        case _:
            assert_never(credit)


ambassador: Decider[AmbassadorCommand, Ambassador, AmbassadorEvent] = Decider(
    category="ambassador", initial=Unknown(), decide=decide, evolve=evolve
)
credit: Decider[GiveCredit, Credit, CreditGiven] = Decider(
    category="credit", initial=Uncredited(), decide=decide_credit, evolve=evolve_credit
)
