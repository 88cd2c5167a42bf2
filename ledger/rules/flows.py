"""How money flows where projects are paid in part: along picks, or in proportion, up to goals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

# Money moves along picks in grains of a cent: exact numbers would grow longer with every pass, and
# nobody could write them down. A share of a whole cent among up to ten picks is a whole number of
# grains; all other shares are rounded down, and what that leaves over in a whole town, less than a
# millionth of a cent, finds no place.
GRAINS = 2520 * 10**15


@dataclass(frozen=True, slots=True)
class Flow:
    """What each project received, and which projects were full after each pass.

    `refused` says what share of what came to them in a pass they could not take.
    """

    received: dict[str, Fraction]
    passes: list[list[str]]
    refused: tuple[dict[str, Fraction], ...] = ()


def along_picks(
    pools: Iterable[tuple[tuple[str, ...], Fraction]], goals: Mapping[str, int]
) -> Flow:
    """Split each pool equally over its picks; what passes a goal goes to its other picks.

    What a full project cannot take returns to those who sent it, in proportion to what they
    sent, and is split again. Each pass fills a project, so that the passes end.
    """
    received = dict.fromkeys(goals, 0)
    passes: list[list[str]] = []
    held = merged((picks, money * GRAINS // 1) for picks, money in pools)
    refusals: list[dict[str, Fraction]] = []
    full: set[str] = set()
    while held:
        inflow = dict.fromkeys(goals, 0)
        for picks, money in held.items():
            for pick in picks:
                inflow[pick] += money // len(picks)
        beyond = {
            name: over
            for name, money in inflow.items()
            if (over := received[name] + money - goals[name] * GRAINS) > 0
        }
        for name, money in inflow.items():
            received[name] += money - beyond.get(name, 0)
        passes.append(sorted(beyond))
        refusals.append({name: Fraction(over, inflow[name]) for name, over in beyond.items()})
        full |= beyond.keys()
        held = merged(
            (
                tuple(pick for pick in picks if pick not in full),
                sum(
                    money // len(picks) * beyond[pick] // inflow[pick]
                    for pick in picks
                    if pick in beyond
                ),
            )
            for picks, money in held.items()
        )
    exact = {name: Fraction(grains, GRAINS) for name, grains in received.items()}
    return Flow(exact, passes, tuple(refusals))


def followed(
    picks: tuple[str, ...], refused: Sequence[Mapping[str, Fraction]]
) -> dict[str, Fraction]:
    """Say what share of a pool came to rest at each of its picks; the rest found no place."""
    rested: dict[str, Fraction] = {}
    money = Fraction(1)
    for shares in refused:
        if not picks:
            break
        each = money / len(picks)
        for pick in picks:
            rested[pick] = rested.get(pick, Fraction()) + each * (1 - shares.get(pick, 0))
        money = each * sum(shares.get(pick, 0) for pick in picks)
        picks = tuple(pick for pick in picks if pick not in shares)
        if not money:
            break
    return rested


def merged(
    pools: Iterable[tuple[tuple[str, ...], int]],
) -> dict[tuple[str, ...], int]:
    """Add up pools of the same picks; money without a pick stays where it is."""
    found: dict[tuple[str, ...], int] = {}
    for picks, money in pools:
        if picks and money:
            found[picks] = found.get(picks, 0) + money
    return found


def in_proportion(
    pot: Fraction, strengths: Mapping[str, Fraction], caps: Mapping[str, Fraction]
) -> Flow:
    """Share a pot in proportion to strengths; what passes a cap is shared among the others."""
    received = dict.fromkeys(strengths, Fraction())
    passes: list[list[str]] = []
    open_to = {name for name, strength in strengths.items() if strength}
    while open_to:
        unit = pot / sum(strengths[name] for name in open_to)
        full = sorted(name for name in open_to if unit * strengths[name] >= caps[name])
        passes.append(full)
        for name in full or open_to:
            received[name] = caps[name] if full else unit * strengths[name]
        pot -= sum((caps[name] for name in full), Fraction())
        open_to = open_to.difference(full) if full else set()
    return Flow(received, passes)
