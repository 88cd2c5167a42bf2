"""The public files of a round, from a folder or an address, read within bounds."""

import http.client
import stat
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ledger.rules.election import RuleRefused

ELECTION, RULE, RESULT, TRACE = "election.pb", "rule.json", "result.json", "trace.json"
ROUND = "round.json"
# A hundred thousand ballots with ten picks each are six megabytes.
BYTES_MAX = 64 * 1024 * 1024
SECONDS_MAX = 30
DOWNLOAD_SECONDS_MAX = 300
PIECE_BYTES = 64 * 1024

Reader = Callable[[str], bytes | None]


class PublicationRefused(RuleRefused):
    """The public files cannot be read."""


class FileMissing(PublicationRefused):
    pass


class FileTooLarge(PublicationRefused):
    pass


class AddressRefused(PublicationRefused):
    """Only http and https addresses are opened, also after a redirection."""


class AddressUnreachable(PublicationRefused):
    pass


class Guarded(HTTPRedirectHandler):
    """Follows redirections to the web alone, never to a file or another service."""

    def redirect_request(self, *request: Any) -> Request | None:
        web(request[-1])
        return super().redirect_request(*request)


def reader(place: str) -> Reader:
    """Give what reads the named files of a folder or an address; a missing one is None."""
    if "://" in place:
        web(place)
        return lambda name: downloaded(f"{place.rstrip('/')}/{name}")
    folder = Path(place)
    if not folder.is_dir():
        raise FileMissing(place)
    return lambda name: opened(folder / name)


def opened(path: Path) -> bytes | None:
    """Read a file within bounds; None if there is none. A pipe or a device is no file."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise FileMissing(f"{path.name} is no file")
        if found.st_size > BYTES_MAX:
            raise FileTooLarge(path.name)
        with path.open("rb") as file:
            return bytes(bounded(file.read(BYTES_MAX + 1), path.name))
    except FileNotFoundError:
        return None
    except OSError as failure:
        raise FileMissing(f"{path.name}: {failure.strerror}") from failure


def web(address: str) -> None:
    try:
        parts = urlsplit(address)
    except ValueError as failure:
        raise AddressRefused(address) from failure
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AddressRefused(address)


def downloaded(address: str) -> bytes | None:
    request = Request(address, headers={"User-Agent": "donpositif-recount"})  # noqa: S310 - web() checked it.
    try:
        with closing(build_opener(Guarded).open(request, timeout=SECONDS_MAX)) as answer:
            return read_in_time(answer, address)
    except HTTPError as refused:
        refused.close()
        if refused.code in (404, 410):
            return None
        raise AddressUnreachable(f"{address}: {refused.code}") from refused
    except URLError as failure:
        raise AddressUnreachable(f"{address}: {failure.reason}") from failure
    except (OSError, http.client.HTTPException, ValueError) as failure:
        raise AddressUnreachable(f"{address}: {failure}") from failure


def read_in_time(answer: IO[bytes], address: str) -> bytes:
    """Read to the end, within a total time: a drop now and then would never time out."""
    ends_at = time.monotonic() + DOWNLOAD_SECONDS_MAX
    content = bytearray()
    while piece := answer.read1(PIECE_BYTES):  # type: ignore[attr-defined]
        content += piece
        bounded(content, address)
        if time.monotonic() > ends_at:
            raise AddressUnreachable(f"{address}: too slow")
    return bytes(content)


def bounded(content: bytes | bytearray, name: str) -> bytes | bytearray:
    if len(content) > BYTES_MAX:
        raise FileTooLarge(name)
    return content
