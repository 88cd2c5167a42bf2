"""Rounds that do not go their way: a result sent back, a round cancelled, a project that ends."""

from uuid import UUID

import httpx
import pytest

from api import round_steps
from api.counting import BEGIN, Counting
from ledger.projects.state import Drafted
from ledger.rounds.state import Adopted, Cancelled, Closed, Opened
from ledger.rules.election import AmountOutOfBounds
from tests.api import round_office
from tests.api.round_office import Office, done, ended, state_of
from tests.api.shops import Shop

office = round_office.office


def test_a_result_is_sent_back_in_public_words_and_counted_again(
    office: Office, shop: Shop
) -> None:
    round_id = office.opened()
    office.votes(shop, round_id)
    office.closes(round_id)
    result, here = office.counts(round_id), f"/office/rounds/{round_id}"
    returned = {"result_sha256": result, "reason": "gifts_wrong"}
    wordless = office.first.post(f"{here}/return", returned)
    office.says(wordless, "not of its form: words", httpx.codes.UNPROCESSABLE_ENTITY)
    done(office.first.post(f"{here}/return", returned | {"words": "Une caisse manque."}))
    office.follow()
    page = office.served.client.get(f"/rounds/{round_id}").text
    assert "Une caisse manque." in page
    assert result not in page
    adoption = office.second.post(f"{here}/adoption", {"result_sha256": result})
    office.says(adoption, "does not wait for a decision")
    strike = {"project": str(office.projects[0]), "reason": "withdrawn"}
    office.says(office.officer.post(f"{here}/strike", strike), "its definition stays")
    assert office.counts(round_id) == result
    office.says(office.officer.post(f"{here}/count"), "There is a result already")
    office.adopts(round_id, result)


def test_a_round_that_cannot_be_counted_is_cancelled_by_two(
    office: Office, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_id = office.opened()
    office.votes(shop, round_id, 6)
    office.closes(round_id)
    here, context = f"/office/rounds/{round_id}", office.served.context

    def impossible(*_: object) -> None:
        raise AmountOutOfBounds(0)

    monkeypatch.setattr("api.tally.count_election", impossible)
    with context.pool.connection() as connection:
        connection.execute(BEGIN, {"round_id": round_id, "total": 9})
    Counting(context, round_id, "clock").run()
    page = office.first.get(here).text
    assert "Two members of the committee may cancel the round." in page
    assert 'value="count_impossible"' in page
    assert 'value="irregular"' not in page
    for browser in (office.first, office.second):
        done(browser.post(f"{here}/cancellation", {"reason": "count_impossible"}))
    assert isinstance(state_of(office.served, round_id), Cancelled)


def test_a_round_sent_back_may_be_cancelled_by_two(office: Office, shop: Shop) -> None:
    round_id = office.opened()
    office.votes(shop, round_id, 6)
    office.closes(round_id)
    result, here = office.counts(round_id), f"/office/rounds/{round_id}"
    words = {"result_sha256": result, "reason": "program_wrong", "words": "Erreur."}
    done(office.first.post(f"{here}/return", words))
    for browser in (office.first, office.first):
        done(browser.post(f"{here}/cancellation", {"reason": "irregular"}))
    assert isinstance(state_of(office.served, round_id), Closed)
    done(office.second.post(f"{here}/cancellation", {"reason": "irregular"}))
    assert isinstance(state_of(office.served, round_id), Cancelled)
    for one in office.projects:
        state = round_steps.project_of(office.served.context, one)
        assert isinstance(state, Drafted)
        assert state.rounds == ()
    # Its gifts are free again for the next round, as it declared.
    again = office.opened()
    office.closes(again)
    office.counts(again)
    told = office.served.client.get(f"/api/v1/rounds/{again}").json()["tally"]
    assert told["unused_gifts"] == 6


@pytest.mark.parametrize("declared", ["other_picks", "next_round"])
def test_a_project_that_dies_follows_the_declared_rule(
    office: Office, shop: Shop, declared: str
) -> None:
    round_id = office.opened(dead_project=declared)
    office.votes(shop, round_id)
    dead = office.projects[0]
    ended(office.served, dead)
    office.closes(round_id)
    known = state_of(office.served, round_id)
    assert isinstance(known, Closed)
    assert known.struck == (dead,)
    result = office.counts(round_id)
    office.adopts(round_id, result)
    told = office.served.client.get(f"/api/v1/rounds/{round_id}").json()["tally"]
    given = sum(award["cents"] for award in told["awards"])
    assert dead not in {UUID(award["project_id"]) for award in told["awards"]}
    assert given + told["next_round_cents"] == told["pot_cents"]
    assert (told["next_round_cents"] > 0) is (declared == "next_round")


def test_what_was_meant_for_a_project_that_ended_after_the_count_is_carried(
    office: Office, shop: Shop
) -> None:
    round_id = office.opened()
    office.votes(shop, round_id)
    office.closes(round_id)
    result = office.counts(round_id)
    ended(office.served, office.projects[0])
    office.adopts(round_id, result)
    adopted = state_of(office.served, round_id)
    assert isinstance(adopted, Adopted)
    assert adopted.withheld is not None
    assert [one.project_id for one in adopted.withheld] == [office.projects[0]]
    page = office.served.client.get(f"/rounds/{round_id}", headers={"Accept-Language": "en"}).text
    assert "It ended before it was paid" in page
    told = office.served.client.get(f"/api/v1/rounds/{round_id}").json()
    (kept_back,) = adopted.withheld
    (withheld,) = told["withheld"]
    assert (withheld["project_id"], withheld["cents"]) == (
        str(kept_back.project_id),
        kept_back.cents,
    )
    assert told["next_round_cents"] == adopted.left_cents
    assert told["carried_to"] is None
    for name in told["files"]:
        file = office.served.client.get(f"/rounds/{round_id}/files/{name}")
        assert file.status_code == httpx.codes.OK
    assert {"definition.json", "rule.json", "round.json"} <= set(told["files"])
    office.follow()
    kept = {"project": [str(one) for one in office.projects[1:]], "carried": [str(round_id)]}
    again = office.opened(**kept)
    known = state_of(office.served, again)
    assert isinstance(known, Opened)
    assert [one.cents for one in known.definition.pot.carried] == [adopted.left_cents]
