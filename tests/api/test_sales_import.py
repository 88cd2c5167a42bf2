"""The import of a shop's sales, on made-up files and on the real one where it is there."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api.admin import add_partner, enrol_till
from api.deps import Context, open_context
from api.sales_import import Imported, SalesDiffer, SalesImport, SalesMalformed
from ledger.donations import DonationRecorded
from ledger.events import decode
from ledger.settings import Settings
from projections import balances
from projections.every import READ_MODELS
from projections.follow import catch_up

REAL = Path(__file__).parents[3] / "shared" / "data" / "purchases.csv"
HEAD = "customer,date,amount_cents\n"
SEED = 20261123


@pytest.fixture
def context(conninfo: str, tmp_path: Path) -> Iterator[Context]:
    settings = Settings.from_environment({"DONPOSITIF_HOME": str(tmp_path / "home")})
    with open_context(settings, conninfo) as opened:
        yield opened


@pytest.fixture
def importing(context: Context) -> SalesImport:
    partner_id = add_partner(context.ledger, "test", "Boulangerie du Bassin", "73282932000074")
    till_id = enrol_till(context.ledger, "test", partner_id, "Caisse 1").till_id
    context.admission.refresh()
    till = context.admission.till(till_id)
    assert till is not None
    return SalesImport(
        ledger=context.ledger,
        admission=context.admission,
        key=context.keyring.imports,
        till=till,
        actor="test",
        ask_id="round-up",
        shift=timedelta(),
    )


def gifts_in(conninfo: str) -> list[DonationRecorded]:
    with psycopg.connect(conninfo) as connection:
        rows = connection.execute(
            "SELECT topic, state FROM ledger_events WHERE topic = 'DonationRecorded'"
            " ORDER BY notification_id"
        ).fetchall()
    events = [decode(topic, bytes(state)) for topic, state in rows]
    return [event for event in events if isinstance(event, DonationRecorded)]


def written(tmp_path: Path, *lines: str, head: str = HEAD) -> Path:
    path = tmp_path / "sales.csv"
    path.write_text(head + "".join(f"{line}\n" for line in lines))
    return path


def test_each_sale_that_is_not_whole_gives_its_round_up(
    importing: SalesImport, conninfo: str, tmp_path: Path
) -> None:
    path = written(tmp_path, "ann,2026-11-02,1177", "bob,2026-11-02,1200", "ann,2026-11-03,5")
    assert importing.run(path) == Imported(sales=3, gifts=2, amount_cents=118, repeated=0)
    first, second = gifts_in(conninfo)
    assert (first.amount_cents, first.purchase_cents, first.ask_id) == (23, 1177, "round-up")
    assert (second.amount_cents, second.occurred_on.isoformat()) == (95, "2026-11-03")
    assert first.source == "customer"
    assert first.occurred_at.astimezone().date() == first.occurred_on


def test_a_file_imported_again_or_grown_records_nothing_twice(
    importing: SalesImport, conninfo: str, tmp_path: Path
) -> None:
    lines = ["ann,2026-11-02,1177", "bob,2026-11-02,1177", "cat,2026-11-02,1177"]
    importing.run(written(tmp_path, *lines))
    assert importing.run(written(tmp_path, *lines)).repeated == 3
    grown = ["zoe,2026-11-01,10", *lines, "dan,2026-11-04,20"]
    assert importing.run(written(tmp_path, *grown)).repeated == 3
    assert len(gifts_in(conninfo)) == 5


def test_the_customer_leaves_no_trace(
    importing: SalesImport, conninfo: str, tmp_path: Path
) -> None:
    importing.run(written(tmp_path, "Marguerite,2026-11-02,1177"))
    ids = {gift.donation_id for gift in gifts_in(conninfo)}
    again = importing.run(written(tmp_path, "Bernadette,2026-11-02,1177"))
    assert again.repeated == 1
    assert {gift.donation_id for gift in gifts_in(conninfo)} == ids
    with psycopg.connect(conninfo) as connection:
        rows = connection.execute("SELECT state FROM ledger_events").fetchall()
    assert not any(b"Marguerite" in bytes(state) for (state,) in rows)


def test_the_same_sales_with_other_days_are_refused(
    importing: SalesImport, conninfo: str, tmp_path: Path
) -> None:
    path = written(tmp_path, "ann,2026-11-02,1177")
    importing.run(path)
    shifted = SalesImport(
        importing.ledger,
        importing.admission,
        importing.key,
        importing.till,
        importing.actor,
        importing.ask_id,
        timedelta(days=1),
    )
    with pytest.raises(SalesDiffer) as refused:
        shifted.run(path)
    assert refused.value.fields["line"] == 2
    assert len(gifts_in(conninfo)) == 1


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("ann,2026-11-31,1177", 3),
        ("ann,02/11/2026,1177", 3),
        ("ann,2026-11-02,11.77", 3),
        ("ann,2026-11-02,-5", 3),
        ("ann,2026-11-02,1_000", 3),
        ("ann,2026-11-02,١٢", 3),
        ("ann,2026-11-02,100000000001", 3),
        ("ann,2026-11-02", 3),
        ("ann,2026-11-02,1177,x", 3),
    ],
)
def test_a_bad_line_is_named(
    importing: SalesImport, tmp_path: Path, line: str, number: int
) -> None:
    with pytest.raises(SalesMalformed) as refused:
        importing.run(written(tmp_path, "ann,2026-11-01,1177", line))
    assert refused.value.fields["line"] == number


@pytest.mark.parametrize("head", ["", "date,amount_cents\n", "customer;date;amount_cents\n"])
def test_a_file_with_other_columns_is_refused(
    importing: SalesImport, conninfo: str, tmp_path: Path, head: str
) -> None:
    with pytest.raises(SalesMalformed):
        importing.run(written(tmp_path, "ann,2026-11-01,1177", head=head))
    assert gifts_in(conninfo) == []


def totals(conninfo: str) -> Any:
    catch_up(conninfo, READ_MODELS)
    with psycopg.connect(conninfo) as connection:
        return balances.figures(connection).total


def test_thousands_of_random_sales_add_up(
    importing: SalesImport, conninfo: str, tmp_path: Path
) -> None:
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    cents = [dice.randint(0, 2_000) for _ in range(3_500)]
    lines = [f"c,2026-{dice.randint(1, 9):02d}-{dice.randint(1, 28):02d},{c}" for c in cents]
    imported = importing.run(written(tmp_path, *lines))
    expected = sum(-c % 100 for c in cents)
    assert (imported.gifts, imported.amount_cents) == (sum(c % 100 > 0 for c in cents), expected)
    assert totals(conninfo).given_cents == expected


@pytest.mark.parametrize("path", [REAL] if REAL.exists() else [])
def test_the_real_sales_give_exactly_what_they_must(
    importing: SalesImport, conninfo: str, path: Path
) -> None:
    imported = importing.run(path)
    assert imported == Imported(sales=69_659, gifts=69_287, amount_cents=2_213_037, repeated=0)
    assert (totals(conninfo).gifts, totals(conninfo).given_cents) == (69_287, 2_213_037)
    assert importing.run(path).repeated == 69_287
    assert totals(conninfo).gifts == 69_287
