"""What was stored of rounds is more than decoded: a round can still be made of it."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.events import decode
from ledger.rounds import round_
from ledger.rounds.events import RoundDrafted
from ledger.rounds.state import Drafted
from ledger.rules.rule import Greedy, ParameterRefused, parse

GOLDEN = Path(__file__).parents[2] / "golden"
STORED = sorted(GOLDEN.glob("RoundDrafted.*.json"))


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_draft_is_still_a_round_with_its_hash(path: Path) -> None:
    event = decode("RoundDrafted", path.read_bytes())
    assert isinstance(event, RoundDrafted)
    state = round_.fold([event])
    assert isinstance(state, Drafted)
    assert state.definition.canonical().decode() == event.definition
    assert sha256(event.definition.encode()).hexdigest() == event.definition_sha256


def test_a_rule_by_points_never_went_without_saying_so() -> None:
    told = json.loads(Greedy(by="points").canonical())
    with pytest.raises(ParameterRefused):
        parse(json.dumps({name: one for name, one in told.items() if name != "ballots"}))
