"""Every requirement of a published checklist can be read in both languages."""

from collections.abc import Sequence

import pytest

from api import i18n
from api.pages import environment
from ledger.partners.checklists import CHECKLISTS, checklist

LANGUAGES: Sequence[i18n.Language] = ("fr", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_requirement_has_its_own_words(language: i18n.Language) -> None:
    words = environment(language).get_template("_checklist.html").module
    for published in CHECKLISTS:
        told = [str(words.requirement(key)).strip() for key in published.keys]  # type: ignore[attr-defined]
        assert all(told)
        assert len(set(told)) == len(told)


def test_versions_are_numbered_and_keys_are_unique() -> None:
    assert [one.version for one in CHECKLISTS] == list(range(1, len(CHECKLISTS) + 1))
    assert checklist(len(CHECKLISTS) + 1) is None
    for published in CHECKLISTS:
        assert len(set(published.keys)) == len(published.keys)
        assert any(not one.required for one in published.requirements)
