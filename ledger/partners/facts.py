"""What the events of one partner say about its standing, each thing with its days."""

from dataclasses import dataclass, replace
from datetime import date
from functools import reduce
from typing import Literal, assert_never, get_args
from uuid import UUID

from ledger.calendar import civil_day, day_before, days_after
from ledger.decider import Event
from ledger.giving import Regime
from ledger.partners.agreements import (
    AgreementAmended,
    AgreementEnded,
    AgreementEvent,
    AgreementSigned,
    Commitment,
)
from ledger.partners.certifications.events import (
    ApplicationFiled,
    ApplicationRefused,
    ApplicationWithdrawn,
    CertificationEnded,
    CertificationEvent,
    CertificationGranted,
    CertificationReinstated,
    CertificationRenewed,
    CertificationRevoked,
    CertificationSuspended,
)
from ledger.partners.overdue import OverdueCleared, OverdueEvent, StatementFellOverdue
from ledger.partners.register import PartnerRegistered, RegisterEvent

StandingEvent = RegisterEvent | AgreementEvent | CertificationEvent | OverdueEvent
STANDING_EVENTS: tuple[type[Event], ...] = get_args(StandingEvent)


@dataclass(frozen=True, slots=True)
class Span:
    """Days from a first to a last one, both within; without a last one it goes on."""

    first: date
    last: date | None

    def covers(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)

    def cut(self, day: date) -> "Span":
        """Give what remains before a day; nothing is covered when that is nothing."""
        before = day_before(day)
        return self if self.last is not None and self.last <= before else Span(self.first, before)


@dataclass(frozen=True, slots=True)
class Application:
    application_id: UUID
    filed_on: date
    settled_on: date | None = None
    outcome: Literal["open", "granted", "refused", "withdrawn"] = "open"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A certification or its renewal; `position` is where its event stands in the feed."""

    case_id: UUID
    position: int
    decided_on: date
    span: Span


@dataclass(frozen=True, slots=True)
class Suspension:
    case_id: UUID
    reason: str
    span: Span


@dataclass(frozen=True, slots=True)
class Closing:
    """The time for which a certification is revoked, or ended by the partner."""

    kind: Literal["revoked", "ended"]
    case_id: UUID | None
    reason: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class Terms:
    """What an agreement says from a day on, until its next terms."""

    first: date
    regime: Regime
    commitment: Commitment
    basis_points: int | None
    cents_per_item: int | None
    charter_version: int
    debt_public: bool = False


@dataclass(frozen=True, slots=True)
class AgreementFacts:
    """An agreement with its terms, oldest first, and the days on which it is in force."""

    agreement_id: UUID
    number: str
    signed_on: date
    terms: tuple[Terms, ...]
    spans: tuple[Span, ...]
    ended_on: date | None = None

    def terms_on(self, day: date) -> Terms:
        """Give the terms of a day, the first ones for days before any."""
        return next((one for one in reversed(self.terms) if one.first <= day), self.terms[0])


@dataclass(frozen=True, slots=True)
class Overdue:
    """A statement not remitted after its day, as settlements found it."""

    statement_id: UUID
    due_on: date
    remitted_on: date | None = None


@dataclass(frozen=True, slots=True)
class PartnerFacts:
    registered_on: date | None = None
    applications: tuple[Application, ...] = ()
    grants: tuple[Grant, ...] = ()
    suspensions: tuple[Suspension, ...] = ()
    closings: tuple[Closing, ...] = ()
    agreements: tuple[AgreementFacts, ...] = ()
    overdue: tuple[Overdue, ...] = ()


def learn(facts: PartnerFacts, event: StandingEvent, position: int = 0) -> PartnerFacts:
    """Add what an event of the partner says. Its events come in the order of the feed."""
    match event:
        case PartnerRegistered(recorded_at=recorded_at):
            return replace(facts, registered_on=civil_day(recorded_at))
        case AgreementSigned() | AgreementAmended() | AgreementEnded():
            return replace(facts, agreements=with_agreement(facts.agreements, event))
        case ApplicationFiled(application_id=application_id, filed_on=day):
            filed = Application(application_id, day)
            return replace(facts, applications=(*facts.applications, filed))
        case ApplicationRefused(case_id=case_id, refused_on=day, reason=reason):
            return settled(facts, case_id, day, "refused", reason)
        case ApplicationWithdrawn(application_id=case_id, withdrawn_on=day):
            return settled(facts, case_id, day, "withdrawn")
        case CertificationGranted() | CertificationRenewed():
            return with_grant(facts, event, position)
        case CertificationSuspended(suspended_from=first, suspended_until=last):
            suspension = Suspension(event.case_id, event.reason, Span(first, last))
            return replace(facts, suspensions=(*facts.suspensions, suspension))
        case CertificationReinstated():
            return reinstated(facts, event)
        case CertificationRevoked(case_id=case_id, reason=reason, revoked_on=day):
            closing = Closing("revoked", case_id, reason, Span(day, None))
            return replace(facts, closings=(*facts.closings, closing))
        case CertificationEnded(ended_on=day):
            closing = Closing("ended", None, None, Span(day, None))
            return replace(facts, closings=(*facts.closings, closing))
        case StatementFellOverdue() | OverdueCleared():
            return replace(facts, overdue=with_overdue(facts.overdue, event))
        case _:
            return facts


def facts_of(events: list[tuple[int, StandingEvent]]) -> PartnerFacts:
    """Fold the events of one partner with their positions, in the order of the feed."""
    return reduce(lambda facts, one: learn(facts, one[1], one[0]), events, PartnerFacts())


def settled(
    facts: PartnerFacts,
    case_id: UUID,
    day: date,
    outcome: Literal["granted", "refused", "withdrawn"],
    reason: str | None = None,
) -> PartnerFacts:
    """Note how an application ended; an appeal won later does not undo that it was refused."""
    applications = tuple(
        replace(one, settled_on=day, outcome=outcome, reason=reason)
        if one.application_id == case_id
        else one
        for one in facts.applications
    )
    return replace(facts, applications=applications)


def with_grant(
    facts: PartnerFacts, event: CertificationGranted | CertificationRenewed, position: int
) -> PartnerFacts:
    """Add a certification in the place of those before it; it lifts no suspension.

    What closed the one before ends with a new one, and an old one never comes back after it.
    """
    first = event.valid_from
    grant = Grant(event.case_id, position, event.decided_on, Span(first, event.valid_until))
    facts = settled(facts, event.case_id, event.decided_on, "granted")
    before = tuple(replace(one, span=one.span.cut(first)) for one in facts.grants)
    closings = facts.closings
    if isinstance(event, CertificationGranted):
        closings = tuple(replace(one, span=one.span.cut(first)) for one in closings)
    return replace(facts, grants=(*before, grant), closings=closings)


def reinstated(facts: PartnerFacts, event: CertificationReinstated) -> PartnerFacts:
    """Cut the sanction of one case, or every suspension, on the day of the reinstatement."""
    lifted, day = event.lifted_case_id, event.reinstated_on
    suspensions = tuple(
        replace(one, span=one.span.cut(day)) if lifted in {None, one.case_id} else one
        for one in facts.suspensions
    )
    closings = tuple(
        replace(one, span=one.span.cut(day))
        if lifted is not None and one.case_id == lifted
        else one
        for one in facts.closings
    )
    return replace(facts, suspensions=suspensions, closings=closings)


def with_overdue(overdue: tuple[Overdue, ...], event: OverdueEvent) -> tuple[Overdue, ...]:
    """Note a statement that fell overdue, or the day on which nothing of it was owed any more."""
    if isinstance(event, StatementFellOverdue):
        return (*overdue, Overdue(event.statement_id, event.due_on))
    return tuple(
        replace(one, remitted_on=event.cleared_on)
        if one.statement_id == event.statement_id and one.remitted_on is None
        else one
        for one in overdue
    )


def with_agreement(
    agreements: tuple[AgreementFacts, ...], event: AgreementEvent
) -> tuple[AgreementFacts, ...]:
    if isinstance(event, AgreementSigned):
        signed = AgreementFacts(
            agreement_id=event.agreement_id,
            number=event.number,
            signed_on=event.signed_on,
            terms=(terms_of(event, event.valid_from),),
            spans=(Span(event.valid_from, event.valid_until),),
        )
        return (*agreements, signed)
    return tuple(
        changed(one, event) if one.agreement_id == event.agreement_id else one for one in agreements
    )


def terms_of(event: AgreementSigned | AgreementAmended, first: date) -> Terms:
    return Terms(
        first=first,
        regime=event.regime,
        commitment=event.commitment,
        basis_points=event.basis_points,
        cents_per_item=event.cents_per_item,
        charter_version=event.charter_version,
        debt_public=bool(event.debt_public),
    )


def changed(agreement: AgreementFacts, event: AgreementAmended | AgreementEnded) -> AgreementFacts:
    match event:
        case AgreementAmended():
            return replace(
                agreement,
                terms=(*agreement.terms, terms_of(event, event.amended_on)),
                spans=prolonged(agreement.spans, event.amended_on, event.valid_until),
            )
        case AgreementEnded(ended_on=day):
            spans = tuple(span.cut(day) for span in agreement.spans)
            return replace(agreement, spans=spans, ended_on=day)
        case _:
            assert_never(event)


def prolonged(spans: tuple[Span, ...], amended_on: date, last: date | None) -> tuple[Span, ...]:
    """Move the last day of an agreement; one that had run out resumes on the day it is amended."""
    *earlier, newest = spans
    if newest.last is not None and days_after(newest.last) < amended_on:
        return (*spans, Span(amended_on, last))
    return (*earlier, Span(newest.first, last))
