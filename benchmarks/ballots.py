"""Ballots over HTTP while gifts come in: how many a second, and each of them counted once."""

import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import psycopg

from api.tally import counted_round
from benchmarks import served
from benchmarks.gifts import Requests
from benchmarks.ground import Ground, Till, village
from benchmarks.load import Answers, Load, run
from benchmarks.measure import Figure, Spread, at_least, at_most
from ledger.calendar import civil_day
from ledger.donations import RecordDonation, donation
from ledger.keyring import open_keyring
from ledger.people import actor_of
from ledger.rounds import round_
from ledger.rounds.commands import ApproveRound, CloseRound, DraftRound, OpenRound
from ledger.rounds.definition import Definition
from ledger.rounds.life import CLOSE_AFTER
from ledger.rules.rule import Directed
from ledger.store import Ledger, open_ledger
from ledger.tickets import TicketCodes

BALLOTS_A_SECOND = 500
GIFTS_A_SECOND = 200
CONNECTIONS = 32
PROJECTS = [UUID(int=number) for number in range(1, 51)]
TILLS = 20
CREATED = 201
SEED = 500
GIFT_CENTS = 40


def measure(ground: Ground) -> Iterator[Figure]:
    """Take the pace that is kept beside gifts, and what one worker takes at most."""
    conninfo = ground.database("ballots")
    tills = village(conninfo, TILLS)
    seconds = ground.pace.seconds + 0.5
    paced = int((BALLOTS_A_SECOND + 50) * seconds)
    most = int(3_000 * seconds)
    with open_ledger(conninfo) as ledger:
        made = opened(ledger)
        bodies = ballots(ground, conninfo, ledger, tills, (paced + most) * ground.pace.rounds)
    steady: list[Answers] = []
    full: list[Answers] = []
    confirmed = 0
    with served.ours(ground, conninfo, workers=2) as port, served.following(ground, conninfo):
        for _ in range(ground.pace.rounds):
            steady.append(beside_gifts(ground, port, tills, [bodies.pop() for _ in range(paced)]))
            requests = Requests("/api/v1/ballots", bodies=tuple(bodies[-most:]))
            del bodies[-most:]
            full.append(run(Load(port, CONNECTIONS, ground.pace.seconds, requests), CREATED))
        confirmed = sum(sum(one.statuses.values()) for one in (*steady, *full))
    with open_ledger(conninfo) as ledger:
        closed(ledger, made)
    each_counted_once(conninfo, made, confirmed)
    yield Figure(
        "ballots beside 200 gifts/s, two workers",
        "/s",
        Spread.of([one.a_second for one in steady]),
        goal=at_least(BALLOTS_A_SECOND * 0.98),
    )
    yield Figure(
        "the same, p99", "ms", Spread.of([one.p99_ms for one in steady]), goal=at_most(250)
    )
    yield Figure(
        "ballots alone, as fast as they go", "/s", Spread.of([one.a_second for one in full])
    )


def beside_gifts(ground: Ground, port: int, tills: list[Till], bodies: list[str]) -> Answers:
    """Send ballots at their pace while tills send gifts at theirs."""
    seconds = ground.pace.seconds
    keys = tuple(till.key for till in tills)
    gifts = Requests("/api/v1/donations", 1, keys, most=int(GIFTS_A_SECOND * (seconds + 2)))
    votes = Requests("/api/v1/ballots", bodies=tuple(bodies))
    with ThreadPoolExecutor(1) as beside:
        giving = beside.submit(
            run, Load(port, CONNECTIONS, seconds, gifts, a_second=GIFTS_A_SECOND), CREATED
        )
        answers = run(Load(port, CONNECTIONS, seconds, votes, a_second=BALLOTS_A_SECOND), CREATED)
        giving.result()
    return answers


def opened(ledger: Ledger) -> Definition:
    """Open a round of fifty projects."""
    at = datetime.now(UTC)
    made = Definition.model_validate(
        {
            "round_id": uuid4(),
            "title": "Banc d'essai",
            "projects": [{"project_id": one, "goal_cents": 100_000} for one in PROJECTS],
            "pot": {"sources": ["customer"], "last_on": date(2100, 1, 1)},
            "rule": json.loads(Directed().canonical()),
            "picks_max": 5,
            "changeable": True,
            "tallies": "sealed",
            "closes_at": at + timedelta(days=1),
            "unused": "follow_result",
            "excess": "next_round",
            "dead_project": "other_picks",
            "cancelled": "next_round",
        }
    )
    one, two, three = (actor_of(uuid4()) for _ in range(3))
    round_id = made.round_id
    ledger.handle(round_, round_id, DraftRound(at=at, actor=one, definition=made))
    for person in (two, three):
        approve = ApproveRound(
            at=at, actor=person, round_id=round_id, definition_sha256=made.sha256
        )
        ledger.handle(round_, round_id, approve)
    ledger.handle(round_, round_id, OpenRound(at=at, actor=one, round_id=round_id))
    return made


def closed(ledger: Ledger, made: Definition) -> None:
    """Close a round as the clock will on its day."""
    at = made.closes_at + CLOSE_AFTER
    ledger.handle(round_, made.round_id, CloseRound(at=at, actor="clock", round_id=made.round_id))


def ballots(
    ground: Ground, conninfo: str, ledger: Ledger, tills: list[Till], number: int
) -> list[str]:
    """Record gifts, and write a ballot for each."""
    dice = random.Random(SEED)  # noqa: S311 - made-up ballots need no secret.
    with psycopg.connect(conninfo, autocommit=True) as connection:
        codes = TicketCodes(open_keyring(ground.settings.home, connection).tickets)
    bodies: list[str] = []
    for first in range(0, number, 1_000):
        given = [gift(dice.choice(tills)) for _ in range(min(1_000, number - first))]
        ledger.handle_all(donation, [(one.donation_id, one) for one in given], presume_new=True)
        bodies += [
            json.dumps(
                {
                    "code": codes.code(one.donation_id),
                    "picks": [str(pick) for pick in dice.sample(PROJECTS, dice.randint(1, 5))],
                }
            )
            for one in given
        ]
    return bodies


def gift(till: Till) -> RecordDonation:
    at = datetime.now(UTC)
    return RecordDonation(
        at=at,
        actor="bench",
        donation_id=uuid4(),
        partner_id=till.partner_id,
        till_id=till.till_id,
        source="customer",
        amount_cents=GIFT_CENTS,
        occurred_at=at,
        occurred_on=civil_day(at),
        partner_standing="active",
    )


def each_counted_once(conninfo: str, made: Definition, confirmed: int) -> None:
    """Count the closed round. Raises unless each confirmed ballot is in it, with its own gift."""
    stored = once(conninfo)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        told = counted_round(connection, made.round_id).tally
    given = sum(one.cents for one in told.awards) + told.foundation_cents + told.next_round_cents
    found = (told.ballots, told.voted_cents, given)
    # A ballot whose answer came after the end of a load was stored, and is counted too.
    if stored < confirmed or found != (stored, stored * GIFT_CENTS, told.pot_cents):
        raise RuntimeError(f"{confirmed} ballots confirmed, {stored} stored, counted: {told}")


def once(conninfo: str) -> int:
    """Count the ballots that are stored, each of another gift. Raises if a gift has two."""
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(
            "SELECT count(*), count(DISTINCT convert_from(state, 'UTF8')::json ->> 'donation_id')"
            " FROM ledger_events WHERE topic = 'BallotCast'"
        ).fetchone()
    if row is None or row[0] != row[1]:
        raise RuntimeError(f"ballots and gifts with a ballot: {row}")
    return int(row[0])
