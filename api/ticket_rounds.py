"""In which rounds a ticket has a ballot, in which it has none and why, and what comes next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from api.ballots import Ticket, ineligible
from api.deps import Context
from ledger.rounds.claims import Gift
from ledger.rounds.definition import Pot
from ledger.rounds.life import APPROVERS
from ledger.rounds.state import Drafted, Opened
from projections.open_rounds import Known

Reason = Literal["source", "shop", "too_early", "too_late", "taken", "purchase_not_attested"]


@dataclass(frozen=True, slots=True)
class Barred:
    """An open round in which a gift has no ballot."""

    known: Known
    reason: Reason


@dataclass(frozen=True, slots=True)
class TicketRounds:
    """`past` is the closed round that the gift belongs to, `coming` one that waits to open."""

    open: tuple[Known, ...] = ()
    barred: tuple[Barred, ...] = ()
    past: Known | None = None
    coming: Known | None = None


def rounds_of(context: Context, ticket: Ticket, at: datetime) -> TicketRounds:
    """Sort all rounds by what they are for a ticket. Blocks for one short query at most."""
    if context.rounds.stale:
        context.rounds.refresh()
    opened = context.rounds.opened()
    mine = [one for one in opened if ineligible(context, ticket, one) in {None, "given_back"}]
    running = [one for one in opened if at < one.terms.closes_at]
    past = context.rounds.held_by(ticket.gift)
    if past is None:
        # The deadline has passed, and the clock has not recorded it yet.
        past = next((one for one in mine if one not in running), None)
    return TicketRounds(
        open=tuple(one for one in running if one in mine and ticket.remaining_cents),
        barred=tuple(
            Barred(one, reason_of(context, ticket, one)) for one in running if one not in mine
        ),
        past=past,
        coming=next((one for one in context.rounds.every() if awaits(one, ticket)), None),
    )


def awaits(known: Known, ticket: Ticket) -> bool:
    """Tell whether a round that two people approved, and that is not open yet, takes the gift."""
    state, gift = known.state, ticket.gift
    approved = isinstance(state, Drafted) and len(state.approved_by) >= APPROVERS
    return approved and known.definition.pot.covers(gift.source, gift.partner_id, gift.occurred_on)


def reason_of(context: Context, ticket: Ticket, known: Known) -> Reason:
    why = ineligible(context, ticket, known)
    if why in {"taken", "purchase_not_attested"}:
        return "taken" if why == "taken" else "purchase_not_attested"
    return outside(known.definition.pot, ticket.gift)


def outside(pot: Pot, gift: Gift) -> Reason:
    """Say by what a gift falls outside of a pot."""
    if gift.source not in pot.sources:
        return "source"
    if pot.partners is not None and gift.partner_id not in pot.partners:
        return "shop"
    return "too_late" if gift.occurred_on > pot.last_on else "too_early"


def is_open(known: Known, at: datetime) -> bool:
    return isinstance(known.state, Opened) and at < known.terms.closes_at
