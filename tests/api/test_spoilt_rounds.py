"""A round whose record cannot be read keeps no other round from taking ballots."""

import json
from uuid import uuid4

import psycopg
import pytest

from ledger.ids import stream_of
from tests.api.served import Served
from tests.rounds import BRUNO, open_round


@pytest.mark.parametrize("draft", ["{}", "whose rule nobody knows"])
def test_what_follows_a_spoilt_draft_is_passed_over_too(
    served: Served, conninfo: str, draft: str
) -> None:
    round_id, told = uuid4(), {"recorded_at": "2026-11-23T11:00:00Z", "actor": BRUNO}
    common = {**told, "round_id": str(round_id), "definition_sha256": "a" * 64}
    unknown = json.dumps({**common, "definition": '{"rule":{"rule":"lottery"}}'})
    rows = [
        ("RoundDrafted", draft if draft == "{}" else unknown),
        ("RoundApproved", json.dumps(common)),
    ]
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for version, (topic, state) in enumerate(rows, 1):
            connection.execute(
                "INSERT INTO ledger_events (originator_id, originator_version, topic, state)"
                " VALUES (%s, %s, %s, %s)",
                (stream_of("round", round_id), version, topic, state.encode()),
            )
    sound = open_round(served.context.ledger)
    rounds = served.context.rounds
    rounds.refresh()
    assert rounds.round(round_id) is None
    assert [one.definition.round_id for one in rounds.opened()] == [sound.round_id]
