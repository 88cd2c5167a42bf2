"""`python -m benchmarks [--quick] [NAME …]`: measure, print a table, write `latest.json`."""

import argparse
import importlib
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.ground import Ground, fsync_ms, ground
from benchmarks.measure import Figure, Pace, table

NAMES = (
    "intake",
    "batches",
    "followers",
    "rebuild",
    "freshness",
    "reads",
    "standings",
    "rules",
    "ballots",
    "tallies",
    "statements",
    "bank",
    "webhooks",
)
LATEST = Path(__file__).parent / "latest.json"
PACKAGES = ("eventsourcing", "fastapi", "uvicorn", "psycopg", "pydantic", "msgspec")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="short rounds: does it all work?")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(NAMES)
    if unknown:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}")
    # Ctrl-C and a polite kill both end what was started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with ground(Pace(arguments.quick)) as here:
        machine = machine_of(here)
        print(", ".join(f"{name} {value}" for name, value in machine.items()), file=sys.stderr)
        figures = taken(here, arguments.names or NAMES)
        machine["load after"] = os.getloadavg()[0]
    print(table(figures))
    report = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": arguments.quick,
        "machine": machine,
        "figures": [described(figure) for figure in figures],
    }
    LATEST.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def taken(here: Ground, names: Sequence[str]) -> list[Figure]:
    figures: list[Figure] = []
    for name in names:
        started_at = time.monotonic()
        figures += importlib.import_module(f"benchmarks.{name}").measure(here)
        print(f"{name}: measured in {time.monotonic() - started_at:.0f} s", file=sys.stderr)
    return figures


def machine_of(here: Ground) -> dict[str, Any]:
    """Say what the figures depend on beside the code."""
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "database": here.version(),
        "durable write ms": round(fsync_ms(here.settings.home), 2),
        "load before": os.getloadavg()[0],
        **{name: version(name) for name in PACKAGES},
    }


def described(figure: Figure) -> dict[str, Any]:
    return asdict(figure) | {
        "goal": None if figure.goal is None else figure.goal.text,
        "met": figure.met,
    }


if __name__ == "__main__":
    main()
