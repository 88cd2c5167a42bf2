"""Who acts: where two people must agree, each of them is somebody with an account."""

import re
from typing import Final

from ledger.decider import Refused

# One spelling, so that two of them are two people.
ACCOUNT: Final = re.compile(r"account:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class ActorWithoutAccount(Refused):
    """Two people do this, each signed in with an account: the console could be either of them."""


def person(actor: str) -> None:
    """Refuse whoever could be two people, or none."""
    if ACCOUNT.fullmatch(actor) is None:
        raise ActorWithoutAccount(actor=actor)
