"""What programs read of the partner shops: the JSON twins of their pages."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg import Connection
from pydantic import BaseModel

from api.home import FIGURES, MonthOut, SourcesOut, sums
from api.refusals import PartnerNotFound
from ledger.calendar import civil_day
from ledger.giving import Regime
from ledger.partners.agreements import Commitment
from ledger.partners.facts import AgreementFacts, PartnerFacts
from ledger.partners.register import Sector
from ledger.partners.standing import Period, ReasonName, Status, timeline
from projections import balances, partners, standings
from projections.partners import Partner
from projections.read_model import as_of


class PartnerOut(BaseModel):
    """A partner today. Its own figures are null unless it `publishes` them."""

    partner_id: UUID
    name: str
    siret: str
    place: str | None
    sector: Sector | None
    publishes: bool
    status: Status
    why: ReasonName | None
    registered_on: date
    valid_until: date | None
    gifts: int | None
    given_cents: int | None
    reversed_cents: int | None


class PartnersOut(BaseModel):
    """The partners that match, in the order of a French directory."""

    partners: list[PartnerOut]
    as_of_position: int


class ReasonOut(BaseModel):
    """One thing that makes a standing; `detail` is an agreement's number or why it was decided."""

    name: ReasonName
    since: date | None
    until: date | None
    detail: str | None


class StandingOut(BaseModel):
    """What the partner is on a day, as the ledger knew it at a position, under a rule."""

    on: date
    known_at: int
    rule_version: int
    status: Status
    since: date | None
    reasons: list[ReasonOut]


class StayOut(BaseModel):
    """Days on which the standing stays the same; those to come are as if nothing happened."""

    first_on: date
    last_on: date | None
    since_on: date
    status: Status
    reasons: list[ReasonOut]


class DaysOut(BaseModel):
    first_on: date
    last_on: date | None


class AgreementOut(BaseModel):
    """An agreement with its terms on the day asked about, and the days on which it is in force."""

    agreement_id: UUID
    number: str
    regime: Regime
    commitment: Commitment
    basis_points: int | None
    cents_per_item: int | None
    charter_version: int
    signed_on: date
    ended_on: date | None
    in_force: list[DaysOut]


class PartnerFiguresOut(PartnerOut):
    """`standing`, `agreements` and `history` are as known at `standing.known_at`.

    `standing` is null when the partner was not known yet. `passed_on_cents` is null as long as
    settlements are not recorded: what was passed on is not known.
    """

    reversals: int | None
    net_cents: int | None
    by_source: SourcesOut | None
    months: list[MonthOut] | None
    passed_on_cents: int | None
    standing: StandingOut | None
    agreements: list[AgreementOut]
    history: list[StayOut]
    as_of_position: int


def told(partner: Partner) -> dict[str, Any]:
    """Give a partner without what it does not publish."""
    fields = asdict(partner)
    if not partner.publishes:
        fields |= dict.fromkeys(("gifts", "given_cents", "reversed_cents"))
    return fields


def partners_json(
    connection: Connection[Any], query: str, place: str | None, sector: str | None
) -> bytes:
    every = partners.every(connection)
    if query or place or sector:
        found = partners.directory(connection, query, place, sector, limit=None)
        matching = {one.partner_id for one in found}
        every = [one for one in every if one.partner_id in matching]
    position = as_of(connection, *FIGURES).position
    shown = [told(one) for one in every]
    return msgspec.json.encode({"partners": shown, "as_of_position": position})


def partner_json(
    connection: Connection[Any], partner_id: UUID, on: date | None, known_at: int | None
) -> bytes:
    partner = partners.one(connection, partner_id)
    if partner is None:
        raise PartnerNotFound(partner_id=partner_id)
    return msgspec.json.encode(
        told(partner)
        | figures_told(connection, partner)
        | recognition(connection, partner_id, on or civil_day(datetime.now(UTC)), known_at)
        | {"passed_on_cents": None, "as_of_position": as_of(connection, *FIGURES).position}
    )


def figures_told(connection: Connection[Any], partner: Partner) -> dict[str, Any]:
    if not partner.publishes:
        return dict.fromkeys(("reversals", "net_cents", "by_source", "months"))
    return sums(balances.figures_of_partner(connection, partner.partner_id))


def recognition(
    connection: Connection[Any], partner_id: UUID, on: date, known_at: int | None
) -> dict[str, Any]:
    """Say what a partner is on a day, under which agreements, and what it was over time."""
    answer = standings.answer(connection, partner_id, on, known_at)
    if answer is None:
        return {"standing": None, "agreements": [], "history": []}
    facts = standings.facts(connection, partner_id, answer.position) or PartnerFacts()
    standing = {
        "on": on,
        "known_at": answer.position,
        "rule_version": answer.rule_version,
        "status": answer.status,
        "since": answer.since,
        "reasons": answer.reasons,
    }
    return {
        "standing": standing,
        "agreements": [of_agreement(one, on) for one in facts.agreements],
        "history": [of_period(one) for one in timeline(facts)],
    }


def of_agreement(agreement: AgreementFacts, on: date) -> dict[str, Any]:
    fields = asdict(agreement)
    del fields["terms"]
    terms = asdict(agreement.terms_on(on))
    del terms["first"]
    spans = fields.pop("spans")
    days = [{"first_on": one["first"], "last_on": one["last"]} for one in spans]
    # An amendment before the end of a cut agreement may leave a time of no day at all.
    in_force = [one for one in days if one["last_on"] is None or one["first_on"] <= one["last_on"]]
    return fields | terms | {"in_force": in_force}


def of_period(period: Period) -> dict[str, Any]:
    return {
        "first_on": period.first,
        "last_on": period.last,
        "since_on": period.since,
        "status": period.standing.status,
        "reasons": period.standing.reasons,
    }
