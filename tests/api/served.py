"""The service as its clients meet it: a real server on a real port."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.deps import Context
from api.worker import config_of
from ledger.settings import Settings
from tests.ledger.processes import eventually

PROGRAM = Path(sys.executable).with_name("donpositif")
PUBLIC_URL = "https://dons.example.org"
STOP_SECONDS = 60


def settings_in(home: Path) -> Settings:
    """Settings on a home of the test's own; the port is chosen when it listens."""
    return Settings.from_environment({"DONPOSITIF_HOME": str(home), "PUBLIC_URL": PUBLIC_URL})


@dataclass(frozen=True, slots=True)
class Served:
    """An application that answers, with a client at hand."""

    app: FastAPI
    url: str
    client: httpx.Client

    @property
    def context(self) -> Context:
        context: Context = self.app.state.context
        return context


@contextmanager
def serving(settings: Settings, conninfo: str) -> Iterator[Served]:
    """Serve the application from a thread, as a worker of the service does."""
    app = create_app(settings, conninfo)
    config = config_of(app, settings)
    config.host, config.port = "127.0.0.1", 0
    server = uvicorn.Server(config)
    thread = threading.Thread(target=run, args=(server,), name="served", daemon=True)
    thread.start()
    try:
        eventually(lambda: server.started or not thread.is_alive())
        assert server.started, "the application did not start"
        port = server.servers[0].sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=url, timeout=60) as client:
            yield Served(app, url, client)
    finally:
        server.should_exit = True
        thread.join(STOP_SECONDS)
    assert not thread.is_alive(), "the server did not stop"


def run(server: uvicorn.Server) -> None:
    """Serve; a start that fails is told by the server that has not started."""
    with suppress(SystemExit):
        server.run()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@dataclass(slots=True)
class Service:
    """`donpositif serve` as an operator runs it, in processes of its own."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def said(self) -> str:
        """All that it wrote on standard error."""
        return self.log.read_text()

    def kill(self) -> None:
        """Kill the supervisor outright; its children notice by themselves."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)

    def stop(self) -> int:
        """Ask it to stop, as Ctrl-C does; give its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_SECONDS)


def environment(home: Path, changes: Mapping[str, str]) -> dict[str, str]:
    """What an operator sets: a home, no demonstration, and nothing of whoever runs the tests."""
    ours = {"DATABASE_URL", "HOST", "WORKERS", "PUBLIC_URL"}
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    return {**inherited, "DONPOSITIF_HOME": str(home), "DEMO": "0", **changes}


@contextmanager
def service(home: Path, **changes: str) -> Iterator[Service]:
    """Run the service until the end of the block, and wait until it answers."""
    port = int(changes.get("PORT", free_port()))
    home.parent.mkdir(parents=True, exist_ok=True)
    log = home.parent / f"{home.name}.{uuid4()}.log"
    with ExitStack() as stack:
        file = stack.enter_context(log.open("wb"))
        process = stack.enter_context(
            subprocess.Popen(
                [PROGRAM, "serve"],
                env=environment(home, {"PORT": str(port), **changes}),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        )
        running = Service(process, f"http://127.0.0.1:{port}", log)
        stack.callback(end, process)
        eventually(lambda: process.poll() is not None or answers(running.url))
        assert process.poll() is None, running.said
        yield running


def end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=5).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
