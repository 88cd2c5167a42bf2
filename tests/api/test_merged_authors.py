"""Whoever put forward an idea that was merged into another one evaluates neither."""

import httpx

from tests.api import test_sheets
from tests.api.people import Browser, browser_of, person, signed_in
from tests.api.served import Served
from tests.api.sheets import TYPED, done, follow, points, proposed

prepared, officer = test_sheets.prepared, test_sheets.officer
WORDS = {"title": TYPED["title"], "text": TYPED["text"]}


def test_her_scores_count_no_more_once_her_idea_is_part_of_it(
    served: Served, conninfo: str, officer: Browser
) -> None:
    author = person(served, "committee")
    hers = signed_in(served, author.account_id)
    merged = proposed(served, conninfo, email=author.email, title="Des bancs et des jeux")
    into = proposed(served, conninfo)
    for one in (merged, into):
        done(officer.post(f"/office/ideas/{one}/acceptance", WORDS))
    path = f"/office/ideas/{into}"
    done(browser_of(served, "committee").post(f"{path}/scores", points(2)))
    done(hers.post(f"{path}/scores", points()))
    done(officer.post(f"/office/ideas/{merged}/merger", {"into": str(into)}))
    follow(conninfo)
    again = hers.post(f"{path}/scores", points())
    assert again.status_code == httpx.codes.FORBIDDEN
    early = officer.post(f"{path}/evaluation")
    assert (early.status_code, "More people" in early.text) == (httpx.codes.CONFLICT, True)
    done(browser_of(served, "committee").post(f"{path}/scores", points(2)))
    done(officer.post(f"{path}/evaluation"))
    follow(conninfo)
    page = Browser(served).get(f"/ideas/{into}").text
    assert "has an interest in this idea, or in one that is part of it" in page
