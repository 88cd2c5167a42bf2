"""How old a figure on a page is: from a gift's 201 until the public figures include it."""

from bisect import bisect_left
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from statistics import quantiles

from benchmarks import served
from benchmarks.gifts import Requests
from benchmarks.ground import Ground, village
from benchmarks.load import Answers, Load, run
from benchmarks.measure import Figure, Spread, at_least, at_most

GIFTS_A_SECOND = 1_000
LOOKS_A_SECOND = 200
TILLS = 100
CREATED, OK = 201, 200
# The reader looks on a little longer, so that the last gifts are seen too.
LONGER_SECONDS = 2.0


def measure(ground: Ground) -> Iterator[Figure]:
    """Take the age of the figures while gifts come at a steady pace."""
    conninfo = ground.database("freshness")
    keys = tuple(till.key for till in village(conninfo, TILLS))
    seconds = ground.pace.seconds
    with (
        served.ours(ground, conninfo) as port,
        served.following(ground, conninfo),
    ):
        rounds = [one_round(port, keys, seconds) for _ in range(ground.pace.rounds)]
    ages_ms = [ages(given, seen) for given, seen in rounds]
    percentiles = [quantiles(of_round, n=100) for of_round in ages_ms]
    yield Figure(
        "freshness: gifts sent",
        "/s",
        Spread.of([given.a_second for given, _ in rounds]),
        goal=at_least(0.98 * GIFTS_A_SECOND),
    )
    yield Figure("freshness: age, median", "ms", Spread.of([cut[49] for cut in percentiles]))
    yield Figure(
        "freshness: age, p99", "ms", Spread.of([cut[98] for cut in percentiles]), goal=at_most(250)
    )
    yield Figure("freshness: age, most", "ms", Spread.of([max(of_round) for of_round in ages_ms]))


def one_round(port: int, keys: tuple[str, ...], seconds: float) -> tuple[Answers, Answers]:
    """Send gifts from one process and look at the figures from another."""
    most = int(2 * GIFTS_A_SECOND * (seconds + 1))
    gifts = Requests("/api/v1/donations", 1, keys, most)
    giving = Load(port, 32, seconds, gifts, a_second=GIFTS_A_SECOND, note="position")
    looking = Load(
        port,
        1,
        seconds + LONGER_SECONDS,
        Requests("/api/v1/figures"),
        a_second=LOOKS_A_SECOND,
        note="as_of_position",
    )
    with ThreadPoolExecutor(1) as other:
        seen = other.submit(run, looking, OK)
        return run(giving, CREATED), seen.result()


def ages(given: Answers, seen: Answers) -> list[float]:
    """Give the milliseconds from each acknowledgement to the first look that showed the gift."""
    looked_at = [at for at, _ in seen.notes]
    shown = list(accumulate((position for _, position in seen.notes), max))
    found: list[float] = []
    for acknowledged_at, position in given.notes:
        look = bisect_left(shown, position)
        if look == len(shown):
            raise RuntimeError(f"position {position} was not seen in {LONGER_SECONDS} s")
        found.append(max(0.0, looked_at[look] - acknowledged_at) * 1000)
    return found
