"""The count of a closed round: a job that can be killed at any moment and gives the same bytes.

It reads the feed up to the position of the round's close, makes the election that is published,
counts it by the frozen rule, keeps the files, and records the result with their hashes. Files are
kept before the result is recorded: a result never points to a file that is not there.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final, cast, get_args
from uuid import UUID

from psycopg import Connection

from api import round_steps
from api.deps import Context
from ledger.canonical import NotCanonical, canonical
from ledger.rounds import round_
from ledger.rounds.cells import Published
from ledger.rounds.claims import Gift, holder
from ledger.rounds.commands import CountImpossible, RecordTally, RoundNotFound, RoundNotOpened
from ledger.rounds.count import Count
from ledger.rounds.definition import Definition
from ledger.rounds.events import Award, RoundEvent, Tally
from ledger.rounds.exposure import measure
from ledger.rounds.state import Undrafted
from ledger.rules.election import RuleRefused
from ledger.rules.pabulib_writer import rule_meta, write
from ledger.rules.result import Result
from ledger.rules.tally import tally as count_election
from projections import ballots, feed
from projections.open_rounds import Known, Rounds

FILES: Final = ("election.pb", "rule.json", "result.json", "trace.json", "round.json")
# What is published before it opens: it is frozen.
FROZEN: Final = ("definition.json", "rule.json")
# Kept beside them where the rule can be played by cutting gifts up: how far, on these ballots.
EXPOSURE: Final = "exposure.json"
# Kept for whoever holds a ticket, and never served: where in the feed each shop's cap was reached.
CAPS: Final = "caps.json"
Progress = Callable[[int], object]
# What numbers may do to a count. The same ballots do it each time, so that waiting is no help.
UNCOUNTABLE: Final = (RuleRefused, NotCanonical, ArithmeticError, ValueError)
LOG = logging.getLogger("donpositif.count")

KEEP: Final = """
INSERT INTO round_file (round_id, result_sha256, name, sha256, content)
VALUES (%(round_id)s, %(result_sha256)s, %(name)s, %(sha256)s, %(content)s)
ON CONFLICT DO NOTHING
"""
# A count before it had the same result, and was never recorded or was sent back.
REPLACE: Final = """
INSERT INTO round_file (round_id, result_sha256, name, sha256, content)
VALUES (%(round_id)s, %(result_sha256)s, %(name)s, %(sha256)s, %(content)s)
ON CONFLICT (round_id, result_sha256, name) DO UPDATE
SET sha256 = excluded.sha256, content = excluded.content
"""
KEPT: Final = """
SELECT content FROM round_file
WHERE round_id = %(round_id)s AND result_sha256 = %(result_sha256)s AND name = %(name)s
"""
NAMES: Final = """
SELECT name FROM round_file WHERE round_id = %(round_id)s AND result_sha256 = %(result_sha256)s
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """A count, with the bytes of everything that is published of it."""

    tally: Tally
    files: dict[str, bytes]


def tally_round(
    context: Context, round_id: UUID, actor: str, progress: Progress = lambda _: None
) -> Tally:
    """Count a closed round and record its result; again, it changes nothing.

    Raises RoundNotFound, RoundNotOpened when it is not closed, ResultStands and CountImpossible.
    """
    round_steps.strike_dead(context, actor, round_id)
    with context.pool.connection() as connection:
        try:
            counted = counted_round(connection, round_id, progress)
        except CountImpossible as refused:
            round_steps.note_failure(context, actor, round_id, refused.fields["why"])
            raise
        tally = counted.tally
        command = RecordTally(at=datetime.now(UTC), actor=actor, round_id=round_id, tally=tally)
        # Refused before any file is kept, if it is; and what is recorded stays as it is published.
        fresh = round_.decide(command, round_steps.round_of(context, round_id))
        with connection.transaction():
            for name, content in counted.files.items():
                row = {
                    "round_id": round_id,
                    "result_sha256": counted.tally.result_sha256,
                    "name": name,
                    "sha256": sha256(content).hexdigest(),
                    "content": content,
                }
                connection.execute(REPLACE if fresh else KEEP, row)
    context.ledger.handle(round_, round_id, command)
    return counted.tally


def kept_names(connection: Connection[Any], round_id: UUID, result_sha256: str) -> list[str]:
    """Give the names of the files that are published of a result, those to recount with first."""
    asked = {"round_id": round_id, "result_sha256": result_sha256}
    names = {str(row[0]) for row in connection.execute(NAMES, asked).fetchall()}
    return [name for name in (*FILES, EXPOSURE) if name in names]


def kept_file(
    connection: Connection[Any], round_id: UUID, result_sha256: str, name: str
) -> bytes | None:
    """Give the bytes of a published file."""
    asked = {"round_id": round_id, "result_sha256": result_sha256, "name": name}
    row = connection.execute(KEPT, asked).fetchone()
    return None if row is None else bytes(row[0])


def counted_round(
    connection: Connection[Any], round_id: UUID, progress: Progress = lambda _: None
) -> Counted:
    """Count a round that is closed, from the feed alone; the same events give the same bytes."""
    rounds = rounds_of(connection, progress)
    known = rounds.known.get(round_id)
    if known is None:
        raise RoundNotFound(round_id=round_id)
    if known.closed_position is None:
        raise RoundNotOpened(round_id=round_id)
    count = counted_gifts(connection, known, rounds, progress)
    try:
        return counted_by_rule(known, count, progress)
    except UNCOUNTABLE as failure:
        why = type(failure).__name__
        LOG.warning("round %s cannot be counted: %r", round_id, failure)
        raise CountImpossible(round_id=round_id, why=why) from failure


def counted_by_rule(known: Known, count: Count, progress: Progress) -> Counted:
    election, told = count.election()
    result = count_election(election, known.definition.parsed_rule, progress)
    counted = published(known, count, told, result)
    if count.above_cap:
        counted.files[CAPS] = canonical(count.caps())
    measured = measure(count, result, progress)
    if measured is not None:
        counted.files[EXPOSURE] = canonical(measured.described())
    return counted


def rounds_of(connection: Connection[Any], progress: Progress = lambda _: None) -> Rounds:
    """Fold the rounds from the whole feed, as it is now."""
    rounds = Rounds()
    kinds = get_args(RoundEvent)
    for page in feed.pages(connection, 0, ballots.PAGE_EVENTS):
        progress(page.events)
        if not any(kind.__name__ in page.kinds for kind in kinds):
            continue
        for other in page.others:
            if isinstance(other.event, kinds):
                rounds.learn(cast(RoundEvent, other.event), other.position)
    return rounds


def counted_gifts(
    connection: Connection[Any], known: Known, rounds: Rounds, progress: Progress
) -> Count:
    """Read the choices up to the close, then count each gift of the pot that no round took."""
    until = known.closed_position or 0
    definition = known.definition
    chosen = ballots.choices(connection, definition, until, progress)
    claim = rounds.claim_of(definition.round_id)
    count = Count(definition, struck_of(known))
    for position, gift in ballots.gifts(connection, until, progress):
        if not definition.pot.covers(gift.source, gift.partner_id, gift.occurred_on):
            continue
        of_pot = Gift(gift.source, gift.partner_id, gift.occurred_on, position)
        if holder(of_pot, claim.earlier) is not None:
            continue
        count.gift(
            gift.amount_cents - chosen.reversed_cents[gift.donation_id],
            chosen.of(gift.donation_id),
            gift.partner_id,
            attested=gift.purchase_cents is not None,
            position=position,
        )
    return count


def struck_of(known: Known) -> tuple[UUID, ...]:
    """Give the projects that ended before the count, also once its result is adopted."""
    return () if isinstance(known.state, Undrafted) else tuple(sorted(known.state.struck))


def published(known: Known, count: Count, told: Published, result: Result) -> Counted:
    """Write the files, and the figures that the ledger records."""
    definition = known.definition
    pots = count.pots()
    dead = set(count.struck) if definition.dead_project == "next_round" else set()
    given = {UUID(name): cents for name, cents in result.awards.items() if cents}
    awards = tuple(
        Award(project_id=project_id, cents=cents)
        for project_id, cents in sorted(given.items())
        if project_id not in dead
    )
    foundation, next_round = destinations(definition, count, result)
    next_round += sum(cents for project_id, cents in given.items() if project_id in dead)
    files = {
        "election.pb": write(result.election, meta_of(definition), {}).encode(),
        "rule.json": result.rule.canonical(),
        "result.json": result.to_json(),
        "trace.json": result.trace_json(),
    }
    tally = Tally(
        closed_position=known.closed_position or 0,
        definition_sha256=definition.sha256,
        election_sha256=result.election.sha256,
        rule_sha256=result.rule.sha256,
        result_sha256=result.sha256,
        trace_sha256=sha256(files["trace.json"]).hexdigest(),
        ballots=told.ballots,
        standing_ballots=count.standing_ballots,
        suppressed_ballots=told.suppressed,
        voted_cents=pots.voted,
        unused_gifts=count.unused_gifts,
        unused_cents=pots.unused,
        matched_cents=pots.matched,
        carried_cents=pots.carried,
        pot_cents=pots.total,
        foundation_cents=foundation,
        next_round_cents=next_round,
        awards=awards,
        struck=count.struck or None,
    )
    files["round.json"] = canonical(described(definition, count, tally))
    return Counted(tally, files)


def destinations(definition: Definition, count: Count, result: Result) -> tuple[int, int]:
    """Give what goes to the foundation and to the next round, as the definition declares."""
    leftover = {"foundation": 0, "next_round": 0}
    leftover[definition.excess] += result.left
    if definition.unused != "follow_result":
        leftover[definition.unused] += count.unused_cents
    return leftover["foundation"], leftover["next_round"]


def meta_of(definition: Definition) -> dict[str, str]:
    """Describe the election; of its days the definition knows but the last."""
    year = str(definition.closes_at.astimezone(UTC).year)
    return {
        "description": definition.title,
        "country": "France",
        "unit": "Pays des Sorgues",
        **rule_meta(definition.parsed_rule),
        "date_begin": year,
        "date_end": year,
        "currency": "EUR",
    }


def described(definition: Definition, count: Count, tally: Tally) -> dict[str, Any]:
    """Say how the published election came from the ballots; the rest is in the other files."""
    told: dict[str, Any] = {
        "version": 1,
        "definition": json.loads(definition.canonical()),
        "struck": [str(project_id) for project_id in count.struck],
        "tally": tally.model_dump(mode="json"),
    }
    if definition.weight == "purchase":
        told["purchases"] = {str(one): number for one, number in count.purchases.items()}
        told["purchases_above_cap"] = {str(one): number for one, number in count.above_cap.items()}
    return told
