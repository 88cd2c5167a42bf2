"""The service: one process that owns the database and keeps its workers and follower alive."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from api.demo import load_demo_into_empty_ledger
from ledger.db import database
from ledger.keyring import open_badge_key, open_keyring
from ledger.migrate import migrate
from ledger.settings import Settings
from ledger.vault.keys import open_kek
from projections.every import READ_MODELS
from projections.follow import prepare

LOG = logging.getLogger("donpositif.serve")
LOOK_SECONDS = 0.1
RESTART_SECONDS = 1.0
STOP_SECONDS = 15.0
VILLAGE_LOADED = (
    "The ledger was empty: it holds a made-up village now. `donpositif demo` prints one-time links "
    "for a tour of its office."
)
PROXY_UNKNOWN = (
    "PUBLIC_URL is https, so a proxy stands in front: name its address in TRUSTED_PROXIES, or all "
    "visitors share one limit of attempts"
)
READY_SECONDS = 60.0


class AddressTaken(Exception):
    """Something else listens on the address, or it is not this machine's."""


@dataclass(slots=True)
class Child:
    """A part of the service in a process of its own, started again whenever it ends."""

    module: str
    arguments: list[int]
    inherited: list[int]
    process: subprocess.Popen[bytes] | None = None
    restart_at: float = 0.0

    def keep_alive(self) -> None:
        """Start the process when it is due, and note when it ended."""
        now = time.monotonic()
        if self.process is not None:
            if self.process.poll() is None:
                return
            LOG.error("%s ended with %s; it starts again", self.module, self.process.returncode)
            self.process, self.restart_at = None, now + RESTART_SECONDS
        if now >= self.restart_at:
            command = [sys.executable, "-m", self.module, *map(str, self.arguments)]
            # A session of its own: Ctrl-C reaches the supervisor alone, which stops it in order.
            self.process = subprocess.Popen(
                command, pass_fds=self.inherited, stdin=subprocess.DEVNULL, start_new_session=True
            )


@dataclass(slots=True)
class Supervisor:
    """Starts the children, and stops them in order."""

    children: list[Child]
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Keep every child alive until a signal says stop."""
        try:
            while not self.stopping.is_set():
                for child in self.children:
                    child.keep_alive()
                self.stopping.wait(LOOK_SECONDS)
        finally:
            self.stop_children()

    def stop_children(self) -> None:
        """Let workers answer what they took; kill what does not end in time."""
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM. Raises AddressTaken before anything is started."""
    stopping = threading.Event()
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda *_: stopping.set())
    with listening(settings) as listener, lifeline() as held, database(settings, owner=True) as db:
        migrate(db)
        with psycopg.connect(db, autocommit=True) as connection:
            open_keyring(settings.home, connection)
            open_badge_key(settings.home, connection)
            open_kek(connection, settings.home / "keys")
            prepare(connection, READ_MODELS)
        if settings.public_url.startswith("https:") and not settings.trusted_proxies:
            LOG.warning(PROXY_UNKNOWN)
        if settings.demo and (codes := load_demo_into_empty_ledger(settings, db)) is not None:
            print(VILLAGE_LOADED, file=sys.stderr)
            for code in codes:
                print(f"Try a vote: {settings.public_url}/g/{code}", file=sys.stderr)
        worker = [listener.fileno(), held]
        children = [Child("api.worker", worker, worker) for _ in range(settings.workers)]
        children.append(Child("api.follower", [held], [held]))
        threading.Thread(target=announce, args=(settings, stopping), daemon=True).start()
        Supervisor(children, stopping).run()
    print("Don positif has stopped; everything it took is stored.", file=sys.stderr)


@contextmanager
def listening(settings: Settings) -> Iterator[socket.socket]:
    """Listen before the children exist, so that they share one socket and none is refused."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            address = f"{settings.host}:{settings.port}"
            raise AddressTaken(f"cannot listen on {address}: {error.strerror}") from error
        listener.listen(2048)
        listener.set_inheritable(True)
        yield listener


@contextmanager
def lifeline() -> Iterator[int]:
    """Give the reading end of a pipe that closes when this process ends, however it ends."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(writing)
        os.close(reading)


def announce(settings: Settings, stopping: threading.Event) -> None:
    """Say where the service is, once it answers."""
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104
    address = f"[{host}]" if ":" in host else host
    url = f"http://{address}:{settings.port}"
    deadline = time.monotonic() + READY_SECONDS
    while not stopping.is_set() and time.monotonic() < deadline:
        try:
            # The scheme is always http.
            with urllib.request.urlopen(f"{url}/healthz", timeout=5):  # noqa: S310
                break
        except (urllib.error.URLError, OSError):
            stopping.wait(LOOK_SECONDS)
    else:
        return
    kept = "the database of DATABASE_URL" if settings.database_url else str(settings.home)
    print(f"Don positif serves on {url}  (data: {kept}; Ctrl-C stops it)", file=sys.stderr)
