"""A sheet over time: its versions, its parties, its milestones, and who keeps out of it."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api import projects as project_pages
from ledger.projects.project_events import AwardGrant, EnterRound
from ledger.projects.projects import project
from ledger.projects.state import ActorHasInterest, Drafted
from tests.api.people import Browser, browser_of, person, signed_in
from tests.api.served import Served
from tests.api.sheets import SHEET, TYPED, done, drafted, follow, points, proposed

SIREN, RNA = "732 829 320", "W842001234"


@pytest.fixture(autouse=True)
def prepared(served: Served, conninfo: str) -> None:
    follow(conninfo)


@pytest.fixture
def officer(served: Served) -> Browser:
    return browser_of(served, "officer")


@pytest.fixture
def path(served: Served, conninfo: str, officer: Browser) -> str:
    return drafted(served, conninfo, officer)


def state_of(served: Served, path: str) -> Drafted:
    history = served.context.ledger.history(project, UUID(path.rsplit("/", 1)[1]))
    state = project.fold(one.event for one in history)
    assert isinstance(state, Drafted)
    return state


def granted(served: Served, path: str, actor: str = "clock", **also: Any) -> UUID:
    """Lead a published project through a round that funds it."""
    project_id, round_id = UUID(path.rsplit("/", 1)[1]), uuid4()
    ledger = served.context.ledger
    at = ledger.history(project, project_id)[0].event.recorded_at
    about: dict[str, Any] = {"at": at, "project_id": project_id, "round_id": round_id}
    ledger.handle(project, project_id, EnterRound(actor="clock", **about))
    awarded: dict[str, Any] = {"amount_cents": 80_000, "result_sha256": "ab" * 32, "actor": actor}
    ledger.handle(project, project_id, AwardGrant(**about, **awarded, **also))
    return round_id


class TestVersions:
    def test_drafts_stay_inside_and_each_published_version_stays(
        self, served: Served, conninfo: str, officer: Browser, path: str
    ) -> None:
        public = path.removeprefix("/office")
        done(officer.post(f"{path}/sheet", SHEET | {"text": "Un brouillon jamais montré."}))
        assert Browser(served).get(f"{public}/sheets").status_code == httpx.codes.NOT_FOUND
        done(officer.post(f"{path}/sheet", SHEET))
        done(officer.post(f"{path}/publication"))
        changed = SHEET | {"summary": "Douze bancs.", "line_2": "Outils et vis"}
        changed |= {"step_2": "Fête", "indicator_2": "Photographies", "due_on_2": "2030-06-01"}
        done(officer.post(f"{path}/sheet", changed))
        follow(conninfo)
        page = Browser(served).get(f"{public}/sheets").text
        assert "Un brouillon jamais montré." not in page
        for shown in ("Dix bancs sous les platanes.", "Douze bancs.", "Outils et vis", "Fête"):
            assert shown in page
        assert "Anne Fabre" not in page
        assert f'href="{public}/sheets"' in Browser(served).get(public).text
        inside = officer.get(path).text
        assert "Un brouillon jamais montré." in inside
        told = served.client.get(f"/api/v1{public}/sheets")
        versions = told.json()["versions"]
        assert [(one["number"], one["changed"]) for one in versions] == [
            (2, []),
            (3, ["summary", "lines", "milestones"]),
        ]
        unchanged = {"If-None-Match": told.headers["etag"]}
        again = served.client.get(f"/api/v1{public}/sheets", headers=unchanged)
        assert again.status_code == httpx.codes.NOT_MODIFIED

    @pytest.mark.parametrize("of", ["x", "1f0c6a0e-5d3b-4c1f-9a63-0d9f1c2b7e55"])
    def test_nobody_has_versions_of_nothing(self, served: Served, of: str) -> None:
        assert Browser(served).get(f"/projects/{of}/sheets").status_code == 404
        assert served.client.get(f"/api/v1/projects/{of}/sheets").status_code in {404, 422}


class TestParties:
    def test_two_bodies_of_one_name_are_two(
        self, served: Served, officer: Browser, path: str
    ) -> None:
        done(officer.post(f"{path}/sheet", SHEET | {"payee": SHEET["carrier"]}))
        sheet = state_of(served, path).sheet
        assert sheet is not None
        assert sheet.carrier_id != sheet.payee_id

    def test_one_number_is_one_body_whatever_it_is_called(
        self, served: Served, conninfo: str, officer: Browser, path: str
    ) -> None:
        numbers = {"carrier_number": SIREN, "payee_number": "732829320"}
        done(officer.post(f"{path}/sheet", SHEET | numbers))
        sheet = state_of(served, path).sheet
        assert sheet is not None
        assert sheet.carrier_id == sheet.payee_id != sheet.beneficiary_id
        done(officer.post(f"{path}/publication"))
        follow(conninfo)
        public = path.removeprefix("/office")
        assert "SIREN 732" in Browser(served).get(public).text
        told = served.client.get(f"/api/v1{public}").json()
        assert told["numbers"] == {"carrier": "732829320", "payee": "732829320"}

    @pytest.mark.parametrize("number", ["732829321", "73282932000074", "W12", "x", "¹²³456789"])
    def test_a_number_is_of_its_form(self, officer: Browser, path: str, number: str) -> None:
        answer = officer.post(f"{path}/sheet", SHEET | {"carrier_number": number})
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert "A number is a SIREN" in answer.text

    def test_nobody_else_is_paid_after_a_vote_by_typing_another_name(
        self, served: Served, officer: Browser, path: str
    ) -> None:
        numbered = SHEET | {"payee_number": RNA}
        done(officer.post(f"{path}/sheet", numbered))
        done(officer.post(f"{path}/publication"))
        granted(served, path)
        for changes in ({"payee_number": SIREN}, {"payee_number": ""}, {"carrier": "Un autre"}):
            answer = officer.post(f"{path}/sheet", numbered | changes)
            assert answer.status_code == httpx.codes.CONFLICT, changes
        done(officer.post(f"{path}/sheet", numbered | {"payee": "Menuiserie Solidaire (SCOP)"}))


class TestMilestones:
    def test_an_emptied_row_renumbers_none(
        self, served: Served, officer: Browser, path: str
    ) -> None:
        rows = {
            "step_2": "Inauguration",
            "indicator_2": "Photographies",
            "due_on_2": "2030-06-01",
            "step_4": "Bilan",
            "indicator_4": "Compte rendu",
            "due_on_4": "2030-09-01",
        }
        done(officer.post(f"{path}/sheet", SHEET | rows))
        emptied = dict.fromkeys(("step_1", "indicator_1", "due_on_1"), "")
        done(officer.post(f"{path}/sheet", SHEET | rows | emptied))
        assert list(state_of(served, path).milestones) == ["m2", "m4"]
        page = officer.get(path).text
        assert re_value("step_2", "Inauguration") in page
        assert re_value("step_4", "Bilan") in page
        assert re_value("step_1", "") in page

    def test_it_is_late_from_the_day_after_it_was_due_without_any_event(
        self, served: Served, conninfo: str, officer: Browser, path: str
    ) -> None:
        done(officer.post(f"{path}/sheet", SHEET))
        state = state_of(served, path)
        due = date(2030, 5, 1)
        document: dict[str, Any] = {}
        for today, late in ((due, False), (date(2030, 5, 2), True)):
            (one,) = project_pages.milestones_of(state, document, today)
            assert one["late"] is late
        done(officer.post(f"{path}/sheet", SHEET | {"due_on_1": "2020-01-01"}))
        done(officer.post(f"{path}/publication"))
        follow(conninfo)
        public = path.removeprefix("/office")
        assert "late: due on 1 January 2020" in Browser(served).get(public).text
        (told,) = served.client.get(f"/api/v1{public}").json()["milestones"]
        assert told["late"] is True


def re_value(name: str, typed: str) -> str:
    return f'<input id="{name}" name="{name}" type="text" value="{typed}"'


class TestInterests:
    def test_who_declares_one_in_a_project_leaves_it_to_others(
        self, served: Served, officer: Browser, path: str
    ) -> None:
        done(officer.post(f"{path}/sheet", SHEET))
        done(officer.post(f"{path}/publication"))
        granted(served, path)
        done(officer.post(f"{path}/conflict"))
        page = officer.get(path)
        assert "You have an interest in this project" in page.text
        assert "/completion" not in page.text
        for step, fields in (
            ("start", {}),
            ("sheet", SHEET),
            ("milestones/m1/met", {"met_on": "2026-01-01"}),
            ("milestones/m1/change", {"words": "Parce que."}),
            ("completion", {"words": "Fini."}),
            ("abandonment", {"words": "Non."}),
        ):
            answer = officer.post(f"{path}/{step}", fields)
            assert answer.status_code == httpx.codes.FORBIDDEN, step
        done(browser_of(served, "officer").post(f"{path}/start"))

    def test_nor_does_she_award_its_grant(
        self, served: Served, officer: Browser, path: str
    ) -> None:
        done(officer.post(f"{path}/sheet", SHEET))
        done(officer.post(f"{path}/publication"))
        anne = f"account:{uuid4()}"
        with pytest.raises(ActorHasInterest):
            granted(served, path, anne, interested=(anne,))

    def test_nor_whoever_put_its_idea_forward(self, served: Served, conninfo: str) -> None:
        author = person(served, "officer")
        idea_id = proposed(served, conninfo, email=author.email)
        mine, other = signed_in(served, author.account_id), browser_of(served, "officer")
        path = f"/office/ideas/{idea_id}"
        done(other.post(f"{path}/acceptance", {"title": TYPED["title"], "text": TYPED["text"]}))

        for _ in range(2):
            done(browser_of(served, "committee").post(f"{path}/scores", points()))
        done(other.post(f"{path}/evaluation"))
        follow(conninfo)
        answer = other.post(f"{path}/project")
        done(answer)
        refused = mine.post(f"{answer.headers['location']}/sheet", SHEET)
        assert refused.status_code == httpx.codes.FORBIDDEN

    def test_the_score_of_who_declares_late_stays_and_the_page_says_so(
        self, served: Served, conninfo: str, officer: Browser
    ) -> None:
        idea_id = proposed(served, conninfo)
        path = f"/office/ideas/{idea_id}"
        done(officer.post(f"{path}/acceptance", {"title": TYPED["title"], "text": TYPED["text"]}))

        late, other, barred = (browser_of(served, "committee") for _ in range(3))
        for one in (late, other, barred):
            done(one.post(f"{path}/scores", points() | {"named": "yes"}))
        done(barred.post(f"{path}/conflict"))
        done(officer.post(f"{path}/evaluation"))
        done(officer.post(f"{path}/project"))
        before = Browser(served).get(f"/ideas/{idea_id}").text
        assert before.count('<th scope="col" class="number">Anne Fabre') == 2
        assert "declared an interest in the idea" in before
        assert "60 of 60 points" in before
        assert "30 were needed." in before
        done(late.post(f"{path}/conflict"))
        after = Browser(served).get(f"/ideas/{idea_id}").text
        assert "60 of 60 points" in after
        assert "Anne Fabre counted, and declared an interest after" in after


def test_the_criteria_are_published_in_every_version(served: Served) -> None:
    page = Browser(served).get("/ideas/criteria").text
    assert "It serves the common good" in page
    assert "in force" in page
    (first,) = served.client.get("/api/v1/criteria").json()["criteria"]
    assert (first["version"], first["evaluators_min"], first["pass_percent"]) == (1, 2, 50)
    assert sum(one["points_max"] for one in first["criteria"]) == 30
