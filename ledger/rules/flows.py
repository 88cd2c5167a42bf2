"""How money flows where projects are paid in part: along picks, or in proportion, up to goals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Flow:
    """What each project received, exactly, and which projects were full after each pass.

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
    received = dict.fromkeys(goals, Fraction())
    passes: list[list[str]] = []
    held = merged(pools)
    refusals: list[dict[str, Fraction]] = []
    full: set[str] = set()
    while held:
        inflow = dict.fromkeys(goals, Fraction())
        for picks, money in held.items():
            for pick in picks:
                inflow[pick] += money / len(picks)
        refused = {
            name: (received[name] + money - goals[name]) / money
            for name, money in inflow.items()
            if received[name] + money > goals[name]
        }
        for name, money in inflow.items():
            received[name] = goals[name] + Fraction() if name in refused else received[name] + money
        passes.append(sorted(refused))
        refusals.append(refused)
        full |= refused.keys()
        held = merged(
            (
                tuple(pick for pick in picks if pick not in full),
                money / len(picks) * sum(refused.get(pick, 0) for pick in picks),
            )
            for picks, money in held.items()
            if not refused.keys().isdisjoint(picks)
        )
    return Flow(received, passes, tuple(refusals))


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
    pools: Iterable[tuple[tuple[str, ...], Fraction]],
) -> dict[tuple[str, ...], Fraction]:
    """Add up pools of the same picks; money without a pick stays where it is."""
    found: dict[tuple[str, ...], Fraction] = {}
    for picks, money in pools:
        if picks and money:
            found[picks] = found.get(picks, Fraction()) + money
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
