"""Where a ticket chooses: one code, one ballot in a round, without an account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.auth import public
from api.bodies import body_of, parsed
from api.deps import Context, context_of
from api.guesses import origin_of
from api.intake import Body
from api.openapi import body_schema, refusals, repeated
from api.refusals import UNCACHED, TicketUnknown
from api.ticket_marks import is_marked
from ledger import tickets
from ledger.ballots import (
    PICKS_TYPED_MAX,
    BallotEvent,
    CastBallot,
    Channel,
    DiscardEntry,
    Entered,
    Ineligible,
    RoundIsClosed,
    RoundNotOpen,
    TooManyPicks,
    ballot,
    ballot_id_of,
    picks_of,
    standing_of,
)
from ledger.decider import Refused
from ledger.donations import DonationRecorded, DonationReversed, Recorded, donation
from ledger.rounds.claims import Gift
from ledger.rounds.commands import RoundNotFound
from ledger.rounds.life import CLOSE_AFTER
from ledger.store import Handled
from projections.open_rounds import Known

PATH: Final = "/api/v1/ballots"
BODY_BYTES_MAX: Final = 16_384
CODE_TYPED_MAX: Final = 60
# A ballot that became durable later than this may be too late for the close: nobody confirms it.
CONFIRMED_WITHIN: Final = CLOSE_AFTER / 2

router = APIRouter(prefix=PATH, tags=["votes"])


class BallotIn(Body):
    """A ticket's choice. Without `round_id` it is for the round that takes this gift."""

    code: Annotated[str, Field(max_length=CODE_TYPED_MAX)] = Field(
        description="The code on the ticket, in any case, with or without dashes."
    )
    picks: Annotated[list[UUID], Field(max_length=PICKS_TYPED_MAX)] = Field(
        description="Project ids, in any order."
    )
    round_id: UUID | None = None


class BallotOut(Body):
    """A ballot that counts, for whoever holds the code: nobody else is told of it."""

    round_id: UUID
    picks: list[UUID]
    changeable: bool


@dataclass(frozen=True, slots=True)
class Ticket:
    """The gift of a code, as its stream tells at this moment."""

    donation_id: UUID
    gift: Gift
    remaining_cents: int
    attested: bool
    # The position of each reversal, and what it gave back.
    reversals: tuple[tuple[int, int], ...] = ()

    def remaining_at(self, position: int) -> int:
        """Give what was left of the gift at a position of the feed."""
        later = sum(cents for reversed_at, cents in self.reversals if reversed_at > position)
        return self.remaining_cents + later


@dataclass(frozen=True, slots=True)
class Ballot:
    """What came of a ballot: `waits` for the second entry of the same paper."""

    round_id: UUID
    picks: tuple[UUID, ...]
    changeable: bool
    fresh: bool
    waits: bool = False


@router.post(
    "",
    status_code=201,
    response_model=BallotOut,
    responses=repeated(BallotOut) | refusals(404, 409, 413, 422, 429, 503),
    openapi_extra=body_schema(BallotIn, secured=False),
)
@public()
async def cast(request: Request) -> Response:
    """Cast a ballot, or change it where the round allows. 201 means durable and counted."""
    context = context_of(request)
    body = parsed(BallotIn, await body_of(request, BODY_BYTES_MAX))
    ticket = await ticket_of(context, body.code, origin_of(request))
    made = await cast_ballot(context, ticket, body.picks, body.round_id)
    content = {"round_id": made.round_id, "picks": made.picks, "changeable": made.changeable}
    status = 201 if made.fresh else 200
    return Response(msgspec.json.encode(content), status, UNCACHED, "application/json")


async def ticket_of(context: Context, typed: str, origin: str, mark: str = "") -> Ticket:
    """Find the gift of a code as typed. Raises MalformedCode, TooManyCodes, TicketUnknown.

    A code that no gift has takes the same one query, and is answered alike wherever it lies.
    One whose mark says that it opened a moment ago is no guess.
    """
    code = tickets.parse(typed)
    if is_marked(context, code, mark):
        return await run_in_threadpool(known_ticket, context, code)
    with context.guesses.attempt(origin, TicketUnknown):
        return await run_in_threadpool(known_ticket, context, code)


def known_ticket(context: Context, code: str) -> Ticket:
    """Find the gift of a code. Raises TicketUnknown."""
    ticket = read_ticket(context, code)
    if ticket is None:
        raise TicketUnknown
    return ticket


def read_ticket(context: Context, code: str) -> Ticket | None:
    where = tickets.places(code)
    kinds: Sequence[type[DonationRecorded | DonationReversed]] = (
        DonationRecorded,
        DonationReversed,
    )
    for history in context.ledger.histories_between(where.first, where.last, kinds):
        state = donation.fold(recorded.event for recorded in history)
        if isinstance(state, Recorded) and context.tickets.opens(code, state.gift.donation_id):
            gift = state.gift
            return Ticket(
                donation_id=gift.donation_id,
                gift=Gift(gift.source, gift.partner_id, gift.occurred_on, history[0].position),
                remaining_cents=state.remaining_cents,
                attested=gift.purchase_cents is not None,
                reversals=tuple(
                    (recorded.position, recorded.event.amount_cents)
                    for recorded in history
                    if isinstance(recorded.event, DonationReversed)
                ),
            )
    return None


async def round_for(context: Context, ticket: Ticket, round_id: UUID | None, at: datetime) -> Known:
    """Give the round of a ballot. Raises RoundNotFound, or RoundNotOpen when none takes it."""
    if context.rounds.stale:
        await run_in_threadpool(context.rounds.refresh)
    if round_id is None:
        known = context.rounds.of_gift(ticket.gift, at)
        if known is None:
            raise RoundNotOpen(round_id=None)
        return known
    known = context.rounds.round(round_id)
    if known is None:
        raise RoundNotFound(round_id=round_id)
    return known


def ineligible(context: Context, ticket: Ticket, known: Known) -> Ineligible | None:
    if not ticket.remaining_cents:
        return "given_back"
    if known.definition.weight == "purchase" and not ticket.attested:
        return "purchase_not_attested"
    return context.rounds.ineligible(ticket.gift, known)


async def command_of(  # noqa: PLR0913, PLR0917 - each is a part of the ballot.
    context: Context,
    ticket: Ticket,
    picks: Sequence[UUID],
    round_id: UUID | None,
    channel: Channel,
    actor: str,
) -> tuple[CastBallot, Known]:
    """Make the command of a ballot. Raises RoundNotFound, RoundNotOpen, TooManyPicks."""
    at = datetime.now(UTC)
    known = await round_for(context, ticket, round_id, at)
    if len(picks) > PICKS_TYPED_MAX:
        raise TooManyPicks(picks=len(picks), picks_max=known.terms.picks_max)
    command = CastBallot(
        at=at,
        actor=actor,
        ballot_id=ballot_of(context, ticket, known.terms.round_id),
        donation_id=ticket.donation_id,
        terms=known.terms,
        ineligible=ineligible(context, ticket, known),
        picks=tuple(picks),
        channel=channel,
    )
    return command, known


def ballot_of(context: Context, ticket: Ticket, round_id: UUID) -> UUID:
    return ballot_id_of(context.keyring.tickets, round_id, ticket.donation_id)


async def check_ballot(
    context: Context, ticket: Ticket, picks: Sequence[UUID], round_id: UUID
) -> tuple[UUID, ...]:
    """Ask the ledger whether it would take a ballot, and record nothing. Raises its refusal."""
    command, _ = await command_of(context, ticket, picks, round_id, "web", "public")
    history = await run_in_threadpool(context.ledger.history, ballot, command.ballot_id)
    ballot.decide(command, ballot.fold(recorded.event for recorded in history))
    return picks_of(command)


async def cast_ballot(  # noqa: PLR0913 - each is a part of the ballot.
    context: Context,
    ticket: Ticket,
    picks: Sequence[UUID],
    round_id: UUID | None = None,
    *,
    channel: Channel = "api",
    actor: str = "public",
) -> Ballot:
    """Cast, change or enter a ticket's ballot. Raises its refusal; returns once it is durable."""
    command, known = await command_of(context, ticket, picks, round_id, channel, actor)
    presume_new = channel != "counter"
    (handled,) = await context.ledger.submit_all(
        ballot, [(command.ballot_id, command)], presume_new=presume_new
    )
    if isinstance(handled, Refused):
        raise handled
    if handled.fresh and datetime.now(UTC) > known.terms.closes_at + CONFIRMED_WITHIN:
        raise RoundIsClosed(round_id=known.terms.round_id, closes_at=known.terms.closes_at)
    return answer_of(handled, known)


def answer_of(handled: Handled[BallotEvent], known: Known) -> Ballot:
    state = ballot.fold(recorded.event for recorded in handled.history)
    picks = getattr(state, "picks", ())
    return Ballot(
        round_id=known.terms.round_id,
        picks=picks,
        changeable=known.terms.changeable,
        fresh=handled.fresh > 0,
        waits=isinstance(state, Entered),
    )


async def discard_entry(context: Context, ballot_id: UUID, known: Known, actor: str) -> None:
    """Void a paper ballot's entry that waits for a second one. Raises its refusal."""
    command = DiscardEntry(
        at=datetime.now(UTC), actor=actor, ballot_id=ballot_id, terms=known.terms
    )
    (handled,) = await context.ledger.submit_all(ballot, [(ballot_id, command)])
    if isinstance(handled, Refused):
        raise handled


def own_picks(context: Context, ticket: Ticket, round_id: UUID) -> tuple[UUID, ...]:
    """Give the picks that count of a ticket's ballot, for whoever holds its code."""
    history = context.ledger.history(ballot, ballot_of(context, ticket, round_id))
    counts = standing_of(ballot.fold(recorded.event for recorded in history))
    return () if counts is None else counts.picks
