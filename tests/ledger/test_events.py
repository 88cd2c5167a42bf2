"""Every event type ever released: one stored form of each is kept, and decodes for ever."""

import json
from pathlib import Path

import pytest

from ledger.decider import Event
from ledger.events import EVENT_TYPES, Undecodable, decode, encode
from projections.journal import WHOSE, public

GOLDEN = Path(__file__).parent.parent / "golden"
STORED = sorted(GOLDEN.glob("*.json"))


def kinds(of: type[Event] = Event) -> set[type[Event]]:
    return {kind for direct in of.__subclasses__() for kind in {direct, *kinds(direct)}}


def test_every_event_type_is_registered_and_has_a_golden_file() -> None:
    of_the_ledger = {kind.__name__ for kind in kinds() if kind.__module__.startswith("ledger.")}
    assert of_the_ledger == set(EVENT_TYPES)
    assert {path.name.split(".")[0] for path in STORED} == set(EVENT_TYPES)


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_stored_form_decodes_and_is_written_the_same_again(path: Path) -> None:
    state = path.read_bytes().strip()
    kind = path.name.split(".")[0]
    event = decode(kind, state)
    assert encode(event) == (kind, state)


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_the_public_form_is_the_agreed_one_and_tells_nothing_private(path: Path) -> None:
    state = json.loads(path.read_bytes())
    event = decode(path.name.split(".")[0], path.read_bytes())
    told = public(event, named=True)
    assert told == json.loads((GOLDEN / "public" / path.name).read_text())
    private = {"actor", "sale_ref_mac", "key_sha256", "occurred_at", "recorded_at", "flags"}
    assert not private & told.keys()
    for name in private & state.keys():
        if isinstance(state[name], str):
            assert state[name] not in told.values()


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_only_figures_need_a_shops_consent_to_name_it(path: Path) -> None:
    kind = path.name.split(".")[0]
    event = decode(kind, path.read_bytes())
    told = public(event, named=True)
    if kind in {
        "DonationRecorded",
        "DonationReversed",
        "GapExplained",
        "DayClosed",
        "StatementClosed",
    }:
        told = {name: value for name, value in told.items() if name not in WHOSE}
        assert not {"partner_id", "till_id", "donation_id", "statement_id"} & told.keys()
    assert public(event, named=False) == told


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("DonationForgotten", b"{}"),
        ("DonationRecorded", b"{}"),
        ("DonationRecorded", b"not json"),
        ("PartnerSuspended", b'{"unknown": 1}'),
    ],
)
def test_what_no_type_can_read_is_named(kind: str, state: bytes) -> None:
    with pytest.raises(Undecodable, match=kind):
        decode(kind, state)
