"""The badge over the real application: earned, shown, withdrawn, and checked by the page."""

import json
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from api.demo_life import application, sanction
from ledger.badge.did import did_of
from ledger.calendar import civil_day
from ledger.keyring import KeyDiffers, KeyMissing, create, open_badge_key
from ledger.partners.agreements import EndAgreement, agreement
from ledger.partners.certifications.commands import EndCertification
from ledger.partners.certifications.decider import certification
from ledger.settings import Settings
from projections import standings
from projections.every import READ_MODELS
from projections.rebuild import rebuild
from tests.api import towns
from tests.api.served import PUBLIC_URL, serving
from tests.api.towns import EN, FR, TODAY, Town, words

town = towns.town


class TestTheSignedBadge:
    def test_is_earned_and_says_under_which_agreement(self, town: Town) -> None:
        shop = town.shop()
        badge = town.badge(shop)
        assert badge["issuer"]["id"] == did_of(PUBLIC_URL)
        assert badge["credentialSubject"]["name"] == "Au P’tit Pain"
        assert badge["credentialSubject"]["licenseNumber"].startswith("2026-")
        assert "collecte pour la fondation selon la convention" in badge["description"]
        # No more than what the ledger demands of every certification.
        criteria = badge["credentialSubject"]["achievement"]["criteria"]["narrative"]
        assert "déclaré n’avoir aucun conflit d’intérêts" in criteria
        assert "deux membres du comité, autres que cette personne" in criteria
        entry = badge["evidence"][0]["id"].removeprefix(PUBLIC_URL)
        assert "2026" in town.get(entry).text

    def test_no_certification_no_badge(self, town: Town) -> None:
        shop = town.registered()
        refused = town.get(f"/badges/{shop}.json", status=404)
        assert refused.json()["error"]["name"] == "badge_not_granted"
        unknown = town.get(f"/badges/{uuid4()}.json", status=404)
        assert unknown.json()["error"]["name"] == "partner_not_found"
        town.get("/badges/nobody.json", status=404)

    def test_is_the_same_on_every_worker_and_after_a_rebuild(
        self, town: Town, settings: Settings
    ) -> None:
        shops = [town.shop("Un"), town.shop("Deux")]
        before = [town.badge(shop) for shop in shops]
        rebuild(town.conninfo, READ_MODELS)
        with serving(settings, town.conninfo) as other:
            after = [other.client.get(f"/badges/{shop}.json").json() for shop in shops]
        assert after == before
        places = {badge["credentialStatus"][0]["statusListIndex"] for badge in before}
        assert places == {"0", "1"}

    def test_any_site_may_read_it_and_must_ask_again(self, town: Town) -> None:
        shop = town.shop()
        for address in (
            "/.well-known/did.json",
            "/did.json",
            "/badges/status/revocation",
            "/badges/status/suspension",
            f"/badges/{shop}.json",
            f"/badges/{shop}.svg",
            f"/badges/{shop}.pdf",
        ):
            answer = town.get(address)
            assert answer.headers["access-control-allow-origin"] == "*"
            assert answer.headers["cache-control"] == "public, no-cache"
            again = {"if-none-match": answer.headers["etag"]}
            assert town.get(address, again, 304).content == b""

    def test_its_key_is_kept_beside_the_database(self, town: Town, settings: Settings) -> None:
        town.badge(town.shop())
        path = settings.home / "keys" / "badge.key"
        assert path.stat().st_mode & 0o777 == 0o600
        kept = path.read_bytes()
        path.unlink()
        with serving(settings, town.conninfo) as other:
            assert other.client.get("/did.json").status_code == 500
        create(path)
        with serving(settings, town.conninfo) as other:
            assert other.client.get("/did.json").status_code == 500
        path.write_bytes(kept)
        with serving(settings, town.conninfo) as other:
            assert other.client.get("/did.json").content == town.get("/did.json").content

    def test_its_list_has_only_two_purposes(self, town: Town) -> None:
        town.get("/badges/status/message", status=404)


class TestTheVerifier:
    def test_a_genuine_badge_and_what_it_says(self, town: Town) -> None:
        badge = town.badge(town.shop())
        said = town.checked(badge)
        assert "Genuine, and good today." in said
        assert "Au P’tit Pain" in said
        assert badge["credentialSubject"]["licenseNumber"] in said
        assert "Authentique, et valable aujourd’hui." in town.checked(badge, FR)

    def test_a_tampered_one_says_nothing_of_what_it_claims(self, town: Town) -> None:
        badge = town.badge(town.shop())
        badge["credentialSubject"]["name"] = "Boulangerie d’en face"
        said = town.checked(badge)
        assert "Not as it was signed." in said
        assert "Boulangerie" not in said

    def test_one_of_another_issuer(self, town: Town) -> None:
        badge = town.badge(town.shop())
        badge["issuer"]["id"] = "did:web:elsewhere.example"
        assert "Issued by somebody else." in town.checked(badge)

    def test_a_suspended_then_reinstated_then_revoked_one(self, town: Town) -> None:
        shop, other = town.shop(), town.shop("Un autre")
        badge = town.badge(shop)
        town.sanctions(shop, "suspend", "first")
        assert "Suspended." in town.checked(badge)
        town.sanctions(shop, "reinstate", "second")
        assert "Genuine" in town.checked(badge)
        town.sanctions(shop, "revoke", "third")
        assert "Withdrawn." in town.checked(badge)
        assert "Withdrawn." in town.checked(town.badge(shop))
        assert "Genuine" in town.checked(town.badge(other))

    def test_one_that_the_partner_ended(self, town: Town) -> None:
        shop = town.shop()
        badge = town.badge(shop)
        end = EndCertification(
            at=datetime.now(UTC), actor="account:test", partner_id=shop, ended_on=TODAY
        )
        town.served.context.ledger.handle(certification, shop, end)
        town.follow()
        assert "Withdrawn." in town.checked(badge)

    def test_an_expired_one(self, town: Town) -> None:
        shop = town.shop(days_ago=4 * 366)
        assert "Expired." in town.checked(town.badge(shop))

    def test_one_is_good_no_longer_than_its_agreement(self, town: Town) -> None:
        over = town.badge(town.shop(until=TODAY - timedelta(days=1)))
        assert "Expired." in town.checked(over)
        last = town.badge(town.shop("Un autre", until=TODAY))
        assert "Genuine" in town.checked(last)

    def test_one_whose_agreement_was_ended_early_is_not_in_force(self, town: Town) -> None:
        shop = town.shop()
        badge = town.badge(shop)
        with psycopg.connect(town.conninfo, autocommit=True) as connection:
            facts = standings.facts(connection, shop)
        assert facts is not None
        agreement_id = facts.agreements[0].agreement_id
        end = EndAgreement(
            at=datetime.now(UTC),
            actor="account:test",
            agreement_id=agreement_id,
            partner_id=shop,
            ended_on=TODAY,
            ended_by="foundation",
        )
        town.served.context.ledger.handle(agreement, agreement_id, end)
        town.follow()
        assert "Suspended." in town.checked(badge)
        assert "Expired." in town.checked(town.badge(shop))

    def test_a_new_certification_does_not_revive_a_revoked_badge(self, town: Town) -> None:
        shop = town.shop(days_ago=50)
        old = town.badge(shop)
        now = datetime.now(UTC)
        ledger = town.served.context.ledger
        sanction(ledger, shop, "revoke", "charter_breached", at=now - timedelta(days=20))
        recertify(town, shop, now - timedelta(days=10))
        new = town.badge(shop)
        assert new["id"] != old["id"]
        assert "Genuine" in town.checked(new)
        assert "Withdrawn." in town.checked(old)

    @pytest.mark.parametrize(
        "text",
        ["hello", "{}", "[" * 15_000, '{"type": 5}', "null"],
        ids=["text", "empty", "deep", "type", "null"],
    )
    def test_what_is_no_badge(self, town: Town, text: str) -> None:
        assert "Not a badge." in town.checked(text)

    def test_nothing_sent_is_asked_for(self, town: Town) -> None:
        assert "Paste a badge first" in town.checked(" ")

    def test_a_file_is_as_good_as_its_text(self, town: Town) -> None:
        content = town.get(f"/badges/{town.shop()}.json").content
        answer = town.served.client.post(
            "/verify", files={"file": ("badge.json", content)}, data={"badge": ""}, headers=EN
        )
        assert "Genuine" in words(answer.text.split("<form id=")[0])

    def test_what_is_longer_than_any_badge_is_refused(self, town: Town) -> None:
        answer = town.served.client.post("/verify", data={"badge": "x" * 70_000})
        assert answer.status_code == 413

    def test_the_badge_of_a_shop_is_filled_in(self, town: Town) -> None:
        shop = town.shop()
        page = town.get(f"/verify?partner={shop}").text
        field = page.split("<textarea")[1].split(">", 1)[1].split("</textarea>")[0]
        assert json.loads(unescape(field)) == town.badge(shop)
        assert town.get("/verify?partner=nobody").status_code == 200


def recertify(town: Town, shop: UUID, at: datetime) -> None:
    """Apply again and be certified again."""
    for command in application(shop, at, civil_day(at)):
        case_id = UUID(int=shop.int ^ 1)
        fields = {"case_id": case_id} if "case_id" in type(command).model_fields else {}
        if "application_id" in type(command).model_fields:
            fields = {"application_id": case_id}
        town.served.context.ledger.handle(certification, shop, command.model_copy(update=fields))
    town.follow()


def test_another_key_is_refused_by_name(tmp_path: Path, conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        first = open_badge_key(tmp_path, connection)
        assert open_badge_key(tmp_path, connection).multikey == first.multikey
        path = tmp_path / "keys" / "badge.key"
        path.unlink()
        with pytest.raises(KeyMissing):
            open_badge_key(tmp_path, connection)
        create(path)
        with pytest.raises(KeyDiffers):
            open_badge_key(tmp_path, connection)
