"""The pages of a shop's manager: its tills, their gaps, and gifts sent as a file."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from api.sessions import csrf_of
from ledger.calendar import civil_day
from ledger.devices import FIRST
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.people import COOKIE, Browser, browser_of
from tests.api.served import Served
from tests.api.shops import Shop, open_shop
from tests.api.test_till_sync import chained, linked
from tests.ledger.processes import eventually
from tests.projections.village import following

HEAD = "occurred_at;amount;reference;purchase;source"


@pytest.fixture(autouse=True)
def follower(conninfo: str) -> Iterator[None]:
    catch_up(conninfo, READ_MODELS)  # The tables are there before the first request.
    with following(conninfo):
        yield


@pytest.fixture
def manager(served: Served, shop: Shop, conninfo: str) -> Browser:
    catch_up(conninfo, READ_MODELS)
    served.context.admission.refresh()
    return browser_of(served, "partner_manager", partner_ids=(shop.partner_id,))


def words(answer: httpx.Response) -> str:
    return " ".join(unescape(answer.text).replace("\u202f", " ").replace("\xa0", " ").split())


def upload(manager: Browser, till_id: UUID, text: str | bytes | None) -> httpx.Response:
    """Send a file as the page would."""
    assert manager.token is not None
    content = text.encode() if isinstance(text, str) else text
    files: dict[str, Any] = {"file": ("gifts.csv", content or b"", "text/csv")}
    if text is None:
        files = {"file": ("", b"", "application/octet-stream")}
    return manager.served.client.post(
        "/my/upload",
        data={"csrf": csrf_of(manager.token), "till": str(till_id)},
        files=files,
        headers=manager.headers,
    )


def results(answer: httpx.Response) -> list[str]:
    """The cells of the report's third column."""
    rows = answer.text.split("<tbody>")[1].split("</tbody>")[0].split("<tr>")[1:]
    return [" ".join(row.split("<td>")[2].split("</td>")[0].split()) for row in rows]


class TestUpload:
    def test_each_line_is_accepted_repeated_or_refused(
        self, shop: Shop, manager: Browser, conninfo: str
    ) -> None:
        lines = [
            HEAD,
            "2026-03-01T09:30;0,66;T-1;12,34;customer",
            "2026-03-01T09:31:00+01:00;1;T-2;;",
            "2026-03-01T09:32;beaucoup;T-3;;",
            "hier;1,00;T-4;;",
            "2026-03-01T09:33;1,00;;;",
            "2026-03-01T09:34;1,00;T-5;;town",
            "2999-03-01T09:34;1,00;T-6;;",
            "2026-03-01T09:30;0,66;T-1;12,34;customer",
            "2026-03-01T09:30;0,67;T-1;12,34;customer",
            "2026-03-01T09:35;1,00;T-7;;;extra",
        ]
        answer = upload(manager, shop.till_id, "\n".join(lines))
        assert answer.status_code == 200, words(answer)
        told = results(answer)
        assert told[:2] == ["accepted", "accepted"]
        assert ["the amount" in told[2], "the time" in told[3], "the reference" in told[4]] == [
            True
        ] * 3
        assert "the source" in told[5]
        assert "future" in told[6]
        assert told[7] == "known before"
        assert "other contents" in told[8]
        assert "more columns" in told[9]
        assert "2 · €1.66" in words(answer)
        again = upload(manager, shop.till_id, "\n".join(lines))
        assert results(again)[:2] == ["known before"] * 2
        with psycopg.connect(conninfo) as connection:
            rows = connection.execute(
                "SELECT e ->> 'actor', e ->> 'occurred_at', e ->> 'till_id' FROM (SELECT"
                " convert_from(state, 'UTF8')::json AS e FROM ledger_events"
                " WHERE topic = 'DonationRecorded' ORDER BY notification_id) AS events"
            ).fetchall()
        assert [row[1] for row in rows] == ["2026-03-01T08:30:00Z", "2026-03-01T08:31:00Z"]
        assert all(row[0].startswith("account:") for row in rows)
        assert {row[2] for row in rows} == {str(shop.till_id)}

    @pytest.mark.parametrize(
        "moment",
        [
            *("0001-01-01T00:00", "0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z"),
            *("9999-12-31T23:59:59-10:00", "9000-01-01T00:00:00Z", "9999-12-31T23:59"),
        ],
    )
    def test_a_time_beyond_all_calendars_refuses_its_line_alone(
        self, shop: Shop, manager: Browser, moment: str
    ) -> None:
        lines = [HEAD, f"{moment};1,00;T-1;;", "2026-03-01T09:30;0,66;T-2;;"]
        answer = upload(manager, shop.till_id, "\n".join(lines))
        assert answer.status_code == 200, words(answer)
        refused, accepted = results(answer)
        assert ("the time" in refused, accepted) == (True, "accepted")

    @pytest.mark.parametrize(
        "text",
        [
            "amount,occurred_at,reference\r\n0.40,2026-03-01T10:00,A\r\n",
            "\ufeffoccurred_at\tamount\treference\n2026-03-01T10:00\t0,40\tA\n",
            "Occurred_At;Amount;Reference\n2026-03-01 10:00;0,40 €;A\n".encode("cp1252"),
        ],
    )
    def test_files_of_any_spreadsheet_are_read(
        self, shop: Shop, manager: Browser, text: str | bytes
    ) -> None:
        assert results(upload(manager, shop.till_id, text)) == ["accepted"]

    @pytest.mark.parametrize(
        "text",
        ["", "hello", "date;sum\n1;2", b"\x00\x01\x02", f'{HEAD}\n"never closed', b"\xff\xfe"],
    )
    def test_what_is_no_such_file_records_nothing(
        self, shop: Shop, manager: Browser, text: str | bytes
    ) -> None:
        answer = upload(manager, shop.till_id, text)
        assert answer.status_code == 422
        assert "Nothing was recorded" in words(answer)

    def test_a_file_has_ten_thousand_lines_at_most(self, shop: Shop, manager: Browser) -> None:
        lines = [f"2026-03-01T09:30;0,66;T-{number};;" for number in range(10_001)]
        answer = upload(manager, shop.till_id, "\n".join([HEAD, *lines]))
        assert (answer.status_code, "send it in parts" in words(answer)) == (422, True)

    def test_a_file_is_chosen(self, shop: Shop, manager: Browser) -> None:
        assert "Choose a file first" in words(upload(manager, shop.till_id, None))

    def test_only_into_a_till_of_ones_own(
        self, served: Served, manager: Browser, conninfo: str
    ) -> None:
        other = open_shop(served.context.ledger, 2)
        catch_up(conninfo, READ_MODELS)
        answer = upload(manager, other.till_id, f"{HEAD}\n2026-03-01T09:30;0,66;T-1;;")
        assert (answer.status_code, "one of your tills" in words(answer)) == (422, True)

    def test_a_form_of_another_site_is_refused(self, shop: Shop, manager: Browser) -> None:
        stranger = {"Cookie": f"{COOKIE}={manager.token}", "Sec-Fetch-Site": "cross-site"}
        answer = manager.served.client.post(
            "/my/upload",
            data={"csrf": csrf_of(manager.token or ""), "till": str(shop.till_id)},
            files={"file": ("gifts.csv", HEAD.encode(), "text/csv")},
            headers=stranger,
        )
        assert answer.status_code == 403


class TestMyTills:
    def test_a_till_is_offered_taken_over_and_taken_out_of_use(
        self, shop: Shop, manager: Browser
    ) -> None:
        page = manager.post("/my/tills", {"partner": str(shop.partner_id), "name": " Étal  nord "})
        assert page.status_code == 200, words(page)
        assert "Code for Étal nord" in words(page)
        eventually(lambda: "waits for its device" in words(manager.get("/my/tills")))
        page = manager.post(f"/my/tills/{shop.till_id}/code")
        assert "Code for Caisse 1" in words(page)
        page = manager.post(f"/my/tills/{shop.till_id}/revoke")
        assert page.headers["location"] == "/my/tills"
        eventually(lambda: "out of use" in words(manager.get("/my/tills")))
        page = manager.post(f"/my/tills/{shop.till_id}/code")
        assert page.status_code == 422

    @pytest.mark.parametrize("name", ["A\x00B", "A\x7fB", "A\u2028\x85\x9fB", "", "   ", "x" * 81])
    def test_a_till_has_a_name(self, shop: Shop, manager: Browser, name: str) -> None:
        page = manager.post("/my/tills", {"partner": str(shop.partner_id), "name": name})
        assert page.status_code == 422
        assert "a name of at most 80 characters" in words(page)

    def test_nobody_touches_the_tills_of_another_shop(
        self, served: Served, manager: Browser
    ) -> None:
        other = open_shop(served.context.ledger, 2)
        asked = manager.post("/my/tills", {"partner": str(other.partner_id), "name": "Étal"})
        assert asked.status_code == 422
        gap = {"first": "1", "last": "2", "reason": "device_lost"}
        for path, form in (("code", {}), ("revoke", {}), ("gaps", gap)):
            for till_id in (other.till_id, uuid4()):
                answer = manager.post(f"/my/tills/{till_id}/{path}", form)
                assert (answer.status_code, "not one of your tills" in words(answer)) == (422, True)
        assert served.client.get("/api/v1/till", headers=other.bearer).status_code == 200

    def test_a_gap_is_shown_and_explained(
        self, served: Served, shop: Shop, manager: Browser
    ) -> None:
        gifts = chained(shop, 5)
        batch = {"donations": [gifts[0], gifts[4]]}
        served.client.post("/api/v1/donations/batch", json=batch, headers=shop.bearer)
        missing = "The ledger misses: gifts 2 to 4"
        eventually(lambda: missing in words(manager.get("/my/tills")))
        path = f"/my/tills/{shop.till_id}/gaps"
        for wrong in (
            {"first": "x", "last": "3", "reason": "device_lost"},
            {"first": "0", "last": "3", "reason": "device_lost"},
            {"first": "2", "last": "3", "reason": "bored"},
            {"first": "4", "last": "3", "reason": "device_lost"},
            {},
        ):
            assert manager.post(path, wrong).status_code == 422
        sent = manager.post(path, {"first": "2", "last": "4", "reason": "device_lost"})
        assert sent.status_code == 303
        eventually(lambda: missing not in words(manager.get("/my/tills")))
        said = "gifts 2 to 4 (the device was lost or broken)"
        assert said in words(manager.get("/my/tills"))


class TestDay:
    @pytest.fixture
    def till(self, served: Served, shop: Shop) -> Iterator[httpx.Client]:
        with httpx.Client(base_url=served.url, headers={"accept-language": "en"}) as client:
            # The cookie is for https, where the service is told to be: it is sent by hand.
            client.headers["cookie"] = f"till={shop.key}"
            yield client

    def test_it_is_counted_closed_and_compared(
        self, served: Served, shop: Shop, till: httpx.Client
    ) -> None:
        batch = {"donations": chained(shop, 3)}
        served.client.post("/api/v1/donations/batch", json=batch, headers=shop.bearer)
        today = civil_day(datetime.now(UTC)).isoformat()
        eventually(lambda: "€1.20" in words(till.get("/till/day")))
        sent = till.post("/till/day", data={"day": today, "gifts": "3", "amount": "1,20"})
        assert sent.headers["location"] == f"/till/day?day={today}"
        assert "agrees" in words(till.get(sent.headers["location"]))
        till.post("/till/day", data={"day": today, "gifts": "4", "amount": "1,60"})
        assert "differs" in words(till.get("/till/day"))

    @pytest.mark.parametrize(
        "typed",
        [
            {},
            {"gifts": "three", "amount": "1"},
            {"gifts": "3", "amount": ""},
            {"gifts": "-3", "amount": "1"},
            {"gifts": "9" * 9, "amount": "1"},
        ],
    )
    def test_what_cannot_be_read_is_kept_and_explained(
        self, till: httpx.Client, typed: dict[str, str]
    ) -> None:
        answer = till.post("/till/day", data=typed)
        assert (answer.status_code, "Type a number of gifts" in words(answer)) == (422, True)

    def test_tomorrow_has_not_begun(self, till: httpx.Client) -> None:
        tomorrow = (civil_day(datetime.now(UTC)) + timedelta(days=1)).isoformat()
        answer = till.post("/till/day", data={"day": tomorrow, "gifts": "0", "amount": "0"})
        assert (answer.status_code, "not begun" in words(answer)) == (422, True)

    def test_a_till_is_needed(self, served: Served) -> None:
        for answer in (served.client.get("/till/day"), served.client.post("/till/day")):
            assert answer.headers["location"] == "/till"
        foreign = served.client.post("/till/day", headers={"Sec-Fetch-Site": "cross-site"})
        assert foreign.status_code == 403


class TestForks:
    """What happened to a device is told in plain words, with what to do about it."""

    def told(self, served: Served, shop: Shop, manager: Browser, *chains: list[Any]) -> str:
        gifts = [body for chain in chains for body in chain]
        batch = {"donations": gifts}
        sent = served.client.post("/api/v1/donations/batch", json=batch, headers=shop.bearer)
        assert {one["status"] for one in sent.json()["results"]} == {201}
        eventually(lambda: "data-fork" in manager.get("/my/tills").text)
        return words(manager.get("/my/tills"))

    def test_two_devices_with_one_key(self, served: Served, shop: Shop, manager: Browser) -> None:
        one, two = made(shop, 3, minutes=60), made(shop, 3, minutes=59)
        shown = self.told(served, shop, manager, one, two)
        assert 'data-fork="two_devices"' in shown
        assert "Two devices use this till’s key since" in shown
        assert "Give out a code for a new till below" in shown

    def test_a_wiped_phone(self, served: Served, shop: Shop, manager: Browser) -> None:
        shown = self.told(
            served, shop, manager, made(shop, 3, minutes=60), made(shop, 2, minutes=10)
        )
        assert 'data-fork="wiped"' in shown
        assert "The device began to count from 1 again" in shown
        assert "Compare the closed days below with what your own till counted" in shown

    def test_a_restored_backup(self, served: Served, shop: Shop, manager: Browser) -> None:
        before = made(shop, 4, minutes=60)
        after = made(shop, 2, minutes=10, onto=before[:2])
        shown = self.told(served, shop, manager, before, after)
        assert 'data-fork="restored"' in shown
        assert "an older backup was restored" in shown
        assert "No gift is lost or counted twice." in shown


def made(
    shop: Shop, count: int, *, minutes: int, onto: Sequence[dict[str, Any]] = ()
) -> list[dict[str, Any]]:
    """Make gifts as one device does, a second apart, the first so many minutes ago."""
    first = datetime.now(UTC) - timedelta(minutes=minutes)
    chain = list(onto)
    for place in range(count):
        previous = chain[-1]["device"]["hash"] if chain else FIRST
        at = first + timedelta(seconds=120 * place)
        chain.append(linked(shop, len(chain) + 1, previous, at))
    return chain[len(onto) :]
