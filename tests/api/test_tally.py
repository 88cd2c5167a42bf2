import json
import os
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from api.round_steps import approve_result, send_back
from api.tally import FILES, counted_round, tally_round
from ledger.rounds.commands import ResultNotPending, RoundNotFound, RoundNotOpened
from ledger.rounds.definition import Definition
from ledger.rounds.events import Tally
from ledger.rules import recount
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.served import PROGRAM, Served, environment
from tests.api.shops import Shop
from tests.api.stored import stored
from tests.api.tallies import voted
from tests.ledger.processes import eventually
from tests.rounds import ANNE, BRUNO, CHLOE, DORA, close_round, open_round

THREADS = 3
PIPES: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}


def assert_conserved(told: Any, cents: int) -> None:
    given = sum(one.cents for one in told.awards)
    assert told.pot_cents == cents == given + told.foundation_cents + told.next_round_cents


def files_in(conninfo: str) -> dict[str, bytes]:
    """Give every file that was kept; a second one of a name would be missed by its round."""
    with psycopg.connect(conninfo) as connection:
        rows = connection.execute("SELECT name, content FROM round_file").fetchall()
    assert len({name for name, _ in rows}) == len(rows)
    return {str(name): bytes(content) for name, content in rows}


@pytest.mark.parametrize("unused", ["follow_result", "foundation", "next_round"])
def test_no_cent_is_lost_whatever_is_declared(served: Served, shop: Shop, unused: str) -> None:
    made = open_round(served.context.ledger, unused=unused)
    cents = voted(served, shop, made, 60)
    close_round(served.context.ledger, made)
    told = tally_round(served.context, made.round_id, "clock")
    assert_conserved(told, cents)
    assert told.ballots == 40
    assert told.unused_gifts == 20
    assert (told.foundation_cents == told.unused_cents) == (unused == "foundation")


def test_what_is_published_is_served_and_counted_again_by_anybody(
    served: Served, shop: Shop, conninfo: str, tmp_path: Path
) -> None:
    made = open_round(served.context.ledger)
    voted(served, shop, made, 90)
    close_round(served.context.ledger, made)
    told = tally_round(served.context, made.round_id, "clock")
    catch_up(conninfo, READ_MODELS)
    for name in FILES:
        answer = served.client.get(f"/rounds/{made.round_id}/files/{name}")
        assert answer.status_code == httpx.codes.OK
        (tmp_path / name).write_bytes(answer.content)
    assert sha256((tmp_path / "result.json").read_bytes()).hexdigest() == told.result_sha256
    assert sha256((tmp_path / "rule.json").read_bytes()).hexdigest() == told.rule_sha256
    frozen = json.loads((tmp_path / "round.json").read_bytes())["definition"]
    assert Definition.model_validate(frozen).sha256 == made.sha256
    assert recount.main([str(tmp_path)]) == 0
    detail = served.client.get(f"/api/v1/rounds/{made.round_id}").json()
    assert detail["tally"]["result_sha256"] == told.result_sha256
    assert detail["state"] == "tallied"


def test_nothing_published_holds_a_gift_or_a_ballot(
    served: Served, shop: Shop, conninfo: str
) -> None:
    made = open_round(served.context.ledger)
    voted(served, shop, made, 30)
    close_round(served.context.ledger, made)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        counted = counted_round(connection, made.round_id)
        rows = connection.execute(
            "SELECT convert_from(state, 'UTF8')::json ->> 'donation_id',"
            " convert_from(state, 'UTF8')::json ->> 'ballot_id'"
            " FROM ledger_events WHERE topic = 'BallotCast'"
        ).fetchall()
    assert len(rows) == 20
    everything = b"".join(counted.files.values())
    assert not [one for row in rows for one in row if str(one).encode() in everything]


def test_a_count_killed_outright_gives_the_same_bytes(
    served: Served, shop: Shop, conninfo: str, tmp_path: Path
) -> None:
    made = open_round(served.context.ledger)
    voted(served, shop, made, 300)
    close_round(served.context.ledger, made)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        expected = counted_round(connection, made.round_id)
    home = served.context.settings.home
    command = [str(PROGRAM), "round", "tally", str(made.round_id), "--json"]
    variables = environment(home, {"DATABASE_URL": conninfo})
    with psycopg.connect(conninfo) as holding:
        # The files wait for this lock: the job is killed with its count made and nothing kept.
        holding.execute("LOCK TABLE round_file IN ACCESS EXCLUSIVE MODE")
        killed = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE)
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        with psycopg.connect(conninfo, autocommit=True) as watching:
            eventually(lambda: watching.execute(waiting).fetchone() == (1,))
        os.kill(killed.pid, signal.SIGKILL)
        assert killed.wait() == -signal.SIGKILL
        assert killed.stdout is not None
        killed.stdout.close()
    again = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    assert json.loads(again.stdout)["result_sha256"] == expected.tally.result_sha256
    assert files_in(conninfo) == expected.files
    assert "events" in again.stderr
    # Once it is recorded, counting again changes nothing.
    assert tally_round(served.context, made.round_id, "clock") == expected.tally


def test_several_who_count_at_once_record_one_result_with_the_same_bytes(
    served: Served, shop: Shop, conninfo: str
) -> None:
    made = open_round(served.context.ledger)
    voted(served, shop, made, 120)
    close_round(served.context.ledger, made)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        expected = counted_round(connection, made.round_id)
    command = [str(PROGRAM), "round", "tally", str(made.round_id), "--json"]
    variables = environment(served.context.settings.home, {"DATABASE_URL": conninfo})
    together = threading.Barrier(THREADS)

    def count(number: int) -> Tally:
        together.wait()
        return tally_round(served.context, made.round_id, f"account:{UUID(int=number)}")

    with ExitStack() as stack:
        # Whoever counts waits here with its files, so that all of them keep and record at once.
        holding = stack.enter_context(psycopg.connect(conninfo))
        holding.execute("LOCK TABLE round_file IN ACCESS EXCLUSIVE MODE")
        others = [
            stack.enter_context(subprocess.Popen(command, env=variables, **PIPES)) for _ in range(2)
        ]
        threads = stack.enter_context(ThreadPoolExecutor(THREADS))
        told = [threads.submit(count, number) for number in range(THREADS)]
        waiting = (
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'round_file'::regclass"
        )
        with psycopg.connect(conninfo, autocommit=True) as watching:
            eventually(lambda: watching.execute(waiting).fetchone() == (THREADS + len(others),))
        holding.rollback()
        assert [one.result() for one in told] == [expected.tally] * THREADS
        said = [json.loads(one.communicate()[0]) for one in others]
    assert {one["result_sha256"] for one in said} == {expected.tally.result_sha256}
    (event,) = stored(conninfo, "RoundTallied")
    assert Tally.model_validate(event.state["tally"]) == expected.tally
    assert files_in(conninfo) == expected.files


def test_a_result_is_adopted_by_two_or_counted_again(served: Served, shop: Shop) -> None:
    made = open_round(served.context.ledger)
    voted(served, shop, made, 30)
    close_round(served.context.ledger, made)
    told = tally_round(served.context, made.round_id, "clock")
    send_back(served.context, ANNE, made.round_id, told.result_sha256, "ballots_wrong")
    with pytest.raises(ResultNotPending):
        approve_result(served.context, BRUNO, made.round_id, told.result_sha256)
    assert tally_round(served.context, made.round_id, "clock") == told
    assert not approve_result(served.context, BRUNO, made.round_id, told.result_sha256)
    assert not approve_result(served.context, BRUNO, made.round_id, told.result_sha256)
    assert approve_result(served.context, CHLOE, made.round_id, told.result_sha256)
    with pytest.raises(ResultNotPending):
        approve_result(served.context, DORA, made.round_id, told.result_sha256)


def test_only_a_closed_round_is_counted(served: Served) -> None:
    made = open_round(served.context.ledger)
    with pytest.raises(RoundNotOpened):
        tally_round(served.context, made.round_id, "clock")
    with pytest.raises(RoundNotFound):
        tally_round(served.context, UUID(int=1), "clock")
