"""A purchase weighs as much as splits evenly over its picks: what it rises by is said of that."""

import re
from typing import Any

import httpx
import pytest

from api.round_form import parameters
from tests.api import round_office
from tests.api.round_office import Office
from tests.rounds import definition

office = round_office.office


@pytest.mark.parametrize(("picks_max", "weight"), [(3, 6), (4, 12), (5, 60), (10, 2_520)])
def test_a_purchase_splits_evenly_over_any_number_of_picks(picks_max: int, weight: int) -> None:
    assert definition(picks_max=picks_max).purchase_weight == weight


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "by €0.01 for each €0.10 given"),
        ({"weight": "purchase"}, "by €0.06 for 10 purchases"),
    ],
)
def test_the_page_says_by_how_much_a_purchase_rises(
    office: Office, changes: dict[str, str], words: str
) -> None:
    typed = {f"equal_shares.{one.name}": one.default for one in parameters("equal_shares")}
    typed |= {"equal_shares.completion": "add1", "equal_shares.increment_per": "10"}
    typed |= {"purchases_per_partner_max": "9", **changes}
    round_id = office.drafted(rule="equal_shares", **typed)
    for path in (f"/rounds/{round_id}", f"/office/rounds/{round_id}"):
        page = " ".join(re.sub(r"<[^>]+>", " ", office.officer.get(path).text).split())
        assert words in page, page


def test_a_purchase_is_one_vote_and_no_weight(office: Office) -> None:
    """A least support of 20 would else be three purchases and a third."""
    typed: dict[str, Any] = {
        "greedy.by": "weight",
        "greedy.misfit": "skip",
        "greedy.support_min": "20",
    }
    typed |= {"weight": "purchase", "purchases_per_partner_max": "9"}
    answer = office.drafts(rule="greedy", **typed)
    office.says(answer, "support is measured by ballots", httpx.codes.UNPROCESSABLE_ENTITY)
    office.drafted(rule="greedy", **typed | {"greedy.by": "votes"})
