from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from ledger.calendar import civil_day
from ledger.decider import Refused
from ledger.projects.criteria import CRITERIA
from ledger.projects.evaluation import CriteriaUnknown, ScoresIncomplete, TooFewEvaluators
from ledger.projects.idea_events import (
    AcceptIdea,
    CloseEvaluation,
    DeclareIdeaConflict,
    IdeaAccepted,
    IdeaCommand,
    IdeaConflictDeclared,
    IdeaEvaluated,
    IdeaEvaluationVoided,
    IdeaEvent,
    IdeaProposed,
    IdeaRefused,
    IdeaScored,
    MergeIdea,
    ProposeIdea,
    RefuseIdea,
    Score,
    ScoreIdea,
    TurnIntoProject,
    WithholdIdeaText,
)
from ledger.projects.ideas import (
    EvaluatorHasInterest,
    EvaluatorIsAuthor,
    EvaluatorWithoutAccount,
    IdeaCannotMerge,
    IdeaDiffers,
    IdeaModerated,
    IdeaNotAccepted,
    IdeaNotFound,
    IdeaNotRetained,
    PlaceUnknown,
    Standing,
    idea,
)
from tests.spec import given

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = civil_day(NOON)
IDEA, OTHER, AUTHOR, PROJECT = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4)
ANNE, BRUNO, CHLOE = (f"account:{UUID(int=n)}" for n in (11, 12, 13))
TEXT, WORDS = "a" * 64, "b" * 64
KNOWN = CRITERIA[-1]


def by(actor: str) -> dict[str, Any]:
    return {"at": NOON, "actor": actor, "idea_id": IDEA}


def stored(actor: str) -> dict[str, Any]:
    return {"recorded_at": NOON, "actor": actor, "idea_id": IDEA}


TOLD: dict[str, Any] = {
    "subject_id": AUTHOR,
    "theme": "nature",
    "place": "velorgues",
    "territory_version": 1,
    "tie": "lives_here",
}


def propose(**changes: Any) -> ProposeIdea:
    return ProposeIdea(**by("public"), **TOLD | changes)


def all_scores(share: int = 1) -> tuple[Score, ...]:
    found = [Score(criterion=one.key, points=one.points_max // share) for one in KNOWN.criteria]
    return tuple(sorted(found, key=lambda one: one.criterion))


def score(actor: str, share: int = 1, **changes: Any) -> ScoreIdea:
    told: dict[str, Any] = {"criteria_version": KNOWN.version, "scores": all_scores(share)}
    return ScoreIdea(**by(actor), **told | changes)


def scored(actor: str, share: int = 1) -> IdeaScored:
    return IdeaScored(
        **stored(actor),
        criteria_version=KNOWN.version,
        scores=all_scores(share),
        named=False,
        scored_on=TODAY,
    )


PROPOSED = IdeaProposed(**stored("public"), **TOLD, proposed_on=TODAY)
ACCEPTED = IdeaAccepted(**stored(ANNE), text_sha256=TEXT, accepted_on=TODAY)
REFUSED = IdeaRefused(**stored(ANNE), reason="unclear", words_sha256=WORDS, refused_on=TODAY)
CLOSE = CloseEvaluation(**by(ANNE))
EVALUATED = IdeaEvaluated(
    **stored(ANNE),
    criteria_version=KNOWN.version,
    evaluators=(ANNE, BRUNO),
    points=2 * KNOWN.points_max,
    points_max=2 * KNOWN.points_max,
    verdict="retained",
    evaluated_on=TODAY,
)
UNDER_EVALUATION = (PROPOSED, ACCEPTED, scored(ANNE), scored(BRUNO))


class TestUnproposed:
    def test_anybody_puts_one_forward(self) -> None:
        given(idea).when(propose()).then(PROPOSED)

    def test_a_place_is_of_the_territory_whatever_its_postcode(self) -> None:
        given(idea).when(propose(place="p-84800")).then_refused(PlaceUnknown)

    def test_nothing_else_is_done(self) -> None:
        given(idea).when(CLOSE).then_refused(IdeaNotFound)


class TestProposed:
    def test_another_one_under_its_id_is_refused(self) -> None:
        given(idea, PROPOSED).when(propose(theme="water")).then_refused(IdeaDiffers)

    def test_it_is_accepted(self) -> None:
        given(idea, PROPOSED).when(AcceptIdea(**by(ANNE), text_sha256=TEXT)).then(ACCEPTED)

    def test_it_is_refused_with_a_reason(self) -> None:
        refuse = RefuseIdea(**by(ANNE), reason="unclear", words_sha256=WORDS)
        given(idea, PROPOSED).when(refuse).then(REFUSED)

    def test_it_is_not_scored_yet(self) -> None:
        given(idea, PROPOSED).when(score(ANNE)).then_refused(IdeaNotAccepted)


class TestRefused:
    def test_the_reason_stays(self) -> None:
        another = RefuseIdea(**by(BRUNO), reason="commercial")
        given(idea, PROPOSED, REFUSED).when(another).then_refused(IdeaModerated)
        accept = AcceptIdea(**by(BRUNO), text_sha256=TEXT)
        given(idea, PROPOSED, REFUSED).when(accept).then_refused(IdeaModerated)


class TestAccepted:
    def test_it_is_scored(self) -> None:
        given(idea, PROPOSED, ACCEPTED).when(score(ANNE)).then(scored(ANNE))

    @pytest.mark.parametrize(
        ("command", "refusal"),
        [
            (score("console:root"), EvaluatorWithoutAccount),
            (score(ANNE, authors=(ANNE,)), EvaluatorIsAuthor),
            (score(ANNE, criteria_version=99), CriteriaUnknown),
            (score(ANNE, scores=all_scores()[1:]), ScoresIncomplete),
            (score(ANNE, scores=all_scores()[1:] * 2), ScoresIncomplete),
            (score(ANNE, scores=(Score(criterion="feasible", points=100),)), ScoresIncomplete),
        ],
    )
    def test_scores_that_cannot_be_taken(self, command: ScoreIdea, refusal: type[Refused]) -> None:
        given(idea, PROPOSED, ACCEPTED).when(command).then_refused(refusal)

    def test_one_evaluator_is_too_few(self) -> None:
        given(idea, PROPOSED, ACCEPTED, scored(ANNE)).when(CLOSE).then_refused(TooFewEvaluators)

    def test_scores_of_who_has_an_interest_do_not_count(self) -> None:
        declared = IdeaConflictDeclared(**stored(BRUNO))
        given(idea, *UNDER_EVALUATION).when(DeclareIdeaConflict(**by(BRUNO))).then(declared)
        given(idea, *UNDER_EVALUATION, declared).when(CLOSE).then_refused(TooFewEvaluators)
        given(idea, PROPOSED, ACCEPTED, declared).when(score(BRUNO)).then_refused(
            EvaluatorHasInterest
        )

    def test_it_is_evaluated(self) -> None:
        given(idea, *UNDER_EVALUATION).when(CLOSE).then(EVALUATED)

    def test_too_few_points_do_not_retain_it(self) -> None:
        low = (PROPOSED, ACCEPTED, scored(ANNE, 3), scored(BRUNO, 3))
        state = idea.fold(low)
        (event,) = idea.decide(CLOSE, state)
        assert isinstance(event, IdeaEvaluated)
        assert event.verdict == "not_retained"
        turn = TurnIntoProject(**by(ANNE), project_id=PROJECT)
        given(idea, *low, event).when(turn).then_refused(IdeaNotRetained)

    def test_it_is_merged_into_one_that_stands(self) -> None:
        for into, stands in ((OTHER, False), (IDEA, True)):
            merge = MergeIdea(**by(ANNE), into_idea_id=into, into_stands=stands)
            given(idea, PROPOSED, ACCEPTED).when(merge).then_refused(IdeaCannotMerge)


class TestEvaluated:
    def test_an_interest_declared_too_late_voids_the_evaluation(self) -> None:
        given(idea, *UNDER_EVALUATION, EVALUATED).when(DeclareIdeaConflict(**by(BRUNO))).then(
            IdeaConflictDeclared(**stored(BRUNO)), IdeaEvaluationVoided(**stored(BRUNO))
        )

    def test_that_of_a_bystander_does_not(self) -> None:
        given(idea, *UNDER_EVALUATION, EVALUATED).when(DeclareIdeaConflict(**by(CHLOE))).then(
            IdeaConflictDeclared(**stored(CHLOE))
        )


COMMANDS: list[IdeaCommand] = [
    propose(),
    propose(theme="sport"),
    AcceptIdea(**by(ANNE), text_sha256=TEXT),
    RefuseIdea(**by(ANNE), reason="unclear"),
    *(score(actor, share) for actor in (ANNE, BRUNO, CHLOE) for share in (1, 3)),
    *(CloseEvaluation(**by(actor)) for actor in (ANNE, BRUNO)),
    *(DeclareIdeaConflict(**by(actor)) for actor in (ANNE, BRUNO)),
    MergeIdea(**by(ANNE), into_idea_id=OTHER, into_stands=True),
    TurnIntoProject(**by(ANNE), project_id=PROJECT),
    WithholdIdeaText(**by(ANNE)),
]


@for_all(st.lists(st.sampled_from(COMMANDS), max_size=30))
def test_nothing_is_deleted_and_no_interested_score_ever_counts(
    commands: list[IdeaCommand],
) -> None:
    history: list[IdeaEvent] = []
    for command in [propose(), AcceptIdea(**by(ANNE), text_sha256=TEXT), *commands]:
        try:
            history += idea.decide(command, idea.fold(history))
        except Refused:
            continue
        state = idea.fold(history)
        assert not idea.decide(command, state)
        assert isinstance(state, Standing)
        # What was said once is still told: the proposal, the reason, every score, each interest.
        assert state.proposal == PROPOSED
        assert state.text_sha256 == (TEXT if len(history) > 1 else None)
        assert len(state.scores) == len({e.actor for e in history if isinstance(e, IdeaScored)})
        declared = [e.actor for e in history if isinstance(e, IdeaConflictDeclared)]
        assert list(state.conflicts) == declared
        if state.stage == "evaluated":
            assert state.evaluated is not None
            assert not set(state.evaluated.evaluators) & set(state.conflicts)
    for at, event in enumerate(history):
        if isinstance(event, IdeaEvaluated):
            before = idea.fold(history[:at])
            assert isinstance(before, Standing)
            assert not set(event.evaluators) & set(before.conflicts)
            assert len(event.evaluators) >= KNOWN.evaluators_min
