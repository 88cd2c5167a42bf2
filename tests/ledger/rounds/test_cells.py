from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ledger.rounds import cells as rounds_cells
from ledger.rounds.cells import Cell, Line, Picks, Published, add, coarsened, each_alone
from ledger.rules.ties import lot
from tests.rounds import BIKES, CHOIR, OVEN, SHADE

PROJECTS = (BIKES, SHADE, CHOIR, OVEN)
PICKS = st.sets(st.sampled_from(PROJECTS), min_size=1).map(lambda one: tuple(sorted(one)))
BALLOTS = st.lists(st.tuples(PICKS, st.integers(1, 10_000)), max_size=60)


def cells_of(ballots: list[tuple[Picks, int]]) -> dict[Picks, Cell]:
    cells: dict[Picks, Cell] = {}
    for picks, weight in ballots:
        add(cells, picks, weight)
    return cells


def drawn(picks: Picks) -> bytes:
    return lot("spring", *map(str, picks))


def split_up(cells: dict[Picks, Cell], least: int) -> Published:
    return rounds_cells.split_up(cells, least, drawn)


def kept_whole(cells: dict[Picks, Cell], least: int, coarse: int) -> Published:
    return rounds_cells.kept_whole(coarsened(cells, least, coarse), least)


def test_a_cell_is_evened() -> None:
    told = split_up(cells_of([((BIKES, SHADE), weight) for weight in (10, 20, 31)]), 3)
    both = (BIKES, SHADE)
    assert told.lines == (Line(both, 20), Line(both, 20), Line(both, 21))
    assert told.suppressed == 0


def test_where_sets_matter_a_rare_one_stays_whole_and_loses_its_last_cents() -> None:
    both = (BIKES, SHADE)
    told = kept_whole(cells_of([(both, 137), ((BIKES,), 30), ((BIKES,), 9)]), 3, 5)
    assert told.lines == (Line((BIKES,), 17), Line((BIKES,), 18), Line(both, 135))
    assert (told.ballots, told.suppressed) == (3, 3)
    several = kept_whole(cells_of([(both, weight) for weight in (10, 20, 31)]), 3, 5)
    assert sum(line.weight for line in several.lines) == 61
    assert several.suppressed == 0


def test_the_least_gift_keeps_its_vote() -> None:
    told = kept_whole(cells_of([((BIKES,), 1), ((SHADE,), 2), ((SHADE,), 2)]), 3, 5)
    assert told.lines == (Line((BIKES,), 1), Line((SHADE,), 1), Line((SHADE,), 1))


def test_a_project_that_one_ticket_chose_is_told_as_such() -> None:
    told = split_up(cells_of([((BIKES,), 137), *[((SHADE,), 10)] * 3]), 3)
    assert Line((BIKES,), 137) in told.lines
    assert told.suppressed == 1


@given(BALLOTS, st.integers(2, 5))
def test_a_set_kept_whole_keeps_its_ballots_and_all_but_four_of_its_cents(
    ballots: list[tuple[Picks, int]], least: int
) -> None:
    cells = cells_of(ballots)
    told = kept_whole(cells, least, 5)
    for picks, cell in cells.items():
        weights = [line.weight for line in told.lines if line.picks == picks]
        lost = cell.weight - sum(weights)
        assert len(weights) == cell.ballots
        assert 0 <= lost <= (4 if cell.ballots < least else 0)
        assert max(weights) - min(weights) <= 1
    assert told.suppressed == sum(one.ballots for one in cells.values() if one.ballots < least)


def test_a_rare_set_is_split_and_joins_those_who_picked_one() -> None:
    told = split_up(cells_of([((BIKES, SHADE), 10), ((BIKES,), 31)]), 3)
    assert told.lines == (Line((BIKES,), 18), Line((BIKES,), 18), Line((SHADE,), 5))
    assert (told.ballots, told.suppressed) == (2, 2)


@given(BALLOTS, st.integers(2, 5))
def test_no_weight_is_lost_and_no_rare_set_is_published(
    ballots: list[tuple[Picks, int]], least: int
) -> None:
    told = split_up(cells_of(ballots), least)
    assert sum(line.weight for line in told.lines) == sum(weight for _, weight in ballots)
    sets: dict[Picks, int] = {}
    for line in told.lines:
        assert line.weight > 0
        sets[line.picks] = sets.get(line.picks, 0) + 1
    assert all(count >= least for picks, count in sets.items() if len(picks) > 1)


@given(BALLOTS)
def test_the_order_of_ballots_is_irrelevant(ballots: list[tuple[Picks, int]]) -> None:
    turned = ballots[::-1]
    assert split_up(cells_of(ballots), 3) == split_up(cells_of(turned), 3)


@given(BALLOTS)
def test_a_project_keeps_every_ballot_that_picked_it_but_for_shares_of_nothing(
    ballots: list[tuple[Picks, int]],
) -> None:
    told = split_up(cells_of([(picks, 100 * weight) for picks, weight in ballots]), 3)

    def named(picks_of: list[Picks], project: UUID) -> int:
        return sum(project in picks for picks in picks_of)

    for project in PROJECTS:
        before = named([picks for picks, _ in ballots], project)
        assert named([line.picks for line in told.lines], project) == before


def test_a_cent_that_cannot_be_shared_falls_by_lot_not_to_the_lowest_id() -> None:
    lucky = set()
    for number in range(20):

        def by_lot(picks: Picks, round_id: str = str(number)) -> bytes:
            return lot(round_id, *map(str, picks))

        told = rounds_cells.split_up(cells_of([((BIKES, SHADE), 11)]), 3, by_lot)
        first = min((BIKES,), (SHADE,), key=by_lot)
        assert Line(first, 6) in told.lines
        lucky.add(first)
    assert len(lucky) == 2


@given(BALLOTS, st.integers(2, 5))
def test_gifts_that_count_alone_are_never_evened(
    ballots: list[tuple[Picks, int]], least: int
) -> None:
    graded: dict[Line, int] = {}
    for picks, weight in ballots:
        line = Line(picks, weight)
        graded[line] = graded.get(line, 0) + 1
    told = each_alone(graded, least)
    assert list(told.lines) == sorted(Line(picks, weight) for picks, weight in ballots)
    assert told.suppressed == kept_whole(cells_of(ballots), least, 1).suppressed
