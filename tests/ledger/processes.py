"""Other processes that use a home, for the tests of who owns its server."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

DEADLINE_SECONDS = 60

PROGRAM = """
import os
import sys
from pathlib import Path
from ledger.embedded import embedded_postgres

with embedded_postgres(Path(sys.argv[1]), owner=sys.argv[2] == "service") as conninfo:
    os.chdir(sys.argv[1])
    {first}
    print(conninfo, flush=True)
    sys.stdin.read()
"""


class OtherProcess:
    """A process that uses the server until it is told to finish."""

    def __init__(self, home: Path, kind: str, first: str = "pass") -> None:
        """Run `first` once the server answers, then wait."""
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(first=first), str(home), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def conninfo(self) -> str:
        """Wait until it has the server."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def said(self) -> str:
        """Wait until it says something on stderr."""
        assert self.process.stderr is not None
        return self.process.stderr.readline().strip()

    def finish(self) -> None:
        """Tell it to end, without waiting."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def finished(self) -> int:
        """Wait until it has ended; return its exit status."""
        return self.process.wait(DEADLINE_SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(DEADLINE_SECONDS)

    def close(self) -> None:
        self.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the deadline passed"
        time.sleep(0.02)
