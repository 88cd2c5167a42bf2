"""A project enters a round with the sheet that the round was approved with."""

from ledger.projects.projects import project
from ledger.projects.state import SheetDiffers
from tests.ledger.projects.test_projects import ENTER, ENTERED, PUBLIC, sheet
from tests.spec import given


def test_another_sheet_enters_no_round() -> None:
    named = ENTER.model_copy(update={"sheet_number": 1})
    given(project, *PUBLIC).when(named).then(ENTERED)
    later = [*PUBLIC, *project.decide(sheet(theme="sport"), project.fold(PUBLIC))]
    given(project, *later).when(named).then_refused(SheetDiffers)
    given(project, *later).when(ENTER).then(ENTERED)
    # What entered stays, whatever is asked again.
    given(project, *later, ENTERED).when(named).then()
