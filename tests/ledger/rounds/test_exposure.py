"""What cutting a gift up could bring, measured as rounds count, held against playing it."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from ledger.rounds.count import Choice, Count
from ledger.rounds.exposure import Measured, measure
from ledger.rules.exposure import ATTACK_CENTS, PIECE_CENTS
from ledger.rules.rule import AnyRule, Directed, EqualShares, Greedy, Quadratic, Threshold
from ledger.rules.tally import tally
from tests.ledger.rounds.test_count import Gift, awards, counted
from tests.rounds import BIKES, CHOIR, SHADE

MATCHED: dict[str, Any] = {
    "sources": ["customer"],
    "last_on": date(2100, 1, 1),
    "matching": {"sponsor": "town", "cents_per_euro": 100, "cap_cents": 100_000},
}
HONEST: list[Gift] = [
    *[((BIKES,), 37)] * 60,
    *[((SHADE,), 44)] * 40,
    *[((BIKES, SHADE, CHOIR), 51)] * 2,
]


def told(count: Count) -> Measured | None:
    result = tally(count.election()[0], count.definition.parsed_rule)
    return measure(count, result, lambda _: None)


@pytest.mark.parametrize(
    "rule", [Quadratic(match_cap_percent=100), Greedy(), Threshold(supporters_min=90)]
)
def test_what_is_told_is_what_playing_it_brings(rule: AnyRule) -> None:
    terms: dict[str, Any] = {"goal_cents": 12_000, "pot": MATCHED}
    honest = counted(rule, HONEST, **terms)
    measured = told(honest)
    assert measured is not None
    before = awards(honest)
    for gain in measured.gains:
        picks = (UUID(gain.project_id),)
        small: list[Gift] = [(picks, PIECE_CENTS)] * (ATTACK_CENTS // PIECE_CENTS)
        for attack, brings in (([(picks, ATTACK_CENTS)], gain.whole), (small, gain.in_pieces)):
            played = awards(counted(rule, [*HONEST, *attack], **terms))
            assert played[gain.project_id] - before[gain.project_id] == brings
    assert awards(honest) == before


def test_by_purchase_the_pieces_stop_at_the_cap_of_a_shop() -> None:
    terms: dict[str, Any] = {"weight": "purchase", "purchases_per_partner_max": 7, "picks_max": 3}
    count = counted(EqualShares(), [], **terms)
    for picks, cents in HONEST:
        for shop in range(3):
            count.gift(cents, Choice(picks, "ballot"), UUID(int=shop + 1), attested=True)
    measured = told(count)
    assert measured is not None
    assert (measured.pieces, measured.capped) == (7, True)
    assert told(counted(Directed(), HONEST)) is None
