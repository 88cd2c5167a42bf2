"""Pages that ask Stripe: few at once, so that all others are served while it is slow or away."""

import threading
from collections.abc import Callable
from typing import Final, TypeVar

from starlette.concurrency import run_in_threadpool

from ledger.stripe_gateway import StripeUnavailable

T = TypeVar("T")

# Far fewer than the threads that all pages share.
PLACES_MAX: Final = 4

PLACES: Final = threading.BoundedSemaphore(PLACES_MAX)


async def asking(ask: Callable[[], T]) -> T:
    """Ask Stripe for a page. Raises StripeUnavailable at once while all places are taken."""
    if not PLACES.acquire(blocking=False):
        raise StripeUnavailable(problem="too many pages ask at once")
    try:
        return await run_in_threadpool(ask)
    finally:
        PLACES.release()
