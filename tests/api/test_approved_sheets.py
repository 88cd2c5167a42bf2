"""Two people approve a round with the sheets as they are: another payee is another round."""

from datetime import UTC, datetime
from uuid import UUID

from api import round_steps
from ledger.projects.project_events import WriteSheet
from ledger.projects.projects import project
from ledger.projects.state import Drafted
from ledger.rounds.state import Drafted as DraftedRound
from ledger.rounds.state import Opened
from tests.api import round_office
from tests.api.round_office import ANNE, Office, done, state_of
from tests.api.test_round_openings import approved, opens

office = round_office.office


def test_a_sheet_that_was_written_since_the_approval_opens_no_round(office: Office) -> None:
    round_id, project_id = approved(office), office.projects[0]
    known = state_of(office.served, round_id)
    assert isinstance(known, DraftedRound)
    assert {one.sheet_number for one in known.definition.projects} == {1}
    state = round_steps.project_of(office.served.context, project_id)
    assert isinstance(state, Drafted)
    assert state.sheet is not None
    command = WriteSheet(
        at=datetime.now(UTC),
        actor=ANNE,
        project_id=project_id,
        sheet=state.sheet.model_copy(update={"payee_id": UUID(int=666)}),
    )
    office.served.context.ledger.handle(project, project_id, command)
    office.says(opens(office, round_id), "written anew since")
    for one in office.projects:
        left = round_steps.project_of(office.served.context, one)
        assert isinstance(left, Drafted)
        assert left.rounds == ()
    office.follow()
    answer = office.drafts(round_id)
    done(answer)
    for browser in (office.first, office.second):
        done(office.approves(browser, round_id))
    done(opens(office, round_id))
    assert isinstance(state_of(office.served, round_id), Opened)
    office.follow()
    told = office.served.client.get(f"/api/v1/rounds/{round_id}").json()["definition"]
    numbers = {one["project_id"]: one["sheet_number"] for one in told["projects"]}
    assert numbers[str(project_id)] == 2
