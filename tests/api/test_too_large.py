"""A form above the limit is answered by a page that says what to do; a program's, by JSON."""

from collections.abc import Iterator
from html import unescape

import httpx
import pytest

from api.forms import FORM_BYTES_MAX, UPLOAD_BYTES_MAX
from tests.api.people import Browser, browser_of
from tests.api.served import Served
from tests.api.shops import Shop
from tests.api.stored import stored

MULTIPART = "multipart/form-data; boundary=x"


@pytest.fixture
def manager(served: Served, shop: Shop) -> Browser:
    return browser_of(served, "partner_manager", partner_ids=(shop.partner_id,))


def send(
    manager: Browser, path: str, content: bytes | Iterator[bytes], kind: str, **headers: str
) -> httpx.Response:
    sent = manager.headers | {"Content-Type": kind} | headers
    return manager.served.client.post(path, content=content, headers=sent)


def words(answer: httpx.Response) -> str:
    return " ".join(unescape(answer.text).split())


def check_page(answer: httpx.Response, size: str) -> None:
    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    assert answer.headers["content-type"].startswith("text/html")
    for said in ("This is too large", size, "Nothing of it was recorded", "Go back"):
        assert said in words(answer)


def test_files_above_the_limit_record_nothing(
    manager: Browser, shop: Shop, conninfo: str, served: Served
) -> None:
    before = len(stored(conninfo))
    papers = f"/my/shops/{shop.partner_id}/application"
    content = bytes(UPLOAD_BYTES_MAX + 1)
    for path in ("/my/upload", papers):
        referer = f"{served.url}{path}"
        answer = send(manager, path, content, MULTIPART, Referer=referer)
        check_page(answer, "8 MB")
        assert f'href="{path}"' in answer.text
    assert len(stored(conninfo)) == before


def test_all_that_a_browser_sends_is_taken_before_it_is_answered(manager: Browser) -> None:
    answer = send(manager, "/my/upload", bytes(40_000_000), MULTIPART)
    check_page(answer, "8 MB")


def test_a_text_above_the_limit_is_answered_in_the_readers_language(manager: Browser) -> None:
    content = b"name=" + b"x" * FORM_BYTES_MAX
    kind = "application/x-www-form-urlencoded"
    check_page(send(manager, "/my/tills", content, kind), "64 kB")
    chunks = iter([content[:10], content[10:]])
    check_page(send(manager, "/my/tills", chunks, kind), "64 kB")
    french = send(manager, "/my/tills", content, kind, **{"Accept-Language": "fr"})
    assert "Rien n’en a été enregistré" in words(french)


@pytest.mark.parametrize(
    "referer", ["https://evil.example/my/tills", "//evil.example", "x", "/my/tills", ""]
)
def test_the_way_back_stays_with_us(manager: Browser, referer: str) -> None:
    content = b"name=" + b"x" * FORM_BYTES_MAX
    kind = "application/x-www-form-urlencoded"
    answer = send(manager, "/my/tills", content, kind, Referer=referer)
    assert 'class="button" href="/account"' in answer.text


def test_a_program_is_told_by_name(served: Served, shop: Shop) -> None:
    sent = served.client.post("/api/v1/till/closes", content=bytes(5_000), headers=shop.bearer)
    assert sent.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    assert sent.json()["error"]["name"] == "body_too_large"
