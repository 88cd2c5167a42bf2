"""Rounds that share money, gifts and projects: an opening that comes to nothing takes nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import httpx
import psycopg
import pytest

from api import round_steps
from api.turns import ROUNDS
from ledger.projects.project_events import EnterRound
from ledger.projects.projects import project
from ledger.projects.state import Drafted, ProjectInRound
from ledger.rounds import round_
from ledger.rounds.commands import CarryLeftover, PotsOverlap
from ledger.rounds.state import Adopted, Cancelled, Opened
from ledger.rounds.state import Drafted as DraftedRound
from tests.api import round_office
from tests.api.round_office import ANNE, Office, done, ended, state_of
from tests.api.shops import Shop
from tests.ledger.processes import eventually
from tests.rounds import open_round

office = round_office.office


def approved(office: Office, **changes: object) -> UUID:
    round_id = office.drafted(**changes)
    for browser in (office.first, office.second):
        done(office.approves(browser, round_id))
    return round_id


def with_leftover(office: Office, shop: Shop) -> UUID:
    """Hold a round that leaves what no ballot decides on to the next one."""
    round_id = office.opened(unused="next_round")
    office.votes(shop, round_id)
    office.closes(round_id)
    office.adopts(round_id, office.counts(round_id))
    return round_id


def carried_to(office: Office, round_id: UUID) -> UUID | None:
    known = state_of(office.served, round_id)
    assert isinstance(known, Adopted)
    return known.carried_to


def rounds_of(office: Office, project_id: UUID) -> tuple[UUID, ...]:
    state = round_steps.project_of(office.served.context, project_id)
    assert isinstance(state, Drafted)
    return state.rounds


def opens(office: Office, round_id: UUID) -> httpx.Response:
    return office.officer.post(f"/office/rounds/{round_id}/opening")


def cancels(office: Office, round_id: UUID, reason: str = "not_opened") -> None:
    for browser in (office.first, office.second):
        done(browser.post(f"/office/rounds/{round_id}/cancellation", {"reason": reason}))
    assert isinstance(state_of(office.served, round_id), Cancelled)
    office.follow()


def enter(office: Office, round_id: UUID, project_id: UUID) -> None:
    """Do the first step of an opening that is then killed."""
    command = EnterRound(at=datetime.now(UTC), actor=ANNE, project_id=project_id, round_id=round_id)
    office.served.context.ledger.handle(project, project_id, command)


def carry(office: Office, round_id: UUID, to: UUID) -> None:
    command = CarryLeftover(at=datetime.now(UTC), actor=ANNE, round_id=round_id, to_round_id=to)
    office.served.context.ledger.handle(round_, round_id, command)


def test_an_opening_that_is_refused_takes_no_money(office: Office, shop: Shop) -> None:
    earlier = with_leftover(office, shop)
    money = {"carried": [str(earlier)]}
    draft = office.drafted(**money)
    office.says(opens(office, draft), "must approve the definition first")
    assert carried_to(office, earlier) is None
    dying = approved(office, **money)
    ended(office.served, office.projects[3])
    office.says(opens(office, dying), "cannot enter a round any more")
    assert carried_to(office, earlier) is None
    alive = [str(one) for one in office.projects[:3]]
    round_id = approved(office, project=alive, **money)
    done(opens(office, round_id))
    done(opens(office, round_id))
    assert carried_to(office, earlier) == round_id


@pytest.mark.parametrize("by", ["cancelling", "drafting"])
def test_money_and_projects_of_an_opening_that_was_killed_are_free_again(
    office: Office, shop: Shop, by: str
) -> None:
    earlier = with_leftover(office, shop)
    money = {"carried": [str(earlier)]}
    round_id = approved(office, **money)
    carry(office, earlier, round_id)
    enter(office, round_id, office.projects[0])
    rest = [str(one) for one in office.projects[1:]]
    done(office.drafts(round_id, project=rest))
    if by == "cancelling":
        cancels(office, round_id)
    office.follow()
    assert carried_to(office, earlier) is None
    assert rounds_of(office, office.projects[0]) == ()
    again = office.opened(**money)
    assert carried_to(office, earlier) == again
    assert rounds_of(office, office.projects[0]) == (again,)


def test_a_killed_opening_is_mended_by_asking_again(office: Office, shop: Shop) -> None:
    earlier = with_leftover(office, shop)
    round_id = approved(office, carried=[str(earlier)])
    carry(office, earlier, round_id)
    enter(office, round_id, office.projects[0])
    done(opens(office, round_id))
    assert isinstance(state_of(office.served, round_id), Opened)
    assert {rounds_of(office, one) for one in office.projects} == {(round_id,)}


@pytest.mark.parametrize("declared", ["next_round", "foundation"])
def test_money_left_to_a_round_that_is_cancelled_follows_its_gifts(
    office: Office, shop: Shop, declared: str
) -> None:
    earlier = with_leftover(office, shop)
    round_id = office.opened(carried=[str(earlier)], cancelled=declared)
    office.closes(round_id)
    words = {"result_sha256": office.counts(round_id), "reason": "gifts_wrong", "words": "Erreur."}
    done(office.first.post(f"/office/rounds/{round_id}/return", words))
    cancels(office, round_id, "irregular")
    kept = None if declared == "next_round" else round_id
    assert carried_to(office, earlier) == kept
    history = office.officer.get(f"/office/rounds/{earlier}").text
    assert ("free again for another round" in history) is (kept is None)


def test_a_project_is_in_one_round_at_a_time(office: Office) -> None:
    first = office.opened()
    second = approved(office, sources=["shop"])
    office.says(opens(office, second), "waits for the result of another round")
    assert isinstance(state_of(office.served, second), DraftedRound)
    with pytest.raises(ProjectInRound):
        enter(office, second, office.projects[0])
    assert rounds_of(office, office.projects[0]) == (first,)


def test_an_opening_waits_for_others_and_then_knows_their_pots(
    office: Office, conninfo: str
) -> None:
    context = office.served.context
    round_id = approved(office)
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with ThreadPoolExecutor(1) as threads, psycopg.connect(conninfo) as other:
        # Another process is about to open a round about the same gifts.
        other.execute("SELECT pg_advisory_xact_lock(%s)", (ROUNDS.lock,))
        opening = threads.submit(round_steps.open_round, context, ANNE, round_id)
        with psycopg.connect(conninfo, autocommit=True) as watching:
            eventually(lambda: watching.execute(waiting).fetchone() == (1,))
        open_round(context.ledger)
        other.rollback()
        with pytest.raises(PotsOverlap):
            opening.result()
    assert isinstance(state_of(office.served, round_id), DraftedRound)
