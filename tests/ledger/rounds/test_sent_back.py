"""One member sends a result back once: counted again to the same, it is no longer hers alone."""

from typing import Any

import pytest

from ledger.rounds import round_
from ledger.rounds.commands import SentBackBefore
from ledger.rounds.events import RoundTallied
from tests.ledger.rounds.test_life import (
    BACK,
    SEND_BACK,
    SENT_BACK,
    TALLIED,
    YES,
    YES_BRUNO,
    of,
    tally,
)
from tests.rounds import CHLOE
from tests.spec import given

AGAIN = [*SENT_BACK, TALLIED[-1]]


@pytest.mark.parametrize("changes", [{}, {"reason": "program_wrong"}, {"words_sha256": "d" * 64}])
def test_the_same_result_is_sent_back_by_another_member(changes: dict[str, Any]) -> None:
    command = SEND_BACK.model_copy(update=changes)
    given(round_, *AGAIN).when(command).then_refused(SentBackBefore)
    hers = SEND_BACK.model_copy(update={"actor": CHLOE})
    given(round_, *AGAIN).when(hers).then(BACK.model_copy(update={"actor": CHLOE}))
    given(round_, *AGAIN).when(YES).then(YES_BRUNO)


def test_another_result_may_be_sent_back_by_the_same_member() -> None:
    other = "e" * 64
    counted = RoundTallied(tally=tally(result_sha256=other), **of("clock"))
    command = SEND_BACK.model_copy(update={"result_sha256": other})
    given(round_, *SENT_BACK, counted).when(command).then(
        BACK.model_copy(update={"result_sha256": other})
    )
