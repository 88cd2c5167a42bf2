"""Months of commands, right and wrong, against a second, simple model of the same village."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import Connection
from psycopg_pool import ConnectionPool

from ledger.keyring import till_key_hash
from ledger.store import open_ledger
from projections import balances, follow, journal, partners
from projections.balances import Figures, Total
from projections.check import check
from projections.every import READ_MODELS
from projections.follow import catch_up
from projections.rebuild import rebuild
from tests.simulation.model import Sums, Village, day_of
from tests.simulation.months import Months

SEED = 84_800
COMMANDS = 2_500
EXPECTED = {
    *("register done", "register repeated", "register PartnerDiffers", "enrol done"),
    *("recognise done", "recognise repeated", "suspend done", "suspend NotCertified"),
    *("reinstate done", "reinstate NothingToReinstate"),
    *("rotate done", "rotate TillIsRevoked", "revoke done"),
    *("give done", "give repeated", "give DonationDiffers", "give OccurredInFuture"),
    *("give back done", "give back repeated", "give back DonationNotFound"),
    *("give back ReversalDiffers", "give back ReversalExceedsGift"),
}


def plain_sums(figures: Figures) -> dict[str, Sums]:
    rows = {"all": figures.total, **figures.by_source, **dict(figures.months)}
    return {
        name: {
            "gifts": row.gifts,
            "given": row.given_cents,
            "reversals": row.reversals,
            "back": row.reversed_cents,
        }
        for name, row in rows.items()
        if row != Total()
    }


def assert_figures_agree(connection: Connection[Any], village: Village) -> None:
    assert plain_sums(balances.figures(connection)) == village.figures()
    for partner_id in village.partners:
        told = balances.figures_of_partner(connection, partner_id)
        assert plain_sums(told) == village.figures(partner_id)


def assert_partners_agree(connection: Connection[Any], village: Village) -> None:
    today = day_of(datetime.now(UTC))
    told = {one.partner_id: one for one in partners.every(connection)}
    assert told.keys() == village.partners.keys()
    for partner_id, one in told.items():
        known = village.partners[partner_id]
        sums = village.figures(partner_id).get("all", {"gifts": 0, "given": 0, "back": 0})
        assert (one.name, one.siret) == (known["name"], known["siret"])
        assert one.registered_on == known["on"]
        assert one.status == village.status(partner_id, today)
        assert one.valid_until == village.valid_until(partner_id, today)
        assert (one.gifts, one.given_cents, one.reversed_cents) == (
            sums["gifts"],
            sums["given"],
            sums["back"],
        )


def assert_journal_agrees(connection: Connection[Any], village: Village) -> None:
    entries: list[tuple[str, dict[str, Any]]] = []
    before = None
    while page := journal.page(connection, before=before, limit=173):
        entries += [(entry.kind, entry.public) for entry in page]
        before = page[-1].position
    assert entries[::-1] == village.journal


def assert_keys_agree(months: Months) -> None:
    months.admission.refresh()
    working = {
        till["key"]: (till_id, till["partner_id"])
        for till_id, till in months.village.tills.items()
        if till["key"] is not None
    }
    for key in months.keys:
        till = months.admission.till_of(key)
        told = None if till is None else (till.till_id, till.partner_id)
        assert told == working.get(key), till_key_hash(key)


def test_months_of_a_village_agree_with_a_simple_model(
    conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    print(f"seed {SEED}")
    with (
        open_ledger(conninfo) as ledger,
        ConnectionPool(conninfo, min_size=1, kwargs={"autocommit": True}) as pool,
        psycopg.connect(conninfo, autocommit=True) as connection,
    ):
        months = Months(SEED, ledger, pool, connection)
        for _ in months.run(COMMANDS):
            monkeypatch.setattr(follow, "PAGE_EVENTS", months.dice.choice([3, 50, 1_000]))
            catch_up(conninfo, READ_MODELS)
            assert_figures_agree(connection, months.village)
            assert_partners_agree(connection, months.village)
            assert_keys_agree(months)
        assert_journal_agrees(connection, months.village)
        assert check(connection).differences == []
        rebuild(conninfo, READ_MODELS)
        assert_figures_agree(connection, months.village)
        assert_partners_agree(connection, months.village)
        assert_journal_agrees(connection, months.village)
    assert set(months.outcomes) >= EXPECTED
