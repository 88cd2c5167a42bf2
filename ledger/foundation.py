"""The foundation itself: what it is called, the account it collects on, its terms of settlement."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Literal, assert_never, get_args
from uuid import UUID, uuid5

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ledger.actors import person
from ledger.calendar import FIRST_DAY, LAST_DAY, civil_day
from ledger.decider import Command, Decider, Event, Refused
from ledger.iban import Bic, Iban
from ledger.siret import Siret
from ledger.text import ONE_LINE

# The one foundation of a ledger: its stream, and the partner that gives online are named after it.
FOUNDATION_ID = UUID("5d0f3d0a-0d5e-5b7c-8f43-0c6d1a2b3c4d")

Period = Literal["week", "half_month", "month", "quarter"]
PERIODS: tuple[Period, ...] = get_args(Period)

# Events. These names and fields are what is stored: add a new version, never edit.


class SettlementTerms(BaseModel):
    """When statements close and fall due, from a day on.

    A period is closed `close_after_days` after its last day, so that offline tills come in first;
    it is due `due_after_days` after that. A statement that owes less than `owed_min_cents` waits
    for the next. Reminders go out so many days after it fell due; a debt is published, where the
    partner agreed to that, `public_after_days` after it fell due.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    in_force_from: date
    period: Period
    close_after_days: int
    due_after_days: int
    owed_min_cents: int
    reminder_after_days: tuple[int, ...]
    public_after_days: int


class FoundationDescribed(Event):
    name: str
    siret: str


class CollectionAccountProposed(Event):
    """Whoever changes the account takes everything: one person proposes, another approves."""

    proposal_id: UUID
    iban: str
    bic: str | None = None
    holder: str


class CollectionAccountApproved(Event):
    proposal_id: UUID
    account_id: UUID
    iban: str
    bic: str | None = None
    holder: str


class CollectionAccountDiscarded(Event):
    proposal_id: UUID


class SettlementTermsSet(Event):
    terms: SettlementTerms


FoundationEvent = (
    FoundationDescribed
    | CollectionAccountProposed
    | CollectionAccountApproved
    | CollectionAccountDiscarded
    | SettlementTermsSet
)

# What holds until the foundation sets terms of its own.
DEFAULT_TERMS = SettlementTerms(
    in_force_from=FIRST_DAY,
    period="month",
    close_after_days=3,
    due_after_days=30,
    owed_min_cents=100,
    reminder_after_days=(7, 21, 45),
    public_after_days=60,
)

# Commands.

CLOSE_AFTER_DAYS_MAX, DUE_AFTER_DAYS_MAX, PUBLIC_AFTER_DAYS_MAX = 60, 180, 730
OWED_CENTS_MAX = 100_000
REMINDERS_MAX, REMINDER_AFTER_DAYS_MAX = 5, 365


def _in_bounds(terms: SettlementTerms) -> SettlementTerms:
    """Refuse terms that are a typing error; reminders are in the order they go out in."""
    reminders = terms.reminder_after_days
    bounds = (
        (terms.close_after_days, CLOSE_AFTER_DAYS_MAX),
        (terms.due_after_days, DUE_AFTER_DAYS_MAX),
        (terms.owed_min_cents, OWED_CENTS_MAX),
        (terms.public_after_days, PUBLIC_AFTER_DAYS_MAX),
        (len(reminders), REMINDERS_MAX),
    )
    if any(not 0 <= value <= limit for value, limit in bounds):
        raise ValueError("a number of days, an amount or a count is out of bounds")
    if any(not 1 <= days <= REMINDER_AFTER_DAYS_MAX for days in reminders):
        raise ValueError("a reminder goes out from one day to a year after the due day")
    if list(reminders) != sorted(set(reminders)):
        raise ValueError("each reminder comes later than the one before")
    if not FIRST_DAY <= terms.in_force_from <= LAST_DAY:
        raise ValueError("a day out of bounds")
    return terms


FoundationName = Annotated[str, Field(min_length=1, max_length=120, pattern=ONE_LINE)]
# A SEPA QR code holds no longer name (EPC069-12).
Holder = Annotated[str, Field(min_length=1, max_length=70, pattern=ONE_LINE)]


class DescribeFoundation(Command):
    name: FoundationName
    siret: Siret


class ProposeCollectionAccount(Command):
    proposal_id: UUID
    iban: Iban
    bic: Bic | None = None
    holder: Holder


class ApproveCollectionAccount(Command):
    """`iban` is what the person who approves typed herself, from the bank's own paper.

    `disabled` are the actors whose account is disabled today.
    """

    proposal_id: UUID
    iban: Iban
    disabled: tuple[str, ...] = ()


class DiscardCollectionAccount(Command):
    proposal_id: UUID


class SetSettlementTerms(Command):
    terms: Annotated[SettlementTerms, AfterValidator(_in_bounds)]


FoundationCommand = (
    DescribeFoundation
    | ProposeCollectionAccount
    | ApproveCollectionAccount
    | DiscardCollectionAccount
    | SetSettlementTerms
)

# State: only what the rules below need, and what every other part asks.


@dataclass(frozen=True, slots=True)
class CollectionAccount:
    account_id: UUID
    iban: str
    bic: str | None
    holder: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """An account that one person proposed, and that nobody decided upon yet."""

    proposal_id: UUID
    iban: str
    bic: str | None
    holder: str
    proposed_by: str


@dataclass(frozen=True, slots=True)
class Foundation:
    """`accounts` are all that were ever approved, in that order: the last one is in force."""

    name: str | None = None
    siret: str | None = None
    accounts: tuple[CollectionAccount, ...] = ()
    terms: tuple[SettlementTerms, ...] = ()
    proposal: Proposal | None = None
    approved: frozenset[UUID] = frozenset()
    discarded: frozenset[UUID] = frozenset()

    @property
    def account(self) -> CollectionAccount | None:
        """The account that statements ask to pay to, None before two people named one."""
        return self.accounts[-1] if self.accounts else None

    @property
    def account_ids(self) -> tuple[UUID, ...]:
        """Every account that ever collected, once: money may still come in on an old one."""
        return tuple(dict.fromkeys(one.account_id for one in self.accounts))

    def terms_on(self, day: date) -> SettlementTerms:
        """Give the terms in force on a day; of two sets from the same day, what was set last."""
        in_force = DEFAULT_TERMS
        for terms in self.terms:
            if in_force.in_force_from <= terms.in_force_from <= day:
                in_force = terms
        return in_force


class ProposalDiffers(Refused):
    """The same proposal was made before with another account."""


class AnotherAccountProposed(Refused):
    """Another account is proposed already: it is approved or discarded first."""


class ProposalNotFound(Refused):
    """No account was proposed under this id."""


class ProposalClosed(Refused):
    """This proposal was decided upon before: approved, or discarded."""


class ProposerApproves(Refused):
    """Whoever proposed an account cannot approve it: another person does."""


class ProposerIsDisabled(Refused):
    """Whoever proposed this had her account disabled since: it can only be discarded."""


class ProposedAccountDiffers(Refused):
    """The IBAN that was typed is not the one that is proposed."""


class AccountInForce(Refused):
    """The foundation collects on this account already."""


class TermsInPast(Refused):
    """Terms of settlement start today or later: what was closed or due stays as it was."""


def account_id_of(iban: str) -> UUID:
    """Give the id of an account: its IBAN's, so that whoever reads a bank file knows it."""
    return uuid5(FOUNDATION_ID, iban)


def evolve(state: Foundation, event: FoundationEvent) -> Foundation:
    match event:
        case FoundationDescribed(name=name, siret=siret):
            return replace(state, name=name, siret=siret)
        case CollectionAccountProposed():
            proposed = Proposal(
                event.proposal_id, event.iban, event.bic, event.holder, proposed_by=event.actor
            )
            return replace(state, proposal=proposed)
        case CollectionAccountApproved():
            account = CollectionAccount(event.account_id, event.iban, event.bic, event.holder)
            approved = state.approved | {event.proposal_id}
            accounts = (*state.accounts, account)
            return replace(state, accounts=accounts, proposal=None, approved=approved)
        case CollectionAccountDiscarded(proposal_id=proposal_id):
            return replace(state, proposal=None, discarded=state.discarded | {proposal_id})
        case SettlementTermsSet(terms=terms):
            return replace(state, terms=(*state.terms, terms))
        case _:
            assert_never(event)


def decide(command: FoundationCommand, state: Foundation) -> list[FoundationEvent]:
    match command:
        case DescribeFoundation():
            return describe(command, state)
        case ProposeCollectionAccount():
            return propose(command, state)
        case ApproveCollectionAccount():
            return approve(command, state)
        case DiscardCollectionAccount():
            return discard(command, state)
        case SetSettlementTerms():
            return set_terms(command, state)
        case _:
            assert_never(command)


def describe(command: DescribeFoundation, state: Foundation) -> list[FoundationEvent]:
    if (command.name, command.siret) == (state.name, state.siret):
        return []
    return [
        FoundationDescribed(
            recorded_at=command.at, actor=command.actor, name=command.name, siret=command.siret
        )
    ]


def propose(command: ProposeCollectionAccount, state: Foundation) -> list[FoundationEvent]:
    person(command.actor)
    asked = (command.iban, command.bic, command.holder)
    if command.proposal_id in state.approved | state.discarded:
        raise ProposalClosed(proposal_id=command.proposal_id)
    pending = state.proposal
    if pending is not None and pending.proposal_id == command.proposal_id:
        if (pending.iban, pending.bic, pending.holder) != asked:
            raise ProposalDiffers(proposal_id=command.proposal_id)
        return []
    if pending is not None:
        raise AnotherAccountProposed(proposal_id=pending.proposal_id)
    now = state.account
    if now is not None and (now.iban, now.bic, now.holder) == asked:
        raise AccountInForce(account_id=now.account_id)
    return [
        CollectionAccountProposed(
            recorded_at=command.at,
            actor=command.actor,
            proposal_id=command.proposal_id,
            iban=command.iban,
            bic=command.bic,
            holder=command.holder,
        )
    ]


def approve(command: ApproveCollectionAccount, state: Foundation) -> list[FoundationEvent]:
    person(command.actor)
    if command.proposal_id in state.approved:
        return []
    proposal = pending_of(command, state)
    if command.iban != proposal.iban:
        raise ProposedAccountDiffers(proposal_id=command.proposal_id)
    if command.actor == proposal.proposed_by:
        raise ProposerApproves(actor=command.actor)
    if proposal.proposed_by in command.disabled:
        raise ProposerIsDisabled(proposal_id=command.proposal_id)
    return [
        CollectionAccountApproved(
            recorded_at=command.at,
            actor=command.actor,
            proposal_id=proposal.proposal_id,
            account_id=account_id_of(proposal.iban),
            iban=proposal.iban,
            bic=proposal.bic,
            holder=proposal.holder,
        )
    ]


def discard(command: DiscardCollectionAccount, state: Foundation) -> list[FoundationEvent]:
    person(command.actor)
    if command.proposal_id in state.discarded:
        return []
    proposal = pending_of(command, state)
    return [
        CollectionAccountDiscarded(
            recorded_at=command.at, actor=command.actor, proposal_id=proposal.proposal_id
        )
    ]


def pending_of(
    command: ApproveCollectionAccount | DiscardCollectionAccount, state: Foundation
) -> Proposal:
    """Give the proposal that a command decides upon. Raises ProposalClosed, ProposalNotFound."""
    if command.proposal_id in state.approved | state.discarded:
        raise ProposalClosed(proposal_id=command.proposal_id)
    if state.proposal is None or state.proposal.proposal_id != command.proposal_id:
        raise ProposalNotFound(proposal_id=command.proposal_id)
    return state.proposal


def set_terms(command: SetSettlementTerms, state: Foundation) -> list[FoundationEvent]:
    if state.terms and state.terms[-1] == command.terms:
        return []
    if command.terms.in_force_from < civil_day(command.at):
        raise TermsInPast(in_force_from=command.terms.in_force_from)
    return [SettlementTermsSet(recorded_at=command.at, actor=command.actor, terms=command.terms)]


foundation: Decider[FoundationCommand, Foundation, FoundationEvent] = Decider(
    category="foundation", initial=Foundation(), decide=decide, evolve=evolve
)
