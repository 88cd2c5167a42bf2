"""Commands beside a running service, on the same embedded database."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from projections.every import READ_MODELS
from tests.api.cli.outcomes import outside
from tests.api.served import service
from tests.api.shops import Shop, gift, siret
from tests.ledger.processes import eventually


@pytest.fixture
def till_beside(home: Path) -> Iterator[tuple[Shop, str]]:
    """A service on its embedded database, and a till enrolled by commands beside it."""
    with service(home) as running:
        added = outside(home, "partner", "add", "--name", "A", "--siret", siret(1), "--json")
        partner_id = added.facts["partner_id"]
        enrolled = outside(home, "till", "enrol", "--partner", partner_id, "--json").facts
        yield Shop(partner_id, enrolled["till_id"], enrolled["key"]), running.url


def test_commands_work_beside_a_running_service(
    home: Path, till_beside: tuple[Shop, str], tmp_path: Path
) -> None:
    shop, url = till_beside
    with httpx.Client(base_url=url, timeout=60) as client:
        answer = client.post("/api/v1/donations", json=gift(), headers=shop.bearer)
        assert answer.status_code == 201
        path = tmp_path / "sales.csv"
        path.write_text("customer,date,amount_cents\nann,2020-11-02,1177\n")
        where = ("--partner", str(shop.partner_id), "--till", str(shop.till_id))
        imported = outside(home, "import", "sales", str(path), *where, "--ask", "round-up")
        assert imported.code == 0, imported.err
        assert outside(home, "rebuild", "--json").facts["rebuilt"] == list(READ_MODELS)
        checked = outside(home, "check", "--json")
        assert (checked.code, checked.facts["events"]) == (0, 4)
        assert "events" in checked.err
        eventually(lambda: client.get("/api/v1/figures").json()["given_cents"] == 63)
        outside(home, "till", "revoke", "--till", str(shop.till_id), "--reason", "stolen")

        def refused() -> bool:
            again = client.post("/api/v1/donations", json=gift(), headers=shop.bearer)
            return again.status_code == 401

        eventually(refused)
        assert client.get("/healthz").json()["ok"] is True
