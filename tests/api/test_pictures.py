"""What a picture of a project may be, what is kept of it, and what comes of any other file."""

import struct
import zlib
from hashlib import sha256
from io import BytesIO

import httpx
import pytest
from PIL import Image

from api.pictures import PIXELS_MAX
from tests.api.people import Browser, browser_of
from tests.api.served import Served
from tests.api.sheets import SHEET, done, drafted, follow, photograph, post_picture

SENT = SHEET | {"alt_new": "Des bancs sous un platane"}


@pytest.fixture
def officer(served: Served) -> Browser:
    return browser_of(served, "officer")


@pytest.fixture
def path(served: Served, conninfo: str, officer: Browser) -> str:
    follow(conninfo)
    return drafted(served, conninfo, officer)


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG file that claims a size, whatever its rows hold."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        framed = kind + content
        return struct.pack(">I", len(content)) + framed + struct.pack(">I", zlib.crc32(framed))

    claimed = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + claimed + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def saved(form: str, *, side: int = 400, mode: str = "RGB") -> bytes:
    file = BytesIO()
    Image.new(mode, (side, side)).save(file, form)
    return file.getvalue()


NO_PICTURES = {
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "html": b"<!doctype html><script>alert(1)</script>",
    "gif": saved("GIF"),
    "cut short": photograph()[:4_000],
    "only a beginning": b"\xff\xd8\xff" + b"x" * 100,
    "too small": saved("PNG", side=199),
    "a bomb of pixels": png(60_000, 60_000, zlib.compress(b"\0" * 1_000_000)),
    "a bomb below the library's own limit": png(7_000, PIXELS_MAX // 7_000 + 1),
    "too many bytes": photograph() + b"\0" * 8_000_000,
}


@pytest.mark.parametrize("content", NO_PICTURES.values(), ids=NO_PICTURES.keys())
def test_what_is_no_picture_is_refused_on_the_page_with_what_was_typed(
    served: Served, officer: Browser, path: str, content: bytes
) -> None:
    answer = post_picture(served, officer, path, content, SENT)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "A picture is" in answer.text
    assert "Odette Sylvestre" in answer.text
    with served.context.pool.connection() as connection:
        assert connection.execute("SELECT FROM picture").fetchall() == []


def test_a_form_that_is_too_long_answers_with_a_page(
    served: Served, officer: Browser, path: str
) -> None:
    answer = post_picture(served, officer, path, b"\0" * 9_000_000, SENT)
    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    assert "This is too large to be taken" in answer.text


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_its_content_says_what_it_is_and_neither_name_nor_type(
    served: Served, officer: Browser, path: str, form: str
) -> None:
    told = {"name": "photo.svg", "kind": "image/svg+xml"}
    done(post_picture(served, officer, path, saved(form), SENT, **told))


def test_it_says_in_words_what_it_shows(served: Served, officer: Browser, path: str) -> None:
    nameless = post_picture(served, officer, path, photograph(), SENT | {"alt_new": ""})
    assert nameless.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "what each picture shows" in nameless.text


def test_nothing_but_pixels_is_kept(
    served: Served, conninfo: str, officer: Browser, path: str
) -> None:
    sent = photograph()
    assert Image.open(BytesIO(sent)).getexif().get_ifd(0x8825)
    done(post_picture(served, officer, path, sent, SENT))
    done(officer.post(f"{path}/publication"))
    follow(conninfo)
    told = served.client.get(f"/api/v1/projects/{path.rsplit('/', 1)[1]}").json()
    (picture,) = told["pictures"]
    assert (picture["width"], picture["alt"]) == (1600, "Des bancs sous un platane")
    for width in (480, 960, 1600):
        file = served.client.get(f"/pictures/{picture['sha256']}/{width}.jpg")
        shown = Image.open(BytesIO(file.content))
        assert shown.width == width
        assert not shown.getexif()
        assert not {"exif", "xmp", "comment", "icc_profile"} & set(shown.info)
        for trace in (b"garden", b"Exif", b"GPS", b"http:"):
            assert trace not in file.content
    largest = served.client.get(f"/pictures/{picture['sha256']}/1600.jpg")
    assert sha256(largest.content).hexdigest() == picture["sha256"]
    for none in ("0" * 64, "%00", "x"):
        answer = served.client.get(f"/pictures/{none}/480.jpg")
        assert answer.status_code == httpx.codes.NOT_FOUND


def test_pictures_come_one_after_another_up_to_eight(
    served: Served, conninfo: str, officer: Browser, path: str
) -> None:
    fields = dict(SENT)
    for number in range(1, 9):
        sent = fields | {"alt_new": f"Vue {number}"}
        done(post_picture(served, officer, path, photograph(f"#0000{number}0"), sent))
        fields[f"alt_{number}"] = f"Vue {number}"
    ninth = post_picture(served, officer, path, photograph("white"), fields)
    assert ninth.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "at most eight" in ninth.text
    done(officer.post(f"{path}/sheet", fields | {"drop_2": "yes"}))
    done(officer.post(f"{path}/publication"))
    follow(conninfo)
    told = served.client.get(f"/api/v1/projects/{path.rsplit('/', 1)[1]}").json()
    assert [one["alt"] for one in told["pictures"]] == [f"Vue {n}" for n in (1, 3, 4, 5, 6, 7, 8)]
