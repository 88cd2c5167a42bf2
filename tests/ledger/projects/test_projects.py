from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from ledger.calendar import civil_day
from ledger.decider import Refused
from ledger.projects.project_events import (
    AbandonmentProposed,
    AbandonProject,
    AgreeToAbandon,
    AwardGrant,
    ChangeMilestone,
    CompleteProject,
    DraftProject,
    EnterRound,
    GrantAwarded,
    LeaveRound,
    MeetMilestone,
    ProjectAbandoned,
    ProjectCommand,
    ProjectDrafted,
    ProjectEvent,
    ProjectPublished,
    PublishProject,
    RoundEntered,
    RoundLeft,
    SheetWritten,
    StartProject,
    WriteSheet,
)
from ledger.projects.projects import project
from ledger.projects.sheet import BudgetDiffersFromGoal, PlannedMilestone, Sheet
from ledger.projects.state import (
    AbandonmentNotProposed,
    ActorHasInterest,
    Drafted,
    GrantDiffers,
    MetInFuture,
    MilestonesOpen,
    MilestonesPublished,
    NotInRound,
    ProjectHasEnded,
    ProjectInRound,
    ProjectNotGranted,
    ProjectNotPublished,
    ProjectNotUnderWay,
    ProposerAgrees,
    SheetFrozen,
    SheetInRound,
    SheetMissing,
)
from tests.spec import given

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = civil_day(NOON)
PROJECT, IDEA, ROUND, NEXT = (UUID(int=n) for n in (1, 2, 3, 4))
ANNE, BRUNO = (f"account:{UUID(int=number)}" for number in (11, 12))
WORDS, RESULT = "a" * 64, "b" * 64
BY: dict[str, Any] = {"at": NOON, "actor": ANNE, "project_id": PROJECT}
STORED: dict[str, Any] = {"recorded_at": NOON, "actor": ANNE, "project_id": PROJECT}
SHEET = Sheet(
    document_sha256=WORDS,
    theme="water",
    place="le-thor",
    territory_version=1,
    goal_cents=100_000,
    other_cents=20_000,
    line_cents=(90_000, 30_000),
    carrier_id=UUID(int=21),
    beneficiary_id=UUID(int=22),
    payee_id=UUID(int=23),
    responsible_id=UUID(int=24),
    milestones=(PlannedMilestone(key="m1", due_on=date(2027, 4, 1)),),
    if_abandoned="next_round",
)


def sheet(**changes: Any) -> WriteSheet:
    return WriteSheet(sheet=SHEET.model_copy(update=changes), **BY)


DRAFTED = ProjectDrafted(**STORED, idea_ids=(IDEA,), drafted_on=TODAY)
WRITTEN = SheetWritten(**STORED, number=1, sheet=SHEET, written_on=TODAY)
PUBLISHED = ProjectPublished(**STORED, number=1, document_sha256=WORDS, published_on=TODAY)
ENTERED = RoundEntered(**STORED, round_id=ROUND, goal_cents=100_000, entered_on=TODAY)
ENTER = EnterRound(**BY, round_id=ROUND)
AWARD = AwardGrant(**BY, round_id=ROUND, amount_cents=60_000, result_sha256=RESULT)
GRANTED = GrantAwarded(
    **STORED, round_id=ROUND, amount_cents=60_000, result_sha256=RESULT, awarded_on=TODAY
)
START = StartProject(**BY)
MEET = MeetMilestone(**BY, milestone="m1", met_on=TODAY)
COMPLETE = CompleteProject(**BY, results_sha256=RESULT)
ABANDON = AbandonProject(**BY, words_sha256=WORDS)
AGREE = AgreeToAbandon(**BY, words_sha256=WORDS)
PUBLIC = (DRAFTED, WRITTEN, PUBLISHED)


class TestDrafted:
    def test_its_sheet_is_written(self) -> None:
        given(project, DRAFTED).when(sheet()).then(WRITTEN)

    def test_the_budget_adds_up(self) -> None:
        given(project, DRAFTED).when(sheet(goal_cents=99_999)).then_refused(BudgetDiffersFromGoal)

    def test_it_is_not_published_without_a_sheet(self) -> None:
        given(project, DRAFTED).when(PublishProject(**BY)).then_refused(SheetMissing)
        given(project, DRAFTED, WRITTEN).when(PublishProject(**BY)).then(PUBLISHED)

    def test_a_draft_enters_no_round(self) -> None:
        given(project, DRAFTED, WRITTEN).when(ENTER).then_refused(ProjectNotPublished)


class TestPublished:
    def test_it_enters_a_round_with_what_it_still_needs(self) -> None:
        given(project, *PUBLIC).when(ENTER).then(ENTERED)
        again = EnterRound(**BY, round_id=NEXT)
        needs = RoundEntered(**STORED, round_id=NEXT, goal_cents=40_000, entered_on=TODAY)
        given(project, *PUBLIC, ENTERED, GRANTED).when(again).then(needs)

    def test_it_is_in_one_round_at_a_time(self) -> None:
        # Else each of them could give it its whole goal.
        again = EnterRound(**BY, round_id=NEXT)
        given(project, *PUBLIC, ENTERED).when(again).then_refused(ProjectInRound)

    def test_it_enters_again_the_round_that_was_drafted_without_it(self) -> None:
        leave = LeaveRound(**BY, round_id=ROUND, why="round_redrafted")
        left = RoundLeft(**STORED, round_id=ROUND, why="round_redrafted", left_on=TODAY)
        given(project, *PUBLIC, ENTERED).when(leave).then(left)
        given(project, *PUBLIC, ENTERED, left).when(ENTER).then(ENTERED)
        given(project, *PUBLIC, ENTERED, left, ENTERED).when(AWARD).then(GRANTED)
        given(project, *PUBLIC, ENTERED, left, ENTERED).when(leave).then(left)

    def test_milestones_change_one_by_one(self) -> None:
        moved = (PlannedMilestone(key="m1", due_on=date(2028, 1, 1)),)
        given(project, *PUBLIC).when(sheet(milestones=moved)).then_refused(MilestonesPublished)

    def test_it_is_not_under_way_without_money(self) -> None:
        given(project, *PUBLIC).when(START).then_refused(ProjectNotGranted)
        given(project, *PUBLIC).when(AWARD).then_refused(NotInRound)


class TestInRound:
    @pytest.mark.parametrize(
        "changes",
        [
            {"payee_id": UUID(int=99)},
            {"if_abandoned": "foundation"},
            {"goal_cents": 110_000, "other_cents": 10_000},
        ],
    )
    def test_what_is_voted_upon_is_frozen(self, changes: dict[str, Any]) -> None:
        given(project, *PUBLIC, ENTERED).when(sheet(**changes)).then_refused(SheetFrozen)

    def test_it_is_granted_once(self) -> None:
        given(project, *PUBLIC, ENTERED).when(AWARD).then(GRANTED)
        other = AWARD.model_copy(update={"amount_cents": 1})
        given(project, *PUBLIC, ENTERED, GRANTED).when(other).then_refused(GrantDiffers)

    def test_it_gets_nothing(self) -> None:
        nothing = AWARD.model_copy(update={"amount_cents": 0})
        left = RoundLeft(
            **STORED, round_id=ROUND, why="not_funded", result_sha256=RESULT, left_on=TODAY
        )
        given(project, *PUBLIC, ENTERED).when(nothing).then(left)

    def test_its_round_is_cancelled(self) -> None:
        left = RoundLeft(**STORED, round_id=ROUND, why="round_cancelled", left_on=TODAY)
        given(project, *PUBLIC, ENTERED).when(LeaveRound(**BY, round_id=ROUND)).then(left)

    def test_it_dies_by_the_rule_it_declared(self) -> None:
        died = ProjectAbandoned(
            **STORED,
            words_sha256=WORDS,
            if_abandoned="next_round",
            granted_cents=0,
            round_ids=(ROUND,),
            abandoned_on=TODAY,
        )
        proposed = AbandonmentProposed(**STORED, words_sha256=WORDS, proposed_on=TODAY)
        history = (*PUBLIC, ENTERED, proposed)
        given(project, *PUBLIC, ENTERED).when(ABANDON).then(proposed)
        given(project, *history).when(ABANDON).then()
        given(project, *history).when(AGREE).then_refused(ProposerAgrees)
        hers = AGREE.model_copy(update={"actor": BRUNO})
        died = died.model_copy(update={"actor": BRUNO})
        given(project, *history).when(hers).then(died)
        given(project, *history, died).when(hers).then()
        given(project, *history, died).when(AWARD).then_refused(ProjectHasEnded)

    def test_nobody_agrees_to_what_was_not_proposed_or_is_over(self) -> None:
        hers = AGREE.model_copy(update={"actor": BRUNO})
        given(project, *PUBLIC, ENTERED).when(hers).then_refused(AbandonmentNotProposed)
        proposed = AbandonmentProposed(**STORED, words_sha256=RESULT, proposed_on=TODAY)
        history = (*PUBLIC, ENTERED, proposed)
        given(project, *history).when(hers).then_refused(AbandonmentNotProposed)
        again = RoundEntered(**STORED, round_id=NEXT, goal_cents=40_000, entered_on=TODAY)
        left = RoundLeft(**STORED, round_id=ROUND, why="round_cancelled", left_on=TODAY)
        same = hers.model_copy(update={"words_sha256": RESULT})
        for later in ((GRANTED,), (GRANTED, again), (left,)):
            given(project, *history, *later).when(same).then_refused(AbandonmentNotProposed)

    @pytest.mark.parametrize(
        "changes",
        [
            {"document_sha256": RESULT},
            {"theme": "sport"},
            {"place": "isle-gare"},
            {"line_cents": (60_000, 60_000)},
            {"other_cents": 30_000, "line_cents": (100_000, 30_000)},
            {"pictures": (WORDS,)},
        ],
    )
    def test_what_people_read_when_they_vote_stays(self, changes: dict[str, Any]) -> None:
        change = sheet(**changes)
        given(project, *PUBLIC, ENTERED).when(change).then_refused(SheetInRound)
        written = project.decide(change, project.fold((*PUBLIC, ENTERED, GRANTED)))
        assert len(written) == 1


class TestUnderWay:
    def test_milestones_are_met_moved_or_given_up_before_it_is_completed(self) -> None:
        granted = (*PUBLIC, ENTERED, GRANTED)
        given(project, *granted).when(MEET).then_refused(ProjectNotUnderWay)
        history = [*granted, *project.decide(START, project.fold(granted))]
        given(project, *history).when(COMPLETE).then_refused(MilestonesOpen)
        early = MEET.model_copy(update={"met_on": TODAY + timedelta(days=1)})
        given(project, *history).when(early).then_refused(MetInFuture)
        drop = ChangeMilestone(**BY, milestone="m1", words_sha256=WORDS)
        for command in (drop, COMPLETE):
            history += project.decide(command, project.fold(history))
        given(project, *history).when(ABANDON).then_refused(ProjectHasEnded)


COMMANDS: list[ProjectCommand] = [
    DraftProject(**BY, idea_ids=(IDEA,)),
    sheet(),
    sheet(theme="sport"),
    sheet(payee_id=UUID(int=99)),
    PublishProject(**BY),
    ENTER,
    EnterRound(**BY, round_id=NEXT),
    AWARD,
    AWARD.model_copy(update={"amount_cents": 0}),
    LeaveRound(**BY, round_id=NEXT),
    START,
    MEET,
    ChangeMilestone(**BY, milestone="m1", due_on=date(2028, 1, 1), words_sha256=WORDS),
    COMPLETE,
    ABANDON,
    AGREE,
    AGREE.model_copy(update={"actor": BRUNO}),
]


@for_all(st.lists(st.sampled_from(COMMANDS), max_size=40))
def test_commands_can_be_repeated_and_no_grant_or_provenance_is_lost(
    commands: list[ProjectCommand],
) -> None:
    history: list[ProjectEvent] = []
    for command in [COMMANDS[0], sheet(), PublishProject(**BY), *commands]:
        try:
            history += project.decide(command, project.fold(history))
        except Refused:
            continue
        assert not project.decide(command, project.fold(history))
    state = project.fold(history)
    assert isinstance(state, Drafted)
    assert state.idea_ids == (IDEA,)
    granted = [event.amount_cents for event in history if isinstance(event, GrantAwarded)]
    assert state.granted_cents == sum(granted)
    assert set(state.rounds) <= set(state.entered)
    ends = [
        event
        for event in history
        if type(event).__name__ in {"ProjectCompleted", "ProjectAbandoned"}
    ]
    assert len(ends) == (state.ended is not None)


@pytest.mark.parametrize(
    "command",
    [
        WriteSheet(sheet=SHEET, **BY, interested=(ANNE,)),
        PublishProject(**BY, interested=(ANNE,)),
        StartProject(**BY, interested=(ANNE,)),
        MeetMilestone(**BY, milestone="m1", met_on=TODAY, interested=(ANNE,)),
        ChangeMilestone(**BY, milestone="m1", words_sha256=WORDS, interested=(ANNE,)),
        CompleteProject(**BY, results_sha256=WORDS, interested=(ANNE,)),
        AbandonProject(**BY, words_sha256=WORDS, interested=(ANNE,)),
        AgreeToAbandon(**BY, words_sha256=WORDS, interested=(ANNE,)),
        AwardGrant(**BY, round_id=ROUND, amount_cents=1, result_sha256=RESULT, interested=(ANNE,)),
    ],
    ids=lambda command: type(command).__name__,
)
def test_who_has_an_interest_leaves_it_to_others(command: ProjectCommand) -> None:
    given(project, DRAFTED, WRITTEN).when(command).then_refused(ActorHasInterest)
