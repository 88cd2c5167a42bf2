"""Whoever put an idea forward, or one that is part of it, counts for nothing in its evaluation."""

from ledger.projects.evaluation import TooFewEvaluators, left_out
from ledger.projects.idea_events import IdeaEvaluated, IdeaEvent
from ledger.projects.ideas import EvaluatorIsAuthor, Standing, idea
from tests.ledger.projects.test_ideas import (
    ANNE,
    BRUNO,
    CHLOE,
    CLOSE,
    UNDER_EVALUATION,
    by,
    scored,
)
from tests.spec import given

BY_CHLOE = CLOSE.model_copy(update={**by(CHLOE), "authors": (BRUNO,)})


def test_what_an_author_scored_before_is_left_out() -> None:
    given(idea, *UNDER_EVALUATION).when(BY_CHLOE).then_refused(TooFewEvaluators)
    history: list[IdeaEvent] = [*UNDER_EVALUATION, scored(CHLOE)]
    (evaluated,) = idea.decide(BY_CHLOE, idea.fold(history))
    assert isinstance(evaluated, IdeaEvaluated)
    assert evaluated.evaluators == (ANNE, CHLOE)
    state = idea.fold([*history, evaluated])
    assert isinstance(state, Standing)
    (found,) = left_out(state.scores, state.conflicts, evaluated)
    assert (found.scored.actor, found.why) == (BRUNO, "author")


def test_an_author_closes_no_evaluation() -> None:
    hers = BY_CHLOE.model_copy(update=by(BRUNO))
    given(idea, *UNDER_EVALUATION).when(hers).then_refused(EvaluatorIsAuthor)
