"""A round from its draft to its grants through the office's forms; and every way to misuse them."""

import random
import re
import threading
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api import clock, counting, round_steps, wordings
from api.counting import BEGIN, Counting
from api.round_form import parameters
from ledger.ballots import CastBallot, ballot, ballot_id_of
from ledger.calendar import VILLAGE
from ledger.donations import donation
from ledger.projects.project_events import (
    AbandonProject,
    AgreeToAbandon,
    DraftProject,
    PublishProject,
    WriteSheet,
)
from ledger.projects.projects import project
from ledger.projects.sheet import PlannedMilestone, Sheet
from ledger.projects.state import Drafted
from ledger.rounds import round_
from ledger.rounds.definition import Definition
from ledger.rounds.life import CLOSE_AFTER
from ledger.rounds.state import Adopted, AnyRound, Cancelled, Closed, Opened
from ledger.rounds.state import Drafted as DraftedRound
from ledger.rules.election import AmountOutOfBounds
from projections.every import READ_MODELS
from projections.follow import catch_up
from projections.open_rounds import terms_of
from tests.api.people import Browser, browser_of
from tests.api.served import Served
from tests.api.shops import Shop
from tests.ledger.processes import eventually
from tests.projections.village import a_gift
from tests.rounds import open_round

GOAL_CENTS = 5_000
TOMORROW = (datetime.now(VILLAGE) + timedelta(days=1)).date()
ANNE = f"account:{UUID(int=11)}"

DOCUMENT: dict[str, Any] = {
    "summary": "En une phrase.",
    "text": "En mots simples.",
    "carrier": "Association des Quais",
    "beneficiary": "Les passants",
    "payee": "Association des Quais",
    "lines": [{"label": "Bois", "cents": GOAL_CENTS}],
    "milestones": [{"key": "m1", "title": "Posé", "indicator": "Vu"}],
    "pictures": [],
    "responsible_named": False,
}


def published_project(served: Served, title: str) -> UUID:
    """Publish a project that asks for fifty euros."""
    project_id, at = uuid4(), datetime.now(UTC)
    with served.context.pool.connection() as connection:
        digest = wordings.keep_document(connection, DOCUMENT | {"title": title})
    sheet = Sheet(
        document_sha256=digest,
        theme="water",
        place="le-thor",
        territory_version=1,
        goal_cents=GOAL_CENTS,
        line_cents=(GOAL_CENTS,),
        carrier_id=UUID(int=21),
        beneficiary_id=UUID(int=22),
        payee_id=UUID(int=23),
        responsible_id=UUID(int=24),
        milestones=(PlannedMilestone(key="m1", due_on=date(2030, 4, 1)),),
        if_abandoned="next_round",
    )
    known: dict[str, Any] = {"at": at, "actor": ANNE, "project_id": project_id}
    for command in (
        DraftProject(idea_ids=(uuid4(),), **known),
        WriteSheet(sheet=sheet, **known),
        PublishProject(**known),
    ):
        served.context.ledger.handle(project, project_id, command)
    return project_id


def ended(served: Served, project_id: UUID) -> None:
    """Abandon a project, by two people where a round is about it."""
    asked: dict[str, Any] = {"at": datetime.now(UTC), "words_sha256": "a" * 64}
    first = AbandonProject(actor=ANNE, project_id=project_id, **asked)
    served.context.ledger.handle(project, project_id, first)
    second = AgreeToAbandon(actor=f"account:{UUID(int=12)}", project_id=project_id, **asked)
    served.context.ledger.handle(project, project_id, second)


def state_of(served: Served, round_id: UUID) -> AnyRound:
    return round_steps.round_of(served.context, round_id)


@dataclass(frozen=True, slots=True)
class Office:
    """An officer, two members of the committee and four projects."""

    served: Served
    conninfo: str
    officer: Browser
    first: Browser
    second: Browser
    projects: tuple[UUID, ...]

    def follow(self) -> None:
        catch_up(self.conninfo, READ_MODELS)

    def fields(self, **changes: Any) -> dict[str, Any]:
        """What an officer types for a plain round."""
        return {
            "title": "Printemps",
            "project": [str(one) for one in self.projects],
            "sources": ["customer"],
            "last_on": "2030-01-01",
            "rule": "directed",
            "weight": "cents",
            "picks_invited": "3",
            "picks_max": "3",
            "changeable": "yes",
            "tallies": "sealed",
            "unused": "follow_result",
            "excess": "next_round",
            "dead_project": "other_picks",
            "cancelled": "next_round",
            "closes_on": TOMORROW.isoformat(),
            "closes_time": "20:00",
            "small_cell_min": "3",
            **changes,
        }

    def drafts(self, round_id: UUID | None = None, **changes: Any) -> httpx.Response:
        path = f"/office/rounds/{round_id or uuid4()}/draft"
        return self.officer.post(path, self.fields(**changes))

    def drafted(self, **changes: Any) -> UUID:
        answer = self.drafts(**changes)
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
        self.follow()
        return UUID(answer.headers["location"].rsplit("/", 1)[1].partition("?")[0])

    def approves(self, browser: Browser, round_id: UUID, sha256: str = "") -> httpx.Response:
        known = state_of(self.served, round_id)
        assert isinstance(known, DraftedRound)
        digest = {"definition_sha256": sha256 or known.definition.sha256}
        return browser.post(f"/office/rounds/{round_id}/approval", digest)

    def opened(self, **changes: Any) -> UUID:
        round_id = self.drafted(**changes)
        for browser in (self.first, self.second):
            done(self.approves(browser, round_id))
        done(self.officer.post(f"/office/rounds/{round_id}/opening"))
        self.follow()
        return round_id

    def votes(self, shop: Shop, round_id: UUID, gifts: int = 30, most: int = 3) -> None:
        """Record gifts of customers, and a ballot for two in three of them."""
        dice = random.Random(7)
        context, known = self.served.context, state_of(self.served, round_id)
        assert isinstance(known, Opened)
        terms = terms_of(known.definition, known)
        for number in range(gifts):
            given = a_gift(shop, dice).model_copy(update={"source": "customer"})
            context.ledger.handle(donation, given.donation_id, given)
            if number % 3 == 2:
                continue
            choices = [one for one in self.projects if one in terms.project_ids]
            key = context.keyring.tickets
            ballot_id = ballot_id_of(key, round_id, given.donation_id)
            cast = CastBallot(
                at=given.at,
                actor="public",
                ballot_id=ballot_id,
                donation_id=given.donation_id,
                terms=terms,
                picks=tuple(dice.sample(choices, dice.randint(1, most))),
                channel="web",
            )
            context.ledger.handle(ballot, ballot_id, cast)

    def closes(self, round_id: UUID) -> None:
        """Let the clock come to the deadline."""
        known = state_of(self.served, round_id)
        assert isinstance(known, Opened)
        at = known.definition.closes_at + CLOSE_AFTER
        round_steps.close(self.served.context, "clock", round_id, at)
        self.follow()

    def counts(self, round_id: UUID) -> str:
        """Have a round counted; a busy machine may take longer than the office waits for it."""
        done(self.officer.post(f"/office/rounds/{round_id}/count"))
        eventually(lambda: self.tally_of(round_id) is not None)
        return str((self.tally_of(round_id) or {})["result_sha256"])

    def tally_of(self, round_id: UUID) -> dict[str, object] | None:
        self.follow()
        told: dict[str, object] | None
        told = self.served.client.get(f"/api/v1/rounds/{round_id}").json()["tally"]
        return told

    def adopts(self, round_id: UUID, result: str) -> None:
        for browser in (self.first, self.second):
            path = f"/office/rounds/{round_id}/adoption"
            done(browser.post(path, {"result_sha256": result}))
        self.follow()

    def says(self, answer: httpx.Response, words: str, status: int = httpx.codes.CONFLICT) -> None:
        assert (answer.status_code, words in answer.text) == (status, True), answer.text


@pytest.fixture
def office(served: Served, conninfo: str) -> Office:
    catch_up(conninfo, READ_MODELS)
    projects = tuple(
        published_project(served, name) for name in ("Vélos", "Ombre", "Chœur", "Four")
    )
    catch_up(conninfo, READ_MODELS)
    officer, first, second = (
        browser_of(served, role) for role in ("officer", "committee", "committee")
    )
    return Office(served, conninfo, officer, first, second, projects)


def done(answer: httpx.Response) -> None:
    assert answer.status_code == httpx.codes.SEE_OTHER, answer.text


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


def test_nobody_closes_or_counts_too_early(office: Office, shop: Shop) -> None:
    round_id = office.opened()
    here = f"/office/rounds/{round_id}"
    office.says(office.officer.post(f"{here}/close"), "never closed before its deadline")
    office.says(office.officer.post(f"{here}/count"), "Only a round that is closed")
    cancel = office.first.post(f"{here}/cancellation", {"reason": "irregular"})
    office.says(cancel, "cancelled before it opens")
    result = {"result_sha256": "0" * 64}
    office.says(office.first.post(f"{here}/adoption", result), "does not wait for a decision")
    office.says(office.officer.post(f"{here}/awards"), "not adopted yet")


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
        done(browser.post(f"{here}/cancellation", {"reason": "count_impossible"}))
    assert isinstance(state_of(office.served, round_id), Closed)
    done(office.second.post(f"{here}/cancellation", {"reason": "count_impossible"}))
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


def test_a_count_under_way_shows_how_far_it_is_and_a_dead_one_begins_again(
    office: Office, shop: Shop
) -> None:
    round_id = office.opened()
    office.votes(shop, round_id, 6)
    office.closes(round_id)
    here = f"/office/rounds/{round_id}"
    with office.served.context.pool.connection() as connection:
        connection.execute(counting.BEGIN, {"round_id": round_id, "total": 90})
        moved = {"round_id": round_id, "done": 30, "failed": None}
        connection.execute(counting.MOVE, moved)
    assert "30 of 90 entries read" in office.officer.get(here).text
    done(office.officer.post(f"{here}/count"))
    assert isinstance(state_of(office.served, round_id), Closed)
    with office.served.context.pool.connection() as connection:
        connection.execute("UPDATE round_count SET moved_at = now() - interval '2 minutes'")
    assert "A count stopped before its end" in office.officer.get(here).text
    office.counts(round_id)


def test_a_count_runs_in_a_process_of_its_own(
    office: Office, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def here(*_: object) -> None:
        raise AssertionError("counted where voters wait")

    monkeypatch.setattr(counting, "tally_round", here)
    round_id = office.opened()
    office.votes(shop, round_id, 6)
    office.closes(round_id)
    office.counts(round_id)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"rule": "directed"}, "published whole, its cents rounded down"),
        ({"rule": "quadratic"}, "its cents rounded down to a multiple of 5"),
        (
            {"rule": "greedy", "greedy.by": "weight", "greedy.misfit": "skip"},
            "published whole, its cents rounded down",
        ),
    ],
)
def test_the_page_says_how_rare_choices_were_published(
    office: Office, shop: Shop, rule: dict[str, Any], words: str
) -> None:
    more = {
        "greedy": {"greedy.support_min": "1"},
        "quadratic": {"quadratic.match_cap_percent": "30"},
    }
    round_id = office.opened(**rule, **more.get(rule["rule"], {}))
    office.votes(shop, round_id, 9)
    office.closes(round_id)
    office.counts(round_id)
    page = office.served.client.get(f"/rounds/{round_id}", headers={"Accept-Language": "en"}).text
    assert "made a choice that fewer than 3 tickets share" in page
    assert words in page


def test_a_count_whose_process_dies_says_so_and_can_begin_again(
    office: Office, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    round_id = office.opened()
    office.votes(shop, round_id, 6)
    office.closes(round_id)
    context = office.served.context
    with monkeypatch.context() as dying:
        dying.setattr(counting, "MODULE", "api.no_such_module")
        assert counting.begin(context, "console:a", round_id)
    with context.pool.connection() as connection:
        progress = counting.progress_of(connection, round_id)
    assert progress is not None
    assert progress.failed == "unavailable"
    office.counts(round_id)


def test_steps_that_would_take_too_long_to_count_are_refused_by_name(office: Office) -> None:
    parameters = {"completion": "add1", "start": "exact", "stop": "over_budget", "then": "nothing"}
    asked = {**parameters, "increment": "1", "increment_per": "11"}
    rule: dict[str, Any] = {f"equal_shares.{name}": value for name, value in asked.items()}
    answer = office.drafts(rule="equal_shares", **rule)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "at least ten cents for each euro" in answer.text


def test_the_clock_closes_what_is_due(served: Served, conninfo: str) -> None:
    at = datetime.now(UTC) - timedelta(days=2)
    due = open_round(served.context.ledger, at=at, closes_at=at + timedelta(days=1))
    other = {"sources": ["shop"], "last_on": date(2100, 1, 1)}
    later = open_round(served.context.ledger, pot=other)
    stopping = threading.Event()
    ticking = threading.Thread(target=clock.run, args=(served.context.settings, conninfo, stopping))
    ticking.start()
    try:
        eventually(lambda: isinstance(state_of(served, due.round_id), Closed))
    finally:
        stopping.set()
        ticking.join()
    assert isinstance(state_of(served, later.round_id), Opened)
    closed = served.context.ledger.history(round_, due.round_id)[-1].event
    assert closed.actor == "clock"


def test_pages_of_rounds_that_are_not_there(office: Office) -> None:
    nowhere = uuid4()
    client = office.served.client
    for path in (f"/rounds/{nowhere}", "/rounds/x", f"/rounds/{nowhere}/projects/{nowhere}"):
        assert client.get(path).status_code == httpx.codes.NOT_FOUND
    assert client.get("/rules/guess").status_code == httpx.codes.NOT_FOUND
    assert office.officer.get(f"/office/rounds/{nowhere}").status_code == httpx.codes.NOT_FOUND
    answer = office.officer.post(f"/office/rounds/{nowhere}/opening")
    assert answer.status_code == httpx.codes.NOT_FOUND
