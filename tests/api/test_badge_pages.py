"""The page of a badge, its picture and its sticker."""

from datetime import timedelta
from html import unescape
from uuid import uuid4

from tests.api import towns
from tests.api.served import PUBLIC_URL
from tests.api.towns import EN, TODAY, Town, words

town = towns.town

YEAR = timedelta(days=365)


class TestThePage:
    def test_answers_for_any_day(self, town: Town) -> None:
        shop = town.shop(days_ago=100)
        today = words(town.get(f"/badges/{shop}").text)
        assert "Oui. Au P’tit Pain collecte pour la fondation selon la convention n° 2026-" in today
        before = words(town.get(f"/badges/{shop}?on={TODAY - YEAR}").text)
        assert "Non." in before
        assert "reconnu ce jour-là" in before
        town.sanctions(shop, "suspend")
        assert "suspendu ce jour-là" in words(town.get(f"/badges/{shop}").text)
        yesterday = TODAY - timedelta(days=1)
        assert "Oui." in words(town.get(f"/badges/{shop}?on={yesterday}").text)
        assert "Yes." in words(town.get(f"/badges/{shop}?on={yesterday}", EN).text)

    def test_a_revocation_shows_everywhere_at_once(self, town: Town) -> None:
        shop = town.shop()
        addresses = (f"/badges/{shop}", f"/badges/{shop}.svg", "/badges/status/revocation")
        before = [town.get(address).text for address in addresses]
        town.sanctions(shop, "revoke")
        after = [town.get(address).text for address in addresses]
        assert all(one != other for one, other in zip(before, after, strict=True))
        assert "retiré sa reconnaissance" in words(after[0])
        assert "Pas partenaire le" in words(after[1])
        sticker = town.get(f"/badges/{shop}.pdf", status=303)
        assert sticker.headers["location"] == f"/badges/{shop}"

    def test_a_day_that_is_none_is_said_to_be_none(self, town: Town) -> None:
        page = words(town.get(f"/badges/{town.shop()}?on=14.7.2026").text)
        assert "Tapez un jour sous la forme année-mois-jour" in page

    def test_the_line_to_copy_is_markup_that_names_the_shop(self, town: Town) -> None:
        shop = town.shop('Thés & "Cafés"')
        page = town.get(f"/badges/{shop}").text
        line = unescape(page.split('class="embed">')[1].split("</code>")[0])
        assert line == (
            f'<a href="{PUBLIC_URL}/badges/{shop}"><img src="{PUBLIC_URL}/badges/{shop}.svg"'
            ' width="360" height="132" alt="Thés &amp; &#34;Cafés&#34; – Don positif"></a>'
        )

    def test_an_unknown_shop_is_not_found(self, town: Town) -> None:
        for text in (uuid4(), "nobody", "nobody.svg", f"{uuid4()}.svg", f"{uuid4()}.pdf"):
            town.get(f"/badges/{text}", status=404)

    def test_a_shop_never_certified_has_no_badge_to_take(self, town: Town) -> None:
        page = town.get(f"/badges/{town.registered()}").text
        assert ".json" not in page
        assert "Non." in words(page)


class TestThePicture:
    def test_says_it_in_words_and_asks_for_nothing_else(self, town: Town) -> None:
        shop = town.shop("Épices & <Thés> de la très longue rue de la République")
        answer = town.get(f"/badges/{shop}.svg?on={TODAY}", EN)
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.headers["content-security-policy"] == "default-src 'none'"
        drawn = words(answer.text)
        assert "Partner on" in drawn
        assert "agreement n° 2026-" in drawn
        assert "&lt;Thés&gt;" in answer.text
        assert f'<a href="{PUBLIC_URL}/badges/{shop}?on={TODAY}"' in answer.text
        links = answer.text.count("http") - answer.text.count("http://www.w3.org/2000/svg")
        assert links == 1
        assert "Partenaire le" in words(town.get(f"/badges/{shop}.svg").text)


class TestTheSticker:
    def test_is_a_tagged_pdf_for_archives_with_the_shops_name(self, town: Town) -> None:
        printed = town.get(f"/badges/{town.shop()}.pdf")
        assert printed.headers["content-type"] == "application/pdf"
        assert printed.content.startswith(b"%PDF-")
        assert b"<pdfaid:conformance>A" in printed.content
        assert b"<pdfuaid:part>1" in printed.content
        assert "Au P’tit Pain".encode() in printed.content

    def test_of_an_agreement_without_end(self, town: Town) -> None:
        assert town.get(f"/badges/{town.shop(until=None)}.pdf").content
