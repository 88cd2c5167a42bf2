"""The register and the tills on the command line."""

from pathlib import Path
from uuid import uuid4

import pytest

from ledger.keyring import till_key_hash
from tests.api.cli.outcomes import Run, add_partner, assert_refused, enrol_till
from tests.api.shops import siret
from tests.api.stored import every_byte, stored

NOBODY = str(uuid4())


def test_a_partner_is_added_once(run: Run, conninfo: str) -> None:
    partner_id = add_partner(run)
    assert add_partner(run) == partner_id
    spaced = siret(1)[:9] + " " + siret(1)[9:]
    assert run("partner", "add", "--name", "Shop 1", "--siret", spaced, "--json").code == 0
    assert_refused(run("partner", "add", "--name", "Other", "--siret", siret(1)), "partner_differs")
    topics = [event.topic for event in stored(conninfo)]
    assert topics == ["PartnerRegistered"]


@pytest.mark.parametrize("number", ["", "123", "73282932000075", "732829320000741", "x" * 14])
def test_a_partner_needs_a_siret(run: Run, conninfo: str, number: str) -> None:
    assert_refused(run("partner", "add", "--name", "Shop", "--siret", number), "SIRET")
    assert stored(conninfo) == []


def test_a_partner_is_described_and_not_active_by_being_added(run: Run) -> None:
    add = ("partner", "add", "--name", "Shop 1", "--siret", siret(1))
    where = ("--legal-name", "SARL 1", "--place", "Velleron", "--sector", "food")
    assert run(*add, *where).code == 0
    (listed,) = run("partner", "list", "--json").facts["partners"]
    told = (listed["name"], listed["place"], listed["sector"], listed["status"])
    assert told == ("Shop 1", "Velleron", "food", "registered")
    assert_refused(run(*add, "--place", "Velleron"), "together")


@pytest.mark.parametrize("verb", ["suspend", "reinstate", "activate"])
def test_no_command_decides_alone_what_takes_two_people(run: Run, verb: str) -> None:
    assert_refused(run("partner", verb, "--partner", NOBODY), "invalid choice", code=2)


def test_a_key_is_printed_once_and_stored_nowhere(run: Run, conninfo: str, home: Path) -> None:
    partner_id = add_partner(run)
    facts = enrol_till(run, partner_id)
    assert set(facts) == {"till_id", "key"}
    (event,) = stored(conninfo, "TillEnrolled")
    assert event.state["till_id"] == facts["till_id"]
    assert event.state["key_sha256"] == till_key_hash(facts["key"])
    run("partner", "list", "--json")
    kept = every_byte(conninfo)
    kept += b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert facts["key"].encode() not in kept
    assert facts["key"].removeprefix("dpt_").encode() not in kept
    in_words = run("till", "enrol", "--partner", partner_id)
    assert in_words.out.count("dpt_") == 1
    assert "dpt_" not in in_words.err


def test_a_till_is_rotated_and_revoked(run: Run, conninfo: str) -> None:
    facts = enrol_till(run, add_partner(run))
    rotated = run("till", "rotate", "--till", facts["till_id"], "--json").facts
    assert rotated["till_id"] == facts["till_id"]
    assert rotated["key"] != facts["key"]
    revoke = ("till", "revoke", "--till", facts["till_id"], "--reason", "stolen", "--json")
    assert run(*revoke).facts == {"till_id": facts["till_id"]}
    assert run(*revoke).code == 0
    assert_refused(run("till", "rotate", "--till", facts["till_id"]), "till_is_revoked")
    topics = [event.topic for event in stored(conninfo)][1:]
    assert topics == ["TillEnrolled", "TillKeyRotated", "TillRevoked"]


def test_what_does_not_exist_is_named(run: Run) -> None:
    assert_refused(run("till", "enrol", "--partner", NOBODY), "partner_not_registered")
    assert_refused(run("till", "rotate", "--till", NOBODY), "till_not_enrolled")
    revoke = ("till", "revoke", "--till", NOBODY, "--reason", "x")
    assert_refused(run(*revoke), "till_not_enrolled")
    assert_refused(run("rebuild", "everything"), "read_model_unknown")
