"""Made-up rounds of the demonstration village: one with its adopted result, one that is open."""

import json
import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from api import demo_projects, round_steps
from api.demo_life import MEMBER, OTHER_MEMBER, REVIEWER
from api.demo_tickets import FINISHED, OPEN, TICKETS, gifts_of
from api.deps import Context
from api.tally import tally_round
from ledger.ballots import CastBallot, ballot, ballot_id_of
from ledger.calendar import VILLAGE, civil_day
from ledger.projects.project_events import EnterRound
from ledger.projects.projects import project
from ledger.rounds import round_
from ledger.rounds.commands import ApproveRound, DraftRound, OpenRound
from ledger.rounds.definition import Definition
from ledger.rounds.life import CLOSE_AFTER
from ledger.rounds.state import Opened
from ledger.rules.rule import AnyRule, Directed, EqualShares
from projections.open_rounds import terms_of

SEED: Final = 84801
# Two tickets in five vote.
VOTE_SHARE: Final = 0.4
PICKS_MAX: Final = 3
CLOSED_AGO, OPENED_AGO, OPEN_DAYS = timedelta(days=10), timedelta(days=31), timedelta(days=14)
# The most wanted first: how often a ballot names each project of a round.
FAVOUR: Final = (9, 7, 6, 4, 3, 2)


def load(context: Context) -> None:
    """Hold both rounds through the real commands; nothing is done where they are."""
    if not context.ledger.history(round_, FINISHED):
        hold_finished(context)
    if not context.ledger.history(round_, OPEN):
        hold_open(context)


def hold_finished(context: Context) -> None:
    """Hold a round that closed ten days ago, and adopt its result."""
    today = civil_day(datetime.now(UTC))
    pot = {
        "sources": ["customer"],
        "last_on": today - CLOSED_AGO,
        "matching": {
            "sponsor": "moulins-du-bassin",
            "cents_per_euro": 200,
            "cap_cents": 300_000,
        },
    }
    rule = EqualShares(completion="add1", increment=1, increment_per=10, then="greedy")
    plans = (4, 11, 5, 8, 3, 1)
    closes_at = evening(today - CLOSED_AGO)
    made = definition(FINISHED, "Premier tour, automne", plans, pot, rule, closes_at)
    at = datetime.now(UTC) - OPENED_AGO
    approve(context, made, at)
    known: dict[str, Any] = {"at": at, "actor": REVIEWER, "round_id": FINISHED}
    for one in made.projects:
        enter = EnterRound(project_id=one.project_id, **known)
        context.ledger.handle(project, one.project_id, enter)
    context.ledger.handle(round_, FINISHED, OpenRound(**known))
    vote(context, made, closes_at - timedelta(days=1))
    round_steps.close(context, "clock", FINISHED, closes_at + CLOSE_AFTER)
    counted = tally_round(context, FINISHED, "clock")
    for member in (MEMBER, OTHER_MEMBER):
        round_steps.approve_result(context, member, FINISHED, counted.result_sha256)
    round_steps.award(context, REVIEWER, FINISHED)


def hold_open(context: Context) -> None:
    """Open a round about the gifts made since, with what the first one left."""
    today = civil_day(datetime.now(UTC))
    state = round_steps.round_of(context, FINISHED)
    left = getattr(state, "left_cents", 0)
    pot = {
        "sources": ["customer"],
        "first_on": today - CLOSED_AGO + timedelta(days=1),
        "last_on": today + OPEN_DAYS,
        "carried": [{"round_id": FINISHED, "cents": left}] if left else [],
    }
    closes_at = evening(today + OPEN_DAYS)
    plans = (1, 2, 0, 9, 6, 7)
    made = definition(OPEN, "Deuxième tour, hiver", plans, pot, Directed(), closes_at)
    at = datetime.now(UTC)
    approve(context, made, at)
    round_steps.open_round(context, REVIEWER, OPEN)
    vote(context, made, at)


def evening(day: date) -> datetime:
    return datetime.combine(day, time(20), VILLAGE).astimezone(UTC)


def definition(  # noqa: PLR0913, PLR0917 - each is a part of it.
    round_id: UUID,
    title: str,
    plans: tuple[int, ...],
    pot: dict[str, Any],
    rule: AnyRule,
    closes_at: datetime,
) -> Definition:
    chosen = [demo_projects.PLANS[number] for number in plans]
    return Definition.model_validate(
        {
            "round_id": round_id,
            "title": title,
            "projects": [
                {
                    "project_id": demo_projects.project_id_of(plan),
                    "goal_cents": plan.euros * 100,
                }
                for plan in chosen
            ],
            "pot": pot,
            "rule": json.loads(rule.canonical()),
            "picks_max": PICKS_MAX,
            "changeable": True,
            "tallies": "sealed",
            "closes_at": closes_at,
            "unused": "follow_result",
            "excess": "next_round",
            "dead_project": "other_picks",
            "cancelled": "next_round",
        }
    )


def approve(context: Context, made: Definition, at: datetime) -> None:
    draft = DraftRound(at=at, actor=REVIEWER, definition=made)
    context.ledger.handle(round_, made.round_id, draft)
    for member in (MEMBER, OTHER_MEMBER):
        command = ApproveRound(
            at=at, actor=member, round_id=made.round_id, definition_sha256=made.sha256
        )
        context.ledger.handle(round_, made.round_id, command)


def vote(context: Context, made: Definition, at: datetime) -> None:
    """Cast the ballots of two tickets in five."""
    state = round_steps.round_of(context, made.round_id)
    assert isinstance(state, Opened)  # noqa: S101 - it was opened a moment ago.
    terms = terms_of(made, state)
    dice = random.Random(SEED)  # noqa: S311 - made-up votes need no secret.
    with context.pool.connection() as connection:
        eligible = gifts_of(connection, made)[TICKETS:]
    commands = []
    for donation_id in eligible:
        picks = picked(made, dice)
        if dice.random() < VOTE_SHARE:
            key = context.keyring.tickets
            ballot_id = ballot_id_of(key, made.round_id, donation_id)
            cast = CastBallot(
                at=at,
                actor="public",
                ballot_id=ballot_id,
                donation_id=donation_id,
                terms=terms,
                picks=picks,
                channel="web",
            )
            commands.append((ballot_id, cast))
    context.ledger.handle_all(ballot, commands, presume_new=True)


def picked(made: Definition, dice: random.Random) -> tuple[UUID, ...]:
    """Choose one to three projects, the favoured more often."""
    number = dice.choice((1, 2, 3, 3))
    found: dict[UUID, None] = {}
    while len(found) < number:
        found[dice.choices(made.projects, FAVOUR)[0].project_id] = None
    return tuple(found)
