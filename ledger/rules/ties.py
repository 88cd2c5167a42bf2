"""The order that breaks ties, and the split that leaves no unit over."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from hashlib import sha256

from ledger.rules.election import Election

TieKey = tuple[int, int, bytes]
LEFT = ""  # Stands for the money left, which no project's id is equal to.


def tie_key(election: Election, support: Mapping[str, int]) -> Callable[[str], TieKey]:
    """Order projects: more support, then lower cost, then SHA-256 of election and project."""

    def key(project_id: str) -> TieKey:
        drawn = lot(election.election_id, project_id)
        return -support.get(project_id, 0), election.costs[project_id], drawn

    return key


def lot(election_id: str, *project_ids: str) -> bytes:
    """Draw a lot for a project, or for a set of them, that nobody can choose."""
    return sha256("".join((election_id, *project_ids)).encode()).digest()


def whole(
    exact: Mapping[str, Fraction], total: int, order: Callable[[str], TieKey]
) -> dict[str, int]:
    """Round shares to units by largest remainder, what remains of the total being left over.

    No share is rounded past the next unit, so a whole goal that was not passed stays so.
    """
    shares = {**exact, LEFT: total - sum(exact.values(), Fraction())}
    units = {name: share.numerator // share.denominator for name, share in shares.items()}

    def remainder(name: str) -> tuple[Fraction, bool, TieKey]:
        last = name == LEFT
        return units[name] - shares[name], last, (0, 0, b"") if last else order(name)

    for name in sorted(shares, key=remainder)[: total - sum(units.values())]:
        units[name] += 1
    return {name: units[name] for name in exact}
