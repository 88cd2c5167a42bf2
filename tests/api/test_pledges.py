"""A sponsor promises, is asked to pay, and rounds take their part: once, and never too much."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api import pledges
from api.clock import DUTIES
from ledger.rounds.state import Adopted, Tallied
from tests.api import round_office
from tests.api.owing import TODAY
from tests.api.people import browser_of
from tests.api.round_office import Office, done, state_of
from tests.api.shops import Shop
from tests.ledger.processes import eventually

HERE = "/office/pledges"
SEEN, FORBIDDEN, CONFLICT, REFUSED = 303, 403, 409, 422
SPONSOR = {"sponsor": "moulins", "cents_per_euro": "100", "cap": "10"}

office = round_office.office


@dataclass(frozen=True)
class Promises:
    """What an officer does with pledges."""

    office: Office

    def promises(self, euros: str, pledge_id: UUID | None = None, **changes: Any) -> httpx.Response:
        told = {
            "pledge_id": str(pledge_id or uuid4()),
            "sponsor": "moulins",
            "amount": euros,
            "pledged_on": TODAY.isoformat(),
            "round": "",
        }
        return self.office.officer.post(HERE, told | changes)

    def promised(self, euros: str, **changes: Any) -> UUID:
        answer = self.promises(euros, **changes)
        done(answer)
        self.office.follow()
        return UUID(answer.headers["location"].rsplit("/", 1)[1].partition("?")[0])

    def used(self, pledge_id: UUID) -> int:
        return pledges.pledge_of(self.office.served.context, pledge_id).used_cents

    def adopted(self, shop: Shop) -> tuple[UUID, int]:
        """Hold a round that the sponsor adds to; give what it added."""
        round_id = self.office.opened(**SPONSOR)
        self.office.votes(shop, round_id)
        return round_id, self.decides(round_id)

    def decides(self, round_id: UUID) -> int:
        """Close, count and adopt a round; give what the sponsor added."""
        served = self.office.served
        self.office.closes(round_id)
        done(self.office.officer.post(f"/office/rounds/{round_id}/count"))
        eventually(lambda: isinstance(state_of(served, round_id), Tallied))
        counted = state_of(served, round_id)
        assert isinstance(counted, Tallied)
        self.office.adopts(round_id, counted.tally.result_sha256)
        assert isinstance(state_of(served, round_id), Adopted)
        assert counted.tally.matched_cents > 0
        return counted.tally.matched_cents

    def clock_comes_by(self) -> None:
        (duty,) = (one for one in DUTIES if one.name == "pledges")
        duty.act(self.office.served.context)
        self.office.follow()


@pytest.fixture
def promises(office: Office) -> Promises:
    return Promises(office)


def test_an_adopted_result_takes_its_part_once(promises: Promises, shop: Shop) -> None:
    pledge_id = promises.promised("50")
    round_id, matched_cents = promises.adopted(shop)
    assert promises.used(pledge_id) == matched_cents
    context = promises.office.served.context
    for _ in range(2):
        assert pledges.use(context, "clock", round_id) == 0
        promises.clock_comes_by()
    assert promises.used(pledge_id) == matched_cents


def test_many_at_once_take_no_cent_twice(promises: Promises, shop: Shop) -> None:
    round_id, matched_cents = promises.adopted(shop)
    ids = [promises.promised("3") for _ in range(4)]
    context = promises.office.served.context
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: pledges.use(context, "clock", round_id), range(4)))
    assert sum(promises.used(one) for one in ids) == min(matched_cents, 1_200)


def test_what_is_promised_late_is_taken_by_the_clock(promises: Promises, shop: Shop) -> None:
    round_id, matched_cents = promises.adopted(shop)
    assert "promised by nobody" in promises.office.officer.get(HERE).text
    first = promises.promised("1")
    promises.clock_comes_by()
    assert promises.used(first) == 100
    second = promises.promised("50")
    promises.clock_comes_by()
    assert promises.used(second) == matched_cents - 100
    assert "promised by nobody" not in promises.office.officer.get(HERE).text
    assert (
        "promised by nobody" not in promises.office.officer.get(f"/office/rounds/{round_id}").text
    )


def test_what_was_promised_for_the_round_alone_goes_first(promises: Promises, shop: Shop) -> None:
    whole = promises.promised("50")
    round_id = promises.office.opened(**SPONSOR)
    own = promises.promised("2", round=str(round_id))
    promises.office.votes(shop, round_id)
    matched_cents = promises.decides(round_id)
    assert promises.used(own) == 200
    assert promises.used(whole) == matched_cents - 200


def test_the_committee_is_warned_of_money_that_nobody_promised(promises: Promises) -> None:
    draft = promises.office.drafted(**SPONSOR)
    path = f"/office/rounds/{draft}"
    page = promises.office.first.get(path).text
    assert "€10.00 of that are promised by nobody" in page
    promises.promised("4")
    assert "€6.00 of that are promised by nobody" in promises.office.first.get(path).text
    promises.promised("6")
    assert "promised by nobody" not in promises.office.first.get(path).text


def test_a_round_without_a_sponsor_warns_of_nothing(promises: Promises) -> None:
    draft = promises.office.drafted()
    assert "promised by nobody" not in promises.office.first.get(f"/office/rounds/{draft}").text


def test_a_promise_counts_for_one_open_round_only(promises: Promises) -> None:
    promises.promised("10")
    promises.office.opened(last_on=(TODAY - timedelta(days=9)).isoformat(), **SPONSOR)
    first = {"first_on": (TODAY - timedelta(days=5)).isoformat()}
    rest = [str(one) for one in promises.office.projects[:3]]
    draft = promises.office.drafted(project=rest, **first, **SPONSOR)
    page = promises.office.first.get(f"/office/rounds/{draft}").text
    assert "€10.00 of that are promised by nobody" in page


def test_a_sponsor_is_asked_to_pay(promises: Promises) -> None:
    pledge_id = promises.promised("50")
    call = {"call_id": str(uuid4()), "amount": "30", "due_on": TODAY.isoformat()}
    for _ in range(2):
        done(promises.office.officer.post(f"{HERE}/{pledge_id}/calls", call))
    promises.office.follow()
    page = promises.office.officer.get(f"{HERE}/{pledge_id}").text
    (one,) = pledges.pledge_of(promises.office.served.context, pledge_id).calls
    assert one.reference in page.replace(" ", "")
    assert "€30.00 open" in page
    # The same form for another promise is another call, under a reference of its own.
    other_id = promises.promised("40")
    done(promises.office.officer.post(f"{HERE}/{other_id}/calls", call))
    promises.office.follow()
    (other,) = pledges.pledge_of(promises.office.served.context, other_id).calls
    assert other.reference != one.reference
    assert "€30.00 open" in promises.office.officer.get(f"{HERE}/{other_id}").text
    over = call | {"call_id": str(uuid4()), "amount": "20,01"}
    answer = promises.office.officer.post(f"{HERE}/{pledge_id}/calls", over)
    assert answer.status_code == CONFLICT
    assert "More would be called" in answer.text


def test_a_sponsor_keeps_what_no_round_took(promises: Promises) -> None:
    pledge_id = promises.promised("50")
    told = {"withdrawn_on": TODAY.isoformat()}
    done(promises.office.officer.post(f"{HERE}/{pledge_id}/withdrawal", told))
    state = pledges.pledge_of(promises.office.served.context, pledge_id)
    assert state.free_cents == 0
    page = promises.office.officer.get(f"{HERE}/{pledge_id}").text
    assert "/withdrawal" not in page
    assert "/calls" not in page


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"sponsor": "Les Moulins"}, REFUSED, "small letters"),
        ({"amount": "-3"}, REFUSED, "Type the amount"),
        ({"pledged_on": "2199-01-01"}, REFUSED, "has not come yet"),
        ({"round": str(uuid4())}, CONFLICT, "names no such sponsor"),
    ],
)
def test_a_typing_error_is_said_beside_what_was_typed(
    promises: Promises, changes: dict[str, Any], status: int, words: str
) -> None:
    answer = promises.promises("50", **changes)
    assert answer.status_code == status
    assert words in answer.text
    assert 'role="alert"' in answer.text


def test_a_form_sent_twice_promises_once(promises: Promises) -> None:
    pledge_id = uuid4()
    for _ in range(2):
        done(promises.promises("50", pledge_id))
    assert promises.promises("51", pledge_id).status_code == CONFLICT


def test_an_auditor_reads_and_records_nothing(promises: Promises) -> None:
    pledge_id = promises.promised("50")
    auditor = browser_of(promises.office.served, "auditor")
    for page in (HERE, f"{HERE}/{pledge_id}"):
        text = auditor.get(page).text
        assert "€50.00" in text
        assert 'action="/office' not in text
    for form in ("", f"/{pledge_id}/calls", f"/{pledge_id}/withdrawal"):
        assert auditor.post(HERE + form, {}).status_code == FORBIDDEN
