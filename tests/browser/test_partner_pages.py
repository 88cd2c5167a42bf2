"""Anybody finds a shop, asks about a day and complains; its manager applies with a paper."""

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Service, Visitor, Visitors
from tests.browser.test_pages import fits, is_accessible

PASSWORD = "quatre roues à aubes"
PDF = {"name": "charte.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 charte"}


def partner_id_of(service: Service, name: str) -> str:
    listed = httpx.get(f"{service.url}/api/v1/partners", timeout=10).json()["partners"]
    return next(str(one["partner_id"]) for one in listed if one["name"] == name)


def looks(visitor: Visitor) -> None:
    fits(visitor)
    is_accessible(visitor)


@pytest.mark.parametrize(("width", "dark"), [(320, False), (1280, True)])
def test_from_the_directory_to_a_complaint(visitors: Visitors, width: int, dark: bool) -> None:
    visitor = visitors.arrive(width=width, dark=dark)
    page = visitor.page
    visitor.goes("/partners")
    page.locator("#query").fill("antiquites")
    page.locator("#sector").select_option("antiques")
    page.get_by_role("button", name="Rechercher").click()
    expect(page.locator(".row-name")).to_have_count(1)
    looks(visitor)
    page.locator(".row-name").click()
    expect(page.locator(".stays")).to_contain_text("ses bordereaux sont en retard")
    looks(visitor)
    page.locator("#on").fill("2019-07-14")
    page.get_by_role("button", name="Répondre").click()
    expect(page.locator(".answer")).to_contain_text("Le 14 juillet 2019, il n’était pas partenaire")
    looks(visitor)
    page.get_by_role("link", name="Faire une réclamation").click()
    page.get_by_role("button", name="Envoyer la réclamation").click()
    expect(page.locator("#problem")).to_contain_text("Choisissez le sujet.")
    looks(visitor)
    page.get_by_label("autre chose").check()
    page.locator("#words").fill("Le ticket n’est jamais sorti.")
    page.get_by_role("button", name="Envoyer la réclamation").click()
    expect(page.locator("h1")).to_have_text("Votre réclamation")
    visitor.sees("Nous l’avons reçue. Nous y répondons dans les")
    looks(visitor)


def test_without_script_the_same(visitors: Visitors) -> None:
    visitor = visitors.arrive(script=False, language="en-GB")
    visitor.goes("/partners?query=antiquites")
    visitor.page.locator(".row-name").click()
    visitor.page.get_by_role("link", name="Complain about this shop").click()
    visitor.page.get_by_label("something else").check()
    visitor.page.locator("#words").fill("The ticket never came out.")
    visitor.page.get_by_role("button", name="Send the complaint").click()
    expect(visitor.page.locator("h1")).to_have_text("Your complaint")


@pytest.mark.parametrize("width", [320, 1280])
def test_a_manager_goes_through_her_pages(visitors: Visitors, service: Service, width: int) -> None:
    active = partner_id_of(service, "Boulangerie du Bassin")
    suspended = partner_id_of(service, "Antiquités de la Gare")
    visitor = visitors.arrive(width=width, dark=width == 320)
    signs_in(visitor, service, f"gerante-{width}@exemple.fr", active, suspended)
    page = visitor.page
    visitor.goes("/my")
    looks(visitor)
    page.get_by_role("link", name="Boulangerie du Bassin").click()
    links = (
        "Dons",
        "Bordereaux",
        "Certification",
        "Recours",
        "Fin",
        "Caisses",
        "Dons d’un fichier",
    )
    for link in ("Vue d’ensemble", *links):
        if link != "Vue d’ensemble":
            page.locator(".shop-nav").get_by_role("link", name=link, exact=True).click()
        expect(page.locator(".shop-nav [aria-current]")).to_have_text(link)
        looks(visitor)
    page.locator(".shop-nav").get_by_role("link", name="Mes commerces").click()
    expect(page.locator(".shop-nav [aria-current]")).to_have_text("Mes commerces")
    visitor.goes(f"/my/shops/{suspended}/appeal")
    expect(page.locator(".notice")).to_contain_text(
        "En attente de la décision de deux membres du comité."
    )
    looks(visitor)


def test_a_manager_applies_with_a_paper(visitors: Visitors, service: Service) -> None:
    shop = partner_id_of(service, "Au P’tit Pain")
    visitor = visitors.arrive()
    signs_in(visitor, service, "pain@exemple.fr", shop)
    page = visitor.page
    visitor.goes(f"/my/shops/{shop}/application")
    page.get_by_role("button", name="Envoyer la demande").click()
    expect(page.locator("#problem")).to_contain_text("Joignez au moins une pièce.")
    looks(visitor)
    page.locator("#title_1").fill("Charte signée")
    page.locator("#file_1").set_input_files(PDF)  # type: ignore[arg-type]
    page.get_by_role("button", name="Envoyer la demande").click()
    expect(page.locator(".notice").last).to_contain_text("En attente d’examen.")
    visitor.sees("Charte signée")
    looks(visitor)
    page.get_by_role("button", name="Retirer la demande").click()
    visitor.sees("Demander la certification")


def signs_in(visitor: Visitor, service: Service, email: str, *partner_ids: str) -> None:
    """Open an account for shops, as an operator does, and set its password by its link."""
    shops = [part for one in partner_ids for part in ("--partner", one)]
    made = service.command(
        "user", "add", "--email", email, "--name", "Anne Fabre", "--role", "partner_manager", *shops
    )
    visitor.page.goto(made["link"])
    visitor.page.locator("#password").fill(PASSWORD)
    visitor.page.locator("form.form button").click()
    expect(visitor.page.locator("h1")).to_have_text("Mon compte")
