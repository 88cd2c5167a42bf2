"""Ambassadors: enrolled by their consent, credited with what they brought, never with their own."""

import re
from typing import Any
from uuid import UUID, uuid4, uuid5

import httpx
import pytest

from api import admin
from api.ambassadors import give_credit
from ledger.ambassadors import AmbassadorIsRetired, OwnGift, ambassador_id_of
from ledger.wallets import wallet_id_of
from tests.api.people import Browser, browser_of, person
from tests.api.served import Served
from tests.api.sheets import done, follow, letters, link_in
from tests.api.shops import siret
from tests.api.stored import every_byte, stored

TYPED = {"name": "Nour Haddad", "email": "Nour@Exemple.fr", "consent": "yes", "named": "yes"}
OFFICE = "/office/ambassadors"
COOKIE = "__Host-ambassador"


@pytest.fixture(autouse=True)
def prepared(served: Served, conninfo: str) -> None:
    follow(conninfo)


@pytest.fixture
def officer(served: Served) -> Browser:
    return browser_of(served, "officer")


def opened(served: Served, conninfo: str) -> dict[str, str]:
    """Follow the link of the newest letter; give the cookie of the browser that did."""
    answer = Browser(served).post(link_in(letters(served)[-1]))
    assert answer.headers.get("location") == "/ambassadors/mine", answer.text
    (line,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{COOKIE}=")]
    for guard in ("HttpOnly", "Secure", "SameSite=lax"):
        assert guard in line
    follow(conninfo)
    return {"Cookie": line.partition(";")[0]}


def enrolled(served: Served, conninfo: str, **changes: str) -> tuple[dict[str, str], str]:
    """Enrol herself by the form; give her browser's cookie and her code."""
    answer = Browser(served).post("/ambassadors/new", TYPED | changes)
    assert answer.headers.get("location") == "/ambassadors/sent", answer.text
    cookie = opened(served, conninfo)
    return cookie, code_on(Browser(served).get("/ambassadors/mine", **cookie))


def code_on(page: httpx.Response) -> str:
    found = re.search(r'<p class="code">(\w+)</p>', page.text)
    assert found is not None, page.text
    return found[1]


class TestEnrolledByHerself:
    def test_nothing_is_recorded_before_she_follows_the_link(
        self, served: Served, conninfo: str
    ) -> None:
        done(Browser(served).post("/ambassadors/new", TYPED))
        link = link_in(letters(served)[-1])
        assert Browser(served).get(link).status_code == httpx.codes.OK
        assert stored(conninfo) == []
        cookie = opened(served, conninfo)
        assert [one.topic for one in stored(conninfo)] == ["AmbassadorEnrolled"]
        assert Browser(served).post(link).status_code == httpx.codes.NOT_FOUND
        page = Browser(served).get("/ambassadors/mine", **cookie).text
        assert "Nour Haddad" in page
        assert f"/g?a={code_on(Browser(served).get('/ambassadors/mine', **cookie))}" in page
        assert 'class="qr"' in page
        content = every_byte(conninfo).lower()
        for private in (b"nour", b"haddad", cookie["Cookie"].partition("=")[2].encode().lower()):
            assert private not in content

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"consent": ""}, "without it nothing is kept"),
            ({"name": " "}, "Type a name"),
            ({"email": "nour"}, "not an e-mail address"),
        ],
    )
    def test_without_consent_or_address_nothing_is_kept(
        self, served: Served, changes: dict[str, str], said: str
    ) -> None:
        answer = Browser(served).post("/ambassadors/new", TYPED | changes)
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert said in answer.text
        assert letters(served) == []

    def test_who_never_confirmed_is_erased(self, served: Served) -> None:
        done(Browser(served).post("/ambassadors/new", TYPED))
        link = link_in(letters(served)[-1])
        with served.context.pool.connection() as connection:
            row = connection.execute(
                "UPDATE ambassador_link SET expires_at = now() RETURNING subject_id"
            ).fetchone()
        assert row is not None
        assert Browser(served).post(link).status_code == httpx.codes.NOT_FOUND
        done(Browser(served).post("/ambassadors/new", TYPED | {"email": "autre@exemple.fr"}))
        assert served.context.vault.fields(row[0]) == {}

    def test_an_officer_reads_her_name_before_it_is_published(
        self, served: Served, conninfo: str, officer: Browser
    ) -> None:
        cookie, code = enrolled(served, conninfo)
        assert "Nour" not in Browser(served).get("/ambassadors").text
        twin = served.client.get("/api/v1/ambassadors")
        (told,) = twin.json()["ambassadors"]
        assert (told["name"], told["shops"], told["ballots"]) == (None, 0, 0)
        assert code not in twin.text
        assert str(ambassador_id_of(code)) not in twin.text
        assert "She asks to be named." in officer.get(OFFICE).text
        done(officer.post(f"{OFFICE}/{ambassador_id_of(code)}/naming", {"named": "yes"}))
        follow(conninfo)
        assert "Nour Haddad" in Browser(served).get("/ambassadors").text
        (told,) = served.client.get("/api/v1/ambassadors").json()["ambassadors"]
        assert told["name"] == "Nour Haddad"
        done(Browser(served).post("/ambassadors/mine/naming", {"named": "no"}, **cookie))
        follow(conninfo)
        assert "Nour" not in Browser(served).get("/ambassadors").text
        assert "She asks to be named." not in officer.get(OFFICE).text

    def test_one_address_is_one_ambassador_and_nobody_learns_of_it(
        self, served: Served, conninfo: str
    ) -> None:
        _, code = enrolled(served, conninfo)
        _, again = enrolled(served, conninfo)
        assert again == code
        count = len(letters(served))
        for email in (TYPED["email"], "personne@exemple.fr"):
            answer = Browser(served).post("/ambassadors/return", {"email": email})
            assert answer.headers["location"] == "/ambassadors/sent"
        assert len(letters(served)) == count + 1
        assert code_on(Browser(served).get("/ambassadors/mine", **opened(served, conninfo))) == code

    def test_letters_cannot_be_asked_for_without_end(self, served: Served) -> None:
        answers = [Browser(served).post("/ambassadors/new", TYPED) for _ in range(11)]
        assert answers[-1].status_code == httpx.codes.TOO_MANY_REQUESTS

    def test_she_withdraws_and_is_erased(self, served: Served, conninfo: str) -> None:
        cookie, code = enrolled(served, conninfo)
        give_credit(served.context, "public", code, "ballot", uuid4())
        unsure = Browser(served).post("/ambassadors/mine/leaving", None, **cookie)
        assert unsure.status_code == httpx.codes.UNPROCESSABLE_ENTITY, unsure.text
        left = Browser(served).post("/ambassadors/mine/leaving", {"confirmed": "yes"}, **cookie)
        assert left.headers["location"] == "/ambassadors/left"
        follow(conninfo)
        assert Browser(served).get("/ambassadors/mine", **cookie).is_redirect
        (event,) = stored(conninfo, "AmbassadorEnrolled")
        assert served.context.vault.fields(UUID(event.state["subject_id"])) == {}
        with pytest.raises(AmbassadorIsRetired):
            give_credit(served.context, "public", code, "ballot", uuid4())
        page = Browser(served).get("/ambassadors").text
        assert "<dd>1</dd>" in page.partition("ballots brought")[0][-60:] + page

    def test_only_her_browser_and_our_own_page_act(self, served: Served, conninfo: str) -> None:
        cookie, _ = enrolled(served, conninfo)
        before = len(stored(conninfo))
        for step in ("naming", "wallet", "leaving"):
            path, fields = f"/ambassadors/mine/{step}", {"confirmed": "yes", "named": "no"}
            foreign = {"Sec-Fetch-Site": "cross-site"}
            assert Browser(served).post(path, fields, **cookie, **foreign).status_code == 403
            for other in ({}, {"Cookie": f"{COOKIE}=guessed"}):
                answer = Browser(served).post(path, fields, **other)
                assert answer.headers["location"] == "/ambassadors/return"
        assert len(stored(conninfo)) == before


class TestHerOwn:
    def test_her_browser_and_her_wallet_credit_nothing(self, served: Served, conninfo: str) -> None:
        cookie, code = enrolled(served, conninfo)
        wrong = Browser(served).post("/ambassadors/mine/wallet", {"wallet": "x"}, **cookie)
        assert "not the code of a wallet" in wrong.text
        wallet = served.client.post("/api/v1/wallets").json()["secret"]
        done(Browser(served).post("/ambassadors/mine/wallet", {"wallet": wallet}, **cookie))
        hers: tuple[dict[str, Any], ...] = (
            {"browser_code": code},
            {"wallet_id": wallet_id_of(wallet)},
            {"browser_wallet_id": wallet_id_of(wallet)},
        )
        for known in hers:
            with pytest.raises(OwnGift):
                give_credit(served.context, "public", code, "ballot", uuid4(), **known)
        give_credit(served.context, "public", code, "ballot", uuid4(), browser_code="QQQQQQ")
        follow(conninfo)
        assert "1 ballot" in Browser(served).get("/ambassadors").text
        assert "1 wallet is noted." in Browser(served).get("/ambassadors/mine", **cookie).text


class TestInTheOffice:
    def test_an_officer_enrols_and_the_letter_opens_her_page(
        self, served: Served, conninfo: str, officer: Browser
    ) -> None:
        done(officer.post(OFFICE, TYPED))
        cookie = opened(served, conninfo)
        assert Browser(served).get("/ambassadors/mine", **cookie).status_code == httpx.codes.OK
        again = officer.post(OFFICE, TYPED)
        assert again.status_code == httpx.codes.CONFLICT
        assert "is an ambassador already" in again.text

    @pytest.mark.parametrize("missing", ["consent", "name"])
    def test_without_her_consent_nothing_is_kept(
        self, conninfo: str, officer: Browser, missing: str
    ) -> None:
        answer = officer.post(OFFICE, TYPED | {missing: ""})
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert stored(conninfo, "AmbassadorEnrolled") == []

    @pytest.mark.parametrize("role", ["committee", "auditor", "administrator"])
    def test_nobody_else_does(self, served: Served, conninfo: str, role: Any) -> None:
        them = browser_of(served, role)
        for path in ("", "/credits", f"/{uuid4()}/naming", f"/{uuid4()}/retirement"):
            answer = them.post(f"{OFFICE}{path}", TYPED)
            assert answer.status_code == httpx.codes.FORBIDDEN, path
        assert stored(conninfo, "AmbassadorEnrolled", "CreditGiven") == []

    def test_a_shop_is_credited_when_it_is_registered(
        self, served: Served, conninfo: str, officer: Browser
    ) -> None:
        _, code = enrolled(served, conninfo)
        shop = {"trade_name": "Le Four", "place": "Le Thor", "sector": "food"}
        wrong = officer.post("/office/partners", shop | {"siret": siret(1), "ambassador": "QQQQQQ"})
        assert wrong.status_code == httpx.codes.NOT_FOUND, wrong.text
        assert stored(conninfo, "PartnerRegistered") == []
        done(
            officer.post("/office/partners", shop | {"siret": siret(1), "ambassador": code.lower()})
        )
        done(officer.post(f"{OFFICE}/credits", {"code": code, "siret": siret(1)}))
        follow(conninfo)
        assert len(stored(conninfo, "CreditGiven")) == 1
        assert "1 shop" in Browser(served).get("/ambassadors").text

    def test_credits_are_refused_by_name(
        self, served: Served, conninfo: str, officer: Browser
    ) -> None:
        _, code = enrolled(served, conninfo)
        _, other = enrolled(served, conninfo, email="zoe@exemple.fr")
        done(officer.post("/office/partners", shop_of(2) | {"ambassador": code}))
        cases = [
            ({"code": other, "siret": siret(2)}, 409, "Another ambassador brought it."),
            ({"code": "QQQQQQ", "siret": siret(2)}, 404, "No ambassador has this code."),
            ({"code": "<b>", "siret": siret(2)}, 404, "No ambassador has this code."),
        ]
        for fields, status, said in cases:
            answer = officer.post(f"{OFFICE}/credits", fields)
            assert answer.status_code == status, answer.text
            assert said in answer.text
        nowhere = officer.post(f"{OFFICE}/credits", {"code": code, "siret": siret(9)})
        assert nowhere.status_code == httpx.codes.NOT_FOUND
        assert len(stored(conninfo, "CreditGiven")) == 1

    def test_her_own_shop_is_not_credited(
        self, served: Served, conninfo: str, officer: Browser
    ) -> None:
        done(officer.post("/office/partners", shop_of(3)))
        partner_id = uuid5(admin.SIRET_NAMESPACE, siret(3))
        manager = person(served, "partner_manager", partner_ids=(partner_id,))
        _, code = enrolled(served, conninfo, email=manager.email)
        answer = officer.post(f"{OFFICE}/credits", {"code": code, "siret": siret(3)})
        assert answer.status_code == httpx.codes.CONFLICT
        assert "her own shop" in answer.text

    def test_retired_she_is_erased_and_her_browser_forgotten(
        self, served: Served, conninfo: str, officer: Browser
    ) -> None:
        cookie, code = enrolled(served, conninfo)
        done(officer.post(f"{OFFICE}/{ambassador_id_of(code)}/retirement"))
        follow(conninfo)
        assert Browser(served).get("/ambassadors/mine", **cookie).is_redirect
        assert "a person who was erased" in officer.get(OFFICE).text
        named = officer.post(f"{OFFICE}/{ambassador_id_of(code)}/naming", {"named": "yes"})
        assert named.status_code == httpx.codes.CONFLICT
        for step in ("naming", "retirement"):
            answer = officer.post(f"{OFFICE}/{uuid4()}/{step}", {"named": "yes"})
            assert answer.status_code == httpx.codes.NOT_FOUND


def shop_of(number: int) -> dict[str, str]:
    named = {"trade_name": f"Commerce {number}", "place": "Le Thor", "sector": "food"}
    return named | {"siret": siret(number)}
