"""A served town whose shops earn, keep and lose the badge."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from html import unescape
from itertools import count
from typing import Any, Literal
from uuid import UUID

import httpx
import psycopg
import pytest

from api.admin import add_partner
from api.demo_life import recognise, sanction
from ledger.calendar import civil_day
from ledger.partners.certifications.events import Reason
from ledger.settings import Settings
from projections.every import READ_MODELS
from projections.feed import head
from projections.follow import catch_up
from tests.api.served import Served, serving
from tests.api.shops import siret
from tests.ledger.processes import eventually

FR, EN = {"accept-language": "fr"}, {"accept-language": "en"}
TODAY = civil_day(datetime.now(UTC))
TAG = re.compile(r"<[^>]*>")
numbers = count(40)


@dataclass(frozen=True, slots=True)
class Town:
    """A served village without a shop yet; `at` counts back from now."""

    served: Served
    conninfo: str

    def shop(
        self, name: str = "Au P’tit Pain", *, days_ago: int = 100, until: date | None = None
    ) -> UUID:
        """Certify a shop, some days after it applied."""
        number = next(numbers)
        applied_at = datetime.now(UTC) - timedelta(days=days_ago)
        ledger = self.served.context.ledger
        shop = add_partner(ledger, "console:test", name, siret(number), at=applied_at)
        recognise(
            ledger,
            shop,
            f"2026-{number:03d}",
            applied_at=applied_at,
            valid_from=civil_day(applied_at),
            valid_until=until,
        )
        self.follow()
        return shop

    def registered(self) -> UUID:
        shop = add_partner(self.served.context.ledger, "console:test", "Sans plus", siret(1))
        self.follow()
        return shop

    def sanctions(
        self, shop: UUID, measure: Literal["suspend", "reinstate", "revoke"], name: str = "case"
    ) -> None:
        reason: Reason | None = None if measure == "reinstate" else "charter_breached"
        now = datetime.now(UTC)
        sanction(self.served.context.ledger, shop, measure, reason, at=now, name=name)
        self.follow()

    def follow(self) -> None:
        """Bring the read models, and what the pages know of them, up to the newest event."""
        catch_up(self.conninfo, READ_MODELS)
        with psycopg.connect(self.conninfo) as connection:
            newest = head(connection)
        eventually(lambda: self.get("/api/v1/figures").json()["as_of_position"] == newest)

    def get(self, address: str, headers: dict[str, str] = FR, status: int = 200) -> httpx.Response:
        answer = self.served.client.get(address, headers=headers)
        assert answer.status_code == status, answer.text
        return answer

    def badge(self, shop: UUID) -> dict[str, Any]:
        badge: dict[str, Any] = self.get(f"/badges/{shop}.json").json()
        return badge

    def checked(self, badge: object, headers: dict[str, str] = EN) -> str:
        """Send a badge to the page; give what it says, without what it says to browsers."""
        text = badge if isinstance(badge, str) else json.dumps(badge)
        answer = self.served.client.post("/verify", data={"badge": text}, headers=headers)
        assert answer.status_code in {200, 422}, answer.text
        return words(answer.text.split("<form id=")[0].split('id="answer"')[1])


def words(html: str) -> str:
    """Give what a page says, without its markup."""
    plain = unescape(TAG.sub(" ", html)).replace("\u202f", " ").replace("\xa0", " ")
    return " ".join(plain.split())


@pytest.fixture
def town(settings: Settings, conninfo: str) -> Iterator[Town]:
    catch_up(conninfo, READ_MODELS)
    with serving(settings, conninfo) as served:
        yield Town(served, conninfo)
