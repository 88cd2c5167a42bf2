from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from ledger.decider import Refused
from ledger.partners.complaints import (
    AnswerComplaint,
    CloseComplaint,
    ComplaintAnswered,
    ComplaintClosed,
    ComplaintCommand,
    ComplaintDiffers,
    ComplaintEvent,
    ComplaintIsClosed,
    ComplaintJudgedByPartner,
    ComplaintNotAnswered,
    ComplaintNotFound,
    ComplaintOpened,
    OpenComplaint,
    Outcome,
    complaint,
)
from ledger.partners.deadlines import ANSWER_WITHIN
from tests.ledger.partners.papers import ANNE, NOON, PEOPLE, SHOP, SHOPKEEPER, TODAY
from tests.spec import given

COMPLAINT, WITNESS = UUID(int=1), UUID(int=2)
WHO: dict[str, Any] = {"complaint_id": COMPLAINT}


def open_it(**changes: Any) -> OpenComplaint:
    told: dict[str, Any] = {"partner_id": SHOP, "subject_id": WITNESS, "topic": "gift_missing"}
    return OpenComplaint(at=NOON, actor="public", **WHO | told | changes)


def answer(actor: str = ANNE) -> AnswerComplaint:
    return AnswerComplaint(at=NOON, actor=actor, partner_people=PEOPLE, **WHO)


def close(outcome: Outcome = "upheld", actor: str = ANNE) -> CloseComplaint:
    return CloseComplaint(at=NOON, actor=actor, partner_people=PEOPLE, outcome=outcome, **WHO)


OPENED = ComplaintOpened(
    recorded_at=NOON,
    actor="public",
    partner_id=SHOP,
    subject_id=WITNESS,
    topic="gift_missing",
    opened_on=TODAY,
    answer_due_on=TODAY + ANSWER_WITHIN,
    **WHO,
)
ANSWERED = ComplaintAnswered(
    recorded_at=NOON, actor=ANNE, partner_id=SHOP, answered_on=TODAY, **WHO
)
CLOSED = ComplaintClosed(
    recorded_at=NOON, actor=ANNE, partner_id=SHOP, outcome="upheld", closed_on=TODAY, **WHO
)


class TestUnopened:
    def test_anybody_opens_one_and_reads_when_it_is_answered(self) -> None:
        given(complaint).when(open_it()).then(OPENED)
        assert OPENED.answer_due_on - OPENED.opened_on == timedelta(days=30)

    @pytest.mark.parametrize("command", [answer(), close()])
    def test_nothing_else_is_done(self, command: ComplaintCommand) -> None:
        given(complaint).when(command).then_refused(ComplaintNotFound)


class TestOpened:
    def test_the_same_again_is_a_repeat(self) -> None:
        given(complaint, OPENED).when(open_it()).then()

    def test_another_one_under_its_id_is_refused(self) -> None:
        given(complaint, OPENED).when(open_it(topic="staff")).then_refused(ComplaintDiffers)

    def test_it_is_answered(self) -> None:
        given(complaint, OPENED).when(answer()).then(ANSWERED)

    @pytest.mark.parametrize("command", [answer(SHOPKEEPER), close("withdrawn", SHOPKEEPER)])
    def test_the_partner_does_not_judge_it(self, command: ComplaintCommand) -> None:
        given(complaint, OPENED).when(command).then_refused(ComplaintJudgedByPartner)

    def test_it_is_not_closed_before_its_answer(self) -> None:
        given(complaint, OPENED).when(close()).then_refused(ComplaintNotAnswered)

    def test_it_is_withdrawn_without_one(self) -> None:
        withdrawn = CLOSED.model_copy(update={"outcome": "withdrawn"})
        given(complaint, OPENED).when(close("withdrawn")).then(withdrawn)


class TestAnswered:
    def test_it_is_closed_with_an_outcome(self) -> None:
        given(complaint, OPENED, ANSWERED).when(close()).then(CLOSED)


class TestClosed:
    def test_another_outcome_is_refused(self) -> None:
        given(complaint, OPENED, ANSWERED, CLOSED).when(close("not_upheld")).then_refused(
            ComplaintIsClosed
        )

    def test_a_withdrawn_one_is_not_answered_any_more(self) -> None:
        withdrawn = CLOSED.model_copy(update={"outcome": "withdrawn"})
        given(complaint, OPENED, withdrawn).when(answer()).then_refused(ComplaintIsClosed)


commands: st.SearchStrategy[Any] = st.sampled_from(
    [open_it(), open_it(topic="staff"), answer(), close(), close("withdrawn"), close("not_upheld")]
)


@for_all(st.lists(commands, max_size=12))
def test_a_command_carried_out_can_be_repeated(commands: list[ComplaintCommand]) -> None:
    history: list[ComplaintEvent] = []
    for command in commands:
        try:
            history += complaint.decide(command, complaint.fold(history))
        except Refused:
            continue
        assert not complaint.decide(command, complaint.fold(history))
