"""How money flows along picks, held against the same flow in exact fractions."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from ledger.rules.election import Ballot, Election, Project
from ledger.rules.flows import GRAINS, along_picks
from ledger.rules.rule import Directed
from ledger.rules.tally import tally

Pool = tuple[tuple[str, ...], Fraction]
NAMES = ("bikes", "choir", "garden", "oven", "shade")


def exactly(pools: Iterable[Pool], goals: Mapping[str, int]) -> dict[str, Fraction]:
    """Say plainly what the flow is: split, and send back what passes a goal."""
    received = dict.fromkeys(goals, Fraction())
    held, full = list(pools), set[str]()
    while held:
        shares = [(pick, picks, money / len(picks)) for picks, money in held for pick in picks]
        inflow = dict.fromkeys(goals, Fraction())
        for pick, _, money in shares:
            inflow[pick] += money
        back = {one: max(received[one] + inflow[one] - goals[one], Fraction()) for one in goals}
        received = {one: received[one] + inflow[one] - back[one] for one in goals}
        full |= {one for one, money in back.items() if money}
        held = [
            (rest, money * back[pick] / inflow[pick])
            for pick, picks, money in shares
            if back[pick] and (rest := tuple(one for one in picks if one not in full))
        ]
    return received


@st.composite
def flows(draw: st.DrawFn) -> tuple[list[Pool], dict[str, int]]:
    picks = st.lists(st.sampled_from(NAMES), min_size=1, unique=True).map(sorted).map(tuple)
    cents = st.integers(1, 500).map(Fraction)
    pools = draw(st.lists(st.tuples(picks, cents), max_size=8))
    goals = draw(st.lists(st.integers(1, 1_500), min_size=5, max_size=5))
    return pools, dict(zip(NAMES, goals, strict=True))


@given(flows())
def test_grains_differ_from_exact_fractions_by_next_to_nothing(
    flow: tuple[list[Pool], dict[str, int]],
) -> None:
    pools, goals = flow
    found = along_picks(pools, goals)
    for name, share in exactly(pools, goals).items():
        assert abs(found.received[name] - share) < Fraction(1, 10**9)
        assert found.received[name] <= goals[name]
    if not any(found.passes):
        assert found.received == exactly(pools, goals)


def test_many_full_projects_make_no_endless_numbers() -> None:
    dice = Random(5)
    names = [f"p{number:02}" for number in range(50)]
    sets = [tuple(sorted(dice.sample(names, dice.randint(2, 10)))) for _ in range(300)]
    ballots = tuple(Ballot(picks, dice.randint(5, 900)) for picks in sets for _ in range(3))
    projects = tuple(Project(name, dice.randint(500, 12_000)) for name in names)
    election = Election("spring", sum(one.weight for one in ballots), projects, ballots)
    result = tally(election, Directed())
    exact = result.trace[-1]["exact"]
    assert len([step for step in result.trace if step.get("full")]) > 1
    assert max(map(len, exact.values())) <= 2 * len(str(GRAINS)) + 10
