"""What everybody may read: figures, partners, the journal and the lag, each with its position."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.served import Served
from tests.api.shops import Shop, gift, open_shop, reversal, suspend
from tests.api.stored import stored
from tests.ledger.processes import eventually

DONATIONS = "/api/v1/donations"
FIGURES = "/api/v1/figures"
PUBLIC_FIELDS = {
    "DonationRecorded": {"donation_id", "partner_id", "source", "amount_cents", "occurred_on"},
    "DonationReversed": {
        *("donation_id", "partner_id", "source", "amount_cents", "reason", "reversed_on"),
    },
    "PartnerRegistered": {"partner_id", "name", "siret"},
    "PublicationConsented": {"partner_id"},
    "AgreementSigned": {
        *("partner_id", "agreement_id", "number", "regime", "commitment", "basis_points"),
        *("cents_per_item", "charter_version", "signed_on", "valid_from", "valid_until"),
    },
    "ApplicationFiled": {"partner_id", "application_id", "renewal"},
    "ReviewRecorded": {"partner_id", "application_id", "checklist_version"},
    "DecisionProposed": {"partner_id", "case_id"},
    "CertificationGranted": {"partner_id", "case_id", "valid_from", "valid_until"},
    "CertificationSuspended": {
        *("partner_id", "case_id", "reason", "suspended_from", "suspended_until"),
    },
    "TillEnrolled": {"partner_id", "till_id"},
}


@pytest.fixture(autouse=True)
def read_models(conninfo: str) -> None:
    catch_up(conninfo, READ_MODELS)


def give(served: Served, shop: Shop, **changes: Any) -> dict[str, Any]:
    body = gift(**changes)
    answer = served.client.post(DONATIONS, json=body, headers=shop.bearer)
    assert answer.status_code == 201
    return body


def read(served: Served, conninfo: str, path: str) -> httpx.Response:
    """Read once the read models, and the address itself, stand at the newest event."""
    catch_up(conninfo, READ_MODELS)
    newest = stored(conninfo)[-1].position
    eventually(lambda: served.client.get(path).json()["as_of_position"] == newest)
    return served.client.get(path)


def total(gifts: int, given: int, reversals: int = 0, back: int = 0) -> dict[str, int]:
    return {
        "gifts": gifts,
        "given_cents": given,
        "reversals": reversals,
        "reversed_cents": back,
    }


def test_an_empty_ledger_has_figures(served: Served) -> None:
    answer = served.client.get(FIGURES).json()
    assert answer == total(0, 0) | {
        "net_cents": 0,
        "by_source": {source: total(0, 0) for source in ("customer", "shop", "match")},
        "months": [],
        "partners": 0,
        "as_of_position": 0,
        "as_of": None,
    }
    assert served.client.get("/api/v1/journal").json() == {
        "entries": [],
        "next_before": None,
        "as_of_position": 0,
    }


def test_figures_add_up_by_source_and_month(served: Served, shop: Shop, conninfo: str) -> None:
    other = open_shop(served.context.ledger, 2)
    first = give(served, shop, amount_cents=40, occurred_at="2020-02-29T23:30:00Z")
    give(served, other, amount_cents=60, source="shop", occurred_at="2020-02-29T22:30:00Z")
    give(served, shop, amount_cents=1_000, source="match", occurred_at="2020-03-05T10:00:00Z")
    path = f"{DONATIONS}/{first['donation_id']}/reversals"
    served.client.post(path, json=reversal(amount_cents=15), headers=shop.bearer)
    answer = read(served, conninfo, FIGURES).json()
    events = stored(conninfo)
    this_month = events[-1].state["reversed_on"][:7]
    assert answer == total(3, 1_100, 1, 15) | {
        "net_cents": 1_085,
        "by_source": {
            "customer": total(1, 40, 1, 15),
            "shop": total(1, 60),
            "match": total(1, 1_000),
        },
        "months": [
            {"month": this_month} | total(0, 0, 1, 15),
            {"month": "2020-03"} | total(2, 1_040),
            {"month": "2020-02"} | total(1, 60),
        ],
        "partners": 2,
        "as_of_position": events[-1].position,
        "as_of": answer["as_of"],
    }
    as_of = datetime.fromisoformat(answer["as_of"])
    assert as_of == datetime.fromisoformat(events[-1].state["recorded_at"])


def test_partners_are_listed_with_their_status_and_gifts(
    served: Served, shop: Shop, conninfo: str
) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=2)
    lapsed = open_shop(served.context.ledger, 2, until=yesterday)
    suspended = open_shop(served.context.ledger, 3)
    later = open_shop(served.context.ledger, 4, since=datetime.now(UTC).date() + timedelta(days=9))
    suspend(served.context.ledger, suspended.partner_id)
    give(served, shop, amount_cents=40)
    give(served, suspended, amount_cents=60)
    answer = read(served, conninfo, "/api/v1/partners").json()
    told = {one["partner_id"]: (one["status"], one["given_cents"]) for one in answer["partners"]}
    assert told == {
        str(shop.partner_id): ("active", 40),
        str(lapsed.partner_id): ("lapsed", 0),
        str(suspended.partner_id): ("suspended", 60),
        str(later.partner_id): ("registered", 0),
    }
    for one in answer["partners"]:
        alone = read(served, conninfo, f"/api/v1/partners/{one['partner_id']}").json()
        assert {name: alone[name] for name in one} == one
        assert sum(month["given_cents"] for month in alone["months"]) == one["given_cents"]
        assert alone["net_cents"] == one["given_cents"] - one["reversed_cents"]


def test_an_unknown_partner_is_not_found_and_a_malformed_id_is_named(served: Served) -> None:
    unknown = served.client.get(f"/api/v1/partners/{uuid4()}")
    assert (unknown.status_code, unknown.json()["error"]["name"]) == (404, "partner_not_found")
    malformed = served.client.get("/api/v1/partners/nobody")
    assert malformed.status_code == 422
    assert malformed.json()["error"]["problems"][0]["field"] == "partner_id"


def test_an_unknown_address_and_method_are_named(served: Served) -> None:
    nowhere = served.client.get("/api/v1/nothing")
    assert (nowhere.status_code, nowhere.json()["error"]["name"]) == (404, "page_not_found")
    wrong = served.client.delete(DONATIONS)
    assert (wrong.status_code, wrong.json()["error"]["name"]) == (405, "method_not_allowed")
    assert "POST" in wrong.headers["allow"]


@pytest.mark.parametrize("path", [FIGURES, "/api/v1/partners", "/api/v1/journal", "/", "/journal"])
def test_an_answer_is_kept_until_the_next_event(
    served: Served, shop: Shop, conninfo: str, path: str
) -> None:
    give(served, shop)
    read(served, conninfo, FIGURES)
    first = served.client.get(path)
    etag = first.headers["etag"]
    assert first.headers["cache-control"] == "public, no-cache"
    assert served.client.get(path).headers["etag"] == etag
    for condition in (etag, f"W/{etag}", f'"x", {etag}'):
        again = served.client.get(path, headers={"If-None-Match": condition})
        assert (again.status_code, again.content) == (304, b"")
        assert (again.headers["etag"], again.headers["cache-control"]) == (
            etag,
            "public, no-cache",
        )
    give(served, shop)
    read(served, conninfo, FIGURES)
    changed = served.client.get(path, headers={"If-None-Match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag
    assert changed.content != first.content


def test_two_services_give_one_answer_the_same_etag(served: Served, conninfo: str) -> None:
    answers = [served.client.get(path) for path in (FIGURES, f"{FIGURES}?anything=1")]
    assert answers[0].headers["etag"] == answers[1].headers["etag"]


def leave_a_gap(conninfo: str, positions: int) -> None:
    """Let some positions stay empty, as a batch that was rolled back does."""
    with psycopg.connect(conninfo) as connection:
        connection.execute(
            "SELECT setval(s, nextval(s) + %s - 1)"
            " FROM pg_get_serial_sequence('ledger_events', 'notification_id') AS s",
            [positions],
        )


@pytest.fixture
def with_gaps(served: Served, shop: Shop, conninfo: str) -> None:
    """A feed whose positions leave out a few, a whole block, and many blocks."""
    for positions in (3, 99, 100, 101, 1_000, 50_000):
        for _ in range(3):
            give(served, shop)
        leave_a_gap(conninfo, positions)
    batch = {"donations": [gift() for _ in range(250)]}
    served.client.post(f"{DONATIONS}/batch", json=batch, headers=shop.bearer)


def paged(served: Served, limit: int) -> Iterator[dict[str, Any]]:
    parameters: dict[str, int] = {"limit": limit}
    for _ in range(2_000):
        answer = served.client.get("/api/v1/journal", params=parameters).json()
        assert 1 <= len(answer["entries"]) <= limit
        yield from answer["entries"]
        if answer["next_before"] is None:
            return
        assert answer["next_before"] == answer["entries"][-1]["position"]
        parameters["before"] = answer["next_before"]
    pytest.fail("the journal does not end")


def test_the_journal_is_paged_across_gaps_without_loss(
    with_gaps: None, served: Served, conninfo: str
) -> None:
    read(served, conninfo, "/api/v1/journal")
    events = stored(conninfo)[::-1]
    for limit in (1, 7, 99, 100, 101, 271, 1_000):
        entries = list(paged(served, limit))
        assert [entry["position"] for entry in entries] == [event.position for event in events]
        assert [entry["kind"] for entry in entries] == [event.topic for event in events]


def test_any_position_may_be_asked_before(with_gaps: None, served: Served, conninfo: str) -> None:
    read(served, conninfo, "/api/v1/journal")
    positions = [event.position for event in stored(conninfo)]
    for before in (1, 2, 99, 100, 101, 200, 201, 1_000, 30_000, positions[-1], 2**53):
        answer = served.client.get("/api/v1/journal", params={"before": before, "limit": 5})
        expected = [position for position in positions if position < before][-5:][::-1]
        assert [entry["position"] for entry in answer.json()["entries"]] == expected
        more = expected and expected[-1] > positions[0]
        assert answer.json()["next_before"] == (expected[-1] if more else None)


def test_the_journal_tells_what_is_public_and_nothing_else(
    served: Served, shop: Shop, conninfo: str
) -> None:
    body = give(
        served, shop, sale_ref="F-1", purchase_cents=960, ask_id="round-up", amount_cents=51_000
    )
    path = f"{DONATIONS}/{body['donation_id']}/reversals"
    served.client.post(path, json=reversal(), headers=shop.bearer)
    suspend(served.context.ledger, shop.partner_id)
    entries = read(served, conninfo, "/api/v1/journal").json()["entries"]
    assert {entry["kind"] for entry in entries} == set(PUBLIC_FIELDS)
    events = {event.position: event for event in stored(conninfo)}
    for entry in entries:
        event = events[entry["position"]]
        fields = set(entry) - {"position", "kind", "recorded_on"}
        assert fields == PUBLIC_FIELDS[entry["kind"]]
        assert {name: event.state.get(name) for name in fields} == {
            name: entry[name] for name in fields
        }
        assert entry["recorded_on"] == event.state["recorded_at"][:10]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *(("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit")),
        *(("limit=1.5", "limit"), ("before=0", "before"), ("before=-1", "before")),
        *((f"before={2**63}", "before"), ("before=x", "before"), ("before=", "before")),
    ],
)
def test_a_page_that_cannot_be_asked_for_is_named(served: Served, query: str, field: str) -> None:
    answer = served.client.get(f"/api/v1/journal?{query}")
    assert answer.status_code == 422
    assert answer.json()["error"]["problems"][0]["field"] == field


def test_health_tells_how_far_each_read_model_lags(
    served: Served, shop: Shop, conninfo: str
) -> None:
    catch_up(conninfo, READ_MODELS)
    reached = stored(conninfo)[-1].position
    for _ in range(3):
        give(served, shop)
    newest = stored(conninfo)[-1].position
    answer = served.client.get("/healthz")
    assert answer.headers["cache-control"] == "no-store"
    lag = {"position": reached, "behind": newest - reached}
    assert answer.json() == {
        "ok": True,
        "position": newest,
        "projections": dict.fromkeys(READ_MODELS, lag),
    }
    catch_up(conninfo, READ_MODELS)
    lag = {"position": newest, "behind": 0}
    caught_up = served.client.get("/api/v1/healthz").json()
    assert caught_up["projections"] == dict.fromkeys(READ_MODELS, lag)
