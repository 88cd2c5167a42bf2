"""Vote rules on made-up towns: equal shares beside the same count said plainly, and its memory."""

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from random import Random

from benchmarks.ground import Ground
from benchmarks.measure import (
    Baseline,
    Figure,
    Spread,
    at_most,
    compared,
    interleaved,
    ratio_at_most,
)
from ledger.rounds.definition import STEPS_A_CENT_MAX
from ledger.rules.election import Ballot, Election, Project
from ledger.rules.rule import EqualShares
from ledger.rules.tally import tally
from tests.ledger.rules import plain
from tests.ledger.rules.elections import crowd

BALLOTS, PROJECTS, PICKS_MAX = 10_000, 50, 5
MANY = 100_000
SEED = 4
ALONE = EqualShares()
# A hundred units a ballot: one unit is a euro where amounts are in euros, 1 % of the share.
COMPLETED = EqualShares(completion="add1", increment=1)
FINELY = EqualShares(completion="add1", increment=1, increment_per=10)
# As rounds count: weights are cents of gifts, and the finest steps that a round may declare. A
# hundred thousand euros are many times what the ballots bring, so each of their cents holds much.
IN_CENTS = EqualShares(completion="add1", increment_per=STEPS_A_CENT_MAX, then="greedy")
POT_CENTS = 10_000_000
GIFTS_CENTS = (5, 40, 73, 99)
MEMORY = f"from benchmarks import rules; print(rules.peak_of({MANY}))"


def measure(ground: Ground) -> Iterator[Figure]:
    """Take the figures; the elections are the same in every run."""
    election = town(BALLOTS)
    rounds = ground.pace.rounds

    small = town(BALLOTS // 5)
    taken = interleaved(
        rounds,
        {"ours": lambda: seconds(small, ALONE), "plain": lambda: plain_seconds(small)},
    )
    yield compared(
        f"equal shares, {BALLOTS // 5:,} ballots",
        "s",
        taken["ours"],
        Baseline("one fraction a ballot", taken["plain"]),
        ratio_at_most(0.1),
    )
    name = f"equal shares, {BALLOTS:,} ballots, {PROJECTS} projects"
    alone = [seconds(election, ALONE) for _ in range(rounds)]
    yield Figure(name, "ms", Spread.of([1_000 * one for one in alone]), goal=at_most(200))
    completed = [seconds(election, COMPLETED) for _ in range(min(3, rounds))]
    yield Figure(f"{name}, add-1", "s", Spread.of(completed), goal=at_most(8))
    finely = [seconds(election, FINELY) for _ in range(min(3, rounds))]
    yield Figure(f"{name}, add-1 by tenths", "s", Spread.of(finely), goal=at_most(8))
    in_cents = [seconds(pot(BALLOTS), IN_CENTS) for _ in range(min(3, rounds))]
    yield Figure(f"{name}, add-1 in cents", "s", Spread.of(in_cents), goal=at_most(8))
    peak = float(
        subprocess.run(
            [sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True
        ).stdout
    )
    yield Figure(
        f"equal shares, {MANY:,} ballots, peak", "MB", Spread.of([peak]), goal=at_most(400)
    )


def town(ballots: int) -> Election:
    dice = Random(SEED)  # noqa: S311 - made-up ballots need no secret.
    return crowd(dice, ballots, PROJECTS, PICKS_MAX)


def pot(ballots: int) -> Election:
    """Make a round's election: gifts of cents, all projects alike, a large matching pot."""
    dice = Random(SEED)  # noqa: S311 - made-up ballots need no secret.
    names = [f"p{number}" for number in range(PROJECTS)]
    projects = (Project(name, dice.randint(POT_CENTS // 200, POT_CENTS // 20)) for name in names)
    made = (
        Ballot(tuple(sorted(dice.sample(names, PICKS_MAX))), dice.choice(GIFTS_CENTS))
        for _ in range(ballots)
    )
    return Election("pot", POT_CENTS, tuple(projects), tuple(made), decimals=2)


def seconds(election: Election, rule: EqualShares) -> float:
    """Time one tally of ballots as they come: merging them is part of the work."""
    fresh = Election(election.election_id, election.budget, election.projects, election.ballots)
    started_at = time.perf_counter()
    tally(fresh, rule)
    return time.perf_counter() - started_at


def plain_seconds(election: Election) -> float:
    started_at = time.perf_counter()
    plain.equal_shares(election, ALONE)
    return time.perf_counter() - started_at


def peak_of(ballots: int) -> int:
    """Give the megabytes that this process needed at most, after one tally."""
    tally(town(ballots), ALONE)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024
