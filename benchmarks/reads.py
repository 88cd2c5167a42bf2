"""Public answers served from kept bytes, against a bare FastAPI GET."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

from benchmarks import served
from benchmarks.gifts import Requests
from benchmarks.ground import Ground, village
from benchmarks.history import fill
from benchmarks.load import Load, run
from benchmarks.measure import Baseline, Figure, compared, interleaved, ratio_at_least
from projections.every import READ_MODELS
from projections.follow import catch_up

CONNECTIONS = 32
EVENTS = 20_000
OK = 200


def measure(ground: Ground) -> Iterator[Figure]:
    """Take the figures of the reads, while nothing is written."""
    conninfo = ground.database("reads")
    fill(conninfo, village(conninfo, 200), EVENTS)
    catch_up(conninfo, READ_MODELS)
    with ExitStack() as running:
        ours = running.enter_context(served.ours(ground, conninfo))
        theirs = running.enter_context(served.baseline(ground, conninfo, "nothing"))
        taken = interleaved(
            ground.pace.rounds,
            {
                "figures": subject(ground, ours, "/api/v1/figures"),
                "small": subject(ground, theirs, "/small"),
                "journal": subject(ground, ours, "/api/v1/journal?limit=1000"),
                "list": subject(ground, theirs, "/list"),
            },
        )
    bare = Baseline("bare GET, small dict", taken["small"])
    for name, title in (("figures", "reads: figures"), ("journal", "reads: journal of 1,000")):
        yield compared(title, "/s", taken[name], bare, ratio_at_least(0.90))
    listed = Baseline("FastAPI, 1,000 dicts", taken["list"])
    yield compared("reads: journal of 1,000", "/s", taken["journal"], listed)


def subject(ground: Ground, port: int, path: str) -> Callable[[], float]:
    load = Load(port, CONNECTIONS, ground.pace.seconds, Requests(path))
    return lambda: run(load, OK).a_second
