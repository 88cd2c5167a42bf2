"""A manager and an officer look at statements: on a phone and at a desk, in both languages."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect

from api import dunning, settling
from ledger.settings import Settings
from tests.api.people import Browser, browser_of
from tests.api.served import Served, serving
from tests.api.settlements import (
    catch_up,
    found_foundation,
    give_back,
    give_on,
    last_month,
    remit,
    today,
)
from tests.api.shops import Shop, open_shop
from tests.browser.conftest import Service, Visitor, listen
from tests.browser.test_pages import fits, is_accessible
from tests.projections.village import following

LOOKS = [("fr-FR", 320, True), ("en-GB", 1280, False)]


@dataclass(frozen=True, slots=True)
class Settled:
    """Two shops with a statement each; the first paid a part of its own, the other is late."""

    served: Served
    shops: list[Shop]
    statement_ids: dict[UUID, UUID]
    gift: UUID

    def pages_of(self, shop: Shop) -> str:
        return f"/my/shops/{shop.partner_id}/statements"


@pytest.fixture
def settled(browser: Chromium, conninfo: str, tmp_path: Path) -> Iterator[Settled]:
    """Served from here, so that its past can be made up; asked for after the browser."""
    settings = Settings.from_environment({"DONPOSITIF_HOME": str(tmp_path / "home")})
    with serving(settings, conninfo) as served, following(conninfo):
        ledger = served.context.ledger
        shops = [open_shop(ledger, number) for number in (1, 2)]
        found_foundation(ledger)
        gifts = [give_on(ledger, shop, last_month(), 123_456) for shop in shops]
        for shop, gift in zip(shops, gifts, strict=True):
            give_on(ledger, shop, last_month().replace(day=1), 40, "shop")
            give_back(ledger, shop, gift, 56, last_month())
        catch_up(conninfo)
        closed = settling.close_due(served.context)
        ids = {one.partner_id: one.statement_id for one in closed}
        give_on(ledger, shops[0], today(), 700)
        remit(ledger, shops[0], ids[shops[0].partner_id], 20_000)
        catch_up(conninfo)
        yield Settled(served, shops, ids, gifts[0])


@dataclass(slots=True)
class Windows:
    """Windows of Chromium on the served village, signed in by their cookie."""

    browser: Chromium
    served: Served
    made: list[Visitor]

    def open(
        self, person: Browser, language: str, width: int, *, dark: bool, script: bool = True
    ) -> Visitor:
        context = self.browser.new_context(
            viewport={"width": width, "height": 800},
            locale=language,
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        context.add_cookies(
            [{"name": "session", "value": str(person.token), "url": self.served.url}]
        )
        context.set_default_timeout(10_000)
        visitor = Visitor(context.new_page(), Service(self.served.url, {}))
        listen(visitor)
        self.made.append(visitor)
        return visitor


@pytest.fixture
def windows(browser: Chromium, settled: Settled) -> Iterator[Windows]:
    made = Windows(browser, settled.served, [])
    yield made
    for one in made.made:
        one.page.context.close()
    assert [complaint for one in made.made for complaint in one.complaints] == []


def looks(visitor: Visitor) -> None:
    folded = visitor.page.locator("main details:not([open]) > summary")
    while folded.count():
        folded.first.click()
    fits(visitor)
    is_accessible(visitor)


@pytest.mark.parametrize(("language", "width", "dark"), LOOKS)
def test_a_manager_reads_what_her_shop_owes(
    windows: Windows, settled: Settled, language: str, width: int, dark: bool
) -> None:
    shop = settled.shops[0]
    manager = browser_of(settled.served, "partner_manager", partner_ids=(shop.partner_id,))
    visitor = windows.open(manager, language, width, dark=dark)
    visitor.goes(settled.pages_of(shop))
    looks(visitor)
    visitor.page.locator(".rows .row-name").first.click()
    expect(visitor.page.locator(".pay .qr")).to_be_visible()
    looks(visitor)
    visitor.goes(f"/g/{settled.served.context.tickets.code(settled.gift)}")
    expect(visitor.page.locator(".trail li")).to_have_count(3)
    looks(visitor)


@pytest.mark.parametrize(("language", "width", "dark"), LOOKS)
def test_an_officer_looks_at_every_debt(
    windows: Windows, settled: Settled, language: str, width: int, dark: bool
) -> None:
    visitor = windows.open(browser_of(settled.served, "officer"), language, width, dark=dark)
    visitor.goes("/office/settlements")
    expect(visitor.page.locator(".ageing tbody tr")).to_have_count(2)
    looks(visitor)
    visitor.goes(f"/office/settlements/{settled.statement_ids[settled.shops[1].partner_id]}")
    looks(visitor)


def test_without_script_two_people_write_off(windows: Windows, settled: Settled) -> None:
    here = f"/office/settlements/{settled.statement_ids[settled.shops[1].partner_id]}"
    officer, member = (browser_of(settled.served, role) for role in ("officer", "committee"))
    first = windows.open(officer, "fr-FR", 390, dark=False, script=False)
    first.goes(here)
    first.page.get_by_text("Proposer un abandon").click()
    first.page.locator("#amount").fill("1234,40")
    first.page.get_by_role("button", name="Le proposer").click()
    first.sees("L’abandon est proposé.")
    first.page.get_by_role("button", name="Abandonner").click()
    expect(first.page.locator("#problem")).to_contain_text("Vous l’avez proposé")
    second = windows.open(member, "fr-FR", 390, dark=False, script=False)
    second.goes(here)
    second.page.get_by_role("button", name="Abandonner").click()
    second.sees("La créance est abandonnée : deux personnes l’ont décidé.")
    expect(second.page.locator(".figure")).to_have_text("0,00\u00a0€")


def test_an_overdue_statement_is_told_to_its_shop(windows: Windows, settled: Settled) -> None:
    shop = settled.shops[1]
    with settled.served.context.pool.connection() as connection:
        # What a month changes, without waiting for it.
        connection.execute(
            "UPDATE statement SET due_on = %s WHERE partner_id = %s",
            (today() - timedelta(days=10), shop.partner_id),
        )
    assert dunning.note_overdue(settled.served.context) == 1
    manager = browser_of(settled.served, "partner_manager", partner_ids=(shop.partner_id,))
    visitor = windows.open(manager, "fr-FR", 320, dark=False)
    visitor.goes(settled.pages_of(shop))
    expect(visitor.page.locator(".notice")).to_contain_text("le commerce n’est plus partenaire")
    expect(visitor.page.locator(".pill-suspended")).to_have_text("en retard")
    looks(visitor)
