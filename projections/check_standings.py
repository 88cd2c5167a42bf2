"""The check of standings: each partner's told again from its own events alone."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

import msgspec
from psycopg import Cursor

from ledger.calendar import civil_day
from ledger.decider import Event
from ledger.partners.facts import STANDING_EVENTS, PartnerFacts, StandingEvent, learn
from ledger.partners.standing import Reason, Status, rule_on, standing, timeline
from projections import partners
from projections.sql import queries
from projections.standings import covers

SQL = queries("check.sql")
REASONS = msgspec.json.Decoder(tuple[Reason, ...])
# Today, and days on which what is true now was known, or was not yet.
DAYS_BACK = (0, 1, 30, 180, 365, 1_095)

Differs = Callable[[str], None]


class Told(NamedTuple):
    """What is said of a partner on a day; `since` is when this status began."""

    status: Status
    since: date | None
    reasons: tuple[Reason, ...]


@dataclass(slots=True)
class Standings:
    """The facts of every partner, up to where the read model of standings stands."""

    reached: int
    facts: dict[UUID, PartnerFacts] = field(default_factory=lambda: defaultdict(PartnerFacts))

    def take(self, position: int, event: Event) -> None:
        if position <= self.reached and isinstance(event, STANDING_EVENTS):
            told = cast(StandingEvent, event)
            self.facts[told.partner_id] = learn(self.facts[told.partner_id], told, position)

    def agree(self, cursor: Cursor[Any], partners_reached: int, differs: Differs) -> None:
        """Compare what the events say with the stored periods and with what the pages list."""
        today = civil_day(datetime.now(UTC))
        for day in (today - timedelta(days=back) for back in DAYS_BACK):
            derived = {whose: told_on(facts, day) for whose, facts in self.known_on(day)}
            stored = stored_on(cursor, day)
            for partner_id in sorted(derived.keys() | stored.keys()):
                told = stored.get(partner_id, [])
                if told != [derived.get(partner_id)]:
                    where = f"standing of partner {partner_id} on {day}"
                    said = " and ".join(map(words, told)) or "nothing"
                    differs(
                        f"{where}: the read model says {said}, the events"
                        f" {words(derived.get(partner_id))}"
                    )
            if partners_reached == self.reached:
                pages_agree(cursor, day, derived, differs)

    def known_on(self, day: date) -> Iterator[tuple[UUID, PartnerFacts]]:
        for partner_id, facts in self.facts.items():
            if facts.registered_on is not None and facts.registered_on <= day:
                yield partner_id, facts


def told_on(facts: PartnerFacts, day: date) -> Told:
    found = standing(facts, day, rule_on(day))
    since = next((one.since for one in timeline(facts) if covers(one, day)), None)
    return Told(found.status, since, found.reasons)


def stored_on(cursor: Cursor[Any], day: date) -> dict[UUID, list[Told]]:
    """Give what is stored of each partner for a day; more than one would be one too many."""
    stored: dict[UUID, list[Told]] = defaultdict(list)
    for partner_id, status, since, reasons in cursor.execute(SQL["standings"], {"on": day}):
        stored[partner_id].append(Told(status, since, REASONS.decode(reasons)))
    return stored


def pages_agree(
    cursor: Cursor[Any], day: date, derived: dict[UUID, Told], differs: Differs
) -> None:
    """Compare with the directory, whose query looks up a standing in its own way."""
    for listed in partners.directory(cursor.connection, on=day, limit=None):
        told = derived.get(listed.partner_id)
        if told is not None and (told.status, told.since) != (listed.status, listed.since):
            differs(
                f"standing of partner {listed.partner_id} on {day}: the directory says"
                f" {listed.status} since {listed.since}, the events {words(told)}"
            )


def words(told: Told | None) -> str:
    if told is None:
        return "nothing"
    reasons = ", ".join(reason.name for reason in told.reasons)
    return f"{told.status} since {told.since} ({reasons})"
