"""What a giver was asked can be read for ever, so released words never change."""

from hashlib import sha256

import pytest

from ledger.asks import ASKS, RELEASED, newest

# A new version is a new line here; a line that is here stays.
WORDS = {
    "round-up.fr.1": "7c982d6f868b932f",
    "round-up.en.1": "0ae2b6b264e659e5",
    "add-on.fr.1": "de86e2801e6ec957",
    "add-on.en.1": "1065d05f275cf9b9",
}


@pytest.mark.parametrize("ask_id", ASKS)
def test_the_words_of_a_released_ask_stay(ask_id: str) -> None:
    ask = ASKS[ask_id]
    words = f"{ask.wording}\n{ask.cause}"
    assert sha256(words.encode()).hexdigest()[:16] == WORDS[ask_id]


def test_every_ask_ever_released_is_known() -> None:
    assert ASKS.keys() == WORDS.keys()
    assert len(ASKS) == len(RELEASED)


def test_the_newest_version_is_in_use() -> None:
    assert newest("round_up", "fr").ask_id == "round-up.fr.1"
    assert newest("add_on", "en").ask_id == "add-on.en.1"


def test_amounts_are_written_into_the_words() -> None:
    assert newest("round_up", "en").wording.format(amount="€0.66", total="€13.00") == (
        "Will you round up to €13.00?"
    )
