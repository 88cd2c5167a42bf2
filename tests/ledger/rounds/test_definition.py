import json

import pytest
from pydantic import ValidationError

from ledger.rounds.definition import Definition
from ledger.rules.rule import EqualShares
from tests.rounds import definition


def test_a_copy_never_keeps_the_hash_of_what_it_was_copied_from() -> None:
    made = definition()
    before = (made.sha256, made.project_ids, made.pot.partners)
    fewer = made.model_copy(update={"title": "Automne", "projects": made.projects[:1]})
    assert fewer.sha256 == Definition.model_validate(fewer.model_dump()).sha256 != before[0]
    assert fewer.project_ids == {made.projects[0].project_id}
    assert made.model_copy() == made
    assert made.model_copy().sha256 == before[0]


@pytest.mark.parametrize(
    ("increment", "increment_per", "refused"), [(1, 10, False), (1, 11, True), (10, 100, False)]
)
def test_add_one_by_steps_that_take_too_long_is_refused_by_name(
    increment: int, increment_per: int, *, refused: bool
) -> None:
    def drafted(completion: str) -> Definition:
        rule = EqualShares(
            completion=completion,  # type: ignore[arg-type]
            increment=increment,
            increment_per=increment_per,
        )
        return definition(rule=json.loads(rule.canonical()))

    if refused:
        with pytest.raises(ValidationError, match="IncrementTooFine"):
            drafted("add1")
        drafted("none")
    else:
        drafted("add1")
