"""The files that are served are those of the count that was recorded, not of one before it."""

from typing import Final

from api.round_steps import send_back
from api.tally import EXPOSURE, FILES, kept_file, tally_round
from ledger.rounds.events import Tally
from tests.api.served import Served
from tests.api.shops import Shop
from tests.api.tallies import voted
from tests.rounds import ANNE, GREEDY, close_round, open_round

BY_VOTES: Final = {**GREEDY, "by": "votes"}


def test_a_count_replaces_what_one_before_it_left(served: Served, shop: Shop) -> None:
    """One that was sent back, or killed before it was recorded, may be of another program."""
    context = served.context
    made = open_round(context.ledger, rule=BY_VOTES)
    voted(served, shop, made, 30)
    close_round(context.ledger, made)

    def served_files(told: Tally) -> list[bytes | None]:
        with context.pool.connection() as connection:
            return [
                kept_file(connection, made.round_id, told.result_sha256, name)
                for name in (*FILES, EXPOSURE)
            ]

    told = tally_round(context, made.round_id, "clock")
    sound = served_files(told)
    assert None not in sound
    with context.pool.connection() as connection:
        connection.execute("UPDATE round_file SET content = 'stale'")
    send_back(context, ANNE, made.round_id, told.result_sha256, "program_wrong")
    assert tally_round(context, made.round_id, "clock") == told
    assert served_files(told) == sound


def test_what_is_recorded_stays_as_it_was_published(served: Served, shop: Shop) -> None:
    context = served.context
    made = open_round(context.ledger)
    voted(served, shop, made, 30)
    close_round(context.ledger, made)
    told = tally_round(context, made.round_id, "clock")
    with context.pool.connection() as connection:
        connection.execute("UPDATE round_file SET content = 'published' WHERE name = 'trace.json'")
        connection.execute("DELETE FROM round_file WHERE name = 'result.json'")
    assert tally_round(context, made.round_id, "clock") == told
    with context.pool.connection() as connection:
        trace, result = (
            kept_file(connection, made.round_id, told.result_sha256, name)
            for name in ("trace.json", "result.json")
        )
    assert trace == b"published"
    assert result is not None
