"""What somebody approved or proposed counts while her account and her role stand."""

from uuid import UUID

from api import people, round_steps
from ledger.projects.state import Drafted
from ledger.rounds.state import Adopted, Cancelled, Opened, Tallied
from ledger.rounds.state import Drafted as DraftedRound
from tests.api import round_office
from tests.api.people import Browser, person, signed_in
from tests.api.round_office import Office, done, state_of
from tests.api.shops import Shop

office = round_office.office


def member(office: Office) -> tuple[UUID, Browser]:
    one = person(office.served, "committee")
    return one.account_id, signed_in(office.served, one.account_id)


def test_a_definition_opens_by_two_who_are_still_on_the_committee(office: Office) -> None:
    round_id = office.drafted()
    gone, browser = member(office)
    for one in (browser, office.first):
        done(office.approves(one, round_id))
    people.change_roles(office.served.context, "test", gone, ("auditor",), ())
    here = f"/office/rounds/{round_id}"
    office.says(office.officer.post(f"{here}/opening"), "Two members of the committee must approve")
    assert isinstance(state_of(office.served, round_id), DraftedRound)
    assert "1 of 2 approvals" in office.second.get(here).text
    done(office.approves(office.second, round_id))
    done(office.officer.post(f"{here}/opening"))
    assert isinstance(state_of(office.served, round_id), Opened)


def test_a_result_is_adopted_by_two_whose_accounts_stand(office: Office, shop: Shop) -> None:
    round_id = office.opened()
    office.votes(shop, round_id, 6)
    office.closes(round_id)
    result, (gone, browser) = office.counts(round_id), member(office)
    here, context = f"/office/rounds/{round_id}/adoption", office.served.context
    done(browser.post(here, {"result_sha256": result}))
    people.disable(context, "test", gone)
    done(office.first.post(here, {"result_sha256": result}))
    assert isinstance(state_of(office.served, round_id), Tallied)
    done(office.second.post(here, {"result_sha256": result}))
    assert isinstance(state_of(office.served, round_id), Adopted)


def test_nobody_agrees_to_cancel_with_a_disabled_account(office: Office) -> None:
    round_id, (gone, browser) = office.drafted(), member(office)
    here, why = f"/office/rounds/{round_id}/cancellation", {"reason": "not_opened"}
    done(browser.post(here, why))
    people.disable(office.served.context, "test", gone)
    done(office.first.post(here, why))
    assert isinstance(state_of(office.served, round_id), DraftedRound)
    done(office.second.post(here, why))
    assert isinstance(state_of(office.served, round_id), Cancelled)


def test_two_people_abandon_a_project_outside_of_a_round(office: Office) -> None:
    project_id = office.projects[0]
    here, words = f"/office/projects/{project_id}", {"words": "Le porteur est parti."}
    gone = person(office.served, "officer")
    done(signed_in(office.served, gone.account_id).post(f"{here}/abandonment", words))
    page = office.first.get(here).text
    assert "proposes to abandon it." in page
    agreed = {"words_sha256": page.split('name="words_sha256" value="')[1][:64]}
    people.disable(office.served.context, "test", gone.account_id)
    assert "/abandonment/agreement" not in office.first.get(here).text
    answer = office.first.post(f"{here}/abandonment/agreement", agreed)
    office.says(answer, "Nobody proposes this any more")
    done(office.officer.post(f"{here}/abandonment", words))
    assert ended(office, project_id) is None
    done(office.first.post(f"{here}/abandonment/agreement", agreed))
    assert ended(office, project_id) == "abandoned"


def ended(office: Office, project_id: UUID) -> str | None:
    state = round_steps.project_of(office.served.context, project_id)
    assert isinstance(state, Drafted)
    return state.ended
