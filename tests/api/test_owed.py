"""The public page of what is owed, and its twin: the same figures, and no shop without its word."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.owed import OwedOut
from ledger.calendar import civil_day
from ledger.partners.agreements import SignAgreement, agreement
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.owing import TODAY, owe
from tests.api.served import Served
from tests.api.shops import Shop, gift
from tests.ledger.processes import eventually

OWED = "/api/v1/owed"


def signed(served: Served, partner_id: UUID, *, debt_public: bool) -> None:
    """Sign an agreement that says what becomes of debts."""
    agreement_id = uuid4()
    terms: dict[str, Any] = {"debt_public": True} if debt_public else {}
    command = SignAgreement(
        at=datetime.now(UTC),
        actor="test",
        agreement_id=agreement_id,
        partner_id=partner_id,
        number="2026-9",
        regime="mandate",
        commitment="round_up",
        charter_version=1,
        signed_on=TODAY - timedelta(days=1),
        valid_from=TODAY - timedelta(days=1),
        **terms,
    )
    served.context.ledger.handle(agreement, agreement_id, command)


@pytest.fixture
def told(served: Served, conninfo: str) -> Any:
    """Read the twin after the read models have all there is."""

    def read() -> dict[str, Any]:
        catch_up(conninfo, READ_MODELS)
        answer = served.client.get(OWED)
        assert answer.status_code == httpx.codes.OK, answer.text
        found: dict[str, Any] = answer.json()
        return found

    return read


def page(served: Served) -> str:
    answer = served.client.get("/owed", headers={"Accept-Language": "en"})
    assert answer.status_code == httpx.codes.OK
    return answer.text


def test_an_empty_ledger_says_so(served: Served, told: Any) -> None:
    assert told()["closed_cents"] == 0
    assert "No statement was closed in the last twelve months" in page(served)
    assert "None today." in page(served)


def test_the_twin_has_the_form_that_is_promised(served: Served, shop: Shop, told: Any) -> None:
    signed(served, shop.partner_id, debt_public=True)
    owe(served, shop.partner_id, 5_000, due_on=date(2026, 1, 1))
    found = told()
    assert set(found) == set(OwedOut.model_fields)
    written = OwedOut.model_validate(found)
    assert json.loads(written.model_dump_json())["debts"] == found["debts"]
    assert written.debts[0].name


def test_a_gift_is_owed_at_once(served: Served, shop: Shop, told: Any) -> None:
    body = gift(amount_cents=240)
    done = served.client.post("/api/v1/donations", json=body, headers=shop.bearer)
    assert done.status_code == httpx.codes.CREATED
    found = told()
    assert (found["open_cents"], found["closed_cents"]) == (240, 0)
    assert found["open_since"] == civil_day(datetime.fromisoformat(body["occurred_at"])).isoformat()
    assert "€2.40" in page(served)


def test_the_page_says_what_the_twin_says(served: Served, shop: Shop, told: Any) -> None:
    owe(served, shop.partner_id, 12_345, due_on=TODAY)
    owe(served, shop.partner_id, 6_789, number=2)
    found = told()
    assert (found["not_due_cents"], found["overdue_cents"]) == (19_134, 0)
    assert found["promised_to_owed"]["cents"] == 19_134
    shown = page(served)
    assert "€191.34" in shown
    assert "1 day" in shown


@pytest.mark.parametrize("debt_public", [True, False])
def test_a_shop_is_named_by_its_own_word_alone(
    served: Served, shop: Shop, told: Any, debt_public: bool
) -> None:
    signed(served, shop.partner_id, debt_public=debt_public)
    owe(served, shop.partner_id, 5_000, due_on=date(2026, 1, 1))
    found = told()
    assert found["overdue_cents"] == 5_000
    assert found["overdue_partners"] == 1
    named = [one["partner_id"] for one in found["debts"]]
    assert named == ([str(shop.partner_id)] if debt_public else [])
    assert (str(shop.partner_id) in page(served)) == debt_public


def test_nothing_that_is_cached_outlives_the_ledger(served: Served, shop: Shop, told: Any) -> None:
    told()
    before = served.client.get(OWED)
    owe(served, shop.partner_id, 100)
    told()
    # For a moment the service takes for granted that nothing is new.
    eventually(lambda: asked(served, before).status_code == httpx.codes.OK)
    assert asked(served, served.client.get(OWED)).status_code == httpx.codes.NOT_MODIFIED


def asked(served: Served, kept: httpx.Response) -> httpx.Response:
    """Ask again as a cache does, which has an answer already."""
    return served.client.get(OWED, headers={"If-None-Match": kept.headers["etag"]})


def test_the_home_page_leads_there(served: Served, shop: Shop, conninfo: str) -> None:
    served.client.post("/api/v1/donations", json=gift(), headers=shop.bearer)
    catch_up(conninfo, READ_MODELS)
    assert served.client.get("/").text.count('href="/owed"') == 2
