"""What the tests need of a round: a definition, and the round as far along as they want it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from ledger.people import actor_of
from ledger.rounds import round_
from ledger.rounds.commands import (
    ApproveRound,
    CloseRound,
    DraftRound,
    OpenRound,
    StrikeProject,
)
from ledger.rounds.definition import Definition
from ledger.rounds.life import CLOSE_AFTER
from ledger.rules.rule import STATED
from ledger.store import Ledger

ANNE, BRUNO, CHLOE, DORA = (actor_of(UUID(int=number)) for number in (11, 12, 13, 14))
BIKES, SHADE, CHOIR, OVEN = (UUID(int=number) for number in (21, 22, 23, 24))
DIRECTED = {"rule": "directed", **STATED}
GREEDY = {"rule": "greedy", **STATED, "by": "weight", "misfit": "skip", "support_min": 1}


def terms(**changes: Any) -> dict[str, Any]:
    """Give the parts of a definition: four projects, gifts of customers, sealed, changeable."""
    return {
        "round_id": uuid4(),
        "title": "Printemps",
        "projects": [
            {"project_id": one, "goal_cents": 10_000} for one in (BIKES, SHADE, CHOIR, OVEN)
        ],
        "pot": {"sources": ["customer"], "last_on": date(2100, 1, 1)},
        "rule": DIRECTED,
        "picks_max": 3,
        "changeable": True,
        "tallies": "sealed",
        "closes_at": datetime.now(UTC).replace(microsecond=0) + timedelta(days=7),
        "unused": "follow_result",
        "excess": "next_round",
        "dead_project": "other_picks",
        "cancelled": "next_round",
        **changes,
    }


def definition(**changes: Any) -> Definition:
    return Definition.model_validate(terms(**changes))


def open_round(ledger: Ledger, *, at: datetime | None = None, **changes: Any) -> Definition:
    """Draft, approve and open a round, whatever its projects are elsewhere."""
    made = definition(**changes)
    at = at or datetime.now(UTC)
    known: dict[str, Any] = {"at": at, "round_id": made.round_id}
    draft = DraftRound(at=at, actor=ANNE, definition=made)
    ledger.handle(round_, made.round_id, draft)
    for person in (BRUNO, CHLOE):
        approve = ApproveRound(actor=person, definition_sha256=made.sha256, **known)
        ledger.handle(round_, made.round_id, approve)
    carried = sum(one.cents for one in made.pot.carried)
    command = OpenRound(actor=ANNE, carried_cents=carried, **known)
    ledger.handle(round_, made.round_id, command)
    return made


def close_round(ledger: Ledger, made: Definition) -> None:
    """Close a round as the clock will once its time has come."""
    at = made.closes_at + CLOSE_AFTER
    command = CloseRound(at=at, actor="clock", round_id=made.round_id)
    ledger.handle(round_, made.round_id, command)


def strike_dead(ledger: Ledger, made: Definition, project_id: UUID) -> None:
    """Take a project out of a round, as if it had been abandoned."""
    command = StrikeProject(
        at=datetime.now(UTC),
        actor=ANNE,
        round_id=made.round_id,
        project_id=project_id,
        reason="abandoned",
        ended="abandoned",
    )
    ledger.handle(round_, made.round_id, command)
