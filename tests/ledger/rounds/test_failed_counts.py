"""That a round cannot be counted is known by a try, and nobody cancels it for that before."""

from typing import Any

import pytest

from ledger.decider import Refused
from ledger.rounds import round_
from ledger.rounds.commands import (
    CountNotTried,
    RecordFailure,
    RoundCommand,
    RoundNotCancellable,
    RoundNotOpened,
)
from ledger.rounds.events import CancellationProposed, CountFailed, RoundEvent
from ledger.rounds.state import Closed
from tests.ledger.rounds.test_life import (
    ADOPTED,
    BACK,
    CANCEL,
    CANCELLED,
    CLOSED,
    OPEN,
    PROPOSED,
    RECORD,
    SENT_BACK,
    TALLIED,
    by,
    drafted,
    of,
)
from tests.rounds import BRUNO, CHLOE
from tests.spec import given

FAILED = CountFailed(why="AmountOutOfBounds", **of("clock"))
TRY = RecordFailure(why="AmountOutOfBounds", **by("clock"))
WHY: dict[str, Any] = {"reason": "count_impossible"}
IMPOSSIBLE = CANCEL.model_copy(update=WHY)


@pytest.mark.parametrize(
    ("history", "command", "events"),
    [
        (CLOSED, TRY, [FAILED]),
        ([*CLOSED, FAILED], TRY, []),
        # Another program may fail for another reason, or may count it after all.
        (
            [*CLOSED, FAILED],
            TRY.model_copy(update={"why": "ValueError"}),
            [FAILED.model_copy(update={"why": "ValueError"})],
        ),
        ([*CLOSED, FAILED], RECORD, [TALLIED[-1]]),
        # What fails later, where a result stands, says nothing of the round.
        (TALLIED, TRY, []),
        (ADOPTED, TRY, []),
        ([*SENT_BACK, PROPOSED, CANCELLED], TRY, []),
        (
            [*CLOSED, FAILED],
            IMPOSSIBLE,
            [CancellationProposed(reason="count_impossible", **of(BRUNO))],
        ),
    ],
)
def test_a_failure_is_noted(
    history: list[RoundEvent], command: RoundCommand, events: list[RoundEvent]
) -> None:
    given(round_, *history).when(command).then(*events)


@pytest.mark.parametrize(
    ("history", "command", "refusal"),
    [
        (CLOSED, IMPOSSIBLE, CountNotTried),
        ([drafted()], IMPOSSIBLE, CountNotTried),
        # There was a result: the reason to cancel is another one.
        (SENT_BACK, IMPOSSIBLE, CountNotTried),
        # What failed before the result that was sent back says nothing of the next count.
        ([*CLOSED, FAILED, TALLIED[-1], BACK], IMPOSSIBLE, CountNotTried),
        ([*CLOSED, FAILED], CANCEL, RoundNotCancellable),
        ([drafted()], TRY, RoundNotOpened),
        (OPEN, TRY, RoundNotOpened),
    ],
)
def test_nobody_says_so_without_a_try(
    history: list[RoundEvent], command: RoundCommand, refusal: type[Refused]
) -> None:
    given(round_, *history).when(command).then_refused(refusal)


def test_a_cancellation_that_was_proposed_in_vain_is_not_agreed_to() -> None:
    proposed = PROPOSED.model_copy(update=WHY | {"actor": CHLOE})
    given(round_, *CLOSED, proposed).when(IMPOSSIBLE).then_refused(CountNotTried)
    state = round_.fold([*CLOSED, FAILED, proposed])
    assert isinstance(state, Closed)
    assert state.failed == FAILED
