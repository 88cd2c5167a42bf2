"""A round's definition: all that decides its result, beside the ballots. Frozen before it opens.

Its canonical JSON (RFC 8785) is what people approve, by its SHA-256. It names the pot, the
projects, the rule with every parameter, the ballot form, and what becomes of money that no ballot
decides on; nothing that bears on the result is left to the day of the count.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date
from functools import cached_property
from hashlib import sha256
from math import lcm
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_serializer, model_validator

from ledger.canonical import canonical
from ledger.giving import Source
from ledger.money import Cents
from ledger.rules.election import RuleRefused
from ledger.rules.rule import AnyRule, Directed, EqualShares, Quadratic, Threshold, parse
from ledger.text import ONE_LINE

Destination = Literal["foundation", "next_round"]

PROJECTS_MAX = 200
PICKS_MAX = 10
# Whoever asks for fewer than three makes a ballot all but a name on a list.
PICKS_INVITED_MIN = 3
# Add-1 in finer steps than a tenth of a cent for each cent given takes minutes to count.
STEPS_A_CENT_MAX = 10

Title = Annotated[str, Field(min_length=1, max_length=120, pattern=ONE_LINE)]
# A sponsor is named on the pages by this word; who signs for it is in the vault.
SponsorName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy it without what was derived from it: a hash must never outlive what it is of."""
        copied = super().model_copy(update=update, deep=deep)
        for derived in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[derived]
        return copied


class Candidate(Part):
    """A project in the round, what it asks for, and by which version of its sheet."""

    project_id: UUID
    goal_cents: Cents
    # None in definitions from before it was said.
    sheet_number: Annotated[int, Field(ge=1)] | None = None


class Matching(Part):
    """Money that a sponsor adds: so many cents for each euro that ballots bring, up to a cap."""

    sponsor: SponsorName
    cents_per_euro: Annotated[int, Field(ge=1, le=10_000)]
    cap_cents: Cents


class Carried(Part):
    """Money that an earlier round left to this one."""

    round_id: UUID
    cents: Cents


class Pot(Part):
    """Which gifts the round is about, and what is added to them.

    Gifts that happened up to `last_on`, from `first_on` on where it is given, and that no earlier
    round took: a gift that a till brings late falls into the next pot that reaches back to it.
    """

    sources: Annotated[tuple[Source, ...], Field(min_length=1, max_length=3)]
    partner_ids: Annotated[tuple[UUID, ...], Field(max_length=2_000)] | None = None
    first_on: date | None = None
    last_on: date
    matching: Matching | None = None
    carried: Annotated[tuple[Carried, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first_on is not None and self.last_on < self.first_on:
            raise ValueError("the pot's last day is before its first")
        if len(set(self.sources)) < len(self.sources):
            raise ValueError("a source is named twice")
        if len({one.round_id for one in self.carried}) < len(self.carried):
            raise ValueError("an earlier round is named twice")
        return self

    @cached_property
    def partners(self) -> frozenset[UUID] | None:
        return None if self.partner_ids is None else frozenset(self.partner_ids)

    def covers(self, source: str, partner_id: UUID, occurred_on: date) -> bool:
        """Tell whether a gift falls into this pot, if no earlier round took it."""
        return (
            source in self.sources
            and occurred_on <= self.last_on
            and (self.first_on is None or self.first_on <= occurred_on)
            and (self.partners is None or partner_id in self.partners)
        )

    def overlaps(self, other: "Pot") -> bool:
        """Tell whether a gift could fall into both."""
        shared = set(self.sources) & set(other.sources)
        apart = self.partners is not None and other.partners is not None
        if not shared or (apart and not (self.partners or set()) & (other.partners or set())):
            return False
        begins = max((one.first_on for one in (self, other) if one.first_on), default=None)
        return begins is None or begins <= min(self.last_on, other.last_on)


class Definition(Part):
    """The whole of it. `weight` is what a ballot weighs: its gift's cents, or one a purchase.

    `rule` is the rule's own JSON, with the order in which ties are broken.
    """

    version: Literal[1] = 1
    round_id: UUID
    title: Title
    projects: Annotated[tuple[Candidate, ...], Field(min_length=1, max_length=PROJECTS_MAX)]
    pot: Pot
    rule: dict[str, Any]
    weight: Literal["cents", "purchase"] = "cents"
    purchases_per_partner_max: Annotated[int, Field(ge=1)] | None = None
    picks_invited: Annotated[int, Field(ge=1, le=PICKS_MAX)] = 3
    picks_max: Annotated[int, Field(ge=1, le=PICKS_MAX)]
    changeable: bool
    tallies: Literal["sealed", "live"]
    closes_at: AwareDatetime
    unused: Literal["follow_result", "foundation", "next_round"]
    excess: Destination
    dead_project: Literal["other_picks", "next_round"]
    cancelled: Destination
    small_cell_min: Annotated[int, Field(ge=2, le=100)] = 3

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len(self.project_ids) < len(self.projects):
            raise ValueError("a project is listed twice")
        invited = min(PICKS_INVITED_MIN, len(self.projects))
        if not invited <= self.picks_invited <= self.picks_max:
            raise ValueError(f"at least {invited} picks are invited, at most picks_max")
        if (self.purchases_per_partner_max is None) != (self.weight == "cents"):
            raise ValueError("a cap a shop belongs to one vote a purchase, and it needs one")
        self._follow_rule()
        return self

    def _follow_rule(self) -> None:
        """Raise ValueError unless the rule counts what this round's ballots weigh."""
        try:
            rule = self.parsed_rule
        except RuleRefused as refused:
            raise ValueError(f"{type(refused).__name__}: {refused}") from refused
        if getattr(rule, "weight", "cents") != "cents":
            raise ValueError("the rule counts what a ballot weighs; the round says what that is")
        if too_fine(rule):
            raise ValueError("IncrementTooFine: add-1 takes at least 10 cents for each euro given")
        if not rule.points_weigh:
            raise ValueError("a round's ballots have no points")
        if self.weight == "purchase" and isinstance(rule, Directed | Threshold | Quadratic):
            raise ValueError("this rule sends each gift's own cents: a purchase has none")

    @field_serializer("closes_at")
    def _in_utc(self, closes_at: AwareDatetime) -> str:
        return closes_at.astimezone(UTC).isoformat().replace("+00:00", "Z")

    @cached_property
    def project_ids(self) -> frozenset[UUID]:
        return frozenset(one.project_id for one in self.projects)

    @cached_property
    def parsed_rule(self) -> AnyRule:
        """Give the rule. Raises RuleRefused when it is none."""
        return parse(canonical(self.rule))

    @property
    def purchase_weight(self) -> int:
        """What one purchase weighs: it can be split evenly over any number of picks."""
        return lcm(*range(1, self.picks_max + 1))

    @property
    def sealed(self) -> bool:
        return self.tallies == "sealed"

    def canonical(self) -> bytes:
        """Give the bytes that are hashed, approved and published."""
        return canonical(self.model_dump(mode="json", exclude_none=True))

    @cached_property
    def sha256(self) -> str:
        return sha256(self.canonical()).hexdigest()


def too_fine(rule: AnyRule) -> bool:
    """Tell whether a rule goes by steps so fine that its count would take too long."""
    return (
        isinstance(rule, EqualShares)
        and rule.completion == "add1"
        and rule.increment_per > STEPS_A_CENT_MAX * rule.increment
    )


def definition_of(text: str) -> Definition:
    """Read back a definition from its canonical JSON."""
    return Definition.model_validate(json.loads(text))
