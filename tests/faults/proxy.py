"""A way to the database that is cut at chosen moments, as a network does."""

import random
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

CHUNK_BYTES = 65_536
SOCKET_NAME = ".s.PGSQL.5432"


class Cuts:
    """Which connections are cut, and when: before the server hears, or before it is heard."""

    def __init__(self, seed: int, requests: float, replies: float) -> None:
        """Take the share of requests, and of replies, that end their connection."""
        self.requests = requests
        self.replies = replies
        self.made = 0
        self._dice = random.Random(seed)
        self._lock = threading.Lock()

    def cut(self, *, request: bool) -> bool:
        with self._lock:
            here = self._dice.random() < (self.requests if request else self.replies)
            self.made += here
        return here

    def stop(self) -> None:
        self.requests = self.replies = 0.0


@contextmanager
def flaky(conninfo: str, cuts: Cuts) -> Iterator[str]:
    """Give an address of the same database whose connections are cut."""
    parts = conninfo_to_dict(conninfo)
    behind = Path(str(parts["host"])) / SOCKET_NAME
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, args=(listener, behind, cuts), daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        address = {"host": "127.0.0.1", "port": port, "sslmode": "disable"}
        yield make_conninfo(**{**parts, **address, "gssencmode": "disable"})
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def accept(listener: socket.socket, behind: Path, cuts: Cuts) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=pump, args=(client, behind, cuts), daemon=True).start()


def pump(client: socket.socket, behind: Path, cuts: Cuts) -> None:
    """Carry bytes both ways until one side ends, or a cut comes."""
    with client, socket.socket(socket.AF_UNIX) as server, suppress(OSError):
        server.connect(str(behind))
        other = {client: server, server: client}
        while True:
            readable, _, _ = select.select([client, server], [], [])
            for side in readable:
                chunk = side.recv(CHUNK_BYTES)
                if not chunk or cuts.cut(request=side is client):
                    return
                other[side].sendall(chunk)
