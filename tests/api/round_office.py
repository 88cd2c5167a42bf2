"""A round in the office: an officer, two members of the committee, and their projects."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api import round_steps, wordings
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
from ledger.rounds.life import CLOSE_AFTER
from ledger.rounds.state import AnyRound, Opened
from ledger.rounds.state import Drafted as DraftedRound
from projections.every import READ_MODELS
from projections.follow import catch_up
from projections.open_rounds import terms_of
from tests.api.people import Browser, browser_of
from tests.api.served import Served
from tests.api.shops import Shop
from tests.ledger.processes import eventually
from tests.projections.village import a_gift

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
