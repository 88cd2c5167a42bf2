"""A project that dies in a round: only its own record takes it out, and the ledger remembers."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from api import round_steps
from api.interests import interested_in_project
from api.tally import counted_round, struck_of, tally_round
from ledger.ids import stream_of
from ledger.people import actor_of
from ledger.projects.idea_events import AcceptIdea, DeclareIdeaConflict, MergeIdea, ProposeIdea
from ledger.projects.ideas import idea
from ledger.projects.state import Drafted
from ledger.rounds import round_
from ledger.rounds.commands import RecordTally, ResultStands, TallyDiffers
from ledger.rounds.state import Adopted, Closed, Opened, Tallied
from tests.api import round_office
from tests.api.people import person, signed_in
from tests.api.round_office import Office, done, ended, state_of
from tests.api.served import Served
from tests.api.shops import Shop
from tests.rounds import BIKES, SHADE, open_round

office = round_office.office


def files(office: Office) -> set[str]:
    with psycopg.connect(office.conninfo) as connection:
        rows = connection.execute("SELECT DISTINCT result_sha256 FROM round_file").fetchall()
    return {str(row[0]) for row in rows}


def stays(office: Office, round_id: UUID, project_id: UUID, reason: str = "abandoned") -> None:
    """Check that an officer alone does not take a living project out, whatever she says of it."""
    fields = {"project": str(project_id), "reason": reason}
    answer = office.officer.post(f"/office/rounds/{round_id}/strike", fields)
    office.says(answer, "Only a project that was abandoned")


def test_no_officer_takes_a_living_project_out(office: Office, shop: Shop) -> None:
    round_id = office.opened()
    for reason in ("abandoned", "withdrawn", "not_eligible"):
        stays(office, round_id, office.projects[0], reason)
    assert "/strike" not in office.officer.get(f"/office/rounds/{round_id}").text
    office.votes(shop, round_id, 6)
    office.closes(round_id)
    stays(office, round_id, office.projects[0])
    known = state_of(office.served, round_id)
    assert isinstance(known, Closed)
    assert known.struck == ()


def test_a_project_that_died_is_taken_out_at_once(office: Office) -> None:
    round_id, dead = office.opened(), office.projects[0]
    ended(office.served, dead)
    office.follow()
    page = office.officer.get(f"/office/rounds/{round_id}").text
    assert f'<option value="{dead}">' in page
    assert f'<option value="{office.projects[1]}">' not in page
    fields = {"project": str(dead), "reason": "abandoned"}
    done(office.officer.post(f"/office/rounds/{round_id}/strike", fields))
    known = state_of(office.served, round_id)
    assert isinstance(known, Opened)
    assert known.struck == (dead,)


def test_two_people_abandon_a_project_that_a_round_is_about(office: Office) -> None:
    round_id, project_id = office.opened(), office.projects[0]
    here = f"/office/projects/{project_id}"
    done(office.officer.post(f"{here}/abandonment", {"words": "Le porteur est parti."}))
    state = round_steps.project_of(office.served.context, project_id)
    assert isinstance(state, Drafted)
    assert state.ended is None
    assert "/abandonment/agreement" not in office.officer.get(here).text
    page = office.first.get(here).text
    assert "Le porteur est parti." in page
    agreed = {"words_sha256": page.split('name="words_sha256" value="')[1][:64]}
    own = office.officer.post(f"{here}/abandonment/agreement", agreed)
    office.says(own, "another person must agree", httpx.codes.FORBIDDEN)
    wrong = office.first.post(f"{here}/abandonment/agreement", {"words_sha256": "0" * 64})
    office.says(wrong, "Nobody proposes this any more")
    done(office.first.post(f"{here}/abandonment/agreement", agreed))
    state = round_steps.project_of(office.served.context, project_id)
    assert isinstance(state, Drafted)
    assert state.ended == "abandoned"
    assert state.rounds == (round_id,)


def test_a_project_that_died_between_close_and_count_is_in_no_count(
    office: Office, shop: Shop
) -> None:
    round_id = office.opened()
    office.votes(shop, round_id)
    office.closes(round_id)
    ended(office.served, office.projects[0])
    told = tally_round(office.served.context, round_id, "clock")
    assert told.struck == (office.projects[0],)
    assert office.projects[0] not in {one.project_id for one in told.awards}


def test_a_count_from_before_a_project_was_struck_is_not_recorded(
    office: Office, shop: Shop
) -> None:
    context, round_id = office.served.context, office.opened()
    office.votes(shop, round_id)
    office.closes(round_id)
    with context.pool.connection() as connection:
        before = counted_round(connection, round_id)
    ended(office.served, office.projects[0])
    round_steps.strike_dead(context, "clock", round_id)
    record = RecordTally(at=datetime.now(UTC), actor="clock", round_id=round_id, tally=before.tally)
    with pytest.raises(TallyDiffers):
        context.ledger.handle(round_, round_id, record)
    assert tally_round(context, round_id, "clock") != before.tally


@pytest.mark.parametrize("declared", ["other_picks", "next_round"])
def test_an_adopted_round_is_counted_again_to_the_same_bytes(
    office: Office, shop: Shop, declared: str
) -> None:
    context, round_id = office.served.context, office.opened(dead_project=declared)
    office.votes(shop, round_id)
    ended(office.served, office.projects[0])
    office.closes(round_id)
    result = office.counts(round_id)
    office.adopts(round_id, result)
    context.rounds.refresh()
    known = context.rounds.round(round_id)
    assert known is not None
    assert isinstance(known.state, Adopted)
    assert struck_of(known) == (office.projects[0],)
    assert tally_round(context, round_id, "clock").result_sha256 == result
    assert files(office) == {result}


def test_no_file_is_kept_of_a_count_that_is_refused(
    office: Office, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, round_id = office.served.context, office.opened()
    office.votes(shop, round_id)
    office.closes(round_id)
    result = office.counts(round_id)
    # Other code, or an altered store, would count something else.
    monkeypatch.setattr("api.tally.struck_of", lambda _: (office.projects[0],))
    with pytest.raises(ResultStands):
        tally_round(context, round_id, "clock")
    assert files(office) == {result}


def of_an_idea_with_an_interest(office: Office, actor: str) -> None:
    """Let somebody declare an interest in the idea that one of the projects comes from."""
    ledger = office.served.context.ledger
    state = round_steps.project_of(office.served.context, office.projects[2])
    assert isinstance(state, Drafted)
    (idea_id,) = state.idea_ids
    at = datetime.now(UTC)
    proposed = ProposeIdea(
        at=at,
        actor="public",
        idea_id=idea_id,
        subject_id=uuid4(),
        theme="water",
        place="le-thor",
        territory_version=1,
        tie="lives_here",
    )
    ledger.handle(idea, idea_id, proposed)
    ledger.handle(idea, idea_id, DeclareIdeaConflict(at=at, actor=actor, idea_id=idea_id))


def test_an_interest_in_an_idea_that_was_merged_into_another_counts(office: Office) -> None:
    ledger = office.served.context.ledger
    account_id = person(office.served, "committee").account_id
    state = round_steps.project_of(office.served.context, office.projects[2])
    assert isinstance(state, Drafted)
    (into,) = state.idea_ids
    at, actor = datetime.now(UTC), actor_of(account_id)
    for _ in range(2):
        idea_id = uuid4()
        proposed = ProposeIdea(
            at=at,
            actor="public",
            idea_id=idea_id,
            subject_id=uuid4(),
            theme="water",
            place="le-thor",
            territory_version=1,
            tie="lives_here",
        )
        accept = AcceptIdea(at=at, actor=actor, idea_id=idea_id, text_sha256="a" * 64)
        merge = MergeIdea(at=at, actor=actor, idea_id=idea_id, into_idea_id=into, into_stands=True)
        for command in (proposed, accept, merge):
            ledger.handle(idea, idea_id, command)
        into = idea_id
    assert interested_in_project(office.served.context, office.projects[2]) == ()
    ledger.handle(idea, into, DeclareIdeaConflict(at=at, actor=actor, idea_id=into))
    office.follow()
    assert interested_in_project(office.served.context, office.projects[2]) == (actor,)


def test_whoever_has_an_interest_in_a_project_decides_on_no_round_of_it(
    office: Office, shop: Shop
) -> None:
    account_id = person(office.served, "committee").account_id
    barred = signed_in(office.served, account_id)
    of_an_idea_with_an_interest(office, actor_of(account_id))
    words, forbidden = "You have an interest in a project of this round", httpx.codes.FORBIDDEN
    round_id = office.drafted()
    office.says(office.approves(barred, round_id), words, forbidden)
    why = {"reason": "not_opened"}
    office.says(barred.post(f"/office/rounds/{round_id}/cancellation", why), words, forbidden)
    for browser in (office.first, office.second):
        done(office.approves(browser, round_id))
    done(office.officer.post(f"/office/rounds/{round_id}/opening"))
    office.follow()
    office.votes(shop, round_id, 6)
    office.closes(round_id)
    result, path = office.counts(round_id), f"/office/rounds/{round_id}/adoption"
    back = {"result_sha256": result, "reason": "gifts_wrong", "words": "Non."}
    office.says(barred.post(f"/office/rounds/{round_id}/return", back), words, forbidden)
    done(office.first.post(path, {"result_sha256": result}))
    office.says(barred.post(path, {"result_sha256": result}), words, forbidden)
    assert isinstance(state_of(office.served, round_id), Tallied)
    done(office.second.post(path, {"result_sha256": result}))
    adopted = state_of(office.served, round_id)
    assert isinstance(adopted, Adopted)
    assert adopted.withheld == ()


def test_a_round_that_cannot_be_closed_keeps_no_other_one_open(
    served: Served, conninfo: str, caplog: pytest.LogCaptureFixture
) -> None:
    at = datetime.now(UTC) - timedelta(days=2)
    spoilt, sound = (
        open_round(
            served.context.ledger,
            at=at,
            closes_at=at + timedelta(days=1),
            projects=[{"project_id": one, "goal_cents": 10_000}],
            pot={"sources": [source], "last_on": date(2100, 1, 1)},
        )
        for one, source in ((BIKES, "customer"), (SHADE, "shop"))
    )
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO ledger_events (originator_id, originator_version, topic, state)"
            " VALUES (%s, 1, 'ProjectForgotten', '{}')",
            (stream_of("project", BIKES),),
        )
    assert round_steps.close_due(served.context) == [sound.round_id]
    assert isinstance(state_of(served, spoilt.round_id), Opened)
    assert str(spoilt.round_id) in caplog.text
