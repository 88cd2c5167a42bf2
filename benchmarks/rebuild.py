"""Rebuilding the read models, against the event library reading and decoding and nothing else.

`python -m benchmarks.rebuild CONNINFO` rebuilds all of them and prints the memory it took.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from eventsourcing.persistence import StoredEvent

from benchmarks.ground import Ground, village
from benchmarks.history import fill
from benchmarks.load import REPOSITORY
from benchmarks.measure import (
    Baseline,
    Figure,
    compared,
    interleaved,
    ratio_at_least,
    ratio_at_most,
)
from benchmarks.stock import StockLedger, environment
from benchmarks.stock import fill as fill_stock
from projections.every import READ_MODELS
from projections.read_model import ReadModel
from projections.rebuild import rebuild

PARTNERS = 200
EVENTS, EVENTS_QUICK = 1_000_000, 240_000
STOCK_EVENTS, STOCK_EVENTS_QUICK = 100_000, 20_000
PAGE = 1_000
# Each takes long enough to be steady.
ROUNDS = 3
PROCESS_SECONDS = 600
MEGABYTE_KILOBYTES = 1024


def measure(ground: Ground) -> Iterator[Figure]:
    """Take the figures of rebuilding: events a second, and memory."""
    quick = ground.pace.quick
    events = EVENTS_QUICK if quick else EVENTS
    mine = ground.database("rebuild")
    tills = village(mine, PARTNERS)
    fill(mine, tills, events // 4)
    quarter_megabytes = megabytes(mine)
    fill(mine, tills, events - events // 4, events // 4)
    library = StockLedger(env=environment(ground.database("rebuild_stock")))
    stored = fill_stock(library, tills, STOCK_EVENTS_QUICK if quick else STOCK_EVENTS)
    subjects: dict[str, Callable[[], float]] = {
        "all": lambda: rebuilt_a_second(mine, READ_MODELS),
        "read": lambda: read_a_second(library),
        "decode": lambda: decoded_a_second(library, stored),
    }
    for name, model in READ_MODELS.items():
        subjects[name] = partial(rebuilt_a_second, mine, {name: model})
    taken = interleaved(ROUNDS, subjects)
    library.close()
    reading = Baseline("library reads and decodes", taken["read"])
    decoding = Baseline("library decodes from memory", taken["decode"])
    title = f"rebuild {events // 1000:,}k events"
    yield compared(f"{title}: all", "/s", taken["all"], reading, ratio_at_least(7))
    yield compared(f"{title}: all", "/s", taken["all"], decoding)
    for name in READ_MODELS:
        yield compared(f"{title}: {name}", "/s", taken[name], reading)
    yield compared(
        f"{title}: peak memory",
        "MB",
        [megabytes(mine)],
        Baseline(f"of {events // 4000:,}k events", [quarter_megabytes]),
        ratio_at_most(1.1),
    )


def rebuilt_a_second(conninfo: str, models: Mapping[str, ReadModel]) -> float:
    started_at = time.perf_counter()
    events = rebuild(conninfo, models)
    return events / (time.perf_counter() - started_at)


def read_a_second(library: StockLedger) -> float:
    """Read the library's notifications page by page, and decode each."""
    started_at = time.perf_counter()
    last = decoded = 0
    while page := library.recorder.select_notifications(last, PAGE, inclusive_of_start=False):
        for notification in page:
            library.mapper.to_domain_event(notification)
        last = page[-1].id
        decoded += len(page)
    return decoded / (time.perf_counter() - started_at)


def decoded_a_second(library: StockLedger, stored: list[StoredEvent]) -> float:
    started_at = time.perf_counter()
    for event in stored:
        library.mapper.to_domain_event(event)
    return len(stored) / (time.perf_counter() - started_at)


def megabytes(conninfo: str) -> float:
    """Take the peak memory of a process that does nothing but rebuild."""
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.rebuild", conninfo],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=REPOSITORY,
        timeout=PROCESS_SECONDS,
    )
    return int(finished.stdout) / MEGABYTE_KILOBYTES


def peak_kilobytes() -> int:
    """Read the peak of this program alone: getrusage would count the process it was forked from."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError("this kernel does not tell the peak memory of a process")


if __name__ == "__main__":
    rebuild(sys.argv[1], READ_MODELS)
    print(peak_kilobytes())
