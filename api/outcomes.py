"""What became of a ticket in a closed round: its choice, and what its projects got and why."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal
from uuid import UUID

from psycopg import Connection
from psycopg_pool import ConnectionPool

from api import candidates
from api.ballots import Ticket, own_picks
from api.candidates import Candidate
from api.deps import Context
from api.tally import CAPS, kept_file, struck_of
from api.wallets import opened_by_id, wallet_of_gift
from ledger.rounds.definition import Definition
from ledger.rounds.events import Tally
from ledger.rounds.parts import Parts, flows_of, parts_of
from ledger.rounds.state import Adopted, Cancelled, Tallied
from ledger.rules.flows import Flow
from ledger.rules.pabulib import read
from ledger.rules.result import Ending
from ledger.rules.rule import Directed
from projections.open_rounds import Known

Stage = Literal["closed", "tallied", "adopted", "cancelled"]
By = Literal["ballot", "standing", "nothing"]
Uncounted = Literal["above_cap", "not_attested"]
# What the trace says of one project.
Fate = Ending | Literal["ended", "withheld"]
# A town has a few rounds a year, and their tickets are looked at in the weeks after.
FLOWS_KEPT: Final = 4


@dataclass(frozen=True, slots=True)
class Part:
    """A project that the ticket chose: what it got of its goal, and why.

    `hers` are the gift's own cents that went to it, None where the rule does not follow them.
    """

    project: Candidate
    cents: int = 0
    fate: Fate | None = None
    hers: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`cents` were left of the gift when the round closed; `parts` are empty without a choice.

    `beyond` are those that its projects could not take, `carried` those of projects that ended.
    """

    stage: Stage
    by: By
    cents: int
    parts: tuple[Part, ...]
    definition: Definition
    tally: Tally | None
    beyond: int = 0
    carried: int = 0
    # Why its choice has no vote of a purchase, if it has none.
    uncounted: Uncounted | None = None

    @property
    def void(self) -> bool:
        """Tell whether every project it chose ended, and the round counts no vote for them."""
        ended = bool(self.parts) and all(part.fate == "ended" for part in self.parts)
        return ended and self.definition.dead_project == "other_picks"

    @property
    def more(self) -> bool:
        """Tell whether other money than that of the ballots followed them."""
        tally = self.tally
        if tally is None:
            return False
        unused = tally.unused_cents if self.definition.unused == "follow_result" else 0
        return bool(unused or tally.matched_cents or tally.carried_cents)


def stage_of(known: Known) -> Stage:
    match known.state:
        case Tallied():
            return "tallied"
        case Adopted():
            return "adopted"
        case Cancelled():
            return "cancelled"
        case _:
            return "closed"


def outcome_of(context: Context, ticket: Ticket, known: Known) -> Outcome:
    """Follow a ticket through the round that took it. Blocks."""
    until = known.closed_position
    cents = ticket.remaining_cents if until is None else ticket.remaining_at(until)
    by, picks = chosen(context, ticket, known)
    tally = getattr(known.state, "tally", None)
    with context.pool.connection() as connection:
        fates = {} if tally is None else fates_of(connection, known, tally)
        uncounted = None if by == "nothing" else uncounted_of(connection, ticket, known, tally)
        found = candidates.named(connection, known.definition, picks)
    hers = None if tally is None else own_parts(context, known, tally, picks, cents)
    ends = endings(known)

    def part(one: Candidate) -> Part:
        if one.project_id in ends:
            return Part(one, 0, ends[one.project_id])
        name = str(one.project_id)
        amount, fate = fates.get(name, (0, None))
        return Part(one, amount, fate, None if hers is None else hers.cents.get(name, 0))

    parts = tuple(map(part, found))
    shown = sum(part.hers or 0 for part in parts)
    return Outcome(
        stage=stage_of(known),
        by=by,
        cents=cents,
        parts=parts,
        definition=known.definition,
        tally=tally,
        beyond=0 if hers is None else hers.beyond,
        carried=0 if hers is None else cents - shown - hers.beyond,
        uncounted=uncounted,
    )


def uncounted_of(
    connection: Connection[Any], ticket: Ticket, known: Known, tally: Tally | None
) -> Uncounted | None:
    """Tell why a ticket's choice has no vote, where each purchase has one up to a shop's cap."""
    definition = known.definition
    if definition.weight != "purchase":
        return None
    if not ticket.attested:
        return "not_attested"
    if tally is None:
        return None
    content = kept_file(connection, definition.round_id, tally.result_sha256, CAPS)
    last = None if content is None else json.loads(content).get(str(ticket.gift.partner_id))
    return "above_cap" if last is not None and ticket.gift.position > last else None


def own_parts(
    context: Context, known: Known, tally: Tally, picks: tuple[UUID, ...], cents: int
) -> Parts | None:
    """Follow a gift's own cents; None where they merged with the others, or it has none."""
    counted = tuple(str(one) for one in picks if counts(known, one))
    if not isinstance(known.definition.parsed_rule, Directed) or not counted or not cents:
        return None
    flows = published_flows(context.pool, known.definition.round_id, tally.result_sha256)
    return None if flows is None else parts_of(flows, counted, cents)


@lru_cache(maxsize=FLOWS_KEPT)
def published_flows(pool: ConnectionPool[Any], round_id: UUID, result_sha256: str) -> Flow | None:
    """Read the flows of a round's money from its published election, which never changes."""
    with pool.connection() as connection:
        content = kept_file(connection, round_id, result_sha256, "election.pb")
    if content is None:
        return None
    return flows_of(read(content.decode(), points_weigh=Directed().points_weigh).election)


def endings(known: Known) -> dict[UUID, Fate]:
    """Give the projects that got nothing because they ended, before the count or after it."""
    withheld: dict[UUID, Fate] = {
        one.project_id: "withheld" for one in getattr(known.state, "withheld", None) or ()
    }
    return withheld | dict.fromkeys(struck_of(known), "ended")


def chosen(context: Context, ticket: Ticket, known: Known) -> tuple[By, tuple[UUID, ...]]:
    """Give what held at the deadline: a gift's own ballot, else its wallet's standing choice."""
    definition, closes_at = known.definition, known.definition.closes_at
    picks = own_picks(context, ticket, definition.round_id)
    if picks:
        return "ballot", picks
    wallet_id = wallet_of_gift(context, ticket.donation_id, closes_at)
    wallet = None if wallet_id is None else opened_by_id(context, wallet_id, closes_at)
    standing = [] if wallet is None else [one for one in wallet.picks if counts(known, one)]
    return ("standing", tuple(standing[: definition.picks_max])) if standing else ("nothing", ())


def counts(known: Known, project_id: UUID) -> bool:
    dead = known.definition.dead_project == "other_picks" and project_id in struck_of(known)
    return project_id in known.definition.project_ids and not dead


def fates_of(
    connection: Connection[Any], known: Known, tally: Tally
) -> dict[str, tuple[int, Ending]]:
    """Read from the published result what each project got, and why."""
    round_id = known.definition.round_id
    content = kept_file(connection, round_id, tally.result_sha256, "result.json")
    told = {"projects": []} if content is None else json.loads(content)
    return {one["project_id"]: (one["amount"], one["ending"]) for one in told["projects"]}
