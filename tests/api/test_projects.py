"""From an idea to a published project and its end, through forms; and every way to misuse them."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from api.idea_form import draft, idea_of
from ledger.projects.project_events import AwardGrant, EnterRound
from ledger.projects.projects import project
from tests.api.people import Browser, browser_of
from tests.api.served import Served
from tests.api.sheets import (
    SHEET,
    TYPED,
    done,
    drafted,
    follow,
    letters,
    link_in,
    points,
    proposed,
    retained,
)
from tests.api.stored import every_byte, stored

# Nothing has this id; it is the same in every process that collects the tests.
NOBODY = "1f0c6a0e-5d3b-4c1f-9a63-0d9f1c2b7e55"


@pytest.fixture(autouse=True)
def prepared(served: Served, conninfo: str) -> None:
    follow(conninfo)


def test_nothing_is_recorded_before_the_link_is_used(served: Served, conninfo: str) -> None:
    done(Browser(served).post("/ideas/new", TYPED))
    assert stored(conninfo) == []
    (letter,) = letters(served)
    link = link_in(letter)
    assert TYPED["title"] in Browser(served).get(link).text
    assert stored(conninfo) == []
    first = Browser(served).post(link)
    done(first)
    assert [one.topic for one in stored(conninfo)] == ["IdeaProposed"]
    again = Browser(served).post(link)
    assert again.status_code == httpx.codes.NOT_FOUND
    content = every_byte(conninfo).lower()
    for private in ("lucie", "platanes"):
        assert private.encode() not in content
    page = Browser(served).get(first.headers["location"])
    assert "A moderator reads it first" in page.text
    assert "platanes" not in page.text


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("title", "abc", "Type a title"),
        ("text", " ", "Tell your idea"),
        ("theme", "war", "Choose a theme"),
        ("place", "84800", "Choose a place"),
        ("tie", "", "Say what ties you"),
        ("email", "lucie", "not an e-mail address"),
    ],
)
def test_a_wrong_form_says_so_and_keeps_what_was_typed(
    served: Served, conninfo: str, field: str, typed: str, said: str
) -> None:
    answer = Browser(served).post("/ideas/new", TYPED | {field: typed})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert said in answer.text
    assert "Lucie Martin" in answer.text
    with psycopg.connect(conninfo) as connection:
        assert connection.execute("SELECT FROM idea_draft").fetchall() == []


def test_an_expired_draft_is_erased(served: Served, conninfo: str) -> None:
    context = served.context
    draft(context, idea_of(TYPED), "192.0.2.1")
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(
            "UPDATE idea_draft SET expires_at = now() RETURNING subject_id"
        ).fetchone()
    assert row is not None
    assert Browser(served).get(link_in(letters(served)[0])).status_code == httpx.codes.NOT_FOUND
    draft(context, idea_of(TYPED), "192.0.2.1")
    assert context.vault.fields(row[0]) == {}


def test_another_site_cannot_send_an_idea(served: Served) -> None:
    answer = Browser(served).post("/ideas/new", TYPED, **{"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == httpx.codes.FORBIDDEN


def test_a_refused_idea_keeps_its_reason_and_its_words_stay_inside(
    served: Served, conninfo: str
) -> None:
    officer = browser_of(served, "officer")
    idea_id = proposed(served, conninfo)
    refusal = {"reason": "commercial", "words": "Ceci est une réclame."}
    done(officer.post(f"/office/ideas/{idea_id}/refusal", refusal))
    follow(conninfo)
    page = Browser(served).get(f"/ideas/{idea_id}").text
    assert "it is advertising" in page
    assert "Ceci est une réclame." in page
    assert "platanes" not in page
    told = served.client.get("/api/v1/ideas").json()["ideas"]
    assert [(one["stage"], one["reason"], one["title"]) for one in told] == [
        ("refused", "commercial", None)
    ]
    one = served.client.get(f"/api/v1/ideas/{idea_id}").json()
    assert one.items() >= told[0].items()
    assert (one["text"], one["merged_idea_ids"]) == (None, [])
    assert served.client.get(f"/api/v1/ideas/{uuid4()}").status_code == httpx.codes.NOT_FOUND
    assert "Ceci est une réclame." in letters(served)[-1]
    late = {"title": "Un titre", "text": "Un texte"}
    answer = officer.post(f"/office/ideas/{idea_id}/acceptance", late)
    assert answer.status_code == httpx.codes.CONFLICT


def test_an_interested_evaluator_and_the_author_do_not_count(served: Served, conninfo: str) -> None:
    officer = browser_of(served, "officer")
    idea_id = proposed(served, conninfo)
    path = f"/office/ideas/{idea_id}"
    done(officer.post(f"{path}/acceptance", {"title": TYPED["title"], "text": TYPED["text"]}))
    interested, other = browser_of(served, "committee"), browser_of(served, "committee")
    done(interested.post(f"{path}/scores", points()))
    done(interested.post(f"{path}/conflict"))
    assert interested.post(f"{path}/scores", points()).status_code == httpx.codes.FORBIDDEN
    done(other.post(f"{path}/scores", points()))
    answer = officer.post(f"{path}/evaluation")
    assert answer.status_code == httpx.codes.CONFLICT
    assert "More people without an interest" in answer.text
    undeclared = {name: text for name, text in points().items() if name != "declaration"}
    assert other.post(f"{path}/scores", undeclared).status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "IdeaEvaluated" not in {one.topic for one in stored(conninfo)}


def test_an_idea_becomes_a_published_project_with_its_provenance(
    served: Served, conninfo: str
) -> None:
    officer = browser_of(served, "officer")
    path = drafted(served, conninfo, officer)
    project_id = path.rsplit("/", 1)[1]
    assert Browser(served).get(f"/projects/{project_id}").status_code == httpx.codes.NOT_FOUND
    follow(conninfo)
    assert "A draft without a sheet" in officer.get("/office/projects").text
    wrong = officer.post(f"{path}/sheet", SHEET | {"goal": "900"})
    assert wrong.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "must add up" in wrong.text
    assert "Odette Sylvestre" in wrong.text
    done(officer.post(f"{path}/sheet", SHEET))
    done(officer.post(f"{path}/publication"))
    follow(conninfo)
    page = Browser(served).get(f"/projects/{project_id}")
    assert page.status_code == httpx.codes.OK
    for shown in ("Association des Quais", "Menuiserie Solidaire", "€1,000.00", "Bancs posés"):
        assert shown in page.text
    assert "Odette" not in page.text
    assert b"Odette" not in every_byte(conninfo)
    answer = served.client.get(f"/api/v1/projects/{project_id}")
    told = answer.json()
    assert (told["goal_cents"], told["other_cents"], told["state"]) == (
        100_000,
        20_000,
        "published",
    )
    etag = {"If-None-Match": answer.headers["etag"]}
    unchanged = served.client.get(f"/api/v1/projects/{project_id}", headers=etag)
    assert unchanged.status_code == httpx.codes.NOT_MODIFIED
    listed = served.client.get("/api/v1/projects?theme=nature&place=isle-centre").json()
    assert [one["project_id"] for one in listed["projects"]] == [project_id]
    assert served.client.get("/api/v1/projects?theme=water").json()["projects"] == []
    assert served.client.get("/api/v1/projects?theme=war").status_code == 422
    for public in ("/projects", "/ideas", f"/ideas/{told['idea_ids'][0]}"):
        assert TYPED["title"] in Browser(served).get(public).text


def test_a_project_lives_on_to_its_results(served: Served, conninfo: str) -> None:
    officer = browser_of(served, "officer")
    path = drafted(served, conninfo, officer)
    project_id, round_id = UUID(path.rsplit("/", 1)[1]), uuid4()
    done(officer.post(f"{path}/sheet", SHEET | {"responsible_named": "yes"}))
    done(officer.post(f"{path}/publication"))
    assert officer.post(f"{path}/start").status_code == httpx.codes.CONFLICT
    ledger = served.context.ledger
    about: dict[str, Any] = {
        "at": ledger.history(project, project_id)[0].event.recorded_at,
        "actor": "clock",
    }
    enter = EnterRound(project_id=project_id, round_id=round_id, **about)
    award = AwardGrant(
        project_id=project_id,
        round_id=round_id,
        amount_cents=80_000,
        result_sha256="ab" * 32,
        **about,
    )
    for command in (enter, award):
        ledger.handle(project, project_id, command)
    frozen = officer.post(f"{path}/sheet", SHEET | {"payee": "Quelqu’un d’autre"})
    assert frozen.status_code == httpx.codes.CONFLICT
    done(officer.post(f"{path}/start"))
    early = officer.post(f"{path}/completion", {"words": "Fini."})
    assert early.status_code == httpx.codes.CONFLICT
    done(
        officer.post(f"{path}/milestones/m1/change", {"due_on": "2031-01-01", "words": "La pluie."})
    )
    done(officer.post(f"{path}/milestones/m1/met", {"met_on": "2026-01-01", "words": "Posés."}))
    unknown = officer.post(f"{path}/milestones/m9/met", {"met_on": "2026-01-01"})
    assert unknown.status_code == httpx.codes.NOT_FOUND
    done(officer.post(f"{path}/completion", {"words": "Dix bancs."}))
    follow(conninfo)
    page = Browser(served).get(f"/projects/{project_id}").text
    for shown in ("La pluie.", "Dix bancs.", "Odette Sylvestre", "€800.00", "Completed."):
        assert shown in page
    over = officer.post(f"{path}/abandonment", {"words": "Non."})
    assert over.status_code == httpx.codes.CONFLICT


def test_withheld_words_are_nowhere_any_more(served: Served, conninfo: str) -> None:
    officer = browser_of(served, "officer")
    idea_id = proposed(served, conninfo)
    path = f"/office/ideas/{idea_id}"
    told = {"title": "Un banc", "text": "Pour Monsieur Untel, au 3 rue Longue."}
    done(officer.post(f"{path}/acceptance", told))
    follow(conninfo)
    assert "Untel" in Browser(served).get(f"/ideas/{idea_id}").text
    done(officer.post(f"{path}/withholding"))
    follow(conninfo)
    page = Browser(served).get(f"/ideas/{idea_id}").text
    assert "Untel" not in page
    assert "Its words were withheld" in page
    with psycopg.connect(conninfo) as connection:
        assert connection.execute("SELECT words FROM wording").fetchall() == [(None,)]


def test_merged_ideas_lead_to_the_project(served: Served, conninfo: str) -> None:
    officer = browser_of(served, "officer")
    other = proposed(served, conninfo, title="Des chaises à l’ombre")
    told = {"title": "Des chaises à l’ombre", "text": "Presque pareil."}
    done(officer.post(f"/office/ideas/{other}/acceptance", told))
    main = retained(served, conninfo, officer)
    done(officer.post(f"/office/ideas/{other}/merger", {"into": str(main)}))
    follow(conninfo)
    answer = officer.post(f"/office/ideas/{main}/project")
    history = served.context.ledger.history(project, UUID(answer.headers["location"][-36:]))
    assert set(getattr(history[0].event, "idea_ids", ())) == {main, other}
    nowhere = officer.post(f"/office/ideas/{main}/merger", {"into": str(uuid4())})
    assert nowhere.status_code == httpx.codes.UNPROCESSABLE_ENTITY


@pytest.mark.parametrize("path", ["/ideas/x", f"/ideas/{NOBODY}", f"/projects/{NOBODY}"])
def test_what_nobody_has_is_not_found(served: Served, path: str) -> None:
    assert Browser(served).get(path).status_code == httpx.codes.NOT_FOUND
    officer = browser_of(served, "officer")
    assert officer.get(f"/office{path}").status_code == httpx.codes.NOT_FOUND
