"""The count of a closed round from the feed to its files: seconds and peak memory by its size.

`python -m benchmarks.tallies CONNINFO ROUND_ID` counts it and prints the seconds and kilobytes.
"""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import psycopg

from api.tally import counted_round
from benchmarks.ballots import PROJECTS, closed, gift, opened
from benchmarks.ground import Ground, village
from benchmarks.load import REPOSITORY
from benchmarks.measure import (
    Baseline,
    Figure,
    at_most,
    compared,
    interleaved,
    ratio_at_most,
)
from benchmarks.rebuild import MEGABYTE_KILOBYTES, PROCESS_SECONDS, peak_kilobytes
from ledger.ballots import CastBallot, ballot, ballot_id_of
from ledger.donations import donation
from ledger.rounds import round_
from ledger.rounds.definition import Definition
from ledger.store import Ledger, open_ledger
from projections.open_rounds import terms_of

FEW, MANY = 10_000, 100_000
PICKS_MAX = 5
TILLS = 20
BATCH = 1_000
KEY = bytes(32)
SEED = 100
ROUNDS = 3
# A hundred thousand ballots of half a kilobyte each in their files, held a few times over.
MEGABYTES_MAX = 400


class Taken(NamedTuple):
    """What one count took, in a process that does nothing else."""

    seconds: float
    megabytes: float


def measure(ground: Ground) -> Iterator[Figure]:
    """Take the count of many ballots beside that of a tenth of them."""
    few, many = (voted(ground, number) for number in (FEW, MANY))
    rounds = 1 if ground.pace.quick else ROUNDS
    taken = interleaved(rounds, {"few": lambda: counted(*few), "many": lambda: counted(*many)})
    beside = f"of {FEW:,} ballots"
    yield compared(
        f"a round of {MANY:,} ballots, counted",
        "s",
        [one.seconds for one in taken["many"]],
        Baseline(beside, [one.seconds for one in taken["few"]]),
        ratio_at_most(15),
    )
    yield compared(
        "the same, peak memory",
        "MB",
        [one.megabytes for one in taken["many"]],
        Baseline(beside, [one.megabytes for one in taken["few"]]),
        at_most(MEGABYTES_MAX),
    )


def voted(ground: Ground, number: int) -> tuple[str, UUID]:
    """Make a closed round in a ledger of its own, with a gift for each ballot."""
    conninfo = ground.database(f"tally_{number}")
    tills = village(conninfo, TILLS)
    dice = random.Random(SEED)  # noqa: S311 - made-up ballots need no secret.
    with open_ledger(conninfo) as ledger:
        made = opened(ledger)
        for _ in range(0, number, BATCH):
            given = [gift(dice.choice(tills)) for _ in range(BATCH)]
            ledger.handle_all(donation, [(one.donation_id, one) for one in given], presume_new=True)
            cast(ledger, made, [one.donation_id for one in given], dice)
        closed(ledger, made)
    return conninfo, made.round_id


def cast(ledger: Ledger, made: Definition, gifts: list[UUID], dice: random.Random) -> None:
    state = round_.fold(one.event for one in ledger.history(round_, made.round_id))
    terms = terms_of(made, state)
    commands = [
        CastBallot(
            at=datetime.now(UTC),
            actor="public",
            ballot_id=ballot_id_of(KEY, made.round_id, donation_id),
            donation_id=donation_id,
            terms=terms,
            picks=tuple(dice.sample(PROJECTS, dice.randint(1, PICKS_MAX))),
            channel="web",
        )
        for donation_id in gifts
    ]
    ledger.handle_all(ballot, [(one.ballot_id, one) for one in commands], presume_new=True)


def counted(conninfo: str, round_id: UUID) -> Taken:
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.tallies", conninfo, str(round_id)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=REPOSITORY,
        timeout=PROCESS_SECONDS,
    )
    seconds, kilobytes = finished.stdout.split()
    return Taken(float(seconds), int(kilobytes) / MEGABYTE_KILOBYTES)


def count(conninfo: str, round_id: UUID) -> None:
    started_at = time.perf_counter()
    with psycopg.connect(conninfo, autocommit=True) as connection:
        counted_round(connection, round_id)
    print(time.perf_counter() - started_at, peak_kilobytes())


if __name__ == "__main__":
    count(sys.argv[1], UUID(sys.argv[2]))
