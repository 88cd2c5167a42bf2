"""Two people decide while both of them may: who was disabled or left the committee is no second."""

from typing import Any

import pytest

from ledger.rounds import round_
from ledger.rounds.commands import OpenRound, RoundNotApproved
from ledger.rounds.events import CancellationProposed
from tests.ledger.rounds.test_life import (
    ADOPTED,
    APPROVED,
    CANCEL,
    OPENED,
    PROPOSED,
    SENT_BACK,
    TALLIED,
    YES,
    YES_BRUNO,
    YES_CHLOE,
    approved,
    by,
    of,
)
from tests.rounds import ANNE, BRUNO, CHLOE, DORA
from tests.spec import given

HERS = YES.model_copy(update={"actor": CHLOE})
GONE: list[dict[str, Any]] = [{"lapsed": (BRUNO,)}, {"interested": (BRUNO,)}]


@pytest.mark.parametrize("void", GONE)
def test_a_result_is_adopted_by_two_who_may_still_decide(void: dict[str, Any]) -> None:
    alone = HERS.model_copy(update=void)
    given(round_, *TALLIED, YES_BRUNO).when(alone).then(YES_CHLOE)
    third = YES.model_copy(update={"actor": DORA} | void)
    events = round_.decide(third, round_.fold([*TALLIED, YES_BRUNO, YES_CHLOE]))
    assert [type(event).__name__ for event in events] == ["ResultApproved", "RoundAdopted"]


def test_whoever_is_let_in_again_counts_again() -> None:
    given(round_, *TALLIED, YES_BRUNO, YES_CHLOE).when(HERS).then(ADOPTED[-1])


def test_a_round_opens_by_approvals_that_still_count() -> None:
    command = OpenRound(**by(ANNE), lapsed=(BRUNO,))
    given(round_, *APPROVED).when(command).then_refused(RoundNotApproved)
    given(round_, *APPROVED, approved(DORA)).when(command).then(OPENED)


@pytest.mark.parametrize("void", [{"lapsed": (ANNE,)}, {"interested": (ANNE,)}])
def test_nobody_agrees_with_who_may_not_cancel_any_more(void: dict[str, Any]) -> None:
    proposed = CancellationProposed(reason="irregular", **of(BRUNO))
    command = CANCEL.model_copy(update=void)
    given(round_, *SENT_BACK, PROPOSED).when(command).then(proposed)
