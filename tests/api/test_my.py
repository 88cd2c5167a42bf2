"""A partner's own pages: only its own, with papers that are kept, and the steps it may take."""

import re
import stat
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from api.admin import add_partner, registered
from api.sessions import csrf_of
from ledger.partners.certifications.decider import certification
from ledger.partners.certifications.file import CertificationFile
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.people import Browser, browser_of
from tests.api.served import Served
from tests.api.shops import Shop, gift, open_shop, siret, suspend

PDF = b"%PDF-1.7 charte"
TODAY = datetime.now(UTC).date()


@pytest.fixture
def newcomer(served: Served, conninfo: str) -> UUID:
    """A shop that is registered and nothing more."""
    partner_id = add_partner(served.context.ledger, "test", "Café de la Roue", siret(70))
    catch_up(conninfo, READ_MODELS)
    return partner_id


def manager_of(served: Served, partner_id: UUID) -> Browser:
    return browser_of(served, "partner_manager", partner_ids=(partner_id,))


def words(answer: httpx.Response) -> str:
    return " ".join(unescape(answer.text).replace("\xa0", " ").split())


def page(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == httpx.codes.OK, answer.text
    return words(answer)


def field(browser: Browser, path: str, name: str) -> str:
    """Give what a page's form carries in a hidden field or a choice."""
    found = re.search(rf'name="{name}" value="([^"]+)"', browser.get(path).text)
    assert found is not None
    return found[1]


def send(browser: Browser, path: str, *papers: tuple[str, bytes], **fields: str) -> httpx.Response:
    """Send a form with papers, as a browser does: empty places are sent too."""
    assert browser.token is not None
    data = {"csrf": csrf_of(browser.token), **fields}
    files: dict[str, Any] = {}
    for number in (1, 2, 3):
        title, content = papers[number - 1] if number <= len(papers) else ("", b"")
        name = f"{number}.pdf" if content else ""
        files[f"file_{number}"] = (name, content, "application/octet-stream")
        data.setdefault(f"title_{number}", title)
        data.setdefault(f"dated_on_{number}", TODAY.isoformat())
    client = browser.served.client
    return client.post(path, data=data, files=files, headers=browser.headers)


def file_of(served: Served, partner_id: UUID) -> CertificationFile:
    history = served.context.ledger.history(certification, partner_id)
    return certification.fold(recorded.event for recorded in history)


def apply(served: Served, partner_id: UUID, browser: Browser) -> httpx.Response:
    path = f"/my/shops/{partner_id}/application"
    case_id = field(browser, path, "case_id")
    return send(browser, path, ("Charte signée", PDF), case_id=case_id)


def test_a_manager_sees_only_her_own_shops(served: Served, shop: Shop, newcomer: UUID) -> None:
    browser = manager_of(served, shop.partner_id)
    listed = page(browser, "/my")
    assert f"/my/shops/{shop.partner_id}" in listed
    assert str(newcomer) not in listed
    for path in ("", "/gifts", "/application", "/appeal", "/ending"):
        assert browser.get(f"/my/shops/{shop.partner_id}{path}").status_code == httpx.codes.OK
        assert browser.get(f"/my/shops/{newcomer}{path}").status_code == httpx.codes.NOT_FOUND
    for path in ("consent", "application", "papers", "withdrawal", "appeal", "ending"):
        answer = browser.post(f"/my/shops/{newcomer}/{path}", {"consented": "yes"})
        assert answer.status_code == httpx.codes.NOT_FOUND
    assert not file_of(served, newcomer).cases


def test_the_overview_gathers_what_belongs_to_a_shop(
    served: Served, shop: Shop, conninfo: str
) -> None:
    body = gift(amount_cents=12_345)
    served.client.post("/api/v1/donations", json=body, headers=shop.bearer)
    catch_up(conninfo, READ_MODELS)
    browser = manager_of(served, shop.partner_id)
    overview = page(browser, f"/my/shops/{shop.partner_id}")
    for said in ("€123.45", "Caisse 1", "No. 2026-001, signed on", "Anne Fabre", "/badges/"):
        assert said in overview
    gifts = page(browser, f"/my/shops/{shop.partner_id}/gifts")
    assert gifts.count("€123.45") >= 3  # By day, by month, alone.
    assert "/journal?before=" in gifts


def test_a_shop_that_publishes_nothing_sees_its_own_newest_gifts(
    served: Served, shop: Shop, conninfo: str
) -> None:
    quiet = open_shop(served.context.ledger, 3)
    browser = manager_of(served, quiet.partner_id)
    browser.post(f"/my/shops/{quiet.partner_id}/consent", {"consented": "no"})
    assert not registered(served.context.ledger, quiet.partner_id).consented
    address = f"/my/shops/{quiet.partner_id}/gifts"
    catch_up(conninfo, READ_MODELS)
    assert "None among the newest entries of the journal." in page(browser, address)
    body = gift(amount_cents=4_321)
    for owner, sent in ((quiet, body), (shop, gift(amount_cents=99_99))):
        assert served.client.post("/api/v1/donations", json=sent, headers=owner.bearer).is_success
    back = {"reversal_id": str(uuid4()), "amount_cents": 1_234, "reason": "mistake"}
    path = f"/api/v1/donations/{body['donation_id']}/reversals"
    assert served.client.post(path, json=back, headers=quiet.bearer).is_success
    catch_up(conninfo, READ_MODELS)
    newest = page(browser, address).split("The newest gifts")[1]
    assert "€99.99" not in newest
    assert newest.index("€12.34") < newest.index("€43.21")


def test_a_shop_lets_its_figures_be_published_and_takes_that_back(
    served: Served, newcomer: UUID
) -> None:
    browser = manager_of(served, newcomer)
    for consented in ("yes", "no"):
        answer = browser.post(f"/my/shops/{newcomer}/consent", {"consented": consented})
        assert answer.status_code == httpx.codes.SEE_OTHER
        known = registered(served.context.ledger, newcomer).consented
        assert known == (consented == "yes")


def test_an_application_is_filed_with_its_papers(served: Served, newcomer: UUID) -> None:
    browser = manager_of(served, newcomer)
    assert apply(served, newcomer, browser).status_code == httpx.codes.SEE_OTHER
    case = file_of(served, newcomer).open_application
    assert case is not None
    assert case.opened_by.startswith("account:")
    digest = sha256(PDF).hexdigest()
    told = [(one.title, one.sha256, one.dated_on) for one in case.evidence]
    assert told == [("Charte signée", digest, TODAY)]
    kept = served.context.settings.home / "files" / digest
    assert kept.read_bytes() == PDF
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [one.name for one in kept.parent.iterdir()] == [digest]
    shown = page(browser, f"/my/shops/{newcomer}/application")
    assert "Waits to be reviewed." in shown
    assert "Charte signée" in shown


def test_papers_are_added_and_the_application_is_taken_back(served: Served, newcomer: UUID) -> None:
    browser = manager_of(served, newcomer)
    apply(served, newcomer, browser)
    path = f"/my/shops/{newcomer}"
    case_id = field(browser, f"{path}/application", "case_id")
    more = send(browser, f"{path}/papers", ("Kbis", b"\x89PNG\r\n\x1a\n1"), case_id=case_id)
    assert more.status_code == httpx.codes.SEE_OTHER
    case = file_of(served, newcomer).open_application
    assert case is not None
    assert [one.title for one in case.evidence] == ["Charte signée", "Kbis"]
    back = browser.post(f"{path}/withdrawal", {"case_id": case_id})
    assert back.status_code == httpx.codes.SEE_OTHER
    assert file_of(served, newcomer).open_application is None
    assert "Apply for certification" in page(browser, f"{path}/application")


@pytest.mark.parametrize(
    ("papers", "fields", "said"),
    [
        ((), {}, "Add at least one paper."),
        ((("", PDF),), {}, "Give each paper a title"),
        ((("Charte", PDF),), {"dated_on_1": "soon"}, "Give each paper a title"),
        ((("Charte", PDF),), {"dated_on_1": "2999-01-01"}, "Give each paper a title"),
        ((("Charte", b"<html>"),), {}, "A paper is a PDF, JPEG or PNG file."),
        ((("Charte", PDF + bytes(4_194_304)),), {}, "A file is too large."),
        ((("Charte", PDF),), {"case_id": "one"}, "This could not be done."),
    ],
)
def test_papers_that_are_not_taken(
    served: Served,
    newcomer: UUID,
    papers: tuple[tuple[str, bytes], ...],
    fields: dict[str, str],
    said: str,
) -> None:
    browser = manager_of(served, newcomer)
    path = f"/my/shops/{newcomer}/application"
    answer = send(browser, path, *papers, **({"case_id": str(uuid4())} | fields))
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert said in words(answer)
    assert not file_of(served, newcomer).cases
    assert not (served.context.settings.home / "files").exists()


def test_a_second_application_is_refused_in_words_and_keeps_nothing(
    served: Served, newcomer: UUID
) -> None:
    browser = manager_of(served, newcomer)
    path = f"/my/shops/{newcomer}/application"
    apply(served, newcomer, browser)
    answer = send(browser, path, ("Autre", PDF + b"2"), case_id=str(uuid4()))
    assert "An application is open already" in words(answer)
    assert len(list((served.context.settings.home / "files").iterdir())) == 1


def test_a_form_without_files_is_answered(served: Served, newcomer: UUID) -> None:
    browser = manager_of(served, newcomer)
    answer = browser.post(f"/my/shops/{newcomer}/application", {"case_id": str(uuid4())})
    assert "Add at least one paper." in words(answer)


def test_a_sanction_is_appealed_once(served: Served, shop: Shop, conninfo: str) -> None:
    suspend(served.context.ledger, shop.partner_id)
    catch_up(conninfo, READ_MODELS)
    browser = manager_of(served, shop.partner_id)
    path = f"/my/shops/{shop.partner_id}/appeal"
    asked = {name: field(browser, path, name) for name in ("case_id", "against")}
    answer = send(browser, path, ("Relevés", PDF), **asked)
    assert answer.status_code == httpx.codes.SEE_OTHER
    appeal = file_of(served, shop.partner_id).cases[UUID(asked["case_id"])]
    assert (appeal.kind, appeal.against_case_id) == ("appeal", UUID(asked["against"]))
    assert "There is no decision to appeal now." in page(browser, path)
    again = send(browser, path, ("Relevés", PDF), **(asked | {"case_id": str(uuid4())}))
    assert "was appealed already" in words(again)


def test_a_partnership_is_ended_when_it_is_confirmed(served: Served, conninfo: str) -> None:
    shop = open_shop(served.context.ledger, 3)
    catch_up(conninfo, READ_MODELS)
    browser = manager_of(served, shop.partner_id)
    path = f"/my/shops/{shop.partner_id}/ending"
    later = TODAY + timedelta(days=10)
    asked = {"ended_on": later.isoformat(), "confirmed": "yes"}
    wrong = [
        ({"confirmed": "2020-01-01"}, "Tick the box"),
        *(({"ended_on": day}, "Choose a day, today") for day in ("2020-01-01", "9999-12-31", "x")),
        ({"ended_on": "2099-01-01"}, "at the latest."),
    ]
    for fields, said in wrong:
        answer = browser.post(path, asked | fields)
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert said in words(answer)
    assert file_of(served, shop.partner_id).ending is None
    assert browser.post(path, asked).status_code == httpx.codes.SEE_OTHER
    ending = file_of(served, shop.partner_id).ending
    assert ending is not None
    assert (ending.kind, ending.on) == ("ended", later)
    assert "it is no partner from" in page(browser, path)
    assert "An earlier day may still be chosen." in page(browser, path)
    after = asked | {"ended_on": (later + timedelta(days=1)).isoformat()}
    assert "An earlier day was chosen already." in words(browser.post(path, after))
    now = asked | {"ended_on": TODAY.isoformat()}
    assert browser.post(path, now).status_code == httpx.codes.SEE_OTHER
    assert not file_of(served, shop.partner_id).certified_on(TODAY)
    assert "An earlier day may still be chosen." not in page(browser, path)


def test_who_is_not_certified_has_nothing_to_end(served: Served, newcomer: UUID) -> None:
    browser = manager_of(served, newcomer)
    path = f"/my/shops/{newcomer}/ending"
    asked = {"ended_on": TODAY.isoformat(), "confirmed": "yes"}
    assert "There is no certification to end." in page(browser, path)
    assert "There is no certification to end." in words(browser.post(path, asked))


def test_every_page_of_the_area_leads_to_every_other(
    served: Served, shop: Shop, conninfo: str
) -> None:
    catch_up(conninfo, READ_MODELS)
    browser = manager_of(served, shop.partner_id)
    own = f"/my/shops/{shop.partner_id}"
    steps = ("", "/gifts", "/statements", "/application", "/appeal", "/ending")
    paths = ["/my", *(own + step for step in steps), "/my/tills", "/my/upload"]
    for path in paths:
        text = browser.get(path).text
        (nav,) = re.findall(r'<nav class="shop-nav".*?</nav>', text, re.DOTALL)
        assert re.findall(r'href="([^"]+)"', nav) == paths, path
        assert f'href="{path}" aria-current="page"' in nav


def test_who_has_several_shops_chooses_one_first(
    served: Served, shop: Shop, newcomer: UUID
) -> None:
    browser = browser_of(served, "partner_manager", partner_ids=(shop.partner_id, newcomer))
    for path in ("/my", "/my/tills", "/my/upload"):
        (nav,) = re.findall(r'<nav class="shop-nav".*?</nav>', browser.get(path).text, re.DOTALL)
        assert re.findall(r'href="([^"]+)"', nav) == ["/my", "/my/tills", "/my/upload"]


class TestPapers:
    """What a partner sent is handed back to its managers, and to nobody else."""

    @pytest.fixture
    def address(self, served: Served, newcomer: UUID) -> str:
        apply(served, newcomer, manager_of(served, newcomer))
        case = file_of(served, newcomer).open_application
        assert case is not None
        digest = sha256(PDF).hexdigest()
        return f"/my/shops/{newcomer}/cases/{case.case_id}/evidence/{digest}"

    def test_the_manager_gets_it_as_it_was_sent(
        self, served: Served, newcomer: UUID, address: str
    ) -> None:
        browser = manager_of(served, newcomer)
        assert address in browser.get(f"/my/shops/{newcomer}/application").text
        answer = browser.get(address)
        assert (answer.status_code, answer.content) == (httpx.codes.OK, PDF)
        assert "Charte%20sign%C3%A9e.pdf" in answer.headers["content-disposition"]
        assert answer.headers["content-disposition"].startswith("attachment")
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"

    def test_it_stays_there_once_the_case_is_closed(
        self, served: Served, newcomer: UUID, address: str
    ) -> None:
        browser = manager_of(served, newcomer)
        path = f"/my/shops/{newcomer}"
        case_id = field(browser, f"{path}/application", "case_id")
        browser.post(f"{path}/withdrawal", {"case_id": case_id})
        assert address in browser.get(f"{path}/application").text
        assert browser.get(address).content == PDF

    def test_nobody_else_gets_it(
        self, served: Served, shop: Shop, newcomer: UUID, address: str
    ) -> None:
        other = manager_of(served, shop.partner_id)
        assert other.get(address).status_code == httpx.codes.NOT_FOUND
        # Nor through a shop of her own.
        through = address.replace(str(newcomer), str(shop.partner_id))
        assert other.get(through).status_code == httpx.codes.NOT_FOUND
        for role in ("officer", "committee", "auditor", "administrator"):
            assert browser_of(served, role).get(address).status_code == httpx.codes.FORBIDDEN
        nobody = Browser(served).get(address)
        assert nobody.headers["location"].startswith("/login")

    def test_a_paper_that_was_never_sent_is_not_found(
        self, served: Served, newcomer: UUID, address: str
    ) -> None:
        browser = manager_of(served, newcomer)
        for wrong in ("0" * 64, "..%2f..%2fkeys%2fvault.key", "x"):
            answer = browser.get(f"{address.rpartition('/')[0]}/{wrong}")
            assert answer.status_code == httpx.codes.NOT_FOUND

    def test_the_papers_of_a_sanction_are_the_foundations(
        self, served: Served, shop: Shop, conninfo: str
    ) -> None:
        suspend(served.context.ledger, shop.partner_id)
        catch_up(conninfo, READ_MODELS)
        browser = manager_of(served, shop.partner_id)
        sanctions = [
            one for one in file_of(served, shop.partner_id).cases.values() if one.kind == "sanction"
        ]
        assert sanctions
        for case in sanctions:
            for one in case.evidence:
                path = f"/my/shops/{shop.partner_id}/cases/{case.case_id}/evidence/{one.sha256}"
                assert browser.get(path).status_code == httpx.codes.NOT_FOUND

    def test_a_file_that_is_gone_is_told_on_the_page(
        self, served: Served, newcomer: UUID, address: str
    ) -> None:
        (served.context.settings.home / "files" / sha256(PDF).hexdigest()).unlink()
        answer = manager_of(served, newcomer).get(address)
        assert answer.status_code == httpx.codes.NOT_FOUND
        assert "no longer kept here" in words(answer)
