"""What the commands on rounds do: list them, close one that is due, count one that is closed."""

import sys
from argparse import Namespace

import msgspec
from tqdm import tqdm

from api import round_steps
from api.commands import events_in, opened, ready, tell
from api.rounds import told
from api.tally import tally_round
from ledger.settings import Settings
from projections import follow, rounds, turnout
from projections.every import READ_MODELS


def list_rounds(settings: Settings, asked: Namespace) -> int:
    with ready(settings) as conninfo:
        follow.catch_up(conninfo, READ_MODELS)
        with follow.connected(conninfo) as connection:
            counts = turnout.every(connection)
            found = [told(row, counts) for row in rounds.every(connection)]
    lines = (
        f"{one['round_id']}  {one['state']:9}  {one['ballots']:>7} ballots  {one['title']}"
        for one in found
    )
    tell(asked, {"rounds": msgspec.to_builtins(found)}, "\n".join(lines) or "no round yet")
    return 0


def close_round(settings: Settings, asked: Namespace) -> int:
    with opened(settings) as context:
        round_steps.close(context, asked.actor, asked.round)
    tell(asked, {"round_id": str(asked.round)}, "closed")
    return 0


def tally_closed(settings: Settings, asked: Namespace) -> int:
    with ready(settings) as conninfo:
        events = events_in(conninfo)
    # The feed is read for the rounds, for the choices, then for the gifts.
    with (
        opened(settings) as context,
        tqdm(total=3 * events, unit=" events", file=sys.stderr) as bar,
    ):
        made = tally_round(context, asked.round, asked.actor, bar.update)
    facts = {"round_id": str(asked.round), **made.model_dump(mode="json")}
    words = [
        f"{made.ballots} ballots, {made.suppressed_ballots} of them in small cells",
        *(f"{one.project_id}  {one.cents // 100}.{one.cents % 100:02d} €" for one in made.awards),
        f"result {made.result_sha256}",
    ]
    tell(asked, facts, "\n".join(words))
    return 0
