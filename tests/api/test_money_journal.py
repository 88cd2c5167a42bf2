"""The journal has a sentence, in each language, for everything that happens to money."""

import json
from pathlib import Path
from typing import get_args

import pytest

from api.i18n import LANGUAGES, Language
from api.pages import environment
from projections.journal import WHOSE
from projections.money_life import MoneyEvent

PUBLIC = Path(__file__).parent.parent / "golden" / "public"
KINDS = sorted(kind.__name__ for kind in get_args(MoneyEvent))


def sentence(kind: str, language: Language, *, named: bool = True) -> str:
    told = json.loads((PUBLIC / f"{kind}.1.json").read_text())
    if not named:
        told = {name: value for name, value in told.items() if name not in WHOSE}
    line = environment(language).get_template("money/_journal.html").module.money_line  # type: ignore[attr-defined]
    return " ".join(str(line(kind, told, "La Civette")).split())


@pytest.mark.parametrize("kind", KINDS)
def test_each_event_of_money_has_a_sentence_of_its_own(kind: str) -> None:
    french, english = (sentence(kind, language) for language in LANGUAGES)
    assert french.endswith(".")
    assert english.endswith(".")
    assert french != english
    assert [other for other in KINDS if sentence(other, "en") == english] == [kind]


def test_a_sentence_says_what_kind_of_debt_money_went_to() -> None:
    assert "statements" in sentence("TransactionMatched", "en")
    assert "€312.40" in sentence("TransactionMatched", "en")


def test_a_statement_is_told_without_its_shop_too() -> None:
    assert "€312.40" in sentence("StatementClosed", "en", named=False)
