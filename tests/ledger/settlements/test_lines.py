from datetime import date
from uuid import UUID

from hypothesis import given as for_all
from hypothesis import strategies as st

from ledger.giving import REGIMES, SOURCES
from ledger.settlements.lines import Line, Reach, csv_of, days_of, owed_of, parts_of

GIFT = Line(7, "gift", date(2026, 10, 2), date(2026, 10, 2), str(UUID(int=1)), "customer", None, 40)
BACK = Line(
    9, "reversal", date(2026, 10, 5), date(2026, 9, 30), str(UUID(int=2)), "shop", "own_money", -15
)

lines = st.lists(
    st.builds(
        Line,
        position=st.integers(1, 10_000),
        kind=st.just("gift"),
        day=st.dates(date(2026, 1, 1), date(2026, 3, 31)),
        given_on=st.just(date(2026, 1, 1)),
        donation_id=st.just(str(UUID(int=3))),
        source=st.sampled_from(SOURCES),
        regime=st.sampled_from([*REGIMES, None]),
        cents=st.integers(1, 10_000),
    )
    | st.builds(
        Line,
        position=st.integers(1, 10_000),
        kind=st.just("reversal"),
        day=st.dates(date(2026, 1, 1), date(2026, 3, 31)),
        given_on=st.just(date(2026, 1, 1)),
        donation_id=st.just(str(UUID(int=4))),
        source=st.sampled_from(SOURCES),
        regime=st.sampled_from([*REGIMES, None]),
        cents=st.integers(-10_000, -1),
    ),
    max_size=40,
)


def test_the_csv_is_the_agreed_one() -> None:
    assert csv_of([GIFT, BACK]).decode().splitlines() == [
        "position,kind,day,given_on,donation_id,source,regime,cents",
        "7,gift,2026-10-02,2026-10-02,00000000-0000-0000-0000-000000000001,customer,,40",
        "9,reversal,2026-10-05,2026-09-30,00000000-0000-0000-0000-000000000002,shop,own_money,-15",
    ]


@for_all(lines)
def test_no_cent_is_lost_in_a_sum(made: list[Line]) -> None:
    parts, days = parts_of(made), days_of(made)
    assert sum(one.given_cents - one.reversed_cents for one in parts) == owed_of(made)
    assert sum(one.cents for one in days) == owed_of(made)
    assert sum(one.gifts + one.reversals for one in parts) == len(made)
    assert [one.day for one in days] == sorted({one.day for one in made})
    assert len({(one.source, one.regime) for one in parts}) == len(parts)


@for_all(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 28)), min_size=1, max_size=6),
    st.integers(0, 60),
    st.integers(1, 28),
)
def test_a_line_is_on_one_statement_at_most(
    bounds: list[tuple[int, int]], position: int, day: int
) -> None:
    """Reaches that never shrink hold a line from one of them on, and for ever after."""
    through = last = 0
    holding = []
    for more_position, more_day in bounds:
        through, last = max(through, more_position), max(last, more_day)
        reach = Reach(through, date(2026, 1, last))
        holding.append(reach.holds(position, date(2026, 1, day)))
    assert holding == sorted(holding)
