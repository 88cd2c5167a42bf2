"""The form of a round: from what an officer typed to its definition, and back."""

import json
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints
from uuid import UUID

from psycopg import Connection

from api.office.desk import FieldMalformed, Form, now
from api.project_sheet import euros
from ledger.calendar import FIRST_DAY, LAST_DAY, VILLAGE
from ledger.rounds.definition import PICKS_INVITED_MIN, Definition, too_fine
from ledger.rules.election import RuleRefused
from ledger.rules.rule import RULES
from projections import partners, projects, rounds
from projections.rounds import RoundRow

SOURCES: Final = ("customer", "shop", "match")
CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "tallies": ("sealed", "live"),
    "unused": ("follow_result", "next_round", "foundation"),
    "excess": ("next_round", "foundation"),
    "dead_project": ("other_picks", "next_round"),
    "cancelled": ("next_round", "foundation"),
}
DEFAULTS: Final[dict[str, list[str]]] = {
    "sources": ["customer"],
    "rule": ["directed"],
    "weight": ["cents"],
    "picks_invited": ["3"],
    "picks_max": ["3"],
    "changeable": ["yes"],
    "closes_time": ["20:00"],
    "small_cell_min": ["3"],
    **{name: [values[0]] for name, values in CHOICES.items()},
}
# The round says what a ballot weighs, so no rule of it does; how long a count may go on is no
# question for people, but the rule says it.
NOT_ASKED: Final = frozenset({"weight", "ballots", "runs_max"})


class NoProjects(FieldMalformed):
    """A round needs at least one project that still asks for money."""


class NoSources(FieldMalformed):
    """A pot is of gifts of customers, of shops or of sponsors."""


class PotReversed(FieldMalformed):
    """The pot's last day comes before its first."""


class TooFewInvited(FieldMalformed):
    """At least three picks are invited, and no more than a ballot may have."""


class CapMissing(FieldMalformed):
    """One vote a purchase needs a cap for each shop."""


class DeadlinePassed(FieldMalformed):
    """A round closes later than now."""


class RuleMovesCents(FieldMalformed):
    """This rule sends each gift's own cents: a purchase has none."""


class RuleWeighsPurchases(FieldMalformed):
    """A purchase is one vote, and its weight no number that people could set a minimum by."""


class IncrementTooFine(FieldMalformed):
    """Steps of less than ten cents for each euro given would take too long to count."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a rule as the form asks for it: one of `options`, yes or no, or a number."""

    name: str
    kind: Literal["option", "yes_or_no", "number"]
    options: tuple[str, ...]
    default: str


def parameters(rule: str) -> list[Parameter]:
    """Give what the form asks of a rule."""
    kind = RULES[rule]
    hints = get_type_hints(kind)
    found = []
    for one in fields(kind):
        hint, default = hints[one.name], one.default
        if one.name in NOT_ASKED:
            continue
        if get_origin(hint) is Literal:
            found.append(Parameter(one.name, "option", get_args(hint), str(default)))
        elif hint is bool:
            found.append(Parameter(one.name, "yes_or_no", (), "yes" if default else ""))
        else:
            found.append(Parameter(one.name, "number", (), str(default)))
    return found


def asked_of(connection: Connection[Any], but: UUID | None = None) -> dict[str, Any]:
    """Gather what a round may be about: projects that lack money, shops, money left over."""
    running = [
        one
        for one in projects.listed(connection, limit=None)
        if one.state not in {"completed", "abandoned"} and missing(one)
    ]
    left = [
        (one, left_cents(one))
        for one in rounds.every(connection)
        if one.state == "awarded" and one.carried_to in {None, but}
    ]
    return {
        "candidates": [(one, missing(one)) for one in running],
        "shops": partners.every(connection),
        "leftovers": [(one, cents) for one, cents in left if cents],
        "rules": {name: parameters(name) for name in RULES},
        "choices": CHOICES,
        "sources": SOURCES,
    }


def missing(one: projects.Project) -> int:
    return max(0, (one.goal_cents or 0) - one.granted_cents)


def left_cents(row: RoundRow) -> int:
    """Give what an awarded round left to a next one."""
    tally = row.tally or {}
    return int(tally.get("next_round_cents", 0)) + row.withheld_cents


def typed_definition(form: Form, round_id: UUID, asked: dict[str, Any]) -> Definition:
    """Read a definition from its form. Raises FieldMalformed and its like, ValidationError."""
    rule = form.text("rule")
    if rule not in RULES:
        raise FieldMalformed(field="rule")
    goals = {str(one.project_id): (cents, one.number) for one, cents in asked["candidates"]}
    chosen = [one for one in form.fields.get("project", []) if one in goals]
    if not chosen:
        raise NoProjects(field="project")
    by_purchase = form.text("weight") == "purchase"
    if by_purchase and rule in {"directed", "threshold", "quadratic"}:
        raise RuleMovesCents(field="weight")
    if by_purchase and rule == "greedy" and form.text("greedy.by") == "weight":
        raise RuleWeighsPurchases(field="greedy.by")
    if by_purchase and not form.text("purchases_per_partner_max"):
        raise CapMissing(field="purchases_per_partner_max")
    invited, most = form.number("picks_invited"), form.number("picks_max")
    if not min(PICKS_INVITED_MIN, len(chosen)) <= invited <= most:
        raise TooFewInvited(field="picks_invited")
    return Definition.model_validate(
        {
            "round_id": round_id,
            "title": form.text("title"),
            "projects": [
                {"project_id": one, "goal_cents": goals[one][0], "sheet_number": goals[one][1]}
                for one in chosen
            ],
            "pot": typed_pot(form, asked),
            "rule": typed_rule(form, rule),
            "weight": form.word("weight"),
            "purchases_per_partner_max": (
                form.number("purchases_per_partner_max") if by_purchase else None
            ),
            "picks_invited": invited,
            "picks_max": most,
            "changeable": form.text("changeable") == "yes",
            "closes_at": closes_at(form),
            "small_cell_min": form.number("small_cell_min"),
            **{name: form.word(name) for name in CHOICES},
        }
    )


def typed_pot(form: Form, asked: dict[str, Any]) -> dict[str, Any]:
    sources = form.fields.get("sources", [])
    if not sources:
        raise NoSources(field="sources")
    last_on = day_of(form, "last_on")
    first_on = day_of(form, "first_on") if form.text("first_on") else None
    if first_on is not None and last_on < first_on:
        raise PotReversed(field="last_on")
    left = {str(one.round_id): cents for one, cents in asked["leftovers"]}
    matching = None
    if form.text("sponsor"):
        matching = {
            "sponsor": form.text("sponsor"),
            "cents_per_euro": form.number("cents_per_euro"),
            "cap_cents": form.cents("cap"),
        }
    return {
        "sources": sources,
        "partner_ids": form.fields.get("partner") or None,
        "first_on": first_on,
        "last_on": last_on,
        "matching": matching,
        "carried": [
            {"round_id": one, "cents": left[one]}
            for one in form.fields.get("carried", [])
            if one in left
        ],
    }


def typed_rule(form: Form, rule: str) -> dict[str, Any]:
    """Read a rule with every parameter, in its own JSON."""
    typed: dict[str, Any] = {}
    for one in parameters(rule):
        name = f"{rule}.{one.name}"
        if one.kind == "number":
            typed[one.name] = form.number(name)
        elif one.kind == "yes_or_no":
            typed[one.name] = form.text(name) == "yes"
        elif form.text(name) in one.options:
            typed[one.name] = form.text(name)
        else:
            raise FieldMalformed(field=name)
    try:
        wanted = RULES[rule](**typed)
    except RuleRefused as refused:
        raise FieldMalformed(field=f"{rule}.{str(refused).partition(':')[0]}") from refused
    if too_fine(wanted):
        raise IncrementTooFine(field=f"{rule}.increment_per")
    made: dict[str, Any] = json.loads(wanted.canonical())
    return made


def day_of(form: Form, name: str) -> date:
    """Read a day that is no typing error. Raises FieldMalformed."""
    day = form.day(name)
    if not FIRST_DAY <= day <= LAST_DAY:
        raise FieldMalformed(field=name)
    return day


def closes_at(form: Form) -> datetime:
    """Read the deadline as the village's clock shows it. Raises FieldMalformed, DeadlinePassed."""
    day = day_of(form, "closes_on")
    try:
        moment = time.fromisoformat(form.text("closes_time"))
    except ValueError:
        raise FieldMalformed(field="closes_time") from None
    if moment.tzinfo is not None:
        raise FieldMalformed(field="closes_time")
    deadline = datetime.combine(day, moment, VILLAGE).astimezone(UTC)
    if deadline <= now():
        raise DeadlinePassed(field="closes_on")
    return deadline


def fields_of_definition(definition: Definition) -> dict[str, list[str]]:
    """Give the fields of the form that would make this definition again."""
    pot, ends = definition.pot, definition.closes_at.astimezone(VILLAGE)
    rule = definition.rule["rule"]
    kept: dict[str, list[str]] = {
        "title": [definition.title],
        "project": [str(one.project_id) for one in definition.projects],
        "sources": list(pot.sources),
        "partner": [str(one) for one in pot.partner_ids or ()],
        "first_on": [pot.first_on.isoformat()] if pot.first_on else [],
        "last_on": [pot.last_on.isoformat()],
        "carried": [str(one.round_id) for one in pot.carried],
        "rule": [rule],
        "weight": [definition.weight],
        "picks_invited": [str(definition.picks_invited)],
        "picks_max": [str(definition.picks_max)],
        "changeable": ["yes"] if definition.changeable else [],
        "closes_on": [ends.date().isoformat()],
        "closes_time": [f"{ends:%H:%M}"],
        "small_cell_min": [str(definition.small_cell_min)],
        **{name: [getattr(definition, name)] for name in CHOICES},
    }
    if definition.purchases_per_partner_max is not None:
        kept["purchases_per_partner_max"] = [str(definition.purchases_per_partner_max)]
    if pot.matching is not None:
        kept["sponsor"] = [pot.matching.sponsor]
        kept["cents_per_euro"] = [str(pot.matching.cents_per_euro)]
        kept["cap"] = [euros(pot.matching.cap_cents)]
    for one in parameters(rule):
        value = definition.rule[one.name]
        told = ("yes" if value else "") if isinstance(value, bool) else str(value)
        kept[f"{rule}.{one.name}"] = [told]
    return kept
