"""A standing is told by what really decided it, in every place that tells it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import UUID

import httpx
import pytest

from api.admin import add_partner
from api.demo_life import recognise
from ledger.calendar import civil_day
from projections import standings
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.people import browser_of
from tests.api.served import Served
from tests.api.shops import open_shop, siret

EN = {"Accept-Language": "en"}
TODAY = civil_day(datetime.now(UTC))
SINCE, UNTIL = TODAY - timedelta(days=400), TODAY - timedelta(days=40)
EXPIRED, ENDED = "Certification expired", "Agreement ended"
Lapse = Callable[[Served], UUID]


def certification_over(served: Served) -> UUID:
    """A certification of three years that ended last month, under an agreement still in force."""
    since = datetime.now(UTC) - timedelta(days=3 * 365 + 40)
    partner_id = add_partner(served.context.ledger, "test", "Café échu", siret(81), at=since)
    recognise(served.context.ledger, partner_id, "A-1", applied_at=since, valid_from=since.date())
    return partner_id


def agreement_over(served: Served) -> UUID:
    return open_shop(served.context.ledger, 82, since=SINCE, until=UNTIL).partner_id


def words(answer: httpx.Response) -> str:
    assert answer.status_code == httpx.codes.OK, answer.text
    return " ".join(unescape(answer.text).replace("\xa0", " ").split())


@pytest.mark.parametrize(
    ("lapse", "pill", "sentences"),
    [
        (certification_over, EXPIRED, ("Its certification ran out on", "had run out")),
        (agreement_over, ENDED, ("Its agreement ended on", "agreement had come to its")),
    ],
)
def test_what_lapsed_is_named(
    served: Served, conninfo: str, lapse: Lapse, pill: str, sentences: tuple[str, str]
) -> None:
    partner_id = lapse(served)
    catch_up(conninfo, READ_MODELS)
    with served.context.pool.connection() as connection:
        standing = standings.answer(connection, partner_id, TODAY)
    assert standing is not None
    assert standing.status == "lapsed", standing
    browser = browser_of(served, "partner_manager", "officer", partner_ids=(partner_id,))
    pages = {
        path: words(browser.get(path))
        for path in (
            "/partners",
            f"/partners/{partner_id}",
            "/my",
            f"/my/shops/{partner_id}",
            "/office/partners",
            f"/office/partners/{partner_id}",
        )
    }
    for path, shown in pages.items():
        pills = re.findall(r'class="pill pill-lapsed">.*?</span> ([^<]+)</span>', shown)
        assert {EXPIRED, ENDED} & set(pills) == {pill}, path
    sentence, badge = sentences
    assert sentence in pages[f"/partners/{partner_id}"]
    asked = {"on": TODAY.isoformat()}
    for address in (f"/partners/{partner_id}", f"/badges/{partner_id}"):
        assert badge in words(served.client.get(address, params=asked, headers=EN)), address


def test_who_never_applied_is_not_said_to_wait_for_an_agreement(
    served: Served, conninfo: str
) -> None:
    partner_id = add_partner(served.context.ledger, "test", "Café nouveau", siret(83))
    catch_up(conninfo, READ_MODELS)
    shown = words(served.client.get(f"/partners/{partner_id}", headers=EN))
    assert "has not applied for certification" in shown
    assert "Not certified" in shown
    assert "agreement is not in force yet" not in shown
