"""A round from its draft to its grants through the office's forms; and every way to misuse them."""

import re
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api import round_steps
from api.round_form import parameters
from ledger.projects.state import Drafted
from ledger.rounds import round_
from ledger.rounds.definition import Definition
from ledger.rounds.state import Adopted, Opened
from ledger.rounds.state import Drafted as DraftedRound
from tests.api import round_office
from tests.api.people import browser_of
from tests.api.round_office import Office, done, ended, state_of
from tests.api.served import Served
from tests.api.shops import Shop

office = round_office.office


def test_a_round_goes_its_whole_way(office: Office, shop: Shop) -> None:
    round_id = office.opened(sponsor="moulins", cents_per_euro="100", cap="10")
    page = f"/rounds/{round_id}"
    before = office.served.client.get(page, headers={"Accept-Language": "en"}).text
    known = state_of(office.served, round_id)
    assert isinstance(known, Opened)
    assert known.definition.sha256 in before
    assert "Vote until" in before
    office.votes(shop, round_id)
    office.closes(round_id)
    result = office.counts(round_id)
    told = office.served.client.get(f"/api/v1/rounds/{round_id}").json()["tally"]
    assert told["matched_cents"] == min(1_000, told["voted_cents"])
    office.adopts(round_id, result)
    adopted = state_of(office.served, round_id)
    assert isinstance(adopted, Adopted)
    assert adopted.withheld == ()
    granted = 0
    for one in office.projects:
        state = round_steps.project_of(office.served.context, one)
        assert isinstance(state, Drafted)
        assert state.rounds == ()
        granted += state.granted_cents
    assert granted == sum(award["cents"] for award in told["awards"])
    after = office.served.client.get(page, headers={"Accept-Language": "en"}).text
    assert result in after
    assert f"donpositif recount {office.served.context.settings.public_url}{page}/files" in after
    for one in office.projects:
        trace = office.served.client.get(f"{page}/projects/{one}")
        assert trace.status_code == httpx.codes.OK
        assert page in office.served.client.get(f"/projects/{one}").text
    history = office.officer.get(f"/office/rounds/{round_id}").text
    assert "Grants made." in history


def test_what_is_frozen_is_published_before_the_round_opens(office: Office) -> None:
    round_id = office.drafted(
        rule="greedy", **{"greedy.by": "weight", "greedy.misfit": "skip", "greedy.support_min": "1"}
    )
    known = state_of(office.served, round_id)
    assert isinstance(known, DraftedRound)
    files = f"/rounds/{round_id}/files"
    frozen = office.served.client.get(f"{files}/definition.json")
    assert Definition.model_validate_json(frozen.content).sha256 == known.definition.sha256
    rule = office.served.client.get(f"{files}/rule.json")
    assert rule.content == known.definition.parsed_rule.canonical()
    assert office.served.client.get(f"{files}/result.json").status_code == httpx.codes.NOT_FOUND
    form = office.officer.get(f"/office/rounds/{round_id}/draft").text
    assert 'value="Printemps"' in form
    assert re.search(r'value="greedy" checked', form)


@pytest.mark.parametrize(
    "rule", ["equal_shares", "greedy", "proportional", "threshold", "quadratic"]
)
def test_every_rule_can_be_drafted_with_its_defaults(office: Office, shop: Shop, rule: str) -> None:
    typed = {f"{rule}.{one.name}": one.default for one in parameters(rule)}
    round_id = office.opened(rule=rule, **typed)
    office.votes(shop, round_id, 12)
    office.closes(round_id)
    office.counts(round_id)
    page = office.served.client.get(f"/rounds/{round_id}", headers={"Accept-Language": "en"}).text
    exposed = rule in {"greedy", "threshold", "quadratic"}
    assert ("Could somebody have cheated?" in page) is exposed
    for one in office.projects:
        trace = office.served.client.get(f"/rounds/{round_id}/projects/{one}")
        assert trace.status_code == httpx.codes.OK


def test_one_vote_a_purchase_tells_its_exposure(office: Office, shop: Shop) -> None:
    typed = {f"equal_shares.{one.name}": one.default for one in parameters("equal_shares")}
    typed |= {"weight": "purchase", "purchases_per_partner_max": "50"}
    round_id = office.opened(rule="equal_shares", **typed)
    office.votes(shop, round_id)
    office.closes(round_id)
    office.counts(round_id)
    told = office.served.client.get(f"/rounds/{round_id}/files/exposure.json").json()
    twin = office.served.client.get(f"/api/v1/rounds/{round_id}").json()
    assert "exposure.json" in twin["files"]
    assert (told["capped"], told["pieces"]) == (True, 50)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"project": []}, "Choose at least one project"),
        ({"sources": []}, "Say which gifts"),
        ({"first_on": "2030-02-01"}, "comes before the first"),
        ({"picks_invited": "2"}, "Invite at least three"),
        ({"picks_max": "2"}, "Invite at least three"),
        ({"weight": "purchase", "purchases_per_partner_max": "3"}, "moves the cents"),
        ({"title": ""}, "not of its form: title"),
        ({"rule": "guess"}, "not of its form: rule"),
        ({"rule": "threshold", "threshold.supporters_min": "0"}, "threshold.supporters_min"),
        ({"closes_time": "noon"}, "not of its form: closes_time"),
        ({"closes_time": "20:00+05:00"}, "not of its form: closes_time"),
        ({"closes_on": "0001-01-01"}, "not of its form: closes_on"),
        ({"closes_on": "9999-12-31"}, "not of its form: closes_on"),
        ({"closes_on": "2020-01-01"}, "The deadline has passed"),
        ({"first_on": "0001-01-01"}, "not of its form: first_on"),
        ({"last_on": "9999-12-31"}, "not of its form: last_on"),
        ({"title": "Printemps\0"}, "not of its form: title"),
        ({"title": "Print\x1b[31memps"}, "not of its form: title"),
        ({"title": "Prin\u202esptmet"}, "not of its form: title"),
        ({"unused": "mine"}, "not of its form: unused"),
        ({"sponsor": "Moulins & Co", "cents_per_euro": "1", "cap": "1"}, "not of its form: pot"),
    ],
)
def test_a_form_filled_wrongly_is_shown_again(
    office: Office, changes: dict[str, Any], words: str
) -> None:
    if changes.get("rule") == "threshold":
        changes = changes | {"threshold.share_percent": "100"}
    answer = office.drafts(**changes)
    office.says(answer, words, httpx.codes.UNPROCESSABLE_ENTITY)
    if "title" not in changes:
        assert 'value="Printemps"' in answer.text


def test_two_forms_draft_two_rounds_and_one_sent_twice_drafts_one(office: Office) -> None:
    forms = [office.officer.get("/office/rounds/new").headers["location"] for _ in range(2)]
    for number, form in enumerate([*forms, forms[0]]):
        assert office.officer.get(form).status_code == httpx.codes.OK
        done(office.officer.post(form, office.fields(title=f"Printemps {number % 2}")))
    office.follow()
    listed = office.officer.get("/office/rounds").text
    assert [listed.count(f"Printemps {number}") for number in range(2)] == [1, 1]
    drafts = [
        office.served.context.ledger.history(round_, UUID(one.split("/")[3])) for one in forms
    ]
    assert [len(history) for history in drafts] == [1, 1]


def test_only_two_others_approve_what_they_read(office: Office, served: Served) -> None:
    both = browser_of(served, "officer", "committee")
    round_id = uuid4()
    done(both.post(f"/office/rounds/{round_id}/draft", office.fields()))
    office.follow()
    forbidden = httpx.codes.FORBIDDEN
    office.says(office.approves(both, round_id), "two others approve it", forbidden)
    office.says(office.approves(office.first, round_id, "0" * 64), "Read it again")
    done(office.approves(office.first, round_id))
    done(office.approves(office.first, round_id))
    opening = f"/office/rounds/{round_id}/opening"
    office.says(office.officer.post(opening), "must approve the definition first")
    done(office.approves(office.second, round_id))
    done(office.drafts(round_id, title="Été"))
    office.says(office.officer.post(opening), "must approve the definition first")
    for browser in (office.first, office.second):
        done(office.approves(browser, round_id))
    done(office.officer.post(opening))
    office.says(office.drafts(round_id, title="Automne"), "its definition stays")


def test_a_round_opens_only_on_projects_as_they_are(office: Office, served: Served) -> None:
    round_id = office.drafted()
    for browser in (office.first, office.second):
        done(office.approves(browser, round_id))
    ended(served, office.projects[0])
    answer = office.officer.post(f"/office/rounds/{round_id}/opening")
    office.says(answer, "cannot enter a round any more")
    assert isinstance(state_of(served, round_id), DraftedRound)


def test_two_open_rounds_are_not_about_the_same_gifts(office: Office) -> None:
    office.opened()
    round_id = office.drafted()
    for browser in (office.first, office.second):
        done(office.approves(browser, round_id))
    answer = office.officer.post(f"/office/rounds/{round_id}/opening")
    office.says(answer, "some of the same gifts")


def test_pages_of_rounds_that_are_not_there(office: Office) -> None:
    nowhere = uuid4()
    client = office.served.client
    for path in (f"/rounds/{nowhere}", "/rounds/x", f"/rounds/{nowhere}/projects/{nowhere}"):
        assert client.get(path).status_code == httpx.codes.NOT_FOUND
    assert client.get("/rules/guess").status_code == httpx.codes.NOT_FOUND
    assert office.officer.get(f"/office/rounds/{nowhere}").status_code == httpx.codes.NOT_FOUND
    answer = office.officer.post(f"/office/rounds/{nowhere}/opening")
    assert answer.status_code == httpx.codes.NOT_FOUND
