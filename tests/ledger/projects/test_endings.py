"""A project ends by two people, and not while a round would lose by it."""

from collections.abc import Iterable

import pytest

from ledger.projects.project_events import (
    AbandonmentProposed,
    ProjectAbandoned,
    ProjectEvent,
    ProjectStarted,
    RoundEntered,
)
from ledger.projects.projects import project
from ledger.projects.state import AbandonmentNotProposed, ProjectInRound, ProposerAgrees
from tests.ledger.projects.test_projects import (
    ABANDON,
    AGREE,
    ANNE,
    BRUNO,
    COMPLETE,
    DRAFTED,
    ENTERED,
    GRANTED,
    MEET,
    NEXT,
    PUBLIC,
    STORED,
    TODAY,
    WORDS,
    WRITTEN,
)
from tests.spec import given

STARTED = ProjectStarted(**STORED, started_on=TODAY)
PROPOSED = AbandonmentProposed(**STORED, words_sha256=WORDS, proposed_on=TODAY)
HERS = AGREE.model_copy(update={"actor": BRUNO})
LIVING: dict[str, tuple[ProjectEvent, ...]] = {
    "a draft": (DRAFTED,),
    "a sheet": (DRAFTED, WRITTEN),
    "published": PUBLIC,
    "granted": (*PUBLIC, ENTERED, GRANTED),
    "under way": (*PUBLIC, ENTERED, GRANTED, STARTED),
    "in a round": (*PUBLIC, ENTERED),
}


@pytest.mark.parametrize("history", LIVING.values(), ids=LIVING)
def test_nobody_abandons_a_project_alone(history: tuple[ProjectEvent, ...]) -> None:
    given(project, *history).when(ABANDON).then(PROPOSED)
    given(project, *history, PROPOSED).when(ABANDON).then()
    given(project, *history, PROPOSED).when(AGREE).then_refused(ProposerAgrees)
    given(project, *history).when(HERS).then_refused(AbandonmentNotProposed)
    ended = project.decide(HERS, project.fold((*history, PROPOSED)))
    assert [type(event) for event in ended] == [ProjectAbandoned]


@pytest.mark.parametrize("void", [{"lapsed": (ANNE,)}, {"interested": (ANNE,)}])
def test_who_may_not_propose_it_any_more_does_not_count(void: dict[str, Iterable[str]]) -> None:
    """Her account was disabled since, or she declared an interest: another one proposes anew."""
    command = HERS.model_copy(update=void)
    given(project, *PUBLIC, PROPOSED).when(command).then_refused(AbandonmentNotProposed)
    hers = PROPOSED.model_copy(update={"actor": BRUNO})
    given(project, *PUBLIC, PROPOSED).when(ABANDON.model_copy(update={"actor": BRUNO})).then(hers)
    his = AGREE.model_copy(update={"actor": ANNE})
    ended = project.decide(his, project.fold((*PUBLIC, PROPOSED, hers)))
    assert [type(event) for event in ended] == [ProjectAbandoned]


def test_what_was_abandoned_by_one_person_before_stays_so() -> None:
    ended = ProjectAbandoned(
        **STORED, words_sha256=WORDS, if_abandoned=None, granted_cents=0, abandoned_on=TODAY
    )
    given(project, DRAFTED, ended).when(HERS).then()


def test_nobody_completes_a_project_that_a_round_is_about() -> None:
    """Its award would be withheld from it: one officer could take away what people voted."""
    again = RoundEntered(**STORED, round_id=NEXT, goal_cents=40_000, entered_on=TODAY)
    history: list[ProjectEvent] = [*PUBLIC, ENTERED, GRANTED, STARTED]
    history += project.decide(MEET, project.fold(history))
    given(project, *history, again).when(COMPLETE).then_refused(ProjectInRound)
    assert project.decide(COMPLETE, project.fold(history))
