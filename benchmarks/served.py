"""Starting what is measured: our workers and follower, and the baselines behind the same server."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from api.serve import lifeline, listening
from benchmarks.ground import Ground
from benchmarks.load import REPOSITORY

ANSWER_SECONDS = 60
STOP_SECONDS = 30


@contextmanager
def ours(
    ground: Ground, conninfo: str, workers: int = 1, chosen: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Run our workers as `donpositif serve` does, without a follower; give their port."""
    with serving(ground, conninfo, ["api.worker"], workers, chosen) as port:
        yield port


@contextmanager
def baseline(ground: Ground, conninfo: str, name: str) -> Iterator[int]:
    """Run one of the baselines in the worker's place; give its port."""
    with serving(ground, conninfo, ["benchmarks.baselines", name], 1) as port:
        yield port


@contextmanager
def trivial(ground: Ground, conninfo: str) -> Iterator[int]:
    """Run a server that only answers; give its port."""
    with serving(ground, conninfo, ["benchmarks.trivial"], 1) as port:
        yield port


@contextmanager
def following(ground: Ground, conninfo: str) -> Iterator[None]:
    """Run our follower beside the workers."""
    with lifeline() as held, process(["api.follower", str(held)], [held], ground, conninfo):
        yield


@contextmanager
def serving(
    ground: Ground,
    conninfo: str,
    module: list[str],
    workers: int,
    chosen: Mapping[str, str] | None = None,
) -> Iterator[int]:
    with listening(ground.settings) as listener, lifeline() as held, ExitStack() as running:
        inherited = [listener.fileno(), held]
        for _ in range(workers):
            command = [*module, *map(str, inherited)]
            running.enter_context(process(command, inherited, ground, conninfo, chosen))
        port: int = listener.getsockname()[1]
        # The socket takes requests from the start; one is answered when a worker is ready.
        for _ in range(4 * workers):
            await_answer(port)
        yield port


def await_answer(port: int) -> None:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=ANSWER_SECONDS).close()
    except urllib.error.HTTPError as refusal:
        refusal.close()  # A baseline has no such address, and says so.


@contextmanager
def process(
    module: Sequence[str],
    inherited: Sequence[int],
    ground: Ground,
    conninfo: str,
    chosen: Mapping[str, str] | None = None,
) -> Iterator[None]:
    environment = os.environ | {
        "DONPOSITIF_HOME": str(ground.settings.home),
        "DATABASE_URL": conninfo,
        **(chosen or {}),
    }
    running = subprocess.Popen(
        [sys.executable, "-m", *module],
        pass_fds=inherited,
        stdin=subprocess.DEVNULL,
        env=environment,
        cwd=REPOSITORY,
        start_new_session=True,
    )
    try:
        yield
        if running.poll() is not None:
            raise RuntimeError(f"{module[0]} ended with {running.returncode}")
    finally:
        running.terminate()
        try:
            running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
