"""Pledges of sponsors: made, called, withdrawn, and used once a round's result is adopted."""

import logging
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid5

from api import figures
from api.deps import Context
from api.turns import MONEY, one_at_a_time
from ledger.decider import Refused
from ledger.pledges import (
    CallPledge,
    Made,
    MakePledge,
    PledgeCommand,
    PledgeEvent,
    PledgeNotFound,
    UsePledge,
    WithdrawPledge,
    pledge,
)
from ledger.rounds import round_
from ledger.rounds.state import Adopted
from projections import pledges as rows

LOG = logging.getLogger("donpositif.pledges")


class RoundWithoutSponsor(Refused):
    """The round's definition does not name this sponsor."""


def known(actor: str, pledge_id: UUID) -> dict[str, Any]:
    return {"at": datetime.now(UTC), "actor": actor, "pledge_id": pledge_id}


def history_of(context: Context, pledge_id: UUID) -> list[PledgeEvent]:
    return [recorded.event for recorded in context.ledger.history(pledge, pledge_id)]


def pledge_of(context: Context, pledge_id: UUID) -> Made:
    """Read a pledge from its stream. Raises PledgeNotFound."""
    state = pledge.fold(history_of(context, pledge_id))
    if not isinstance(state, Made):
        raise PledgeNotFound(pledge_id=pledge_id)
    return state


def handle(context: Context, command: PledgeCommand) -> None:
    context.ledger.handle(pledge, command.pledge_id, command)


def make(  # noqa: PLR0913, PLR0917 - each is a field of the command.
    context: Context,
    actor: str,
    pledge_id: UUID,
    sponsor: str,
    cents: int,
    pledged_on: date,
    round_id: UUID | None,
) -> None:
    """Record what a sponsor promised; a round that lacked it takes from it by the clock."""
    if round_id is not None:
        with context.pool.connection() as connection:
            named = rows.matched_rounds(connection, sponsor)
        if round_id not in {one.round_id for one in named}:
            raise RoundWithoutSponsor(round_id=round_id)
    command = MakePledge(
        sponsor=sponsor,
        cents=cents,
        pledged_on=pledged_on,
        round_id=round_id,
        **known(actor, pledge_id),
    )
    handle(context, command)


def call(  # noqa: PLR0913, PLR0917 - each is a field of the command.
    context: Context, actor: str, pledge_id: UUID, call_id: UUID, cents: int, due_on: date
) -> None:
    """Ask a sponsor to pay; `call_id` is of the form, which asks once for each pledge."""
    own = uuid5(pledge_id, call_id.hex)
    handle(context, CallPledge(call_id=own, cents=cents, due_on=due_on, **known(actor, pledge_id)))


def withdraw(context: Context, actor: str, pledge_id: UUID, withdrawn_on: date) -> None:
    """Record that the sponsor will not pay the rest, as far as it neither paid it nor is bound."""
    with one_at_a_time(context.pool, MONEY):
        figures.reach(context, rows.pledges.name)
        with context.pool.connection() as connection:
            row = rows.one(connection, pledge_id)
        command = WithdrawPledge(
            banked_cents=0 if row is None else max(0, row.banked_cents),
            withdrawn_on=withdrawn_on,
            **known(actor, pledge_id),
        )
        handle(context, command)


def use(context: Context, actor: str, round_id: UUID) -> int:
    """Take what an adopted result added from its sponsor's pledges; give what none of them covers.

    What was promised for this round alone goes first, then the oldest promise. Repeatable: killed
    half-way, or short of promises, asking again takes the rest, and never a cent twice.
    """
    adopted = round_.fold(one.event for one in context.ledger.history(round_, round_id))
    matching = adopted.definition.pot.matching if isinstance(adopted, Adopted) else None
    if not isinstance(adopted, Adopted) or matching is None:
        return 0
    with one_at_a_time(context.pool):
        with context.pool.connection() as connection:
            promised = rows.of_sponsor(connection, matching.sponsor)
        states = [(one, pledge_of(context, one.pledge_id)) for one in promised]
        needed = adopted.tally.matched_cents
        needed -= sum(state.used.get(round_id, 0) for _, state in states)
        for one, state in sorted(states, key=lambda pair: pair[0].round_id is None):
            cents = min(needed, state.free_cents)
            if cents <= 0 or round_id in state.used or one.round_id not in {None, round_id}:
                continue
            handle(
                context, UsePledge(round_id=round_id, cents=cents, **known(actor, one.pledge_id))
            )
            needed -= cents
    return needed


def use_due(context: Context, actor: str = "clock") -> None:
    """Take from pledges for each adopted round that lacks some and might find it now."""
    with context.pool.connection() as connection:
        rounds = rows.matched_rounds(connection)
        promised = rows.every(connection)
    for one in rounds:
        free = any(
            pledge.free_cents > 0 and pledge.round_id in {None, one.round_id}
            for pledge in promised
            if pledge.sponsor == one.sponsor
        )
        if one.short_cents and free:
            short = use(context, actor, one.round_id)
            LOG.info("round %s took from pledges; %s cents have none", one.round_id, short)
