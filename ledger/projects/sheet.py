"""A project sheet (fiche-action): what events hold of it, and the rules it keeps by itself.

Its words (title, what it is, names of the three parties, budget lines, milestones, what pictures
show) are one JSON document kept outside the events, named by `document_sha256`.
"""

from datetime import date
from typing import Annotated, Literal, get_args
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from ledger.decider import Refused
from ledger.money import Cents
from ledger.projects.words import Key, Sha256, Theme
from ledger.territory import territory

# What happens to money that an abandoned project was granted and has not spent. Declared on the
# sheet before anybody votes; what a running round does with a project that dies is the round's.
IfAbandoned = Literal["next_round", "same_theme", "foundation"]
IF_ABANDONED: tuple[IfAbandoned, ...] = get_args(IfAbandoned)


class PlannedMilestone(BaseModel):
    """One step of a project: its key within the sheet, and the day it is due."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Key
    due_on: date


class Sheet(BaseModel):
    """The parties are three roles: who carries the project, whom it serves, who is paid.

    One body may hold several of them, but each is stated. `other_cents` is money from elsewhere
    that the budget counts on: the lines add up to it and the goal together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    document_sha256: Sha256
    theme: Theme
    place: str
    territory_version: int
    goal_cents: Cents
    other_cents: Annotated[int, Field(ge=0, le=100_000_000_000)] = 0
    line_cents: Annotated[tuple[Cents, ...], Field(min_length=1, max_length=40)]
    carrier_id: UUID
    beneficiary_id: UUID
    payee_id: UUID
    responsible_id: UUID
    milestones: Annotated[tuple[PlannedMilestone, ...], Field(min_length=1, max_length=30)]
    pictures: Annotated[tuple[Sha256, ...], Field(max_length=8)] = ()
    if_abandoned: IfAbandoned


class BudgetDiffersFromGoal(Refused):
    """The budget lines add up to the goal and the money from elsewhere, to the cent."""


class MilestonesRepeated(Refused):
    """Two milestones of a sheet have the same key."""


class SheetPlaceUnknown(Refused):
    """The territory has no such place, or no such version."""


def sound(sheet: Sheet) -> None:
    """Raise BudgetDiffersFromGoal, MilestonesRepeated or SheetPlaceUnknown."""
    lines, needed = sum(sheet.line_cents), sheet.goal_cents + sheet.other_cents
    if lines != needed:
        raise BudgetDiffersFromGoal(lines_cents=lines, needed_cents=needed)
    keys = [one.key for one in sheet.milestones]
    if len(set(keys)) != len(keys):
        raise MilestonesRepeated
    known = territory(sheet.territory_version)
    if known is None or known.place(sheet.place) is None:
        raise SheetPlaceUnknown(place=sheet.place, version=sheet.territory_version)


def frozen_part(sheet: Sheet) -> tuple[object, ...]:
    """Give what voters decide upon: it does not change once a project was in a round."""
    return (
        sheet.goal_cents,
        sheet.carrier_id,
        sheet.beneficiary_id,
        sheet.payee_id,
        sheet.if_abandoned,
    )


def voted_part(sheet: Sheet) -> tuple[object, ...]:
    """Give what people read when they vote: it does not change while a round is about it."""
    return (
        *frozen_part(sheet),
        sheet.document_sha256,
        sheet.theme,
        sheet.place,
        sheet.territory_version,
        sheet.other_cents,
        sheet.line_cents,
        sheet.milestones,
        sheet.pictures,
    )
