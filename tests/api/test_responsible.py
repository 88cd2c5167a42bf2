"""Who is responsible for a project: known by her address, and the same as long as people vote."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from ledger.projects.project_events import EnterRound, LeaveRound
from ledger.projects.projects import project
from tests.api import test_sheets
from tests.api.people import Browser, person, signed_in
from tests.api.served import Served
from tests.api.sheets import SHEET, done
from tests.api.test_sheets import state_of

prepared, officer, path = test_sheets.prepared, test_sheets.officer, test_sheets.path
IN_ROUND = "until its result, the sheet stays"


def known(served: Served, path: str) -> dict[str, str]:
    sheet = state_of(served, path).sheet
    assert sheet is not None
    return served.context.vault.fields(sheet.responsible_id)


def test_her_account_leaves_the_project_to_others(
    served: Served, officer: Browser, path: str
) -> None:
    carrier = person(served, "officer", "committee")
    hers = signed_in(served, carrier.account_id)
    done(officer.post(f"{path}/sheet", SHEET | {"responsible_email": carrier.email.upper()}))
    assert hers.post(f"{path}/publication").status_code == httpx.codes.FORBIDDEN
    assert "You have an interest in this project" in hers.get(path).text
    done(officer.post(f"{path}/publication"))
    # Somebody else is responsible now, of whom no address is known.
    done(officer.post(f"{path}/sheet", SHEET | {"responsible": "Lucie Martin"}))
    assert known(served, path) == {"name": "Lucie Martin", "email": ""}
    assert "You have an interest in this project" not in hers.get(path).text


@pytest.mark.parametrize(
    "changes", [{"responsible": "Lucie Martin"}, {"responsible_email": "lucie@exemple.fr"}]
)
def test_she_stays_while_people_vote(
    served: Served, officer: Browser, path: str, changes: dict[str, str]
) -> None:
    sheet = SHEET | {"responsible_email": "odette@exemple.fr"}
    done(officer.post(f"{path}/sheet", sheet))
    done(officer.post(f"{path}/publication"))
    before, ledger = known(served, path), served.context.ledger
    project_id = UUID(path.rsplit("/", 1)[1])
    at = ledger.history(project, project_id)[0].event.recorded_at
    about: dict[str, Any] = {
        "at": at,
        "actor": "clock",
        "project_id": project_id,
        "round_id": uuid4(),
    }
    ledger.handle(project, project_id, EnterRound(**about))
    answer = officer.post(f"{path}/sheet", sheet | changes)
    assert (answer.status_code, IN_ROUND in answer.text) == (httpx.codes.CONFLICT, True)
    assert known(served, path) == before
    ledger.handle(project, project_id, LeaveRound(**about))
    done(officer.post(f"{path}/sheet", sheet | changes))
    assert known(served, path) != before
