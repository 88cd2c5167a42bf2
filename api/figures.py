"""Figures that something is decided by: no older than the moment at which they are asked for."""

import time
from typing import Final

from api.deps import Context
from ledger.decider import Refused
from projections import feed
from projections.read_model import as_of

PATIENCE_SECONDS: Final = 5.0
# A page is shown all the same: whoever reads it can read it again.
PAGE_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 0.02


class FiguresBehind(Refused):
    """The figures are not up to date yet: ask again in a moment."""


def reach(context: Context, *models: str) -> int:
    """Wait until read models have all that is recorded by now; give their position.

    Raises FiguresBehind when that takes too long.
    """
    position, wanted = awaited(context, PATIENCE_SECONDS, *models)
    if position < wanted:
        raise FiguresBehind(position=position, wanted=wanted)
    return position


def settle(context: Context, *models: str) -> None:
    """Wait a moment for read models, so that what was just done shows."""
    awaited(context, PAGE_SECONDS, *models)


def awaited(context: Context, seconds: float, *models: str) -> tuple[int, int]:
    """Give the position that read models have after at most so long, and the one there was."""
    deadline = time.monotonic() + seconds
    with context.pool.connection() as connection:
        wanted = feed.head(connection)
        while (position := as_of(connection, *models).position) < wanted:
            if time.monotonic() > deadline:
                break
            time.sleep(LOOK_SECONDS)
    return position, wanted
