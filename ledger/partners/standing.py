"""What a partner is on a day, derived from its facts, and why. Nothing stores a status."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Literal

from ledger.calendar import day_before, days_after
from ledger.partners.facts import Closing, Grant, PartnerFacts, Span

Status = Literal[
    "registered",
    "candidate",
    "active",
    "suspended",
    "lapsed",
    "revoked",
    "ended",
    "refused",
]
STATUSES: tuple[Status, ...] = (
    "registered",
    "candidate",
    "active",
    "suspended",
    "lapsed",
    "revoked",
    "ended",
    "refused",
)
ReasonName = Literal[
    "not_registered_yet",
    "no_application",
    "application_open",
    "application_refused",
    "certified",
    "certification_to_come",
    "certification_over",
    "certification_suspended",
    "certification_revoked",
    "certification_ended",
    "agreement_in_force",
    "agreement_missing",
    "agreement_to_come",
    "agreement_over",
    "statement_overdue",
]


@dataclass(frozen=True, slots=True)
class StandingRule:
    """How many days a statement may be overdue; a later rule takes over on its first day."""

    version: int
    in_force_from: date
    overdue_days_max: int


# What speaks for a partner, beside what decides that it is no partner all the same.
HOLDING: frozenset[ReasonName] = frozenset({"certified", "agreement_in_force"})


# A rule that was in force is never edited: answers about its days depend on it.
RULES: tuple[StandingRule, ...] = (
    StandingRule(version=1, in_force_from=date(2000, 1, 1), overdue_days_max=30),
)


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that makes a standing: since and until when it holds, and which one it is.

    `detail` is an agreement's number, or the machine name of why a decision was taken.
    """

    name: ReasonName
    since: date | None = None
    until: date | None = None
    detail: str | None = None


def why_not(reasons: Iterable[Reason]) -> ReasonName | None:
    """Name what decides that a partner is not active; None for an active one."""
    return next((one.name for one in reasons if one.name not in HOLDING), None)


@dataclass(frozen=True, slots=True)
class Standing:
    status: Status
    reasons: tuple[Reason, ...]

    @property
    def why(self) -> ReasonName | None:
        """What decides that it is not active; None when it is."""
        return why_not(self.reasons)


@dataclass(frozen=True, slots=True)
class Period:
    """Days on which a standing stays the same; `since` is when its status began."""

    first: date
    last: date | None
    since: date
    standing: Standing


def rule_on(day: date, rules: tuple[StandingRule, ...] = RULES) -> StandingRule:
    """Give the rule in force on a day, the first one for days before any."""
    return next((rule for rule in reversed(rules) if rule.in_force_from <= day), rules[0])


def standing(facts: PartnerFacts, on: date, rule: StandingRule) -> Standing:
    """Say what a partner is on a day, under a rule, as far as these facts go."""
    if facts.registered_on is None or on < facts.registered_on:
        return Standing("registered", (Reason("not_registered_yet", facts.registered_on),))
    closing = closing_on(facts, on)
    if closing is not None:
        name: ReasonName = (
            "certification_revoked" if closing.kind == "revoked" else "certification_ended"
        )
        reason = Reason(name, closing.span.first, closing.span.last, closing.reason)
        return Standing(closing.kind, (reason,))
    grant = next((one for one in reversed(facts.grants) if one.span.covers(on)), None)
    return uncertified(facts, on) if grant is None else certified(facts, on, rule, grant)


def closing_on(facts: PartnerFacts, on: date) -> Closing | None:
    """Give what closes the certification on a day: nobody leaves a revocation by ending it."""
    covering = [one for one in facts.closings if one.span.covers(on)]
    return min(covering, key=lambda one: (one.kind != "revoked", one.span.first), default=None)


def certified(facts: PartnerFacts, on: date, rule: StandingRule, grant: Grant) -> Standing:
    """Say what a certified partner is: active with an agreement in force and nothing against it."""
    holds = Reason("certified", grant.span.first, grant.span.last)
    agreed = agreement(facts, on)
    against = hindrances(facts, on, rule)
    if against:
        return Standing("suspended", (*against, holds, agreed))
    status: dict[ReasonName, Status] = {
        "agreement_in_force": "active",
        "agreement_over": "lapsed",
    }
    return Standing(status.get(agreed.name, "registered"), (holds, agreed))


def hindrances(facts: PartnerFacts, on: date, rule: StandingRule) -> tuple[Reason, ...]:
    """Name the suspensions of a day, and the statements overdue for longer than the rule allows."""
    suspensions = [
        Reason("certification_suspended", one.span.first, one.span.last, one.reason)
        for one in facts.suspensions
        if one.span.covers(on)
    ]
    overdue = [
        Reason("statement_overdue", one.due_on, one.remitted_on, str(one.statement_id))
        for one in facts.overdue
        if overdue_span(one.due_on, one.remitted_on, rule).covers(on)
    ]
    return (*suspensions, *overdue)


def overdue_span(due_on: date, remitted_on: date | None, rule: StandingRule) -> Span:
    """Give the days on which a statement is overdue by more than the rule allows."""
    first = days_after(due_on, rule.overdue_days_max + 1)
    return Span(first, None) if remitted_on is None else Span(first, None).cut(remitted_on)


def agreement(facts: PartnerFacts, on: date) -> Reason:
    """Say which agreement is in force on a day, else what became of the last one."""
    over: Reason | None = None
    coming: Reason | None = None
    for one in facts.agreements:
        for span in one.spans:
            if span.covers(on):
                return Reason("agreement_in_force", span.first, span.last, one.number)
            if span.last is not None and span.first <= span.last < on:
                ended = Reason("agreement_over", days_after(span.last), None, one.number)
                over = later(over, ended)
            elif on < span.first and (coming is None or coming.since is None):
                coming = Reason("agreement_to_come", span.first, span.last, one.number)
    return over or coming or Reason("agreement_missing")


def later(one: Reason | None, other: Reason) -> Reason:
    if one is None or one.since is None or other.since is None:
        return other
    return other if other.since >= one.since else one


def uncertified(facts: PartnerFacts, on: date) -> Standing:
    """Say what a partner without a certification on a day is."""
    spans = [one.span for one in facts.grants]
    lasts = [one.last for one in spans if one.last is not None and one.first <= one.last < on]
    begun = [one for one in facts.applications if one.filed_on <= on]
    pending = [one for one in begun if one.settled_on is None or on < one.settled_on]
    waiting = tuple(Reason("application_open", one.filed_on) for one in pending[-1:])
    if lasts:
        return Standing("lapsed", (Reason("certification_over", days_after(max(lasts))), *waiting))
    coming = [one for one in facts.grants if one.decided_on <= on < one.span.first]
    if coming:
        span = coming[0].span
        return Standing(
            "candidate", (Reason("certification_to_come", span.first, span.last), *waiting)
        )
    if waiting:
        return Standing("candidate", waiting)
    if begun and begun[-1].outcome == "refused":
        refused = begun[-1]
        reason = Reason("application_refused", refused.settled_on, None, refused.reason)
        return Standing("refused", (reason,))
    return Standing("registered", (Reason("no_application"),))


def turning_days(facts: PartnerFacts, rules: tuple[StandingRule, ...] = RULES) -> list[date]:
    """Give every day on which the standing may change, from the registration on."""
    if facts.registered_on is None:
        return []
    spans = [
        *(one.span for one in facts.grants),
        *(one.span for one in facts.suspensions),
        *(one.span for one in facts.closings),
        *(span for one in facts.agreements for span in one.spans),
        *(
            overdue_span(one.due_on, one.remitted_on, rule)
            for one in facts.overdue
            for rule in rules
        ),
    ]
    days = {facts.registered_on}
    days |= {span.first for span in spans}
    days |= {days_after(span.last) for span in spans if span.last is not None}
    days |= {one.decided_on for one in facts.grants}
    days |= {one.filed_on for one in facts.applications}
    days |= {one.settled_on for one in facts.applications if one.settled_on is not None}
    days |= {rule.in_force_from for rule in rules}
    return sorted(day for day in days if day >= facts.registered_on)


def timeline(facts: PartnerFacts, rules: tuple[StandingRule, ...] = RULES) -> list[Period]:
    """Give the standing over all days from the registration on, oldest first, to come included."""
    days = turning_days(facts, rules)
    periods: list[Period] = []
    for first, following in pairwise([*days, None]):
        assert first is not None  # noqa: S101 - only the last of the pairs ends in None.
        last = None if following is None else day_before(following)
        found = standing(facts, first, rule_on(first, rules))
        before = periods[-1] if periods else None
        if before is not None and before.standing == found:
            periods[-1] = Period(before.first, last, before.since, found)
        else:
            stays = before is not None and before.standing.status == found.status
            since = before.since if before is not None and stays else first
            periods.append(Period(first, last, since, found))
    return periods
