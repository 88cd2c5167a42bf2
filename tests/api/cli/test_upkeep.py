"""Migrating, loading the demonstration, rebuilding and checking from the command line."""

import psycopg
import pytest

from projections.every import READ_MODELS
from tests.api.cli.outcomes import Run, add_partner, assert_refused
from tests.api.stored import gifts, stored
from tests.projections.village import insert_raw


def test_migrations_are_applied_once(
    run: Run, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database)
    first = run("migrate", "--json").facts["applied"]
    assert first[0] == "0001_events"
    assert run("migrate", "--json").facts == {"applied": []}


def test_the_demonstration_village_is_loaded_once(run: Run, conninfo: str) -> None:
    facts = run("demo", "--json").facts
    loaded = stored(conninfo)
    assert facts["gifts"] == len(gifts(conninfo)) > 1_000
    assert run("demo", "--json").facts["gifts"] >= facts["gifts"]
    news = [event for event in stored(conninfo) if event not in loaded]
    assert {event.topic for event in news} <= {"DonationRecorded"}
    assert run("check", "--json").facts["ok"] is True


def test_a_rebuild_tells_what_it_rebuilt(run: Run, conninfo: str) -> None:
    add_partner(run)
    assert run("rebuild", "--json").facts == {"rebuilt": list(READ_MODELS), "events": 1}
    assert run("rebuild", "balances", "--json").facts == {"rebuilt": ["balances"], "events": 1}


def test_a_check_exits_with_what_it_found(run: Run, conninfo: str) -> None:
    partner_id = add_partner(run)
    well = run("check", "--json")
    told = well.facts
    whereabouts = told.pop("whereabouts")
    assert (well.code, told) == (0, {"ok": True, "events": 1, "differences": []})
    assert set(whereabouts.values()) == {0}
    assert "0 cents given = 0 reversed + 0 open + 0 on statements" in run("check").out
    with psycopg.connect(conninfo) as connection:
        connection.execute("DELETE FROM partner")
    ill = run("check", "--json")
    assert (ill.code, ill.facts["ok"]) == (1, False)
    assert partner_id in ill.facts["differences"][0]
    in_words = run("check")
    assert in_words.code == 1
    assert partner_id in in_words.out


@pytest.mark.parametrize("topic", ["DonationRecorded", "PartnerRegistered", "DonationForgotten"])
def test_a_check_of_a_ledger_with_an_undecodable_event_says_so(
    run: Run, conninfo: str, topic: str
) -> None:
    add_partner(run)
    position = insert_raw(conninfo, topic, b"{}")
    ill = run("check", "--json")
    assert (ill.code, ill.facts["ok"]) == (1, False)
    assert any(f"event {position} cannot" in difference for difference in ill.facts["differences"])


@pytest.mark.parametrize("command", [["rebuild"], ["partner", "list"]], ids=str)
def test_a_command_that_meets_an_undecodable_event_fails_in_words(
    run: Run, conninfo: str, command: list[str]
) -> None:
    add_partner(run)
    insert_raw(conninfo, "PartnerRegistered", b"{}")
    assert_refused(run(*command), "PartnerRegistered")
