"""A round that cannot be counted: the try is recorded, shown, and needed to cancel it."""

from collections.abc import Callable

import pytest

from api.counting import BEGIN, Counting
from api.tally import tally_round
from ledger.decider import Refused
from ledger.rounds.commands import CountImpossible
from ledger.rounds.state import Cancelled, Closed, Tallied
from ledger.rules.election import AmountOutOfBounds
from tests.api import round_office
from tests.api.round_office import Office, done, state_of
from tests.api.shops import Shop

office = round_office.office
WHY = {"reason": "count_impossible"}


def failing(failure: Exception) -> Callable[..., None]:
    def fails(*_: object) -> None:
        raise failure

    return fails


def test_a_round_that_nobody_tried_to_count_is_not_cancelled(office: Office, shop: Shop) -> None:
    round_id = office.opened()
    office.votes(shop, round_id, 6)
    office.closes(round_id)
    here = f"/office/rounds/{round_id}"
    assert "/cancellation" not in office.first.get(here).text
    office.says(office.first.post(f"{here}/cancellation", WHY), "was tried, and failed")
    office.counts(round_id)
    assert isinstance(state_of(office.served, round_id), Tallied)


# Whatever numbers do to a count, they do it again.
@pytest.mark.parametrize(
    "failure",
    [AmountOutOfBounds(0), ValueError("Exceeds the limit for integer string conversion")],
)
def test_two_cancel_what_was_tried_in_vain(
    office: Office, shop: Shop, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    round_id, context = office.opened(), office.served.context
    office.votes(shop, round_id, 6)
    office.closes(round_id)
    here, why = f"/office/rounds/{round_id}", type(failure).__name__
    monkeypatch.setattr("api.tally.count_election", failing(failure))
    for _ in range(2):
        with pytest.raises(CountImpossible) as refused:
            tally_round(context, round_id, "console:a")
        assert refused.value.fields["why"] == why
    known = state_of(office.served, round_id)
    assert isinstance(known, Closed)
    assert known.failed is not None
    assert known.failed.why == why
    page = office.first.get(here).text
    assert f"It could not be counted: {why}." in page
    for browser in (office.first, office.first, office.second):
        done(browser.post(f"{here}/cancellation", WHY))
    assert isinstance(state_of(office.served, round_id), Cancelled)
    office.follow()
    assert "A count of a round could not be made." in office.officer.get("/journal").text


def test_an_outage_is_no_failure_of_the_ballots(
    office: Office, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_id, context = office.opened(), office.served.context
    office.votes(shop, round_id, 6)
    office.closes(round_id)
    monkeypatch.setattr("api.tally.count_election", failing(Refused()))
    with context.pool.connection() as connection:
        connection.execute(BEGIN, {"round_id": round_id, "total": 9})
    Counting(context, round_id, "clock").run()
    known = state_of(office.served, round_id)
    assert isinstance(known, Closed)
    assert known.failed is None
