"""Ticket codes that were tried and are none: how many from one address, and how many in all.

Right codes count only while they are looked up, and one that opened here goes on opening (see
ticket_marks).

Counted in each worker's memory and forgotten when it ends: nobody's address is stored. A code has
seven secret letters, so that even the limit of many workers leaves a guess no hope.
"""

import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from starlette.requests import Request

from api.credentials import network_of
from ledger.decider import Refused

WINDOW_SECONDS: Final = 600.0
# Of those who err, the check character stops 30 in 31 before they count here: so many well-formed
# wrong codes are no citizens', yet a shop's whole wifi shares an address with whoever sends them.
# With a million gifts in the ledger, one code in 25 thousand million opens any.
ADDRESS_MAX: Final = 100
# So many wrong codes in all are an attack: then each address has two left.
ALL_MAX: Final = 2_000
ADDRESS_MAX_UNDER_ATTACK: Final = 2
# What is kept in memory, whatever comes.
ADDRESSES_MAX: Final = 50_000


class TooManyCodes(Refused):
    """Too many wrong codes came from this address: wait a while."""


@dataclass(slots=True)
class Guesses:
    """The wrong codes of the present window, and those that are being looked up.

    The least recent addresses go first.
    """

    _since: float = field(default_factory=time.monotonic)
    _all: int = 0
    _by_address: OrderedDict[str, int] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def attempt(self, address: str, wrong: type[Refused]) -> Iterator[None]:
        """Let an address try a code. Raises TooManyCodes.

        It counts from the beginning, so that a thousand codes at once are a thousand, and is taken
        back unless it ends with the refusal that says that the code was wrong.
        """
        since = self._begin(address)
        try:
            yield
        except wrong:
            raise
        except BaseException:
            self._take_back(address, since)
            raise
        else:
            self._take_back(address, since)

    def _begin(self, address: str) -> float:
        now = time.monotonic()
        with self._lock:
            if now - self._since > WINDOW_SECONDS:
                self._since, self._all = now, 0
                self._by_address.clear()
            most = ADDRESS_MAX if self._all < ALL_MAX else ADDRESS_MAX_UNDER_ATTACK
            if self._by_address.get(address, 0) >= most:
                wait = self._since + WINDOW_SECONDS - now
                raise TooManyCodes(retry_minutes=max(1, -(-int(wait) // 60)))
            self._all += 1
            self._by_address[address] = self._by_address.pop(address, 0) + 1
            if len(self._by_address) > ADDRESSES_MAX:
                self._by_address.popitem(last=False)
            return self._since

    def _take_back(self, address: str, since: float) -> None:
        """Forget an attempt, unless the window that counted it is over."""
        with self._lock:
            if since == self._since:
                self._all -= 1
                if address in self._by_address:
                    self._by_address[address] -= 1


def origin_of(request: Request) -> str:
    """Give what a request counts against: its address, or its network of IPv6."""
    return network_of(request.client.host if request.client is not None else "")
