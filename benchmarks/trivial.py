"""A server that gives one answer to all requests: what the load client is checked with."""

import asyncio
import signal
import socket
import sys
from typing import cast

import uvloop

from benchmarks.load import END, LENGTH

ANSWER = b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}"


class Answering(asyncio.Protocol):
    """Answers once the body that the head announces is there."""

    def __init__(self) -> None:
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.received += data
        end = self.received.find(END)
        if end < 0:
            return
        head = self.received[:end].lower()
        place = head.find(LENGTH)
        length = int(head[place + len(LENGTH) :].split(b"\r", 1)[0]) if place >= 0 else 0
        if len(self.received) >= end + len(END) + length:
            self.received = b""
            self.transport.write(ANSWER)


async def serve(listening: int) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    await loop.create_server(Answering, sock=socket.socket(fileno=listening))
    await stopped.wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
